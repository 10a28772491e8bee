// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel knows of a device's needs without being told for dma-buf.
 *
 * Drivers tell the DMA API how far their device reaches, and some tell it how
 * long a segment may be.  Most do not, and the DMA API answers with a default
 * that nobody meant (64 KiB).  What was said is a constraint, a default is none.
 * The bus may have said it: that of PCI does, of each device, and who relies on it
 * cannot be told from who does not care.
 */

#include <linux/device.h>
#include <linux/dma-buf-constraints.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/iommu-dma.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/swiotlb.h>

/**
 * DOC: constraints of a device
 *
 * From the DMA API come the mask, with the limit of the bus between the device
 * and memory, and, if the driver or the bus set them, the longest segment and its
 * boundary. The bus of PCI sets 64 KiB and 4 GiB, which count until the driver says
 * something else. An alignment above 64 KiB cannot be met then for a longer buffer: a
 * driver that needs one calls dma_set_max_seg_size() as well.
 *
 * dma_max_mapping_size() is left out. All that stands behind it in this kernel,
 * for devices with an IOMMU and without, is how much swiotlb copies at once, and
 * it tells a limit exactly when a device may be out of reach of memory. A buffer
 * that is copied on its way is no longer shared. So such a device does not get
 * entries of 256 KiB, which suit the copying; it gets memory that it reaches, and
 * then has no such limit. dma_buf_constraints_bounced() finds the copies.
 *
 * Behind an IOMMU
 * ~~~~~~~~~~~~~~~
 *
 * A table shows addresses as the device sees them. Where the IOMMU of the DMA API
 * translates, these are below the mask wherever the pages are, and one goes on
 * where the other ended. So dma_buf_constraints_of_storage() drops what the IOMMU
 * brings about, see dma_buf_constraints_translate(). It brings that about for what
 * the DMA API knows. A mask, a boundary or a length that was only declared for
 * dma-bufs may be broken, whatever storage the exporter chooses; see the DOC section
 * of dma-buf-need.c for what happens then. With a driver's own IOMMU domain, or on
 * 32-bit Arm, nothing is dropped, and the storage may be better than it had to be.
 *
 * Behind a bus with addresses of its own
 * ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
 *
 * The display of a Raspberry Pi 4 has all 32 bits of a DMA address, sees the
 * first GiB of memory at 0xc0000000, and the rest nowhere
 * (&device.dma_range_map, from dma-ranges of a device tree). Its table has a mask
 * of 32 bits, and its storage has to be below 1 GiB. What counts is the memory
 * from the lowest address of a range up to the first that is out of reach, since a
 * mask cannot tell of holes. If that is none, as with ranges whose lowest addresses
 * are those that the device does not reach, there is no storage for it. A boundary
 * or an alignment that the offset of a range breaks is seen only when the table is
 * checked.
 */

/**
 * dma_buf_constraints_of_device - what the DMA API knows
 * @dev: device
 * @c: where to put it
 *
 * A device without a DMA mask is not one that the DMA API maps for, and so has
 * no constraints. Whether addresses of other devices are any use is not the
 * device's but its driver's to say, when it attaches.
 *
 * Context: Any, but not while the driver of @dev changes its mask.
 */
void dma_buf_constraints_of_device(struct device *dev,
				   struct dma_buf_constraints *c)
{
	const struct device_dma_parameters *parms = dev->dma_parms;

	*c = DMA_BUF_CONSTRAINTS_ANY;
	if (dev->dma_mask)
		c->dma_mask =
			min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	/* of UINT_MAX, as drivers say none: no entry can be longer */
	if (parms && parms->max_segment_size &&
	    parms->max_segment_size != UINT_MAX)
		c->max_segment_size = parms->max_segment_size;
	/* a long of all ones is how a 32-bit kernel says none */
	if (dma_get_seg_boundary(dev) != ULONG_MAX)
		c->segment_boundary_mask = dma_get_seg_boundary(dev);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_of_device, DMA_BUF);

/* How many bytes from an address on are within reach by one range, 0 for none. */
static u64 range_reach(const struct bus_dma_region *m, u64 address, u64 mask)
{
	u64 skip = address - m->cpu_start;

	if (address < m->cpu_start || skip >= m->size || m->dma_start > mask ||
	    skip > mask - m->dma_start)
		return 0;

	return min(m->size - 1 - skip, mask - m->dma_start - skip) + 1;
}

/* Up to where memory has to lie for its DMA address to be within the mask. */
static u64 mask_behind_bus(const struct bus_dma_region *map, u64 mask)
{
	const struct bus_dma_region *m;
	u64 end = map->cpu_start, reach;

	for (m = map; m->size; m++)
		end = min(end, m->cpu_start);
	/* in whatever order they are, one may go on where another ends */
	do {
		reach = 0;
		for (m = map; m->size && !reach; m++)
			reach = range_reach(m, end, mask);
		end += reach;
	} while (reach);

	return end ? end - 1 : 0;
}

/**
 * dma_buf_constraints_of_storage - what a device needs of memory
 * @dev: device
 * @dst: where to put it, may be @c
 * @c: what it needs of a table
 * @size: of the buffer, in bytes
 *
 * The difference is what an IOMMU does, see dma_buf_constraints_translate(), or
 * the bus in front of the device.
 *
 * Context: Any.
 */
void dma_buf_constraints_of_storage(struct device *dev,
				    struct dma_buf_constraints *dst,
				    const struct dma_buf_constraints *c,
				    u64 size)
{
	if (use_dma_iommu(dev)) {
		dma_buf_constraints_translate(dst, c, size);
		return;
	}

	if (dst != c)
		*dst = *c;
	if (dev->dma_range_map)
		dst->dma_mask =
			mask_behind_bus(dev->dma_range_map, c->dma_mask);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_of_storage, DMA_BUF);

/**
 * dma_buf_constraints_bounced - was a device given a copy of the buffer?
 * @dev: device
 * @sgt: table that is mapped for it
 * @violation: where to put which entry leads to the copy, or NULL. Untouched if
 *	       none does.
 *
 * Sees the copies of swiotlb where the DMA API maps directly. Operations of an
 * architecture or of Xen are not looked into.
 *
 * Context: Any. The table stays mapped.
 * Return: true if an entry leads to a bounce buffer.
 */
bool dma_buf_constraints_bounced(struct device *dev, const struct sg_table *sgt,
				 struct dma_buf_violation *violation)
{
	struct scatterlist *sg;
	int i;

	if (use_dma_iommu(dev) || get_dma_ops(dev))
		return false;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_is_bus_address(sg))
			continue;
		if (!swiotlb_find_pool(dev,
				       dma_to_phys(dev, sg_dma_address(sg))))
			continue;
		if (violation)
			*violation = (struct dma_buf_violation){
				.demand = DMA_BUF_DEMAND_COPY,
				.entry = i,
				.address = sg_dma_address(sg),
				.length = sg_dma_len(sg),
			};
		return true;
	}

	return false;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_bounced, DMA_BUF);
