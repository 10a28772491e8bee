/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_VBLANK_H_
#define _VIRTGPU_VBLANK_H_

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct drm_atomic_state;
struct drm_crtc;

/**
 * struct vgpu_vblank - the refresh of a window, which has none
 */
struct vgpu_vblank {
	/**
	 * @lock: guards @timer and @running, so that a timer which is started anew
	 * while it expires is not moved on as well. Taken inside DRM's locks of
	 * vertical blanks, and nothing inside it but the timer's own.
	 */
	spinlock_t lock;

	/** @timer: expires at each vertical blank */
	struct hrtimer timer;

	/** @period: from one to the next; does not change while @running */
	ktime_t period;

	/** @running: somebody counts, or waits for one */
	bool running;
};

int vgpu_vblank_init(struct drm_crtc *crtc);
void vgpu_vblank_stop(struct drm_crtc *crtc);
int vgpu_vblank_enable(struct drm_crtc *crtc);
void vgpu_vblank_disable(struct drm_crtc *crtc);
bool vgpu_vblank_timestamp(struct drm_crtc *crtc, int *max_error, ktime_t *time,
			   bool in_irq);
void vgpu_vblank_flush(struct drm_crtc *crtc, struct drm_atomic_state *state);

#endif
