/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_FRAME_H_
#define _VIRTGPU_FRAME_H_

#include <linux/container_of.h>
#include <linux/types.h>

#include <drm/drm_plane.h>

struct drm_exec;
struct vgpu_cmd;
struct vgpu_fence;

/**
 * struct vgpu_plane_state - a plane, and what it takes to show it
 */
struct vgpu_plane_state {
	/** @base: the state that DRM knows */
	struct drm_plane_state base;

	/** @pinned: the memory of the framebuffer stays where it is */
	bool pinned;

	/** @fence: of the frame, or NULL if the host has the pixels anyway */
	struct vgpu_fence *fence;

	/** @published: others can wait for @fence */
	bool published;

	/** @transfer: copies the pixels; NULL if there is nothing to copy */
	struct vgpu_cmd *transfer;

	/** @scanout: shows the resource, or moves the cursor, or ends either */
	struct vgpu_cmd *scanout;

	/** @flush: says what has changed; NULL for the cursor */
	struct vgpu_cmd *flush;
};

static inline struct vgpu_plane_state *
to_vgpu_plane_state(struct drm_plane_state *state)
{
	return container_of(state, struct vgpu_plane_state, base);
}

int vgpu_frame_prepare(struct drm_plane *plane, struct drm_plane_state *base);
int vgpu_frame_reserve(struct drm_plane_state *base, struct drm_exec *exec,
		       unsigned int count);
void vgpu_frame_publish_locked(struct drm_plane_state *base);
void vgpu_frame_sent(struct drm_plane_state *base);
void vgpu_frame_abandon(struct drm_plane_state *base);
void vgpu_frame_wait(struct drm_plane_state *base, unsigned long deadline);
void vgpu_frame_cleanup(struct drm_plane *plane, struct drm_plane_state *base);

#endif
