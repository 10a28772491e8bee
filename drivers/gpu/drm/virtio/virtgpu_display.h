/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_DISPLAY_H_
#define _VIRTGPU_DISPLAY_H_

#include <linux/types.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_encoder.h>

#include "virtgpu_resp.h"
#include "virtgpu_vblank.h"

struct drm_atomic_state;
struct drm_edid;
struct drm_framebuffer;
struct scatterlist;
struct vgpu_cmd;
struct vgpu_device;
struct vgpu_fence;

/**
 * struct vgpu_panic - where the message of a panic is drawn; DRM's lock of panics
 * @fb: the framebuffer
 * @sg: the piece of its memory that was drawn in last, or NULL
 * @start: where in the memory that begins, in bytes
 */
struct vgpu_panic {
	struct drm_framebuffer *fb;
	struct scatterlist *sg;
	size_t start;
};

/**
 * struct vgpu_output - a scanout of the host, which is a window there
 */
struct vgpu_output {
	/** @index: what the host calls it */
	u32 index;

	/** @crtc: what scans out */
	struct drm_crtc crtc;

	/** @encoder: there has to be one */
	struct drm_encoder encoder;

	/** @connector: the window */
	struct drm_connector connector;

	/** @display: its size, and if it is open; &vgpu_device.output_lock */
	struct vgpu_display display;

	/** @edid: what a monitor would say, or NULL; &vgpu_device.output_lock */
	const struct drm_edid *edid;

	/** @panic: where a message is drawn */
	struct vgpu_panic panic;

	/** @panic_transfer: copies the message of a panic; never changes */
	struct vgpu_cmd *panic_transfer;

	/** @panic_flush: shows it; likewise */
	struct vgpu_cmd *panic_flush;

	/** @vblank: when a frame is over */
	struct vgpu_vblank vblank;

	/**
	 * @owed: the host was not told which framebuffer it is, or of all that
	 * has changed. Commits of one CRTC come one after the other, and are the
	 * only ones to change it.
	 */
	bool owed;

	/** @cursor_owed: nor of the cursor's picture; likewise */
	bool cursor_owed;

	/** @cursor_copy: of the copy of that, if it was not waited for; likewise */
	struct vgpu_fence *cursor_copy;
};

/**
 * struct vgpu_crtc_state - a CRTC, and what it takes to switch it off
 */
struct vgpu_crtc_state {
	/** @base: the state that DRM knows */
	struct drm_crtc_state base;

	/** @off: has the host show nothing; NULL but for a commit that does so */
	struct vgpu_cmd *off;
};

static inline struct vgpu_crtc_state *
to_vgpu_crtc_state(struct drm_crtc_state *state)
{
	return container_of(state, struct vgpu_crtc_state, base);
}

static inline struct vgpu_output *crtc_to_output(struct drm_crtc *crtc)
{
	return container_of(crtc, struct vgpu_output, crtc);
}

int vgpu_display_prepare(struct drm_atomic_state *atomic);
int vgpu_display_init(struct vgpu_device *vgpu);

#endif
