// SPDX-License-Identifier: GPL-2.0
/*
 * What a device can use of a buffer's memory: the rules of the data.
 *
 * Nothing in here knows a device, a buffer or a lock.  The file is also built
 * as a program of user space, see tools/constraints.
 */

#include <linux/align.h>
#include <linux/dma-buf-constraints.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>

/**
 * DOC: constraints
 *
 * A buffer is made by one driver and used by devices of others. A display
 * controller may want it in one piece, a camera below 4 GiB, a decoder in
 * entries of 64 KiB at most. Only the exporter chooses the memory, and only the
 * importers know what they need.
 *
 * The need is written down as &struct dma_buf_constraints: six numbers about the
 * table that a device is given. Being plain data it can be combined, compared,
 * printed, and checked against a table, without a callback into anybody's
 * driver.
 *
 * How needs combine
 * ~~~~~~~~~~~~~~~~~
 *
 * What suits two devices is what meets the demands of both:
 * dma_buf_constraints_intersect() takes the stricter of the two, number by
 * number. The result does not depend on the order of devices, nor on how often
 * one attaches; mathematicians call that a meet-semilattice, with
 * %DMA_BUF_CONSTRAINTS_ANY at its top. So the core may forget how it came by an
 * intersection, and compute it anew when a device leaves.
 *
 * Each number is a demand of its own. That is what makes the intersection exact:
 * a table passes dma_buf_constraints_check_sgt() for it if, and only if, it
 * passes for every device alone. It is also why @max_segments counts places in
 * which the buffer lies, and not entries: the display above takes the address of
 * the first and does not care that the table has one entry for each 64 KiB,
 * which is all the decoder asks for. drm_gem_dma_helper and videobuf2 count in
 * the same way.
 *
 * A device whose hardware has a list of n elements of limited length, on the
 * other hand, is described by n places only if no entry is shorter than such an
 * element; its driver refuses what is too long for the list, as ever.
 *
 * Numbers that say the same are the same: of a boundary mask only the ones at the
 * low end count, and dma_buf_constraints_intersect() leaves no others. What
 * follows from another number (no entry is longer than the boundary) is left as
 * it was declared, so that people recognise their own declaration. A set of
 * tables can hence have more than one description, and
 * dma_buf_constraints_subset() compares descriptions: what it calls a subset is
 * one, the reverse need not hold.
 *
 * What they are good for
 * ~~~~~~~~~~~~~~~~~~~~~~
 *
 * Proposals of 2012, 2014 and 2015 had importers declare what they need, too.
 * They had the exporter look at it once, when the memory was allocated, and so
 * worked only if every device attached before the first one mapped. Here the
 * exporter can ask again: dma_buf_constraints_satisfiable() says whether memory
 * for all can exist, dma_buf_constraints_contiguous() whether scattered pages are
 * enough, dma_buf_constraints_cut() how to describe the memory. The core then
 * checks every table that it hands out. Memory that no longer suits everybody
 * moves.
 */

/**
 * dma_buf_constraints_intersect - what suits both
 * @dst: where to put the result, which may be @a or @b
 * @a: one
 * @b: the other
 *
 * A table meets @dst exactly if it meets @a and @b. The order and the number of
 * intersections make no difference to the result.
 *
 * Two that have no kind of memory in common leave
 * &dma_buf_constraints.domains at 0, which no table meets.
 *
 * Context: Any.
 */
void dma_buf_constraints_intersect(struct dma_buf_constraints *dst,
				   const struct dma_buf_constraints *a,
				   const struct dma_buf_constraints *b)
{
	*dst = (struct dma_buf_constraints){
		.dma_mask = min(a->dma_mask, b->dma_mask),
		.segment_boundary_mask = min(dma_buf_constraints_boundary(a),
					     dma_buf_constraints_boundary(b)),
		.max_segment_size =
			min(a->max_segment_size, b->max_segment_size),
		/* of powers of two the larger is a multiple of the other */
		.alignment = max(a->alignment, b->alignment),
		.max_segments = min(a->max_segments, b->max_segments),
		.domains = a->domains & b->domains,
	};
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_intersect, DMA_BUF);

/**
 * dma_buf_constraints_subset - is one at least as strict as the other?
 * @a: the one
 * @b: the other
 *
 * For storage that was chosen for @a, and a device that needs @b.
 *
 * Context: Any.
 * Return: true if no number of @a is looser than that of @b: every table that
 *	   meets @a meets @b, and their intersection is @a.
 */
bool dma_buf_constraints_subset(const struct dma_buf_constraints *a,
				const struct dma_buf_constraints *b)
{
	return a->dma_mask <= b->dma_mask &&
	       dma_buf_constraints_boundary(a) <=
		       dma_buf_constraints_boundary(b) &&
	       a->max_segment_size <= b->max_segment_size &&
	       a->alignment >= b->alignment &&
	       a->max_segments <= b->max_segments &&
	       !(a->domains & ~b->domains);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_subset, DMA_BUF);

/**
 * dma_buf_constraints_equal - do both say the same?
 * @a: one
 * @b: the other
 *
 * Context: Any.
 * Return: true if each is a subset of the other, see
 *	   dma_buf_constraints_subset().
 */
bool dma_buf_constraints_equal(const struct dma_buf_constraints *a,
			       const struct dma_buf_constraints *b)
{
	return a->dma_mask == b->dma_mask &&
	       dma_buf_constraints_boundary(a) ==
		       dma_buf_constraints_boundary(b) &&
	       a->max_segment_size == b->max_segment_size &&
	       a->alignment == b->alignment &&
	       a->max_segments == b->max_segments && a->domains == b->domains;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_equal, DMA_BUF);

/**
 * dma_buf_constraints_valid - can that be meant?
 * @c: what a driver or an administrator declares
 *
 * Intersections of valid constraints need no check, but are not always valid:
 * ask dma_buf_constraints_satisfiable().
 *
 * Context: Any.
 * Return: 0, or a negative errno:
 *
 *	   * -EINVAL: the alignment is no power of two, a kind of memory is
 *	     unknown, or not even a buffer of one page could meet the rest
 */
int dma_buf_constraints_valid(const struct dma_buf_constraints *c)
{
	if (!c->alignment || c->alignment & (c->alignment - 1))
		return -EINVAL;
	if (c->domains & ~DMA_BUF_DOMAIN_ALL)
		return -EINVAL;

	return dma_buf_constraints_satisfiable(c, PAGE_SIZE) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_valid, DMA_BUF);

/* Tables of dma-bufs consist of whole pages. */
static u64 longest_entry(const struct dma_buf_constraints *c)
{
	u64 boundary = dma_buf_constraints_boundary(c);
	u64 longest = min(c->max_segment_size, UINT_MAX);

	if (boundary < longest)
		longest = boundary + 1;

	return round_down(longest, PAGE_SIZE);
}

static u64 entry_alignment(const struct dma_buf_constraints *c)
{
	return max(c->alignment, PAGE_SIZE);
}

static bool reaches(const struct dma_buf_constraints *c, u64 address,
		    u64 length)
{
	return address <= c->dma_mask && length - 1 <= c->dma_mask - address;
}

/*
 * Entries too short to fill the space between two aligned addresses: as few of
 * them as possible, as close as possible.
 */
static bool isolated_entries_fit(const struct dma_buf_constraints *c, u64 size,
				 u64 longest)
{
	u64 gaps = div64_u64(size - 1, longest);
	u64 last;

	if (gaps >= c->max_segments ||
	    check_mul_overflow(gaps, entry_alignment(c), &last))
		return false;

	return reaches(c, last, size - gaps * longest);
}

/**
 * dma_buf_constraints_satisfiable - is there a table for that at all?
 * @c: valid constraints, or an intersection of such
 * @size: of the buffer, in bytes
 *
 * Asks for addresses, not for memory: a table that would do may still be
 * impossible in this machine.
 *
 * Context: Any.
 * Return: true if some table of whole pages describes @size bytes and meets @c.
 */
bool dma_buf_constraints_satisfiable(const struct dma_buf_constraints *c,
				     u64 size)
{
	u64 longest = longest_entry(c);

	if (!size)
		return true;
	if (!c->domains || !c->max_segments || !longest ||
	    size > round_down(U64_MAX, PAGE_SIZE))
		return false;

	size = round_up(size, PAGE_SIZE);
	/* otherwise one piece from address 0 is as good as any other */
	if (longest < entry_alignment(c))
		return isolated_entries_fit(c, size, longest);

	return reaches(c, 0, size);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_satisfiable, DMA_BUF);

/**
 * dma_buf_constraints_contiguous - does it take memory in one piece?
 * @c: valid constraints, or an intersection of such
 * @size: of the buffer, in bytes
 *
 * For storage that is either any pages, or one block. The block begins at a
 * multiple of &dma_buf_constraints.alignment.
 *
 * Context: Any.
 * Return: true if pages that lie anywhere the device reaches may not do.
 */
bool dma_buf_constraints_contiguous(const struct dma_buf_constraints *c,
				    u64 size)
{
	if (!size)
		return false;

	return c->alignment > PAGE_SIZE ||
	       (size - 1) >> PAGE_SHIFT >= c->max_segments;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_contiguous, DMA_BUF);

/**
 * dma_buf_constraints_cut - how much of a piece makes one entry
 * @c: valid constraints, or an intersection of such
 * @address: DMA address of the rest of a piece of memory, a multiple of the page
 *	     size
 * @length: its length in bytes, not 0
 *
 * An exporter that makes a table calls it until nothing of the piece is left.
 *
 * Context: Any.
 * Return: bytes from @address on that can be one entry, such that the next one
 *	   can begin behind it; 0 if there is no such number.
 */
u64 dma_buf_constraints_cut(const struct dma_buf_constraints *c, u64 address,
			    u64 length)
{
	u64 boundary = dma_buf_constraints_boundary(c);
	u64 room = boundary - (address & boundary);
	u64 cut = min3(length, c->max_segment_size, UINT_MAX);

	if (address & (entry_alignment(c) - 1) || !length ||
	    !reaches(c, address, length))
		return 0;

	if (room < cut)
		cut = room + 1;
	if (cut < length)
		cut = round_down(cut, entry_alignment(c));

	return cut;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_cut, DMA_BUF);

/**
 * dma_buf_constraints_translate - what is left to storage behind an IOMMU
 * @dst: where to put it, may be @c
 * @c: what the device needs of its table
 * @size: of the buffer, in bytes
 *
 * An IOMMU makes any page reachable, and pages that are scattered look like one
 * piece. The DMA API puts that piece at a multiple of its size or more, so it
 * crosses no boundary that is at least as far apart as it is long (4 GiB for every
 * PCI device). In a longer one it leaves a gap in front of each entry that would
 * cross one. Where the memory lies makes no difference to that, only how long its
 * entries are: those of one place leave one gap at most, or none if they are the
 * first, if as many as fit between two boundaries fill the space.
 *
 * What is left to the exporter is that no entry that it gives is too long already,
 * or begins at less than the alignment, and the number of places of a buffer that
 * is longer than the boundary.
 *
 * Context: Any.
 */
void dma_buf_constraints_translate(struct dma_buf_constraints *dst,
				   const struct dma_buf_constraints *c,
				   u64 size)
{
	u64 boundary = dma_buf_constraints_boundary(c);
	u64 last = boundary;

	*dst = *c;
	dst->dma_mask = U64_MAX;
	dst->segment_boundary_mask = U64_MAX;
	if (!size || size - 1 <= boundary)
		dst->max_segments = UINT_MAX;
	else if (c->max_segments != UINT_MAX)
		while (last && last >= c->max_segment_size)
			last >>= 1;
	if (last < dst->max_segment_size)
		dst->max_segment_size = last + 1;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_translate, DMA_BUF);
