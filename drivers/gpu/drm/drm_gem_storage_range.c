// SPDX-License-Identifier: GPL-2.0
/*
 * Pages at chosen addresses.
 */

#include <linux/align.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/pageblock-flags.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: pages at chosen addresses
 *
 * The page allocator knows two places that are low, ZONE_DMA and ZONE_DMA32,
 * 16 MiB and 4 GiB on a PC. A device that reaches 1 GiB is served by neither:
 * the one is too small, from the other come pages from its far end first, and
 * taking them until low ones turn up would empty the zone.
 *
 * alloc_contig_range(), made for CMA and for unplugging memory, works from the
 * other side: given addresses it makes them free, by moving elsewhere what user
 * space and the page cache have there. So these functions walk the addresses a
 * device can reach, from the highest down, and ask for one range after the
 * other until one is given.
 *
 * Limits: What the kernel itself has allocated does not move, so a range that
 * is not reserved (CMA, which is tried before this) may be impossible to get on
 * a machine that has run for long, and trying takes time, some milliseconds for
 * each range of which something moved in vain. Only a fatal signal ends that
 * earlier: what is searched for may be wanted by a fault, which other signals must
 * not make fail. ZONE_MOVABLE is left alone,
 * since what is taken here does not move for others. Pages are not charged to a
 * control group.
 */

/* A range is worth a try if all of it is memory that the kernel manages. */
static bool range_plausible(unsigned long pfn, unsigned long count)
{
	struct zone *zone = NULL;
	struct page *page;

	for (; count; count--, pfn++) {
		page = pfn_to_online_page(pfn);
		if (!page || PageReserved(page))
			return false;
		if (!zone)
			zone = page_zone(page);
		if (page_zone(page) != zone ||
		    page_zonenum(page) == ZONE_MOVABLE)
			return false;
	}

	return true;
}

static bool range_take(unsigned long pfn, unsigned long count,
		       struct page **pages)
{
	unsigned long i;

	if (!range_plausible(pfn, count) ||
	    alloc_contig_range(pfn, pfn + count, MIGRATE_MOVABLE,
			       GFP_KERNEL | __GFP_NOWARN))
		return false;

	for (i = 0; i < count; i++)
		pages[i] = pfn_to_page(pfn + i);

	return true;
}

/* Where the addresses of a node end, as far as the device reaches them. */
static unsigned long node_reach(int nid, const struct dma_buf_constraints *c)
{
	u64 reach = c->dma_mask >> PAGE_SHIFT;

	/* the page that the mask ends in counts if it is whole */
	if (PAGE_ALIGNED(c->dma_mask + 1))
		reach++;

	return min_t(u64, drm_gem_storage_node_end(nid), reach);
}

/* Places a chunk may begin at: multiples of this many pages. */
static unsigned long chunk_step(unsigned long count,
				const struct dma_buf_constraints *c)
{
	unsigned long step = roundup_pow_of_two(min(count, pageblock_nr_pages));

	return max_t(u64, step, c->alignment >> PAGE_SHIFT);
}

/*
 * One walk through a node's memory, from the top. Takes as many chunks of at
 * most @chunk pages as are wanted, and returns how many pages that makes.
 */
static unsigned long node_collect(int nid, struct page **pages,
				  unsigned long wanted, unsigned long chunk,
				  const struct dma_buf_constraints *c)
{
	unsigned long first = NODE_DATA(nid)->node_start_pfn;
	unsigned long end = node_reach(nid, c);
	unsigned long got = 0, count, pfn;

	while (got < wanted && !fatal_signal_pending(current)) {
		count = min(chunk, wanted - got);
		if (end < first + count)
			break;
		pfn = ALIGN_DOWN(end - count, chunk_step(count, c));
		if (pfn < first)
			break;

		if (drm_gem_storage_run_fits(c, PFN_PHYS(pfn),
					     PFN_PHYS(count)) &&
		    range_take(pfn, count, pages + got)) {
			got += count;
			end = pfn;
		} else {
			/* makes it the next lower place, overlapping or not */
			end = pfn + count - 1;
		}
		cond_resched();
	}

	return got;
}

static unsigned long collect(struct page **pages, unsigned long wanted,
			     unsigned long chunk,
			     const struct dma_buf_constraints *c)
{
	unsigned long got = 0;
	int nid;

	for_each_online_node(nid)
		got += node_collect(nid, pages + got, wanted - got, chunk, c);

	return got;
}

/**
 * drm_gem_storage_range_scattered - take pages that constraints allow
 * @pages: where to put them
 * @count: how many
 * @c: what they have to meet, each for itself
 *
 * Return: how many were found; the caller frees each with __free_page().
 */
unsigned long
drm_gem_storage_range_scattered(struct page **pages, unsigned long count,
				const struct dma_buf_constraints *c)
{
	/* Large ones first: each costs about the same. */
	static const unsigned int orders[] = { 9, 4 };
	unsigned long got = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(orders) && got < count; i++)
		got += collect(pages + got, count - got, BIT(orders[i]), c);

	return got;
}

/**
 * drm_gem_storage_range_contiguous - take pages in one piece
 * @pages: where to put them
 * @count: how many
 * @c: what the piece has to meet
 *
 * Return: 0, and the caller frees each page with __free_page(), or a negative
 * errno:
 *
 *	* -ENOMEM: there is no such piece
 */
int drm_gem_storage_range_contiguous(struct page **pages, unsigned long count,
				     const struct dma_buf_constraints *c)
{
	return collect(pages, count, count, c) == count ? 0 : -ENOMEM;
}
