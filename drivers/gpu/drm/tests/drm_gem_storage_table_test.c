// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: kept table tests
 *
 * A table that came back serves the next mapping, unless it would be made
 * otherwise by then, and is in nobody's way while it waits. It waits in the
 * exporter's part of the attachment; what an importer gets can be a copy of it.
 */

#include <linux/dma-buf.h>
#include <linux/scatterlist.h>

#include <drm/drm_prime.h>

#include "../drm_gem_storage_internal.h"
#include "drm_gem_storage_party.h"

#define SEED 1138

static struct dma_buf *join(struct kunit *test, struct storage_party *party,
			    const struct dma_buf_attach_ops *ops)
{
	struct dma_buf *dmabuf = storage_mock_export(test);

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, party, dmabuf, ops,
					   DRM_GEM_STORAGE_SHMEM));

	return dmabuf;
}

static void leave(struct storage_party *party, struct dma_buf *dmabuf)
{
	storage_party_leave(party);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if the next mapping of an attachment has the table of the last one, for
 * static importers and for others, and the end of the attachment frees it.
 */
static void next_mapping_has_it(struct kunit *test)
{
	static const struct dma_buf_attach_ops *const ops[] = {
		NULL, &storage_party_follower
	};
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};
	struct dma_buf *dmabuf;
	void *kept;
	int i;

	storage_mock_fill(test, ctx->storage, SEED);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		dmabuf = join(test, &party, ops[i]);
		storage_party_map(test, &party);
		storage_party_unmap(&party);
		KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
		kept = party.attach->priv;
		KUNIT_EXPECT_NOT_NULL(test, kept);

		storage_party_map(test, &party);
		KUNIT_EXPECT_NULL(test, party.attach->priv);
		storage_party_expect(test, &party, SEED);
		storage_party_unmap(&party);
		KUNIT_EXPECT_PTR_EQ(test, party.attach->priv, kept);

		leave(&party, dmabuf);
		storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	}
}

/* Succeeds if a second mapping at once, or of another direction, has its own. */
static void two_have_two(struct kunit *test)
{
	struct storage_party party = {};
	struct dma_buf *dmabuf = join(test, &party, NULL);
	struct sg_table *other;
	void *kept;

	storage_party_map(test, &party);
	other = dma_buf_map_attachment_unlocked(party.attach,
						DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	storage_party_unmap(&party);
	kept = party.attach->priv;
	KUNIT_EXPECT_NOT_NULL(test, kept);
	dma_buf_unmap_attachment_unlocked(party.attach, other,
					  DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_PTR_EQ(test, party.attach->priv, kept);

	other = dma_buf_map_attachment_unlocked(party.attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_PTR_EQ(test, party.attach->priv, kept);
	dma_buf_unmap_attachment_unlocked(party.attach, other, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, party.attach->priv, kept);
	leave(&party, dmabuf);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
}

/*
 * Succeeds if storage moves in spite of a kept table, gives all of the old pages
 * back, and the next table lists the new ones.
 */
static void not_in_the_way_of_a_move(struct kunit *test)
{
	struct dma_buf_constraints one =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};
	struct dma_buf *dmabuf;

	storage_mock_fill(test, ctx->storage, SEED);
	dmabuf = join(test, &party, NULL);
	storage_party_map(test, &party);
	storage_party_unmap(&party);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);

	KUNIT_ASSERT_EQ(test, 0, storage_mock_constrain(ctx->storage, &one, 0));
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);

	storage_party_map(test, &party);
	KUNIT_EXPECT_EQ(test, party.sgt->nents, 1);
	storage_party_expect(test, &party, SEED);
	storage_party_unmap(&party);
	leave(&party, dmabuf);
}

/*
 * Succeeds if a table is not kept that was made by other constraints than there
 * are now, whether it was out when they changed or not.
 */
static void not_by_other_constraints(struct kunit *test)
{
	struct dma_buf_constraints pages = DMA_BUF_CONSTRAINTS_ANY;
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};
	struct dma_buf *dmabuf = join(test, &party, NULL);
	int out, ret;

	for (out = 0; out < 2; out++) {
		storage_party_map(test, &party);
		if (!out)
			storage_party_unmap(&party);
		pages.max_segment_size = out ? 2 * PAGE_SIZE : PAGE_SIZE;
		ret = storage_mock_constrain(ctx->storage, &pages, 0);
		KUNIT_ASSERT_EQ(test, ret, 0);
		if (out)
			storage_party_unmap(&party);
		storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);

		storage_party_map(test, &party);
		KUNIT_EXPECT_GE(test, party.sgt->nents,
				STORAGE_SIZE / pages.max_segment_size);
		storage_party_unmap(&party);
	}
	leave(&party, dmabuf);
}

/* Succeeds if nothing stays mapped for a device that detaches with its last mapping. */
static void not_for_who_leaves(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};
	struct dma_buf *dmabuf = join(test, &party, NULL);
	struct sg_table *other;

	other = dma_buf_map_attachment_unlocked(party.attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	dma_buf_unmap_attachment_unlocked(party.attach, other, DMA_TO_DEVICE);
	KUNIT_EXPECT_NOT_NULL(test, party.attach->priv);

	storage_party_map(test, &party);
	dma_buf_unmap_detach(party.attach, party.sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, hlist_empty(&ctx->storage->kept_tables));
	KUNIT_EXPECT_EQ(test, ctx->storage->backing->refs, 1);
	KUNIT_EXPECT_TRUE(test, ctx->storage->backing->idle);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	dma_buf_put(dmabuf);
}

/* Succeeds if a device that attaches after one that left so has its table kept. */
static void for_who_comes_after_that(struct kunit *test)
{
	struct storage_party party = {};
	struct dma_buf *dmabuf = join(test, &party, NULL);

	storage_party_map(test, &party);
	dma_buf_unmap_detach(party.attach, party.sgt, DMA_BIDIRECTIONAL);

	party = (struct storage_party){};
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &party, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &party);
	storage_party_unmap(&party);
	KUNIT_EXPECT_NOT_NULL(test, party.attach->priv);
	leave(&party, dmabuf);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
}

static struct kunit_case storage_table_cases[] = {
	KUNIT_CASE(next_mapping_has_it),
	KUNIT_CASE(two_have_two),
	KUNIT_CASE(not_in_the_way_of_a_move),
	KUNIT_CASE(not_by_other_constraints),
	KUNIT_CASE(not_for_who_leaves),
	KUNIT_CASE(for_who_comes_after_that),
	{},
};

static struct kunit_suite storage_table_suite = {
	.name = "drm_gem_storage_table",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_table_cases,
};

kunit_test_suite(storage_table_suite);
