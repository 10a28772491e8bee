// SPDX-License-Identifier: MIT
/*
 * Pairs of devices that disagree about memory, in every order and with the buffer
 * in every state: both get what they need, or the newcomer is refused and the
 * other keeps what it has.
 *
 * The devices are vgem's. They look at the tables they are given themselves.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drmMode.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "configured.h"
#include "endpoint.h"

#include "constraints/constraints.h"

/**
 * TEST: Devices of vgem with different constraints
 * Description: Pairs of vgem devices that disagree about memory, in every
 *	order and with the buffer in every state: both get what they need, or
 *	the newcomer is refused and the other keeps what it has.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: constraints
 *
 * SUBTEST: %s-then
 * Description: A device with arg[1], and then one that needs something else.
 *
 * arg[1]:
 *
 * @any:		no needs
 * @mask:		few address lines
 * @boundary:		a boundary that no piece crosses
 * @segment-size:	small pieces
 * @align:		pieces that begin at multiples of 64 KiB
 * @contiguous:		one piece
 *
 * SUBTEST: attribute
 * Description: Constraints as text, good and bad.
 *
 * SUBTEST: no-bounce
 * Description: Memory below 4 GiB, in place of copies.
 *
 * SUBTEST: no-bounce-1-gib
 * Description: Memory below 1 GiB, in place of copies.
 *
 * SUBTEST: copies-given-back
 * Description: What copies have taken, when the buffer is gone.
 *
 * SUBTEST: nothing-there
 * Description: Memory that a device reaches, of which there is none.
 */

IGT_TEST_DESCRIPTION("Pairs of vgem devices with different constraints.");

#define SIZE (1024 * 1024)
#define SEED 612

static const struct {
	const char *name, *needs;
} kinds[] = {
	{ "any", "any" },
	{ "mask", "mask=0x3fffffff" },
	{ "boundary", "boundary=0xffff" },
	{ "segment-size", "segment-size=4096" },
	{ "align", "align=65536" },
	{ "contiguous", "segments=1" },
};

enum state { UNTOUCHED, TOUCHED, MAPPED, STATES };

static const char *const state_names[STATES] = { "before the first use",
						 "after the first use",
						 "after a mapping" };

/* Entries of 4 KiB do not all begin where a multiple of 64 KiB does. */
static bool disagree(unsigned int a, unsigned int b)
{
	const char *first = kinds[a].name, *second = kinds[b].name;

	return (!strcmp(first, "align") && !strcmp(second, "segment-size")) ||
	       (!strcmp(second, "align") && !strcmp(first, "segment-size"));
}

static void expect_good(int fd, int dmabuf, const char *who)
{
	struct configured_import import;

	configured_verify(fd, dmabuf, &import);
	igt_assert_f(!strcmp(import.verdict, "ok"), "%s: %s\n", who,
		     import.verdict);
}

static struct display {
	int fd;
	uint32_t crtc, connector;
} display = { .fd = -1 };

static void display_open(void)
{
	drmModeResPtr res;

	display.fd = card_open_master("vkms");
	res = drmModeGetResources(display.fd);
	igt_assert(res && res->count_crtcs && res->count_connectors);
	display.crtc = res->crtcs[0];
	display.connector = res->connectors[0];
	drmModeFreeResources(res);
}

/* vkms maps what it imports for good, and vmaps what it shows. */
static uint32_t display_show(int dmabuf, uint32_t *handle)
{
	/* small, so that composing it takes no time: 60 Hz at 1.6 MHz */
	drmModeModeInfo mode = {
		.clock = 1630,
		.hdisplay = 160,
		.hsync_start = 168,
		.hsync_end = 176,
		.htotal = 194,
		.vdisplay = 120,
		.vsync_start = 124,
		.vsync_end = 128,
		.vtotal = 140,
		.vrefresh = 60,
		.name = "igt",
	};
	uint32_t fb;

	*handle = prime_fd_to_handle(display.fd, dmabuf);
	do_or_die(drmModeAddFB(display.fd, 512, 512, 24, 32, 2048, *handle,
			       &fb));
	do_or_die(drmModeSetCrtc(display.fd, display.crtc, fb, 0, 0,
				 &display.connector, 1, &mode));
	return fb;
}

static void display_hide(uint32_t fb, uint32_t handle)
{
	do_or_die(drmModeSetCrtc(display.fd, display.crtc, 0, 0, 0, NULL, 0,
				 NULL));
	do_or_die(drmModeRmFB(display.fd, fb));
	gem_close(display.fd, handle);
}

static unsigned int moves(int dmabuf)
{
	char path[64], line[256];
	unsigned int moves = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dmabuf);
	file = fopen(path, "re");
	igt_assert(file);
	while (fgets(line, sizeof(line), file))
		found |= sscanf(line, "moves:\t%u", &moves) == 1;
	fclose(file);
	igt_assert_f(found, "fdinfo tells no moves\n");
	return moves;
}

/* Whatever the storage is, it does not suit the second of these. */
static bool must_move(unsigned int a, unsigned int b)
{
	const char *first = kinds[a].name, *second = kinds[b].name;

	return (!strcmp(first, "any") || !strcmp(first, "boundary") ||
		!strcmp(first, "segment-size")) &&
	       (!strcmp(second, "mask") || !strcmp(second, "align") ||
		!strcmp(second, "contiguous"));
}

/*
 * The second device comes while a display shows the buffer. It is refused if, and
 * only if, the buffer has to move for it, as is seen when the display is off.
 */
static void try_shown(int owner, int first, int second, bool must,
		      bool possible)
{
	struct vgem_bo bo = { .width = 512, .height = SIZE / 2048, .bpp = 32 };
	uint32_t one, two, fb, shown;
	unsigned int before;
	uint8_t *map;
	int dmabuf, ret;

	vgem_create(owner, &bo);
	dmabuf = prime_handle_to_fd_for_mmap(owner, bo.handle);
	map = dmabuf_mmap(dmabuf, bo.size);
	one = prime_fd_to_handle(first, dmabuf);
	fb = display_show(dmabuf, &shown);
	pattern_fill(map, bo.size, SEED);
	before = moves(dmabuf);

	ret = __prime_fd_to_handle(second, dmabuf, &two);
	igt_assert_eq(moves(dmabuf), before);
	expect_good(first, dmabuf, "first");
	pattern_check(map, bo.size, SEED);
	if (must && possible)
		igt_assert_eq(ret, -EBUSY);
	if (!ret) {
		expect_good(second, dmabuf, "second, with a display");
		gem_close(second, two);
	}

	display_hide(fb, shown);
	if (!possible) {
		igt_assert_eq(ret, -EINVAL);
	} else {
		two = prime_fd_to_handle(second, dmabuf);
		igt_assert_eq(ret, moves(dmabuf) > before ? -EBUSY : 0);
		expect_good(second, dmabuf, "second");
		pattern_check(map, bo.size, SEED);
		gem_close(second, two);
	}

	gem_close(first, one);
	munmap(map, bo.size);
	close(dmabuf);
	gem_close(owner, bo.handle);
}

/* The devices import one after the other a buffer that is in @state. */
static void try_pair(int owner, int first, int second, enum state state,
		     bool possible)
{
	struct vgem_bo bo = { .width = 512, .height = SIZE / 2048, .bpp = 32 };
	uint32_t one, two;
	uint8_t *map;
	int dmabuf;

	vgem_create(owner, &bo);
	dmabuf = prime_handle_to_fd_for_mmap(owner, bo.handle);
	map = dmabuf_mmap(dmabuf, bo.size);
	if (state >= TOUCHED)
		pattern_fill(map, bo.size, SEED);
	one = prime_fd_to_handle(first, dmabuf);
	if (state == MAPPED)
		expect_good(first, dmabuf, "first");

	if (!possible) {
		igt_assert_eq(__prime_fd_to_handle(second, dmabuf, &two),
			      -EINVAL);
	} else {
		two = prime_fd_to_handle(second, dmabuf);
		if (state == UNTOUCHED)
			pattern_fill(map, bo.size, SEED);
		expect_good(second, dmabuf, "second");
		gem_close(second, two);
	}
	expect_good(first, dmabuf, "first, after the second");
	if (possible || state != UNTOUCHED)
		pattern_check(map, bo.size, SEED);

	gem_close(first, one);
	munmap(map, bo.size);
	close(dmabuf);
	gem_close(owner, bo.handle);
}

static void pair(int owner, unsigned int a, unsigned int b)
{
	int first = configured_device("first", kinds[a].needs, 0);
	int second = configured_device("second", kinds[b].needs, 0);

	for (enum state state = 0; state < STATES; state++) {
		igt_info("%s\n", state_names[state]);
		try_pair(owner, first, second, state, !disagree(a, b));
	}
	igt_info("on a display\n");
	try_shown(owner, first, second, must_move(a, b), !disagree(a, b));
	close(first);
	close(second);
	configured_remove("first");
	configured_remove("second");
}

/* How a process ends that touches the buffer. */
static int status_of_touch(int dmabuf, size_t size)
{
	pid_t pid = fork();
	int status;

	igt_assert(pid >= 0);
	if (!pid) {
		volatile uint8_t *map;

		signal(SIGBUS, SIG_DFL);
		map = dmabuf_mmap(dmabuf, size);
		map[0] = 1;
		_exit(0);
	}
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* A touch of memory that there is not ends the process, and not the machine. */
static void nothing_there(int owner)
{
	/* the first 4 MiB of a PC are not all memory: some are the VGA's and ROM */
	int low = configured_device("first", "mask=0x3fffff", 0);
	struct vgem_bo bo = { .width = 1024, .height = 1024, .bpp = 32 };
	struct configured_import import;
	uint32_t handle;
	int dmabuf, status;

	vgem_create(owner, &bo);
	dmabuf = prime_handle_to_fd_for_mmap(owner, bo.handle);
	handle = prime_fd_to_handle(low, dmabuf);
	configured_verify(low, dmabuf, &import);
	igt_assert_f(!strcmp(import.verdict, "not mapped: -12"), "%s\n",
		     import.verdict);
	status = status_of_touch(dmabuf, bo.size);
	igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);

	/* and when nobody needs it to be there, all is well */
	gem_close(low, handle);
	igt_assert_eq(status_of_touch(dmabuf, bo.size), 0);
	close(dmabuf);
	gem_close(owner, bo.handle);
	close(low);
	configured_remove("first");
}

/* What cannot be, or comes too late, is refused and changes nothing. */
static void attribute(void)
{
	/* what counts is in front, and the whole longer than any that is meant */
	static char padded[512] = "any";
	static const char *const bad[] = { "segments=0", "segment=1", ",",
					   "mask=0x",	 "align=3",   padded };
	int fd = configured_device("first", "segments=1,align=65536", 0);
	char text[64];

	memset(padded + strlen("any"), ' ', sizeof(padded) - sizeof("any"));
	configured_read("first", "constraints", text, sizeof(text));
	igt_assert_f(!strcmp(text, "align=65536,segments=1\n"), "%s", text);
	igt_assert_eq(configured_write("first", "constraints", "any"), -EBUSY);
	do_or_die(configured_write("first", "enable", "0"));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		igt_assert_eq(configured_write("first", "constraints", bad[i]),
			      -EINVAL);
	configured_read("first", "constraints", text, sizeof(text));
	igt_assert_f(!strcmp(text, "align=65536,segments=1\n"), "%s", text);
	do_or_die(configured_write("first", "constraints", "any"));
	configured_read("first", "constraints", text, sizeof(text));
	igt_assert_f(!strcmp(text, "any\n"), "%s", text);
	close(fd);
	configured_remove("first");
}

static void remove_at_exit(int sig)
{
	(void)sig;
	configured_remove("first");
	configured_remove("second");
	configured_remove("owner");
}

igt_main
{
	int owner = -1;

	igt_fixture {
		drm_load_module(DRIVER_VGEM);
		configured_require_constraints();
		igt_install_exit_handler(remove_at_exit);
		remove_at_exit(0);
		owner = configured_device("owner", NULL, 0);
		display_open();
	}

	for (unsigned int a = 0; a < ARRAY_SIZE(kinds); a++) {
		igt_describe("A device with this need, and one with another.");
		igt_subtest_with_dynamic_f("%s-then", kinds[a].name)
		{
			for (unsigned int b = 0; b < ARRAY_SIZE(kinds); b++)
				igt_dynamic(kinds[b].name)
					pair(owner, a, b);
		}
	}

	igt_describe("Constraints as text, good and bad.");
	igt_subtest("attribute")
		attribute();

	igt_describe("Memory below 4 GiB, in place of copies.");
	igt_subtest("no-bounce")
		no_bounce(owner, 0xffffffff);

	igt_describe("Memory below 1 GiB, in place of copies.");
	igt_subtest("no-bounce-1-gib")
		no_bounce(owner, 0x3fffffff);

	igt_describe("What copies have taken, when the buffer is gone.");
	igt_subtest("copies-given-back")
		copies_given_back(0x3fffffff);

	igt_describe("Memory that a device reaches, of which there is none.");
	igt_subtest("nothing-there")
		nothing_there(owner);

	igt_fixture {
		close(display.fd);
		close(owner);
		remove_at_exit(0);
	}
}
