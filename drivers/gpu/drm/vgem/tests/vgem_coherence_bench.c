// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: a buffer that is not coherent, and who reaches it
 *
 * What tests of brackets, of mappings and of views share: one buffer, another device
 * that has imported it and reaches it by the addresses of its table, and a process that
 * reaches it by a mapping.
 *
 * Lifetime: that of a test case. Locking: a test is one thread.
 */

#include <kunit/resource.h>
#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include "../vgem_coherence.h"
#include "../vgem_drv.h"
#include "vgem_coherence_bench.h"
#include "vgem_device_test.h"

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
