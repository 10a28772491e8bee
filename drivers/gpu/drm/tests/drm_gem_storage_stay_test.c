// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of storage that stays
 *
 * Somebody relies on where the storage is, and a device comes that it does not
 * suit; or nobody does, and a device comes that it suits all the same, because it
 * was chosen for more than is needed now.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/limits.h>
#include <linux/scatterlist.h>

#include <drm/drm_gem.h>

#include "../drm_gem_storage_internal.h"
#include "drm_gem_storage_party.h"

#define SEED 20110912

/**
 * struct state - somebody who relies on the place of the storage
 * @name: what is shown
 * @ops: how its importer attaches
 * @begin: starts to
 * @end: stops
 */
struct state {
	const char *name;
	const struct dma_buf_attach_ops *ops;
	void (*begin)(struct kunit *test, struct storage_party *party);
	void (*end)(struct storage_party *party);
};

static struct iosys_map state_map;

static void state_pin(struct kunit *test, struct storage_party *party)
{
	struct dma_buf *dmabuf = party->attach->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_pin(party->attach));
	dma_resv_unlock(dmabuf->resv);
	storage_party_map(test, party);
}

static void state_unpin(struct storage_party *party)
{
	struct dma_buf *dmabuf = party->attach->dmabuf;

	storage_party_unmap(party);
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_unpin(party->attach);
	dma_resv_unlock(dmabuf->resv);
}

static void state_vmap(struct kunit *test, struct storage_party *party)
{
	struct dma_buf *dmabuf = party->attach->dmabuf;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &state_map));
	storage_party_map(test, party);
}

static void state_vunmap(struct storage_party *party)
{
	storage_party_unmap(party);
	dma_buf_vunmap_unlocked(party->attach->dmabuf, &state_map);
}

static void state_own_vmap(struct kunit *test, struct storage_party *party)
{
	struct drm_gem_object *obj = party->attach->dmabuf->priv;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(obj, &state_map));
	storage_party_map(test, party);
}

static void state_own_vunmap(struct storage_party *party)
{
	storage_party_unmap(party);
	drm_gem_vunmap_unlocked(party->attach->dmabuf->priv, &state_map);
}

static void state_own_pin(struct kunit *test, struct storage_party *party)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(ctx->storage));
	storage_party_map(test, party);
}

static void state_own_unpin(struct storage_party *party)
{
	struct drm_gem_object *obj = party->attach->dmabuf->priv;

	storage_party_unmap(party);
	storage_mock_unpin(to_drm_gem_storage(obj));
}

static const struct state states[] = {
	{ "mapped by a static importer", NULL, storage_party_map,
	  storage_party_unmap },
	{ "pinned by an importer", &storage_party_follower, state_pin,
	  state_unpin },
	{ "vmapped by an importer", &storage_party_follower, state_vmap,
	  state_vunmap },
	{ "vmapped by its exporter", &storage_party_follower, state_own_vmap,
	  state_own_vunmap },
	{ "scanned out by its exporter", &storage_party_follower, state_own_pin,
	  state_own_unpin },
};

/* What the storage is, and what the newcomer takes: not the same pages. */
static const struct pair {
	enum drm_gem_storage_kind is, needed;
} pairs[] = {
	{ DRM_GEM_STORAGE_SHMEM, DRM_GEM_STORAGE_MASKED },
	{ DRM_GEM_STORAGE_SHMEM, DRM_GEM_STORAGE_CONTIGUOUS },
	{ DRM_GEM_STORAGE_MASKED, DRM_GEM_STORAGE_CONTIGUOUS },
};

/**
 * struct held - a state, and a newcomer
 * @state: the one
 * @pair: the other
 */
struct held {
	const struct state *state;
	const struct pair *pair;
};

/* Each state with each pair. */
static const void *held_gen_params(const void *prev, char *desc)
{
	static struct held held;
	static size_t i;

	i = prev ? i + 1 : 0;
	if (i == ARRAY_SIZE(states) * ARRAY_SIZE(pairs))
		return NULL;

	held.state = &states[i / ARRAY_SIZE(pairs)];
	held.pair = &pairs[i % ARRAY_SIZE(pairs)];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %s for %s", held.state->name,
		 drm_gem_storage_kind_name(held.pair->is),
		 drm_gem_storage_kind_name(held.pair->needed));

	return &held;
}

/*
 * Succeeds if the newcomer is -EBUSY, nobody has been told anything, the others'
 * tables are what they were and full of the content, and all is well for the
 * newcomer when the one who relied on the place has gone.
 */
static void nobody_moves_what_is_held(struct kunit *test)
{
	const struct held *held = test->param_value;
	const struct state *state = held->state;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party first = {}, strict = {};
	struct drm_gem_storage before;
	dma_addr_t address;

	storage_mock_make(test, ctx->storage, held->pair->is);
	storage_mock_fill(test, ctx->storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &first, dmabuf, state->ops,
					   held->pair->is));
	state->begin(test, &first);
	address = sg_dma_address(first.sgt->sgl);
	before = *ctx->storage;

	KUNIT_EXPECT_EQ(test, -EBUSY,
			storage_party_join(test, &strict, dmabuf, NULL,
					   held->pair->needed));
	KUNIT_EXPECT_EQ(test, first.told, 0);
	KUNIT_EXPECT_EQ(test, sg_dma_address(first.sgt->sgl), address);
	storage_party_expect(test, &first, SEED);
	KUNIT_EXPECT_TRUE(test,
			  dma_buf_constraints_equal(&ctx->storage->constraints,
						    &before.constraints));
	KUNIT_EXPECT_PTR_EQ(test, ctx->storage->backing, before.backing);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, before.moves);
	storage_mock_expect_pages(test, held->pair->needed, 0);

	state->end(&first);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf, NULL,
					   held->pair->needed));
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, held->pair->needed);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, before.moves + 1);
	storage_mock_expect(test, ctx->storage, SEED);
	storage_party_leave(&strict);
	storage_party_leave(&first);
	dma_buf_put(dmabuf);
}

static const struct newcomer {
	const char *name;
	struct dma_buf_constraints c;
} newcomers[] = {
	{ "any", { .segment_boundary_mask = U64_MAX } },
	{ "short entries",
	  { .segment_boundary_mask = U64_MAX, .max_segment_size = SZ_4K } },
	{ "a boundary", { .segment_boundary_mask = SZ_64K - 1 } },
	{ "an alignment",
	  { .segment_boundary_mask = U64_MAX, .alignment = SZ_64K } },
	{ "one piece",
	  { .segment_boundary_mask = U64_MAX, .max_segments = 1 } },
};

KUNIT_ARRAY_PARAM_DESC(newcomer, newcomers, name);

/*
 * Succeeds if storage in one piece, whose strict device has left, stays for each
 * that it suits, and while it is mapped, too.
 */
static void better_than_needed(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	const struct newcomer *newcomer = test->param_value;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party strict = {}, loose = {};
	struct dma_buf_attachment *attach;

	c.segment_boundary_mask = newcomer->c.segment_boundary_mask;
	c.max_segment_size = newcomer->c.max_segment_size ?: U64_MAX;
	c.alignment = newcomer->c.alignment ?: 1;
	c.max_segments = newcomer->c.max_segments ?: UINT_MAX;

	storage_mock_fill(test, ctx->storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf, NULL,
					   DRM_GEM_STORAGE_CONTIGUOUS));
	storage_party_leave(&strict);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &loose, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &loose);

	attach = dma_buf_attach_constrained(dmabuf, ctx->importer, NULL, NULL,
					    &c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_mock_expect_suits(test, ctx->storage, &c);
	storage_party_expect(test, &loose, SEED);

	dma_buf_detach(dmabuf, attach);
	storage_party_unmap(&loose);
	storage_party_leave(&loose);
	storage_mock_expect(test, ctx->storage, SEED);
	dma_buf_put(dmabuf);
}

/* The highest address of the object's pages. */
static u64 highest_address(struct kunit *test, struct drm_gem_storage *storage)
{
	struct scatterlist *sg;
	struct sg_table *sgt;
	u64 highest = 0;
	int i;

	dma_resv_lock(storage->base.resv, NULL);
	sgt = drm_gem_storage_get_sg_table(&storage->base);
	dma_resv_unlock(storage->base.resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	for_each_sgtable_sg(sgt, sg, i)
		highest = max_t(u64, highest, sg_phys(sg) + sg->length - 1);
	sg_free_table(sgt);
	kfree(sgt);

	return highest;
}

/*
 * Succeeds if pages of shmem that were chosen when the machine had less memory
 * stay, mapped or not, for those whom they suited then, and no longer.
 */
static void memory_was_added(struct kunit *test)
{
	struct dma_buf_constraints below = DMA_BUF_CONSTRAINTS_ANY;
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;

	storage_mock_fill(test, storage, SEED);
	KUNIT_ASSERT_EQ(test, storage->kind, DRM_GEM_STORAGE_SHMEM);
	/* as if all memory had been below that */
	below.dma_mask = highest_address(test, storage);
	storage->constraints.dma_mask = below.dma_mask;

	KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(storage));
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &below, 0));
	below.dma_mask >>= 1;
	KUNIT_EXPECT_EQ(test, -EBUSY,
			storage_mock_constrain(storage, &below, 0));
	storage_mock_unpin(storage);
	KUNIT_EXPECT_EQ(test, storage->moves, 0);

	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &below, 0));
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_MASKED);
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	storage_mock_expect(test, storage, SEED);
}

/*
 * Succeeds if pages of shmem that nobody used when memory was added, and that came
 * back where the device does not reach, go on to others before it sees them.
 */
static void memory_was_added_while_unused(struct kunit *test)
{
	struct dma_buf_constraints below = DMA_BUF_CONSTRAINTS_ANY;
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_party party = {};

	storage_mock_fill(test, storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &party, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	/* as if all memory had been below that, and all pages, too */
	below.dma_mask = highest_address(test, storage) - PAGE_SIZE;
	storage->constraints.dma_mask = below.dma_mask;
	drm_gem_storage_shrink(ULONG_MAX);

	storage_party_map(test, &party);
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_MASKED);
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	storage_party_expect(test, &party, SEED);
	storage_party_unmap(&party);
	storage_party_leave(&party);
	storage_mock_expect_suits(test, storage, &below);
	storage_mock_expect(test, storage, SEED);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if such pages are given back where there are no others, and the content
 * is as it was.
 */
static void memory_was_added_and_none_is_left(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	u64 all;

	storage_mock_fill(test, storage, SEED);
	all = storage->constraints.dma_mask;
	/* firmware is in it, and the object is longer than the rest */
	storage->constraints.dma_mask = SZ_1M - 1;
	drm_gem_storage_shrink(ULONG_MAX);
	KUNIT_EXPECT_NE(test, storage_mock_pin(storage), 0);
	KUNIT_EXPECT_EQ(test, storage->pin_count, 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	KUNIT_EXPECT_NE(test, storage_mock_pin(storage), 0);

	storage->constraints.dma_mask = all;
	KUNIT_EXPECT_EQ(test, storage->moves, 0);
	storage_mock_expect(test, storage, SEED);
}

/*
 * Succeeds if pages of shmem are in use from when a device first maps them that does
 * not keep them where they are, until it detaches.
 */
static void mapped_by_one_who_follows(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_party party = {};

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &party, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &party);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);
	storage_party_unmap(&party);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);
	storage_party_leave(&party);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	dma_buf_put(dmabuf);
}

static struct kunit_case storage_stay_cases[] = {
	KUNIT_CASE_PARAM(nobody_moves_what_is_held, held_gen_params),
	KUNIT_CASE_PARAM(better_than_needed, newcomer_gen_params),
	KUNIT_CASE(memory_was_added),
	KUNIT_CASE(memory_was_added_while_unused),
	KUNIT_CASE(memory_was_added_and_none_is_left),
	KUNIT_CASE(mapped_by_one_who_follows),
	{},
};

static struct kunit_suite storage_stay_suite = {
	.name = "drm_gem_storage_stay",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_stay_cases,
};

kunit_test_suite(storage_stay_suite);
