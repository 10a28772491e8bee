// SPDX-License-Identifier: MIT
/*
 * A vgem device that is not coherent with the CPU: who forgets DMA_BUF_IOCTL_SYNC
 * sees old pixels, and is named by the kernel's log, and who does not forget it finds
 * no difference.
 *
 * The device that looks is vkms. What it shows, and what it captures, is what a
 * device has of a buffer.
 */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drmMode.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "configured.h"
#include "endpoint.h"
#include "writeback.h"

/**
 * TEST: A vgem that is not coherent with the CPU
 * Description: What a display shows of a buffer of a noncoherent vgem when
 *	DMA_BUF_IOCTL_SYNC was forgotten, and when it was not.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: cache coherence
 *
 * SUBTEST: draw-outside
 * Description: A display shows what was drawn in a bracket only.
 *
 * SUBTEST: draw-to-read
 * Description: A bracket to read lets nothing through.
 *
 * SUBTEST: draw-a-part
 * Description: What a process does not draw stays the device's.
 *
 * SUBTEST: draw-by-handle
 * Description: A mapping by a handle is the CPU's as well.
 *
 * SUBTEST: read-capture
 * Description: What a device wrote is seen in a bracket only.
 *
 * SUBTEST: fork
 * Description: Processes share one view, and their brackets.
 *
 * SUBTEST: killed
 * Description: A bracket that is never ended keeps nobody out.
 *
 * SUBTEST: moved
 * Description: A buffer moves in a bracket, and nothing is lost.
 *
 * SUBTEST: unplugged
 * Description: A device goes in a bracket, and nothing is lost.
 *
 * SUBTEST: many-writers
 * Description: Writers side by side lose nothing.
 *
 * SUBTEST: told
 * Description: The log names who touches a buffer outside, and no other.
 */

IGT_TEST_DESCRIPTION("What a missing bracket does on a noncoherent vgem.");

#define WIDTH  160
#define HEIGHT 120
#define RED    0xff0000u
#define GREEN  0x00ff00u
#define BLUE   0x0000ffu

#define WRITERS 4
#define ROUNDS	40

static struct writeback kms;
/* The device that is not coherent. */
static int maker;

/* A buffer that the display has, too. */
struct picture {
	int fd; /* who made it */
	struct vgem_bo bo;
	int dmabuf;
	uint32_t handle, fb; /* on kms.fd */
	uint32_t *map; /* of the dma-buf */
};

static struct picture shown, capture;

static void picture_create(int fd, struct picture *p)
{
	*p = (struct picture){
		.fd = fd,
		.bo = { .width = WIDTH, .height = HEIGHT, .bpp = 32 },
	};
	vgem_create(fd, &p->bo);
	p->dmabuf = prime_handle_to_fd_for_mmap(fd, p->bo.handle);
	p->handle = prime_fd_to_handle(kms.fd, p->dmabuf);
	do_or_die(__writeback_add_fb(&kms, p->handle, HEIGHT, p->bo.pitch,
				     &p->fb));
	p->map = dmabuf_mmap(p->dmabuf, p->bo.size);
}

static void picture_destroy(struct picture *p)
{
	munmap(p->map, p->bo.size);
	do_or_die(drmModeRmFB(kms.fd, p->fb));
	gem_close(kms.fd, p->handle);
	close(p->dmabuf);
	/* the maker's handle goes with its file, for a device that is gone has no ioctls */
}

static void sync_dmabuf(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	do_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &arg);
}

static void start(const struct picture *p, uint64_t rw)
{
	sync_dmabuf(p->dmabuf, DMA_BUF_SYNC_START | rw);
}

static void end(const struct picture *p, uint64_t rw)
{
	sync_dmabuf(p->dmabuf, DMA_BUF_SYNC_END | rw);
}

static void fill(uint32_t *map, uint32_t colour)
{
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		map[i] = colour;
}

/* All of it has one colour. */
static void expect_colour(const uint32_t *map, uint32_t colour,
			  const char *where)
{
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		igt_assert_f((map[i] & 0xffffff) == colour,
			     "%s: pixel %d is %06x, not %06x\n", where, i,
			     map[i] & 0xffffff, colour);
}

static void expect_shown(uint32_t colour)
{
	writeback_show(&kms, shown.fb, capture.fb);
	start(&capture, DMA_BUF_SYNC_READ);
	expect_colour(capture.map, colour, "on the display");
	end(&capture, DMA_BUF_SYNC_READ);
}

static void draw(uint32_t colour)
{
	start(&shown, DMA_BUF_SYNC_WRITE);
	fill(shown.map, colour);
	end(&shown, DMA_BUF_SYNC_WRITE);
}

static void draw_outside(void)
{
	draw(RED);
	expect_shown(RED);
	fill(shown.map, GREEN);
	expect_colour(shown.map, GREEN, "for the process");
	expect_shown(RED);
	draw(BLUE);
	expect_shown(BLUE);
}

static void draw_to_read(void)
{
	draw(RED);
	start(&shown, DMA_BUF_SYNC_READ);
	fill(shown.map, GREEN);
	end(&shown, DMA_BUF_SYNC_READ);
	expect_shown(RED);
}

/* The same by way of the handle that the device itself has. */
static void draw_by_handle(void)
{
	uint32_t *map = vgem_mmap(maker, &shown.bo, PROT_READ | PROT_WRITE);

	draw(RED);
	fill(map, GREEN);
	expect_colour(shown.map, GREEN, "for the process");
	expect_shown(RED);
	start(&shown, DMA_BUF_SYNC_WRITE);
	fill(map, BLUE);
	end(&shown, DMA_BUF_SYNC_WRITE);
	expect_shown(BLUE);
	munmap(map, shown.bo.size);
}

/* The two pictures, the other way round: what is captured is the device's. */
static void swap_pictures(void)
{
	struct picture p = shown;

	shown = capture;
	capture = p;
}

/* The display captures into a buffer of the device: what is read of that. */
static void read_capture(void)
{
	swap_pictures();
	draw(RED);
	writeback_show(&kms, shown.fb, capture.fb);
	expect_colour(capture.map, 0, "without a bracket");
	start(&capture, DMA_BUF_SYNC_READ);
	expect_colour(capture.map, RED, "in a bracket");
	end(&capture, DMA_BUF_SYNC_READ);

	draw(GREEN);
	writeback_show(&kms, shown.fb, capture.fb);
	expect_colour(capture.map, RED, "after the bracket");
	start(&capture, DMA_BUF_SYNC_WRITE);
	expect_colour(capture.map, RED, "in a bracket to write");
	end(&capture, DMA_BUF_SYNC_WRITE);
	start(&capture, DMA_BUF_SYNC_RW);
	expect_colour(capture.map, GREEN, "in a bracket for both");
	end(&capture, DMA_BUF_SYNC_RW);
	swap_pictures();
}

/* A process that only writes draws one pixel into what the device has put there. */
static void draw_a_part(void)
{
	swap_pictures();
	draw(RED);
	writeback_show(&kms, shown.fb, capture.fb);
	start(&capture, DMA_BUF_SYNC_WRITE);
	capture.map[WIDTH] = GREEN;
	end(&capture, DMA_BUF_SYNC_WRITE);

	start(&capture, DMA_BUF_SYNC_RW);
	igt_assert_eq_u32(capture.map[WIDTH] & 0xffffff, GREEN);
	capture.map[WIDTH] = RED;
	expect_colour(capture.map, RED, "but for that pixel");
	end(&capture, DMA_BUF_SYNC_RW);
	swap_pictures();
}

/* Another process has no view of its own, and its brackets are as good. */
static void forked(void)
{
	draw(RED);
	igt_fork(child, 1) {
		fill(shown.map, GREEN);
	}
	igt_waitchildren();
	expect_colour(shown.map, GREEN, "for the process");
	expect_shown(RED);
	igt_fork(child, 1)
		draw(BLUE);
	igt_waitchildren();
	expect_shown(BLUE);
}

/* A process that dies in its bracket leaves it open, which is mild. */
static void killed(void)
{
	pid_t pid;
	int status;

	draw(RED);
	pid = fork();
	igt_assert(pid >= 0);
	if (!pid) {
		start(&shown, DMA_BUF_SYNC_WRITE);
		fill(shown.map, GREEN);
		raise(SIGKILL);
	}
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect_shown(RED);
	draw(BLUE);
	expect_shown(BLUE);
}

/* A device that wants it in one piece comes while a process draws. */
static void moved(void)
{
	uint32_t handle;
	int strict = configured_device("strict", "segments=1", 0);
	struct vgem_bo bo = shown.bo;
	struct configured_import import;
	uint32_t *map;
	int dmabuf;

	/* of its own, for the display keeps what it shows where it is */
	vgem_create(maker, &bo);
	dmabuf = prime_handle_to_fd_for_mmap(maker, bo.handle);
	map = dmabuf_mmap(dmabuf, bo.size);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	fill(map, RED);
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);

	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	map[0] = GREEN;
	handle = prime_fd_to_handle(strict, dmabuf);
	configured_verify(strict, dmabuf, &import);
	igt_assert_f(!strcmp(import.verdict, "ok"), "%s\n", import.verdict);
	map[1] = GREEN;
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);

	/* what the process sees now is what the device has */
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	igt_assert_eq_u32(map[0], GREEN);
	igt_assert_eq_u32(map[1], GREEN);
	map[0] = RED;
	map[1] = RED;
	expect_colour(map, RED, "after the move");
	sync_dmabuf(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	munmap(map, bo.size);
	gem_close(strict, handle);
	close(dmabuf);
	gem_close(maker, bo.handle);
	close(strict);
	configured_remove("strict");
}

/* The device goes in the middle of a bracket. */
static void unplugged(void)
{
	draw(RED);
	start(&shown, DMA_BUF_SYNC_WRITE);
	fill(shown.map, GREEN);
	configured_remove("maker");
	expect_shown(RED);
	end(&shown, DMA_BUF_SYNC_WRITE);
	expect_shown(GREEN);
	draw(BLUE);
	expect_shown(BLUE);
}

/* Each has every fourth pixel, so all are in each other's cache lines. */
static void *write_rounds(void *arg)
{
	const int mine = (int)(intptr_t)arg;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		start(&shown, DMA_BUF_SYNC_WRITE);
		for (int i = mine; i < WIDTH * HEIGHT; i += WRITERS)
			shown.map[i] = round;
		end(&shown, DMA_BUF_SYNC_WRITE);
	}
	return NULL;
}

static void many_writers(void)
{
	pthread_t thread[WRITERS];

	for (intptr_t i = 0; i < WRITERS; i++)
		igt_assert_eq(pthread_create(&thread[i], NULL, write_rounds,
					     (void *)i),
			      0);
	for (int i = 0; i < WRITERS; i++)
		igt_assert_eq(pthread_join(thread[i], NULL), 0);
	expect_shown(ROUNDS);
}

/* Reads what has come to the log, and finds @text, or none. */
static bool log_has(int kmsg, const char *text)
{
	char line[1024];
	bool has = false;
	ssize_t n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n < 0 ? 0 : n] = 0;
		if (strstr(line, text))
			has = true;
		errno = 0;
	}
	errno = 0;
	return has;
}

/* Who does nothing wrong is not named, and who does is. */
static void told(void)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char who[64];

	igt_require_f(kmsg >= 0, "no kernel log\n");
	lseek(kmsg, 0, SEEK_END);
	draw(RED);
	start(&shown, DMA_BUF_SYNC_READ);
	expect_colour(shown.map, RED, "in a bracket");
	end(&shown, DMA_BUF_SYNC_READ);
	igt_assert(!log_has(kmsg, "DMA_BUF_IOCTL_SYNC"));

	snprintf(who, sizeof(who), "[%d] reads outside of DMA_BUF_IOCTL_SYNC",
		 getpid());
	igt_assert_eq_u32(*(volatile uint32_t *)shown.map, RED);
	igt_assert(log_has(kmsg, who));
	snprintf(who, sizeof(who), "[%d] writes outside of DMA_BUF_IOCTL_SYNC",
		 getpid());
	fill(shown.map, GREEN);
	igt_assert(log_has(kmsg, who));
	snprintf(who, sizeof(who), "[%d] ends a DMA_BUF_IOCTL_SYNC", getpid());
	end(&shown, DMA_BUF_SYNC_WRITE);
	igt_assert(log_has(kmsg, who));
	close(kmsg);
}

static const struct {
	const char *name, *describe;
	void (*run)(void);
} tests[] = {
	{ "draw-outside", "a display shows what was drawn in a bracket only",
	  draw_outside },
	{ "draw-to-read", "a bracket to read lets nothing through",
	  draw_to_read },
	{ "draw-a-part", "what a process does not draw stays the device's",
	  draw_a_part },
	{ "draw-by-handle", "a mapping by a handle is the CPU's as well",
	  draw_by_handle },
	{ "read-capture", "what a device wrote is seen in a bracket only",
	  read_capture },
	{ "fork", "processes share one view, and their brackets", forked },
	{ "killed", "a bracket that is never ended keeps nobody out", killed },
	{ "moved", "a buffer moves in a bracket, and nothing is lost", moved },
	{ "unplugged", "a device goes in a bracket, and nothing is lost",
	  unplugged },
	{ "many-writers", "writers side by side lose nothing", many_writers },
	{ "told", "the log names who touches a buffer outside, and no other",
	  told },
};

static void clean_up(void)
{
	configured_remove("maker");
	configured_remove("strict");
	errno = 0;
}

static void clean_up_at_exit(int sig)
{
	(void)sig;
	clean_up();
}

static void run(void (*test)(void))
{
	maker = configured_noncoherent("maker");
	picture_create(maker, &shown);
	picture_create(kms.fd, &capture);
	test();
	writeback_off(&kms);
	picture_destroy(&capture);
	picture_destroy(&shown);
	close(maker);
}

igt_main
{
	igt_fixture {
		cards_load();
		configured_require();
		igt_install_exit_handler(clean_up_at_exit);
		/* Small, so that composing it takes no time. */
		writeback_open(&kms, WIDTH, HEIGHT, 60);
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest(tests[t].name) {
			clean_up();
			run(tests[t].run);
		}
	}

	igt_fixture {
		clean_up();
		writeback_close(&kms);
	}
}
