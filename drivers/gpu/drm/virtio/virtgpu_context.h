/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_CONTEXT_H_
#define _VIRTGPU_CONTEXT_H_

struct drm_device;
struct drm_file;
struct vgpu_device;
struct vgpu_file;

int vgpu_file_open(struct drm_device *drm, struct drm_file *file);
void vgpu_file_close(struct drm_device *drm, struct drm_file *file);
int vgpu_file_create_context(struct vgpu_device *vgpu, struct vgpu_file *vfile);
int vgpu_file_need_context(struct vgpu_device *vgpu, struct drm_file *file);
int vgpu_context_init_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);

#endif
