// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime tests out of memory: the workbench
 *
 * Two devices with a file each, an object of one of them, and what has to be as it
 * was once a conversion of the object, or the use of its dma-buf, was refused: no
 * handle, no reference, no cached pair, no pinned page. Files that a kernel thread
 * closes are released by a worker, so what hangs on them is waited for.
 */

#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <kunit/resource.h>

#include <drm/drm_prime.h>

#include "drm_prime_fault.h"
#include "drm_prime_mock.h"

static void free_block(void *block)
{
	__free_pages(block, PRIME_FAULT_ORDER);
}

int prime_fault_init(struct kunit *test)
{
	struct prime_fault *ctx;
	int i, ret;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	prime_mock_duo_init(test);
	ctx->duo = test->priv;
	ctx->again = prime_mock_open(test, ctx->duo->exporter);

	ctx->block = alloc_pages(GFP_KERNEL, PRIME_FAULT_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, ctx->block);
	ret = kunit_add_action_or_reset(test, free_block, ctx->block);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for (i = 0; i < PRIME_FAULT_PAGES; i++)
		ctx->pages[i] = ctx->block + PRIME_FAULT_PAGES - 1 - i;
	test->priv = ctx;
	return 0;
}

void prime_fault_exit(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	if (!ctx)
		return;
	test->priv = ctx->duo;
	prime_mock_duo_exit(test);
}

/* What a refusal has left for the next would be one allocation less. */
static void drop_spare(struct drm_file *file)
{
	kfree(file->prime.spare);
	file->prime.spare = NULL;
}

/* An object that only its handle keeps, never exported. */
void prime_fault_object(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	struct prime_mock_duo *duo = ctx->duo;

	drop_spare(duo->efile);
	drop_spare(duo->ifile);
	drop_spare(ctx->again);
	ctx->handle = prime_mock_handle(test, duo->exporter, duo->efile);
	ctx->obj = prime_mock_peek(test, duo->efile, ctx->handle);
}

/* The handle goes, and nothing may be left. */
void prime_fault_object_finish(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	struct prime_mock_duo *duo = ctx->duo;

	prime_mock_close(test, duo->efile, ctx->handle);
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&duo->exporter->objects));
	KUNIT_EXPECT_EQ(test, atomic_read(&duo->importer->objects), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&duo->exporter->pins), 0);
	KUNIT_EXPECT_EQ(test, duo->efile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, duo->ifile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->again->prime.count, 0);
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&duo->ifile->object_idr));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->again->object_idr));
}

void prime_fault_unexported(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	PRIME_MOCK_EXPECT_SOON(test, kref_read(&ctx->obj->refcount) == 1);
	KUNIT_EXPECT_EQ(test, ctx->obj->handle_count, 1);
	KUNIT_EXPECT_NULL(test, ctx->obj->dma_buf);
	KUNIT_EXPECT_EQ(test, ctx->duo->efile->prime.count, 0);
}

int prime_fault_to_fd(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->made_fd = -1;
	return drm_gem_prime_handle_to_fd(&ctx->duo->exporter->drm,
					  ctx->duo->efile, ctx->handle,
					  DRM_CLOEXEC, &ctx->made_fd);
}

/* An object that is exported, seen from its dma-buf. */
void prime_fault_buffer(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	prime_fault_object(test);
	KUNIT_ASSERT_EQ(test, prime_fault_to_fd(test), 0);
	ctx->fd = ctx->made_fd;
	ctx->dma_buf = prime_mock_dma_buf(test, ctx->fd);
}

void prime_fault_buffer_finish(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	prime_mock_close_fd(ctx->fd);
	prime_fault_object_finish(test);
}

void prime_fault_unimported(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	struct prime_mock_duo *duo = ctx->duo;

	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&duo->importer->objects));
	/* the descriptor's, the object's and the cache's */
	PRIME_MOCK_EXPECT_SOON(test, file_count(ctx->dma_buf->file) == 3);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&duo->exporter->pins), 0);
	/* the handle's and the dma-buf's */
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 2);
	KUNIT_EXPECT_EQ(test, ctx->obj->handle_count, 1);
	KUNIT_EXPECT_EQ(test, duo->ifile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->again->prime.count, 0);
}
