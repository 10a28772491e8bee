// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: a screen for tests
 *
 * What a compositor does: a commit of all that the first output shows, as a client
 * of the atomic interface makes it. And what the monitor says of itself.
 */

#include <linux/err.h>
#include <linux/string.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_uapi.h>
#include <drm/drm_edid.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_property.h>

#include "../virtgpu_display.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_fence.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

static const struct drm_display_mode mode = {
	DRM_MODE("640x480", DRM_MODE_TYPE_DRIVER, 25175, 640, 656, 752, 800, 0,
		 480, 490, 492, 525, 0, 0),
};

/**
 * mock_screen_test_init - &kunit_suite.init of what needs a screen
 * @test: gets a host that obeys, of a device with outputs, in its private pointer
 *
 * Return: 0.
 */
int mock_screen_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->num_outputs = VIRTIO_GPU_MAX_SCANOUTS;
	/* the helper has made one, which would be lost under the driver's */
	drm_mode_config_cleanup(host->vgpu->drm);
	KUNIT_ASSERT_EQ(test, vgpu_display_init(host->vgpu), 0);
	test->priv = host;
	return 0;
}

/**
 * mock_screen_test_exit - &kunit_suite.exit for mock_screen_test_init()
 * @test: the test
 */
void mock_screen_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;

	if (!host)
		return;
	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_end(host);
}

static int fill_primary(struct drm_plane_state *plane, struct drm_crtc *crtc,
			const struct mock_frame *frame)
{
	int ret;

	ret = drm_atomic_set_crtc_for_plane(plane, frame->fb ? crtc : NULL);
	drm_atomic_set_fb_for_plane(plane, frame->fb);
	if (ret || !frame->fb)
		return ret;

	plane->crtc_w = MOCK_CLIENT_WIDTH;
	plane->crtc_h = MOCK_CLIENT_HEIGHT;
	plane->src_w = MOCK_CLIENT_WIDTH << 16;
	plane->src_h = MOCK_CLIENT_HEIGHT << 16;
	if (frame->fence)
		plane->fence = dma_fence_get(&frame->fence->base);
	if (!frame->clip)
		return 0;

	plane->fb_damage_clips = drm_property_create_blob(plane->plane->dev,
							  sizeof(*frame->clip),
							  frame->clip);
	if (!IS_ERR(plane->fb_damage_clips))
		return 0;
	plane->fb_damage_clips = NULL;
	return -ENOMEM;
}

static int fill_cursor(struct drm_plane_state *plane, struct drm_crtc *crtc,
		       const struct mock_frame *frame)
{
	int ret;

	ret = drm_atomic_set_crtc_for_plane(plane, frame->cursor ? crtc : NULL);
	drm_atomic_set_fb_for_plane(plane, frame->cursor);
	if (ret || !frame->cursor)
		return ret;

	plane->crtc_x = frame->x;
	plane->crtc_y = frame->x;
	plane->crtc_w = MOCK_CLIENT_WIDTH;
	plane->crtc_h = MOCK_CLIENT_HEIGHT;
	plane->src_w = MOCK_CLIENT_WIDTH << 16;
	plane->src_h = MOCK_CLIENT_HEIGHT << 16;
	plane->hotspot_x = frame->hot;
	plane->hotspot_y = frame->hot;
	return 0;
}

static int fill_state(struct drm_atomic_state *state,
		      struct vgpu_output *output,
		      const struct mock_frame *frame)
{
	struct drm_connector_state *connector;
	struct drm_display_mode timed;
	struct drm_plane_state *plane;
	struct drm_crtc_state *crtc;
	int ret;

	crtc = drm_atomic_get_crtc_state(state, &output->crtc);
	if (IS_ERR(crtc))
		return PTR_ERR(crtc);
	connector = drm_atomic_get_connector_state(state, &output->connector);
	if (IS_ERR(connector))
		return PTR_ERR(connector);
	plane = drm_atomic_get_plane_state(state, output->crtc.primary);
	if (IS_ERR(plane))
		return PTR_ERR(plane);

	crtc->active = !frame->off;
	/* as one that a client sets */
	drm_mode_init(&timed, &mode);
	drm_mode_set_crtcinfo(&timed, CRTC_INTERLACE_HALVE_V);
	ret = drm_atomic_set_mode_for_crtc(crtc, &timed);
	if (!ret)
		ret = drm_atomic_set_crtc_for_connector(connector,
							&output->crtc);
	if (!ret)
		ret = fill_primary(plane, &output->crtc, frame);
	if (ret || (!frame->cursor && !frame->no_cursor))
		return ret;

	plane = drm_atomic_get_plane_state(state, output->crtc.cursor);
	if (IS_ERR(plane))
		return PTR_ERR(plane);
	return fill_cursor(plane, &output->crtc, frame);
}

/**
 * mock_screen_show - commit a frame, and wait until that is done if it says so
 * @host: the host, which has to answer
 * @frame: what is to be shown on the first output
 *
 * Return: as drm_atomic_commit(), or -ENOMEM.
 */
int mock_screen_show(struct mock_host *host, const struct mock_frame *frame)
{
	struct drm_device *drm = host->vgpu->drm;
	struct drm_modeset_acquire_ctx ctx;
	struct drm_atomic_state *state;
	int ret;

	state = drm_atomic_state_alloc(drm);
	if (!state)
		return -ENOMEM;
	drm_modeset_acquire_init(&ctx, 0);
	state->acquire_ctx = &ctx;
	do {
		ret = fill_state(state, &host->vgpu->outputs[0], frame);
		if (!ret)
			ret = frame->nonblock ?
				      drm_atomic_nonblocking_commit(state) :
				      drm_atomic_commit(state);
		/* a debug kernel has locks fail now and then */
		if (ret == -EDEADLK) {
			drm_atomic_state_clear(state);
			drm_modeset_backoff(&ctx);
		}
	} while (ret == -EDEADLK);
	drm_atomic_state_put(state);
	drm_modeset_drop_locks(&ctx);
	drm_modeset_acquire_fini(&ctx);
	return ret;
}

/**
 * mock_screen_show_fb - mock_screen_show() of a framebuffer and nothing else
 * @host: the host
 * @fb: the framebuffer
 *
 * Return: as mock_screen_show().
 */
int mock_screen_show_fb(struct mock_host *host, struct drm_framebuffer *fb)
{
	const struct mock_frame frame = { .fb = fb };

	return mock_screen_show(host, &frame);
}

/**
 * mock_screen_edid - what a monitor says of itself
 * @edid: gets a block
 * @extensions: how many it says come after it
 */
void mock_screen_edid(u8 *edid, u8 extensions)
{
	static const u8 begin[] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				    0x00, 0x34, 0x12, 1,    0,	  1,	0,
				    0,	  0,	1,    30,   1,	  4 };
	u8 sum = 0;
	int i;

	memcpy(edid, begin, sizeof(begin));
	edid[EDID_LENGTH - 2] = extensions;
	for (i = 0; i < EDID_LENGTH - 1; i++)
		sum += edid[i];
	edid[EDID_LENGTH - 1] = -sum;
}
