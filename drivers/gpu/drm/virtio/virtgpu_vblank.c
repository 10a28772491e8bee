// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu vertical blanks
 *
 * A monitor takes a frame at a time, at a rate that its mode says, and tells when
 * it is done with one. A window of the host takes what comes and tells nothing, so
 * a client that draws whenever the last flip is done draws as fast as it can,
 * most of it for nobody. Here a timer plays the monitor: flips are done when it
 * expires, and clients that count frames, or wait for one, find what they know.
 *
 * The timer runs while DRM wants it to, which is while somebody waits and a few
 * seconds more. Blanks are where they would have been if it had gone on: its time
 * is that of the last one it had, and DRM adds those that nobody saw.
 *
 * Lifetime: the timer is the output's. It is stopped when the CRTC is switched off,
 * and at the latest with the DRM device.
 *
 * Locking: DRM starts and stops the timer under locks that the timer itself takes
 * when it expires, so nobody waits for it there; see &vgpu_vblank.lock.
 */

#include <linux/cleanup.h>
#include <linux/hrtimer.h>
#include <linux/minmax.h>

#include <drm/drm_atomic.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_managed.h>
#include <drm/drm_vblank.h>

#include "virtgpu_display.h"
#include "virtgpu_vblank.h"

/* For a mode that does not say. */
#define DEFAULT_PERIOD (NSEC_PER_SEC / 60)

/* A mode says what a client wants it to, and no timer is to be all that runs. */
#define SHORTEST_PERIOD (NSEC_PER_SEC / 1000)

static enum hrtimer_restart vblank_expires(struct hrtimer *timer)
{
	struct vgpu_output *output =
		container_of(timer, struct vgpu_output, vblank.timer);
	struct vgpu_vblank *vblank = &output->vblank;
	bool goes_on;

	scoped_guard(spinlock_irqsave, &vblank->lock) {
		/* unless it was stopped, or started anew, while it got here */
		goes_on = vblank->running && !hrtimer_is_queued(timer);
		if (goes_on)
			hrtimer_forward_now(timer, vblank->period);
	}
	if (!goes_on)
		return HRTIMER_NORESTART;

	drm_crtc_handle_vblank(&output->crtc);
	return HRTIMER_RESTART;
}

static void vblank_fini(struct drm_device *drm, void *crtc)
{
	vgpu_vblank_stop(crtc);
}

/**
 * vgpu_vblank_init - have no vertical blanks yet
 * @crtc: of an output
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 */
int vgpu_vblank_init(struct drm_crtc *crtc)
{
	struct vgpu_vblank *vblank = &crtc_to_output(crtc)->vblank;

	spin_lock_init(&vblank->lock);
	hrtimer_init(&vblank->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	vblank->timer.function = vblank_expires;

	return drmm_add_action_or_reset(crtc->dev, vblank_fini, crtc);
}

/**
 * vgpu_vblank_stop - see to it that the timer is at rest
 * @crtc: whose vertical blanks DRM has switched off
 *
 * Context: Process context, none of DRM's locks of vertical blanks. Waits for the
 * timer if it has just expired.
 */
void vgpu_vblank_stop(struct drm_crtc *crtc)
{
	hrtimer_cancel(&crtc_to_output(crtc)->vblank.timer);
}

/**
 * vgpu_vblank_enable - &drm_crtc_funcs.enable_vblank
 * @crtc: a CRTC that is on
 *
 * Context: DRM's locks of vertical blanks, interrupts off.
 * Return: 0.
 */
int vgpu_vblank_enable(struct drm_crtc *crtc)
{
	struct vgpu_vblank *vblank = &crtc_to_output(crtc)->vblank;
	int duration = drm_crtc_vblank_crtc(crtc)->framedur_ns;

	scoped_guard(spinlock_irqsave, &vblank->lock) {
		vblank->period = duration > 0 ?
					 max(duration, (int)SHORTEST_PERIOD) :
					 DEFAULT_PERIOD;
		vblank->running = true;
		hrtimer_start(&vblank->timer, vblank->period, HRTIMER_MODE_REL);
	}
	return 0;
}

/**
 * vgpu_vblank_disable - &drm_crtc_funcs.disable_vblank
 * @crtc: a CRTC whose vertical blanks nobody wants
 *
 * Context: As for vgpu_vblank_enable().
 */
void vgpu_vblank_disable(struct drm_crtc *crtc)
{
	struct vgpu_vblank *vblank = &crtc_to_output(crtc)->vblank;

	scoped_guard(spinlock_irqsave, &vblank->lock) {
		vblank->running = false;
		/* one that has expired sees that it is over */
		hrtimer_try_to_cancel(&vblank->timer);
	}
}

/**
 * vgpu_vblank_timestamp - &drm_crtc_funcs.get_vblank_timestamp
 * @crtc: a CRTC
 * @max_error: set to how wrong it may be, in nanoseconds
 * @time: set to the time of the last vertical blank
 * @in_irq: this is called for one
 *
 * Context: Any.
 * Return: true.
 */
bool vgpu_vblank_timestamp(struct drm_crtc *crtc, int *max_error, ktime_t *time,
			   bool in_irq)
{
	struct vgpu_vblank *vblank = &crtc_to_output(crtc)->vblank;

	*max_error = 0;
	*time = ktime_get();
	scoped_guard(spinlock_irqsave, &vblank->lock) {
		/* the timer has moved on before anybody is told */
		if (vblank->running)
			*time = ktime_sub(hrtimer_get_expires(&vblank->timer),
					  vblank->period);
	}
	return true;
}

/**
 * vgpu_vblank_flush - &drm_crtc_helper_funcs.atomic_flush
 * @crtc: a CRTC whose frame has been sent
 * @state: of the commit
 *
 * The event of the commit is sent at the next vertical blank, or now if there is
 * none to come.
 */
void vgpu_vblank_flush(struct drm_crtc *crtc, struct drm_atomic_state *state)
{
	struct drm_pending_vblank_event *event = crtc->state->event;

	if (!event)
		return;
	crtc->state->event = NULL;

	scoped_guard(spinlock_irq, &crtc->dev->event_lock) {
		if (drm_crtc_vblank_get(crtc))
			drm_crtc_send_vblank_event(crtc, event);
		else
			drm_crtc_arm_vblank_event(crtc, event);
	}
}
