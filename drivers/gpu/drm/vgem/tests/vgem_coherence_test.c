// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of brackets
 *
 * One buffer, a device that reaches it by the pages of its table, and a process that
 * reaches it by a mapping. What one writes, the other sees with a bracket, of the
 * right direction, and does not see without.
 */

#include <kunit/resource.h>
#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include "../vgem_coherence.h"
#include "../vgem_drv.h"
#include "vgem_coherence_test.h"
#include "vgem_device_test.h"
#include "vgem_fence_test.h"

/* Bytes of one page, which share a chunk or do not, and of another page. */
#define HERE	  100
#define BESIDE	  101
#define FAR_AWAY  3000
#define ELSEWHERE (3 * PAGE_SIZE + 7)

/**
 * vgem_test_make_buffer - make a buffer that nobody has used, and export it
 * @test: the test
 * @size: bytes
 */
void vgem_test_make_buffer(struct kunit *test, size_t size)
{
	struct vgem_test_views *ctx = test->priv;
	struct drm_gem_storage *storage;

	storage = drm_gem_storage_create(ctx->drm, size);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, storage);
	ctx->buffer = to_vgem_noncoherent(&storage->base);
	ctx->dmabuf = storage->base.funcs->export(&storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dmabuf);
}

/**
 * vgem_test_drop_buffer - let go of it, mapped by nobody
 * @test: the test
 */
void vgem_test_drop_buffer(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct drm_gem_object *obj = &ctx->buffer->storage.base;
	unsigned long end = jiffies + 10 * HZ;

	if (ctx->imported)
		drm_gem_object_put(ctx->imported);
	ctx->imported = NULL;
	dma_buf_put(ctx->dmabuf);
	/*
	 * The files are released by a worker, and hold references until then; those
	 * that a failed test has left open, until its actions run.
	 */
	while (kref_read(&obj->refcount) > 1 && time_before(jiffies, end)) {
		flush_delayed_fput();
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), 1);
	drm_gem_object_put(obj);
	ctx->buffer = NULL;
}

/**
 * vgem_test_views_init - make a buffer and another device
 * @test: the test, whose priv is set
 *
 * Return: 0.
 */
int vgem_test_views_init(struct kunit *test)
{
	struct vgem_device_config config;
	struct vgem_test_views *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	vgem_device_config_init(&config);
	config.noncoherent = true;
	ctx->maker = vgem_test_create(test, &config);
	ctx->drm = &ctx->maker->drm;
	drm_dev_get(ctx->drm);
	ctx->importer = &vgem_test_create(test, NULL)->drm;
	test->priv = ctx;
	vgem_test_make_buffer(test, VGEM_TEST_SIZE);

	return 0;
}

/**
 * vgem_test_views_exit - let go of it, when the test's process has gone
 * @test: the test
 */
void vgem_test_views_exit(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	if (!ctx)
		return;

	if (ctx->buffer)
		vgem_test_drop_buffer(test);
	drm_dev_put(ctx->drm);
}

/**
 * vgem_test_import - have the other device import the buffer
 * @test: the test
 */
void vgem_test_import(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct drm_device *drm = ctx->importer;
	struct drm_gem_object *obj;

	obj = drm->driver->gem_prime_import(drm, ctx->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	ctx->imported = obj;
}

/**
 * vgem_test_map - have the process map the dma-buf
 * @test: the test
 */
void vgem_test_map(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	unsigned long map;

	map = kunit_vm_mmap(test, ctx->dmabuf->file, 0, VGEM_TEST_SIZE,
			    PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_TRUE(test, map && !IS_ERR_VALUE(map));
	ctx->map = map;
}

/* An engine has addresses, and no pages. */
static void *at_address(struct device *dev, struct sg_table *sgt,
			unsigned long offset)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t addr = sg_dma_address(sg) + offset;

		if (offset < sg_dma_len(sg))
			return phys_to_virt(dma_to_phys(dev, addr));
		offset -= sg_dma_len(sg);
	}

	return NULL;
}

static void device_copy(struct kunit *test, unsigned long offset, u8 *byte,
			bool write)
{
	struct vgem_test_views *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	u8 *at;

	if (!ctx->imported)
		vgem_test_import(test);
	attach = ctx->imported->import_attach;
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	at = at_address(attach->dev, sgt, offset);
	KUNIT_ASSERT_NOT_NULL(test, at);
	if (write)
		*at = *byte;
	else
		*byte = *at;
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
}

/**
 * vgem_test_device_reads - what the importing device sees
 * @test: the test
 * @offset: where in the buffer
 *
 * Return: the byte there.
 */
u8 vgem_test_device_reads(struct kunit *test, unsigned long offset)
{
	u8 byte = 0;

	device_copy(test, offset, &byte, false);

	return byte;
}

/**
 * vgem_test_device_writes - have the importing device write
 * @test: the test
 * @offset: where in the buffer
 * @byte: what
 */
void vgem_test_device_writes(struct kunit *test, unsigned long offset, u8 byte)
{
	device_copy(test, offset, &byte, true);
}

/**
 * vgem_test_cpu_reads - what the process sees
 * @test: the test
 * @offset: where in the buffer
 *
 * Return: the byte there.
 */
u8 vgem_test_cpu_reads(struct kunit *test, unsigned long offset)
{
	struct vgem_test_views *ctx = test->priv;
	u8 byte = 0;

	if (!ctx->map)
		vgem_test_map(test);
	KUNIT_EXPECT_EQ(test, 0,
			get_user(byte, (u8 __user *)(ctx->map + offset)));

	return byte;
}

/**
 * vgem_test_cpu_writes - have the process write
 * @test: the test
 * @offset: where in the buffer
 * @byte: what
 */
void vgem_test_cpu_writes(struct kunit *test, unsigned long offset, u8 byte)
{
	struct vgem_test_views *ctx = test->priv;

	if (!ctx->map)
		vgem_test_map(test);
	KUNIT_EXPECT_EQ(test, 0,
			put_user(byte, (u8 __user *)(ctx->map + offset)));
}

/**
 * vgem_test_begin - begin a bracket
 * @test: the test
 * @dir: its direction
 */
void vgem_test_begin(struct kunit *test, enum dma_data_direction dir)
{
	struct vgem_test_views *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_begin_cpu_access(ctx->dmabuf, dir));
}

/**
 * vgem_test_end - end a bracket
 * @test: the test
 * @dir: its direction
 */
void vgem_test_end(struct kunit *test, enum dma_data_direction dir)
{
	struct vgem_test_views *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_end_cpu_access(ctx->dmabuf, dir));
}

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
