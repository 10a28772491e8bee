// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of exporters that do not keep their word
 *
 * What an exporter has agreed to is what importers rely on. If its table is
 * something else, the device must not see it; if its answer makes no sense, it
 * must not reach user space.
 */

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>

#include "dma_buf_party.h"

/* Succeeds if taking part without pin is -EINVAL, and what only those do who take part. */
static void export_that_cannot_be_held(struct kunit *test)
{
	struct mock_buffer *dynamic = mock_party(test)->buf;
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);

	buf->ops.constrain = dynamic->ops.constrain;
	KUNIT_EXPECT_PTR_EQ(test, mock_try_export(buf), ERR_PTR(-EINVAL));

	buf = mock_buffer_new(test, MOCK_DYNAMIC);
	buf->ops.map_pins = true;
	KUNIT_EXPECT_PTR_EQ(test, mock_try_export(buf), ERR_PTR(-EINVAL));
}

/**
 * struct broken - a table, and who it is not for
 * @name: what is broken
 * @demand: as the core has to name it
 * @in_one_piece: how the exporter's pages lie: all together, or none beside
 *		  the next
 * @need: what the importer said; 0 is any
 */
struct broken {
	const char *name;
	enum dma_buf_demand demand;
	bool in_one_piece;
	struct dma_buf_constraints need;
};

static const struct broken brokens[] = {
	{ "mask", DMA_BUF_DEMAND_MASK, true, { .dma_mask = MOCK_SIZE - 1 } },
	{ "alignment",
	  DMA_BUF_DEMAND_ALIGNMENT,
	  true,
	  { .alignment = BIT_ULL(45) } },
	{ "segment size",
	  DMA_BUF_DEMAND_SEGMENT_SIZE,
	  true,
	  { .max_segment_size = MOCK_SIZE - PAGE_SIZE } },
	{ "boundary",
	  DMA_BUF_DEMAND_BOUNDARY,
	  true,
	  { .segment_boundary_mask = MOCK_SIZE / 2 - 1 } },
	{ "contiguous", DMA_BUF_DEMAND_SEGMENTS, false, { .max_segments = 1 } },
	{ "segment count",
	  DMA_BUF_DEMAND_SEGMENTS,
	  false,
	  { .max_segments = MOCK_PAGES - 1 } },
};

KUNIT_ARRAY_PARAM_DESC(broken, brokens, name);

struct own_pages {
	struct mock_buffer *buf;
	struct page *pages[MOCK_PAGES];
};

static void give_own_pages_back(void *data)
{
	struct own_pages *own = data;
	unsigned int i;

	for (i = 0; i < MOCK_PAGES; i++) {
		__free_page(own->buf->pages[i]);
		own->buf->pages[i] = own->pages[i];
	}
}

static void pages_together(struct kunit *test, struct mock_buffer *buf)
{
	unsigned int i, order = get_order(MOCK_SIZE);
	struct own_pages *own;
	struct page *block;

	own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, own);
	block = alloc_pages(GFP_KERNEL, order);
	KUNIT_ASSERT_NOT_NULL(test, block);
	split_page(block, order);
	own->buf = buf;
	memcpy(own->pages, buf->pages, sizeof(own->pages));
	for (i = 0; i < MOCK_PAGES; i++)
		buf->pages[i] = block + i;
	mock_defer(test, give_own_pages_back, own);
}

static struct dma_buf_constraints filled_in(const struct dma_buf_constraints *c)
{
	struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;

	return (struct dma_buf_constraints){
		.dma_mask = c->dma_mask ?: any.dma_mask,
		.segment_boundary_mask =
			c->segment_boundary_mask ?: any.segment_boundary_mask,
		.max_segment_size = c->max_segment_size ?: any.max_segment_size,
		.alignment = c->alignment ?: any.alignment,
		.max_segments = c->max_segments ?: any.max_segments,
		.domains = any.domains,
	};
}

/* A device that needs nothing is given the table; is it what the case is about? */
static void expect_table(struct kunit *test, struct device *dev,
			 const struct dma_buf_constraints *c)
{
	const struct broken *p = test->param_value;
	struct dma_buf_violation seen = {};
	struct mock_party *party = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_party_attach_dev(party->buf, dev, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	dma_buf_constraints_check_sgt(c, sgt, MOCK_SIZE, &seen);
	KUNIT_EXPECT_EQ(test, seen.demand, p->demand);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_party_detach(party->buf, attach);
}

static void expect_broken(struct kunit *test, struct device *dev,
			  const struct dma_buf_constraints *c,
			  const struct dma_buf_attach_ops *ops,
			  const char *calls)
{
	struct mock_party *party = test->priv;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach_dev(party->buf, dev, ops, c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(party->buf);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EIO));
	KUNIT_EXPECT_STREQ(test, mock_calls(party->buf), calls);
	KUNIT_EXPECT_EQ(test, attach->map_count, 0);
	mock_party_detach(party->buf, attach);
}

/*
 * Succeeds if a table that is not as agreed is -EIO, and given back, whatever it is
 * that is broken.
 */
static void word_is_broken(struct kunit *test)
{
	const struct broken *p = test->param_value;
	struct dma_buf_constraints c = filled_in(&p->need);
	struct device *dev = mock_device(test, "importer");
	struct mock_party *party = mock_party(test);

	if (p->in_one_piece)
		pages_together(test, party->buf);
	else
		mock_scatter(party->buf->pages, MOCK_PAGES);
	expect_table(test, dev, &c);
	expect_broken(test, dev, &c, NULL, "pin* map:to* unmap:to* unpin*");
	expect_broken(test, dev, &c, &mock_importer, "map:to* unmap:to*");
}

/* Succeeds if limits of the DMA API are part of the word. */
static void word_is_broken_about_the_dma_api(struct kunit *test)
{
	struct mock_party *party = mock_party(test);
	struct device *dev = mock_device(test, "narrow");
	struct dma_buf_attachment *attach;
	u64 mask = MOCK_SIZE - 1;

	swap(*dev->dma_mask, mask);
	attach = mock_attach(party->buf, dev, NULL);
	swap(*dev->dma_mask, mask);
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, MOCK_SIZE - 1);

	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EIO));
}

struct nonsense {
	const char *name;
	int question;
	int move;
};

static const struct nonsense nonsenses[] = {
	{ "positive", 1, 0 },
	{ "positive about the move", -EAGAIN, 1 },
	{ "again and again", -EAGAIN, -EAGAIN },
};

KUNIT_ARRAY_PARAM_DESC(nonsense, nonsenses, name);

/* Succeeds if an answer that is none, or never ends, is -EINVAL. */
static void answer_makes_no_sense(struct kunit *test)
{
	const struct nonsense *p = test->param_value;
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;

	buf->fail[MOCK_CONSTRAIN] = p->question;
	buf->fail[MOCK_RELOCATE] = p->move;
	KUNIT_EXPECT_PTR_EQ(test, mock_party_attach(buf, "a", NULL, &one),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);
}

/* Succeeds if an exporter that will not loosen is left with what it has. */
static void will_not_loosen(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "a", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);

	mock_fail_at(buf, 1, -ENOMEM);
	mock_party_detach(buf, attach);
	mock_fail_at(buf, 0, 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "constrain!* detach");

	/* Still in one piece: that is what it says, so that is what is told. */
	attach = mock_party_attach(buf, "b", NULL, &low);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, 1);
}

/* Succeeds if storage that an importer took along does not move. */
static void storage_is_lost(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;
	struct device *dev;
	struct sg_table *sgt;

	if (IS_ENABLED(CONFIG_DMABUF_DEBUG))
		kunit_skip(test, "leaks, which a debug kernel would tell");

	attach = mock_party_attach(buf, "a", &mock_importer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	dev = attach->dev;
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_party_detach(buf, attach);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	KUNIT_EXPECT_PTR_EQ(test, mock_party_attach(buf, "b", NULL, &one),
			    ERR_PTR(-EBUSY));
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);

	/* Nobody else will, and the case's end counts. */
	buf->fail[MOCK_CONSTRAIN] = 0;
	attach = dma_buf_attach(buf->dmabuf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	dma_resv_lock(buf->dmabuf->resv, NULL);
	buf->ops.unmap_dma_buf(attach, buf->table, DMA_TO_DEVICE);
	dma_resv_unlock(buf->dmabuf->resv);
	dma_buf_detach(buf->dmabuf, attach);
}

/* Succeeds if null pointers are -EINVAL. */
static void calls_with_holes(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_buffer *buf = mock_party(test)->buf;
	struct dma_buf_attachment *attach, *cpu;

	attach = mock_party_attach(buf, "a", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(NULL, &one),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, devm_dma_buf_declare_constraints(NULL, &one),
			-EINVAL);
	KUNIT_EXPECT_EQ(test,
			devm_dma_buf_declare_constraints(attach->dev, NULL),
			-EINVAL);

	cpu = dma_buf_attach_cpu(buf->dmabuf, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cpu);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(cpu, &one), -EINVAL);
	dma_buf_detach(buf->dmabuf, cpu);
}

static struct kunit_case dma_buf_negotiate_misuse_cases[] = {
	KUNIT_CASE(export_that_cannot_be_held),
	KUNIT_CASE_PARAM(word_is_broken, broken_gen_params),
	KUNIT_CASE(word_is_broken_about_the_dma_api),
	KUNIT_CASE_PARAM(answer_makes_no_sense, nonsense_gen_params),
	KUNIT_CASE(will_not_loosen),
	KUNIT_CASE(storage_is_lost),
	KUNIT_CASE(calls_with_holes),
	{}
};

static struct kunit_suite dma_buf_negotiate_misuse_suite = {
	.name = "dma_buf_negotiate_misuse",
	.init = mock_needs_splats,
	.test_cases = dma_buf_negotiate_misuse_cases,
};

kunit_test_suite(dma_buf_negotiate_misuse_suite);
