/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_EXPORT_H_
#define _VIRTGPU_EXPORT_H_

#include <linux/types.h>

struct dma_buf;
struct drm_device;
struct drm_file;
struct drm_gem_object;

struct dma_buf *vgpu_prime_export(struct drm_gem_object *obj, int flags);
int vgpu_prime_handle_to_fd(struct drm_device *drm, struct drm_file *file,
			    u32 handle, u32 flags, int *fd);
struct drm_gem_object *vgpu_prime_own(struct drm_device *drm,
				      struct dma_buf *dmabuf);

#endif
