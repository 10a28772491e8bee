// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of imports that the driver refuses at first
 *
 * A driver whose device needs its buffer in one piece, as drm_gem_dma_helper's
 * users, and an exporter that has it in pieces until it is asked for one.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

#define PIECES 4

/**
 * struct pieces - an exporter that takes part
 * @pages: storage, PIECES of them in one block
 * @dma_buf: its buffer
 * @scattered: whether the table shows the block back to front
 * @agreed: what it has said yes to
 * @busy: what it answers when it has to move, 0 to do it
 * @pins: pins
 * @maps: tables that are out
 * @mapped: how often it was mapped
 * @moved: how often it was told to move
 * @tries: how often the importer's driver was asked
 * @refuse: what the importer's driver says in any case, 0 to look at the table
 */
struct pieces {
	struct page *pages;
	struct dma_buf *dma_buf;
	bool scattered;
	struct dma_buf_constraints agreed;
	int busy;
	int pins;
	int maps;
	int mapped;
	int moved;
	int tries;
	int refuse;
};

static int pieces_pin(struct dma_buf_attachment *attach)
{
	struct pieces *pieces = attach->dmabuf->priv;

	pieces->pins++;
	return 0;
}

static void pieces_unpin(struct dma_buf_attachment *attach)
{
	struct pieces *pieces = attach->dmabuf->priv;

	pieces->pins--;
}

static int pieces_constrain(struct dma_buf *dma_buf,
			    const struct dma_buf_constraints *c, bool move)
{
	struct pieces *pieces = dma_buf->priv;
	bool fits = !pieces->scattered || c->max_segments >= PIECES;

	if (!fits && !move)
		return -EAGAIN;
	if (!fits && pieces->busy)
		return pieces->busy;
	if (!fits) {
		pieces->scattered = false;
		pieces->moved++;
	}
	pieces->agreed = *c;
	return 0;
}

static struct sg_table *pieces_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct pieces *pieces = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, PIECES, GFP_KERNEL))
		goto err_free;
	for_each_sgtable_sg(sgt, sg, i) {
		unsigned int n = pieces->scattered ? PIECES - 1 - i : i;

		sg_set_page(sg, pieces->pages + n, PAGE_SIZE, 0);
	}
	if (dma_map_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC))
		goto err_table;
	pieces->maps++;
	pieces->mapped++;
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void pieces_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	struct pieces *pieces = attach->dmabuf->priv;

	pieces->maps--;
	dma_unmap_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

static void pieces_release(struct dma_buf *dma_buf)
{
	struct pieces *pieces = dma_buf->priv;

	__free_pages(pieces->pages, get_order(PIECES * PAGE_SIZE));
	pieces->pages = NULL;
}

static const struct dma_buf_ops pieces_ops = {
	.pin = pieces_pin,
	.unpin = pieces_unpin,
	.constrain = pieces_constrain,
	.map_dma_buf = pieces_map,
	.unmap_dma_buf = pieces_unmap,
	.release = pieces_release,
};

/* The importer's driver has no way to tell its callers about the test. */
static struct pieces *running;

static struct drm_gem_object *one_piece_only(struct drm_device *dev,
					     struct dma_buf_attachment *attach,
					     struct sg_table *sgt)
{
	running->tries++;
	if (running->refuse)
		return ERR_PTR(running->refuse);
	if (drm_prime_get_contiguous_size(sgt) < attach->dmabuf->size)
		return ERR_PTR(-EINVAL);
	return drm_gem_shmem_prime_import_sg_table(dev, attach, sgt);
}

struct negotiate_ctx {
	struct pieces pieces;
	struct prime_mock *importer;
};

static int negotiate_init(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct negotiate_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->pieces.scattered = true;
	ctx->importer = prime_mock_create(test, "importer");
	ctx->importer->driver.gem_prime_import_sg_table = one_piece_only;

	ctx->pieces.pages = alloc_pages(GFP_KERNEL | __GFP_ZERO,
					get_order(PIECES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, ctx->pieces.pages);
	info.ops = &pieces_ops;
	info.size = PIECES * PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = &ctx->pieces;
	ctx->pieces.dma_buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pieces.dma_buf);

	running = &ctx->pieces;
	test->priv = ctx;
	return 0;
}

/* The buffer must be as if nobody had ever imported it, but for its place. */
static void negotiate_exit(struct kunit *test)
{
	struct negotiate_ctx *ctx = test->priv;

	if (!ctx)
		return;
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->importer->objects));
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->pieces.dma_buf), 0);
	KUNIT_EXPECT_EQ(test, ctx->pieces.pins, 0);
	KUNIT_EXPECT_EQ(test, ctx->pieces.maps, 0);
	KUNIT_EXPECT_EQ(test, ctx->pieces.agreed.max_segments, UINT_MAX);
	dma_buf_put(ctx->pieces.dma_buf);
	PRIME_MOCK_EXPECT_SOON(test, !ctx->pieces.pages);
}

/* Succeeds if a refused table is asked for in one piece, once, and imported. */
static void refused_then_imported(struct kunit *test)
{
	struct negotiate_ctx *ctx = test->priv;
	struct drm_gem_object *obj;

	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->pieces.dma_buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, ctx->pieces.tries, 2);
	KUNIT_EXPECT_EQ(test, ctx->pieces.mapped, 2);
	KUNIT_EXPECT_EQ(test, ctx->pieces.moved, 1);
	KUNIT_EXPECT_EQ(test, ctx->pieces.maps, 1);
	KUNIT_EXPECT_EQ(test, ctx->pieces.pins, 1);
	KUNIT_EXPECT_EQ(test,
			obj->import_attach->needs->constraints.max_segments, 1);
	KUNIT_EXPECT_EQ(test, ctx->pieces.agreed.max_segments, 1);
	drm_gem_object_put(obj);
}

/* Succeeds if a driver that refuses one piece, too, is not asked a third time. */
static void refused_twice(struct kunit *test)
{
	struct negotiate_ctx *ctx = test->priv;
	struct drm_gem_object *obj;

	ctx->pieces.refuse = -EINVAL;
	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->pieces.dma_buf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(obj), -EINVAL);
	KUNIT_EXPECT_EQ(test, ctx->pieces.tries, 2);
	KUNIT_EXPECT_EQ(test, ctx->pieces.moved, 1);

	/* It is in one piece now: that cannot be the reason. */
	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->pieces.dma_buf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(obj), -EINVAL);
	KUNIT_EXPECT_EQ(test, ctx->pieces.tries, 3);
}

/* Succeeds if a refusal for any other reason is final. */
static void refused_for_another_reason(struct kunit *test)
{
	struct negotiate_ctx *ctx = test->priv;
	struct drm_gem_object *obj;

	ctx->pieces.refuse = -ENOMEM;
	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->pieces.dma_buf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(obj), -ENOMEM);
	KUNIT_EXPECT_EQ(test, ctx->pieces.tries, 1);
	KUNIT_EXPECT_EQ(test, ctx->pieces.moved, 0);
}

struct stuck {
	const char *name;
	int err;
	bool held;
};

static const struct stuck stucks[] = {
	{ "no such memory", -ENOMEM, false },
	{ "mapped by another", -EBUSY, true },
};

KUNIT_ARRAY_PARAM_DESC(stuck, stucks, name);

/* Succeeds if the reason why it is not in one piece is told. */
static void refused_and_cannot_move(struct kunit *test)
{
	const struct stuck *p = test->param_value;
	struct negotiate_ctx *ctx = test->priv;
	struct prime_mock *other = prime_mock_create(test, "other");
	struct drm_gem_object *obj, *held = NULL;

	ctx->pieces.busy = p->err;
	if (p->held) {
		ctx->pieces.busy = 0;
		held = drm_gem_prime_import(&other->drm, ctx->pieces.dma_buf);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, held);
	}
	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->pieces.dma_buf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(obj), p->err);
	KUNIT_EXPECT_EQ(test, ctx->pieces.tries, 1);
	KUNIT_EXPECT_EQ(test, ctx->pieces.moved, 0);
	if (held)
		drm_gem_object_put(held);
}

/* Succeeds if an exporter that does not take part is mapped once, as ever. */
static void refused_by_a_stranger(struct kunit *test)
{
	struct negotiate_ctx *ctx = test->priv;
	struct dma_buf_ops ops = pieces_ops;
	struct drm_gem_object *obj;

	ops.pin = NULL;
	ops.unpin = NULL;
	ops.constrain = NULL;
	ctx->pieces.agreed = DMA_BUF_CONSTRAINTS_ANY;
	ctx->pieces.dma_buf->ops = &ops;
	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->pieces.dma_buf);
	ctx->pieces.dma_buf->ops = &pieces_ops;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(obj), -EINVAL);
	KUNIT_EXPECT_EQ(test, ctx->pieces.tries, 1);
	KUNIT_EXPECT_EQ(test, ctx->pieces.mapped, 1);
}

static struct kunit_case prime_negotiate_cases[] = {
	KUNIT_CASE(refused_then_imported),
	KUNIT_CASE(refused_twice),
	KUNIT_CASE(refused_for_another_reason),
	KUNIT_CASE_PARAM(refused_and_cannot_move, stuck_gen_params),
	KUNIT_CASE(refused_by_a_stranger),
	{},
};

static struct kunit_suite prime_negotiate_suite = {
	.name = "drm_prime_negotiate",
	.init = negotiate_init,
	.exit = negotiate_exit,
	.test_cases = prime_negotiate_cases,
};

kunit_test_suite(prime_negotiate_suite);
