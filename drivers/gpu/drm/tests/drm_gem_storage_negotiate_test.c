// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of storage that is negotiated for
 *
 * A device that is stricter than those before it comes late, in every state that
 * a buffer can be in. The storage is real, and so is the core: what is looked at
 * is which pages there are, what the importers have, and the content.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/scatterlist.h>

#include <kunit/resource.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "drm_gem_storage_party.h"

#define SEED 20111102

/* Pages of the object, of any kind, since the test began. */
static long all_pages(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	long pages = 0;
	int kind;

	for (kind = 0; kind < DRM_GEM_STORAGE_KINDS; kind++)
		pages += drm_gem_storage_pages(kind) - ctx->pages[kind];

	return pages + storage_mock_file_pages(ctx->storage);
}

static const int kinds[] = { DRM_GEM_STORAGE_SHMEM, DRM_GEM_STORAGE_MASKED,
			     DRM_GEM_STORAGE_CONTIGUOUS };

static void kind_desc(const int *kind, char *desc)
{
	strscpy(desc, drm_gem_storage_kind_name(*kind), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

/*
 * Succeeds if three devices attach and no page is taken, the first mapping takes
 * them for the strictest, and the others are given the same.
 */
static void allocated_once_for_three(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	const int *kind = test->param_value;
	struct storage_party party[3] = {};
	int i, ret;

	/* the strictest in the middle, and the first can follow moves */
	for (i = 0; i < 3; i++) {
		ret = storage_party_join(test, &party[i], dmabuf,
					 i ? NULL : &storage_party_follower,
					 i == 1 ? *kind :
						  DRM_GEM_STORAGE_SHMEM);
		KUNIT_ASSERT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_NONE);
	KUNIT_EXPECT_EQ(test, all_pages(test), 0);

	for (i = 0; i < 3; i++) {
		storage_party_map(test, &party[i]);
		KUNIT_EXPECT_EQ(test, ctx->storage->kind, *kind);
		storage_mock_expect_pages(test, *kind, STORAGE_PAGES);
		/* those of shmem are the file's, too */
		KUNIT_EXPECT_EQ(test, all_pages(test),
				*kind == DRM_GEM_STORAGE_SHMEM ?
					2 * STORAGE_PAGES :
					STORAGE_PAGES);
		KUNIT_EXPECT_EQ(test, sg_dma_address(party[i].sgt->sgl),
				sg_dma_address(party[0].sgt->sgl));
	}
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);

	for (i = 0; i < 3; i++) {
		storage_party_unmap(&party[i]);
		storage_party_leave(&party[i]);
	}
	dma_buf_put(dmabuf);
}

static const struct dma_buf_ops ops_without_pin = {
	.map_dma_buf = drm_gem_storage_map_dma_buf,
	.unmap_dma_buf = drm_gem_storage_unmap_dma_buf,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.mmap = drm_gem_dmabuf_mmap,
	.release = drm_gem_dmabuf_release,
};

/*
 * Succeeds if the tables of a driver whose callbacks have no pin keep the storage
 * where it is, each of them, until the last comes back.
 */
static void pinned_by_each_table(struct kunit *test)
{
	struct dma_buf_constraints one =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {}, other = {};
	struct dma_buf_export_info info = {
		.exp_name = "without pin",
		.owner = ctx->drm->driver->fops->owner,
		.ops = &ops_without_pin,
		.size = ctx->obj->size,
		.flags = O_RDWR,
		.resv = ctx->obj->resv,
		.priv = ctx->obj,
	};
	struct dma_buf *dmabuf;

	storage_mock_fill(test, ctx->storage, SEED);
	dmabuf = drm_gem_dmabuf_export(ctx->drm, &info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &party, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &other, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));

	storage_party_map(test, &party);
	storage_party_map(test, &other);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 2);
	storage_party_unmap(&party);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			storage_mock_constrain(ctx->storage, &one, 0));
	storage_party_unmap(&other);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(ctx->storage, &one, 0));
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_mock_expect(test, ctx->storage, SEED);

	storage_party_leave(&other);
	storage_party_leave(&party);
	dma_buf_put(dmabuf);
}

/* Succeeds if what nobody has mapped any more moves, with its content. */
static void after_it_was_unmapped(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party loose = {}, strict = {};

	storage_mock_fill(test, ctx->storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &loose, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &loose);
	storage_party_unmap(&loose);

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf, NULL,
					   DRM_GEM_STORAGE_CONTIGUOUS));
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_party_map(test, &strict);
	KUNIT_EXPECT_EQ(test, strict.sgt->nents, 1);
	storage_party_map(test, &loose);
	KUNIT_EXPECT_EQ(test, sg_dma_address(loose.sgt->sgl),
			sg_dma_address(strict.sgt->sgl));
	storage_party_unmap(&loose);
	storage_party_unmap(&strict);
	storage_mock_expect(test, ctx->storage, SEED);

	storage_party_leave(&strict);
	storage_party_leave(&loose);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if storage moves under an importer that can follow, once told, the
 * pages of its old table stay its own until that comes back, and the next table
 * is of the new pages.
 */
static void under_one_who_follows(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party loose = {}, strict = {};

	storage_mock_fill(test, ctx->storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &loose, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_MASKED));
	storage_party_map(test, &loose);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_CONTIGUOUS));
	KUNIT_EXPECT_EQ(test, loose.told, 1);
	KUNIT_EXPECT_EQ(test, strict.told, 0);
	/* once for the mask, once for the piece */
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 2);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_MASKED, STORAGE_PAGES);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_CONTIGUOUS,
				  STORAGE_PAGES);

	storage_party_unmap(&loose);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_MASKED, 0);
	storage_party_map(test, &loose);
	storage_party_map(test, &strict);
	KUNIT_EXPECT_EQ(test, sg_dma_address(loose.sgt->sgl),
			sg_dma_address(strict.sgt->sgl));
	storage_mock_expect(test, ctx->storage, SEED);

	storage_party_unmap(&loose);
	storage_party_unmap(&strict);
	storage_party_leave(&strict);
	storage_party_leave(&loose);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if a newcomer whose memory is not to be had is -ENOMEM, and the buffer
 * is as it was. Nobody gets nearly all of the lowest 16 MiB in one piece.
 */
static void none_is_left(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *large;
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct storage_party first = {};

	large = storage_mock_object(test, SZ_16M - PAGE_SIZE);
	storage_mock_fill(test, large, SEED);
	dmabuf = drm_gem_storage_prime_export(&large->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &first, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &first);

	c.dma_mask = DMA_BIT_MASK(24);
	attach = dma_buf_attach_constrained(dmabuf, ctx->importer, NULL, NULL,
					    &c);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, first.told, 1);
	KUNIT_EXPECT_EQ(test, large->moves, 0);
	KUNIT_EXPECT_EQ(test, large->kind, DRM_GEM_STORAGE_SHMEM);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&dmabuf->attachments));

	storage_party_unmap(&first);
	storage_party_map(test, &first);
	storage_mock_expect(test, large, SEED);
	storage_party_unmap(&first);
	storage_party_leave(&first);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_CONTIGUOUS, 0);
	storage_mock_put_export(large, dmabuf);
	drm_gem_object_put(&large->base);
}

/*
 * Succeeds if storage stays when the strict device leaves, and also for a loose
 * one that comes then; what is made after that need not be strict.
 */
static void strict_leaves_loose_comes(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party strict = {}, loose = {};

	storage_mock_fill(test, ctx->storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf, NULL,
					   DRM_GEM_STORAGE_CONTIGUOUS));
	storage_party_leave(&strict);
	KUNIT_EXPECT_EQ(test, ctx->storage->constraints.max_segments, UINT_MAX);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &loose, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &loose);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_party_expect(test, &loose, SEED);
	storage_party_unmap(&loose);

	KUNIT_EXPECT_EQ(test, 0, storage_mock_relax(ctx->storage));
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_SHMEM);
	storage_mock_expect(test, ctx->storage, SEED);
	storage_party_leave(&loose);
	dma_buf_put(dmabuf);
}

/* Succeeds if a strict device that has left before the first use is forgotten. */
static void left_before_the_first_use(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party strict = {}, loose = {};

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf, NULL,
					   DRM_GEM_STORAGE_CONTIGUOUS));
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &loose, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_leave(&strict);
	storage_party_map(test, &loose);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_SHMEM);
	storage_party_unmap(&loose);
	storage_party_leave(&loose);
	dma_buf_put(dmabuf);
}

/* Succeeds if what the exporter's own device needs counts with all others. */
static void own_device_counts(struct kunit *test)
{
	struct dma_buf_constraints below =
		storage_mock_needs(DRM_GEM_STORAGE_MASKED);
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage;
	struct storage_party party = {};
	struct dma_buf *dmabuf;

	/* not every platform takes such a mask; a bus can be as narrow anywhere */
	ctx->drm->dev->bus_dma_limit = below.dma_mask;
	storage = storage_mock_object(test, STORAGE_SIZE);
	dmabuf = drm_gem_storage_prime_export(&storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &party, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &party);
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_MASKED);
	storage_party_unmap(&party);
	storage_party_leave(&party);
	storage_mock_expect_suits(test, storage, &below);
	storage_mock_put_export(storage, dmabuf);
	drm_gem_object_put(&storage->base);
}

/*
 * Succeeds if what was declared for the exporter's own device counts as well, up to the
 * first use of the object.
 */
static void own_declaration_counts(struct kunit *test)
{
	struct dma_buf_constraints one =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage;
	struct iosys_map map;

	storage = storage_mock_object(test, STORAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0,
			devm_dma_buf_declare_constraints(ctx->drm->dev, &one));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&storage->base, &map));
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	drm_gem_vunmap_unlocked(&storage->base, &map);
	storage_mock_expect_suits(test, storage, &one);
	drm_gem_object_put(&storage->base);
}

/*
 * Succeeds if nobody is given what no memory suits, because the exporter's own device
 * reaches less than the buffer takes, and who makes demands cannot attach.
 */
static void own_device_is_impossible(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage;
	struct storage_party party = {};
	struct dma_buf *dmabuf;

	ctx->drm->dev->bus_dma_limit = STORAGE_SIZE / 2 - 1;
	storage = storage_mock_object(test, STORAGE_SIZE);
	dmabuf = drm_gem_storage_prime_export(&storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			storage_party_join(test, &party, dmabuf, NULL,
					   DRM_GEM_STORAGE_MASKED));
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &party, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    dma_buf_map_attachment_unlocked(party.attach,
							    DMA_BIDIRECTIONAL));
	storage_party_leave(&party);
	KUNIT_EXPECT_EQ(test, -EINVAL, storage_mock_pin(storage));
	KUNIT_EXPECT_EQ(test, all_pages(test), 0);
	storage_mock_put_export(storage, dmabuf);
	drm_gem_object_put(&storage->base);
}

static struct kunit_case storage_negotiate_cases[] = {
	KUNIT_CASE_PARAM(allocated_once_for_three, kind_gen_params),
	KUNIT_CASE(pinned_by_each_table),
	KUNIT_CASE(after_it_was_unmapped),
	KUNIT_CASE(under_one_who_follows),
	KUNIT_CASE(none_is_left),
	KUNIT_CASE(strict_leaves_loose_comes),
	KUNIT_CASE(left_before_the_first_use),
	KUNIT_CASE(own_device_counts),
	KUNIT_CASE(own_declaration_counts),
	KUNIT_CASE(own_device_is_impossible),
	{},
};

static struct kunit_suite storage_negotiate_suite = {
	.name = "drm_gem_storage_negotiate",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_negotiate_cases,
};

kunit_test_suite(storage_negotiate_suite);
