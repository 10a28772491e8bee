// SPDX-License-Identifier: MIT
/*
 * Where the memory of a buffer is, held against what others know of it: the kernel's
 * count of what CMA gave, a display that shows the buffer, and a machine in which
 * there is no memory of the kind any more.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drmMode.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "configured.h"
#include "endpoint.h"

/**
 * TEST: Where the memory of vgem buffers comes from
 * Description: The storage of a buffer held against what others know of it:
 *	the count of what CMA gave, a display that shows it, and a machine
 *	that has no memory of the kind left.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: constraints
 *
 * SUBTEST: kind-is-shown
 * Description: fdinfo and bufinfo tell what the storage is.
 *
 * SUBTEST: contiguous-is-cma
 * Description: Memory in one piece comes from CMA.
 *
 * SUBTEST: new-is-zero
 * Description: New buffers are zero, of whatever kind.
 *
 * SUBTEST: none-left
 * Description: A newcomer when there is no memory in one piece.
 *
 * SUBTEST: shown-by-virtio-gpu
 * Description: A newcomer while a display shows the buffer.
 */

IGT_TEST_DESCRIPTION("Where the memory of vgem's buffers comes from.");

#define SEED 2012
/* tools/check has CMA below that, so low pieces are CMA's and a few others. */
#define LOW_PIECE "segments=1,mask=0x1fffffff"
/* All that is low is taken in pieces of the first, then of the second size. */
#define LARGE_MIB 32
#define SMALL_MIB 4
#define MAX_TAKEN 64
/* What is wanted then; two small pieces are not one. */
#define WANTED_MIB 8

static int owner = -1;

struct buffer {
	struct vgem_bo bo;
	int dmabuf;
	uint8_t *map;
};

static void make_buffer(struct buffer *b, unsigned int mib)
{
	b->bo = (struct vgem_bo){ .width = 1024,
				  .height = mib * 256,
				  .bpp = 32 };
	vgem_create(owner, &b->bo);
	b->dmabuf = prime_handle_to_fd_for_mmap(owner, b->bo.handle);
	b->map = dmabuf_mmap(b->dmabuf, b->bo.size);
}

static void drop_buffer(struct buffer *b)
{
	munmap(b->map, b->bo.size);
	close(b->dmabuf);
	gem_close(owner, b->bo.handle);
}

/*
 * What follows @key in a file, from the line on that has @from in it, or NULL, to one
 * that begins with Total.
 */
static void look_up(const char *path, const char *from, const char *key,
		    char value[64])
{
	FILE *file = fopen(path, "re");
	bool mine = !from;
	char line[256];

	igt_assert_f(file, "%s: %m\n", path);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		mine |= from && strstr(line, from);
		if (mine && !strncmp(line, "Total", strlen("Total")))
			break;
		if (mine && !strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), "%63s", value);
	}
	fclose(file);
	igt_assert_f(value[0], "%s has no '%s'\n", path, key);
}

static void fdinfo(const struct buffer *b, const char *key, char value[64])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", b->dmabuf);
	look_up(path, NULL, key, value);
}

static void bufinfo(const struct buffer *b, const char *key, char value[64])
{
	char path[64], inode[32];

	snprintf(path, sizeof(path), "%s/dma_buf/bufinfo", igt_debugfs_mount());
	snprintf(inode, sizeof(inode), "\t%08lu\t",
		 (unsigned long)dmabuf_inode(b->dmabuf));
	look_up(path, inode, key, value);
}

static void expect_kind(const struct buffer *b, const char *kind)
{
	char value[64];

	fdinfo(b, "storage:\t", value);
	igt_assert_f(!strcmp(value, kind), "fdinfo: %s, not %s\n", value, kind);
	bufinfo(b, "\tStorage ", value);
	igt_assert_f(!strcmp(value, kind), "bufinfo: %s, not %s\n", value,
		     kind);
}

static void expect_moves(const struct buffer *b, const char *moves)
{
	char value[64];

	fdinfo(b, "moves:\t", value);
	igt_assert_f(!strcmp(value, moves), "moved %s times, not %s\n", value,
		     moves);
}

static void expect_verdict(int fd, const struct buffer *b, const char *verdict)
{
	struct configured_import import;

	configured_verify(fd, b->dmabuf, &import);
	igt_assert_f(!strcmp(import.verdict, verdict), "%s, not %s\n",
		     import.verdict, verdict);
}

/* Whoever looks at the buffer is told what its storage is, at any time. */
static void kind_is_shown(void)
{
	int low = configured_device("first", NULL, 0x3fffffff);
	int one = configured_device("second", "segments=1", 0);
	struct buffer b;
	uint32_t handle;

	make_buffer(&b, SMALL_MIB);
	expect_kind(&b, "none");
	pattern_fill(b.map, b.bo.size, SEED);
	expect_kind(&b, "shmem");
	handle = prime_fd_to_handle(low, b.dmabuf);
	expect_kind(&b, "masked");
	gem_close(low, handle);
	prime_fd_to_handle(one, b.dmabuf);
	expect_kind(&b, "contiguous");
	expect_moves(&b, "2");
	pattern_check(b.map, b.bo.size, SEED);
	drop_buffer(&b);
	close(low);
	close(one);
}

/* Pages that CMA has given since the machine runs, from all of its areas. */
static uint64_t cma_pages(void)
{
	uint64_t pages = 0, count;
	glob_t areas;
	FILE *file;

	igt_require_f(!glob("/sys/kernel/mm/cma/*/alloc_pages_success", 0, NULL,
			    &areas),
		      "no CMA, or a kernel that does not count its pages\n");
	for (size_t i = 0; i < areas.gl_pathc; i++) {
		file = fopen(areas.gl_pathv[i], "re");
		igt_assert(file);
		igt_assert_eq(fscanf(file, "%" SCNu64, &count), 1);
		fclose(file);
		pages += count;
	}
	globfree(&areas);

	return pages;
}

/* One piece comes from CMA, at the first use and for a move, and nothing else does. */
static void contiguous_is_cma(void)
{
	int one = configured_device("first", "segments=1", 0);
	uint64_t before = cma_pages(), pages;
	struct buffer b;

	make_buffer(&b, WANTED_MIB);
	pages = b.bo.size / getpagesize();
	prime_fd_to_handle(one, b.dmabuf);
	igt_assert_eq_u64(cma_pages() - before, 0);
	expect_verdict(one, &b, "ok");
	igt_assert_eq_u64(cma_pages() - before, pages);
	drop_buffer(&b);
	close(one);
	configured_remove("first");

	one = configured_device("first", "segments=1", 0);
	make_buffer(&b, WANTED_MIB);
	before = cma_pages();
	pattern_fill(b.map, b.bo.size, SEED);
	igt_assert_eq_u64(cma_pages() - before, 0);
	prime_fd_to_handle(one, b.dmabuf);
	igt_assert_eq_u64(cma_pages() - before, pages);
	expect_moves(&b, "1");
	pattern_check(b.map, b.bo.size, SEED);
	drop_buffer(&b);
	close(one);
}

static void expect_zero(const struct buffer *b)
{
	for (uint64_t i = 0; i < b->bo.size; i++)
		igt_assert_f(!b->map[i], "%#x at %" PRIu64 "\n", b->map[i], i);
}

/* Of whatever kind: what others have left in the memory is not shown. */
static void new_is_zero(void)
{
	static const struct {
		const char *needs, *kind;
		uint64_t mask;
	} kinds[] = {
		{ NULL, "shmem", 0 },
		{ NULL, "masked", 0x3fffffff },
		{ "segments=1", "contiguous", 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd = configured_device("first", kinds[i].needs,
					   kinds[i].mask);

		/* what the first round has left is what the others get */
		for (unsigned int round = 0; round < 3; round++) {
			struct buffer b;
			uint32_t handle;

			make_buffer(&b, 1);
			handle = prime_fd_to_handle(fd, b.dmabuf);
			expect_zero(&b);
			expect_kind(&b, kinds[i].kind);
			pattern_fill(b.map, b.bo.size, SEED + round);
			gem_close(fd, handle);
			drop_buffer(&b);
		}
		close(fd);
		configured_remove("first");
	}
}

/* In bytes. */
static uint64_t cma_free(void)
{
	unsigned long long kib = 0;
	bool found = false;
	char line[128];
	FILE *file;

	/* counts are kept per CPU; reading this adds them up */
	file = fopen("/proc/sys/vm/stat_refresh", "re");
	if (file) {
		while (fgets(line, sizeof(line), file))
			;
		fclose(file);
	}
	file = fopen("/proc/meminfo", "re");
	igt_assert(file);
	while (fgets(line, sizeof(line), file))
		found |= sscanf(line, "CmaFree: %llu kB", &kib) == 1;
	fclose(file);
	igt_assert(found);

	return kib * 1024;
}

/* Takes pieces for @strict until there are none of that size. */
static unsigned int take(int strict, unsigned int mib, struct buffer *taken,
			 unsigned int n)
{
	struct configured_import import;

	do {
		igt_assert_f(n < MAX_TAKEN, "there is no end of low memory\n");
		make_buffer(&taken[n], mib);
		prime_fd_to_handle(strict, taken[n].dmabuf);
		configured_verify(strict, taken[n].dmabuf, &import);
		n++;
	} while (!strcmp(import.verdict, "ok"));
	igt_assert_f(!strcmp(import.verdict, "not mapped: -12"), "%s\n",
		     import.verdict);

	return n;
}

/*
 * CMA is used up, where the device reaches it, and what else there is in one piece. Who
 * needs some is told, as often as it asks, the buffer stays what it is, and it moves when
 * there is some.
 */
static void none_left(void)
{
	int strict = configured_device("first", LOW_PIECE, 0);
	int loose = configured_device("second", NULL, 0);
	struct buffer taken[MAX_TAKEN], b;
	unsigned int n;
	uint32_t handle;

	make_buffer(&b, WANTED_MIB);
	pattern_fill(b.map, b.bo.size, SEED);
	prime_fd_to_handle(loose, b.dmabuf);
	expect_verdict(loose, &b, "ok");

	n = take(strict, LARGE_MIB, taken, 0);
	n = take(strict, SMALL_MIB, taken, n);
	igt_info("%u pieces taken, of CMA %" PRIu64 " KiB free\n", n - 2,
		 cma_free() / 1024);
	for (unsigned int i = 0; i < 3; i++)
		igt_assert_eq(__prime_fd_to_handle(strict, b.dmabuf, &handle),
			      -ENOMEM);
	expect_moves(&b, "0");
	expect_kind(&b, "shmem");
	expect_verdict(loose, &b, "ok");
	pattern_check(b.map, b.bo.size, SEED);

	/* with its handles goes what they have taken */
	close(strict);
	while (n--)
		drop_buffer(&taken[n]);
	configured_remove("first");
	strict = configured_device("first", LOW_PIECE, 0);
	prime_fd_to_handle(strict, b.dmabuf);
	expect_moves(&b, "1");
	expect_kind(&b, "contiguous");
	expect_verdict(strict, &b, "ok");
	pattern_check(b.map, b.bo.size, SEED);
	drop_buffer(&b);
	close(strict);
	close(loose);
}

/* The first connector with a mode, on the first display. */
static uint32_t any_connector(int fd, drmModeModeInfo *mode, uint32_t *crtc)
{
	drmModeResPtr res = drmModeGetResources(fd);
	drmModeConnectorPtr connector;
	uint32_t id = 0;

	igt_assert(res && res->count_crtcs);
	*crtc = res->crtcs[0];
	for (int i = 0; !id && i < res->count_connectors; i++) {
		connector = drmModeGetConnector(fd, res->connectors[i]);
		igt_assert(connector);
		if (connector->count_modes) {
			*mode = connector->modes[0];
			id = connector->connector_id;
		}
		drmModeFreeConnector(connector);
	}
	drmModeFreeResources(res);
	igt_assert(id);

	return id;
}

/* Drivers of hardware are not loaded for a test that can use any; this one has to be. */
static void modprobe(const char *options)
{
	char command[64];

	snprintf(command, sizeof(command), "modprobe -q %s", options);
	if (system(command))
		igt_info("'%s' failed\n", command);
}

/*
 * A display that can follow moves, virtio-gpu, cannot while it shows the buffer: it
 * has it pinned then, and no longer. Imported alone, or as a framebuffer, it can.
 */
static void shown_by_one_who_follows(void)
{
	bool loaded = access("/sys/module/virtio_gpu", F_OK) == 0;
	int one = configured_device("first", "segments=1", 0), fd;
	uint32_t handle, fb, strict, connector, crtc;
	drmModeModeInfo mode;
	struct buffer b;
	uint32_t pitch;

	if (!loaded)
		modprobe("virtio-gpu");
	fd = card_open_master("virtio_gpu");
	connector = any_connector(fd, &mode, &crtc);
	make_buffer(&b, WANTED_MIB);
	pattern_fill(b.map, b.bo.size, SEED);
	handle = prime_fd_to_handle(fd, b.dmabuf);
	pitch = mode.hdisplay * 4;
	igt_assert_lte_u64((uint64_t)pitch * mode.vdisplay, b.bo.size);
	do_or_die(drmModeAddFB(fd, mode.hdisplay, mode.vdisplay, 24, 32, pitch,
			       handle, &fb));
	do_or_die(drmModeSetCrtc(fd, crtc, fb, 0, 0, &connector, 1, &mode));
	for (unsigned int i = 0; i < 3; i++)
		igt_assert_eq(__prime_fd_to_handle(one, b.dmabuf, &strict),
			      -EBUSY);
	expect_moves(&b, "0");
	expect_kind(&b, "shmem");
	pattern_check(b.map, b.bo.size, SEED);

	do_or_die(drmModeSetCrtc(fd, crtc, 0, 0, 0, NULL, 0, NULL));
	prime_fd_to_handle(one, b.dmabuf);
	expect_moves(&b, "1");
	expect_kind(&b, "contiguous");
	expect_verdict(one, &b, "ok");
	/* and from there it can be shown again */
	do_or_die(drmModeSetCrtc(fd, crtc, fb, 0, 0, &connector, 1, &mode));
	pattern_check(b.map, b.bo.size, SEED);
	do_or_die(drmModeSetCrtc(fd, crtc, 0, 0, 0, NULL, 0, NULL));
	do_or_die(drmModeRmFB(fd, fb));
	gem_close(fd, handle);
	drop_buffer(&b);
	close(one);
	close(fd);
	if (!loaded)
		modprobe("-r virtio-gpu");
}

static void remove_devices(void)
{
	configured_remove("first");
	configured_remove("second");
	configured_remove("owner");
}

static void remove_at_exit(int sig)
{
	(void)sig;
	remove_devices();
}

static const struct {
	const char *name, *describe;
	void (*run)(void);
} tests[] = {
	{ "kind-is-shown", "fdinfo and bufinfo tell what the storage is",
	  kind_is_shown },
	{ "contiguous-is-cma", "memory in one piece comes from CMA",
	  contiguous_is_cma },
	{ "new-is-zero", "new buffers are zero, of whatever kind",
	  new_is_zero },
	{ "none-left", "a newcomer when there is no memory in one piece",
	  none_left },
	{ "shown-by-virtio-gpu", "a newcomer while a display shows the buffer",
	  shown_by_one_who_follows },
};

igt_main
{
	igt_fixture {
		drm_load_module(DRIVER_VGEM);
		configured_require_constraints();
		igt_install_exit_handler(remove_at_exit);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name) {
			remove_devices();
			owner = configured_device("owner", NULL, 0);
			tests[i].run();
			close(owner);
		}
	}

	igt_fixture
		remove_devices();
}
