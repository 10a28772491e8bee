// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of everything that exports: the endpoints that the igt-tests know,
 * and video devices.  Four pages each, but for video, which decides itself.
 */

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem.h"
#include "parity.h"

#define WIDTH  1024 /* pixels of four bytes: a page a line */
#define HEIGHT 4

int exporters_open(struct exporter *all, int max)
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = endpoints_open(eps, MAX_ENDPOINTS);

	if (num > max)
		num = max;
	for (int i = 0; i < num; i++) {
		all[i] = (struct exporter){ .ep = eps[i] };
		strcpy(all[i].name, eps[i].name);
		/* One of each kind is enough, so the number is noise. */
		if (eps[i].type == ENDPOINT_DRM)
			all[i].name[strlen(all[i].name) - 1] = 0;
	}
	return video_open(all, num, max);
}

static int drm_new(struct exporter *by, int mode, struct buffer *b)
{
	struct vgem_bo bo = { .width = WIDTH, .height = HEIGHT, .bpp = 32 };

	if (mode == O_WRONLY)
		return -1;
	vgem_create(by->ep.fd, &bo);
	b->handle = bo.handle;
	if (!by->ep.exports)
		return 0;
	b->fd = mode == O_RDWR ?
			prime_handle_to_fd_for_mmap(by->ep.fd, bo.handle) :
			prime_handle_to_fd(by->ep.fd, bo.handle);
	return 0;
}

static int heap_new(struct exporter *by, int mode, struct buffer *b)
{
	struct dma_heap_allocation_data arg = {
		.len = WIDTH * HEIGHT * 4,
		.fd_flags = mode | O_CLOEXEC,
	};

	do_ioctl(by->ep.fd, DMA_HEAP_IOCTL_ALLOC, &arg);
	b->fd = arg.fd;
	return 0;
}

static int udmabuf_new(struct exporter *by, int mode, struct buffer *b)
{
	struct endpoint_bo bo;

	if (mode != O_RDWR)
		return -1;
	endpoint_create(&by->ep, WIDTH, HEIGHT, &bo);
	b->fd = bo.dmabuf;
	b->memfd = bo.memfd;
	return 0;
}

int buffer_new(struct exporter *by, int mode, struct buffer *b)
{
	int ret = 0;

	*b = (struct buffer){ .by = by, .fd = -1, .memfd = -1 };
	if (by->video)
		b->fd = video_export(by, mode | O_CLOEXEC);
	else if (by->ep.type == ENDPOINT_DRM)
		ret = drm_new(by, mode, b);
	else if (by->ep.type == ENDPOINT_HEAP)
		ret = heap_new(by, mode, b);
	else
		ret = udmabuf_new(by, mode, b);
	if (ret == 0 && b->fd >= 0)
		b->size = prime_get_size(b->fd);
	return ret;
}

void buffer_forget(struct buffer *b)
{
	if (b->handle)
		gem_close(b->by->ep.fd, b->handle);
	if (b->memfd >= 0)
		close(b->memfd);
	b->handle = 0;
	b->memfd = -1;
}

void buffer_free(struct buffer *b)
{
	buffer_forget(b);
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

/* A descriptor of a node, whose number among the nodes is offset by more. */
static int open_node(const struct exporter *drm, const char *name, int more)
{
	char path[64];
	struct stat st;

	if (fstat(drm->ep.fd, &st))
		return -1;
	snprintf(path, sizeof(path), "/dev/dri/%s%u", name,
		 minor(st.st_rdev) + more);
	return open(path, O_RDWR | O_CLOEXEC);
}

int drm_again(const struct exporter *drm)
{
	return open_node(drm, "card", 0);
}

int drm_render(const struct exporter *drm)
{
	char *path = drmGetRenderDeviceNameFromFd(drm->ep.fd);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	free(path);
	return fd;
}
