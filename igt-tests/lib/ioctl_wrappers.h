/* SPDX-License-Identifier: MIT */
/* Wrappers of ioctls: __x() returns -errno, x() fails the subtest. */
#ifndef IOCTL_WRAPPERS_H
#define IOCTL_WRAPPERS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef DRM_RDWR
#define DRM_RDWR O_RDWR
#endif

/* drmIoctl(), or what a test has put in its place. */
typedef int (*igt_ioctl_fn)(int fd, unsigned long request, void *arg);
extern __thread igt_ioctl_fn igt_ioctl;

void gem_close(int fd, uint32_t handle);
uint32_t gem_flink(int fd, uint32_t handle);
uint32_t gem_open(int fd, uint32_t name);

int prime_handle_to_fd(int fd, uint32_t handle);
int prime_handle_to_fd_for_mmap(int fd, uint32_t handle);
uint32_t prime_fd_to_handle(int fd, int dma_buf_fd);
off_t prime_get_size(int dma_buf_fd);
void prime_sync_start(int dma_buf_fd, bool write);
void prime_sync_end(int dma_buf_fd, bool write);

int igt_has_drm_cap(int fd, uint64_t capability);
int __kms_addfb(int fd, uint32_t handle, uint32_t width, uint32_t height,
		uint32_t pixel_format, uint64_t modifier, uint32_t strides[4],
		uint32_t offsets[4], int num_planes, uint32_t flags,
		uint32_t *buf_id);

static inline uint64_t to_user_pointer(const void *ptr)
{
	return (uintptr_t)ptr;
}

static inline void *from_user_pointer(uint64_t value)
{
	return (void *)(uintptr_t)value;
}

#endif
