// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: laws of the text of constraints
 *
 * What is printed can be typed in again and means the same. What is typed is
 * either understood as a whole, or refused with nothing changed: an administrator
 * who mistypes must not find a device with half a declaration.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "dma_buf_constraints_laws.h"

#define TEXT DMA_BUF_CONSTRAINTS_TEXT_SIZE

static void poison(struct dma_buf_constraints *c)
{
	memset(c, 0x5a, sizeof(*c));
}

static bool poisoned(const struct dma_buf_constraints *c)
{
	struct dma_buf_constraints p;

	poison(&p);

	return law_same(c, &p);
}

/* A buffer that is too small has the start of the text, and an end. */
static bool cut_short(const struct dma_buf_constraints *c, const char *text,
		      size_t room)
{
	char small[TEXT + 1];
	int n;

	memset(small, '#', sizeof(small));
	n = dma_buf_constraints_print(small, room, c);

	return (size_t)n < room && strlen(small) == (size_t)n &&
	       !memcmp(small, text, n) && small[room] == '#' &&
	       ((size_t)n == strlen(text) || (size_t)n == room - 1);
}

const char *law_text_round_trip(struct law_random *r)
{
	struct dma_buf_constraints c, plain, back;
	char text[TEXT], plain_text[TEXT];
	int n;

	law_constraints(r, &c);
	if (law_chance(r, 40))
		c = DMA_BUF_CONSTRAINTS_ANY;
	law_related(r, &c, &c);
	dma_buf_constraints_intersect(&plain, &c, &c);

	n = dma_buf_constraints_print(text, sizeof(text), &c);
	if (n <= 0 || n >= (int)sizeof(text) - 1 || strlen(text) != (size_t)n)
		return "the length of the text";
	if (!cut_short(&c, text, 1 + law_below(r, TEXT)))
		return "a text that is cut short";

	dma_buf_constraints_print(plain_text, sizeof(plain_text), &plain);
	if (strcmp(text, plain_text))
		return "what means the same is printed alike";

	poison(&back);
	if (dma_buf_constraints_valid(&c)) {
		if (dma_buf_constraints_parse(text, &back) != -EINVAL ||
		    !poisoned(&back))
			return "what is not valid is not read back";
		return NULL;
	}
	if (dma_buf_constraints_parse(text, &back))
		return "what was printed is understood";
	if (!law_same(&back, &plain))
		return "what was printed means the same";

	return NULL;
}

static void spoil(struct law_random *r, char *text, size_t room)
{
	static const char letters[] = "0123456789xXafz=,+-\n maskany";
	size_t n = strlen(text);
	size_t at = law_below(r, n + 1);
	size_t from = law_below(r, n + 1);
	char letter = letters[law_below(r, sizeof(letters) - 1)];

	switch (law_below(r, 4)) {
	case 0: /* another character */
		if (at < n)
			text[at] = letter;
		break;
	case 1: /* one more */
		if (n + 1 < room) {
			memmove(text + at + 1, text + at, n - at + 1);
			text[at] = letter;
		}
		break;
	case 2: /* the end is gone */
		text[at] = '\0';
		break;
	default: /* the end comes twice */
		if (n + n - from + 2 < room) {
			text[n] = ',';
			memmove(text + n + 1, text + from, n - from);
			text[n + 1 + n - from] = '\0';
		}
	}
}

const char *law_text_junk(struct law_random *r)
{
	struct dma_buf_constraints c, back;
	char text[2 * TEXT + 2], again[TEXT];
	unsigned int times = 1 + law_below(r, 3);
	int ret;

	law_constraints(r, &c);
	law_related(r, &c, &c);
	dma_buf_constraints_print(text, TEXT, &c);
	while (times--)
		spoil(r, text, sizeof(text));

	poison(&back);
	ret = dma_buf_constraints_parse(text, &back);
	if (ret)
		return ret == -EINVAL && poisoned(&back) ? NULL :
							   "a refused text";
	if (strpbrk(text, "\n "))
		return "characters of no item";
	if (dma_buf_constraints_valid(&back))
		return "what is understood is valid";
	dma_buf_constraints_print(again, sizeof(again), &back);
	poison(&c);
	if (dma_buf_constraints_parse(again, &c) || !law_same(&c, &back))
		return "what is understood can be printed";

	return NULL;
}

/* --- examples --- */

struct text_example {
	const char *text;
	/* see law_spell_out(); what is printed is the text, unless told */
	struct dma_buf_constraints c;
	const char *printed;
};

static const struct text_example good_texts[] = {
	{ "any", {} },
	{ "mask=0x3fffffff", { .dma_mask = 0x3fffffff } },
	{ "boundary=0xffff", { .segment_boundary_mask = 0xffff } },
	{ "segment-size=65536", { .max_segment_size = 65536 } },
	{ "align=4096", { .alignment = 4096 } },
	{ "segments=1", { .max_segments = 1 } },
	{ "domains=system", { .domains = DMA_BUF_DOMAIN_SYSTEM } },
	{ "domains=peer", { .domains = DMA_BUF_DOMAIN_PEER } },
	{ "domains=system+peer", {}, "any" },
	{ "mask=0xffffffffffffffff", {}, "any" },
	{ "mask=18446744073709551615", {}, "any" },
	{ "boundary=01777777777777777777777", {}, "any" },
	{ "segments=4294967295,align=1", {}, "any" },
	{ "boundary=0xff7fff",
	  { .segment_boundary_mask = 0x7fff },
	  "boundary=0x7fff" },
	{ "segments=1,mask=1073741823",
	  { .max_segments = 1, .dma_mask = 0x3fffffff },
	  "mask=0x3fffffff,segments=1" },
	{ "mask=0xfffffffffffffffe,boundary=0x7fffffffffffffff,domains=system",
	  { .dma_mask = U64_MAX - 1,
	    .segment_boundary_mask = S64_MAX,
	    .domains = DMA_BUF_DOMAIN_SYSTEM } },
	{ "segment-size=18446744073709551614,align=1048576,segments=4294967294",
	  { .max_segment_size = U64_MAX - 1,
	    .alignment = 1 << 20,
	    .max_segments = UINT_MAX - 1 } },
};

static const char *const bad_texts[] = {
	"",
	",",
	"=",
	"any,any",
	"any,segments=1",
	"Any",
	"mask",
	"mask=",
	"mask=0x",
	"=5",
	"masks=0xffffffff",
	"mas=0xffffffff",
	"none=0",
	"length=1",
	"?=1",
	"mask=0xffffffff,",
	",mask=0xffffffff",
	"mask=0xffffffff,,segments=1",
	"mask=0xffffffff segments=1",
	"mask=0xffffffff\n",
	"mask=0xffffffff\n,segments=1",
	" mask=0xffffffff",
	"mask= 0xffffffff",
	"mask=+0xffffffff",
	"mask=-1",
	"mask=0xffffffff=1",
	"mask=0xffffffff,mask=0xffffffff",
	"segments=1,align=4096,segments=1",
	"domains=system,domains=system",
	"mask=0x10000000000000000",
	"mask=18446744073709551616",
	"mask=000000000000000000000000000000004096",
	"segments=4294967296",
	"segments=4294967297",
	"segments=0",
	"segments=one",
	"align=0",
	"align=12288",
	"align=4k",
	"align=4096.0",
	"segment-size=0",
	"segment-size=1",
	"boundary=0",
	"boundary=0x10000",
	"mask=0",
	"domains=",
	"domains=none",
	"domains=1",
	"domains=peer+system",
	"domains=system+system",
	"domains=system+",
	"domains=sys",
	"domains=systemic",
};

static const char *try_good_text(const struct text_example *e)
{
	struct dma_buf_constraints expected = law_spell_out(&e->c), got;
	char text[TEXT];

	poison(&got);
	if (dma_buf_constraints_parse(e->text, &got) ||
	    !law_same(&got, &expected))
		return e->text;
	dma_buf_constraints_print(text, sizeof(text), &got);

	return strcmp(text, e->printed ? e->printed : e->text) ? e->text : NULL;
}

static const char *try_names(void)
{
	static const char *const names[] = {
		"none",	    "mask",    "boundary", "segment-size", "align",
		"segments", "domains", "length",   "copy",	   "?"
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(dma_buf_demand_name(i), names[i]))
			return names[i];
	}

	return NULL;
}

const char *law_examples_text(void)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	char text[TEXT];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good_texts); i++) {
		const char *broken = try_good_text(&good_texts[i]);

		if (broken)
			return broken;
	}
	for (i = 0; i < ARRAY_SIZE(bad_texts); i++) {
		poison(&c);
		if (dma_buf_constraints_parse(bad_texts[i], &c) != -EINVAL ||
		    !poisoned(&c))
			return bad_texts[i];
	}

	c = DMA_BUF_CONSTRAINTS_ANY;
	c.domains = 0;
	dma_buf_constraints_print(text, sizeof(text), &c);
	if (strcmp(text, "domains=none"))
		return "what nothing meets";
	if (dma_buf_constraints_print(text, 0, &c) != 0)
		return "no room at all";

	return try_names();
}
