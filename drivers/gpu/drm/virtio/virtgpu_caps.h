/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_CAPS_H_
#define _VIRTGPU_CAPS_H_

struct drm_device;
struct drm_file;
struct vgpu_device;

int vgpu_get_caps_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);
void vgpu_caps_forget(struct vgpu_device *vgpu);

#endif
