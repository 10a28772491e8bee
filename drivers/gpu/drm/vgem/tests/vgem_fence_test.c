// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem's fences
 *
 * What a client sees that does one thing after the other: attach, signal,
 * forget, close. Nothing here sleeps for a time to pass: expiry is waited for
 * through the fence itself.
 */

#include <kunit/resource.h>
#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/module.h>

#include "vgem_fence_test.h"

#define VGEM_TEST_MAX_PENDING 4096
#define VGEM_TEST_UNTOUCHED   0xfeed

static void vgem_test_fences_fini(void *data)
{
	struct vgem_test_fences *ctx = data;

	vgem_fence_table_fini(&ctx->table);
	dma_resv_fini(&ctx->resv);
}

/* An empty table and an idle reservation object, until the test ends. */
struct vgem_test_fences *vgem_test_fences(struct kunit *test,
					  unsigned long timeout)
{
	struct vgem_test_fences *ctx;
	int ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);

	dma_resv_init(&ctx->resv);
	vgem_fence_table_init(&ctx->table, timeout, VGEM_TEST_MAX_PENDING);
	ret = kunit_add_action_or_reset(test, vgem_test_fences_fini, ctx);
	KUNIT_ASSERT_EQ(test, 0, ret);
	return ctx;
}

/* Attaches what must be possible to attach. */
u32 vgem_test_attach(struct kunit *test, struct vgem_test_fences *ctx,
		     bool write)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, 0, vgem_test_try(ctx, write, &handle));
	KUNIT_ASSERT_NE(test, 0, handle);
	return handle;
}

/* The fences on the reservation object that have not signalled. */
unsigned int vgem_test_count(struct vgem_test_fences *ctx)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_lock(&ctx->resv, NULL);
	dma_resv_for_each_fence(&cursor, &ctx->resv, DMA_RESV_USAGE_BOOKKEEP,
				fence)
		count += !dma_fence_is_signaled(fence);
	dma_resv_unlock(&ctx->resv);

	return count;
}

/* Nothing in the table: no fence, no slot, and the count agrees. */
void vgem_test_expect_empty(struct kunit *test, struct vgem_test_fences *ctx)
{
	bool pending;
	unsigned int num;

	xa_lock_bh(&ctx->table.fences);
	pending = !list_empty(&ctx->table.pending);
	num = ctx->table.num_pending;
	xa_unlock_bh(&ctx->table.fences);

	KUNIT_EXPECT_FALSE(test, pending);
	KUNIT_EXPECT_EQ(test, 0, num);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ctx->table.fences));
}

/* The one fence there is, signalled or not, with a reference of the caller's. */
static struct dma_fence *vgem_test_fence(struct kunit *test,
					 struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(resv, NULL);
	dma_resv_iter_begin(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP);
	fence = dma_fence_get(dma_resv_iter_first(&cursor));
	dma_resv_iter_end(&cursor);
	dma_resv_unlock(resv);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	return fence;
}

static void vgem_test_wait(struct kunit *test, struct vgem_test_fences *ctx)
{
	long left;

	left = dma_resv_wait_timeout(&ctx->resv, DMA_RESV_USAGE_READ, false,
				     20 * HZ);
	KUNIT_ASSERT_GT(test, left, 0);
}

/*
 * Succeeds if a fence keeps the buffer busy from attach to signal, and its
 * handle works once.
 */
static void vgem_fence_test_signal(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct dma_resv *resv = &ctx->resv;
	u32 handle;

	handle = vgem_test_attach(test, ctx, true);
	KUNIT_EXPECT_EQ(test, 1, vgem_test_count(ctx));
	KUNIT_EXPECT_FALSE(test,
			   dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));

	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, handle));
	KUNIT_EXPECT_EQ(test, 0, vgem_test_count(ctx));
	KUNIT_EXPECT_EQ(test, -ENOENT, vgem_test_signal(ctx, handle));
	vgem_test_expect_empty(test, ctx);
}

/* Succeeds if handles that were never given out are not found. */
static void vgem_fence_test_unknown(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	const u32 unknown[] = { 0, 2, INT_MAX, INT_MAX + 1U, UINT_MAX };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 1, vgem_test_attach(test, ctx, false));

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		KUNIT_EXPECT_EQ(test, -ENOENT,
				vgem_test_signal(ctx, unknown[i]));
	KUNIT_EXPECT_EQ(test, 1, vgem_test_count(ctx));
}

/*
 * Succeeds if a handle that was signalled is not given out for the next fence,
 * and a failed attach uses none up.
 */
static void vgem_fence_test_handles(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	u32 handle;

	KUNIT_EXPECT_EQ(test, 1, vgem_test_attach(test, ctx, true));
	KUNIT_EXPECT_EQ(test, -EBUSY, vgem_test_try(ctx, true, &handle));
	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, 1));
	KUNIT_EXPECT_EQ(test, 2, vgem_test_attach(test, ctx, true));
}

/*
 * Succeeds if readers share, writers do not, and an attach that is refused
 * leaves no trace.
 */
static void vgem_fence_test_conflict(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	u32 first, second, writer, refused = VGEM_TEST_UNTOUCHED;

	first = vgem_test_attach(test, ctx, false);
	second = vgem_test_attach(test, ctx, false);
	KUNIT_EXPECT_EQ(test, -EBUSY, vgem_test_try(ctx, true, &refused));
	KUNIT_EXPECT_EQ(test, 2, vgem_test_count(ctx));

	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, first));
	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, second));
	writer = vgem_test_attach(test, ctx, true);
	KUNIT_EXPECT_EQ(test, -EBUSY, vgem_test_try(ctx, false, &refused));
	KUNIT_EXPECT_EQ(test, -EBUSY, vgem_test_try(ctx, true, &refused));
	KUNIT_EXPECT_EQ(test, 1, vgem_test_count(ctx));
	KUNIT_EXPECT_EQ(test, VGEM_TEST_UNTOUCHED, refused);

	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, writer));
	vgem_test_expect_empty(test, ctx);
}

/*
 * Succeeds if a fence nobody signals expires without an error, and its handle
 * says so once.
 */
static void vgem_fence_test_expire(struct kunit *test)
{
	struct vgem_test_fences *ctx =
		vgem_test_fences(test, VGEM_TEST_AT_ONCE);
	struct dma_fence *fence;
	u32 handle;

	handle = vgem_test_attach(test, ctx, true);
	fence = vgem_test_fence(test, &ctx->resv);
	vgem_test_wait(test, ctx);
	KUNIT_EXPECT_EQ(test, 1, dma_fence_get_status(fence));
	dma_fence_put(fence);

	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vgem_test_signal(ctx, handle));
	KUNIT_EXPECT_EQ(test, -ENOENT, vgem_test_signal(ctx, handle));
	vgem_test_expect_empty(test, ctx);
}

/* Succeeds if the timer of a file serves a fence attached while it runs. */
static void vgem_fence_test_expire_later(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, HZ / 20);
	u32 first, second;

	first = vgem_test_attach(test, ctx, false);
	ctx->table.timeout = HZ / 10;
	second = vgem_test_attach(test, ctx, false);
	vgem_test_wait(test, ctx);

	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vgem_test_signal(ctx, first));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, vgem_test_signal(ctx, second));
	vgem_test_expect_empty(test, ctx);
}

/*
 * Succeeds if a client that attaches and never signals leaves no fence behind,
 * and of the handles just the documented number.
 */
static void vgem_fence_test_bounded(struct kunit *test)
{
	const u32 last = 4 * VGEM_FENCE_EXPIRED_KEPT;
	struct vgem_test_fences *ctx =
		vgem_test_fences(test, VGEM_TEST_AT_ONCE);
	u32 handle;

	for (handle = 1; handle <= last; handle++)
		KUNIT_ASSERT_EQ(test, handle,
				vgem_test_attach(test, ctx, false));
	vgem_test_wait(test, ctx);
	vgem_test_expect_empty(test, ctx);

	for (handle = 1; handle <= last; handle++)
		KUNIT_ASSERT_EQ(test,
				handle > last - VGEM_FENCE_EXPIRED_KEPT ?
					-ETIMEDOUT :
					-ENOENT,
				vgem_test_signal(ctx, handle));
}

/*
 * Succeeds if a full table refuses one more fence without a trace, and takes it
 * when there is room.
 */
static void vgem_fence_test_full(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	u32 handle = 0, refused = VGEM_TEST_UNTOUCHED;
	unsigned int i;

	ctx->table.max_pending = 3;
	for (i = 0; i < 3; i++)
		handle = vgem_test_attach(test, ctx, false);
	KUNIT_EXPECT_EQ(test, -ENOSPC, vgem_test_try(ctx, false, &refused));
	KUNIT_EXPECT_EQ(test, VGEM_TEST_UNTOUCHED, refused);
	KUNIT_EXPECT_EQ(test, 3, vgem_test_count(ctx));

	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, handle));
	vgem_test_attach(test, ctx, false);
}

/* Succeeds if closing a file signals what it left pending, without an error. */
static void vgem_fence_test_close(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_fence_table *table;
	struct dma_fence *fence;
	u32 handle;

	table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	vgem_fence_table_init(table, VGEM_TEST_NEVER, VGEM_TEST_MAX_PENDING);

	KUNIT_EXPECT_EQ(test, 0,
			vgem_fence_attach(table, &ctx->resv, true, &handle));
	fence = vgem_test_fence(test, &ctx->resv);
	KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(fence));

	vgem_fence_table_fini(table);
	KUNIT_EXPECT_EQ(test, 1, dma_fence_get_status(fence));
	KUNIT_EXPECT_EQ(test, 0, vgem_test_count(ctx));
	dma_fence_put(fence);
}

/*
 * Succeeds if a fence that someone keeps holds the module after its file is
 * closed and its buffer gone, and gives it back in the end.
 */
static void vgem_fence_test_no_unload(struct kunit *test)
{
	struct vgem_fence_table *table;
	struct dma_fence *fence;
	struct dma_resv resv;
	int before;
	u32 handle;

	if (IS_BUILTIN(CONFIG_DRM_VGEM))
		kunit_skip(test, "vgem is built in");

	table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	vgem_fence_table_init(table, VGEM_TEST_NEVER, VGEM_TEST_MAX_PENDING);
	dma_resv_init(&resv);
	before = module_refcount(THIS_MODULE);

	KUNIT_EXPECT_EQ(test, 0,
			vgem_fence_attach(table, &resv, true, &handle));
	fence = vgem_test_fence(test, &resv);
	vgem_fence_table_fini(table);
	dma_resv_fini(&resv);

	KUNIT_EXPECT_EQ(test, before + 1, module_refcount(THIS_MODULE));
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, before, module_refcount(THIS_MODULE));
}

static struct kunit_case vgem_fence_tests[] = {
	KUNIT_CASE(vgem_fence_test_signal),
	KUNIT_CASE(vgem_fence_test_unknown),
	KUNIT_CASE(vgem_fence_test_handles),
	KUNIT_CASE(vgem_fence_test_conflict),
	KUNIT_CASE(vgem_fence_test_expire),
	KUNIT_CASE(vgem_fence_test_expire_later),
	KUNIT_CASE(vgem_fence_test_bounded),
	KUNIT_CASE(vgem_fence_test_full),
	KUNIT_CASE(vgem_fence_test_close),
	KUNIT_CASE(vgem_fence_test_no_unload),
	{}
};

static struct kunit_suite vgem_fence_suite = {
	.name = "vgem_fence",
	.test_cases = vgem_fence_tests,
};

kunit_test_suite(vgem_fence_suite);
