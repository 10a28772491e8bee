// SPDX-License-Identifier: GPL-2.0
/*
 * What a device is given, held against what it can use.
 */

#include <linux/dma-buf-constraints.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>

/**
 * DOC: checking a table
 *
 * A device that is handed an address it does not reach writes somewhere else,
 * and nobody notices until the picture is green or another's memory is gone.
 * The table tells beforehand. dma_buf_constraints_check_sgt() looks at it without
 * a lock and without knowing whose it is; the caller keeps it mapped.
 */

static enum dma_buf_demand unmet_by_entry(const struct dma_buf_constraints *c,
					  struct scatterlist *sg)
{
	u64 boundary = dma_buf_constraints_boundary(c);
	u64 address = sg_dma_address(sg), length = sg_dma_len(sg);
	unsigned int domain = sg_dma_is_bus_address(sg) ? DMA_BUF_DOMAIN_PEER :
							  DMA_BUF_DOMAIN_SYSTEM;

	if (!(c->domains & domain))
		return DMA_BUF_DEMAND_DOMAINS;
	/* also the answer to an entry that goes beyond the last address */
	if (address > c->dma_mask || length - 1 > c->dma_mask - address)
		return DMA_BUF_DEMAND_MASK;
	if (address & (c->alignment - 1))
		return DMA_BUF_DEMAND_ALIGNMENT;
	if (length > c->max_segment_size)
		return DMA_BUF_DEMAND_SEGMENT_SIZE;
	if ((address ^ (address + length - 1)) & ~boundary)
		return DMA_BUF_DEMAND_BOUNDARY;

	return DMA_BUF_DEMAND_NONE;
}

/**
 * dma_buf_constraints_check_sgt - does a table meet what a device needs?
 * @c: valid constraints, or an intersection of such
 * @sgt: table that is mapped for DMA
 * @size: of the buffer, in bytes
 * @violation: where to put what is wrong with it, or NULL. Untouched if nothing
 *	       is.
 *
 * Looks at the device's view, entry by entry, up to the end of the buffer or of
 * the table, which is also an entry without length. Entries whose addresses go
 * on where the one before ended are counted as one segment, as
 * drm_prime_get_contiguous_size() does.
 *
 * Context: Any. The table stays mapped.
 * Return: 0, or a negative errno:
 *
 *	   * -EREMOTEIO: the memory of another device, which this one cannot use
 *	   * -EINVAL: another demand is not met, or the table is shorter than
 *	     the buffer
 */
int dma_buf_constraints_check_sgt(const struct dma_buf_constraints *c,
				  const struct sg_table *sgt, u64 size,
				  struct dma_buf_violation *violation)
{
	struct dma_buf_violation found = {};
	unsigned int segments = 0;
	struct scatterlist *sg;
	u64 last = 0;
	int i, ret = -EINVAL;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		found.address = sg_dma_address(sg);
		found.length = sg_dma_len(sg);
		if (!size || !found.length)
			break;

		if (!i || !found.address || found.address - 1 != last)
			segments++;
		found.demand = unmet_by_entry(c, sg);
		if (!found.demand && segments > c->max_segments)
			found.demand = DMA_BUF_DEMAND_SEGMENTS;
		if (found.demand == DMA_BUF_DEMAND_DOMAINS &&
		    sg_dma_is_bus_address(sg))
			ret = -EREMOTEIO;
		if (found.demand)
			goto unmet;

		last = found.address + found.length - 1;
		size -= min(size, found.length);
	}
	if (!size)
		return 0;

	found = (struct dma_buf_violation){
		.demand = DMA_BUF_DEMAND_LENGTH,
		.length = size,
	};
unmet:
	found.entry = i;
	if (violation)
		*violation = found;

	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_check_sgt, DMA_BUF);
