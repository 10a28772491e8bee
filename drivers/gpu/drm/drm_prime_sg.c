// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime scatter lists
 *
 * A dma-buf describes memory as a scatter list, a GEM driver often thinks in
 * arrays of pages or wants to know whether its hardware sees one block. These
 * helpers translate. None of them takes a lock or a reference: the caller
 * keeps the pages and the table alive.
 *
 * A scatter list has two views of the same buffer, what the CPU sees and what
 * the device sees after mapping, and they need not have the same number of
 * entries. Each helper says which one it reads.
 */

#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_prime.h>

/* The longest entry that @dev can still map in one piece, in bytes. */
static unsigned int longest_entry(struct drm_device *dev)
{
	size_t limit = dev ? dma_max_mapping_size(dev->dev) : 0;

	/* the scatter list API counts in unsigned int, the DMA API does not */
	return limit && limit < UINT_MAX ? limit : UINT_MAX;
}

/**
 * drm_prime_pages_to_sg - describe pages as a scatter list
 * @dev: device that will map the list; no entry is longer than what it can
 *       map at once. NULL for no such limit.
 * @pages: the pages in order
 * @nr_pages: number of elements in @pages, at least one
 *
 * Pages that lie one after another in memory share an entry. The list is not
 * mapped for DMA. Meant for &drm_gem_object_funcs.get_sg_table.
 *
 * Context: may sleep.
 * Return: a table to be freed with sg_free_table() and kfree(), or an error
 * pointer:
 *
 *	* -EINVAL: @nr_pages is 0
 *	* -ENOMEM: out of memory
 */
struct sg_table *drm_prime_pages_to_sg(struct drm_device *dev,
				       struct page **pages,
				       unsigned int nr_pages)
{
	unsigned long size = (unsigned long)nr_pages << PAGE_SHIFT;
	struct sg_table *sgt;
	int ret;

	if (!nr_pages)
		return ERR_PTR(-EINVAL);

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table_from_pages_segment(sgt, pages, nr_pages, 0, size,
						longest_entry(dev), GFP_KERNEL);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}
EXPORT_SYMBOL(drm_prime_pages_to_sg);

/**
 * drm_prime_get_contiguous_size - how much of a buffer the device sees as one
 * @sgt: table that is mapped for DMA
 *
 * Reads the device's view. Meant for drivers whose hardware takes one address
 * per buffer, to refuse in &drm_driver.gem_prime_import_sg_table what is
 * shorter than the buffer.
 *
 * Return: bytes from the start of the buffer up to the first gap.
 */
unsigned long drm_prime_get_contiguous_size(struct sg_table *sgt)
{
	unsigned long size = 0;
	struct scatterlist *sg;
	dma_addr_t end = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!sg_dma_len(sg) || (i && sg_dma_address(sg) != end))
			break;
		size += sg_dma_len(sg);
		end = sg_dma_address(sg) + sg_dma_len(sg);
	}
	return size;
}
EXPORT_SYMBOL(drm_prime_get_contiguous_size);

/**
 * drm_prime_sg_to_page_array - list the pages of a buffer
 * @sgt: table of the buffer
 * @pages: where to store one pointer per page
 * @max_entries: number of elements in @pages
 *
 * Reads the CPU's view. Do not use it in new code: an importer has no business
 * with the pages of a dma-buf, which may not even exist, and whose mapping
 * count and dirty state belong to the exporter.
 *
 * Return: 0, or -1 if the buffer has more pages than @max_entries, which is a
 * bug of the caller; @pages is full then.
 */
int drm_prime_sg_to_page_array(struct sg_table *sgt, struct page **pages,
			       int max_entries)
{
	struct sg_page_iter iter;
	int i = 0;

	for_each_sgtable_page(sgt, &iter, 0) {
		if (WARN_ON_ONCE(i >= max_entries))
			return -1;
		pages[i++] = sg_page_iter_page(&iter);
	}
	return 0;
}
EXPORT_SYMBOL(drm_prime_sg_to_page_array);

/**
 * drm_prime_sg_to_dma_addr_array - list the device addresses of a buffer
 * @sgt: table that is mapped for DMA
 * @addrs: where to store one address per page
 * @max_entries: number of elements in @addrs
 *
 * Reads the device's view. Meant for drivers that fill page tables of their
 * own from an imported buffer.
 *
 * Return: 0, or -1 if the buffer has more pages than @max_entries, which is a
 * bug of the caller; @addrs is full then.
 */
int drm_prime_sg_to_dma_addr_array(struct sg_table *sgt, dma_addr_t *addrs,
				   int max_entries)
{
	struct sg_dma_page_iter iter;
	int i = 0;

	for_each_sgtable_dma_page(sgt, &iter, 0) {
		if (WARN_ON_ONCE(i >= max_entries))
			return -1;
		addrs[i++] = sg_page_iter_dma_address(&iter);
	}
	return 0;
}
EXPORT_SYMBOL(drm_prime_sg_to_dma_addr_array);
