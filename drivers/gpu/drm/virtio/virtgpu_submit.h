/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_SUBMIT_H_
#define _VIRTGPU_SUBMIT_H_

struct drm_device;
struct drm_file;
struct drm_gem_object;
struct vgpu_cmd;
struct vgpu_file;

int vgpu_execbuffer_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);
int vgpu_submit_one(struct vgpu_cmd *cmd, struct drm_gem_object *obj,
		    bool write);

#endif
