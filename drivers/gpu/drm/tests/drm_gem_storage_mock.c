// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: storage mock device
 *
 * A DRM device whose objects are those of &struct drm_gem_storage, unchanged:
 * what is to be seen of them is content, counts and tables, as a driver sees
 * them.
 */

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <kunit/device.h>
#include <kunit/resource.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_kunit_helpers.h>

#include "drm_gem_storage_mock.h"

MODULE_DESCRIPTION("Unit tests of GEM storage");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

DEFINE_DRM_GEM_FOPS(storage_mock_fops);

static const struct drm_driver storage_mock_driver = {
	/* as a driver has it that adds nothing */
	DRM_GEM_STORAGE_DRIVER_OPS, .driver_features = DRIVER_GEM,
	.name = "storage-mock",	    .desc = "mock device of the storage tests",
	.date = "20260101",	    .fops = &storage_mock_fops,
};

/* Nothing of a test may be alive when its device goes. */
static void flush_files(void *unused)
{
	flush_delayed_fput();
	/* a worker may have taken the list before us, on this queue */
	__flush_workqueue(system_wq);
	flush_delayed_fput();
}

static struct device *mock_device(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	dev->dma_parms =
		kunit_kzalloc(test, sizeof(*dev->dma_parms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	dma_set_max_seg_size(dev, UINT_MAX);

	return dev;
}

/* The name leaves no room for arguments. */
#define alloc_drm __drm_kunit_helper_alloc_drm_device_with_driver

/**
 * storage_mock_init - start a test with a device and an object
 * @test: gets a &struct storage_ctx as &kunit.priv
 *
 * Return: 0.
 */
int storage_mock_init(struct kunit *test)
{
	struct storage_ctx *ctx;
	struct device *dev;
	int kind;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	dev = mock_device(test, "exporter");
	ctx->importer = mock_device(test, "importer");
	ctx->drm = alloc_drm(test, dev, sizeof(*ctx->drm), 0,
			     &storage_mock_driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->drm);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, flush_files, NULL));

	for (kind = 0; kind < DRM_GEM_STORAGE_KINDS; kind++)
		ctx->pages[kind] = drm_gem_storage_pages(kind);
	test->priv = ctx;
	ctx->storage = storage_mock_object(test, STORAGE_SIZE);
	ctx->obj = &ctx->storage->base;

	return 0;
}

/**
 * storage_mock_exit - end a test, which must have given back what it had
 * @test: the test
 */
void storage_mock_exit(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	unsigned long late = jiffies + 30 * HZ;
	int kind;

	if (!ctx || !ctx->storage)
		return;

	/* files that a kernel thread closes are released by a worker */
	while (kref_read(&ctx->obj->refcount) > 1 &&
	       time_before(jiffies, late)) {
		flush_delayed_fput();
		usleep_range(1000, 5000);
	}
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->vmap_count, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->storage->vma_count), 0);
	drm_gem_object_put(ctx->obj);
	for (kind = 0; kind < DRM_GEM_STORAGE_KINDS; kind++)
		storage_mock_expect_pages(test, kind, 0);
}

/**
 * storage_mock_object - make another object
 * @test: the test
 * @size: its size
 *
 * Return: an object for the caller to put.
 */
struct drm_gem_storage *storage_mock_object(struct kunit *test, size_t size)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage;

	storage = drm_gem_storage_create(ctx->drm, size);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, storage);

	return storage;
}

/**
 * storage_mock_needs - a device that makes storage be of a kind
 * @kind: the kind
 *
 * Return: its constraints. The mask is below the end of the memory that the
 * guest of the tests has.
 */
struct dma_buf_constraints storage_mock_needs(enum drm_gem_storage_kind kind)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	if (kind == DRM_GEM_STORAGE_MASKED)
		c.dma_mask = DMA_BIT_MASK(30);
	if (kind == DRM_GEM_STORAGE_CONTIGUOUS)
		c.max_segments = 1;

	return c;
}

/**
 * storage_mock_constrain - drm_gem_storage_constrain() with its lock
 * @storage: the object
 * @c: the constraints
 * @flags: the flags
 *
 * Return: what it said.
 */
int storage_mock_constrain(struct drm_gem_storage *storage,
			   const struct dma_buf_constraints *c,
			   unsigned int flags)
{
	int ret;

	dma_resv_lock(storage->base.resv, NULL);
	ret = drm_gem_storage_constrain(&storage->base, c, flags);
	dma_resv_unlock(storage->base.resv);

	return ret;
}

/**
 * storage_mock_relax - drm_gem_storage_relax() with its lock
 * @storage: the object
 *
 * Return: what it said.
 */
int storage_mock_relax(struct drm_gem_storage *storage)
{
	int ret;

	dma_resv_lock(storage->base.resv, NULL);
	ret = drm_gem_storage_relax(&storage->base, 0);
	dma_resv_unlock(storage->base.resv);

	return ret;
}

/**
 * storage_mock_pin - drm_gem_storage_pin() with its lock
 * @storage: the object
 *
 * Return: what it said.
 */
int storage_mock_pin(struct drm_gem_storage *storage)
{
	int ret;

	dma_resv_lock(storage->base.resv, NULL);
	ret = drm_gem_storage_pin(&storage->base);
	dma_resv_unlock(storage->base.resv);

	return ret;
}

/**
 * storage_mock_unpin - drm_gem_storage_unpin() with its lock
 * @storage: the object
 */
void storage_mock_unpin(struct drm_gem_storage *storage)
{
	dma_resv_lock(storage->base.resv, NULL);
	drm_gem_storage_unpin(&storage->base);
	dma_resv_unlock(storage->base.resv);
}

/**
 * storage_mock_make - have an object be of a kind, whatever it is
 * @test: the test
 * @storage: the object
 * @kind: the kind, not NONE
 */
void storage_mock_make(struct kunit *test, struct drm_gem_storage *storage,
		       enum drm_gem_storage_kind kind)
{
	struct dma_buf_constraints c = storage_mock_needs(kind);

	KUNIT_ASSERT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_ASSERT_EQ(test, 0, storage_mock_relax(storage));
	if (storage->kind == DRM_GEM_STORAGE_NONE) {
		KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(storage));
		storage_mock_unpin(storage);
	}
	KUNIT_ASSERT_EQ(test, storage->kind, kind);
}

static u32 *mock_vmap(struct kunit *test, struct drm_gem_storage *storage,
		      struct iosys_map *map)
{
	int ret = drm_gem_vmap_unlocked(&storage->base, map);

	KUNIT_ASSERT_EQ(test, ret, 0);

	return map->vaddr;
}

/**
 * storage_mock_word - what storage_mock_fill() writes
 * @seed: its number
 * @i: which word
 *
 * Return: the word.
 */
u32 storage_mock_word(u32 seed, size_t i)
{
	return (seed + i) * 2654435761u;
}

/**
 * storage_mock_fill - write an object from end to end
 * @test: the test
 * @storage: the object
 * @seed: a number for the content
 */
void storage_mock_fill(struct kunit *test, struct drm_gem_storage *storage,
		       u32 seed)
{
	struct iosys_map map;
	u32 *words = mock_vmap(test, storage, &map);
	size_t i;

	for (i = 0; i < storage->base.size / sizeof(*words); i++)
		words[i] = storage_mock_word(seed, i);
	drm_gem_vunmap_unlocked(&storage->base, &map);
}

/**
 * storage_mock_expect - expect an object to be as it was filled
 * @test: the test
 * @storage: the object
 * @seed: the number it was filled by
 */
void storage_mock_expect(struct kunit *test, struct drm_gem_storage *storage,
			 u32 seed)
{
	struct iosys_map map;
	u32 *words = mock_vmap(test, storage, &map);
	size_t i, wrong = 0;

	for (i = 0; i < storage->base.size / sizeof(*words); i++)
		wrong += words[i] != storage_mock_word(seed, i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	drm_gem_vunmap_unlocked(&storage->base, &map);
}

/**
 * storage_mock_expect_pages - expect a number of pages to be allocated
 * @test: the test
 * @kind: of this kind
 * @pages: how many since the test began
 */
void storage_mock_expect_pages(struct kunit *test,
			       enum drm_gem_storage_kind kind, long pages)
{
	struct storage_ctx *ctx = test->priv;
	long now = drm_gem_storage_pages(kind) - ctx->pages[kind];

	KUNIT_EXPECT_EQ_MSG(test, now, pages, "of kind %s",
			    drm_gem_storage_kind_name(kind));
}

/**
 * storage_mock_file_pages - pages that the shmem file of an object has
 * @storage: the object
 *
 * Return: how many, 0 without a file.
 */
long storage_mock_file_pages(const struct drm_gem_storage *storage)
{
	struct file *file = storage->base.filp;

	return file ? file->f_mapping->nrpages : 0;
}

/**
 * storage_mock_expect_suits - expect a table of the object to meet constraints
 * @test: the test
 * @storage: the object
 * @c: the constraints
 */
void storage_mock_expect_suits(struct kunit *test,
			       struct drm_gem_storage *storage,
			       const struct dma_buf_constraints *c)
{
	struct dma_buf_violation violation = {};
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, ret;

	dma_resv_lock(storage->base.resv, NULL);
	sgt = drm_gem_storage_get_sg_table(&storage->base);
	dma_resv_unlock(storage->base.resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	/* as if a device saw what the CPU sees */
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = sg_phys(sg);
		sg_dma_len(sg) = sg->length;
	}
	sgt->nents = sgt->orig_nents;
	ret = dma_buf_constraints_check_sgt(c, sgt, storage->base.size,
					    &violation);
	KUNIT_EXPECT_EQ_MSG(test, ret, 0, "entry %u, %s", violation.entry,
			    dma_buf_demand_name(violation.demand));
	sg_free_table(sgt);
	kfree(sgt);
}

/**
 * storage_mock_export - export the object of the test
 * @test: the test
 *
 * Return: the buffer, for the caller to put.
 */
struct dma_buf *storage_mock_export(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct dma_buf *dmabuf;

	dmabuf = drm_gem_storage_prime_export(ctx->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);

	return dmabuf;
}

/**
 * storage_mock_put_export - give back the only dma-buf of an object
 * @storage: the object, which has only the caller's reference then
 * @dmabuf: the dma-buf
 */
void storage_mock_put_export(struct drm_gem_storage *storage,
			     struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	/* the file is released by a worker, and holds a reference until then */
	while (kref_read(&storage->base.refcount) > 1) {
		flush_delayed_fput();
		cond_resched();
	}
}

static const char *fence_name(struct dma_fence *fence)
{
	return "storage-mock";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static DEFINE_SPINLOCK(fence_lock);

/**
 * storage_mock_busy_locked - have a device be at work on the object of the test
 * @test: the test; the reservation lock is held
 * @usage: what it does
 *
 * Return: its fence, for the caller to signal and to put.
 */
struct dma_fence *storage_mock_busy_locked(struct kunit *test,
					   enum dma_resv_usage usage)
{
	struct storage_ctx *ctx = test->priv;
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &fence_ops, &fence_lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(ctx->obj->resv, 1));
	dma_resv_add_fence(ctx->obj->resv, fence, usage);

	return fence;
}

/**
 * storage_mock_busy - the same, with its lock
 * @test: the test
 * @usage: what the device does
 *
 * Return: as storage_mock_busy_locked().
 */
struct dma_fence *storage_mock_busy(struct kunit *test,
				    enum dma_resv_usage usage)
{
	struct storage_ctx *ctx = test->priv;
	struct dma_fence *fence;

	dma_resv_lock(ctx->obj->resv, NULL);
	fence = storage_mock_busy_locked(test, usage);
	dma_resv_unlock(ctx->obj->resv);

	return fence;
}
