// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio GPU that goes while others use what it has made, or while it shows what
 * others have made. Buffers outlive their device: what a client has
 * mapped stays, who shows it goes on, and whoever was held up by the device is
 * not any more. Then the device comes back, and shows again.
 *
 * The driver is unbound in one case, the device removed from its bus in the other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "kit.h"

#define DRIVER "/sys/bus/virtio/drivers/virtio_gpu"

/* What the bus calls the device behind a card. */
static void virtio_name(int node, char *name, size_t size)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/drm/card%d/device", node);
	dir = opendir(path);
	if (!dir)
		die(path);
	*name = 0;
	while (!*name && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "virtio", 6))
			snprintf(name, size, "%s", entry->d_name);
	closedir(dir);
	if (!*name)
		die("the device is none of virtio");
}

static void expect_gone(const char *name, int fd)
{
	drmModeResPtr resources = drmModeGetResources(fd);

	expect(name, "the card answers", !!resources, false);
	expect(name, "its errno", errno, ENODEV);
}

static void show_once(const struct display *display, const char *name,
		      int dmabuf, uint32_t seed)
{
	uint32_t handle = display_import(display, dmabuf);
	uint32_t fb = display_framebuffer(display, handle);

	draw(dmabuf, seed);
	display_on(display, fb);
	host_look(display, name, seed);
	display_off(display);
	drmModeRmFB(display->fd, fb);
	drmCloseBufferHandle(display->fd, handle);
}

/* The device is there again, and works as ever. */
static void show_on_second(const char *name, uint32_t seed)
{
	struct display second = { .host = "second", .index = 1 };
	int dmabuf = dumb_buffer("vgem");

	display_open(&second);
	show_once(&second, name, dmabuf, seed);
	close(dmabuf);
	close(second.fd);
}

static void *map_gem(int fd, uint32_t handle)
{
	uint64_t offset;
	void *map;

	if (drmModeMapDumbBuffer(fd, handle, &offset))
		die("map dumb");
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, offset);
	if (map == MAP_FAILED)
		die("mmap of the buffer");
	return map;
}

/* Its buffer is on the screen of the first, and mapped by a client. */
static void exporter_goes(void)
{
	struct display first = { .host = "first", .index = 0 };
	uint32_t handle, pitch, imported, fb;
	volatile uint32_t *map;
	int node, card, dmabuf, other;
	char name[256];
	uint64_t size;

	card = open_drm("virtio_gpu", 1, &node);
	if (card < 0 ||
	    drmModeCreateDumbBuffer(card, PITCH / 4, HEIGHT + 1, 32, 0, &handle,
				    &pitch, &size) ||
	    drmPrimeHandleToFD(card, handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf))
		die("a buffer of the second");
	map = map_gem(card, handle);
	display_open(&first);
	draw(dmabuf, 201);
	imported = display_import(&first, dmabuf);
	fb = display_framebuffer(&first, imported);
	display_on(&first, fb);
	host_look(&first, "exporter", 201);

	virtio_name(node, name, sizeof(name));
	write_to(DRIVER "/unbind", name);
	expect_gone("exporter-gone", card);
	draw(dmabuf, 202);
	display_dirty(&first, fb);
	host_look(&first, "exporter-gone", 202);
	expect("exporter-gone", "the first pixel in the old mapping",
	       map[0] & 0xffffff, pixel(202, 0, 0) & 0xffffff);

	/* a handle of it again, of a file that was there before */
	display_off(&first);
	if (drmPrimeHandleToFD(first.fd, imported, DRM_CLOEXEC, &other))
		die("export of the import");
	close(other);
	drmModeRmFB(first.fd, fb);
	drmCloseBufferHandle(first.fd, imported);
	close(dmabuf);
	close(card);
	munmap((void *)map, SIZE);
	close(first.fd);

	write_to(DRIVER "/bind", name);
	show_on_second("exporter-back", 203);
}

/* It shows a buffer of vgem, and goes without a word to its clients. */
static void importer_goes(int strict)
{
	struct display first = { .host = "first", .index = 0 };
	struct display second = { .host = "second", .index = 1 };
	int node, dmabuf = dumb_buffer("vgem");
	uint32_t handle, fb, moved;
	char path[64];

	display_open(&second);
	close(open_drm("virtio_gpu", 1, &node));
	draw(dmabuf, 211);
	handle = display_import(&second, dmabuf);
	fb = display_framebuffer(&second, handle);
	display_on(&second, fb);
	host_look(&second, "importer", 211);
	expect("importer", "what is shown moves",
	       !drmPrimeFDToHandle(strict, dmabuf, &moved), false);

	snprintf(path, sizeof(path), "/sys/class/drm/card%d/device/remove",
		 node);
	write_to(path, "1");
	expect_gone("importer-gone", second.fd);
	/* nobody has it on a screen, so it can be where others need it */
	if (drmPrimeFDToHandle(strict, dmabuf, &moved))
		die("import by the strict device");
	display_open(&first);
	show_once(&first, "importer-gone", dmabuf, 212);
	drmCloseBufferHandle(strict, moved);
	close(first.fd);
	close(dmabuf);
	close(second.fd);

	write_to("/sys/bus/pci/rescan", "1");
	show_on_second("importer-back", 213);
}

void unplug_cases(int strict)
{
	exporter_goes();
	importer_goes(strict);
}
