/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What memory a device can use, as data.
 *
 * See the DOC section of drivers/dma-buf/dma-buf-constraints.c for the rules by
 * which constraints are combined and checked.
 */
#ifndef __DMA_BUF_CONSTRAINTS_H__
#define __DMA_BUF_CONSTRAINTS_H__

#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/types.h>

struct device;
struct sg_table;

/* Memory of the machine, which the CPU reaches too. */
#define DMA_BUF_DOMAIN_SYSTEM BIT(0)
/* Memory of another device, by its address on the bus that both share. */
#define DMA_BUF_DOMAIN_PEER BIT(1)
#define DMA_BUF_DOMAIN_ALL  (DMA_BUF_DOMAIN_SYSTEM | DMA_BUF_DOMAIN_PEER)

/**
 * struct dma_buf_constraints - which mappings of a buffer a device can use
 *
 * All is about the table that dma_buf_map_attachment() returns: its entries,
 * their DMA addresses and lengths. Each member is a demand of its own, and is
 * met or not whatever the others say.
 *
 * Assign %DMA_BUF_CONSTRAINTS_ANY first, then tighten what has to be.
 */
struct dma_buf_constraints {
	/** @dma_mask: Highest DMA address the device reaches, not 0. */
	u64 dma_mask;

	/**
	 * @segment_boundary_mask: No entry crosses a multiple of this plus one.
	 * Of the form 2^n - 1; of anything else the ones at the low end count,
	 * which says the same.
	 */
	u64 segment_boundary_mask;

	/** @max_segment_size: Longest entry, in bytes, not 0. */
	u64 max_segment_size;

	/**
	 * @alignment: Every entry begins at a multiple of this, in bytes. A
	 * power of two.
	 */
	u64 alignment;

	/**
	 * @max_segments: In how many places the buffer may lie, not 0. Entries
	 * that go on where the one before ended are one place: 1 asks for a
	 * buffer in one piece, however many entries describe it.
	 */
	unsigned int max_segments;

	/** @domains: Kinds of memory, %DMA_BUF_DOMAIN_SYSTEM and others. */
	unsigned int domains;
};

/**
 * DMA_BUF_CONSTRAINTS_ANY - every mapping will do
 *
 * The neutral element of dma_buf_constraints_intersect().
 */
#define DMA_BUF_CONSTRAINTS_ANY                   \
	((struct dma_buf_constraints){            \
		.dma_mask = U64_MAX,              \
		.segment_boundary_mask = U64_MAX, \
		.max_segment_size = U64_MAX,      \
		.alignment = 1,                   \
		.max_segments = UINT_MAX,         \
		.domains = DMA_BUF_DOMAIN_ALL,    \
	})

/**
 * enum dma_buf_demand - the members of &struct dma_buf_constraints
 * @DMA_BUF_DEMAND_NONE: none of them
 * @DMA_BUF_DEMAND_MASK: &dma_buf_constraints.dma_mask
 * @DMA_BUF_DEMAND_BOUNDARY: &dma_buf_constraints.segment_boundary_mask
 * @DMA_BUF_DEMAND_SEGMENT_SIZE: &dma_buf_constraints.max_segment_size
 * @DMA_BUF_DEMAND_ALIGNMENT: &dma_buf_constraints.alignment
 * @DMA_BUF_DEMAND_SEGMENTS: &dma_buf_constraints.max_segments
 * @DMA_BUF_DEMAND_DOMAINS: &dma_buf_constraints.domains
 * @DMA_BUF_DEMAND_LENGTH: that the table describes the whole buffer
 * @DMA_BUF_DEMAND_COPY: that what it describes is the buffer, and not a copy
 */
enum dma_buf_demand {
	DMA_BUF_DEMAND_NONE,
	DMA_BUF_DEMAND_MASK,
	DMA_BUF_DEMAND_BOUNDARY,
	DMA_BUF_DEMAND_SEGMENT_SIZE,
	DMA_BUF_DEMAND_ALIGNMENT,
	DMA_BUF_DEMAND_SEGMENTS,
	DMA_BUF_DEMAND_DOMAINS,
	DMA_BUF_DEMAND_LENGTH,
	DMA_BUF_DEMAND_COPY,
};

/**
 * struct dma_buf_violation - where a table fails a device
 * @demand:	which demand it does not meet
 * @entry:	index of the entry among the DMA entries of the table
 * @address:	its DMA address
 * @length:	its length in bytes
 *
 * For a table that is too short, @entry is the number of its entries, and
 * @length the bytes that are missing.
 */
struct dma_buf_violation {
	enum dma_buf_demand demand;
	unsigned int entry;
	u64 address;
	u64 length;
};

/* Enough for what dma_buf_constraints_print() writes, its 0 byte included. */
#define DMA_BUF_CONSTRAINTS_TEXT_SIZE 192

/**
 * dma_buf_constraints_boundary - the boundary mask, in its one form
 * @c: constraints
 *
 * A run of bytes that crosses a multiple of 2^n changes bit n on the way, so
 * that ones of a mask count only up to its lowest 0.
 *
 * Return: &dma_buf_constraints.segment_boundary_mask, less what has no meaning
 */
static inline u64
dma_buf_constraints_boundary(const struct dma_buf_constraints *c)
{
	u64 mask = c->segment_boundary_mask;

	return mask & ~(mask + 1);
}

/* The algebra: dma-buf-constraints.c */
void dma_buf_constraints_intersect(struct dma_buf_constraints *dst,
				   const struct dma_buf_constraints *a,
				   const struct dma_buf_constraints *b);
bool dma_buf_constraints_subset(const struct dma_buf_constraints *a,
				const struct dma_buf_constraints *b);
bool dma_buf_constraints_equal(const struct dma_buf_constraints *a,
			       const struct dma_buf_constraints *b);
int dma_buf_constraints_valid(const struct dma_buf_constraints *c);

/* What storage has to be like: dma-buf-constraints.c */
bool dma_buf_constraints_satisfiable(const struct dma_buf_constraints *c,
				     u64 size);
bool dma_buf_constraints_contiguous(const struct dma_buf_constraints *c,
				    u64 size);
u64 dma_buf_constraints_cut(const struct dma_buf_constraints *c, u64 address,
			    u64 length);
void dma_buf_constraints_translate(struct dma_buf_constraints *dst,
				   const struct dma_buf_constraints *c,
				   u64 size);

/* What a device is given: dma-buf-constraints-check.c */
int dma_buf_constraints_check_sgt(const struct dma_buf_constraints *c,
				  const struct sg_table *sgt, u64 size,
				  struct dma_buf_violation *violation);

/* For people: dma-buf-constraints-text.c */
const char *dma_buf_demand_name(enum dma_buf_demand demand);
int dma_buf_constraints_print(char *text, size_t size,
			      const struct dma_buf_constraints *c);
int dma_buf_constraints_parse(const char *text, struct dma_buf_constraints *c);

/* What the kernel knows of a device: dma-buf-constraints-device.c */
void dma_buf_constraints_of_device(struct device *dev,
				   struct dma_buf_constraints *c);
void dma_buf_constraints_of_storage(struct device *dev,
				    struct dma_buf_constraints *dst,
				    const struct dma_buf_constraints *c,
				    u64 size);
bool dma_buf_constraints_bounced(struct device *dev, const struct sg_table *sgt,
				 struct dma_buf_violation *violation);

#endif /* __DMA_BUF_CONSTRAINTS_H__ */
