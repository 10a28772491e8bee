// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem's fences out of memory
 *
 * An attach makes a fence, room for it on the buffer, and a handle. Whichever of
 * them cannot be had, the client gets -ENOMEM, and neither the buffer nor the
 * file's table tells that it was tried: a slot that were lost each time would
 * end in -ENOSPC for good.
 */

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "vgem_fence_test.h"

/**
 * struct vgem_fault_ctx - what the attempts work on
 * @fences: an empty table and an idle reservation object
 * @handle: what attach gave
 */
struct vgem_fault_ctx {
	struct vgem_test_fences *fences;
	u32 handle;
};

static int vgem_fault_init(struct kunit *test)
{
	struct vgem_fault_ctx *ctx;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->fences = vgem_test_fences(test, VGEM_TEST_NEVER);
	test->priv = ctx;
	return 0;
}

/* A buffer that never had a fence has no room for one. */
static void vgem_fault_new_buffer(struct kunit *test)
{
	struct vgem_fault_ctx *ctx = test->priv;

	dma_resv_fini(&ctx->fences->resv);
	dma_resv_init(&ctx->fences->resv);
}

static int vgem_fault_attach(struct kunit *test)
{
	struct vgem_fault_ctx *ctx = test->priv;

	return vgem_test_try(ctx->fences, true, &ctx->handle);
}

static void vgem_fault_good(struct kunit *test)
{
	struct vgem_fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, vgem_test_count(ctx->fences), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_signal(ctx->fences, ctx->handle), 0);
	vgem_test_expect_empty(test, ctx->fences);
}

static void vgem_fault_refused(struct kunit *test)
{
	struct vgem_fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, vgem_test_count(ctx->fences), 0);
	vgem_test_expect_empty(test, ctx->fences);
}

/* Signalling gives back, and so must do without memory. */

static void vgem_fault_attach_well(struct kunit *test)
{
	vgem_fault_new_buffer(test);
	KUNIT_ASSERT_EQ(test, vgem_fault_attach(test), 0);
}

static int vgem_fault_signal(struct kunit *test)
{
	struct vgem_fault_ctx *ctx = test->priv;

	return vgem_test_signal(ctx->fences, ctx->handle);
}

static const struct fault_op vgem_fault_ops[] = {
	{ .name = "vgem_fence_attach",
	  .prepare = vgem_fault_new_buffer,
	  .run = vgem_fault_attach,
	  .good = vgem_fault_good,
	  .refused = vgem_fault_refused,
	  .least = 2 },
	{ .name = "vgem_fence_signal",
	  .prepare = vgem_fault_attach_well,
	  .run = vgem_fault_signal,
	  .good = vgem_fault_refused },
};

KUNIT_ARRAY_PARAM_DESC(vgem_fault_op, vgem_fault_ops, name);

/* Succeeds if a fence is there with all that belongs to it, or not at all. */
static void vgem_fault_fence(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case vgem_fault_cases[] = {
	KUNIT_CASE_PARAM(vgem_fault_fence, vgem_fault_op_gen_params),
	{}
};

static struct kunit_suite vgem_fault_suite = {
	.name = "vgem_fence_fault",
	.init = vgem_fault_init,
	.test_cases = vgem_fault_cases,
};

kunit_test_suite(vgem_fault_suite);
