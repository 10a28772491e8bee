// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu fences
 *
 * The host answers in any order, twice, or with an error. What others see of a
 * timeline is in order, once, and has the error.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/module.h>

#include "../virtgpu_fence.h"

#define COUNT 3

/**
 * struct fence_test - a few fences
 * @fences: where they are listed
 * @fence: the fences, emitted, oldest first
 */
struct fence_test {
	struct vgpu_fences fences;
	struct vgpu_fence *fence[COUNT];
};

static int fence_test_init(struct kunit *test)
{
	struct fence_test *ctx;
	int i;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	test->priv = ctx;
	vgpu_fences_init(&ctx->fences);
	for (i = 0; i < COUNT; i++) {
		ctx->fence[i] = vgpu_fence_create(&ctx->fences);
		KUNIT_ASSERT_NOT_NULL(test, ctx->fence[i]);
		KUNIT_EXPECT_EQ(test, vgpu_fence_emit(ctx->fence[i]), i + 1);
	}
	return 0;
}

static void fence_test_exit(struct kunit *test)
{
	struct fence_test *ctx = test->priv;
	int i;

	for (i = 0; i < COUNT; i++) {
		vgpu_fence_answer(ctx->fence[i], 0);
		vgpu_fence_put(ctx->fence[i]);
	}
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->fences.list));
}

static bool signaled(struct fence_test *ctx, int i)
{
	return dma_fence_is_signaled(&ctx->fence[i]->base);
}

/* Succeeds if each fence signals with its own answer. */
static void fence_in_order(struct kunit *test)
{
	struct fence_test *ctx = test->priv;
	int i;

	for (i = 0; i < COUNT; i++) {
		KUNIT_EXPECT_FALSE(test, signaled(ctx, i));
		vgpu_fence_answer(ctx->fence[i], 0);
		KUNIT_EXPECT_TRUE(test, signaled(ctx, i));
		KUNIT_EXPECT_EQ(test, ctx->fences.answered, i + 1);
	}
}

/* Succeeds if one that is answered early waits for those before it. */
static void fence_out_of_order(struct kunit *test)
{
	struct fence_test *ctx = test->priv;

	vgpu_fence_answer(ctx->fence[2], 0);
	vgpu_fence_answer(ctx->fence[1], 0);
	KUNIT_EXPECT_FALSE(test, signaled(ctx, 1));
	KUNIT_EXPECT_FALSE(test, signaled(ctx, 2));

	vgpu_fence_answer(ctx->fence[0], 0);
	KUNIT_EXPECT_TRUE(test, signaled(ctx, 0));
	KUNIT_EXPECT_TRUE(test, signaled(ctx, 1));
	KUNIT_EXPECT_TRUE(test, signaled(ctx, 2));
}

/* Succeeds if timelines do not wait for each other. */
static void fence_other_timeline(struct kunit *test)
{
	struct fence_test *ctx = test->priv;
	u64 rings = dma_fence_context_alloc(2);
	struct vgpu_fence *ring, *early;

	ring = vgpu_fence_create_on_ring(&ctx->fences, rings, 1);
	early = vgpu_fence_create_early(&ctx->fences);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_ASSERT_NOT_NULL(test, early);
	KUNIT_EXPECT_EQ(test, ring->base.context, rings + 1);
	/* what others may see before it is queued is in order even then */
	KUNIT_EXPECT_NE(test, early->base.seqno, 0);

	KUNIT_EXPECT_EQ(test, vgpu_fence_emit(ring), COUNT + 1);
	KUNIT_EXPECT_EQ(test, vgpu_fence_emit(early), COUNT + 2);
	vgpu_fence_answer(early, 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&early->base));
	vgpu_fence_answer(ring, 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&ring->base));
	KUNIT_EXPECT_FALSE(test, signaled(ctx, 0));

	vgpu_fence_put(ring);
	vgpu_fence_put(early);
}

/* Succeeds if a failure is told of, and the first answer is the one that counts. */
static void fence_error(struct kunit *test)
{
	struct fence_test *ctx = test->priv;

	vgpu_fence_answer(ctx->fence[1], -EIO);
	vgpu_fence_answer(ctx->fence[1], -EINVAL);
	vgpu_fence_answer(ctx->fence[0], 0);
	vgpu_fence_answer(ctx->fence[0], -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&ctx->fence[0]->base), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&ctx->fence[1]->base), -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&ctx->fence[2]->base), 0);
}

/* Succeeds if a fence without a command signals, and one with it waits. */
static void fence_abandon(struct kunit *test)
{
	struct fence_test *ctx = test->priv;
	struct vgpu_fence *early = vgpu_fence_create_early(&ctx->fences);

	KUNIT_ASSERT_NOT_NULL(test, early);
	vgpu_fence_abandon(early, -ECANCELED);
	vgpu_fence_abandon(early, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&early->base), -ECANCELED);
	vgpu_fence_put(early);

	vgpu_fence_abandon(ctx->fence[0], -ECANCELED);
	KUNIT_EXPECT_FALSE(test, signaled(ctx, 0));
	vgpu_fence_abandon(NULL, 0);
}

/* Succeeds if a fence can be kept when the list it was in is gone. */
static void fence_outlives_device(struct kunit *test)
{
	struct vgpu_fences *fences = kzalloc(sizeof(*fences), GFP_KERNEL);
	struct vgpu_fence *fence;

	KUNIT_ASSERT_NOT_NULL(test, fences);
	vgpu_fences_init(fences);
	fence = vgpu_fence_create(fences);
	if (fence) {
		vgpu_fence_emit(fence);
		vgpu_fence_answer(fence, -ENODEV);
	}
	kfree(fences);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&fence->base), -ENODEV);
	KUNIT_EXPECT_STREQ(test, fence->base.ops->get_driver_name(&fence->base),
			   "virtio_gpu");
	KUNIT_EXPECT_STREQ(test,
			   fence->base.ops->get_timeline_name(&fence->base),
			   "controlq");
	vgpu_fence_put(fence);
}

/* Succeeds if the module stays for as long as somebody has a fence, and no longer. */
static void fence_holds_the_module(struct kunit *test)
{
	struct fence_test *ctx = test->priv;
	int before = module_refcount(THIS_MODULE);
	struct vgpu_fence *fence = vgpu_fence_create(&ctx->fences);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	vgpu_fence_emit(fence);
	vgpu_fence_answer(fence, 0);
	/* it waits for those before it */
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	vgpu_fence_answer(ctx->fence[0], 0);
	vgpu_fence_answer(ctx->fence[1], 0);
	vgpu_fence_answer(ctx->fence[2], 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	vgpu_fence_put(fence);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
}

static struct kunit_case fence_cases[] = { KUNIT_CASE(fence_in_order),
					   KUNIT_CASE(fence_out_of_order),
					   KUNIT_CASE(fence_other_timeline),
					   KUNIT_CASE(fence_error),
					   KUNIT_CASE(fence_abandon),
					   KUNIT_CASE(fence_outlives_device),
					   KUNIT_CASE(fence_holds_the_module),
					   {} };

static struct kunit_suite fence_suite = {
	.name = "virtio_gpu_fence",
	.init = fence_test_init,
	.exit = fence_test_exit,
	.test_cases = fence_cases,
};

kunit_test_suite(fence_suite);
