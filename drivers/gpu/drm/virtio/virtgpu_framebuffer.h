/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_FRAMEBUFFER_H_
#define _VIRTGPU_FRAMEBUFFER_H_

#include <linux/container_of.h>
#include <linux/types.h>

#include <drm/drm_framebuffer.h>

#include "virtgpu_object.h"

struct drm_device;
struct drm_file;
struct drm_mode_fb_cmd2;

/**
 * struct vgpu_framebuffer - a buffer and how its pixels lie
 */
struct vgpu_framebuffer {
	/** @base: the framebuffer */
	struct drm_framebuffer base;

	/** @has_view: the buffer's own resource does not have this shape */
	bool has_view;

	/** @view: one that has */
	struct vgpu_res view;
};

static inline struct vgpu_framebuffer *
to_vgpu_framebuffer(struct drm_framebuffer *fb)
{
	return container_of(fb, struct vgpu_framebuffer, base);
}

struct vgpu_res *vgpu_framebuffer_res(struct drm_framebuffer *fb);
struct drm_framebuffer *
vgpu_framebuffer_create(struct drm_device *drm, struct drm_file *file,
			const struct drm_mode_fb_cmd2 *cmd);

#endif
