/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Laws of the constraints, for the kernel's unit tests and for tools/constraints.
 *
 * A law is tried on one random case at a time and names what does not hold. Each
 * case has a seed of its own, so that any one can be tried again alone.
 */
#ifndef _DMA_BUF_CONSTRAINTS_LAWS_H
#define _DMA_BUF_CONSTRAINTS_LAWS_H

#include <linux/dma-buf-constraints.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

/* Seed of what make check runs; see the parameters of the runners. */
#define LAW_SEED 20110601

/* A number that is 0 in an example, where 0 stands for no restriction. */
#define LAW_ZERO 0x2e20

struct law_random {
	u64 state;
};

/* A table before it is one, and the memory for it. */
#define LAW_ENTRIES 16

struct law_entry {
	u64 address;
	u32 length;
	bool peer;
};

struct law_table {
	struct law_entry entries[LAW_ENTRIES];
	unsigned int nents;
	struct scatterlist sgl[LAW_ENTRIES];
	struct sg_table sgt;
};

struct dma_buf_law {
	const char *name;
	/* Returns what is wrong with a random case, or NULL. */
	const char *(*holds)(struct law_random *r);
	/* how many times as long as the quickest a case takes */
	unsigned int cost;
};

extern const struct dma_buf_law dma_buf_laws[];
extern const unsigned int dma_buf_laws_count;

/* Tries @rounds / cost cases of a law; @failed is the number of the bad one. */
const char *law_try(const struct dma_buf_law *law, u64 seed, u64 rounds,
		    u64 *failed);

/* Randomness: dma_buf_constraints_laws.c */
struct law_random law_random_of(u64 seed, u64 round);
u64 law_next(struct law_random *r);
u64 law_below(struct law_random *r, u64 limit);
bool law_chance(struct law_random *r, unsigned int percent);
u64 law_number(struct law_random *r);
void law_constraints(struct law_random *r, struct dma_buf_constraints *c);
void law_related(struct law_random *r, struct dma_buf_constraints *b,
		 const struct dma_buf_constraints *a);
struct dma_buf_constraints law_spell_out(const struct dma_buf_constraints *c);
bool law_same(const struct dma_buf_constraints *a,
	      const struct dma_buf_constraints *b);

/* Tables: dma_buf_constraints_tables.c */
bool law_has_peers(void);
bool law_divides(u64 divisor, u64 number);
void law_table_build(struct law_table *t);
const char *law_table_oracle(struct law_random *r);
const char *law_table_meet(struct law_random *r);

/* Storage: dma_buf_constraints_storage.c */
const char *law_satisfiable_small(struct law_random *r);
const char *law_satisfiable_any(struct law_random *r);
const char *law_cut(struct law_random *r);
const char *law_contiguous(struct law_random *r);
const char *law_iommu(struct law_random *r);

/* Text: dma_buf_constraints_words.c */
const char *law_text_round_trip(struct law_random *r);
const char *law_text_junk(struct law_random *r);

/* Cases that somebody thought of; they return the first that fails, or NULL. */
const char *law_examples_algebra(void);
const char *law_examples_table(void);
const char *law_examples_storage(void);
const char *law_examples_text(void);

#endif /* _DMA_BUF_CONSTRAINTS_LAWS_H */
