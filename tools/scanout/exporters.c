// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer of somebody else on the display of virtio-gpu: each exporter makes one
 * and draws in it, virtio-gpu imports it and shows it.
 *
 * What a camera has taken nobody here has drawn, see camera.c.
 *
 * There are two displays, first and second, each a virtio GPU of its own, and
 * either shows what the other has made. What happens when one of them goes, see
 * unplug.c.
 *
 * $STRICT is a device of vgem that takes memory in one piece only. An exporter
 * that can has to move its buffer for it: not while the buffer is on the screen,
 * but when it is off, though the host has had the pages. Shown again, it is as it
 * was drawn.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "kit.h"

static struct display first = { .host = "first", .index = 0 };
static struct display second = { .host = "second", .index = 1 };
static int strict_fd;

/* How often the buffer has moved, or -1 if its exporter does not say. */
static int moves(int dmabuf)
{
	char path[64], line[256];
	int found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dmabuf);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "moves:\t%d", &found);
	fclose(f);
	return found;
}

/* Returns 0 or an errno; what was imported is let go of again. */
static int strict_import(int dmabuf)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(strict_fd, dmabuf, &handle))
		return errno;
	drmCloseBufferHandle(strict_fd, handle);
	return 0;
}

/* The buffer is on the screen, with what @seed has drawn. */
static void move(const struct display *display, const char *name, int dmabuf,
		 uint32_t fb, uint32_t seed)
{
	char moved[64];

	if (strict_fd < 0 || moves(dmabuf) < 0)
		return;
	expect(name, "moving what is shown", strict_import(dmabuf), EBUSY);
	expect(name, "moves", moves(dmabuf), 0);
	display_off(display);
	expect(name, "moving what is not", strict_import(dmabuf), 0);
	expect(name, "moves", moves(dmabuf), 1);
	display_on(display, fb);
	snprintf(moved, sizeof(moved), "%s-moved", name);
	host_look(display, moved, seed);
	draw(dmabuf, seed + 1);
	display_dirty(display, fb);
	strcat(moved, "-again");
	host_look(display, moved, seed + 1);
}

static void show(const struct display *display, const char *name, int dmabuf,
		 uint32_t seed)
{
	char again[64];
	uint32_t handle, fb;

	draw(dmabuf, seed);
	handle = display_import(display, dmabuf);
	fb = display_framebuffer(display, handle);
	display_on(display, fb);
	host_look(display, name, seed);

	draw(dmabuf, seed + 1);
	display_dirty(display, fb);
	snprintf(again, sizeof(again), "%s-again", name);
	host_look(display, again, seed + 1);
	move(display, name, dmabuf, fb, seed + 1);

	display_off(display);
	drmModeRmFB(display->fd, fb);
	drmCloseBufferHandle(display->fd, handle);
	close(dmabuf);
}

void exporter_cases(void)
{
	static const struct {
		const char *name;
		int (*make)(const char *from);
		const char *from;
	} exporters[] = {
		{ "vgem", dumb_buffer, "vgem" },
		{ "vkms", dumb_buffer, "vkms" },
		{ "itself", dumb_buffer, "virtio_gpu" },
		{ "system-heap", heap_buffer, "/dev/dma_heap/system" },
		{ "udmabuf", udmabuf_buffer, "/dev/udmabuf" },
	};

	const char *strict = getenv("STRICT");

	strict_fd = strict ? open(strict, O_RDWR | O_CLOEXEC) : -1;
	if (strict_fd < 0)
		die("the strict device");
	display_open(&first);
	display_open(&second);
	for (unsigned int i = 0; i < sizeof(exporters) / sizeof(*exporters);
	     i++)
		show(&first, exporters[i].name,
		     exporters[i].make(exporters[i].from), 10 * i + 1);
	camera_cases(&first);
	show(&first, "of-the-second", dumb_buffer_of("virtio_gpu", 1), 101);
	show(&second, "of-the-first", dumb_buffer_of("virtio_gpu", 0), 111);
	close(first.fd);
	close(second.fd);

	unplug_cases(strict_fd);
}

/*
 * The device has copies of what is in memory. Of the memory of others nobody would
 * bring them up to date, and it is refused; of its own the driver does.
 */
void bounce_cases(void)
{
	int foreign = dumb_buffer("vgem");
	uint32_t handle, fb;

	strict_fd = -1;
	display_open(&first);
	show(&first, "own", dumb_buffer("virtio_gpu"), 1);
	show(&first, "another", dumb_buffer("virtio_gpu"), 11);
	handle = display_import(&first, foreign);
	fb = display_framebuffer(&first, handle);
	if (!drmModeSetCrtc(first.fd, first.crtc, fb, 0, 0, &first.connector, 1,
			    &first.mode))
		errno = 0;
	expect("vgem", "showing a copy", errno, EIO);
	drmModeRmFB(first.fd, fb);
	drmCloseBufferHandle(first.fd, handle);
	close(foreign);
	close(first.fd);
}
