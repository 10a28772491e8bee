// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that are drawn in, displays that show them, and the host, who sees. A
 * picture is a function of its seed, which tools/scanout/run knows as well.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "kit.h"

void die(const char *what)
{
	fprintf(stderr, "scanout: %s: %s\n", what, strerror(errno));
	exit(1);
}

void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

void expect(const char *name, const char *what, int got, int wanted)
{
	if (got == wanted)
		return;
	printf("not ok - %s: %s is %d, not %d\n", name, what, got, wanted);
	exit(1);
}

/* The host computes the same. */
uint32_t pixel(uint32_t seed, uint32_t x, uint32_t y)
{
	return ((x * 7 + y * 13 + seed * 29) ^ (x * y + seed)) * 2654435761u >>
	       8;
}

void draw(int dmabuf, uint32_t seed)
{
	struct dma_buf_sync sync = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE };
	uint8_t *map;

	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	if (map == MAP_FAILED)
		die("mmap of the dma-buf");
	if (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync))
		die("sync start");
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			((uint32_t *)(map + y * PITCH))[x] = pixel(seed, x, y);
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE;
	if (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync))
		die("sync end");
	munmap(map, SIZE);
}

/*
 * Card number @index of a driver, from 0, or -1. Its node is what is left of it
 * when nobody has it open: card@node.
 */
int open_drm(const char *driver, int index, int *node)
{
	for (int i = 0; i < 64; i++) {
		char path[32];
		drmVersionPtr version;
		int fd, same;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		same = version && !strcmp(version->name, driver);
		drmFreeVersion(version);
		if (same && !index--) {
			if (node)
				*node = i;
			return fd;
		}
		close(fd);
	}
	return -1;
}

int dumb_buffer_of(const char *driver, int index)
{
	uint32_t handle, pitch;
	uint64_t size;
	int fd, dmabuf;

	fd = open_drm(driver, index, NULL);
	if (fd < 0)
		die(driver);
	/* in the shape of a row, for drivers round pitches each in its way */
	if (drmModeCreateDumbBuffer(fd, PITCH / 4, HEIGHT + 1, 32, 0, &handle,
				    &pitch, &size))
		die("create dumb");
	if (drmPrimeHandleToFD(fd, handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf))
		die("export");
	close(fd);
	return dmabuf;
}

int dumb_buffer(const char *driver)
{
	return dumb_buffer_of(driver, 0);
}

int heap_buffer(const char *path)
{
	struct dma_heap_allocation_data data = {
		.len = SIZE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data))
		die(path);
	close(fd);
	return data.fd;
}

int udmabuf_buffer(const char *path)
{
	struct udmabuf_create create = { .size = SIZE };
	int fd = open(path, O_RDWR | O_CLOEXEC), memfd, dmabuf;

	memfd = memfd_create("scanout", MFD_ALLOW_SEALING);
	if (memfd < 0 || ftruncate(memfd, SIZE) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		die("memfd");
	create.memfd = memfd;
	dmabuf = ioctl(fd, UDMABUF_CREATE, &create);
	if (dmabuf < 0)
		die(path);
	close(memfd);
	close(fd);
	return dmabuf;
}

/* The output of a card that is open; its window may be closed. */
void display_find(struct display *display)
{
	drmModeResPtr resources;

	resources = drmModeGetResources(display->fd);
	if (!resources || resources->count_crtcs <= display->head)
		die("resources");
	display->crtc = resources->crtcs[display->head];
	display->connector = resources->connectors[display->head];
	drmModeFreeResources(resources);
}

/* What the pictures have the size of. */
void display_mode(struct display *display)
{
	drmModeConnectorPtr connector;

	connector = drmModeGetConnector(display->fd, display->connector);
	if (!connector)
		die("connector");
	for (int i = 0; i < connector->count_modes; i++) {
		display->mode = connector->modes[i];
		if (display->mode.hdisplay == WIDTH &&
		    display->mode.vdisplay == HEIGHT) {
			drmModeFreeConnector(connector);
			return;
		}
	}
	errno = ENOENT;
	die("no mode of the size");
}

void display_open(struct display *display)
{
	display->fd = open_drm("virtio_gpu", display->index, NULL);
	if (display->fd < 0)
		die("virtio_gpu");
	display_find(display);
	display_mode(display);
}

uint32_t display_import(const struct display *display, int dmabuf)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(display->fd, dmabuf, &handle))
		die("import");
	return handle;
}

uint32_t display_framebuffer(const struct display *display, uint32_t handle)
{
	uint32_t handles[4] = { handle }, pitches[4] = { PITCH };
	uint32_t offsets[4] = {}, fb;

	if (drmModeAddFB2(display->fd, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888,
			  handles, pitches, offsets, &fb, 0))
		die("addfb");
	return fb;
}

void display_on(const struct display *display, uint32_t fb)
{
	uint32_t connector = display->connector;
	drmModeModeInfo mode = display->mode;

	if (drmModeSetCrtc(display->fd, display->crtc, fb, 0, 0, &connector, 1,
			   &mode))
		die("setcrtc");
}

void display_off(const struct display *display)
{
	if (drmModeSetCrtc(display->fd, display->crtc, 0, 0, 0, NULL, 0, NULL))
		die("off");
}

/* What changes on the screen is copied once more. */
void display_dirty(const struct display *display, uint32_t fb)
{
	drmModeClip clip = { 0, 0, WIDTH, HEIGHT };

	if (drmModeDirtyFB(display->fd, fb, &clip, 1))
		die("dirty");
}

/* The buffer is imported, and drawn in, but not shown. */
struct picture display_picture(const struct display *display, int dmabuf,
			       uint32_t seed)
{
	struct picture picture = { .dmabuf = dmabuf };

	draw(dmabuf, seed);
	picture.handle = display_import(display, dmabuf);
	picture.fb = display_framebuffer(display, picture.handle);
	return picture;
}

void display_forget(const struct display *display, struct picture *picture)
{
	drmModeRmFB(display->fd, picture->fb);
	drmCloseBufferHandle(display->fd, picture->handle);
	close(picture->dmabuf);
}
