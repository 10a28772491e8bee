// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: storage tests out of memory
 *
 * Each allocation of each operation fails once, and the object must be as it
 * was: no page of it taken, none of its content lost.
 */

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/slab.h>

#include "../../../dma-buf/tests/dma_buf_fault.h"
#include "drm_gem_storage_mock.h"

#define FAULT_SEED 4711

/* The object of an attempt takes the place of the test's own. */
static struct drm_gem_storage *own;
static struct iosys_map map;

static void fresh_prepare(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	own = ctx->storage;
	ctx->storage = storage_mock_object(test, 16 * PAGE_SIZE);
}

static void fresh_finish(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	int kind;

	drm_gem_object_put(&ctx->storage->base);
	ctx->storage = own;
	for (kind = 0; kind < DRM_GEM_STORAGE_KINDS; kind++)
		storage_mock_expect_pages(test, kind, 0);
}

static void fresh_refused(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_NONE);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->vmap_count, 0);
}

/* drm_gem_storage_create() */

static struct drm_gem_storage *created;

static int create_run(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	created = drm_gem_storage_create(ctx->drm, STORAGE_SIZE);

	return PTR_ERR_OR_ZERO(created);
}

static void create_good(struct kunit *test)
{
	drm_gem_object_put(&created->base);
}

/* drm_gem_storage_pin(), by kind */

static int pin_run(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	return storage_mock_pin(ctx->storage);
}

static void pin_good(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	storage_mock_unpin(ctx->storage);
	storage_mock_fill(test, ctx->storage, FAULT_SEED);
	storage_mock_expect(test, ctx->storage, FAULT_SEED);
}

static void needs_prepare(struct kunit *test, enum drm_gem_storage_kind kind)
{
	struct dma_buf_constraints c = storage_mock_needs(kind);
	struct storage_ctx *ctx = test->priv;

	fresh_prepare(test);
	KUNIT_ASSERT_EQ(test, 0, storage_mock_constrain(ctx->storage, &c, 0));
}

static void masked_prepare(struct kunit *test)
{
	needs_prepare(test, DRM_GEM_STORAGE_MASKED);
}

static void contiguous_prepare(struct kunit *test)
{
	needs_prepare(test, DRM_GEM_STORAGE_CONTIGUOUS);
}

/* drm_gem_storage_vmap() */

static int vmap_run(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	return drm_gem_vmap_unlocked(&ctx->storage->base, &map);
}

static void vmap_good(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	drm_gem_vunmap_unlocked(&ctx->storage->base, &map);
	pin_run(test);
	pin_good(test);
}

/* drm_gem_storage_constrain(), of an object with content */

static void filled_prepare(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	fresh_prepare(test);
	storage_mock_fill(test, ctx->storage, FAULT_SEED);
}

static int constrain_run(struct kunit *test, enum drm_gem_storage_kind kind)
{
	struct dma_buf_constraints c = storage_mock_needs(kind);
	struct storage_ctx *ctx = test->priv;

	return storage_mock_constrain(ctx->storage, &c, 0);
}

static int to_masked_run(struct kunit *test)
{
	return constrain_run(test, DRM_GEM_STORAGE_MASKED);
}

static int to_contiguous_run(struct kunit *test)
{
	return constrain_run(test, DRM_GEM_STORAGE_CONTIGUOUS);
}

static void moved_good(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_mock_expect(test, ctx->storage, FAULT_SEED);
}

static void moved_refused(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_SHMEM);
	storage_mock_expect(test, ctx->storage, FAULT_SEED);
}

static void block_prepare(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	contiguous_prepare(test);
	storage_mock_fill(test, ctx->storage, FAULT_SEED);
	KUNIT_ASSERT_EQ(test, 0, storage_mock_constrain(ctx->storage, &c, 0));
}

static int relax_run(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	return storage_mock_relax(ctx->storage);
}

static void relax_refused(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	storage_mock_expect(test, ctx->storage, FAULT_SEED);
}

/* drm_gem_storage_get_sg_table() */

static struct sg_table *table;

static int table_run(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_object *obj = &ctx->storage->base;

	dma_resv_lock(obj->resv, NULL);
	table = drm_gem_storage_get_sg_table(obj);
	dma_resv_unlock(obj->resv);

	return PTR_ERR_OR_ZERO(table);
}

static void table_good(struct kunit *test)
{
	sg_free_table(table);
	kfree(table);
}

static void table_refused(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
}

/* drm_gem_storage_map_dma_buf() */

static struct dma_buf *dmabuf;
static struct dma_buf_attachment *attach;

static void map_prepare(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	fresh_prepare(test);
	dmabuf = drm_gem_storage_prime_export(&ctx->storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	attach = dma_buf_attach(dmabuf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
}

static void nothing_to_invalidate(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops dynamic_importer = {
	.move_notify = nothing_to_invalidate,
};

/* Nobody pins for this one, so the pages are asked for by map itself. */
static void map_dynamic_prepare(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	fresh_prepare(test);
	dmabuf = drm_gem_storage_prime_export(&ctx->storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	attach = dma_buf_dynamic_attach(dmabuf, ctx->importer,
					&dynamic_importer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
}

static int map_run(struct kunit *test)
{
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);

	return PTR_ERR_OR_ZERO(table);
}

static void map_good(struct kunit *test)
{
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
}

static void map_finish(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	dma_buf_detach(dmabuf, attach);
	storage_mock_put_export(ctx->storage, dmabuf);
	fresh_finish(test);
}

/* What was made before the core could not go on is kept until detach. */
static void map_refused(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
}

static const struct fault_op fault_ops[] = {
	{ "create", NULL, create_run, create_good, NULL, NULL, 1 },
	{ "pin shmem", fresh_prepare, pin_run, pin_good, fresh_refused,
	  fresh_finish, 2 },
	{ "pin masked", masked_prepare, pin_run, pin_good, fresh_refused,
	  fresh_finish, 2 },
	{ "pin contiguous", contiguous_prepare, pin_run, pin_good,
	  fresh_refused, fresh_finish, 2 },
	{ "vmap", fresh_prepare, vmap_run, vmap_good, NULL, fresh_finish, 3 },
	{ "constrain to masked", filled_prepare, to_masked_run, moved_good,
	  moved_refused, fresh_finish, 2 },
	{ "constrain to contiguous", filled_prepare, to_contiguous_run,
	  moved_good, moved_refused, fresh_finish, 2 },
	{ "relax", block_prepare, relax_run, moved_good, relax_refused,
	  fresh_finish, 2 },
	{ "table", filled_prepare, table_run, table_good, table_refused,
	  fresh_finish, 2 },
	{ "map", map_prepare, map_run, map_good, map_refused, map_finish, 3 },
	{ "map dynamic", map_dynamic_prepare, map_run, map_good, map_refused,
	  map_finish, 3 },
};

KUNIT_ARRAY_PARAM_DESC(fault, fault_ops, name);

/* Succeeds if each allocation of an operation can fail, and nothing is left. */
static void each_allocation_fails(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static int fault_init(struct kunit *test)
{
	fault_require(test);

	return storage_mock_init(test);
}

static struct kunit_case storage_fault_cases[] = {
	KUNIT_CASE_PARAM(each_allocation_fails, fault_gen_params),
	{},
};

static struct kunit_suite storage_fault_suite = {
	.name = "drm_gem_storage_fault",
	.init = fault_init,
	.exit = storage_mock_exit,
	.test_cases = storage_fault_cases,
};

kunit_test_suite(storage_fault_suite);
