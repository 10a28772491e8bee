// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu commits
 *
 * A commit may fail until its state has become the state of the device, and not
 * any more after that. So all commands that it takes are made before, those that
 * switch something off included. Between the two is the only moment at which the
 * fences of its frames can be shown to others. Before it a fence could be seen of a
 * frame that is never shown. After it the commit runs in a worker, perhaps, and has to
 * end without a reservation lock: the holder of one may wait for just this commit.
 * DRM's helper leaves no room there, so the steps of a commit are made here, from
 * the helpers for each.
 *
 * A commit ends when the host has read its frames from the memory of the guest, so
 * that who has a single buffer can draw the next one into it. But it does not wait long
 * for that: a host that is busy gets fewer frames, one that is stuck does not get to
 * keep the commits. Then comes the vertical blank that its flip ends with.
 *
 * Lifetime: a commit holds its state. Locking: the caller has the locks of mode
 * setting until the state is that of the device; what follows needs none.
 */

#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_exec.h>
#include <drm/drm_plane.h>

#include "virtgpu_commit.h"
#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_frame.h"

static int reserve_frames(struct drm_atomic_state *atomic,
			  struct drm_exec *exec)
{
	struct drm_plane_state *state;
	unsigned int count = 0;
	struct drm_plane *plane;
	int ret = 0;
	int i;

	for_each_new_plane_in_state(atomic, plane, state, i)
		count++;
	drm_exec_until_all_locked(exec) {
		for_each_new_plane_in_state(atomic, plane, state, i) {
			ret = vgpu_frame_reserve(state, exec, count);
			drm_exec_retry_on_contention(exec);
			if (ret)
				return ret;
		}
	}
	return ret;
}

/*
 * All at once: nobody waits for one of them while we wait for the lock of another.
 * Without memory for that the commit waits for the frames itself.
 */
static void publish_frames(struct drm_atomic_state *atomic)
{
	struct drm_plane_state *state;
	struct drm_plane *plane;
	struct drm_exec exec;
	int i;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	if (!reserve_frames(atomic, &exec)) {
		for_each_new_plane_in_state(atomic, plane, state, i)
			vgpu_frame_publish_locked(state);
	}
	drm_exec_fini(&exec);
}

/* What a plane had no use for must not stay in a reservation object. */
static void settle_frames(struct drm_atomic_state *atomic)
{
	unsigned long deadline = jiffies + VGPU_FRAME_TIMEOUT;
	struct drm_plane_state *state;
	struct drm_plane *plane;
	int i;

	for_each_new_plane_in_state(atomic, plane, state, i)
		vgpu_frame_abandon(state);
	for_each_new_plane_in_state(atomic, plane, state, i) {
		vgpu_frame_wait(state, deadline);
		vgpu_frame_sent(state);
	}
}

/* All that is left of a commit, with the reference on its state. */
static void finish(struct drm_atomic_state *atomic)
{
	struct drm_device *drm = atomic->dev;

	drm_atomic_helper_wait_for_fences(drm, atomic, false);
	drm_atomic_helper_wait_for_dependencies(atomic);

	drm_atomic_helper_commit_modeset_disables(drm, atomic);
	drm_atomic_helper_commit_planes(drm, atomic, 0);
	drm_atomic_helper_commit_modeset_enables(drm, atomic);
	settle_frames(atomic);
	/*
	 * From here on the next commit may end, and free the states that this
	 * one has made; those that it has replaced are left.
	 */
	drm_atomic_helper_commit_hw_done(atomic);
	/* who commits and waits finds its event there, and can commit again */
	drm_atomic_helper_wait_for_flip_done(drm, atomic);
	drm_atomic_helper_cleanup_planes(drm, atomic);
	drm_atomic_helper_commit_cleanup_done(atomic);
	drm_atomic_state_put(atomic);
}

static void finish_work(struct work_struct *work)
{
	finish(container_of(work, struct drm_atomic_state, commit_work));
}

/* All that can fail, once there are planes to be cleaned up. */
static int begin(struct drm_atomic_state *atomic, bool nonblock)
{
	int ret = 0;

	/* while a signal can still end it */
	if (!nonblock)
		ret = drm_atomic_helper_wait_for_fences(atomic->dev, atomic,
							true);
	return ret ?: drm_atomic_helper_swap_state(atomic, true);
}

/**
 * vgpu_commit - &drm_mode_config_funcs.atomic_commit
 * @drm: the device
 * @atomic: a state that was checked
 * @nonblock: leave to a worker what may have to wait
 *
 * Return: 0, or a negative errno:
 *
 *	* -EBUSY: a commit is on its way, and this one must not wait
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived
 *	* what vgpu_frame_prepare() said
 */
int vgpu_commit(struct drm_device *drm, struct drm_atomic_state *atomic,
		bool nonblock)
{
	int ret;

	ret = drm_atomic_helper_setup_commit(atomic, nonblock);
	if (!ret)
		ret = vgpu_display_prepare(atomic);
	if (!ret)
		ret = drm_atomic_helper_prepare_planes(drm, atomic);
	if (ret)
		return ret;

	INIT_WORK(&atomic->commit_work, finish_work);
	ret = begin(atomic, nonblock);
	if (ret) {
		drm_atomic_helper_unprepare_planes(drm, atomic);
		return ret;
	}
	publish_frames(atomic);

	drm_atomic_state_get(atomic);
	if (nonblock)
		queue_work(system_unbound_wq, &atomic->commit_work);
	else
		finish(atomic);
	return 0;
}
