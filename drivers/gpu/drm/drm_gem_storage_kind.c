// SPDX-License-Identifier: GPL-2.0
/*
 * Which kind of memory suits all who use an object.
 */

#include <linux/dma-buf.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: kinds of storage
 *
 * Memory that suits more devices is harder to get, so an object takes the
 * easiest kind that will do:
 *
 * ==========  ===============================================================
 * shmem       for devices that reach all memory of the machine: any pages,
 *             which go to swap while nobody uses them
 * masked      for devices that reach only a part: pages of a zone that lies
 *             below the mask, or else any place below it that can be emptied,
 *             see below
 * contiguous  for devices that take one piece, or pieces that begin at more
 *             than a page's alignment: from the CMA area of the exporter's
 *             device, which dma_alloc_pages() knows, or else a place that can
 *             be emptied
 * ==========  ===============================================================
 *
 * Constraints are about physical addresses here. Those of a device behind an
 * IOMMU, or with an offset, have to be translated by who collects them.
 *
 * Nothing here takes memory or a lock, or keeps anything: the functions look at their
 * arguments, and at where the machine's memory ends.
 */

/**
 * drm_gem_storage_kind_name - a kind as text
 * @kind: the kind
 *
 * Context: Any.
 * Return: the word for fdinfo and debugfs.
 */
const char *drm_gem_storage_kind_name(enum drm_gem_storage_kind kind)
{
	static const char *const names[] = {
		[DRM_GEM_STORAGE_NONE] = "none",
		[DRM_GEM_STORAGE_SHMEM] = "shmem",
		[DRM_GEM_STORAGE_MASKED] = "masked",
		[DRM_GEM_STORAGE_CONTIGUOUS] = "contiguous",
	};

	return names[kind];
}
EXPORT_SYMBOL_GPL(drm_gem_storage_kind_name);

/**
 * drm_gem_storage_run_fits - would a piece of memory do?
 * @c: what it has to meet
 * @address: where it begins
 * @length: bytes, whole pages
 *
 * Return: true if all of it can be described by entries that meet @c.
 */
bool drm_gem_storage_run_fits(const struct dma_buf_constraints *c, u64 address,
			      u64 length)
{
	u64 cut;

	while (length) {
		cut = dma_buf_constraints_cut(c, address, length);
		if (!cut)
			return false;
		address += cut;
		length -= cut;
	}

	return true;
}

/**
 * drm_gem_storage_choose - find the easiest kind of storage that will do
 * @c: what the storage has to meet
 * @size: bytes in the buffer, whole pages
 * @last_address: the highest address of the machine's memory
 *
 * Looks at nothing but its arguments.
 *
 * Context: Any.
 * Return: a kind, not NONE, or a negative errno:
 *
 *	* -EINVAL: no memory of this machine could ever do, or none of these kinds
 */
int drm_gem_storage_choose(const struct dma_buf_constraints *c, u64 size,
			   u64 last_address)
{
	if (!size || !(c->domains & DMA_BUF_DOMAIN_SYSTEM) ||
	    !dma_buf_constraints_satisfiable(c, size))
		return -EINVAL;

	/* A piece that would not fit at 0 fits nowhere. */
	if (dma_buf_constraints_contiguous(c, size))
		return drm_gem_storage_run_fits(c, 0, size) ?
			       DRM_GEM_STORAGE_CONTIGUOUS :
			       -EINVAL;

	return c->dma_mask < last_address ? DRM_GEM_STORAGE_MASKED :
					    DRM_GEM_STORAGE_SHMEM;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_choose);

/**
 * drm_gem_storage_node_end - where the memory of a node ends
 * @nid: the node
 *
 * A node also spans what drivers have at the far end of the address space and
 * lend to processes (ZONE_DEVICE). The page allocator never gives that out.
 *
 * Return: the number of the first page after the last.
 */
unsigned long drm_gem_storage_node_end(int nid)
{
	struct zone *zones = NODE_DATA(nid)->node_zones;
	unsigned long end = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		if (populated_zone(&zones[i]) &&
		    !zone_is_zone_device(&zones[i]))
			end = max(end, zone_end_pfn(&zones[i]));

	return end;
}

/**
 * drm_gem_storage_last_address - where the machine's memory ends
 *
 * Return: the address of the last byte.
 */
u64 drm_gem_storage_last_address(void)
{
	unsigned long end = 0;
	int nid;

	for_each_online_node(nid)
		end = max(end, drm_gem_storage_node_end(nid));

	return PFN_PHYS((u64)end) - 1;
}
