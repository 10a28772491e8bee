// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio GPU with two outputs, whose windows people open, resize and close. The
 * host tells of that by an interrupt, and the driver by a uevent. What is on one
 * output is no business of the other.
 *
 * The cursor is the host's: it is in no screendump, so the host looks at what it
 * would give a remote screen, the picture and its hotspot. Where it is moved to, a
 * remote screen does not learn; QEMU's trace of its commands says it.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "kit.h"

#define CURSOR 64

static int listen_for_events(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&kernel, sizeof(kernel)))
		die("uevents");
	return fd;
}

/* The kernel's message is a row of strings. */
static bool has_line(const char *text, ssize_t size, const char *line)
{
	for (const char *end = text + size; text < end;
	     text += strlen(text) + 1)
		if (!strcmp(text, line))
			return true;
	return false;
}

static void wait_for_hotplug(int events)
{
	char text[4096];
	ssize_t size;

	do {
		size = recv(events, text, sizeof(text) - 1, 0);
		if (size < 0)
			die("recv of a uevent");
		text[size] = 0;
	} while (!has_line(text, size, "SUBSYSTEM=drm") ||
		 !has_line(text, size, "HOTPLUG=1"));
}

/* A window of 0x0 is closed. */
static void window(const struct display *display, int head, const char *name,
		   int width, int height)
{
	int events = listen_for_events();
	drmModeConnectorPtr connector;
	bool connected;

	if (!host_ask("window %s %d %d %d", display->host, head, width, height))
		die("the host has no such window");
	wait_for_hotplug(events);
	close(events);

	connector = drmModeGetConnector(display->fd, display->connector);
	if (!connector)
		die("connector");
	connected = connector->connection == DRM_MODE_CONNECTED;
	expect(name, "connected", connected, width > 0);
	if (connected) {
		/* the preferred mode comes first */
		expect(name, "width", connector->modes[0].hdisplay, width);
		expect(name, "height", connector->modes[0].vdisplay, height);
	}
	drmModeFreeConnector(connector);
	host_judge(name, true);
}

static void show(const struct display *display, const char *name,
		 const struct picture *picture, uint32_t seed)
{
	display_on(display, picture->fb);
	host_look(display, name, seed);
}

/* A cursor of @driver's memory; the host knows how it is drawn. */
static void cursor(const struct display *display, const char *name,
		   const char *driver, uint32_t seed, int x, int y)
{
	uint32_t handle, pitch, imported;
	char moves[32];
	uint32_t *map;
	uint64_t size;
	int fd, dmabuf;

	fd = open_drm(driver, 0, NULL);
	if (fd < 0 ||
	    drmModeCreateDumbBuffer(fd, CURSOR, CURSOR, 32, 0, &handle, &pitch,
				    &size) ||
	    drmPrimeHandleToFD(fd, handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf))
		die("a buffer for a cursor");
	map = mmap(NULL, size, PROT_WRITE, MAP_SHARED, dmabuf, 0);
	if (map == MAP_FAILED)
		die("mmap of the cursor");
	for (uint32_t i = 0; i < CURSOR * CURSOR; i++)
		map[i] = pixel(seed, i % CURSOR, i / CURSOR) | 0xff000000;
	munmap(map, size);

	imported = display_import(display, dmabuf);
	if (drmModeSetCursor2(display->fd, display->crtc, imported, CURSOR,
			      CURSOR, x, y))
		die("cursor");
	host_judge(name, host_ask("cursor %s %d %s %d %d %d %u", display->host,
				  display->head, name, CURSOR, x, y, seed));
	if (drmModeMoveCursor(display->fd, display->crtc, seed, 2 * seed))
		die("moving the cursor");
	snprintf(moves, sizeof(moves), "%s-moves", name);
	host_judge(moves, host_ask("moved %s %d %u %u", moves, display->head,
				   seed, 2 * seed));
	drmModeSetCursor(display->fd, display->crtc, 0, 0, 0);
	drmCloseBufferHandle(display->fd, imported);
	close(dmabuf);
	close(fd);
}

void head_cases(void)
{
	struct display left = { .host = "first" };
	struct display right;
	struct picture of_vgem, own;

	display_open(&left);
	/* of one card, and only one file of a card is its master */
	right = left;
	right.head = 1;
	display_find(&right);
	window(&right, 1, "second-window-opens", 800, 600);
	display_mode(&right);
	of_vgem = display_picture(&left, dumb_buffer("vgem"), 401);
	own = display_picture(&left, dumb_buffer("virtio_gpu"), 411);

	show(&left, "left", &of_vgem, 401);
	show(&right, "right", &own, 411);
	host_look(&left, "left-still", 401);
	show(&right, "both-the-same", &of_vgem, 401);
	show(&left, "crossed-left", &own, 411);
	host_look(&right, "crossed-right", 401);

	window(&left, 0, "first-window-resized", 1152, 864);
	window(&right, 1, "second-window-resized", 1024, 600);
	cursor(&left, "cursor-left", "vgem", 421, 5, 9);
	cursor(&right, "cursor-right", "virtio_gpu", 431, 31, 2);

	window(&right, 1, "second-window-closes", 0, 0);
	display_off(&right);
	host_look(&left, "left-alone", 411);
	window(&right, 1, "second-window-opens-again", 640, 480);
	show(&right, "right-again", &of_vgem, 401);

	display_off(&left);
	display_off(&right);
	display_forget(&left, &of_vgem);
	display_forget(&left, &own);
	close(left.fd);
}
