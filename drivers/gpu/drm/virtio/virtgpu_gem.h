/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_GEM_H_
#define _VIRTGPU_GEM_H_

#include <linux/types.h>

struct drm_device;
struct drm_file;
struct drm_gem_object;
struct drm_gem_object_funcs;
struct drm_mode_create_dumb;
struct list_head;
struct vgpu_object;

extern const struct drm_gem_object_funcs vgpu_gem_funcs;

struct drm_gem_object *vgpu_gem_create_object(struct drm_device *drm,
					      size_t size);
int vgpu_gem_open(struct drm_gem_object *obj, struct drm_file *file);
void vgpu_gem_close(struct drm_gem_object *obj, struct drm_file *file);
int vgpu_gem_context_cmds(struct vgpu_object *vobj, struct list_head *cmds);
int vgpu_handle_create(struct drm_file *file, struct drm_gem_object *obj,
		       u32 *handle);
int vgpu_gem_publish(struct vgpu_object *vobj, struct drm_file *file,
		     u32 *handle, u32 *res);
int vgpu_dumb_create(struct drm_file *file, struct drm_device *drm,
		     struct drm_mode_create_dumb *args);
int vgpu_map_offset(struct drm_file *file, struct drm_device *drm, u32 handle,
		    u64 *offset);
void vgpu_object_init(struct vgpu_object *vobj);

#endif
