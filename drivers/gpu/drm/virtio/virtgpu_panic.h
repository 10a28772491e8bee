/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_PANIC_H_
#define _VIRTGPU_PANIC_H_

struct drm_plane;
struct drm_scanout_buffer;

int vgpu_panic_get_scanout(struct drm_plane *plane,
			   struct drm_scanout_buffer *sb);
void vgpu_panic_flush(struct drm_plane *plane);

#endif
