// SPDX-License-Identifier: GPL-2.0
/*
 * Constraints as people read and write them.
 */

#include <linux/ctype.h>
#include <linux/dma-buf-constraints.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

/**
 * DOC: constraints as text
 *
 * Whoever wonders why a buffer moved reads its constraints, and whoever knows a
 * device better than its driver writes them down, in the same words: items
 * separated by commas, each at most once, in any order::
 *
 *	mask=0x3fffffff,boundary=0xffff,segment-size=65536,align=4096,segments=1
 *
 * ============  ==============================================================
 * mask          the highest address the device reaches
 * boundary      no entry crosses a multiple of this plus one
 * segment-size  bytes of the longest entry
 * align         every entry begins at a multiple of this power of two
 * segments      in how many places the buffer may lie; 1 is one piece
 * domains       system, peer, or system+peer: whose memory it may be
 * ============  ==============================================================
 *
 * Numbers are decimal, hexadecimal with 0x, or octal with 0. What is not
 * mentioned is not restricted; ``any`` stands for no restriction at all.
 */

static const char *const demand_names[] = {
	[DMA_BUF_DEMAND_NONE] = "none",
	[DMA_BUF_DEMAND_MASK] = "mask",
	[DMA_BUF_DEMAND_BOUNDARY] = "boundary",
	[DMA_BUF_DEMAND_SEGMENT_SIZE] = "segment-size",
	[DMA_BUF_DEMAND_ALIGNMENT] = "align",
	[DMA_BUF_DEMAND_SEGMENTS] = "segments",
	[DMA_BUF_DEMAND_DOMAINS] = "domains",
	[DMA_BUF_DEMAND_LENGTH] = "length",
	[DMA_BUF_DEMAND_COPY] = "copy",
};

/* Indexed by the bits of &dma_buf_constraints.domains, as a number. */
static const char *const domain_names[] = {
	[0] = "none",
	[DMA_BUF_DOMAIN_SYSTEM] = "system",
	[DMA_BUF_DOMAIN_PEER] = "peer",
	[DMA_BUF_DOMAIN_ALL] = "system+peer",
};

/**
 * dma_buf_demand_name - the word for a demand
 * @demand: a member of the enum
 *
 * Context: Any.
 * Return: the word that dma_buf_constraints_print() writes for it, or one for
 * what is demanded of every table.
 */
const char *dma_buf_demand_name(enum dma_buf_demand demand)
{
	return demand < ARRAY_SIZE(demand_names) ? demand_names[demand] : "?";
}
EXPORT_SYMBOL_NS_GPL(dma_buf_demand_name, DMA_BUF);

static u64 get_number(const struct dma_buf_constraints *c,
		      enum dma_buf_demand demand)
{
	switch (demand) {
	case DMA_BUF_DEMAND_MASK:
		return c->dma_mask;
	case DMA_BUF_DEMAND_BOUNDARY:
		return c->segment_boundary_mask;
	case DMA_BUF_DEMAND_SEGMENT_SIZE:
		return c->max_segment_size;
	case DMA_BUF_DEMAND_ALIGNMENT:
		return c->alignment;
	case DMA_BUF_DEMAND_SEGMENTS:
		return c->max_segments;
	default:
		return c->domains;
	}
}

/**
 * dma_buf_constraints_print - write constraints as text
 * @text: where to
 * @size: its size in bytes, %DMA_BUF_CONSTRAINTS_TEXT_SIZE for all that can come
 * @c: valid constraints, or an intersection of such
 *
 * What is not restricted is left out. dma_buf_constraints_parse() reads the text
 * back, unless it says that no kind of memory is left (domains=none).
 *
 * Context: Any.
 * Return: the number of characters written, without the 0 byte behind them.
 */
int dma_buf_constraints_print(char *text, size_t size,
			      const struct dma_buf_constraints *c)
{
	const struct dma_buf_constraints any = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_constraints plain;
	enum dma_buf_demand demand;
	int n = 0;

	if (!size)
		return 0;

	dma_buf_constraints_intersect(&plain, c, &any);
	for (demand = DMA_BUF_DEMAND_MASK; demand < DMA_BUF_DEMAND_LENGTH;
	     demand++) {
		u64 number = get_number(&plain, demand);

		if (number == get_number(&any, demand))
			continue;
		n += scnprintf(text + n, size - n, "%s%s=", n ? "," : "",
			       demand_names[demand]);
		if (demand == DMA_BUF_DEMAND_DOMAINS)
			n += scnprintf(text + n, size - n, "%s",
				       domain_names[number]);
		else if (demand <= DMA_BUF_DEMAND_BOUNDARY)
			n += scnprintf(text + n, size - n, "%#llx", number);
		else
			n += scnprintf(text + n, size - n, "%llu", number);
	}
	if (!n)
		n = scnprintf(text, size, "any");

	return n;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_print, DMA_BUF);

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && !memcmp(text, word, length);
}

static enum dma_buf_demand find_demand(const char *text, size_t length)
{
	enum dma_buf_demand demand;

	for (demand = DMA_BUF_DEMAND_MASK; demand < DMA_BUF_DEMAND_LENGTH;
	     demand++) {
		if (is_word(text, length, demand_names[demand]))
			return demand;
	}

	return DMA_BUF_DEMAND_NONE;
}

static int parse_domains(const char *text, size_t length, unsigned int *domains)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(domain_names); i++) {
		if (is_word(text, length, domain_names[i])) {
			*domains = i;
			return 0;
		}
	}

	return -EINVAL;
}

static int parse_number(const char *text, size_t length, u64 *number)
{
	unsigned long long found;
	/* the longest is octal: 22 digits behind a 0 */
	char digits[24];

	/* kstrtoull() would let a sign or a newline pass */
	if (length >= sizeof(digits) || !isdigit(*text) ||
	    !isxdigit(text[length - 1]))
		return -EINVAL;

	memcpy(digits, text, length);
	digits[length] = '\0';
	if (kstrtoull(digits, 0, &found))
		return -EINVAL;
	*number = found;

	return 0;
}

static int parse_value(const char *text, size_t length,
		       enum dma_buf_demand demand,
		       struct dma_buf_constraints *c)
{
	u64 segments;
	int ret;

	switch (demand) {
	case DMA_BUF_DEMAND_MASK:
		return parse_number(text, length, &c->dma_mask);
	case DMA_BUF_DEMAND_BOUNDARY:
		return parse_number(text, length, &c->segment_boundary_mask);
	case DMA_BUF_DEMAND_SEGMENT_SIZE:
		return parse_number(text, length, &c->max_segment_size);
	case DMA_BUF_DEMAND_ALIGNMENT:
		return parse_number(text, length, &c->alignment);
	case DMA_BUF_DEMAND_SEGMENTS:
		ret = parse_number(text, length, &segments);
		if (ret || segments > UINT_MAX)
			return -EINVAL;
		c->max_segments = segments;
		return 0;
	case DMA_BUF_DEMAND_DOMAINS:
		return parse_domains(text, length, &c->domains);
	default:
		return -EINVAL;
	}
}

/* Returns the length of the item at the start of the text, or an errno. */
static int parse_item(const char *text, unsigned int *seen,
		      struct dma_buf_constraints *c)
{
	int length = strcspn(text, ",");
	int key = strcspn(text, "=,");
	enum dma_buf_demand demand = find_demand(text, key);
	int ret;

	if (text[key] != '=' || *seen & BIT(demand))
		return -EINVAL;

	*seen |= BIT(demand);
	ret = parse_value(text + key + 1, length - key - 1, demand, c);

	return ret ? ret : length;
}

/**
 * dma_buf_constraints_parse - read constraints from text
 * @text: what an administrator wrote, without a newline, see strim()
 * @c: where to put it; untouched on an error
 *
 * Context: Any.
 * Return: 0, or a negative errno:
 *
 *	   * -EINVAL: the text is empty or has something else in it, an item
 *	     comes twice, a number is too large, or what it says cannot be meant,
 *	     see dma_buf_constraints_valid()
 */
int dma_buf_constraints_parse(const char *text, struct dma_buf_constraints *c)
{
	struct dma_buf_constraints found = DMA_BUF_CONSTRAINTS_ANY;
	unsigned int seen = 0;
	int length;

	if (!strcmp(text, "any")) {
		*c = found;
		return 0;
	}

	for (;;) {
		length = parse_item(text, &seen, &found);
		if (length < 0)
			return length;
		text += length;
		if (!*text)
			break;
		text++;
	}

	if (dma_buf_constraints_valid(&found))
		return -EINVAL;
	/* as the rules leave it */
	dma_buf_constraints_intersect(c, &found, &found);

	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_constraints_parse, DMA_BUF);
