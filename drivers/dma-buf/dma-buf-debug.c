// SPDX-License-Identifier: GPL-2.0
/*
 * Keeping importers away from the pages of a buffer.
 */

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma-buf-internal.h"

/**
 * DOC: hidden pages
 *
 * A scatter list has room for two things: pages, and the addresses at which a
 * device finds them. Importers are given one for the addresses. But the pages
 * are there, too, as a rule, and an importer that helps itself to them works on
 * the machine of its author and crashes on one where the storage is another
 * device's memory, or has moved.
 *
 * So with CONFIG_DMABUF_DEBUG an importer gets a table of its own, the same in all
 * but the pages, of which it has none. The exporter's table is what it was:
 * exporters go on using it, to flush caches for the CPU for instance, while
 * importers have it mapped.
 *
 * The copy lives from map to unmap and remembers the original. No lock is
 * involved.
 */

struct debug_table {
	struct sg_table base;
	struct sg_table *original;
	unsigned int entries;
};

/**
 * dma_buf_debug_wrap - make a table without pages
 * @sgt: mapped table of an exporter
 *
 * An exporter whose memory has no pages may say that it has no entry for any, with
 * &sg_table.orig_nents, and the importer sees it say so.
 *
 * Context: Process context, may sleep.
 * Return: The copy, for dma_buf_debug_unwrap(), or an ERR_PTR():
 *
 *	   * -EINVAL: @sgt has no entry at all
 *	   * -ENOMEM: out of memory
 */
struct sg_table *dma_buf_debug_wrap(struct sg_table *sgt)
{
	unsigned int entries = max(sgt->nents, sgt->orig_nents);
	struct scatterlist *from, *to;
	struct debug_table *table;
	int i, ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table(&table->base, entries, GFP_KERNEL);
	if (ret) {
		kfree(table);
		return ERR_PTR(ret);
	}

	to = table->base.sgl;
	for_each_sg(sgt->sgl, from, entries, i) {
		sg_set_page(to, NULL, from->length, from->offset);
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = sg_dma_len(from);
#ifdef CONFIG_NEED_SG_DMA_FLAGS
		to->dma_flags = from->dma_flags;
#endif
		to = sg_next(to);
	}
	table->base.nents = sgt->nents;
	table->base.orig_nents = sgt->orig_nents;
	table->original = sgt;
	table->entries = entries;

	return &table->base;
}

/**
 * dma_buf_debug_unwrap - free a table without pages
 * @sgt: copy that dma_buf_debug_wrap() made
 *
 * Return: The exporter's table.
 */
struct sg_table *dma_buf_debug_unwrap(struct sg_table *sgt)
{
	struct debug_table *table = container_of(sgt, struct debug_table, base);
	struct sg_table *original = table->original;

	table->base.orig_nents = table->entries;
	sg_free_table(&table->base);
	kfree(table);

	return original;
}
