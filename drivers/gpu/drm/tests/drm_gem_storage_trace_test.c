// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of the tracepoints of storage
 *
 * Which kind was chosen, and what moved or could not, is told once each, of the
 * object that it happened to.
 */

#include <linux/dma-resv.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include <kunit/resource.h>

#include "../drm_gem_storage_internal.h"
#include "../drm_gem_storage_trace.h"
#include "drm_gem_storage_mock.h"

#define SEED 20120101

/**
 * struct move_log - what the tracepoints told of one object
 * @storage: the object
 * @text: name, kinds and result of each event
 * @len: characters in @text
 */
struct move_log {
	const struct drm_gem_storage *storage;
	char text[256];
	size_t len;
};

static void note(struct move_log *log, const struct drm_gem_storage *storage,
		 const char *event, int from, int to, int ret)
{
	if (storage != log->storage)
		return;

	log->len += scnprintf(log->text + log->len,
			      sizeof(log->text) - log->len, "%s:%s:%s:%d ",
			      event, drm_gem_storage_kind_name(from),
			      drm_gem_storage_kind_name(to), ret);
}

static void probe_choose(void *log, const struct drm_gem_storage *storage,
			 int from, int to, int ret)
{
	note(log, storage, "choose", from, to, ret);
}

static void probe_move(void *log, const struct drm_gem_storage *storage,
		       int from, int to, int ret)
{
	note(log, storage, "move", from, to, ret);
}

static void probe_relax(void *log, const struct drm_gem_storage *storage,
			int from, int to, int ret)
{
	note(log, storage, "relax", from, to, ret);
}

static void forget_probes(void *log)
{
	unregister_trace_drm_gem_storage_choose(probe_choose, log);
	unregister_trace_drm_gem_storage_move(probe_move, log);
	unregister_trace_drm_gem_storage_relax(probe_relax, log);
	tracepoint_synchronize_unregister();
}

static void expect_told(struct kunit *test, struct move_log *log,
			const char *text)
{
	KUNIT_EXPECT_STREQ(test, log->text, text);
	log->text[0] = '\0';
	log->len = 0;
}

static struct move_log *begin_log(struct kunit *test)
{
	struct move_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);
	struct storage_ctx *ctx = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, log);
	log->storage = ctx->storage;
	register_trace_drm_gem_storage_choose(probe_choose, log);
	register_trace_drm_gem_storage_move(probe_move, log);
	register_trace_drm_gem_storage_relax(probe_relax, log);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, forget_probes, log));

	return log;
}

/* The last byte of the object that is at the highest address. */
static u64 highest_address(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	u64 highest = 0;
	int i;

	dma_resv_lock(ctx->obj->resv, NULL);
	sgt = drm_gem_storage_get_sg_table(ctx->obj);
	dma_resv_unlock(ctx->obj->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	for_each_sgtable_sg(sgt, sg, i)
		highest = max(highest, sg_phys(sg) + sg->length - 1);
	sg_free_table(sgt);
	kfree(sgt);

	return highest;
}

/*
 * Succeeds if the choice at the first use, each move, and what is given back are
 * told once, with their outcome, and the question before a move is not.
 */
static void decisions_are_told(struct kunit *test)
{
	struct dma_buf_constraints one =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct move_log *log = begin_log(test);
	int ret;

	storage_mock_fill(test, storage, SEED);
	expect_told(test, log, "choose:none:shmem:0 ");
	ret = storage_mock_constrain(storage, &one, DRM_GEM_STORAGE_STAY);
	KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	expect_told(test, log, "");
	KUNIT_EXPECT_EQ(test, 0, storage_mock_pin(storage));
	KUNIT_EXPECT_EQ(test, -EBUSY, storage_mock_constrain(storage, &one, 0));
	storage_mock_unpin(storage);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &one, 0));
	expect_told(test, log,
		    "move:shmem:contiguous:-16 move:shmem:contiguous:0 ");
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &any, 0));
	expect_told(test, log, "");
	KUNIT_EXPECT_EQ(test, 0, storage_mock_relax(storage));
	expect_told(test, log, "relax:contiguous:shmem:0 ");
	/* there is nothing easier to get */
	KUNIT_EXPECT_EQ(test, 0, storage_mock_relax(storage));
	expect_told(test, log, "");
}

/*
 * Succeeds if pages of shmem that turn out to be beyond what the devices reach, as
 * where memory was added since, are told to have moved, and have.
 */
static void growth_is_told(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct move_log *log = begin_log(test);

	storage_mock_fill(test, storage, SEED);
	expect_told(test, log, "choose:none:shmem:0 ");
	/* as if memory had ended there when it was chosen */
	storage->constraints.dma_mask = highest_address(test) - PAGE_SIZE;
	drm_gem_storage_shrink(ULONG_MAX);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_pin(storage));
	storage_mock_unpin(storage);
	expect_told(test, log, "move:shmem:masked:0 ");
	KUNIT_EXPECT_LE(test, highest_address(test),
			storage->constraints.dma_mask);
	storage_mock_expect(test, storage, SEED);
}

static struct kunit_case storage_trace_cases[] = {
	KUNIT_CASE(decisions_are_told),
	KUNIT_CASE(growth_is_told),
	{},
};

static struct kunit_suite storage_trace_suite = {
	.name = "drm_gem_storage_trace",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_trace_cases,
};

kunit_test_suite(storage_trace_suite);
