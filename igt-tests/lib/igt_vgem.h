/* SPDX-License-Identifier: MIT */
/* Buffers and fences of vgem. */
#ifndef IGT_VGEM_H
#define IGT_VGEM_H

#include <stdbool.h>
#include <stdint.h>

#include "vgem_drm.h"

struct vgem_bo {
	/* in: */
	uint32_t width, height; /* pixels */
	uint32_t bpp; /* bits per pixel */
	/* out: */
	uint32_t handle;
	uint32_t pitch; /* bytes from line to line */
	uint64_t size; /* bytes, whole pages */
};

/* Dumb buffers: of vgem, and of any other driver that has them. */
void vgem_create(int fd, struct vgem_bo *bo);
int __vgem_create(int fd, struct vgem_bo *bo);
void *vgem_mmap(int fd, struct vgem_bo *bo, unsigned int prot);
void *__vgem_mmap(int fd, struct vgem_bo *bo, unsigned int prot);

/* Fences; flags is 0 for a reader's or VGEM_FENCE_WRITE. */
bool vgem_has_fences(int fd);
uint32_t vgem_fence_attach(int fd, struct vgem_bo *bo, unsigned int flags);
void vgem_fence_signal(int fd, uint32_t fence);
int __vgem_fence_signal(int fd, uint32_t fence);

#endif
