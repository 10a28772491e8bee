// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of brackets out of memory
 *
 * A bracket takes pages for either view, and addresses to copy by. Whichever cannot
 * be had, the client gets -ENOMEM, and the bracket is where it was: not begun, or
 * not ended, with nothing lost of what was written in it.
 */

#include <kunit/test.h>

#include <linux/dma-buf.h>

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "../vgem_coherence.h"
#include "vgem_coherence_bench.h"

#define HERE 100

static void fresh_prepare(struct kunit *test)
{
	vgem_test_drop_buffer(test);
	vgem_test_make_buffer(test, VGEM_TEST_SIZE);
}

static int begin_run(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	return dma_buf_begin_cpu_access(ctx->dmabuf, DMA_BIDIRECTIONAL);
}

static int end_run(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	return dma_buf_end_cpu_access(ctx->dmabuf, DMA_BIDIRECTIONAL);
}

static void expect_writers(struct kunit *test, unsigned int writers)
{
	struct vgem_test_views *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->buffer->views.writers, writers);
	KUNIT_EXPECT_EQ(test, ctx->buffer->storage.vmap_count, 0);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&ctx->buffer->views.lock));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(ctx->dmabuf->resv));
}

static void begin_good(struct kunit *test)
{
	expect_writers(test, 1);
	KUNIT_EXPECT_EQ(test, end_run(test), 0);
}

static void begin_refused(struct kunit *test)
{
	expect_writers(test, 0);
}

/* As a process does, but without page tables that could be short of memory. */
static void end_prepare(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct vgem_views *views;

	fresh_prepare(test);
	KUNIT_ASSERT_EQ(test, begin_run(test), 0);
	views = &ctx->buffer->views;
	mutex_lock(&views->lock);
	vgem_views_write_page_locked(views, 0);
	views->cpu[HERE] = 1;
	mutex_unlock(&views->lock);
}

static void end_good(struct kunit *test)
{
	expect_writers(test, 0);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
}

static void end_refused(struct kunit *test)
{
	expect_writers(test, 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 0);
	KUNIT_EXPECT_EQ(test, end_run(test), 0);
	end_good(test);
}

static int alloc_run(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct vgem_views *views = &ctx->buffer->views;
	int ret;

	mutex_lock(&views->lock);
	ret = vgem_views_alloc_locked(views);
	mutex_unlock(&views->lock);

	return ret;
}

static void alloc_refused(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	KUNIT_EXPECT_NULL(test, ctx->buffer->views.cpu);
	KUNIT_EXPECT_NULL(test, ctx->buffer->views.written);
}

static const struct fault_op vgem_coherence_faults[] = {
	{ .name = "vgem_views_alloc",
	  .prepare = fresh_prepare,
	  .run = alloc_run,
	  .refused = alloc_refused,
	  .least = 2 },
	{ .name = "begin of a bracket",
	  .prepare = fresh_prepare,
	  .run = begin_run,
	  .good = begin_good,
	  .refused = begin_refused,
	  .least = 4 },
	{ .name = "end of a bracket",
	  .prepare = end_prepare,
	  .run = end_run,
	  .good = end_good,
	  .refused = end_refused,
	  .least = 2 },
};

KUNIT_ARRAY_PARAM_DESC(vgem_coherence_fault, vgem_coherence_faults, name);

/* Succeeds if a bracket begins and ends with all that belongs to it, or not at all. */
static void each_allocation_fails(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static int vgem_coherence_fault_init(struct kunit *test)
{
	fault_require(test);

	return vgem_test_views_init(test);
}

static struct kunit_case vgem_coherence_fault_cases[] = {
	KUNIT_CASE_PARAM(each_allocation_fails,
			 vgem_coherence_fault_gen_params),
	{}
};

static struct kunit_suite vgem_coherence_fault_suite = {
	.name = "vgem_coherence_fault",
	.init = vgem_coherence_fault_init,
	.exit = vgem_test_views_exit,
	.test_cases = vgem_coherence_fault_cases,
};

kunit_test_suite(vgem_coherence_fault_suite);
