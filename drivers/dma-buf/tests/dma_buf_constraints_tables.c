// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: laws of the table checker
 *
 * The oracle reads the definition of each demand byte by byte, in a window of a
 * few hundred bytes: an entry breaks a mask if one of its bytes is above it, a
 * boundary if two of its bytes are on different sides. It shares neither code nor
 * arithmetic with the checker. The window is put at the start, at 4 GiB, and at
 * the very end of all addresses, where sums overflow.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "dma_buf_constraints_laws.h"

#define WINDOW 256

/* Can an entry say that its address is another device's? */
bool law_has_peers(void)
{
#ifdef CONFIG_NEED_SG_DMA_FLAGS
	return true;
#else
	return false;
#endif
}

void law_table_build(struct law_table *t)
{
	unsigned int i;

	sg_init_table(t->sgl, LAW_ENTRIES);
	for (i = 0; i < t->nents; i++) {
		sg_dma_address(&t->sgl[i]) = t->entries[i].address;
		sg_dma_len(&t->sgl[i]) = t->entries[i].length;
		if (t->entries[i].peer)
			sg_dma_mark_bus_address(&t->sgl[i]);
	}
	/* the CPU's view may be longer, with what was left there */
	for (; i < LAW_ENTRIES; i++) {
		sg_dma_address(&t->sgl[i]) = PAGE_SIZE;
		sg_dma_len(&t->sgl[i]) = PAGE_SIZE;
	}
	t->sgt = (struct sg_table){
		.sgl = t->sgl,
		.nents = t->nents,
		.orig_nents = LAW_ENTRIES,
	};
}

static void random_table(struct law_random *r, struct law_table *t, u64 base)
{
	u64 address = base + law_below(r, WINDOW);
	unsigned int i;

	t->nents = law_below(r, 8);
	for (i = 0; i < t->nents; i++) {
		struct law_entry *e = &t->entries[i];

		if (law_chance(r, 40))
			address = base + law_below(r, WINDOW);
		if (law_chance(r, 30))
			address &= ~15ull;
		e->address = address;
		e->length = 1 + law_below(r, law_chance(r, 50) ? 16 : 48);
		if (law_chance(r, 3))
			e->length = 0;
		e->peer = law_has_peers() && law_chance(r, 15);
		address += e->length;
	}
	law_table_build(t);
}

static u64 random_base(struct law_random *r)
{
	static const u64 bases[] = { 0, (1ull << 32) - WINDOW / 2, -WINDOW };

	return bases[law_below(r, ARRAY_SIZE(bases))];
}

/* Such that the window is neither all right nor all wrong. */
static void window_constraints(struct law_random *r,
			       struct dma_buf_constraints *c, u64 base)
{
	*c = DMA_BUF_CONSTRAINTS_ANY;
	if (law_chance(r, 40))
		c->dma_mask = base + 64 + law_below(r, WINDOW - 64);
	if (law_chance(r, 40))
		c->segment_boundary_mask = 7 | law_number(r);
	if (law_chance(r, 40))
		c->max_segment_size = 1 + law_below(r, 48);
	if (law_chance(r, 40))
		c->alignment = 1 << law_below(r, 5);
	if (law_chance(r, 60))
		c->max_segments = 1 + law_below(r, 4);
	if (law_chance(r, 20))
		c->domains = law_below(r, DMA_BUF_DOMAIN_ALL + 1);
}

/* A 32-bit kernel has no % for this. */
bool law_divides(u64 divisor, u64 number)
{
	return div64_u64(number, divisor) * divisor == number;
}

/* Which demands one entry breaks, as bits of enum dma_buf_demand. */
static unsigned int broken_by_bytes(const struct dma_buf_constraints *c,
				    const struct law_entry *e)
{
	unsigned int broken = 0;
	u64 address = e->address;
	u32 i;

	if (!(c->domains &
	      (e->peer ? DMA_BUF_DOMAIN_PEER : DMA_BUF_DOMAIN_SYSTEM)))
		broken |= 1u << DMA_BUF_DEMAND_DOMAINS;
	if (!law_divides(c->alignment, address))
		broken |= 1u << DMA_BUF_DEMAND_ALIGNMENT;

	for (i = 0; i < e->length; i++, address++) {
		bool beyond_all = i && !address;

		if (beyond_all || address > c->dma_mask)
			broken |= 1u << DMA_BUF_DEMAND_MASK;
		if ((address & ~c->segment_boundary_mask) !=
		    (e->address & ~c->segment_boundary_mask))
			broken |= 1u << DMA_BUF_DEMAND_BOUNDARY;
		if (i + 1ull > c->max_segment_size)
			broken |= 1u << DMA_BUF_DEMAND_SEGMENT_SIZE;
		if (beyond_all)
			break;
	}

	return broken;
}

static bool goes_on(const struct law_entry *a, const struct law_entry *b)
{
	return b->address && b->address == a->address + a->length;
}

struct verdict {
	unsigned int broken;
	unsigned int entry;
	u64 missing;
};

/* The first entry that is wrong, and all that is wrong with it. */
static struct verdict judge(const struct dma_buf_constraints *c,
			    const struct law_table *t, u64 size)
{
	struct verdict v = {};
	unsigned int places = 0;
	u64 seen = 0;

	for (v.entry = 0; v.entry < t->nents; v.entry++) {
		const struct law_entry *e = &t->entries[v.entry];

		if (seen >= size || !e->length)
			break;
		if (!v.entry || !goes_on(e - 1, e))
			places++;
		v.broken = broken_by_bytes(c, e);
		if (places > c->max_segments)
			v.broken |= 1u << DMA_BUF_DEMAND_SEGMENTS;
		if (v.broken)
			return v;
		seen += e->length;
	}
	if (seen < size) {
		v.broken = 1u << DMA_BUF_DEMAND_LENGTH;
		v.missing = size - seen;
	}

	return v;
}

static const char *compare(const struct dma_buf_constraints *c,
			   const struct law_table *t, u64 size)
{
	struct verdict v = judge(c, t, size);
	struct dma_buf_violation got = { .entry = 4711 };
	int ret = dma_buf_constraints_check_sgt(c, &t->sgt, size, &got);

	if (ret != dma_buf_constraints_check_sgt(c, &t->sgt, size, NULL))
		return "whether somebody asks for the violation or not";
	if (!v.broken)
		return ret || got.entry != 4711 ? "a good table" : NULL;
	if (!ret)
		return "a bad table";
	if (!(v.broken & 1u << got.demand) || got.entry != v.entry)
		return "what is bad about a table";
	if (got.demand == DMA_BUF_DEMAND_LENGTH)
		return got.length != v.missing ? "what is missing" : NULL;
	if (got.address != t->entries[v.entry].address ||
	    got.length != t->entries[v.entry].length)
		return "the bad entry";
	/* the kind of memory comes first: no other demand has a meaning there */
	if ((ret == -EREMOTEIO) != (v.broken & 1u << DMA_BUF_DEMAND_DOMAINS &&
				    t->entries[v.entry].peer))
		return "the errno";

	return NULL;
}

static u64 bytes_of(const struct law_table *t)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < t->nents; i++)
		bytes += t->entries[i].length;

	return bytes;
}

static u64 random_size(struct law_random *r, const struct law_table *t)
{
	return law_chance(r, 60) ? bytes_of(t) : law_below(r, bytes_of(t) + 4);
}

const char *law_table_oracle(struct law_random *r)
{
	u64 base = random_base(r);
	struct dma_buf_constraints c;
	struct law_table t;

	random_table(r, &t, base);
	window_constraints(r, &c, base);

	return compare(&c, &t, random_size(r, &t));
}

/* A table meets an intersection exactly if it meets both. */
const char *law_table_meet(struct law_random *r)
{
	u64 base = random_base(r);
	struct dma_buf_constraints a, b, ab;
	struct law_table t;
	bool meets_a, meets_b;
	u64 size;

	random_table(r, &t, base);
	window_constraints(r, &a, base);
	window_constraints(r, &b, base);
	if (law_chance(r, 50))
		dma_buf_constraints_intersect(&b, &a, &b);
	dma_buf_constraints_intersect(&ab, &a, &b);
	size = random_size(r, &t);

	meets_a = !dma_buf_constraints_check_sgt(&a, &t.sgt, size, NULL);
	meets_b = !dma_buf_constraints_check_sgt(&b, &t.sgt, size, NULL);
	if ((meets_a && meets_b) !=
	    !dma_buf_constraints_check_sgt(&ab, &t.sgt, size, NULL))
		return "a table of both";
	if (dma_buf_constraints_subset(&a, &b) && meets_a && !meets_b)
		return "a table of a subset";

	return NULL;
}

/* --- examples --- */

struct table_example {
	const char *name;
	/* see law_spell_out() */
	struct dma_buf_constraints c;
	struct law_entry entries[4];
	u64 size;
	enum dma_buf_demand demand;
	unsigned int entry;
};

#define TOP (U64_MAX - 4095)
static const struct table_example table_examples[] = {
	{ "nothing of nothing", {}, {}, 0 },
	{ "nothing of something", {}, {}, 1, DMA_BUF_DEMAND_LENGTH, 0 },
	{ "one piece of two entries",
	  { .max_segments = 1, .max_segment_size = 4096 },
	  { { 4096, 4096 }, { 8192, 4096 } },
	  8192 },
	{ "two pieces",
	  { .max_segments = 1 },
	  { { 4096, 4096 }, { 12288, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_SEGMENTS,
	  1 },
	{ "two pieces in the wrong order",
	  { .max_segments = 1 },
	  { { 8192, 4096 }, { 4096, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_SEGMENTS,
	  1 },
	{ "the same piece twice",
	  { .max_segments = 1 },
	  { { 4096, 4096 }, { 4096, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_SEGMENTS,
	  1 },
	{ "a second piece behind the end",
	  { .max_segments = 1 },
	  { { 4096, 4096 }, { 12288, 4096 } },
	  4096 },
	{ "an entry that is longer than the buffer",
	  { .max_segment_size = 8192 },
	  { { 4096, 8192 } },
	  100 },
	{ "a table that is short",
	  {},
	  { { 4096, 4096 }, { 12288, 4096 } },
	  8193,
	  DMA_BUF_DEMAND_LENGTH,
	  2 },
	{ "a table that ends early",
	  {},
	  { { 4096, 4096 }, { 8192, 0 }, { 12288, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_LENGTH,
	  1 },
	{ "the last address", {}, { { TOP, 4096 } }, 4096 },
	{ "beyond the last address",
	  {},
	  { { TOP, 4097 } },
	  4097,
	  DMA_BUF_DEMAND_MASK,
	  0 },
	{ "round the end is two pieces",
	  { .max_segments = 1 },
	  { { TOP, 4096 }, { 0, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_SEGMENTS,
	  1 },
	{ "the last byte in reach",
	  { .dma_mask = 0x3fffffff },
	  { { 0x3ffff000, 4096 } },
	  4096 },
	{ "the first byte out of reach",
	  { .dma_mask = 0x3ffffffe },
	  { { 0x3ffff000, 4096 } },
	  4096,
	  DMA_BUF_DEMAND_MASK,
	  0 },
	{ "all out of reach",
	  { .dma_mask = 0xfff },
	  { { 0, 4096 }, { 4096, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_MASK,
	  1 },
	{ "up to the boundary",
	  { .segment_boundary_mask = 0xffff },
	  { { 0x1f000, 4096 }, { 0x20000, 65536 } },
	  69632 },
	{ "across the boundary",
	  { .segment_boundary_mask = 0xffff },
	  { { 0x1f000, 8192 } },
	  8192,
	  DMA_BUF_DEMAND_BOUNDARY,
	  0 },
	{ "two boundaries further",
	  { .segment_boundary_mask = 0xffff },
	  { { 0x1f000, 0x20000 } },
	  0x20000,
	  DMA_BUF_DEMAND_BOUNDARY,
	  0 },
	{ "a boundary mask with a hole, all bytes around it",
	  { .segment_boundary_mask = 0xbfff },
	  { { 0x3000, 0x6000 } },
	  0x6000,
	  DMA_BUF_DEMAND_BOUNDARY,
	  0 },
	{ "the longest entry",
	  { .max_segment_size = 65536 },
	  { { 0, 65536 } },
	  65536 },
	{ "an entry that is too long",
	  { .max_segment_size = 65535 },
	  { { 0, 65536 } },
	  65536,
	  DMA_BUF_DEMAND_SEGMENT_SIZE,
	  0 },
	{ "an entry that is not aligned",
	  { .alignment = 65536 },
	  { { 0x20000, 4096 }, { 0x21000, 4096 } },
	  8192,
	  DMA_BUF_DEMAND_ALIGNMENT,
	  1 },
	{ "no memory of the machine",
	  { .domains = DMA_BUF_DOMAIN_PEER },
	  { { 4096, 4096 } },
	  4096,
	  DMA_BUF_DEMAND_DOMAINS,
	  0 },
	{ "no memory at all",
	  { .domains = LAW_ZERO },
	  { { 4096, 4096 } },
	  4096,
	  DMA_BUF_DEMAND_DOMAINS,
	  0 },
#ifdef CONFIG_NEED_SG_DMA_FLAGS
	{ "a peer's memory",
	  { .domains = DMA_BUF_DOMAIN_PEER },
	  { { 4096, 4096, true } },
	  4096 },
	{ "no peer's memory",
	  { .domains = DMA_BUF_DOMAIN_SYSTEM },
	  { { 4096, 4096 }, { 8192, 4096, true } },
	  8192,
	  DMA_BUF_DEMAND_DOMAINS,
	  1 },
	{ "a peer out of reach",
	  { .dma_mask = 0xffff },
	  { { 0x10000, 4096, true } },
	  4096,
	  DMA_BUF_DEMAND_MASK,
	  0 },
#endif
};

static const char *try_example(const struct table_example *e)
{
	struct dma_buf_constraints c = law_spell_out(&e->c);
	struct dma_buf_violation got = {};
	struct law_table t = {};
	int expected = 0, ret;

	memcpy(t.entries, e->entries, sizeof(e->entries));
	while (t.nents < ARRAY_SIZE(e->entries) &&
	       (e->entries[t.nents].length || e->entries[t.nents].address))
		t.nents++;
	law_table_build(&t);

	if (e->demand)
		expected = e->demand == DMA_BUF_DEMAND_DOMAINS &&
					   e->entries[e->entry].peer ?
				   -EREMOTEIO :
				   -EINVAL;
	ret = dma_buf_constraints_check_sgt(&c, &t.sgt, e->size, &got);
	if (ret != expected || got.demand != e->demand || got.entry != e->entry)
		return e->name;

	return NULL;
}

/* The device's view of a list in two parts goes on in the second. */
static const char *try_chained_table(void)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_violation got = {};
	struct scatterlist first[3], second[2];
	struct sg_table sgt = { .sgl = first, .nents = 4, .orig_nents = 4 };
	struct scatterlist *sg;
	u64 address = 4096;
	int i;

	sg_init_table(first, ARRAY_SIZE(first));
	sg_init_table(second, ARRAY_SIZE(second));
	sg_chain(first, ARRAY_SIZE(first), second);
	for_each_sgtable_dma_sg(&sgt, sg, i) {
		sg_dma_address(sg) = address;
		sg_dma_len(sg) = 4096;
		address += 4096;
	}

	c.max_segments = 1;
	if (dma_buf_constraints_check_sgt(&c, &sgt, 4 * 4096, &got))
		return "a chained list";
	sg_dma_address(&second[1]) += 4096;
	if (!dma_buf_constraints_check_sgt(&c, &sgt, 4 * 4096, &got) ||
	    got.entry != 3)
		return "the end of a chained list";

	return NULL;
}

const char *law_examples_table(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table_examples); i++) {
		const char *broken = try_example(&table_examples[i]);

		if (broken)
			return broken;
	}

	return try_chained_table();
}
