/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DMA_BUF_FAULT_H
#define DMA_BUF_FAULT_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <kunit/test.h>

struct dma_buf_attach_ops;

/**
 * DOC: failing allocations one by one
 *
 * A callback that is told to fail shows that the core undoes what it began. It
 * does not show the allocations that nobody thinks of. Those are failed here,
 * by their number: the first one of an operation, the second, and so on until
 * an attempt makes fewer. Then all is done once more with every later one
 * failing as well, since much in the kernel tries twice.
 *
 * The counter is the running thread's &task_struct.fail_nth, which the kernel
 * counts down at each allocation; the later ones fail because of
 * &task_struct.make_it_fail. What both do is up to the attributes in debugfs
 * that tools/guest/faults.sh sets. Where they do nothing, the cases are skipped.
 *
 * Some allocations are nobody's: the slab allocator wants a page now and then,
 * a debugging aid room for its notes, and both do without. The script has those
 * passed over that it can find. For the rest an attempt that succeeds in spite
 * of its fault is made again. Then its result must work, and the fault counts.
 *
 * Shared by the test modules of the core and of the bridge.
 */

/* Only a broken kernel allocates without end. */
#define FAULT_MOST 10000
/* What somebody else needs at times, he does not need that often in a row. */
#define FAULT_TRIES 3

/**
 * struct fault_op - an operation, in steps that each get the case's data
 * @name:	what it is called in the results
 * @prepare:	what goes before, or NULL
 * @run:	the calls whose allocations fail, and nothing else: 0 or -ENOMEM
 * @good:	checks that the result works, and takes it back
 * @refused:	checks that nothing is left of the attempt
 * @finish:	undoes @prepare, or NULL
 * @least:	refusals below which the faults miss their target; 0 says that
 *		@run must not allocate at all
 * @kind:	for the suite of the core: what the exporter promises
 * @importer:	likewise: callbacks of the importer
 * @own_resv:	likewise: the exporter has a reservation object
 * @own_mmap:	for the suite of the bridge: objects have a function for it
 */
struct fault_op {
	const char *name;
	void (*prepare)(struct kunit *test);
	int (*run)(struct kunit *test);
	void (*good)(struct kunit *test);
	void (*refused)(struct kunit *test);
	void (*finish)(struct kunit *test);
	unsigned int least;
	int kind;
	const struct dma_buf_attach_ops *importer;
	bool own_resv;
	bool own_mmap;
};

static inline void fault_arm(unsigned int nth, bool rest)
{
#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = nth && rest;
	WRITE_ONCE(current->fail_nth, nth);
#endif
}

/* Whether there was an nth allocation. From now on none fails. */
static inline bool fault_disarm(void)
{
	bool hit = false;

#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = 0;
	hit = !READ_ONCE(current->fail_nth);
	WRITE_ONCE(current->fail_nth, 0);
#endif
	return hit;
}

/* An allocation, for callbacks of a mock exporter that make none. */
static inline int fault_point(void)
{
	void *memory = kmalloc(16, GFP_KERNEL);

	kfree(memory);
	return memory ? 0 : -ENOMEM;
}

static inline void fault_require(struct kunit *test)
{
	struct page *page;
	int one, two;

	fault_arm(1, true);
	one = fault_point();
	two = fault_point();
	page = alloc_page(GFP_HIGHUSER);
	fault_disarm();
	if (page)
		__free_page(page);
	if (!one || !two || page)
		kunit_skip(test, "nothing fails, see tools/guest/faults.sh");
}

static inline int fault_attempt(struct kunit *test, const struct fault_op *op,
				unsigned int nth, bool rest, bool *hit)
{
	int ret;

	if (op->prepare)
		op->prepare(test);
	fault_arm(nth, rest);
	ret = op->run(test);
	*hit = fault_disarm() && nth;
	if (ret && op->refused)
		op->refused(test);
	if (!ret && op->good)
		op->good(test);
	if (op->finish)
		op->finish(test);
	return ret;
}

/**
 * struct fault_tally - what came of the faults
 * @injected: allocations that failed
 * @refused: attempts that ended in an error because of it
 */
struct fault_tally {
	unsigned int injected;
	unsigned int refused;
};

/* Returns whether there is an nth allocation. */
static inline bool fault_nth(struct kunit *test, const struct fault_op *op,
			     unsigned int nth, bool rest,
			     struct fault_tally *tally)
{
	bool hit, none;
	int i, ret, clean;

	for (i = 0; i < FAULT_TRIES; i++) {
		ret = fault_attempt(test, op, nth, rest, &hit);
		/* also gives others what they went without */
		clean = fault_attempt(test, op, 0, false, &none);
		KUNIT_ASSERT_EQ_MSG(test, clean, 0,
				    "after allocation %u failed", nth);
		if (ret || !hit)
			break;
	}
	tally->injected += hit;
	tally->refused += ret != 0;
	if (ret)
		KUNIT_EXPECT_TRUE_MSG(test, hit && ret == -ENOMEM,
				      "allocation %u: %pe", nth, ERR_PTR(ret));
	return hit;
}

static inline void fault_sweep_one(struct kunit *test,
				   const struct fault_op *op, bool rest,
				   struct fault_tally *tally)
{
	unsigned int nth = 1;

	while (fault_nth(test, op, nth, rest, tally))
		KUNIT_ASSERT_LT(test, ++nth, FAULT_MOST);
}

/**
 * fault_sweep - fail every allocation of an operation once
 * @test: the running case
 * @op: the operation
 *
 * The line that it logs is for tools/faults.
 */
static inline void fault_sweep(struct kunit *test, const struct fault_op *op)
{
	struct fault_tally one = {}, rest = {};
	bool none;

	/* The first time fills caches, which are not what is looked for. */
	KUNIT_ASSERT_EQ(test, fault_attempt(test, op, 0, false, &none), 0);
	fault_sweep_one(test, op, false, &one);
	fault_sweep_one(test, op, true, &rest);
	KUNIT_EXPECT_GE(test, one.refused, op->least);
	if (!op->least)
		KUNIT_EXPECT_EQ(test, one.injected + rest.injected, 0);

	kunit_info(test, "fault: %s: one=%u/%u rest=%u/%u ENOMEM=%u\n",
		   op->name, one.refused, one.injected, rest.refused,
		   rest.injected, one.refused + rest.refused);
}

#endif
