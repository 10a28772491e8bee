// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime scatter list tests
 *
 * Pages in every arrangement that matters (one block, all apart, runs of
 * several lengths, more than the device maps at once), and mapped tables whose
 * device view differs from the CPU's. No buffer is shared here.
 */

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

#define ORDER 4
#define NR    BIT(ORDER)

KUNIT_DEFINE_ACTION_WRAPPER(free_table, sg_free_table, struct sg_table *);

static void free_block(void *block)
{
	__free_pages(block, ORDER);
}

/* NR pages that lie one after another in memory */
static struct page *alloc_block(struct kunit *test)
{
	struct page *block = alloc_pages(GFP_KERNEL, ORDER);

	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_block, block));
	return block;
}

static void free_sgt(void *ptr)
{
	struct sg_table *sgt = ptr;

	sg_free_table(sgt);
	kfree(sgt);
}

static struct sg_table *make_sgt(struct kunit *test, struct drm_device *dev,
				 struct page **pages, unsigned int nr)
{
	struct sg_table *sgt = drm_prime_pages_to_sg(dev, pages, nr);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_sgt, sgt));
	return sgt;
}

/* Succeeds if pages that follow each other become one entry. */
static void contiguous_pages(struct kunit *test)
{
	struct page *block = alloc_block(test);
	struct page *pages[NR];
	struct sg_table *sgt;
	int i;

	for (i = 0; i < NR; i++)
		pages[i] = block + i;
	sgt = make_sgt(test, NULL, pages, NR);

	KUNIT_EXPECT_EQ(test, sgt->orig_nents, 1);
	KUNIT_EXPECT_PTR_EQ(test, sg_page(sgt->sgl), block);
	KUNIT_EXPECT_EQ(test, sgt->sgl->length, NR * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, sgt->sgl->offset, 0);
}

/* Succeeds if pages that lie apart get an entry each, in the given order. */
static void scattered_pages(struct kunit *test)
{
	struct page *block = alloc_block(test);
	struct page *pages[NR];
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	/* backwards, no two can be joined */
	for (i = 0; i < NR; i++)
		pages[i] = block + NR - 1 - i;
	sgt = make_sgt(test, NULL, pages, NR);

	KUNIT_ASSERT_EQ(test, sgt->orig_nents, NR);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg), pages[i]);
		KUNIT_EXPECT_EQ(test, sg->length, PAGE_SIZE);
	}
}

/* Succeeds if runs of different lengths become entries of those lengths. */
static void runs_of_pages(struct kunit *test)
{
	static const unsigned int where[] = { 9, 0, 1, 2, 5, 6 };
	static const unsigned int runs[] = { 1, 3, 2 };
	struct page *block = alloc_block(test);
	struct page *pages[ARRAY_SIZE(where)];
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	for (i = 0; i < ARRAY_SIZE(where); i++)
		pages[i] = block + where[i];
	sgt = make_sgt(test, NULL, pages, ARRAY_SIZE(where));

	KUNIT_ASSERT_EQ(test, sgt->orig_nents, ARRAY_SIZE(runs));
	for_each_sgtable_sg(sgt, sg, i)
		KUNIT_EXPECT_EQ(test, sg->length, runs[i] * PAGE_SIZE);
}

/* Succeeds if no entry is longer than what the device can map at once. */
static void largest_segment(struct kunit *test)
{
#ifdef CONFIG_SWIOTLB
	const unsigned int order = 7, nr = BIT(order);
	struct io_tlb_mem bounce = { .nslabs = 1, .force_bounce = true };
	struct prime_mock *mock = prime_mock_create(test, "device");
	struct io_tlb_mem *before = mock->drm.dev->dma_io_tlb_mem;
	struct page *block, **pages;
	struct sg_table *free, *tight;
	struct scatterlist *sg;
	unsigned long sum = 0;
	size_t limit;
	int i;

	pages = kunit_kcalloc(test, nr, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	block = alloc_pages(GFP_KERNEL, order);
	KUNIT_ASSERT_NOT_NULL(test, block);
	for (i = 0; i < nr; i++)
		pages[i] = block + i;

	free = drm_prime_pages_to_sg(&mock->drm, pages, nr);
	/* a device that bounces all it maps has a limit, 256 KiB */
	mock->drm.dev->dma_io_tlb_mem = &bounce;
	limit = dma_max_mapping_size(mock->drm.dev);
	tight = drm_prime_pages_to_sg(&mock->drm, pages, nr);
	mock->drm.dev->dma_io_tlb_mem = before;
	__free_pages(block, order);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, free);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tight);
	KUNIT_ASSERT_LT(test, limit, nr * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, free->orig_nents, 1);
	for_each_sgtable_sg(tight, sg, i) {
		KUNIT_EXPECT_LE(test, sg->length, limit);
		sum += sg->length;
	}
	KUNIT_EXPECT_EQ(test, sum, nr * PAGE_SIZE);
	free_sgt(free);
	free_sgt(tight);
#else
	kunit_skip(test, "needs SWIOTLB");
#endif
}

/* Succeeds if no pages are refused rather than read. */
static void no_pages(struct kunit *test)
{
	struct sg_table *sgt = drm_prime_pages_to_sg(NULL, NULL, 0);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
}

struct entry {
	dma_addr_t addr;
	unsigned int len;
};

/*
 * A table as it looks after mapping: @nr entries for the device, over one more
 * for the CPU, as if an IOMMU had joined the last two.
 */
static struct sg_table *
mapped_table(struct kunit *test, const struct entry *entries, unsigned int nr)
{
	struct page *block = alloc_block(test);
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i;

	sgt = kunit_kzalloc(test, sizeof(*sgt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(sgt, nr + 1, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_table, sgt));

	for_each_sgtable_sg(sgt, sg, i) {
		sg_set_page(sg, block + i, PAGE_SIZE, 0);
		/* what is behind the last entry must not be looked at */
		sg_dma_address(sg) = i < nr ? entries[i].addr : 0xbad000;
		sg_dma_len(sg) = i < nr ? entries[i].len : PAGE_SIZE;
	}
	sgt->nents = nr;
	return sgt;
}

/* Succeeds if the size up to the first gap of the device's view is found. */
static void contiguous_size(struct kunit *test)
{
	static const struct entry whole[] = {
		{ 0x10000, 0x3000 },
		{ 0x13000, 0x1000 },
		{ 0x14000, 0x2000 },
	};
	static const struct entry gap[] = {
		{ 0x10000, 0x3000 },
		{ 0x13000, 0x1000 },
		{ 0x15000, 0x2000 },
	};
	static const struct entry backwards[] = {
		{ 0x10000, 0x1000 },
		{ 0xf000, 0x1000 },
	};
	static const struct entry ended[] = {
		{ 0x10000, 0x1000 },
		{ 0x11000, 0 },
		{ 0x11000, 0x1000 },
	};
	struct sg_table *sgt;

	sgt = mapped_table(test, whole, ARRAY_SIZE(whole));
	KUNIT_EXPECT_EQ(test, drm_prime_get_contiguous_size(sgt), 0x6000);
	sgt = mapped_table(test, gap, ARRAY_SIZE(gap));
	KUNIT_EXPECT_EQ(test, drm_prime_get_contiguous_size(sgt), 0x4000);
	sgt = mapped_table(test, backwards, ARRAY_SIZE(backwards));
	KUNIT_EXPECT_EQ(test, drm_prime_get_contiguous_size(sgt), 0x1000);
	sgt = mapped_table(test, ended, ARRAY_SIZE(ended));
	KUNIT_EXPECT_EQ(test, drm_prime_get_contiguous_size(sgt), 0x1000);
	sgt = mapped_table(test, NULL, 0);
	KUNIT_EXPECT_EQ(test, drm_prime_get_contiguous_size(sgt), 0);
}

/* Succeeds if pages come back out of a table as they went in. */
static void page_array(struct kunit *test)
{
	static const unsigned int where[] = { 3, 4, 5, 0, 9, 8 };
	struct page *pages[ARRAY_SIZE(where)];
	struct page *back[ARRAY_SIZE(where) + 1] = {};
	struct page *block = alloc_block(test);
	struct sg_table *sgt;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(where); i++)
		pages[i] = block + where[i];
	sgt = make_sgt(test, NULL, pages, ARRAY_SIZE(where));

	ret = drm_prime_sg_to_page_array(sgt, back, ARRAY_SIZE(where));
	KUNIT_ASSERT_EQ(test, ret, 0);
	for (i = 0; i < ARRAY_SIZE(where); i++)
		KUNIT_EXPECT_PTR_EQ(test, back[i], pages[i]);
	KUNIT_EXPECT_NULL(test, back[i]);
}

/* Succeeds if each page of the device's view has its own address. */
static void dma_addr_array(struct kunit *test)
{
	static const struct entry entries[] = {
		{ 0x10000, 2 * PAGE_SIZE },
		{ 0x80000, PAGE_SIZE },
	};
	struct sg_table *sgt = mapped_table(test, entries, ARRAY_SIZE(entries));
	dma_addr_t addrs[4] = { 1, 1, 1, 1 };

	KUNIT_ASSERT_EQ(test, 0, drm_prime_sg_to_dma_addr_array(sgt, addrs, 3));
	KUNIT_EXPECT_EQ(test, addrs[0], 0x10000);
	KUNIT_EXPECT_EQ(test, addrs[1], 0x10000 + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, addrs[2], 0x80000);
	KUNIT_EXPECT_EQ(test, addrs[3], 1);
}

/* Succeeds if an array that is too short is filled and not overrun. */
static void no_write_beyond_the_array_warns(struct kunit *test)
{
	static const struct entry entries[] = {
		{ 0x10000, PAGE_SIZE },
		{ 0x20000, PAGE_SIZE },
	};
	struct sg_table *sgt;
	dma_addr_t addrs[2] = { 1, 1 };
	struct page *pages[3] = {};

	PRIME_MOCK_NEEDS_PROVOKE(test);

	/* three pages for the CPU, two for the device */
	sgt = mapped_table(test, entries, ARRAY_SIZE(entries));
	KUNIT_EXPECT_EQ(test, drm_prime_sg_to_page_array(sgt, pages, 2), -1);
	KUNIT_EXPECT_NOT_NULL(test, pages[1]);
	KUNIT_EXPECT_NULL(test, pages[2]);
	KUNIT_EXPECT_EQ(test, drm_prime_sg_to_dma_addr_array(sgt, addrs, 1),
			-1);
	KUNIT_EXPECT_EQ(test, addrs[0], 0x10000);
	KUNIT_EXPECT_EQ(test, addrs[1], 1);
}

static struct kunit_case prime_sg_cases[] = {
	KUNIT_CASE(contiguous_pages),
	KUNIT_CASE(scattered_pages),
	KUNIT_CASE(runs_of_pages),
	KUNIT_CASE(largest_segment),
	KUNIT_CASE(no_pages),
	KUNIT_CASE(contiguous_size),
	KUNIT_CASE(page_array),
	KUNIT_CASE(dma_addr_array),
	KUNIT_CASE(no_write_beyond_the_array_warns),
	{},
};

static struct kunit_suite prime_sg_suite = {
	.name = "drm_prime_sg",
	.test_cases = prime_sg_cases,
};

kunit_test_suite(prime_sg_suite);
