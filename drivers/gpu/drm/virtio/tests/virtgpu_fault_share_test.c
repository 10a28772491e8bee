// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu and other devices without memory
 *
 * A dma-buf of another driver is imported and told to the host, a buffer of ours is
 * exported, and each allocation of that fails once. What is refused leaves nothing
 * attached or mapped, and nobody with a reference.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/virtio_dma_buf.h>

#include <drm/drm_gem.h>

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "../virtgpu_export.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

/**
 * struct share_ctx - what the attempts work on
 */
struct share_ctx {
	/** @host: of the device */
	struct mock_host *host;

	/** @exporter: of @dmabuf */
	struct mock_exporter exporter;

	/** @dmabuf: somebody else's */
	struct dma_buf *dmabuf;

	/** @obj: what was imported, or is to be exported */
	struct drm_gem_object *obj;

	/** @made: what was exported */
	struct dma_buf *made;
};

static struct mock_answer gives_a_name(struct mock_host *host,
				       const struct vgpu_req *req)
{
	static const struct virtio_gpu_resp_resource_uuid uuid;

	return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
			      VIRTIO_GPU_RESP_OK_RESOURCE_UUID, &uuid,
			      sizeof(uuid));
}

static int share_test_init(struct kunit *test)
{
	struct share_ctx *ctx;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->host = mock_host_create(test);
	ctx->host->auto_answer = gives_a_name;
	ctx->host->vgpu->has_uuid = true;
	ctx->dmabuf = mock_export(test, &ctx->exporter);
	test->priv = ctx;
	return 0;
}

static void share_test_exit(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	if (!ctx)
		return;
	dma_buf_put(ctx->dmabuf);
	flush_delayed_fput();
	mock_host_end(ctx->host);
}

/* As if nobody had ever tried to import it. */
static void expect_not_imported(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	mock_host_settle(ctx->host);
	KUNIT_EXPECT_EQ(test, ctx->exporter.mapped, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->dmabuf->attachments));
	KUNIT_EXPECT_EQ(test, file_count(ctx->dmabuf->file), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->host->vgpu->objects));
}

static int import(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	ctx->obj = vgpu_prime_import(ctx->host->vgpu->drm, ctx->dmabuf);
	return PTR_ERR_OR_ZERO(ctx->obj);
}

static void end_import(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	drm_gem_object_put(ctx->obj);
	expect_not_imported(test);
}

static void expect_blobs(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	ctx->host->vgpu->has_blob = true;
}

static void end_blob(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	KUNIT_EXPECT_TRUE(test, to_vgpu_object(ctx->obj)->guest_blob);
	end_import(test);
}

/* One that has no resource yet, and is to be pixels. */
static void have_import(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, import(test), 0);
	to_vgpu_object(ctx->obj)->res.kind = VGPU_RES_2D;
}

static int use(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;
	int ret;

	dma_resv_lock(ctx->obj->resv, NULL);
	ret = vgpu_object_attach_locked(to_vgpu_object(ctx->obj), NULL);
	dma_resv_unlock(ctx->obj->resv);
	vgpu_queue_kick(&ctx->host->vgpu->ctrl);
	return ret;
}

static void expect_unused(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	KUNIT_EXPECT_FALSE(test, to_vgpu_object(ctx->obj)->res.created);
	KUNIT_EXPECT_FALSE(test, to_vgpu_object(ctx->obj)->res.attached);
	/* with memory again, the same object will do */
	KUNIT_EXPECT_EQ(test, use(test), 0);
	KUNIT_EXPECT_EQ(test, ctx->exporter.mapped, 1);
}

/* Shared as it is. */
static void have_own(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;
	struct vgpu_object *vobj;

	vobj = vgpu_object_create(ctx->host->vgpu, PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vobj->res.kind = VGPU_RES_2D;
	vgpu_object_publish(vobj);
	ctx->obj = &vobj->storage.base;
}

static int export(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	ctx->made = vgpu_prime_export(ctx->obj, O_RDWR);
	return PTR_ERR_OR_ZERO(ctx->made);
}

/* As before, but for the name, which the host may have been asked for. */
static void expect_not_exported(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	flush_delayed_fput();
	mock_host_settle(ctx->host);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
	KUNIT_EXPECT_NULL(test, ctx->obj->dma_buf);
}

static void end_export(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;
	uuid_t uuid;

	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(ctx->made, &uuid), 0);
	dma_buf_put(ctx->made);
	expect_not_exported(test);
}

static void end_own(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	drm_gem_object_put(ctx->obj);
	mock_host_settle(ctx->host);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->host->vgpu->objects));
}

static const struct fault_op ops[] = {
	{
		.name = "virtio-gpu import",
		.run = import,
		.good = end_import,
		.refused = expect_not_imported,
		.least = 3,
	},
	{
		.name = "virtio-gpu import as a blob",
		.prepare = expect_blobs,
		.run = import,
		.good = end_blob,
		.refused = expect_not_imported,
		.least = 8,
	},
	{
		.name = "virtio-gpu use of an import",
		.prepare = have_import,
		.run = use,
		.refused = expect_unused,
		.finish = end_import,
		.least = 7,
	},
	{
		.name = "virtio-gpu export",
		.prepare = have_own,
		.run = export,
		.good = end_export,
		.refused = expect_not_exported,
		.finish = end_own,
		.least = 8,
	},
};

static void op_desc(const struct fault_op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, ops, op_desc);

/* Succeeds if every allocation can fail. */
static void out_of_memory_sharing(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE_PARAM(out_of_memory_sharing, op_gen_params),
	{}
};

static struct kunit_suite share_suite = {
	.name = "virtio_gpu_fault_share",
	.init = share_test_init,
	.exit = share_test_exit,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);
