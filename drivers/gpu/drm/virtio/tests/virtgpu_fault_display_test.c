// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu displays without memory
 *
 * What a compositor asks for, and what is asked of the host about its windows. A
 * question without memory is not asked: what was known of a window stays, and a mode
 * that there is no memory for is one mode less.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/list.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "../virtgpu_display.h"
#include "../virtgpu_framebuffer.h"
#include "../virtgpu_import.h"
#include "../virtgpu_window.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"
#include "virtgpu_mock_transport.h"

/* A window as no list of modes has it. */
#define ODD_WIDTH  1016
#define ODD_HEIGHT 617

/**
 * struct display_ctx - what the attempts work on
 */
struct display_ctx {
	/** @file: the client */
	struct drm_file *file;

	/** @exporter: of @dmabuf */
	struct mock_exporter exporter;

	/** @dmabuf: somebody else's */
	struct dma_buf *dmabuf;

	/** @handle: of what was imported */
	u32 handle;

	/** @fb: what was made of it */
	struct drm_framebuffer *fb;

	/** @frame: what is to be shown */
	struct mock_frame frame;

	/** @modes: how many there are with memory, 0 before that is known */
	int modes;
};

static struct mock_answer tells_all(struct mock_host *host,
				    const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_edid edid;

	if (le32_to_cpu(req->hdr.type) != VIRTIO_GPU_CMD_GET_EDID)
		return mock_transport_windows(host, req);
	memset(&edid, 0, sizeof(edid));
	edid.size = cpu_to_le32(EDID_LENGTH);
	mock_screen_edid(edid.edid, 0);
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_EDID,
			      VIRTIO_GPU_RESP_OK_EDID, &edid, sizeof(edid));
}

static int display_test_init(struct kunit *test)
{
	struct display_ctx *ctx;
	struct mock_host *host;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	host = mock_transport_create(test);
	host->window.width = ODD_WIDTH;
	host->window.height = ODD_HEIGHT;
	KUNIT_ASSERT_EQ(test, vgpu_device_init(host->vgpu), 0);
	vgpu_device_start(host->vgpu);
	/* nobody takes what is in it */
	vgpu_queue_stop(&host->vgpu->cursor);
	host->auto_answer = tells_all;
	host->priv = ctx;
	ctx->file = mock_host_open(test, host);
	ctx->dmabuf = mock_export(test, &ctx->exporter);
	test->priv = host;
	return 0;
}

static void display_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct display_ctx *ctx;

	if (!host)
		return;
	ctx = host->priv;
	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_settle(host);
	dma_buf_put(ctx->dmabuf);
	flush_delayed_fput();
	mock_host_end(host);
}

static struct display_ctx *ctx_of(struct kunit *test)
{
	struct mock_host *host = test->priv;

	return host->priv;
}

static struct vgpu_output *first_output(struct kunit *test)
{
	struct mock_host *host = test->priv;

	return &host->vgpu->outputs[0];
}

/* Without a resource of its own, so that a framebuffer of it has a view. */
static void have_import(struct kunit *test)
{
	struct display_ctx *ctx = ctx_of(test);
	struct mock_host *host = test->priv;
	struct drm_gem_object *obj;

	obj = vgpu_prime_import(host->vgpu->drm, ctx->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test,
			drm_gem_handle_create(ctx->file, obj, &ctx->handle), 0);
	drm_gem_object_put(obj);
}

static int add_fb(struct kunit *test)
{
	struct display_ctx *ctx = ctx_of(test);
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	const struct drm_mode_fb_cmd2 cmd = {
		.width = 16,
		.height = 16,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
		.handles = { ctx->handle },
		.pitches = { 16 * 4 },
	};

	ctx->fb = drm->mode_config.funcs->fb_create(drm, ctx->file, &cmd);
	return PTR_ERR_OR_ZERO(ctx->fb);
}

static void expect_no_fb(struct kunit *test)
{
	struct display_ctx *ctx = ctx_of(test);
	struct mock_host *host = test->priv;
	struct drm_gem_object *obj;

	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test,
			  list_empty(&host->vgpu->drm->mode_config.fb_list));
	obj = drm_gem_object_lookup(ctx->file, ctx->handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	/* the handle's and this one */
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), 2);
	drm_gem_object_put(obj);
}

static void end_fb(struct kunit *test)
{
	struct display_ctx *ctx = ctx_of(test);

	KUNIT_EXPECT_TRUE(test, to_vgpu_framebuffer(ctx->fb)->has_view);
	drm_framebuffer_put(ctx->fb);
	expect_no_fb(test);
}

static void end_import(struct kunit *test)
{
	struct display_ctx *ctx = ctx_of(test);
	struct mock_host *host = test->priv;

	drm_gem_handle_delete(ctx->file, ctx->handle);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->dmabuf->attachments));
}

/* Each of many pages fails like the others, and that is not ours. */
static void have_pages(struct kunit *test, struct drm_framebuffer *fb)
{
	struct drm_gem_object *obj = fb->obj[0];

	dma_resv_lock(obj->resv, NULL);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_pin(obj), 0);
	drm_gem_storage_unpin(obj);
	dma_resv_unlock(obj->resv);
}

/* New ones, which the host knows nothing of. */
static void have_frame(struct kunit *test)
{
	struct display_ctx *ctx = ctx_of(test);

	ctx->frame.fb = mock_client_fb(test, ctx->file);
	ctx->frame.cursor =
		mock_client_fb_of(test, ctx->file, DRM_FORMAT_HOST_ARGB8888);
	have_pages(test, ctx->frame.fb);
	have_pages(test, ctx->frame.cursor);
}

static int show(struct kunit *test)
{
	return mock_screen_show(test->priv, &ctx_of(test)->frame);
}

static void expect_scanouts(struct kunit *test, unsigned int count)
{
	const struct mock_frame *frame = &ctx_of(test)->frame;
	struct vgpu_object *cursor = to_vgpu_object(frame->cursor->obj[0]);
	struct vgpu_object *shown = to_vgpu_object(frame->fb->obj[0]);

	KUNIT_EXPECT_EQ(test, shown->scanouts, count);
	KUNIT_EXPECT_EQ(test, cursor->scanouts, count);
}

static void expect_shown(struct kunit *test)
{
	expect_scanouts(test, 1);
}

/* Nobody else may be waited for, or kept from moving the memory. */
static void expect_not_shown(struct kunit *test)
{
	const struct mock_frame *frame = &ctx_of(test)->frame;

	expect_scanouts(test, 0);
	KUNIT_EXPECT_TRUE(test,
			  dma_resv_test_signaled(frame->fb->obj[0]->resv,
						 DMA_RESV_USAGE_BOOKKEEP));
}

static void have_shown(struct kunit *test)
{
	have_frame(test);
	KUNIT_ASSERT_EQ(test, show(test), 0);
}

static int switch_off(struct kunit *test)
{
	struct mock_frame frame = ctx_of(test)->frame;

	frame.cursor = NULL;
	frame.no_cursor = true;
	frame.off = true;
	return mock_screen_show(test->priv, &frame);
}

static void expect_off(struct kunit *test)
{
	struct drm_crtc *crtc = &first_output(test)->crtc;

	KUNIT_EXPECT_FALSE(test, crtc->state->active);
	KUNIT_EXPECT_NULL(test, crtc->cursor->state->fb);
}

static void expect_on(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, first_output(test)->crtc.state->active);
	expect_shown(test);
}

static void end_frame(struct kunit *test)
{
	const struct mock_frame *frame = &ctx_of(test)->frame;
	struct mock_host *host = test->priv;

	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_settle(host);
	expect_scanouts(test, 0);
	mock_client_end_fb(test, frame->cursor);
	mock_client_end_fb(test, frame->fb);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, list_empty(&host->vgpu->objects));
}

static void forget_window(struct kunit *test)
{
	struct vgpu_output *output = first_output(test);
	struct mock_host *host = test->priv;

	host->vgpu->has_edid = true;
	drm_edid_free(output->edid);
	output->edid = NULL;
	output->display = (struct vgpu_display){};
}

/* The one that has no errno: what there was no memory for is as it was. */
static int query(struct kunit *test)
{
	struct vgpu_output *output = first_output(test);
	struct mock_host *host = test->priv;

	vgpu_windows_query(host->vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	return output->edid && output->display.enabled ? 0 : -ENOMEM;
}

static void expect_window(struct kunit *test)
{
	struct vgpu_output *output = first_output(test);

	KUNIT_EXPECT_EQ(test, output->display.rect.width, ODD_WIDTH);
	KUNIT_EXPECT_EQ(test, output->display.rect.height, ODD_HEIGHT);
}

static void expect_old_window(struct kunit *test)
{
	struct vgpu_output *output = first_output(test);

	mock_host_settle(test->priv);
	if (!output->display.enabled)
		KUNIT_EXPECT_EQ(test, output->display.rect.width, 0);
}

/* Of a window without a monitor, whose size is a mode as well. */
static int get_modes(struct kunit *test)
{
	struct drm_connector *connector = &first_output(test)->connector;
	const struct drm_connector_helper_funcs *funcs =
		connector->helper_private;
	struct display_ctx *ctx = ctx_of(test);
	int count;

	scoped_guard(mutex, &connector->dev->mode_config.mutex)
		count = funcs->get_modes(connector);
	if (!ctx->modes)
		ctx->modes = count;
	return count < ctx->modes ? -ENOMEM : 0;
}

static bool is_odd(const struct drm_display_mode *mode)
{
	/* in whole characters */
	return mode->hdisplay == ODD_WIDTH && mode->vdisplay == ODD_HEIGHT &&
	       mode->type & DRM_MODE_TYPE_PREFERRED;
}

static unsigned int drop_modes(struct kunit *test)
{
	struct drm_connector *connector = &first_output(test)->connector;
	struct drm_display_mode *mode, *next;
	unsigned int odd = 0;

	list_for_each_entry_safe(mode, next, &connector->probed_modes, head) {
		odd += is_odd(mode);
		list_del(&mode->head);
		drm_mode_destroy(connector->dev, mode);
	}
	return odd;
}

static void end_modes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, drop_modes(test), 1);
}

static void expect_less_modes(struct kunit *test)
{
	KUNIT_EXPECT_LE(test, drop_modes(test), 1);
}

static const struct fault_op ops[] = {
	{
		.name = "virtio-gpu framebuffer",
		.prepare = have_import,
		.run = add_fb,
		.good = end_fb,
		.refused = expect_no_fb,
		.finish = end_import,
		.least = 2,
	},
	{
		.name = "virtio-gpu commit",
		.prepare = have_frame,
		.run = show,
		.good = expect_shown,
		.refused = expect_not_shown,
		.finish = end_frame,
		.least = 20,
	},
	{
		.name = "virtio-gpu switching off",
		.prepare = have_shown,
		.run = switch_off,
		.good = expect_off,
		.refused = expect_on,
		.finish = end_frame,
		.least = 10,
	},
	{
		.name = "virtio-gpu windows",
		.prepare = forget_window,
		.run = query,
		.good = expect_window,
		.refused = expect_old_window,
		.least = 5,
	},
	{
		.name = "virtio-gpu modes",
		.run = get_modes,
		.good = end_modes,
		.refused = expect_less_modes,
		.least = 10,
	},
};

static void op_desc(const struct fault_op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, ops, op_desc);

/* Succeeds if every allocation can fail. */
static void out_of_memory_showing(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case display_cases[] = {
	KUNIT_CASE_PARAM(out_of_memory_showing, op_gen_params),
	{}
};

static struct kunit_suite display_suite = {
	.name = "virtio_gpu_fault_display",
	.init = display_test_init,
	.exit = display_test_exit,
	.test_cases = display_cases,
};

kunit_test_suite(display_suite);
