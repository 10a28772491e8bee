// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu planes
 *
 * To show a frame takes up to three commands: copy the pixels to the host, have
 * the output show the resource, and say what has changed. All that can fail has
 * happened before, see virtgpu_frame.c and virtgpu_commit.c. If there is nothing
 * to show, the fence of the frame is abandoned.
 *
 * A commit waits for its own frame, see virtgpu_commit.c, but not before its frames
 * are all sent. The cursor has a queue of its own that knows nothing of copies in
 * the other, so it waits for the copy here.
 *
 * Lifetime: planes live as long as the device, what was queued without them.
 *
 * Locking: a commit takes no locks of buffers.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>

#include "virtgpu_commit.h"
#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_frame.h"
#include "virtgpu_framebuffer.h"
#include "virtgpu_object.h"
#include "virtgpu_panic.h"
#include "virtgpu_plane.h"

/* How long a cursor waits for its picture. */
#define CURSOR_TIMEOUT HZ

/**
 * vgpu_host_format - what the host calls a pixel format
 * @fourcc: what DRM calls it
 *
 * Return: a format, or 0 if the host has none.
 */
u32 vgpu_host_format(u32 fourcc)
{
	switch (fourcc) {
	case DRM_FORMAT_XRGB8888:
		return VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
	case DRM_FORMAT_ARGB8888:
		return VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM;
	case DRM_FORMAT_BGRX8888:
		return VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM;
	case DRM_FORMAT_BGRA8888:
		return VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM;
	default:
		return 0;
	}
}

static void plane_reset(struct drm_plane *plane)
{
	struct vgpu_plane_state *state;

	/* the same memory again, as of CRTCs, see virtgpu_display.c */
	if (plane->state) {
		state = to_vgpu_plane_state(plane->state);
		__drm_atomic_helper_plane_destroy_state(plane->state);
		memset(state, 0, sizeof(*state));
	} else {
		state = kzalloc(sizeof(*state), GFP_KERNEL);
	}
	if (state)
		__drm_atomic_helper_plane_reset(plane, &state->base);
}

static struct drm_plane_state *plane_duplicate_state(struct drm_plane *plane)
{
	struct vgpu_plane_state *state;

	if (WARN_ON_ONCE(!plane->state))
		return NULL;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return NULL;
	__drm_atomic_helper_plane_duplicate_state(plane, &state->base);

	return &state->base;
}

static void plane_destroy_state(struct drm_plane *plane,
				struct drm_plane_state *state)
{
	__drm_atomic_helper_plane_destroy_state(state);
	kfree(to_vgpu_plane_state(state));
}

static const struct drm_plane_funcs vgpu_plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.reset = plane_reset,
	.atomic_duplicate_state = plane_duplicate_state,
	.atomic_destroy_state = plane_destroy_state,
};

static int plane_check(struct drm_plane *plane, struct drm_atomic_state *state)
{
	bool is_cursor = plane->type == DRM_PLANE_TYPE_CURSOR;
	struct drm_plane_state *new, *old;
	struct drm_crtc_state *crtc_state;

	new = drm_atomic_get_new_plane_state(state, plane);
	old = drm_atomic_get_old_plane_state(state, plane);
	if (!new->fb || WARN_ON_ONCE(!new->crtc))
		return 0;

	/*
	 * The clips are about what was shown before, and the host has not seen
	 * this buffer yet. The state before may have said so as well.
	 */
	new->ignore_damage_clips = new->fb != old->fb;

	crtc_state = drm_atomic_get_crtc_state(state, new->crtc);
	if (IS_ERR(crtc_state))
		return PTR_ERR(crtc_state);

	return drm_atomic_helper_check_plane_state(new, crtc_state,
						   DRM_PLANE_NO_SCALING,
						   DRM_PLANE_NO_SCALING,
						   is_cursor, true);
}

static struct vgpu_rect to_rect(const struct drm_rect *from)
{
	return (struct vgpu_rect){
		.x = from->x1,
		.y = from->y1,
		.width = drm_rect_width(from),
		.height = drm_rect_height(from),
	};
}

static struct vgpu_rect source(const struct drm_plane_state *state)
{
	return (struct vgpu_rect){
		.x = state->src_x >> 16,
		.y = state->src_y >> 16,
		.width = state->src_w >> 16,
		.height = state->src_h >> 16,
	};
}

static void add_transfer(struct vgpu_device *vgpu,
			 struct vgpu_plane_state *state,
			 const struct vgpu_rect *rect)
{
	struct drm_framebuffer *fb = state->base.fb;
	u64 offset = fb->offsets[0] + (u64)rect->y * fb->pitches[0] +
		     (u64)rect->x * fb->format->cpp[0];

	if (to_vgpu_object(fb->obj[0])->dumb)
		vgpu_object_sync(to_vgpu_object(fb->obj[0]), true);
	if (!state->transfer)
		return;

	vgpu_req_transfer_2d(&state->transfer->req,
			     vgpu_framebuffer_res(fb)->id, rect, offset);
	vgpu_cmd_add_object(state->transfer, fb->obj[0]);
	vgpu_queue_add(&vgpu->ctrl, state->transfer);
}

static void add_scanout(struct vgpu_device *vgpu, struct vgpu_output *output,
			struct vgpu_plane_state *state)
{
	struct drm_framebuffer *fb = state->base.fb;
	struct vgpu_res *res = vgpu_framebuffer_res(fb);
	struct vgpu_rect rect = source(&state->base);
	struct vgpu_scanout_layout layout = {
		.width = fb->width,
		.height = fb->height,
		.format = vgpu_host_format(fb->format->format),
	};
	unsigned int i;

	if (res->kind == VGPU_RES_BLOB) {
		for (i = 0; i < fb->format->num_planes; i++) {
			layout.strides[i] = fb->pitches[i];
			layout.offsets[i] = fb->offsets[i];
		}
		vgpu_req_scanout_blob(&state->scanout->req, output->index,
				      res->id, &rect, &layout);
	} else {
		vgpu_req_scanout(&state->scanout->req, output->index, res->id,
				 &rect);
	}
	vgpu_queue_add(&vgpu->ctrl, state->scanout);
}

static void add_flush(struct vgpu_device *vgpu, struct vgpu_plane_state *state,
		      const struct vgpu_rect *rect)
{
	struct drm_framebuffer *fb = state->base.fb;

	vgpu_req_flush(&state->flush->req, vgpu_framebuffer_res(fb)->id, rect);
	vgpu_cmd_add_object(state->flush, fb->obj[0]);
	if (state->fence)
		vgpu_cmd_set_fence(state->flush, state->fence);
	vgpu_queue_add(&vgpu->ctrl, state->flush);
}

static bool shows_other(const struct drm_plane_state *new,
			const struct drm_plane_state *old,
			const struct drm_crtc_state *crtc_state)
{
	return new->fb != old->fb || new->src_x != old->src_x ||
	       new->src_y != old->src_y || new->src_w != old->src_w ||
	       new->src_h != old->src_h ||
	       drm_atomic_crtc_needs_modeset(crtc_state);
}

static void primary_update(struct drm_plane *plane,
			   struct drm_atomic_state *atomic)
{
	struct drm_plane_state *new, *old;
	struct vgpu_device *vgpu = to_vgpu(plane->dev);
	struct drm_crtc_state *crtc_state;
	struct vgpu_plane_state *state;
	struct vgpu_output *output;
	struct drm_rect damage;
	struct vgpu_rect rect;

	new = drm_atomic_get_new_plane_state(atomic, plane);
	old = drm_atomic_get_old_plane_state(atomic, plane);
	state = to_vgpu_plane_state(new);
	if (!new->fb || !new->crtc)
		return;
	output = crtc_to_output(new->crtc);
	crtc_state = drm_atomic_get_new_crtc_state(atomic, new->crtc);
	if (!crtc_state->active ||
	    !drm_atomic_helper_damage_merged(old, new, &damage))
		return;

	output->owed |= shows_other(new, old, crtc_state);
	/* The host is stuck. What it does not show, it need not be sent. */
	if (READ_ONCE(vgpu->ctrl.num_backlog) > VGPU_BACKLOG_LIMIT) {
		output->owed = true;
		vgpu_commit_owe(vgpu);
		return;
	}

	rect = output->owed ? source(new) : to_rect(&damage);
	add_transfer(vgpu, state, &rect);
	if (output->owed)
		add_scanout(vgpu, output, state);
	output->owed = false;
	add_flush(vgpu, state, &rect);
	vgpu_queue_kick(&vgpu->ctrl);
}

/* A plane without a framebuffer, on a CRTC that stays on. */
static void primary_disable(struct drm_plane *plane,
			    struct drm_atomic_state *atomic)
{
	struct vgpu_device *vgpu = to_vgpu(plane->dev);
	const struct vgpu_rect none = {};
	struct drm_plane_state *new, *old;
	struct vgpu_cmd *cmd;

	new = drm_atomic_get_new_plane_state(atomic, plane);
	old = drm_atomic_get_old_plane_state(atomic, plane);
	cmd = to_vgpu_plane_state(new)->scanout;
	vgpu_req_scanout(&cmd->req, crtc_to_output(old->crtc)->index, 0, &none);
	vgpu_queue_send(&vgpu->ctrl, cmd);
}

static void forget_copy(struct vgpu_output *output)
{
	vgpu_fence_put(output->cursor_copy);
	output->cursor_copy = NULL;
}

/* Returns whether the host has the picture, as far as is known. */
static bool copy_cursor(struct vgpu_device *vgpu, struct vgpu_output *output,
			struct vgpu_plane_state *state)
{
	struct vgpu_rect rect = {
		.width = state->base.fb->width,
		.height = state->base.fb->height,
	};

	forget_copy(output);
	if (!state->transfer)
		return true;

	vgpu_cmd_set_fence(state->transfer, state->fence);
	add_transfer(vgpu, state, &rect);
	vgpu_queue_kick(&vgpu->ctrl);
	/* no signal ends it: the host takes what is there when it is told to look */
	if (dma_fence_wait_timeout(&state->fence->base, false, CURSOR_TIMEOUT) >
	    0)
		return true;
	dma_fence_get(&state->fence->base);
	output->cursor_copy = state->fence;
	return false;
}

/* The same of a picture that was copied before. */
static bool is_cursor_copied(struct vgpu_output *output)
{
	if (output->cursor_copy &&
	    !dma_fence_is_signaled(&output->cursor_copy->base))
		return false;
	forget_copy(output);
	return true;
}

/* Returns whether it was: a host that is stuck need not be told of each move. */
static bool send_cursor(struct vgpu_device *vgpu, struct vgpu_cmd *cmd)
{
	/* the host does not answer */
	cmd->resp = NULL;
	cmd->resp_size = 0;
	if (READ_ONCE(vgpu->cursor.num_backlog) > VGPU_BACKLOG_LIMIT)
		return false;

	vgpu_queue_send(&vgpu->cursor, cmd);
	return true;
}

static bool looks_other(const struct drm_plane_state *new,
			const struct drm_plane_state *old)
{
	return new->fb != old->fb || new->hotspot_x != old->hotspot_x ||
	       new->hotspot_y != old->hotspot_y;
}

static void cursor_update(struct drm_plane *plane,
			  struct drm_atomic_state *atomic)
{
	struct drm_plane_state *new, *old;
	struct vgpu_device *vgpu = to_vgpu(plane->dev);
	struct vgpu_plane_state *state;
	struct vgpu_output *output;
	struct vgpu_rect pos;
	bool copied;
	u32 res;

	new = drm_atomic_get_new_plane_state(atomic, plane);
	old = drm_atomic_get_old_plane_state(atomic, plane);
	state = to_vgpu_plane_state(new);
	if (!new->fb || !new->crtc)
		return;

	output = crtc_to_output(new->crtc);
	pos = (struct vgpu_rect){ .x = new->crtc_x, .y = new->crtc_y };
	res = vgpu_framebuffer_res(new->fb)->id;
	copied = new->fb == old->fb ? is_cursor_copied(output) :
				      copy_cursor(vgpu, output, state);
	if (looks_other(new, old) || output->cursor_owed) {
		vgpu_req_cursor(&state->scanout->req, output->index, res, &pos,
				new->hotspot_x, new->hotspot_y);
		copied &= send_cursor(vgpu, state->scanout);
		output->cursor_owed = !copied;
		if (!copied)
			vgpu_commit_owe_later(vgpu);
	} else {
		vgpu_req_cursor_move(&state->scanout->req, output->index, res,
				     &pos, new->hotspot_x, new->hotspot_y);
		send_cursor(vgpu, state->scanout);
	}
}

static void cursor_disable(struct drm_plane *plane,
			   struct drm_atomic_state *atomic)
{
	struct vgpu_device *vgpu = to_vgpu(plane->dev);
	struct drm_plane_state *new, *old;
	const struct vgpu_rect pos = {};
	struct vgpu_output *output;
	struct vgpu_cmd *cmd;

	new = drm_atomic_get_new_plane_state(atomic, plane);
	old = drm_atomic_get_old_plane_state(atomic, plane);
	cmd = to_vgpu_plane_state(new)->scanout;
	output = crtc_to_output(old->crtc);
	output->cursor_owed = false;
	forget_copy(output);
	vgpu_req_cursor(&cmd->req, output->index, 0, &pos, 0, 0);
	send_cursor(vgpu, cmd);
}

static const struct drm_plane_helper_funcs vgpu_primary_helper_funcs = {
	.prepare_fb = vgpu_frame_prepare,
	.cleanup_fb = vgpu_frame_cleanup,
	.atomic_check = plane_check,
	.atomic_update = primary_update,
	.atomic_disable = primary_disable,
	.get_scanout_buffer = vgpu_panic_get_scanout,
	.panic_flush = vgpu_panic_flush,
};

static const struct drm_plane_helper_funcs vgpu_cursor_helper_funcs = {
	.prepare_fb = vgpu_frame_prepare,
	.cleanup_fb = vgpu_frame_cleanup,
	.atomic_check = plane_check,
	.atomic_update = cursor_update,
	.atomic_disable = cursor_disable,
};

static const u32 primary_formats[] = { DRM_FORMAT_HOST_XRGB8888 };
static const u32 cursor_formats[] = { DRM_FORMAT_HOST_ARGB8888 };

/**
 * vgpu_plane_create - make a plane
 * @vgpu: the device
 * @type: primary or cursor
 * @index: of the CRTC
 *
 * Return: a plane that lives as long as the device, or an error pointer of DRM.
 */
struct drm_plane *vgpu_plane_create(struct vgpu_device *vgpu,
				    enum drm_plane_type type, u32 index)
{
	bool is_cursor = type == DRM_PLANE_TYPE_CURSOR;
	const u32 *formats = is_cursor ? cursor_formats : primary_formats;
	struct drm_plane *plane;

	plane = drmm_universal_plane_alloc(vgpu->drm, struct drm_plane, dev,
					   BIT(index), &vgpu_plane_funcs,
					   formats, 1, NULL, type, NULL);
	if (IS_ERR(plane))
		return plane;

	drm_plane_helper_add(plane, is_cursor ? &vgpu_cursor_helper_funcs :
						&vgpu_primary_helper_funcs);
	if (!is_cursor)
		drm_plane_enable_fb_damage_clips(plane);

	return plane;
}
