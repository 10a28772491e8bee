// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu devices without memory
 *
 * A device is brought up, and wakes from sleep. A device that did not come up is given
 * back whole. One that did not wake can be put to sleep and woken again; what it lost of
 * buffers and contexts comes with the next use.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "../virtgpu_context.h"
#include "../virtgpu_display.h"
#include "../virtgpu_object.h"
#include "../virtgpu_pm.h"
#include "../virtgpu_window.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"
#include "virtgpu_mock_transport.h"

/**
 * struct device_ctx - what the attempts work on
 */
struct device_ctx {
	/** @first: a device that is there all the time, for what is made with one */
	struct vgpu_device *first;

	/** @drm: of the device that is to be brought up */
	struct drm_device *drm;

	/** @file: a client with a context */
	struct drm_file *file;

	/** @frame: what is on the screen */
	struct mock_frame frame;
};

static int device_test_init(struct kunit *test)
{
	struct device_ctx *ctx;
	struct mock_host *host;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	host = mock_transport_create(test);
	ctx->first = host->vgpu;
	host->priv = ctx;
	test->priv = host;
	return 0;
}

static void device_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct device_ctx *ctx;

	if (!host)
		return;
	ctx = host->priv;
	if (ctx->file) {
		list_del_init(&ctx->file->lhead);
		drm_atomic_helper_shutdown(host->vgpu->drm);
	}
	mock_host_end(host);
}

static struct device_ctx *ctx_of(struct kunit *test)
{
	struct mock_host *host = test->priv;

	return host->priv;
}

/* DRM's own part is made beforehand: that is not ours. */
static void have_drm(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_device *drm;

	drm = drm_dev_alloc(&mock_host_driver, host->vdev.dev.parent);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	ctx_of(test)->drm = drm;
	host->status = 0;
}

static int bring_up(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu;
	int ret;

	vgpu = vgpu_device_setup(ctx_of(test)->drm, &host->vdev);
	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);

	host->vgpu = vgpu;
	host->vdev.priv = vgpu;
	ret = vgpu_device_init(vgpu);
	if (!ret)
		vgpu_device_start(vgpu);
	return ret;
}

/* It can be asked, and has what there is to show something with. */
static void end_device(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];

	KUNIT_EXPECT_NOT_NULL(test, output->crtc.state);
	KUNIT_EXPECT_NOT_NULL(test, output->crtc.primary->state);
	KUNIT_EXPECT_NOT_NULL(test, output->crtc.cursor->state);
	KUNIT_EXPECT_NOT_NULL(test, output->connector.state);
	vgpu_windows_query(host->vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	KUNIT_EXPECT_EQ(test, output->display.rect.width, MOCK_CLIENT_WIDTH);
	vgpu_device_stop(host->vgpu);
}

static void expect_no_device(struct kunit *test)
{
	struct mock_host *host = test->priv;

	KUNIT_EXPECT_NULL(test, host->vq);
}

static void end_drm(struct kunit *test)
{
	struct mock_host *host = test->priv;

	host->vgpu = ctx_of(test)->first;
	host->vdev.priv = host->vgpu;
	drm_dev_put(ctx_of(test)->drm);
}

/* A client that shows something, and has a context that its buffer is known in. */
static void have_client(struct kunit *test)
{
	struct device_ctx *ctx = ctx_of(test);
	struct mock_host *host = test->priv;
	struct vgpu_file *vfile;
	u32 handle;

	KUNIT_ASSERT_EQ(test, vgpu_device_init(host->vgpu), 0);
	vgpu_device_start(host->vgpu);
	host->vgpu->has_virgl = true;
	ctx->file = mock_host_open(test, host);
	list_add(&ctx->file->lhead, &host->vgpu->drm->filelist);
	vfile = ctx->file->driver_priv;
	scoped_guard(mutex, &vfile->lock)
		KUNIT_ASSERT_EQ(test,
				vgpu_file_create_context(host->vgpu, vfile), 0);
	mock_client_object(test, ctx->file, &handle);
	ctx->frame.fb = mock_client_fb(test, ctx->file);
}

static void sleep_with_frame(struct kunit *test)
{
	struct device_ctx *ctx = ctx_of(test);
	struct mock_host *host = test->priv;

	if (!ctx->file)
		have_client(test);
	KUNIT_ASSERT_EQ(test, mock_screen_show(host, &ctx->frame), 0);
	mock_host_settle(host);
	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
}

static int wake(struct kunit *test)
{
	struct mock_host *host = test->priv;

	return vgpu_restore(&host->vdev);
}

/* What a user does whose machine did not wake well. */
static void sleep_and_wake_again(struct kunit *test)
{
	struct mock_host *host = test->priv;

	if (host->vq)
		KUNIT_EXPECT_EQ(test, vgpu_freeze(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, wake(test), 0);
}

static void use_all(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct vgpu_file *vfile = ctx_of(test)->file->driver_priv;
	struct vgpu_object *vobj = NULL;

	scoped_guard(mutex, &vfile->lock)
		KUNIT_EXPECT_EQ(test, vgpu_file_create_context(vgpu, vfile), 0);
	while ((vobj = vgpu_object_next(vgpu, vobj))) {
		dma_resv_lock(vobj->storage.base.resv, NULL);
		KUNIT_EXPECT_EQ(test, vgpu_object_attach_locked(vobj, NULL), 0);
		KUNIT_EXPECT_TRUE(test, vobj->res.created);
		dma_resv_unlock(vobj->storage.base.resv);
	}
	vgpu_queue_kick(&vgpu->ctrl);
	mock_host_settle(host);
}

static const struct fault_op ops[] = {
	{
		.name = "virtio-gpu device",
		.prepare = have_drm,
		.run = bring_up,
		.good = end_device,
		.refused = expect_no_device,
		.finish = end_drm,
		.least = 50,
	},
	{
		.name = "virtio-gpu resume",
		.prepare = sleep_with_frame,
		.run = wake,
		.refused = sleep_and_wake_again,
		.finish = use_all,
		/* the queues: without memory for the picture it wakes all the same */
		.least = 4,
	},
};

static void op_desc(const struct fault_op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, ops, op_desc);

/* Succeeds if every allocation can fail. */
static void out_of_memory_of_device(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE_PARAM(out_of_memory_of_device, op_gen_params),
	{}
};

static struct kunit_suite device_suite = {
	.name = "virtio_gpu_fault_device",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = device_cases,
};

kunit_test_suite(device_suite);
