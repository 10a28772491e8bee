// SPDX-License-Identifier: MIT
/*
 * Buffers of vgem, which another device exports, and what a producer does with
 * them: draw with the CPU as the kernel wants it, and fences.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xf86drm.h>

#include "test.h"
#include "vgem_drm.h"

/* Of each kind, and the number of the first render node. */
#define NODES	     16
#define FIRST_RENDER 128

/* -1 if it is not there, or another driver's. */
int node_open(const char *path, const char *driver)
{
	int node = open(path, O_RDWR | O_CLOEXEC);
	drmVersion *version;
	bool found;

	if (node < 0)
		return -1;
	version = drmGetVersion(node);
	found = version && !strcmp(version->name, driver);
	drmFreeVersion(version);
	if (found)
		return node;
	close(node);
	return -1;
}

/* The first card of a driver, or the first of its render nodes. */
int card_open(const char *driver, bool render)
{
	char path[32];

	for (int i = 0; i < NODES; i++) {
		int node;

		if (render)
			snprintf(path, sizeof(path), "/dev/dri/renderD%d",
				 FIRST_RENDER + i);
		else
			snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		node = node_open(path, driver);
		if (node >= 0)
			return node;
	}
	die("no %s of %s", render ? "render node" : "card", driver);
}

ino_t inode_of(int fd)
{
	struct stat st;

	check(!fstat(fd, &st), "fstat: %s", strerror(errno));
	return st.st_ino;
}

void buffer_create(struct buffer *buffer, uint32_t width, uint32_t height,
		   bool read_only)
{
	struct drm_mode_create_dumb create = {
		.width = width,
		.height = height,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = {};

	buffer->card = card_open("vgem", false);
	check(!drmIoctl(buffer->card, DRM_IOCTL_MODE_CREATE_DUMB, &create),
	      "CREATE_DUMB: %s", strerror(errno));
	buffer->width = width;
	buffer->height = height;
	buffer->handle = create.handle;
	buffer->stride = create.pitch;
	buffer->size = create.size;
	check(!drmPrimeHandleToFD(buffer->card, create.handle,
				  DRM_CLOEXEC | (read_only ? 0 : DRM_RDWR),
				  &buffer->dmabuf),
	      "export: %s", strerror(errno));
	buffer->inode = inode_of(buffer->dmabuf);

	/* by the card, so that it can be written in any case */
	map.handle = create.handle;
	check(!drmIoctl(buffer->card, DRM_IOCTL_MODE_MAP_DUMB, &map),
	      "MAP_DUMB: %s", strerror(errno));
	buffer->map = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE,
			   MAP_SHARED, buffer->card, map.offset);
	check(buffer->map != MAP_FAILED, "mmap: %s", strerror(errno));
}

struct view view_of(const struct buffer *buffer)
{
	return (struct view){
		.stride = buffer->stride,
		.width = buffer->width,
		.height = buffer->height,
	};
}

/* Not drmIoctl(): this is not what the renderer asks. */
void sync_cpu(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };
	long ret;

	do {
		ret = syscall(SYS_ioctl, dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	check(!ret, "DMA_BUF_IOCTL_SYNC: %s", strerror(errno));
}

/* Opaque, and another for each pixel near it, in each channel. */
uint32_t pixel_of(int seed, uint32_t x, uint32_t y)
{
	uint32_t red = (x * 3 + seed * 17) & 0xff;
	uint32_t green = (y * 5 + seed * 29) & 0xff;
	uint32_t blue = ((x ^ y) + seed * 43) & 0xff;

	return 0xff000000 | red << 16 | green << 8 | blue;
}

static uint32_t *pixel_at(struct buffer *buffer, const struct view *view,
			  uint32_t x, uint32_t y)
{
	return (uint32_t *)(buffer->map + view->offset + y * view->stride) + x;
}

void buffer_fill(struct buffer *buffer, const struct view *view, int seed)
{
	sync_cpu(buffer->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	for (uint32_t y = 0; y < view->height; y++)
		for (uint32_t x = 0; x < view->width; x++)
			*pixel_at(buffer, view, x, y) = pixel_of(seed, x, y);
	sync_cpu(buffer->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

void buffer_read(struct buffer *buffer, const struct view *view,
		 uint32_t *pixels)
{
	sync_cpu(buffer->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	for (uint32_t y = 0; y < view->height; y++)
		memcpy(pixels + y * view->width, pixel_at(buffer, view, 0, y),
		       view->width * sizeof(*pixels));
	sync_cpu(buffer->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

/* How many pixels are others. */
int buffer_wrong(struct buffer *buffer, const struct view *view, int seed)
{
	int wrong = 0;

	sync_cpu(buffer->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	for (uint32_t y = 0; y < view->height; y++)
		for (uint32_t x = 0; x < view->width; x++)
			wrong += *pixel_at(buffer, view, x, y) !=
				 pixel_of(seed, x, y);
	sync_cpu(buffer->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return wrong;
}

/* A fence on the buffer: as if a GPU read it, or drew to it. */
uint32_t buffer_fence(struct buffer *buffer, bool write)
{
	struct drm_vgem_fence_attach attach = {
		.handle = buffer->handle,
		.flags = write ? VGEM_FENCE_WRITE : 0,
	};

	check(!drmIoctl(buffer->card, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach),
	      "FENCE_ATTACH: %s", strerror(errno));
	return attach.out_fence;
}

void buffer_signal(struct buffer *buffer, uint32_t fence)
{
	struct drm_vgem_fence_signal signal = { .fence = fence };

	check(!drmIoctl(buffer->card, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal),
	      "FENCE_SIGNAL: %s", strerror(errno));
}
