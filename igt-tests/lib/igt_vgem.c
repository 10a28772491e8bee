// SPDX-License-Identifier: MIT
/* Buffers (of any driver with dumb ones, in truth) and fences of vgem. */

#include <errno.h>
#include <xf86drm.h>

#include "drmtest.h"
#include "igt_vgem.h"
#include "ioctl_wrappers.h"

int __vgem_create(int fd, struct vgem_bo *bo)
{
	struct drm_mode_create_dumb dumb = {
		.width = bo->width,
		.height = bo->height,
		.bpp = bo->bpp,
	};
	int err = igt_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb) ? -errno : 0;

	errno = 0;
	if (!err) {
		bo->handle = dumb.handle;
		bo->size = dumb.size;
		bo->pitch = dumb.pitch;
	}
	return err;
}

void vgem_create(int fd, struct vgem_bo *bo)
{
	int err = __vgem_create(fd, bo);

	igt_assert_f(err == 0, "no dumb buffer of %ux%u, %u bpp: %s\n",
		     bo->width, bo->height, bo->bpp, strerror(-err));
}

void *__vgem_mmap(int fd, struct vgem_bo *bo, unsigned int prot)
{
	struct drm_mode_map_dumb arg = { .handle = bo->handle };
	void *map;

	if (drmIoctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &arg))
		return NULL;
	map = mmap(NULL, bo->size, prot, MAP_SHARED, fd, arg.offset);
	return map == MAP_FAILED ? NULL : map;
}

void *vgem_mmap(int fd, struct vgem_bo *bo, unsigned int prot)
{
	void *map = __vgem_mmap(fd, bo, prot);

	igt_assert_f(map, "handle %u of fd %d cannot be mapped with prot %#x\n",
		     bo->handle, fd, prot);
	return map;
}

int __vgem_fence_signal(int fd, uint32_t fence)
{
	struct drm_vgem_fence_signal arg = { .fence = fence };
	int err = 0;

	if (igt_ioctl(fd, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg))
		err = -errno;
	errno = 0;
	return err;
}

void vgem_fence_signal(int fd, uint32_t fence)
{
	igt_assert_eq(__vgem_fence_signal(fd, fence), 0);
}

/* No fence has the number 0, so who knows the ioctl answers so. */
bool vgem_has_fences(int fd)
{
	return __vgem_fence_signal(fd, 0) == -ENOENT;
}

uint32_t vgem_fence_attach(int fd, struct vgem_bo *bo, unsigned int flags)
{
	struct drm_vgem_fence_attach arg = {
		.handle = bo->handle,
		.flags = flags,
	};

	do_ioctl(fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);
	return arg.out_fence;
}
