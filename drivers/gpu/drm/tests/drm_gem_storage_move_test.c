// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of moves
 *
 * Content must survive every move, whoever looks on, and what cannot move must
 * be as if nobody had asked.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/sched/signal.h>
#include <linux/scatterlist.h>

#include <kunit/resource.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_prime.h>

#include "../drm_gem_storage_internal.h"
#include "drm_gem_storage_mock.h"

#define MOVE_SEED 20260101

/**
 * struct conversion - from one kind to another
 * @from: before
 * @to: after
 */
struct conversion {
	enum drm_gem_storage_kind from;
	enum drm_gem_storage_kind to;
};

static const struct conversion conversions[] = {
	{ DRM_GEM_STORAGE_SHMEM, DRM_GEM_STORAGE_MASKED },
	{ DRM_GEM_STORAGE_SHMEM, DRM_GEM_STORAGE_CONTIGUOUS },
	{ DRM_GEM_STORAGE_MASKED, DRM_GEM_STORAGE_SHMEM },
	{ DRM_GEM_STORAGE_MASKED, DRM_GEM_STORAGE_CONTIGUOUS },
	{ DRM_GEM_STORAGE_CONTIGUOUS, DRM_GEM_STORAGE_SHMEM },
	{ DRM_GEM_STORAGE_CONTIGUOUS, DRM_GEM_STORAGE_MASKED },
};

static void conversion_desc(const struct conversion *conversion, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s to %s",
		 drm_gem_storage_kind_name(conversion->from),
		 drm_gem_storage_kind_name(conversion->to));
}

KUNIT_ARRAY_PARAM(conversion, conversions, conversion_desc);

/*
 * Succeeds if content is the same after a move, exactly as many pages are in
 * use as before, and the counters tell.
 */
static void content_survives(struct kunit *test)
{
	const struct conversion *conversion = test->param_value;
	struct dma_buf_constraints c = storage_mock_needs(conversion->to);
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	bool shmem;

	storage_mock_make(test, storage, conversion->from);
	storage_mock_fill(test, storage, MOVE_SEED);
	KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(storage));
	storage_mock_expect_pages(test, conversion->from, STORAGE_PAGES);
	storage_mock_unpin(storage);

	storage_mock_make(test, storage, conversion->to);
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	KUNIT_EXPECT_EQ(test, storage->moved_bytes, STORAGE_SIZE);
	storage_mock_expect_pages(test, conversion->from, 0);
	storage_mock_expect(test, storage, MOVE_SEED);
	storage_mock_expect_suits(test, storage, &c);
	/* the file has pages if, and only if, it has the content */
	shmem = conversion->to == DRM_GEM_STORAGE_SHMEM;
	KUNIT_EXPECT_EQ(test, storage_mock_file_pages(ctx->storage),
			shmem ? STORAGE_PAGES : 0);

	/* and back, for what the first one may have left */
	storage_mock_make(test, storage, conversion->from);
	KUNIT_EXPECT_EQ(test, storage->moves, 2);
	storage_mock_expect(test, storage, MOVE_SEED);
}

/*
 * Succeeds if pages below one mask move below another, and stay for looser ones,
 * which are to hold what suits them already.
 */
static void stricter_mask(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_MASKED);
	struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;

	storage_mock_make(test, storage, DRM_GEM_STORAGE_MASKED);
	storage_mock_fill(test, storage, MOVE_SEED);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, storage->moves, 0);

	c.dma_mask = DMA_BIT_MASK(28);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_MASKED);
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	storage_mock_expect_suits(test, storage, &c);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_MASKED, STORAGE_PAGES);

	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &any, 0));
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	storage_mock_expect(test, storage, MOVE_SEED);
}

/**
 * struct holder - somebody who uses an object
 * @name: what is shown
 * @begin: starts to
 * @end: stops
 * @moves: it is no obstacle
 */
struct holder {
	const char *name;
	void (*begin)(struct kunit *test);
	void (*end)(struct kunit *test);
	bool moves;
};

static struct iosys_map user_map;
static struct dma_buf *user_dmabuf;
static struct dma_buf_attachment *user_attach;
static struct sg_table *user_sgt;

static struct drm_gem_storage *user_storage(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	return ctx->storage;
}

static void user_pin(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(user_storage(test)));
}

static void user_unpin(struct kunit *test)
{
	storage_mock_unpin(user_storage(test));
}

static void user_vmap(struct kunit *test)
{
	struct drm_gem_storage *storage = user_storage(test);

	KUNIT_ASSERT_EQ(test, 0,
			drm_gem_vmap_unlocked(&storage->base, &user_map));
}

static void user_vunmap(struct kunit *test)
{
	drm_gem_vunmap_unlocked(&user_storage(test)->base, &user_map);
}

static void user_attach_static(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	user_dmabuf = storage_mock_export(test);
	user_attach = dma_buf_attach(user_dmabuf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, user_attach);
}

static void user_detach(struct kunit *test)
{
	dma_buf_detach(user_dmabuf, user_attach);
	dma_buf_put(user_dmabuf);
}

static void user_map_static(struct kunit *test)
{
	user_attach_static(test);
	user_sgt =
		dma_buf_map_attachment_unlocked(user_attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, user_sgt);
}

static void user_unmap(struct kunit *test)
{
	dma_buf_unmap_attachment_unlocked(user_attach, user_sgt,
					  DMA_BIDIRECTIONAL);
	user_detach(test);
}

static const struct holder users[] = {
	{ "pinned", user_pin, user_unpin },
	{ "mapped by the kernel", user_vmap, user_vunmap },
	{ "mapped by a static importer", user_map_static, user_unmap },
	{ "attached", user_attach_static, user_detach, true },
};

KUNIT_ARRAY_PARAM_DESC(user, users, name);

/* What a refusal must leave as it was. */
static void expect_refusal(struct kunit *test,
			   const struct dma_buf_constraints *c, int error)
{
	struct drm_gem_storage *storage = user_storage(test);
	struct drm_gem_storage before = *storage;

	KUNIT_EXPECT_EQ(test, error, storage_mock_constrain(storage, c, 0));
	/* its own device may not have been asked before */
	if (!before.asked)
		before.constraints = storage->needs;
	KUNIT_EXPECT_EQ(test, storage->kind, before.kind);
	KUNIT_EXPECT_PTR_EQ(test, storage->backing, before.backing);
	KUNIT_EXPECT_EQ(test, storage->moves, before.moves);
	KUNIT_EXPECT_EQ(test, storage->moved_bytes, before.moved_bytes);
	KUNIT_EXPECT_EQ(test, storage->pin_count, before.pin_count);
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_equal(&storage->constraints,
							  &before.constraints));
}

/*
 * Succeeds if those who need the storage where it is keep it there, the move
 * works when they are gone, and content is the same at both times.
 */
static void busy(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct drm_gem_storage *storage = user_storage(test);
	const struct holder *user = test->param_value;

	storage_mock_fill(test, storage, MOVE_SEED);
	user->begin(test);
	if (user->moves)
		KUNIT_EXPECT_EQ(test, 0,
				storage_mock_constrain(storage, &c, 0));
	else
		expect_refusal(test, &c, -EBUSY);
	storage_mock_expect(test, storage, MOVE_SEED);
	user->end(test);

	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	storage_mock_expect(test, storage, MOVE_SEED);

	user->begin(test);
	c = DMA_BUF_CONSTRAINTS_ANY;
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, storage_mock_relax(storage),
			user->moves ? 0 : -EBUSY);
	storage_mock_expect(test, storage, MOVE_SEED);
	user->end(test);
}

/* Succeeds if what can never be is refused, allocated or not. */
static void impossible(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct drm_gem_storage *storage = user_storage(test);

	c.domains = DMA_BUF_DOMAIN_PEER;
	expect_refusal(test, &c, -EINVAL);
	storage_mock_fill(test, storage, MOVE_SEED);
	expect_refusal(test, &c, -EINVAL);
	storage_mock_expect(test, storage, MOVE_SEED);
}

/*
 * Succeeds if memory that is not to be had leaves the object as it was. Nobody
 * gets nearly all of the lowest 16 MiB in one piece: firmware is in it.
 */
static void no_memory(struct kunit *test)
{
	struct dma_buf_constraints c = {
		.dma_mask = DMA_BIT_MASK(24),
		.segment_boundary_mask = U64_MAX,
		.max_segment_size = U64_MAX,
		.alignment = 1,
		.max_segments = 1,
		.domains = DMA_BUF_DOMAIN_ALL,
	};
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *small = ctx->storage;

	ctx->storage = storage_mock_object(test, SZ_16M - PAGE_SIZE);
	storage_mock_fill(test, ctx->storage, MOVE_SEED);
	expect_refusal(test, &c, -ENOMEM);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_CONTIGUOUS, 0);
	storage_mock_expect(test, ctx->storage, MOVE_SEED);
	drm_gem_object_put(&ctx->storage->base);
	ctx->storage = small;
}

/*
 * Succeeds if a device that the DMA API has no memory for gets a piece all the same,
 * by its addresses.
 */
static void no_memory_of_the_dma_api(struct kunit *test)
{
	struct drm_gem_storage *storage = user_storage(test);
	struct device *dev = storage->base.dev->dev;
	u64 mask = 0;

	swap(dev->coherent_dma_mask, mask);
	storage_mock_make(test, storage, DRM_GEM_STORAGE_CONTIGUOUS);
	swap(dev->coherent_dma_mask, mask);
	KUNIT_EXPECT_NULL(test, storage->backing->dma_dev);
	storage_mock_fill(test, storage, MOVE_SEED);
	storage_mock_expect(test, storage, MOVE_SEED);
}

static const int usages[] = { DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE,
			      DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP };

static void usage_desc(const int *usage, char *desc)
{
	static const char *const names[] = { "kernel", "write", "read",
					     "bookkeep" };

	strscpy(desc, names[*usage], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(usage, usages, usage_desc);

/*
 * Succeeds if a move waits for devices that read or write, a signal ends the
 * wait and nothing has happened, and who has waited does not wait again.
 */
static void waits_for_devices(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct drm_gem_storage *storage = user_storage(test);
	const int *usage = test->param_value;
	struct dma_fence *fence;
	int ret;

	storage_mock_fill(test, storage, MOVE_SEED);
	fence = storage_mock_busy(test, *usage);

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	expect_refusal(test, &c, -ERESTARTSYS);
	flush_signals(current);
	disallow_signal(SIGUSR1);
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_SHMEM);

	ret = storage_mock_constrain(storage, &c, DRM_GEM_STORAGE_IDLE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	c = storage_mock_needs(DRM_GEM_STORAGE_SHMEM);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, 0, storage_mock_relax(storage));
	KUNIT_EXPECT_EQ(test, storage->moves, 2);
	storage_mock_expect(test, storage, MOVE_SEED);
}

static struct kunit_case storage_move_cases[] = {
	KUNIT_CASE_PARAM(content_survives, conversion_gen_params),
	KUNIT_CASE(stricter_mask),
	KUNIT_CASE_PARAM(busy, user_gen_params),
	KUNIT_CASE(impossible),
	KUNIT_CASE(no_memory),
	KUNIT_CASE(no_memory_of_the_dma_api),
	KUNIT_CASE_PARAM(waits_for_devices, usage_gen_params),
	{},
};

static struct kunit_suite storage_move_suite = {
	.name = "drm_gem_storage_move",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_move_cases,
};

kunit_test_suite(storage_move_suite);
