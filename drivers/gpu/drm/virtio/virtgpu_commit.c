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
 * A commit that finds too many commands waiting lets the host catch up, for as short a
 * time. Then its frame is left out, and owed: once there is room again, a commit of our
 * own shows what the state is by then, for it may have been the last of a client. If there
 * is no memory for that one it is made again with the next answer, or after a while, and so
 * it is with a cursor whose picture the host may not have seen. Both end after a minute,
 * and then it is up to the next commit.
 *
 * Lifetime: a commit holds its state. Locking: the caller has the locks of mode
 * setting until the state is that of the device; what follows needs none.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_exec.h>
#include <drm/drm_modeset_lock.h>
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

/* A host that is busy has room soon; from one that is stuck frames are kept. */
static void wait_for_room(struct vgpu_device *vgpu)
{
	wait_event_timeout(vgpu->ctrl.room, vgpu_queue_has_room(&vgpu->ctrl),
			   VGPU_FRAME_TIMEOUT);
}

/* All that is left of a commit, with the reference on its state. */
static void finish(struct drm_atomic_state *atomic)
{
	struct drm_device *drm = atomic->dev;

	drm_atomic_helper_wait_for_fences(drm, atomic, false);
	drm_atomic_helper_wait_for_dependencies(atomic);
	wait_for_room(to_vgpu(drm));

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
 * vgpu_commit_owe - note that an output was spared a frame
 * @vgpu: the device
 *
 * Nobody may ever commit another.
 */
void vgpu_commit_owe(struct vgpu_device *vgpu)
{
	/*
	 * The last answer may just have come. Who takes answers makes room and then
	 * looks for this note; here the note is made, and then it is looked for room.
	 * One of the two sees the other's only if neither does the second before the
	 * first is seen, which atomic_set() would not see to: this is a full barrier,
	 * as is the one in vgpu_commit_look().
	 */
	atomic_xchg(&vgpu->owes, 1);
	vgpu_commit_look(vgpu);
}

/**
 * vgpu_commit_look - have what outputs were spared shown, if there is room
 * @vgpu: the device
 *
 * Context: Process context. Waits for nobody.
 */
void vgpu_commit_look(struct vgpu_device *vgpu)
{
	if (vgpu_queue_has_room(&vgpu->ctrl) && atomic_xchg(&vgpu->owes, 0))
		mod_delayed_work(system_unbound_wq, &vgpu->repay, 0);
}

/**
 * vgpu_commit_owe_later - have what an output was spared shown after a while
 * @vgpu: the device
 *
 * For what no answer will tell of.
 */
void vgpu_commit_owe_later(struct vgpu_device *vgpu)
{
	if (atomic_read(&vgpu->repay_tries) < VGPU_REPAY_TRIES &&
	    queue_delayed_work(system_unbound_wq, &vgpu->repay,
			       VGPU_REPAY_DELAY))
		atomic_inc(&vgpu->repay_tries);
}

/* Without clips, all of a plane is shown. */
static int add_owed(struct vgpu_device *vgpu, struct drm_atomic_state *atomic)
{
	struct drm_plane_state *plane;
	struct vgpu_output *output;
	u32 i;

	for (i = 0; i < vgpu->num_outputs; i++) {
		output = &vgpu->outputs[i];
		if (READ_ONCE(output->owed)) {
			plane = drm_atomic_get_plane_state(atomic,
							   output->crtc.primary);
			if (IS_ERR(plane))
				return PTR_ERR(plane);
		}
		if (READ_ONCE(output->cursor_owed)) {
			plane = drm_atomic_get_plane_state(atomic,
							   output->crtc.cursor);
			if (IS_ERR(plane))
				return PTR_ERR(plane);
		}
	}
	return 0;
}

static bool owes_nothing(const struct vgpu_device *vgpu)
{
	u32 i;

	for (i = 0; i < vgpu->num_outputs; i++) {
		if (READ_ONCE(vgpu->outputs[i].owed) ||
		    READ_ONCE(vgpu->outputs[i].cursor_owed))
			return false;
	}
	return true;
}

/**
 * vgpu_commit_repay - &vgpu_device.repay, for frames and for cursors
 * @work: in the device
 *
 * A commit of what there is, as a client makes it that says all has changed.
 */
void vgpu_commit_repay(struct work_struct *work)
{
	struct vgpu_device *vgpu =
		container_of(to_delayed_work(work), struct vgpu_device, repay);
	struct drm_modeset_acquire_ctx ctx;
	struct drm_atomic_state *atomic;
	int ret = -ENOMEM;

	drm_modeset_acquire_init(&ctx, 0);
	atomic = drm_atomic_state_alloc(vgpu->drm);
	if (!atomic)
		goto out_fini;
	atomic->acquire_ctx = &ctx;
	do {
		ret = add_owed(vgpu, atomic);
		if (!ret)
			ret = drm_atomic_commit(atomic);
		if (ret == -EDEADLK) {
			drm_atomic_state_clear(atomic);
			drm_modeset_backoff(&ctx);
		}
	} while (ret == -EDEADLK);
	drm_atomic_state_put(atomic);
	drm_modeset_drop_locks(&ctx);
out_fini:
	drm_modeset_acquire_fini(&ctx);
	if (owes_nothing(vgpu))
		atomic_set(&vgpu->repay_tries, 0);
	/* with the next answer, of which there may be none */
	if (ret == -ENOMEM) {
		atomic_set(&vgpu->owes, 1);
		vgpu_commit_owe_later(vgpu);
	}
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
