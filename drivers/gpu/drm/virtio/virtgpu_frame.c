// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu frames
 *
 * A commit that has begun cannot fail, so all that can fail comes before, when the
 * framebuffer is prepared: the commands of the frame are made, the memory is
 * pinned and the host is told of it. A plane that is switched off has a command as
 * well, which is made then, too. The fence of the frame is shown to nobody
 * then, for another plane may still fail, or a signal end the wait for a commit
 * before. When nothing can fail any more vgpu_frame_publish_locked() puts it into the
 * reservation object, and whoever wants to move the memory, or write to it, knows
 * what to wait for.
 *
 * A fence that others see has to signal. If a frame turns out to need no command,
 * its fence is abandoned.
 *
 * Lifetime: commands and fence belong to the plane state.
 *
 * Locking: the reservation lock of the buffer.
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>

#include <drm/drm_exec.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>

#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_frame.h"
#include "virtgpu_framebuffer.h"
#include "virtgpu_object.h"

/* Whether pixels are copied, as opposed to being there, or drawn there. */
static bool is_copied(struct drm_framebuffer *fb)
{
	return to_vgpu_object(fb->obj[0])->dumb &&
	       vgpu_framebuffer_res(fb)->kind == VGPU_RES_2D;
}

/* Whether the host reads memory of the guest to show it. */
static bool is_read(struct drm_framebuffer *fb)
{
	return to_vgpu_object(fb->obj[0])->dumb;
}

static int pin_locked(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	int ret = 0;

	if (vobj->orphaned)
		return -ENODEV;
	if (obj->import_attach)
		ret = dma_buf_pin(obj->import_attach);
	else if (obj->funcs->pin)
		ret = drm_gem_storage_pin(obj);
	if (!ret)
		vobj->scanouts++;
	return ret;
}

static void unpin_locked(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;

	vobj->scanouts--;
	if (obj->import_attach)
		dma_buf_unpin(obj->import_attach);
	else if (obj->funcs->pin)
		drm_gem_storage_unpin(obj);
}

static int make_commands(struct drm_plane *plane,
			 struct vgpu_plane_state *state)
{
	struct vgpu_device *vgpu = to_vgpu(plane->dev);
	struct drm_framebuffer *fb = state->base.fb;

	state->scanout = vgpu_cmd_create();
	if (!state->scanout)
		return -ENOMEM;
	if (plane->type != DRM_PLANE_TYPE_CURSOR) {
		state->flush = vgpu_cmd_create();
		if (!state->flush)
			return -ENOMEM;
	}
	if (is_copied(fb)) {
		state->transfer = vgpu_cmd_create();
		if (!state->transfer)
			return -ENOMEM;
	}
	if (is_read(fb)) {
		state->fence = vgpu_fence_create_early(&vgpu->fences);
		if (!state->fence)
			return -ENOMEM;
	}
	return 0;
}

/* Where nothing was shown before there is nothing to end. */
static int make_end(struct drm_plane *plane, struct vgpu_plane_state *state)
{
	if (!plane->state->crtc)
		return 0;

	state->scanout = vgpu_cmd_create();
	return state->scanout ? 0 : -ENOMEM;
}

static int get_memory(struct vgpu_plane_state *state)
{
	struct drm_framebuffer *fb = state->base.fb;
	struct vgpu_object *vobj = to_vgpu_object(fb->obj[0]);
	struct dma_resv *resv = fb->obj[0]->resv;
	int ret;

	ret = vgpu_object_lock(vobj);
	if (ret)
		return ret;

	/* first, for it may move the memory */
	ret = pin_locked(vobj);
	if (ret)
		goto out_unlock;
	state->pinned = true;

	ret = vgpu_res_attach_locked(vobj, vgpu_framebuffer_res(fb), NULL);
out_unlock:
	dma_resv_unlock(resv);
	vgpu_queue_kick(&to_vgpu(fb->dev)->ctrl);
	return ret;
}

/**
 * vgpu_frame_reserve - have room for the fence of a frame
 * @base: a state that vgpu_frame_prepare() was called for, and that will be shown
 * @exec: locks its buffer
 * @count: of planes that may show the same buffer, for reservations do not add up
 *
 * Return: 0, or what drm_exec_prepare_obj() said.
 */
int vgpu_frame_reserve(struct drm_plane_state *base, struct drm_exec *exec,
		       unsigned int count)
{
	if (!to_vgpu_plane_state(base)->fence)
		return 0;
	return drm_exec_prepare_obj(exec, base->fb->obj[0], count);
}

/**
 * vgpu_frame_publish_locked - let others wait for a frame
 * @base: a state that vgpu_frame_reserve() was called for
 */
void vgpu_frame_publish_locked(struct drm_plane_state *base)
{
	struct vgpu_plane_state *state = to_vgpu_plane_state(base);

	KUNIT_STATIC_STUB_REDIRECT(vgpu_frame_publish_locked, base);
	if (!state->fence)
		return;

	dma_resv_add_fence(base->fb->obj[0]->resv, &state->fence->base,
			   DMA_RESV_USAGE_READ);
	state->published = true;
}

/*
 * Who has the lock may wait for this commit. The worker that does the rest of commands
 * takes the fence along, with one of those that the frame did not need.
 */
static void forget_later(struct vgpu_plane_state *state)
{
	struct vgpu_cmd *cmd = state->transfer ?: state->flush;
	struct drm_gem_object *obj = state->base.fb->obj[0];

	if (!cmd)
		return;

	vgpu_cmd_set_fence(cmd, state->fence);
	vgpu_cmd_add_object(cmd, obj);
	kref_get(&cmd->refs);
	vgpu_device_release_cmd(to_vgpu(obj->dev), cmd);
}

/**
 * vgpu_frame_abandon - nobody is to wait for a frame that was not shown
 * @base: a state that vgpu_frame_publish_locked() was called for; if commands were queued,
 *	nothing happens
 *
 * Context: Process context. Waits for nobody.
 */
void vgpu_frame_abandon(struct drm_plane_state *base)
{
	struct vgpu_plane_state *state = to_vgpu_plane_state(base);
	struct dma_resv *resv;

	if (!state->fence || state->fence->id)
		return;

	vgpu_fence_abandon(state->fence, 0);
	resv = base->fb->obj[0]->resv;
	if (!dma_resv_trylock(resv)) {
		forget_later(state);
		return;
	}
	vgpu_fence_forget_locked(state->fence, resv);
	dma_resv_unlock(resv);
}

/**
 * vgpu_frame_wait - wait until the host has a frame
 * @base: a state whose commands were queued
 * @deadline: when to give up, in jiffies
 *
 * Where nobody else can wait for the frame, this does, for longer. A frame that the
 * host reads no memory of the guest for is not waited for.
 *
 * Context: Process context. Waits for the host, not for ever.
 */
void vgpu_frame_wait(struct drm_plane_state *base, unsigned long deadline)
{
	struct vgpu_plane_state *state = to_vgpu_plane_state(base);
	long left;

	if (!state->fence)
		return;

	if (!state->published)
		deadline = jiffies + VGPU_ANSWER_TIMEOUT;
	left = max((long)(deadline - jiffies), 0L);
	dma_fence_wait_timeout(&state->fence->base, false, left);
}

/**
 * vgpu_frame_sent - give up what a frame was made of
 * @base: a state whose commands were queued, or are not needed
 *
 * The queue has what it needs. A frame may be on the screen for ever, and its
 * fence holds a reference on the module.
 */
void vgpu_frame_sent(struct drm_plane_state *base)
{
	struct vgpu_plane_state *state = to_vgpu_plane_state(base);

	vgpu_fence_put(state->fence);
	vgpu_cmd_put(state->transfer);
	vgpu_cmd_put(state->scanout);
	vgpu_cmd_put(state->flush);
	state->fence = NULL;
	state->transfer = NULL;
	state->scanout = NULL;
	state->flush = NULL;
}

/**
 * vgpu_frame_cleanup - &drm_plane_helper_funcs.cleanup_fb
 * @plane: the plane
 * @base: a state that is not shown any more, or never was
 */
void vgpu_frame_cleanup(struct drm_plane *plane, struct drm_plane_state *base)
{
	struct vgpu_plane_state *state = to_vgpu_plane_state(base);
	struct vgpu_object *vobj;

	/* a commit that was made has nothing left here */
	vgpu_frame_sent(base);
	state->published = false;

	if (!state->pinned)
		return;
	vobj = to_vgpu_object(base->fb->obj[0]);
	dma_resv_lock(vobj->storage.base.resv, NULL);
	unpin_locked(vobj);
	dma_resv_unlock(vobj->storage.base.resv);
	state->pinned = false;
}

/**
 * vgpu_frame_prepare - &drm_plane_helper_funcs.prepare_fb
 * @plane: the plane
 * @base: a state that is about to be shown, or shows nothing any more
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived
 *	* -EBUSY: the memory cannot stay where it is
 *	* what vgpu_res_attach_locked() said
 */
int vgpu_frame_prepare(struct drm_plane *plane, struct drm_plane_state *base)
{
	struct vgpu_plane_state *state = to_vgpu_plane_state(base);
	int ret;

	if (!base->fb)
		return make_end(plane, state);

	/* what the commit waits for, before our own fence is there */
	ret = drm_gem_plane_helper_prepare_fb(plane, base);
	if (!ret)
		ret = make_commands(plane, state);
	if (!ret)
		ret = get_memory(state);
	if (ret)
		vgpu_frame_cleanup(plane, base);

	return ret;
}
