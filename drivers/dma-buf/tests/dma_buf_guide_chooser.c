// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: guide to an exporter that takes part
 *
 * Devices need different things of memory, and only the exporter can give it
 * them. This one has any pages until a device needs them in one piece, or lower
 * down, and then moves. In all other respects it is the exporter of
 * dma_buf_guide_mover.c.
 */

#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dma_buf_guide.h"

/* [pages] */
static bool guide_fits(struct page **pages, unsigned int count,
		       const struct dma_buf_constraints *c)
{
	bool one_piece = dma_buf_constraints_contiguous(c, count * PAGE_SIZE);
	u64 first = page_to_phys(pages[0]);
	unsigned int i;

	for (i = 0; i < count; i++) {
		u64 address = page_to_phys(pages[i]);

		if (address + PAGE_SIZE - 1 > c->dma_mask ||
		    (one_piece && address != first + i * PAGE_SIZE))
			return false;
	}

	return !one_piece || !(first & (c->alignment - 1));
}

static struct page **guide_block_alloc(unsigned int count)
{
	unsigned int i, order = get_order(count * PAGE_SIZE);
	struct page **pages, *block;

	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);
	block = alloc_pages(GFP_DMA32 | GFP_KERNEL | __GFP_NOWARN, order);
	if (!pages || !block) {
		kvfree(pages);
		if (block)
			__free_pages(block, order);
		return NULL;
	}

	split_page(block, order);
	for (i = 0; i < count; i++)
		pages[i] = block + i;
	for (; i < 1 << order; i++)
		__free_page(block + i);

	return pages;
}

/* How long map_dma_buf may make an entry, 0 if none will do. */
static unsigned int guide_longest(const struct dma_buf_constraints *c)
{
	u64 boundary = dma_buf_constraints_boundary(c);
	u64 step = max_t(u64, c->alignment, PAGE_SIZE);
	u64 longest = min_t(u64, c->max_segment_size, SZ_2G);

	/* What is as long as it is aligned crosses no boundary. */
	if (boundary != U64_MAX)
		longest = step - 1 <= boundary ? min(longest, step) : 0;

	return round_down(longest, step);
}

/* Devices are idle and were told. Now processes are, and the content moves. */
static int guide_change_pages(struct dma_buf *dmabuf,
			      const struct dma_buf_constraints *c)
{
	struct guide_buffer *buf = dmabuf->priv;
	struct page **pages;
	unsigned int i;

	pages = guide_block_alloc(buf->count);
	if (!pages)
		return -ENOMEM;
	if (!guide_fits(pages, buf->count, c)) {
		guide_pages_free(pages, buf->count);
		return -ENOMEM;
	}

	unmap_mapping_range(dmabuf->file->f_mapping, 0, 0, 1);
	for (i = 0; i < buf->count; i++)
		copy_highpage(pages[i], buf->pages[i]);
	swap(buf->pages, pages);
	guide_pages_free(pages, buf->count);

	return 0;
}

/* [constrain] */
static int guide_constrain(struct dma_buf *dmabuf,
			   const struct dma_buf_constraints *c, bool move)
{
	unsigned int longest = guide_longest(c);
	struct guide_buffer *buf = dmabuf->priv;
	int ret;

	if (!longest)
		return -EINVAL;

	if (!guide_fits(buf->pages, buf->count, c)) {
		if (buf->pins)
			return -EBUSY;
		/* Without it, just a question: the devices are still at work. */
		if (!move)
			return -EAGAIN;
		ret = guide_change_pages(dmabuf, c);
		if (ret)
			return ret;
	}

	/* For the tables that are made from here on. */
	buf->longest = longest;

	return 0;
}

static const char *guide_storage_kind(struct dma_buf *dmabuf)
{
	struct guide_buffer *buf = dmabuf->priv;
	unsigned int i;

	for (i = 1; i < buf->count; i++)
		if (page_to_pfn(buf->pages[i]) !=
		    page_to_pfn(buf->pages[0]) + i)
			return "scattered";

	return "contiguous";
}

const struct dma_buf_ops guide_chooser_ops = {
	.pin = guide_pin,
	.unpin = guide_unpin,
	.constrain = guide_constrain,
	.storage_kind = guide_storage_kind,
	.map_dma_buf = guide_map_dma_buf,
	.unmap_dma_buf = guide_unmap_dma_buf,
	.begin_cpu_access = guide_begin_cpu_access,
	.end_cpu_access = guide_end_cpu_access,
	.mmap = guide_mmap,
	.vmap = guide_mover_vmap,
	.vunmap = guide_mover_vunmap,
	.release = guide_release,
};

/* [end] */
