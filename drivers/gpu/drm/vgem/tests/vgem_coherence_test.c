// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of brackets
 *
 * One buffer, a device that reaches it by the pages of its table, and a process that
 * reaches it by a mapping. What one writes, the other sees with a bracket, of the
 * right direction, and does not see without.
 */

#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include <drm/drm_gem.h>

#include "../vgem_coherence.h"
#include "../vgem_drv.h"
#include "vgem_coherence_bench.h"
#include "vgem_fence_test.h"

/* Bytes of one page, which share a chunk or do not, and of another page. */
#define HERE	  100
#define BESIDE	  101
#define FAR_AWAY  3000
#define ELSEWHERE (3 * PAGE_SIZE + 7)

static bool told(struct kunit *test, enum vgem_mistake mistake)
{
	struct vgem_test_views *ctx = test->priv;

	return test_bit(mistake, &ctx->buffer->views.told);
}

/* Succeeds if a device does not see what was written without a bracket, and the log does. */
static void write_outside(struct kunit *test)
{
	vgem_test_cpu_writes(test, HERE, 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 0);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_WRITES_OUTSIDE));
}

/* Succeeds if a device sees what was written in a bracket, when that has ended. */
static void write_inside(struct kunit *test)
{
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_cpu_writes(test, ELSEWHERE, 2);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 0);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, ELSEWHERE), 2);

	/* the entry that could be written to has gone with the bracket */
	KUNIT_EXPECT_FALSE(test, told(test, VGEM_WRITES_OUTSIDE));
	vgem_test_cpu_writes(test, HERE, 3);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_WRITES_OUTSIDE));
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
}

/* Succeeds if the CPU sees what a device wrote in a bracket, and not before. */
static void read_outside_and_inside(struct kunit *test)
{
	vgem_test_cpu_reads(test, HERE);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_READS_OUTSIDE));
	vgem_test_device_writes(test, HERE, 1);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 0);
	vgem_test_begin(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	vgem_test_end(test, DMA_FROM_DEVICE);
	vgem_test_device_writes(test, HERE, 2);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	KUNIT_EXPECT_FALSE(test, told(test, VGEM_WRITES_OUTSIDE));
}

/* Succeeds if reading in its brackets is never told, and reading after them is. */
static void told_after_the_end(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	vgem_test_begin(test, DMA_FROM_DEVICE);
	vgem_test_begin(test, DMA_FROM_DEVICE);
	vgem_test_cpu_reads(test, HERE);
	vgem_test_end(test, DMA_FROM_DEVICE);
	vgem_test_cpu_reads(test, ELSEWHERE);
	vgem_test_end(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, ctx->buffer->views.told, 0);
	vgem_test_cpu_reads(test, HERE);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_READS_OUTSIDE));
}

/* Succeeds if a bracket to read lets nothing through to the device. */
static void write_in_a_bracket_to_read(struct kunit *test)
{
	vgem_test_begin(test, DMA_FROM_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_end(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 0);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_WRITES_OUTSIDE));
}

/*
 * Succeeds if a bracket to write shows what the device has in pages only that are
 * written to.
 */
static void read_in_a_bracket_to_write(struct kunit *test)
{
	vgem_test_device_writes(test, HERE, 1);
	vgem_test_device_writes(test, ELSEWHERE, 2);
	vgem_test_begin(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 0);
	vgem_test_cpu_writes(test, BESIDE, 3);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, ELSEWHERE), 0);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, BESIDE), 3);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, ELSEWHERE), 2);
}

/* Succeeds if a bracket for both does both. */
static void both_directions(struct kunit *test)
{
	vgem_test_device_writes(test, HERE, 1);
	vgem_test_begin(test, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	vgem_test_cpu_writes(test, HERE, 2);
	vgem_test_end(test, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 2);
}

/* Succeeds if what was written without a bracket is lost to the next that reads. */
static void lost_by_reading(struct kunit *test)
{
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_begin(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 0);
	vgem_test_end(test, DMA_FROM_DEVICE);

	/* and is not, if somebody writes it back */
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
}

/*
 * Succeeds if what the CPU writes is all that the device gets, whatever it writes
 * beside that meanwhile.
 */
static void beside_a_device(struct kunit *test)
{
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_device_writes(test, BESIDE, 2);
	vgem_test_device_writes(test, FAR_AWAY, 3);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, BESIDE), 2);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, FAR_AWAY), 3);
}

/*
 * Succeeds if the CPU can write what it has seen there before, over what a device
 * has put there since.
 */
static void same_as_was_seen(struct kunit *test)
{
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_end(test, DMA_TO_DEVICE);
	vgem_test_device_writes(test, HERE, 2);
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
}

/*
 * Succeeds if a bracket to read, within another's to write, sees what the device has
 * and takes nothing from the other.
 */
static void reader_within_writer(struct kunit *test)
{
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_device_writes(test, BESIDE, 2);
	vgem_test_device_writes(test, ELSEWHERE, 3);

	vgem_test_begin(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, BESIDE), 2);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, ELSEWHERE), 3);
	vgem_test_end(test, DMA_FROM_DEVICE);

	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, BESIDE), 2);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, ELSEWHERE), 3);
	KUNIT_EXPECT_FALSE(test, told(test, VGEM_WRITES_OUTSIDE));
}

/*
 * Succeeds if of two that write the first that ends flushes, and the other goes on,
 * without flushing the same again.
 */
static void two_writers(struct kunit *test)
{
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, 1);
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, FAR_AWAY, 2);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, FAR_AWAY), 2);

	vgem_test_device_writes(test, HERE, 3);
	vgem_test_cpu_writes(test, BESIDE, 4);
	vgem_test_end(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 3);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, BESIDE), 4);
	KUNIT_EXPECT_FALSE(test, told(test, VGEM_WRITES_OUTSIDE));
}

/* Succeeds if the end of what nobody began is told, and harms nothing. */
static void end_twice(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	vgem_test_end(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_ENDS_TWICE));
	ctx->buffer->views.told = 0;
	vgem_test_end(test, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, told(test, VGEM_ENDS_TWICE));
	KUNIT_EXPECT_EQ(test, ctx->buffer->views.readers, 0);
	KUNIT_EXPECT_EQ(test, ctx->buffer->views.writers, 0);
	write_inside(test);
}

/*
 * Succeeds if a bracket waits for the device before it copies: a signal ends the
 * wait, and the bracket has not begun.
 */
static void begin_waits(struct kunit *test)
{
	struct vgem_test_fences *fences =
		vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_test_views *ctx = test->priv;
	u32 handle;
	int ret;

	vgem_test_device_writes(test, HERE, 1);
	ret = vgem_fence_attach(&fences->table, ctx->dmabuf->resv, true,
				&handle);
	KUNIT_ASSERT_EQ(test, ret, 0);

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	ret = dma_buf_begin_cpu_access(ctx->dmabuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	flush_signals(current);
	disallow_signal(SIGUSR1);
	KUNIT_EXPECT_EQ(test, ctx->buffer->views.writers, 0);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 0);

	ret = vgem_fence_signal(&fences->table, handle);
	KUNIT_EXPECT_EQ(test, ret, 0);
	both_directions(test);
}

static struct kunit_case vgem_coherence_tests[] = {
	KUNIT_CASE(write_outside),
	KUNIT_CASE(write_inside),
	KUNIT_CASE(read_outside_and_inside),
	KUNIT_CASE(told_after_the_end),
	KUNIT_CASE(write_in_a_bracket_to_read),
	KUNIT_CASE(read_in_a_bracket_to_write),
	KUNIT_CASE(both_directions),
	KUNIT_CASE(lost_by_reading),
	KUNIT_CASE(beside_a_device),
	KUNIT_CASE(same_as_was_seen),
	KUNIT_CASE(reader_within_writer),
	KUNIT_CASE(two_writers),
	KUNIT_CASE(end_twice),
	KUNIT_CASE(begin_waits),
	{}
};

static struct kunit_suite vgem_coherence_suite = {
	.name = "vgem_coherence",
	.init = vgem_test_views_init,
	.exit = vgem_test_views_exit,
	.test_cases = vgem_coherence_tests,
};

kunit_test_suite(vgem_coherence_suite);
