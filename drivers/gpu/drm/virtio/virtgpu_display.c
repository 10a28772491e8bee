// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu displays
 *
 * An output is a window of the host, with a CRTC, an encoder and a connector to it.
 * What the host has said of the window (virtgpu_window.c) is what modes there are.
 *
 * An output that is switched off has the host show nothing. The command for that is
 * made before the commit is certain, and is part of the state of its CRTC.
 *
 * Lifetime: outputs live as long as the DRM device.
 *
 * Locking: &vgpu_device.output_lock guards what the host has said.
 */

#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_managed.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>

#include "virtgpu_commit.h"
#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_framebuffer.h"
#include "virtgpu_plane.h"
#include "virtgpu_resp.h"

#define MIN_SIZE       32
#define MAX_SIZE       8192
#define DEFAULT_WIDTH  1024
#define DEFAULT_HEIGHT 768

/* Hosts round down to what their windows can do. */
#define SIZE_SLACK 16

static struct vgpu_output *connector_to_output(struct drm_connector *connector)
{
	return container_of(connector, struct vgpu_output, connector);
}

/**
 * vgpu_display_prepare - have what it takes to switch outputs off
 * @atomic: a state that was checked, of a commit that can still fail
 *
 * Return: 0, or -ENOMEM.
 */
int vgpu_display_prepare(struct drm_atomic_state *atomic)
{
	struct drm_crtc_state *old, *new;
	struct vgpu_crtc_state *state;
	struct drm_crtc *crtc;
	int i;

	for_each_oldnew_crtc_in_state(atomic, crtc, old, new, i) {
		/* another mode switches it off for a moment */
		if (!old->active || !drm_atomic_crtc_needs_modeset(new))
			continue;
		state = to_vgpu_crtc_state(new);
		state->off = vgpu_cmd_create();
		if (!state->off)
			return -ENOMEM;
	}
	return 0;
}

static void scanout_off(struct vgpu_output *output,
			struct vgpu_crtc_state *state)
{
	struct vgpu_device *vgpu = to_vgpu(output->crtc.dev);
	const struct vgpu_rect none = {};

	vgpu_req_scanout(&state->off->req, output->index, 0, &none);
	vgpu_queue_send(&vgpu->ctrl, state->off);
	vgpu_cmd_put(state->off);
	state->off = NULL;
}

/* The primary plane has done the rest: a window shows what has a size. */
static void vgpu_crtc_enable(struct drm_crtc *crtc,
			     struct drm_atomic_state *state)
{
	drm_crtc_vblank_on(crtc);
}

static void vgpu_crtc_disable(struct drm_crtc *crtc,
			      struct drm_atomic_state *state)
{
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);

	drm_crtc_vblank_off(crtc);
	vgpu_vblank_stop(crtc);
	scanout_off(crtc_to_output(crtc), to_vgpu_crtc_state(new));
}

static const struct drm_crtc_helper_funcs vgpu_crtc_helper_funcs = {
	.atomic_enable = vgpu_crtc_enable,
	.atomic_disable = vgpu_crtc_disable,
	.atomic_flush = vgpu_vblank_flush,
};

/*
 * A machine that wakes resets all states before it commits what was shown, and DRM does
 * not look whether there was memory for them. So it is the memory that there is.
 */
static void vgpu_crtc_reset(struct drm_crtc *crtc)
{
	struct vgpu_crtc_state *state;

	if (crtc->state) {
		state = to_vgpu_crtc_state(crtc->state);
		__drm_atomic_helper_crtc_destroy_state(crtc->state);
		vgpu_cmd_put(state->off);
		memset(state, 0, sizeof(*state));
	} else {
		state = kzalloc(sizeof(*state), GFP_KERNEL);
	}
	__drm_atomic_helper_crtc_reset(crtc, state ? &state->base : NULL);
}

static struct drm_crtc_state *crtc_duplicate_state(struct drm_crtc *crtc)
{
	struct vgpu_crtc_state *state;

	if (WARN_ON_ONCE(!crtc->state))
		return NULL;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return NULL;
	__drm_atomic_helper_crtc_duplicate_state(crtc, &state->base);

	return &state->base;
}

static void crtc_destroy_state(struct drm_crtc *crtc,
			       struct drm_crtc_state *base)
{
	struct vgpu_crtc_state *state = to_vgpu_crtc_state(base);

	__drm_atomic_helper_crtc_destroy_state(base);
	vgpu_cmd_put(state->off);
	kfree(state);
}

static const struct drm_crtc_funcs vgpu_crtc_funcs = {
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.reset = vgpu_crtc_reset,
	.atomic_duplicate_state = crtc_duplicate_state,
	.atomic_destroy_state = crtc_destroy_state,
	.enable_vblank = vgpu_vblank_enable,
	.disable_vblank = vgpu_vblank_disable,
	.get_vblank_timestamp = vgpu_vblank_timestamp,
};

static struct vgpu_rect output_size(struct vgpu_output *output)
{
	struct vgpu_device *vgpu = to_vgpu(output->connector.dev);

	guard(mutex)(&vgpu->output_lock);
	return output->display.rect;
}

static int add_edid_modes(struct vgpu_output *output)
{
	struct vgpu_device *vgpu = to_vgpu(output->connector.dev);

	guard(mutex)(&vgpu->output_lock);
	drm_edid_connector_update(&output->connector, output->edid);
	return drm_edid_connector_add_modes(&output->connector);
}

static int vgpu_connector_get_modes(struct drm_connector *connector)
{
	struct vgpu_output *output = connector_to_output(connector);
	struct vgpu_rect size = output_size(output);
	struct drm_display_mode *mode;
	int count;

	count = add_edid_modes(output);
	if (count)
		return count;

	count = drm_add_modes_noedid(connector, MAX_SIZE, MAX_SIZE);
	if (!size.width || !size.height) {
		drm_set_preferred_mode(connector, DEFAULT_WIDTH,
				       DEFAULT_HEIGHT);
		return count;
	}
	if (size.width > MAX_SIZE || size.height > MAX_SIZE)
		return count;

	mode = drm_cvt_mode(connector->dev, size.width, size.height, 60, false,
			    false, false);
	if (!mode)
		return count;
	mode->type |= DRM_MODE_TYPE_PREFERRED;
	drm_mode_probed_add(connector, mode);
	return count + 1;
}

static bool about(int got, u32 wanted)
{
	return got <= wanted && got + SIZE_SLACK >= wanted;
}

/* Of preferred modes the one that fits the window, else they all would. */
static enum drm_mode_status
vgpu_connector_mode_valid(struct drm_connector *connector,
			  struct drm_display_mode *mode)
{
	struct vgpu_rect size = output_size(connector_to_output(connector));

	if (!(mode->type & DRM_MODE_TYPE_PREFERRED))
		return MODE_OK;
	if (mode->hdisplay == DEFAULT_WIDTH && mode->vdisplay == DEFAULT_HEIGHT)
		return MODE_OK;
	if (about(mode->hdisplay, size.width) &&
	    about(mode->vdisplay, size.height))
		return MODE_OK;
	return MODE_BAD;
}

static const struct drm_connector_helper_funcs vgpu_connector_helper_funcs = {
	.get_modes = vgpu_connector_get_modes,
	.mode_valid = vgpu_connector_mode_valid,
};

static enum drm_connector_status
vgpu_connector_detect(struct drm_connector *connector, bool force)
{
	struct vgpu_output *output = connector_to_output(connector);
	struct vgpu_device *vgpu = to_vgpu(connector->dev);

	guard(mutex)(&vgpu->output_lock);
	return output->display.enabled ? connector_status_connected :
					 connector_status_disconnected;
}

static void vgpu_connector_reset(struct drm_connector *connector)
{
	struct drm_connector_state *state = connector->state;

	if (state) {
		__drm_atomic_helper_connector_destroy_state(state);
		memset(state, 0, sizeof(*state));
	} else {
		state = kzalloc(sizeof(*state), GFP_KERNEL);
	}
	__drm_atomic_helper_connector_reset(connector, state);
}

static const struct drm_connector_funcs vgpu_connector_funcs = {
	.detect = vgpu_connector_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.reset = vgpu_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static int crtc_init(struct drm_device *drm, struct drm_crtc *crtc,
		     struct drm_plane *primary, struct drm_plane *cursor)
{
	int ret;

	INIT_LIST_HEAD(&crtc->head);
	ret = drmm_crtc_init_with_planes(drm, crtc, primary, cursor,
					 &vgpu_crtc_funcs, NULL);
	/* in DRM's list all the same, if there was no memory for its checksums */
	if (ret && crtc->dev && !list_empty(&crtc->head))
		drm_crtc_cleanup(crtc);
	return ret;
}

static int output_init(struct vgpu_device *vgpu, u32 index)
{
	struct vgpu_output *output = &vgpu->outputs[index];
	struct drm_plane *primary, *cursor;
	struct drm_device *drm = vgpu->drm;
	int ret;

	output->index = index;
	output->panic_transfer = vgpu_cmd_create();
	output->panic_flush = vgpu_cmd_create();
	if (!output->panic_transfer || !output->panic_flush)
		return -ENOMEM;
	/* until the host has said otherwise, there is one window */
	if (!index) {
		output->display.enabled = true;
		output->display.rect.width = DEFAULT_WIDTH;
		output->display.rect.height = DEFAULT_HEIGHT;
	}

	primary = vgpu_plane_create(vgpu, DRM_PLANE_TYPE_PRIMARY, index);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	cursor = vgpu_plane_create(vgpu, DRM_PLANE_TYPE_CURSOR, index);
	if (IS_ERR(cursor))
		return PTR_ERR(cursor);

	ret = crtc_init(drm, &output->crtc, primary, cursor);
	if (ret)
		return ret;
	drm_crtc_helper_add(&output->crtc, &vgpu_crtc_helper_funcs);
	ret = vgpu_vblank_init(&output->crtc);
	if (ret)
		return ret;

	ret = drmm_encoder_init(drm, &output->encoder, NULL,
				DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	output->encoder.possible_crtcs = drm_crtc_mask(&output->crtc);

	ret = drmm_connector_init(drm, &output->connector,
				  &vgpu_connector_funcs,
				  DRM_MODE_CONNECTOR_VIRTUAL, NULL);
	if (ret)
		return ret;
	drm_connector_helper_add(&output->connector,
				 &vgpu_connector_helper_funcs);
	if (vgpu->has_edid)
		drm_connector_attach_edid_property(&output->connector);

	return drm_connector_attach_encoder(&output->connector,
					    &output->encoder);
}

static const struct drm_mode_config_funcs vgpu_mode_config_funcs = {
	.fb_create = vgpu_framebuffer_create,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = vgpu_commit,
};

static void outputs_fini(struct drm_device *drm, void *data)
{
	struct vgpu_device *vgpu = data;
	u32 i;

	for (i = 0; i < vgpu->num_outputs; i++) {
		drm_edid_free(vgpu->outputs[i].edid);
		vgpu_cmd_put(vgpu->outputs[i].panic_transfer);
		vgpu_cmd_put(vgpu->outputs[i].panic_flush);
		vgpu_fence_put(vgpu->outputs[i].cursor_copy);
	}
}

/* DRM does not say that there was no memory for one. */
static bool all_have_a_state(struct drm_device *drm)
{
	struct drm_connector_list_iter iter;
	struct drm_connector *connector;
	struct drm_plane *plane;
	struct drm_crtc *crtc;
	bool all = true;

	drm_for_each_plane(plane, drm)
		all &= !!plane->state;
	drm_for_each_crtc(crtc, drm)
		all &= !!crtc->state;
	drm_connector_list_iter_begin(drm, &iter);
	drm_for_each_connector_iter(connector, &iter)
		all &= !!connector->state;
	drm_connector_list_iter_end(&iter);

	return all;
}

/**
 * vgpu_display_init - make what DRM knows of outputs
 * @vgpu: a device, whose host is not asked
 *
 * Return: 0, also without outputs, -ENOMEM, or a negative errno of DRM.
 */
int vgpu_display_init(struct vgpu_device *vgpu)
{
	struct drm_device *drm = vgpu->drm;
	struct drm_mode_config *config = &drm->mode_config;
	int ret;
	u32 i;

	if (!vgpu->num_outputs)
		return 0;

	vgpu->outputs = drmm_kcalloc(drm, vgpu->num_outputs,
				     sizeof(*vgpu->outputs), GFP_KERNEL);
	if (!vgpu->outputs)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(drm, outputs_fini, vgpu);
	if (!ret)
		ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;

	config->funcs = &vgpu_mode_config_funcs;
	config->min_width = MIN_SIZE;
	config->min_height = MIN_SIZE;
	config->max_width = MAX_SIZE;
	config->max_height = MAX_SIZE;
	config->fb_modifiers_not_supported = true;
	config->quirk_addfb_prefer_host_byte_order = true;

	for (i = 0; i < vgpu->num_outputs; i++) {
		ret = output_init(vgpu, i);
		if (ret)
			return ret;
	}
	ret = drm_vblank_init(drm, vgpu->num_outputs);
	if (ret)
		return ret;
	/* after that, for it has them switched off until a CRTC is on */
	drm_mode_config_reset(drm);

	return all_have_a_state(drm) ? 0 : -ENOMEM;
}
