/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_IMPORT_H_
#define _VIRTGPU_IMPORT_H_

#include <linux/types.h>

struct device;
struct dma_buf;
struct dma_fence;
struct dma_resv;
struct drm_device;
struct drm_file;
struct drm_gem_object;
struct vgpu_cmd;
struct vgpu_object;

struct drm_gem_object *vgpu_prime_import(struct drm_device *drm,
					 struct dma_buf *dmabuf);
int vgpu_prime_fd_to_handle(struct drm_device *drm, struct drm_file *file,
			    int fd, u32 *handle);
bool vgpu_is_translated(struct device *dev);
int vgpu_import_map_locked(struct vgpu_object *vobj);
void vgpu_import_unmap_stale_locked(struct vgpu_object *vobj);
void vgpu_import_unmap_locked(struct vgpu_object *vobj);
int vgpu_import_reserve_locked(struct dma_resv *resv);
long vgpu_import_hold_back(struct dma_fence *end);
void vgpu_import_let_go(struct vgpu_cmd *cmd);

#endif
