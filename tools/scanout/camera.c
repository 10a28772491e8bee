// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a camera takes, on the display of virtio-gpu: vivid fills a buffer of its
 * queue, and the same memory is shown.
 *
 * What the camera sees is its own affair, so the guest tells the host every pixel
 * of what the buffer holds, as the CPU finds it there. While it does, no buffer is
 * in the queue, and nobody writes.
 *
 * There are two cameras, as job.sh has loaded vivid: one whose memory is pages from
 * anywhere, and one that takes it in one piece.
 */
#include <string.h>
#include <unistd.h>

#include "igt.h"
#include "kit.h"
#include "video.h"

/* In no picture: what a camera does not use of a pixel it writes as 0. */
#define NOT_TAKEN 0xee

static const struct video_format format = {
	.width = WIDTH,
	.height = HEIGHT,
	.fourcc = V4L2_PIX_FMT_XBGR32,
	.pitch = PITCH,
};

static void camera_open(struct queue *camera, const char *bus)
{
	int fd = __find_video("vivid",
			      V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING, bus);

	if (fd < 0)
		die(bus);
	video_set_menu(fd, "OSD Text Mode", "None");
	queue_open(camera, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP,
		   &format, 1);
}

static void camera_close(struct queue *camera)
{
	queue_close(camera);
	close(camera->fd);
}

/* One picture of the pattern; then the buffer is in the queue no more. */
static void take(struct queue *camera, const char *pattern)
{
	video_set_menu(camera->fd, "Test Pattern", pattern);
	memset(camera->map[0][0], NOT_TAKEN, camera->size[0]);
	if (__queue_push(camera, 0, -1))
		die("qbuf");
	queue_start(camera);
	queue_pop(camera);
}

/* The host is told what the buffer holds, and compares. */
static void look(const struct display *display, const char *name, int dmabuf)
{
	const uint32_t *map =
		mmap(NULL, SIZE, PROT_READ, MAP_SHARED, dmabuf, 0);
	int not_taken = 0;

	if (map == MAP_FAILED)
		die("mmap of the dma-buf");
	prime_sync_start(dmabuf, false);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			not_taken += map[y * PITCH / 4 + x] ==
				     NOT_TAKEN * 0x01010101u;
	expect(name, "pixels that the camera has left", not_taken, 0);
	host_look_held(display, name, map);
	prime_sync_end(dmabuf, false);
	munmap((void *)map, SIZE);
}

static void show(const struct display *display, const char *name,
		 const char *again, const char *bus)
{
	struct picture picture;
	struct queue camera;

	camera_open(&camera, bus);
	picture.dmabuf = queue_export(&camera, 0);
	picture.handle = display_import(display, picture.dmabuf);
	picture.fb = display_framebuffer(display, picture.handle);
	/* rows that differ */
	take(&camera, "Noise");
	display_on(display, picture.fb);
	look(display, name, picture.dmabuf);

	/* columns that differ, of the strongest colours */
	take(&camera, "100% Colorbar");
	display_dirty(display, picture.fb);
	look(display, again, picture.dmabuf);
	display_off(display);
	display_forget(display, &picture);
	camera_close(&camera);
}

void camera_cases(const struct display *display)
{
	show(display, "vivid", "vivid-again", "platform:vivid-000");
	show(display, "vivid-in-one-piece", "vivid-in-one-piece-again",
	     "platform:vivid-001");
}
