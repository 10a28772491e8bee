// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem devices that disagree
 *
 * Real devices: one has a buffer, three others import it, the last of which needs
 * it in one piece.
 */

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>

#include "../vgem_drv.h"
#include "vgem_device_test.h"

MODULE_IMPORT_NS(DMA_BUF);

#define IMPORTERS 3
#define STRICT	  (IMPORTERS - 1)
#define SIZE	  SZ_4M
#define PATTERN	  0xc3

/**
 * struct sharing - a buffer and who imports it
 * @storage: the object of the device that has it
 * @dmabuf: exported
 * @importer: the others
 * @obj: their objects, NULL while they have none
 * @pages: pages of each kind that others have in use
 */
struct sharing {
	struct drm_gem_storage *storage;
	struct dma_buf *dmabuf;
	struct drm_device *importer[IMPORTERS];
	struct drm_gem_object *obj[IMPORTERS];
	long pages[DRM_GEM_STORAGE_KINDS];
};

static int sharing_init(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct drm_gem_object *obj;
	struct drm_device *drm;
	struct sharing *s;
	int i;

	s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	drm = &vgem_test_create(test, NULL)->drm;
	for (i = 0; i < IMPORTERS; i++)
		s->importer[i] = &vgem_test_create(test, NULL)->drm;
	c.max_segments = 1;
	i = devm_dma_buf_declare_constraints(s->importer[STRICT]->dev, &c);
	KUNIT_ASSERT_EQ(test, i, 0);

	for (i = 0; i < DRM_GEM_STORAGE_KINDS; i++)
		s->pages[i] = drm_gem_storage_pages(i);
	s->storage = drm_gem_storage_create(drm, SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->storage);
	obj = &s->storage->base;
	s->dmabuf = obj->funcs->export(obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->dmabuf);
	test->priv = s;

	return 0;
}

static void sharing_exit(struct kunit *test)
{
	struct sharing *s = test->priv;
	int i;

	if (!s)
		return;

	for (i = 0; i < IMPORTERS; i++)
		if (s->obj[i])
			drm_gem_object_put(s->obj[i]);
	dma_buf_put(s->dmabuf);
	/* the file is released by a worker, and holds a reference until then */
	while (kref_read(&s->storage->base.refcount) > 1) {
		flush_delayed_fput();
		cond_resched();
	}
	drm_gem_object_put(&s->storage->base);
	for (i = 0; i < DRM_GEM_STORAGE_KINDS; i++)
		KUNIT_EXPECT_EQ(test, drm_gem_storage_pages(i), s->pages[i]);
}

static int import_by(struct sharing *s, int i)
{
	struct drm_device *drm = s->importer[i];
	struct drm_gem_object *obj;

	obj = drm->driver->gem_prime_import(drm, s->dmabuf);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	s->obj[i] = obj;

	return 0;
}

static struct sg_table *map_by(struct kunit *test, int i)
{
	struct sharing *s = test->priv;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(s->obj[i]->import_attach,
					      DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	return sgt;
}

static void unmap_by(struct sharing *s, int i, struct sg_table *sgt)
{
	dma_buf_unmap_attachment_unlocked(s->obj[i]->import_attach, sgt,
					  DMA_BIDIRECTIONAL);
}

static void fill(struct kunit *test)
{
	struct sharing *s = test->priv;
	struct iosys_map map;
	int ret;

	ret = drm_gem_vmap_unlocked(&s->storage->base, &map);
	KUNIT_ASSERT_EQ(test, ret, 0);
	iosys_map_memset(&map, 0, PATTERN, SIZE);
	drm_gem_vunmap_unlocked(&s->storage->base, &map);
}

static void expect_filled(struct kunit *test)
{
	struct sharing *s = test->priv;
	struct iosys_map map;
	int ret;

	ret = drm_gem_vmap_unlocked(&s->storage->base, &map);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, PATTERN, SIZE));
	drm_gem_vunmap_unlocked(&s->storage->base, &map);
}

static long pages_in_use(struct sharing *s)
{
	struct file *file = s->storage->base.filp;
	long pages = file ? file->f_mapping->nrpages : 0;
	int i;

	for (i = 0; i < DRM_GEM_STORAGE_KINDS; i++)
		pages += drm_gem_storage_pages(i) - s->pages[i];

	return pages;
}

/*
 * Succeeds if making, exporting and importing on three devices takes no page,
 * and the first mapping takes those that suit all three.
 */
static void vgem_negotiate_test_late(struct kunit *test)
{
	struct sharing *s = test->priv;
	struct sg_table *sgt[IMPORTERS];
	int i;

	for (i = 0; i < IMPORTERS; i++)
		KUNIT_ASSERT_EQ(test, import_by(s, i), 0);
	KUNIT_EXPECT_EQ(test, pages_in_use(s), 0);

	for (i = 0; i < IMPORTERS; i++) {
		sgt[i] = map_by(test, i);
		KUNIT_EXPECT_EQ(test, pages_in_use(s), SIZE >> PAGE_SHIFT);
		KUNIT_EXPECT_EQ(test, sgt[i]->nents, 1);
		KUNIT_EXPECT_EQ(test, sg_dma_address(sgt[i]->sgl),
				sg_dma_address(sgt[0]->sgl));
	}
	KUNIT_EXPECT_EQ(test, s->storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, s->storage->moves, 0);
	for (i = 0; i < IMPORTERS; i++)
		unmap_by(s, i, sgt[i]);
}

/* Succeeds if a buffer with content moves for a strict device that imports late. */
static void vgem_negotiate_test_moves(struct kunit *test)
{
	struct sharing *s = test->priv;
	struct sg_table *sgt;

	fill(test);
	KUNIT_ASSERT_EQ(test, import_by(s, 0), 0);
	unmap_by(s, 0, map_by(test, 0));
	KUNIT_EXPECT_EQ(test, s->storage->kind, DRM_GEM_STORAGE_SHMEM);

	KUNIT_ASSERT_EQ(test, import_by(s, STRICT), 0);
	KUNIT_EXPECT_EQ(test, s->storage->moves, 1);
	KUNIT_EXPECT_EQ(test, pages_in_use(s), SIZE >> PAGE_SHIFT);
	sgt = map_by(test, STRICT);
	KUNIT_EXPECT_EQ(test, sgt->nents, 1);
	unmap_by(s, STRICT, sgt);
	expect_filled(test);
}

/*
 * Succeeds if a strict device that comes while another has the buffer mapped is
 * refused, the other sees nothing of it, and it can come later.
 */
static void vgem_negotiate_test_busy(struct kunit *test)
{
	struct sharing *s = test->priv;
	struct sg_table *sgt;

	fill(test);
	KUNIT_ASSERT_EQ(test, import_by(s, 0), 0);
	sgt = map_by(test, 0);
	KUNIT_EXPECT_EQ(test, import_by(s, STRICT), -EBUSY);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&s->dmabuf->attachments));
	KUNIT_EXPECT_EQ(test, s->storage->kind, DRM_GEM_STORAGE_SHMEM);
	KUNIT_EXPECT_EQ(test, s->storage->moves, 0);
	unmap_by(s, 0, sgt);

	KUNIT_EXPECT_EQ(test, import_by(s, STRICT), 0);
	KUNIT_EXPECT_EQ(test, s->storage->moves, 1);
	expect_filled(test);
}

static struct kunit_case vgem_negotiate_tests[] = {
	KUNIT_CASE(vgem_negotiate_test_late),
	KUNIT_CASE(vgem_negotiate_test_moves),
	KUNIT_CASE(vgem_negotiate_test_busy),
	{}
};

static struct kunit_suite vgem_negotiate_test_suite = {
	.name = "vgem_negotiate",
	.init = sharing_init,
	.exit = sharing_exit,
	.test_cases = vgem_negotiate_tests,
};

kunit_test_suite(vgem_negotiate_test_suite);
