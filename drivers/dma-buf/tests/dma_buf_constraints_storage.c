// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: laws of what storage is told
 *
 * A wrong yes to dma_buf_constraints_satisfiable() sends an exporter to look for
 * memory that cannot exist, a wrong no refuses a device that could have worked.
 * In a machine of a few pages, all tables there are can be tried, and are.
 */

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "dma_buf_constraints_laws.h"

/* --- a machine of a few pages --- */

#define PAGES 8

/* An odd number of bytes that is so many whole pages, and no more. */
static u64 about_pages(struct law_random *r, u64 pages)
{
	return pages * PAGE_SIZE +
	       (law_chance(r, 30) ? law_below(r, PAGE_SIZE) : 0);
}

static void small_constraints(struct law_random *r,
			      struct dma_buf_constraints *c)
{
	*c = DMA_BUF_CONSTRAINTS_ANY;
	c->dma_mask = about_pages(r, 1 + law_below(r, PAGES)) - 1;
	if (law_chance(r, 60))
		c->segment_boundary_mask = (PAGE_SIZE << law_below(r, 5)) - 1;
	if (law_chance(r, 20))
		c->segment_boundary_mask |= law_number(r);
	if (law_chance(r, 60))
		c->max_segment_size = about_pages(r, law_below(r, 5));
	if (law_chance(r, 60))
		c->alignment = (u64)PAGE_SIZE << law_below(r, 4);
	if (law_chance(r, 60))
		c->max_segments = 1 + law_below(r, 4);
	if (law_chance(r, 10))
		c->domains = law_below(r, law_has_peers() ? 4 : 2);
}

/* May one entry be these pages?  A table of it alone says so. */
static bool may_be_entry(const struct dma_buf_constraints *c, unsigned int page,
			 unsigned int count)
{
	struct law_table t = {
		.entries = { { page * PAGE_SIZE, count * PAGE_SIZE } },
		.nents = 1,
	};

	t.entries[0].peer = !(c->domains & DMA_BUF_DOMAIN_SYSTEM);
	law_table_build(&t);

	return !dma_buf_constraints_check_sgt(c, &t.sgt, t.entries[0].length,
					      NULL);
}

/*
 * Tries every set of entries in the order of their addresses; another order only
 * makes more pieces of it.  On entry, @covered pages of the buffer are described,
 * in @pieces that end before page @end.
 */
static bool search(bool entry[PAGES][PAGES + 1], u64 max_segments,
		   unsigned int wanted, unsigned int covered, unsigned int end,
		   unsigned int pieces)
{
	unsigned int page, count;

	if (covered >= wanted)
		return true;

	for (page = end; page < PAGES; page++) {
		unsigned int now = pieces + (!covered || page != end);

		if (now > max_segments)
			continue;
		for (count = 1; page + count <= PAGES; count++) {
			if (entry[page][count] &&
			    search(entry, max_segments, wanted, covered + count,
				   page + count, now))
				return true;
		}
	}

	return false;
}

const char *law_satisfiable_small(struct law_random *r)
{
	bool entry[PAGES][PAGES + 1] = {};
	struct dma_buf_constraints c;
	unsigned int page, count, wanted;
	u64 size;

	small_constraints(r, &c);
	size = 1 + law_below(r, PAGES * PAGE_SIZE);
	wanted = DIV_ROUND_UP((unsigned int)size, (unsigned int)PAGE_SIZE);

	for (page = 0; page < PAGES; page++) {
		for (count = 1; page + count <= PAGES; count++)
			entry[page][count] = may_be_entry(&c, page, count);
	}
	if (search(entry, c.max_segments, wanted, 0, 0, 0) !=
	    dma_buf_constraints_satisfiable(&c, size))
		return "what a search finds";

	return NULL;
}

/* --- any machine --- */

const char *law_satisfiable_any(struct law_random *r)
{
	struct dma_buf_constraints a, b;
	u64 size = law_number(r);
	bool possible;

	law_constraints(r, &a);
	law_related(r, &b, &a);
	possible = dma_buf_constraints_satisfiable(&a, size);

	if (!dma_buf_constraints_satisfiable(&a, 0))
		return "nothing is always possible";
	if (possible && dma_buf_constraints_subset(&a, &b) &&
	    !dma_buf_constraints_satisfiable(&b, size))
		return "what is looser is as possible";
	if (possible && !dma_buf_constraints_satisfiable(&a, size / 2))
		return "what is smaller is as possible";
	if (possible && size && size - 1 > a.dma_mask)
		return "a buffer has as many addresses as bytes";
	if (possible && size && dma_buf_constraints_valid(&a))
		return "what is possible is valid";

	return NULL;
}

static bool usable(const struct dma_buf_constraints *c)
{
	return !dma_buf_constraints_valid(c) &&
	       c->domains & DMA_BUF_DOMAIN_SYSTEM;
}

/* Is this a good first entry of a piece, the rest of which can go on? */
static bool good_cut(const struct dma_buf_constraints *c, u64 address, u64 cut,
		     u64 length)
{
	struct law_table t = {
		.entries = { { address, cut } },
		.nents = 1,
	};

	law_table_build(&t);

	return !dma_buf_constraints_check_sgt(c, &t.sgt, cut, NULL) &&
	       (cut == length || law_divides(c->alignment, address + cut));
}

/* The longest good one, found by trying. */
const char *law_cut(struct law_random *r)
{
	struct dma_buf_constraints c;
	u64 pages = 1 + law_below(r, 3 * PAGES);
	u64 address = law_below(r, 4 * PAGES) * PAGE_SIZE;
	u64 best = 0, cut, i;

	if (law_chance(r, 30))
		address = round_down(law_number(r), PAGE_SIZE);
	law_constraints(r, &c);
	if (law_chance(r, 80))
		small_constraints(r, &c);
	if (law_chance(r, 80))
		c.dma_mask = U64_MAX;
	if (!usable(&c))
		return NULL;

	cut = dma_buf_constraints_cut(&c, address, pages * PAGE_SIZE);
	if (pages * PAGE_SIZE - 1 > c.dma_mask ||
	    address > c.dma_mask - (pages * PAGE_SIZE - 1))
		return cut ? "what is out of reach is not cut" : NULL;

	for (i = 1; i <= pages; i++) {
		if (good_cut(&c, address, i * PAGE_SIZE, pages * PAGE_SIZE))
			best = i * PAGE_SIZE;
	}

	return cut == best ? NULL : "the longest cut";
}

/* Scattered pages: every other one, of which each second is badly aligned. */
const char *law_contiguous(struct law_random *r)
{
	struct law_table t = { .nents = 1 + law_below(r, LAW_ENTRIES) };
	u64 size = (t.nents - 1) * PAGE_SIZE + 1 + law_below(r, PAGE_SIZE);
	struct dma_buf_constraints c;
	unsigned int i;

	law_constraints(r, &c);
	if (law_chance(r, 50))
		small_constraints(r, &c);
	if (law_chance(r, 50))
		c.max_segments = 1 + law_below(r, LAW_ENTRIES);
	c.dma_mask = U64_MAX;
	if (!usable(&c))
		return NULL;

	for (i = 0; i < t.nents; i++) {
		t.entries[i].address = (2 * i + 1) * PAGE_SIZE;
		t.entries[i].length = PAGE_SIZE;
	}
	law_table_build(&t);
	if (dma_buf_constraints_contiguous(&c, size) !=
	    !!dma_buf_constraints_check_sgt(&c, &t.sgt, size, NULL))
		return "pages that lie apart";

	return NULL;
}

/* --- behind an IOMMU --- */

/*
 * Side by side, as the DMA API lays entries behind an IOMMU: one that would cross a
 * multiple of the boundary comes behind it.
 */
static void iommu_lay(struct law_table *t, u64 boundary)
{
	unsigned int i;
	u64 at = 0;

	for (i = 0; i < t->nents; i++) {
		u64 room = boundary - (at & boundary);

		if (at & boundary && t->entries[i].length - 1 > room)
			at += room + 1;
		t->entries[i].address = BIT_ULL(40) + at;
		at += t->entries[i].length;
	}
	law_table_build(t);
}

/* Cuts a place up; false if that makes too many entries. */
static bool iommu_cut(struct law_table *t, const struct dma_buf_constraints *c,
		      u64 address, u64 length)
{
	u64 cut;

	for (; length; address += cut, length -= cut) {
		if (t->nents == LAW_ENTRIES)
			return false;
		cut = dma_buf_constraints_cut(c, address, length);
		t->entries[t->nents++].length = cut;
	}

	return true;
}

/* Storage in as many places as are allowed makes a table that the device can use. */
const char *law_iommu(struct law_random *r)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY, storage;
	u64 left = (1 + law_below(r, 2 * PAGES)) * PAGE_SIZE;
	u64 size = left, length;
	struct law_table t = {};
	unsigned int places;

	if (law_chance(r, 70))
		c.segment_boundary_mask = (PAGE_SIZE << law_below(r, 5)) - 1;
	if (law_chance(r, 70))
		c.max_segments = 1 + law_below(r, 3);
	if (law_chance(r, 70))
		c.max_segment_size = about_pages(r, 1 + law_below(r, PAGES));
	dma_buf_constraints_translate(&storage, &c, size);

	for (places = 1; left; left -= length, places++) {
		length = left;
		if (places < storage.max_segments)
			length = (1 + law_below(r, left >> PAGE_SHIFT))
				 << PAGE_SHIFT;
		if (!iommu_cut(&t, &storage, law_below(r, PAGES) * PAGE_SIZE,
			       length))
			return NULL;
	}
	iommu_lay(&t, c.segment_boundary_mask);
	if (dma_buf_constraints_check_sgt(&c, &t.sgt, size, NULL))
		return "what an IOMMU makes of storage";

	return NULL;
}

/* --- examples --- */

struct size_example {
	const char *name;
	/* see law_spell_out() */
	struct dma_buf_constraints c;
	u64 size;
	bool satisfiable;
};

#define MIB ((u64)SZ_1M)
#define GIB ((u64)SZ_1G)

static const struct size_example size_examples[] = {
	{ "a picture in one piece", { .max_segments = 1 }, 8 * MIB, true },
	{ "one piece of many entries",
	  { .max_segments = 1, .max_segment_size = 65536 },
	  8 * MIB,
	  true },
	{ "one piece across boundaries",
	  { .max_segments = 1, .segment_boundary_mask = 0xffff },
	  8 * MIB,
	  true },
	{ "all that is in reach", { .dma_mask = GIB - 1 }, GIB, true },
	{ "more than is in reach", { .dma_mask = GIB - 1 }, GIB + 1, false },
	{ "no kind of memory", { .domains = LAW_ZERO }, 1, false },
	{ "entries too short to be aligned, and too many",
	  { .alignment = MIB, .max_segment_size = 65536, .max_segments = 127 },
	  8 * MIB,
	  false },
	{ "entries too short to be aligned",
	  { .alignment = MIB, .max_segment_size = 65536, .max_segments = 128 },
	  8 * MIB,
	  true },
	{ "entries too far apart",
	  { .alignment = GIB,
	    .max_segment_size = 65536,
	    .dma_mask = 127 * GIB + 65534 },
	  8 * MIB,
	  false },
	{ "entries just near enough",
	  { .alignment = GIB,
	    .max_segment_size = 65536,
	    .dma_mask = 127 * GIB + 65535 },
	  8 * MIB,
	  true },
	{ "further apart than there are addresses",
	  { .alignment = BIT_ULL(63), .max_segment_size = 65536 },
	  3 * 65536,
	  false },
	{ "as far apart as there are addresses",
	  { .alignment = BIT_ULL(63), .max_segment_size = 65536 },
	  2 * 65536,
	  true },
	{ "an entry is not longer than a table can say",
	  { .alignment = 4 * GIB, .max_segments = 1 },
	  4 * GIB,
	  false },
	{ "all whole pages there are", {}, -(u64)PAGE_SIZE, true },
	{ "the last byte", {}, U64_MAX, false },
};

struct iommu_example {
	const char *name;
	u64 size;
	/* see law_spell_out() */
	struct dma_buf_constraints table, storage;
};

static const struct iommu_example iommu_examples[] = {
	{ "an IOMMU reaches all and joins all",
	  8 * MIB,
	  { .dma_mask = 0x3fffffff,
	    .max_segments = 1,
	    .alignment = 65536,
	    .max_segment_size = 65536,
	    .domains = DMA_BUF_DOMAIN_SYSTEM },
	  { .alignment = 65536,
	    .max_segment_size = 65536,
	    .domains = DMA_BUF_DOMAIN_SYSTEM } },
	{ "an IOMMU joins what is as long as a boundary is far",
	  16 * MIB,
	  { .max_segments = 1, .segment_boundary_mask = 16 * MIB - 1 },
	  { .max_segment_size = 16 * MIB } },
	{ "an IOMMU leaves gaps in what is longer",
	  16 * MIB + 1,
	  { .dma_mask = 0x3fffffff,
	    .max_segments = 1,
	    .segment_boundary_mask = 16 * MIB - 1 },
	  { .max_segments = 1, .max_segment_size = 16 * MIB } },
	{ "an IOMMU is given entries that fill what is between boundaries",
	  16 * MIB + 1,
	  { .max_segments = 1,
	    .max_segment_size = 3 * MIB,
	    .segment_boundary_mask = 16 * MIB - 1 },
	  { .max_segments = 1, .max_segment_size = 2 * MIB } },
	{ "an IOMMU is given entries that are short enough",
	  8 * MIB,
	  { .max_segment_size = 65536, .segment_boundary_mask = 4 * GIB - 1 },
	  { .max_segment_size = 65536 } },
	{ "an IOMMU joins all there is",
	  -(u64)PAGE_SIZE,
	  { .max_segments = 1 },
	  {} },
};

static const char *try_iommu_examples(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iommu_examples); i++) {
		const struct iommu_example *e = &iommu_examples[i];
		struct dma_buf_constraints c = law_spell_out(&e->table);
		struct dma_buf_constraints storage = law_spell_out(&e->storage);

		dma_buf_constraints_translate(&c, &c, e->size);
		if (!law_same(&c, &storage))
			return e->name;
	}

	return NULL;
}

const char *law_examples_storage(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(size_examples); i++) {
		const struct size_example *e = &size_examples[i];
		struct dma_buf_constraints c = law_spell_out(&e->c);

		if (dma_buf_constraints_satisfiable(&c, e->size) !=
		    e->satisfiable)
			return e->name;
	}

	return try_iommu_examples();
}
