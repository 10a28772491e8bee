// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of drivers' mistakes with storage
 *
 * A driver that mixes up its objects gets a warning and an error code, and the
 * object is as it was. The warnings would fail a run that wants a clean kernel log,
 * so these cases are skipped unless the module is loaded with provoke=1.
 */

#include <linux/dma-buf.h>
#include <linux/module.h>

#include <drm/drm_gem.h>

#include "drm_gem_storage_mock.h"

static bool provoke;
module_param(provoke, bool, 0444);
MODULE_PARM_DESC(provoke, "Run the cases that make the kernel warn");

static int misuse_init(struct kunit *test)
{
	if (!provoke)
		kunit_skip(test, "needs provoke=1");

	return storage_mock_init(test);
}

/*
 * Succeeds if an imported object, which has no storage, gets none, whatever it is
 * asked for.
 */
static void storage_of_an_import_warns(struct kunit *test)
{
	struct dma_buf_constraints one =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct dma_buf_attachment attach = {};
	struct storage_ctx *ctx = test->priv;
	struct sg_table *sgt;

	/* it is looked at, and not looked into */
	ctx->obj->import_attach = &attach;
	KUNIT_EXPECT_EQ(test, -EINVAL, storage_mock_pin(ctx->storage));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			storage_mock_constrain(ctx->storage, &one, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, storage_mock_relax(ctx->storage));
	dma_resv_lock(ctx->obj->resv, NULL);
	sgt = drm_gem_storage_get_sg_table(ctx->obj);
	dma_resv_unlock(ctx->obj->resv);
	KUNIT_EXPECT_PTR_EQ(test, sgt, ERR_PTR(-EINVAL));
	ctx->obj->import_attach = NULL;

	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_NONE);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
	KUNIT_EXPECT_FALSE(test, ctx->storage->asked);
}

/* Succeeds if an unpin too many takes away nobody's pin, of now or later. */
static void unpin_too_many_warns(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	storage_mock_unpin(ctx->storage);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_pin(ctx->storage));
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 1);
	storage_mock_unpin(ctx->storage);
	storage_mock_unpin(ctx->storage);
	KUNIT_EXPECT_EQ(test, ctx->storage->pin_count, 0);
}

static struct kunit_case storage_misuse_cases[] = {
	KUNIT_CASE(storage_of_an_import_warns),
	KUNIT_CASE(unpin_too_many_warns),
	{},
};

static struct kunit_suite storage_misuse_suite = {
	.name = "drm_gem_storage_misuse",
	.init = misuse_init,
	.exit = storage_mock_exit,
	.test_cases = storage_misuse_cases,
};

kunit_test_suite(storage_misuse_suite);
