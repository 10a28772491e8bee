// SPDX-License-Identifier: MIT
/* Wrappers of ioctls that any GEM driver has. */

#include <errno.h>
#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "drmtest.h"
#include "ioctl_wrappers.h"

__thread igt_ioctl_fn igt_ioctl = drmIoctl;

void gem_close(int fd, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	do_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &arg);
}

uint32_t gem_flink(int fd, uint32_t handle)
{
	struct drm_gem_flink arg = { .handle = handle };

	do_ioctl(fd, DRM_IOCTL_GEM_FLINK, &arg);
	return arg.name;
}

uint32_t gem_open(int fd, uint32_t name)
{
	struct drm_gem_open arg = { .name = name };

	do_ioctl(fd, DRM_IOCTL_GEM_OPEN, &arg);
	igt_assert_neq_u32(arg.handle, 0);
	return arg.handle;
}

static int export_with(int fd, uint32_t handle, uint32_t flags)
{
	struct drm_prime_handle arg = {
		.handle = handle,
		.flags = flags,
		.fd = -1,
	};

	do_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);
	igt_assert_fd(arg.fd);
	return arg.fd;
}

int prime_handle_to_fd(int fd, uint32_t handle)
{
	return export_with(fd, handle, DRM_CLOEXEC);
}

int prime_handle_to_fd_for_mmap(int fd, uint32_t handle)
{
	return export_with(fd, handle, DRM_CLOEXEC | DRM_RDWR);
}

uint32_t prime_fd_to_handle(int fd, int dma_buf_fd)
{
	struct drm_prime_handle arg = { .fd = dma_buf_fd };

	do_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);
	igt_assert_neq_u32(arg.handle, 0);
	return arg.handle;
}

off_t prime_get_size(int dma_buf_fd)
{
	off_t size = lseek(dma_buf_fd, 0, SEEK_END);

	igt_assert(size > 0);
	return size;
}

static void prime_sync(int dma_buf_fd, uint64_t flags, bool write)
{
	struct dma_buf_sync arg = {
		.flags = flags | (write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ),
	};

	do_ioctl(dma_buf_fd, DMA_BUF_IOCTL_SYNC, &arg);
}

void prime_sync_start(int dma_buf_fd, bool write)
{
	prime_sync(dma_buf_fd, DMA_BUF_SYNC_START, write);
}

void prime_sync_end(int dma_buf_fd, bool write)
{
	prime_sync(dma_buf_fd, DMA_BUF_SYNC_END, write);
}

int igt_has_drm_cap(int fd, uint64_t capability)
{
	uint64_t value = 0;

	if (drmGetCap(fd, capability, &value))
		return -errno;
	return value != 0;
}

int __kms_addfb(int fd, uint32_t handle, uint32_t width, uint32_t height,
		uint32_t pixel_format, uint64_t modifier, uint32_t strides[4],
		uint32_t offsets[4], int num_planes, uint32_t flags,
		uint32_t *buf_id)
{
	struct drm_mode_fb_cmd2 arg = {
		.width = width,
		.height = height,
		.pixel_format = pixel_format,
		.flags = flags,
	};
	int err = 0;

	for (int i = 0; i < num_planes; i++) {
		arg.handles[i] = handle;
		arg.pitches[i] = strides[i];
		arg.offsets[i] = offsets[i];
		arg.modifier[i] = flags & DRM_MODE_FB_MODIFIERS ? modifier : 0;
	}
	if (drmIoctl(fd, DRM_IOCTL_MODE_ADDFB2, &arg))
		err = -errno;
	errno = 0;
	*buf_id = arg.fb_id;
	return err;
}
