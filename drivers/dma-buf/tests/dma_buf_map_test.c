// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of DMA mappings
 *
 * Who maps, how often the exporter hears of it, what an importer gets to see,
 * and which fences a mapping waits for.
 */

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>

#include "dma_buf_mock.h"

static size_t map_length(struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t len = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		len += sg_dma_len(sg);
	return len;
}

struct map_dir {
	const char *name;
	enum dma_data_direction dir;
	const char *map;
	const char *unmap;
};

static const struct map_dir map_dirs[] = {
	{ "to the device", DMA_TO_DEVICE, "map:to*", "unmap:to*" },
	{ "from the device", DMA_FROM_DEVICE, "map:from*", "unmap:from*" },
	{ "both", DMA_BIDIRECTIONAL, "map:both*", "unmap:both*" },
};

KUNIT_ARRAY_PARAM_DESC(map_dir, map_dirs, name);

/* Succeeds if a mapping has the asked direction and covers the buffer. */
static void map_each_direction(struct kunit *test)
{
	const struct map_dir *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	sgt = mock_map(attach, p->dir);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, map_length(sgt), MOCK_SIZE);
	/* With debugging it is a copy. */
	if (!IS_ENABLED(CONFIG_DMABUF_DEBUG))
		KUNIT_EXPECT_PTR_EQ(test, buf->table, sgt);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MAP, attach), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->map);

	mock_unmap(attach, sgt, p->dir);
	KUNIT_EXPECT_PTR_EQ(test, buf->log[0].sgt, buf->table);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_UNMAP, attach), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->unmap);
}

/* Succeeds if the unlocked calls lock for the exporter, and unlock again. */
static void map_unlocked(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_resv *resv = buf->dmabuf->resv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, map_length(sgt), MOCK_SIZE);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(resv));

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(resv));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to* unmap:to*");

	buf->fail[MOCK_MAP] = -ENXIO;
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, sgt, ERR_PTR(-ENXIO));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(resv));
}

/* Succeeds if each map reaches an exporter that did not ask for a cache. */
static void map_is_not_cached(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	struct sg_table *one, *two;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	one = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	two = mock_map(attach, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	mock_unmap(attach, one, DMA_TO_DEVICE);
	mock_unmap(attach, two, DMA_FROM_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "map:to* map:from* unmap:to* unmap:from*");

	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");
}

/* Succeeds if a cached mapping is made once and undone by the detach. */
static void map_is_cached(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach;
	struct sg_table *one, *two;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	one = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	mock_unmap(attach, one, DMA_TO_DEVICE);
	two = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, two, one);
	mock_unmap(attach, two, DMA_TO_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to*");

	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "unmap:to* detach");
}

/* Succeeds if a cache for one direction refuses the others with -EBUSY. */
static void map_cache_has_one_direction(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_calls(buf);

	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_FROM_DEVICE),
			    ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_BIDIRECTIONAL),
			    ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE), sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if a cache for both directions serves each of them. */
static void map_cache_for_both_directions(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	sgt = mock_map(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_calls(buf);

	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE), sgt);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_FROM_DEVICE), sgt);
	mock_unmap(attach, sgt, DMA_FROM_DEVICE);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_unmap(attach, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if two attachments never share a cached mapping. */
static void map_cache_is_per_attachment(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *a, *b;
	struct sg_table *of_a, *of_b;

	a = mock_attach(buf, mock_device(test, "a"), NULL);
	b = mock_attach(buf, mock_device(test, "b"), NULL);
	of_a = mock_map(a, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, of_a);
	of_b = mock_map(b, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, of_b);
	KUNIT_EXPECT_PTR_NE(test, of_a, of_b);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MAP, b), 1);

	mock_unmap(a, of_a, DMA_TO_DEVICE);
	mock_detach(buf, a);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(b, DMA_TO_DEVICE), of_b);
	mock_unmap(b, of_b, DMA_TO_DEVICE);
	mock_unmap(b, of_b, DMA_TO_DEVICE);
}

/* Succeeds if the early mapping of mixed pairs serves each direction. */
static void map_uses_the_early_mapping(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, map_length(sgt), MOCK_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_FROM_DEVICE), sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_unmap(attach, sgt, DMA_FROM_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if a failed map is passed on, undone, and never cached. */
static void map_fails(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	buf->fail[MOCK_MAP] = -EINTR;
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EINTR));
	buf->fail[MOCK_MAP] = 0;
	buf->map_returns_null = true;
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-ENOMEM));
	buf->map_returns_null = false;
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to!* map:to*");

	sgt = mock_map(attach, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:from*");
	mock_unmap(attach, sgt, DMA_FROM_DEVICE);
}

static void map_expect_addresses(struct kunit *test, struct sg_table *sgt,
				 struct sg_table *original)
{
	struct scatterlist *sg, *from = original->sgl;
	int i;

	KUNIT_EXPECT_EQ(test, sgt->nents, original->nents);
	KUNIT_ASSERT_EQ(test, sgt->orig_nents, original->orig_nents);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), sg_dma_address(from));
		KUNIT_EXPECT_EQ(test, sg_dma_len(sg), sg_dma_len(from));
		KUNIT_EXPECT_EQ(test, sg->length, from->length);
		KUNIT_EXPECT_EQ(test, sg->offset, from->offset);
		from = sg_next(from);
	}
}

/*
 * Succeeds if a debugging core hides the pages from the importer alone, and the
 * addresses from nobody.
 */
static void map_hides_the_pages(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	unsigned long link, page;
	struct sg_table *sgt;

	mock_past_mainline(test);
	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	/* sg_page() would check what it finds, so look underneath. */
	link = sgt->sgl->page_link & ~SG_PAGE_LINK_MASK;
	page = (unsigned long)buf->pages[0];
	KUNIT_EXPECT_EQ(test, link != page, IS_ENABLED(CONFIG_DMABUF_DEBUG));

	/* The exporter's own table, for its own use, stays whole meanwhile. */
	KUNIT_EXPECT_PTR_EQ(test, sg_page(buf->table->sgl), buf->pages[0]);
	map_expect_addresses(test, sgt, buf->table);

	/* The exporter's unmap looks at the page; see foreign_table. */
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, buf->foreign_table);
}

/* As of an exporter that has memory without pages, and says so. */
static void map_without_pages(struct mock_buffer *buf,
			      const struct mock_call *call)
{
	unsigned int *entries = buf->hook_data;

	if (call->op == MOCK_MAP) {
		*entries = call->sgt->orig_nents;
		call->sgt->orig_nents = 0;
	} else if (call->op == MOCK_UNMAP) {
		call->sgt->orig_nents = *entries;
	}
}

/* Succeeds if a table that is for the device alone reaches the importer whole. */
static void map_has_no_pages(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	unsigned int entries = 0;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	buf->hook_data = &entries;
	buf->hook = map_without_pages;
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_NE(test, entries, 0);
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, 0);
	KUNIT_EXPECT_EQ(test, map_length(sgt), MOCK_SIZE);

	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, buf->foreign_table);
	buf->hook = NULL;
}

struct map_wait {
	const char *name;
	enum mock_kind kind;
	const struct dma_buf_attach_ops *importer;
	enum dma_resv_usage usage;
	bool waits;
};

/* A static importer knows nothing of moves, so the core waits for them. */
static const struct map_wait map_waits[] = {
	{ "static, move", MOCK_STATIC, NULL, DMA_RESV_USAGE_KERNEL, true },
	{ "static, writer", MOCK_STATIC, NULL, DMA_RESV_USAGE_WRITE, false },
	{ "static, reader", MOCK_STATIC, NULL, DMA_RESV_USAGE_READ, false },
	{ "dynamic, move", MOCK_DYNAMIC, &mock_importer, DMA_RESV_USAGE_KERNEL,
	  false },
};

KUNIT_ARRAY_PARAM_DESC(map_wait, map_waits, name);

/* Succeeds if a mapping waits for a pending move where it must, only there. */
static void map_waits_for_moves(struct kunit *test)
{
	const struct map_wait *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), p->importer);
	mock_new_fence(buf, p->usage);
	mock_calls(buf);

	mock_signal_raise(test);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	mock_signal_clear();
	if (p->waits) {
		KUNIT_EXPECT_PTR_EQ(test, sgt, ERR_PTR(-ERESTARTSYS));
		KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to* unmap:to*");
	}
	KUNIT_EXPECT_EQ(test, IS_ERR(sgt), p->waits);
	if (!IS_ERR_OR_NULL(sgt))
		mock_unmap(attach, sgt, DMA_TO_DEVICE);
}

/* Succeeds if the wait for a move ends with the move. */
static void map_waits_until_moved(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_fence_on_wait(test);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_add_fence(buf, fence, DMA_RESV_USAGE_KERNEL);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
}

static struct kunit_case dma_buf_map_cases[] = {
	KUNIT_CASE_PARAM(map_each_direction, map_dir_gen_params),
	KUNIT_CASE(map_unlocked),
	KUNIT_CASE(map_is_not_cached),
	KUNIT_CASE(map_is_cached),
	KUNIT_CASE(map_cache_has_one_direction),
	KUNIT_CASE(map_cache_for_both_directions),
	KUNIT_CASE(map_cache_is_per_attachment),
	KUNIT_CASE(map_uses_the_early_mapping),
	KUNIT_CASE(map_fails),
	KUNIT_CASE(map_hides_the_pages),
	KUNIT_CASE(map_has_no_pages),
	KUNIT_CASE_PARAM(map_waits_for_moves, map_wait_gen_params),
	KUNIT_CASE(map_waits_until_moved),
	{}
};

static struct kunit_suite dma_buf_map_suite = {
	.name = "dma_buf_map",
	.test_cases = dma_buf_map_cases,
};

kunit_test_suite(dma_buf_map_suite);
