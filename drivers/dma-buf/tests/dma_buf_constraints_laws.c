// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: laws of constraints
 *
 * An intersection that depends on the order of devices, or that is looser than
 * one of them, hands out memory that somebody cannot reach, in one order of
 * attachment of many. No list of examples finds that, the laws of a
 * meet-semilattice do, on random constraints that are chosen to collide: near
 * each other, near powers of two, and near both ends of the range.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "dma_buf_constraints_laws.h"

/* --- randomness --- */

/* SplitMix64: any seed is a good one, and so is the next. */
u64 law_next(struct law_random *r)
{
	u64 z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;

	return z ^ (z >> 31);
}

struct law_random law_random_of(u64 seed, u64 round)
{
	struct law_random r = { .state = seed };

	r.state = law_next(&r) + round;
	r.state = law_next(&r);

	return r;
}

/* Of 2^32 at most; that it is not quite even does not matter here. */
u64 law_below(struct law_random *r, u64 limit)
{
	return ((law_next(r) >> 32) * limit) >> 32;
}

bool law_chance(struct law_random *r, unsigned int percent)
{
	return law_below(r, 100) < percent;
}

/* Any number of bits, and more often than not next to a power of two. */
u64 law_number(struct law_random *r)
{
	unsigned int bits = law_below(r, 64);

	switch (law_below(r, 4)) {
	case 0:
		return law_next(r) >> bits;
	case 1:
		return U64_MAX;
	default:
		return (1ull << bits) - 2 + law_below(r, 4);
	}
}

static u64 at_least_one(u64 number)
{
	return number ? number : 1;
}

static unsigned int random_segments(struct law_random *r)
{
	if (law_chance(r, 30))
		return UINT_MAX;

	return law_chance(r, 80) ? 1 + law_below(r, 8) :
				   at_least_one((u32)law_next(r));
}

/* Well-formed, whether or not anything could meet it. */
void law_constraints(struct law_random *r, struct dma_buf_constraints *c)
{
	c->dma_mask = at_least_one(law_number(r));
	c->segment_boundary_mask = law_number(r);
	c->max_segment_size = at_least_one(law_number(r));
	c->alignment = 1ull << law_below(r, law_chance(r, 50) ? 20 : 64);
	c->max_segments = random_segments(r);
	c->domains = law_below(r, DMA_BUF_DOMAIN_ALL + 1);
	if (law_chance(r, 50))
		c->segment_boundary_mask = (1ull << law_below(r, 64)) - 1;
	if (law_chance(r, 50))
		c->domains = DMA_BUF_DOMAIN_ALL;
}

/* Like the other, but for some members: so that one is often the stricter. */
void law_related(struct law_random *r, struct dma_buf_constraints *b,
		 const struct dma_buf_constraints *a)
{
	const struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_constraints other;

	law_constraints(r, &other);
	if (law_chance(r, 30))
		other = any;
	else if (law_chance(r, 30))
		dma_buf_constraints_intersect(&other, &other, a);

	*b = *a;
	if (law_chance(r, 30))
		b->dma_mask = other.dma_mask;
	if (law_chance(r, 30))
		b->segment_boundary_mask = other.segment_boundary_mask;
	if (law_chance(r, 30))
		b->max_segment_size = other.max_segment_size;
	if (law_chance(r, 30))
		b->alignment = other.alignment;
	if (law_chance(r, 30))
		b->max_segments = other.max_segments;
	if (law_chance(r, 30))
		b->domains = other.domains;
}

/* To the bit: for results, which have one form only. */
bool law_same(const struct dma_buf_constraints *a,
	      const struct dma_buf_constraints *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static u64 spelled(u64 number, u64 otherwise)
{
	if (number == LAW_ZERO)
		return 0;

	return number ? number : otherwise;
}

/* Examples say what is restricted, and LAW_ZERO for a number that is 0. */
struct dma_buf_constraints law_spell_out(const struct dma_buf_constraints *c)
{
	return (struct dma_buf_constraints){
		.dma_mask = spelled(c->dma_mask, U64_MAX),
		.segment_boundary_mask =
			spelled(c->segment_boundary_mask, U64_MAX),
		.max_segment_size = spelled(c->max_segment_size, U64_MAX),
		.alignment = spelled(c->alignment, 1),
		.max_segments = spelled(c->max_segments, UINT_MAX),
		.domains = spelled(c->domains, DMA_BUF_DOMAIN_ALL),
	};
}

/* --- the algebra --- */

static struct dma_buf_constraints meet(const struct dma_buf_constraints *a,
				       const struct dma_buf_constraints *b)
{
	struct dma_buf_constraints result;

	memset(&result, 0xa5, sizeof(result));
	dma_buf_constraints_intersect(&result, a, b);

	return result;
}

static const char *law_meet(struct law_random *r)
{
	const struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_constraints a, b, c, ab, ba, left, right, plain;

	law_constraints(r, &a);
	law_related(r, &b, &a);
	law_related(r, &c, &b);

	ab = meet(&a, &b);
	ba = meet(&b, &a);
	if (!law_same(&ab, &ba))
		return "commutative";

	left = meet(&ab, &c);
	right = meet(&b, &c);
	right = meet(&a, &right);
	if (!law_same(&left, &right))
		return "associative";

	plain = meet(&a, &a);
	if (!dma_buf_constraints_equal(&plain, &a))
		return "idempotent";
	left = meet(&plain, &plain);
	if (!law_same(&left, &plain))
		return "a result is in its one form";

	left = meet(&a, &any);
	right = meet(&any, &a);
	if (!law_same(&left, &plain) || !law_same(&right, &plain))
		return "any is neutral";

	left = a;
	dma_buf_constraints_intersect(&left, &left, &b);
	right = b;
	dma_buf_constraints_intersect(&right, &a, &right);
	if (!law_same(&left, &ab) || !law_same(&right, &ab))
		return "the result may replace an argument";

	return NULL;
}

static const char *law_order(struct law_random *r)
{
	const struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_constraints a, b, c, ab, ac, bc, plain_a, plain_b;
	bool below, above;

	law_constraints(r, &a);
	law_related(r, &b, &a);
	law_related(r, &c, &b);
	ab = meet(&a, &b);
	plain_a = meet(&a, &a);
	plain_b = meet(&b, &b);
	below = dma_buf_constraints_subset(&a, &b);
	above = dma_buf_constraints_subset(&b, &a);

	if (!dma_buf_constraints_subset(&a, &a) ||
	    !dma_buf_constraints_subset(&a, &any))
		return "all are at most themselves and any";
	if (below != law_same(&ab, &plain_a))
		return "a subset is what the intersection leaves alone";
	if ((below && above) != law_same(&plain_a, &plain_b) ||
	    (below && above) != dma_buf_constraints_equal(&a, &b))
		return "equal is what is below and above, and looks alike";
	if (below && dma_buf_constraints_subset(&b, &c) &&
	    !dma_buf_constraints_subset(&a, &c))
		return "transitive";

	if (!dma_buf_constraints_subset(&ab, &a) ||
	    !dma_buf_constraints_subset(&ab, &b))
		return "an intersection is below both";
	if (dma_buf_constraints_subset(&c, &a) &&
	    dma_buf_constraints_subset(&c, &b) &&
	    !dma_buf_constraints_subset(&c, &ab))
		return "nothing below both is above the intersection";

	ac = meet(&a, &c);
	bc = meet(&b, &c);
	if (below && !dma_buf_constraints_subset(&ac, &bc))
		return "monotone";

	return NULL;
}

/* What each number means, one by one, so that a wrong field cannot hide. */
struct algebra_example {
	const char *name;
	struct dma_buf_constraints a, b, both;
};

static const struct algebra_example algebra_examples[] = {
	{ "the lower mask",
	  { .dma_mask = 0x3fffffff },
	  { .dma_mask = 0xbfffffff },
	  { .dma_mask = 0x3fffffff } },
	{ "the nearer boundary",
	  { .segment_boundary_mask = 0xffff },
	  { .segment_boundary_mask = 0xffffffff },
	  { .segment_boundary_mask = 0xffff } },
	{ "a mask with a hole ends there",
	  { .segment_boundary_mask = 0xfff7ff },
	  {},
	  { .segment_boundary_mask = 0x7ff } },
	{ "a hole in one is the boundary of both",
	  { .segment_boundary_mask = 0xf0ffff },
	  { .segment_boundary_mask = 0x1ffff },
	  { .segment_boundary_mask = 0xffff } },
	{ "a mask without its lowest one",
	  { .segment_boundary_mask = 0xfffe },
	  { .segment_boundary_mask = 0xffff },
	  { .segment_boundary_mask = LAW_ZERO } },
	{ "the shorter segment",
	  { .max_segment_size = 65536 },
	  { .max_segment_size = 65535 },
	  { .max_segment_size = 65535 } },
	{ "the wider alignment",
	  { .alignment = 65536 },
	  { .alignment = 4096 },
	  { .alignment = 65536 } },
	{ "the fewer segments",
	  { .max_segments = 1 },
	  { .max_segments = 128 },
	  { .max_segments = 1 } },
	{ "what both have",
	  { .domains = DMA_BUF_DOMAIN_SYSTEM },
	  {},
	  { .domains = DMA_BUF_DOMAIN_SYSTEM } },
	{ "nothing in common",
	  { .domains = DMA_BUF_DOMAIN_SYSTEM },
	  { .domains = DMA_BUF_DOMAIN_PEER },
	  { .domains = LAW_ZERO } },
	{ "each its own",
	  { .dma_mask = 0xffffffff, .max_segments = 1 },
	  { .max_segment_size = 65536, .alignment = 256 },
	  { .dma_mask = 0xffffffff,
	    .max_segments = 1,
	    .max_segment_size = 65536,
	    .alignment = 256 } },
};

struct valid_example {
	const char *name;
	struct dma_buf_constraints c;
	int expected;
};

static const struct valid_example valid_examples[] = {
	{ "any is valid", {}, 0 },
	{ "no address", { .dma_mask = LAW_ZERO }, -EINVAL },
	{ "a mask short of a page", { .dma_mask = PAGE_SIZE - 2 }, -EINVAL },
	{ "a mask of a page", { .dma_mask = PAGE_SIZE - 1 }, 0 },
	{ "no segment", { .max_segments = LAW_ZERO }, -EINVAL },
	{ "segments without length",
	  { .max_segment_size = LAW_ZERO },
	  -EINVAL },
	{ "segments short of a page",
	  { .max_segment_size = PAGE_SIZE - 1 },
	  -EINVAL },
	{ "segments of a page", { .max_segment_size = PAGE_SIZE }, 0 },
	{ "no alignment", { .alignment = LAW_ZERO }, -EINVAL },
	{ "no power of two", { .alignment = 12288 }, -EINVAL },
	{ "the widest alignment", { .alignment = 1ull << 63 }, 0 },
	{ "no kind of memory", { .domains = LAW_ZERO }, -EINVAL },
	{ "an unknown kind", { .domains = 5 }, -EINVAL },
	{ "a boundary in a page",
	  { .segment_boundary_mask = PAGE_SIZE / 2 },
	  -EINVAL },
	{ "a boundary per page",
	  { .segment_boundary_mask = PAGE_SIZE - 1 },
	  0 },
	{ "a boundary with a hole",
	  { .segment_boundary_mask = 8 * PAGE_SIZE - 2 },
	  -EINVAL },
	{ "a boundary that is a page",
	  { .segment_boundary_mask = 5 * PAGE_SIZE - 1 },
	  0 },
};

const char *law_examples_algebra(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(algebra_examples); i++) {
		const struct algebra_example *e = &algebra_examples[i];
		struct dma_buf_constraints a = law_spell_out(&e->a);
		struct dma_buf_constraints b = law_spell_out(&e->b);
		struct dma_buf_constraints both = law_spell_out(&e->both);
		struct dma_buf_constraints found = meet(&a, &b);

		if (!law_same(&found, &both))
			return e->name;
	}
	for (i = 0; i < ARRAY_SIZE(valid_examples); i++) {
		const struct valid_example *e = &valid_examples[i];
		struct dma_buf_constraints c = law_spell_out(&e->c);

		if (dma_buf_constraints_valid(&c) != e->expected)
			return e->name;
	}

	return NULL;
}

/* --- all of them --- */

const struct dma_buf_law dma_buf_laws[] = {
	{ "intersection", law_meet, 1 },
	{ "order", law_order, 1 },
	{ "checker against bytes", law_table_oracle, 4 },
	{ "checker of an intersection", law_table_meet, 4 },
	{ "satisfiable against a search", law_satisfiable_small, 100 },
	{ "satisfiable at any size", law_satisfiable_any, 2 },
	{ "cut", law_cut, 4 },
	{ "contiguous", law_contiguous, 4 },
	{ "behind an IOMMU", law_iommu, 4 },
	{ "text there and back", law_text_round_trip, 8 },
	{ "text of anything", law_text_junk, 8 },
};

const unsigned int dma_buf_laws_count = ARRAY_SIZE(dma_buf_laws);

const char *law_try(const struct dma_buf_law *law, u64 seed, u64 rounds,
		    u64 *failed)
{
	u64 round;

	for (round = 0; round * law->cost < rounds; round++) {
		struct law_random r = law_random_of(seed, round);
		const char *broken = law->holds(&r);

		if (broken) {
			*failed = round;
			return broken;
		}
	}

	return NULL;
}
