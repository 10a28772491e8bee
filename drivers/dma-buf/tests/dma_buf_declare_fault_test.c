// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of declarations out of memory
 *
 * What a driver or the administrator declares for a device takes memory, and is refused
 * at each of its allocations, with -ENOMEM: nothing is declared then, and the same call
 * works when there is memory again.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "dma_buf_fault_bench.h"
#include "dma_buf_party.h"

/* A driver's declaration, which goes with its other managed resources. */

static void declare_prepare(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, devres_open_group(b->dev, b, GFP_KERNEL));
}

static int declare_run(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct fault_bench *b = test->priv;

	return devm_dma_buf_declare_constraints(b->dev, &one);
}

static void declare_expect(struct kunit *test, unsigned int segments)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct fault_bench *b = test->priv;

	dma_buf_declared_for(b->dev, &c);
	KUNIT_EXPECT_EQ(test, c.max_segments, segments);
}

static void declare_good(struct kunit *test)
{
	declare_expect(test, 1);
}

static void declare_refused(struct kunit *test)
{
	declare_expect(test, UINT_MAX);
}

static void declare_finish(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	devres_release_group(b->dev, b);
	declare_expect(test, UINT_MAX);
}

/* A line of the administrator, which is copied and taken apart. */

#define RULES "/sys/kernel/debug/dma_buf/constraints"
#define RULE  "*.newcomer segments=1"

static struct file *rules;
static void __user *rule;

static void rule_prepare(struct kunit *test)
{
	rule = mock_user_page(test);
	KUNIT_ASSERT_EQ(test, copy_to_user(rule, RULE, sizeof(RULE)), 0);
	rules = filp_open(RULES, O_RDWR, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rules);
}

static ssize_t rule_write(size_t size)
{
	loff_t pos = 0;

	return rules->f_op->write(rules, rule, size, &pos);
}

static int rule_run(struct kunit *test)
{
	ssize_t n = rule_write(strlen(RULE));

	return n < 0 ? n : 0;
}

static void rule_good(struct kunit *test)
{
	static const char back[] = "*.newcomer -";

	declare_expect(test, 1);
	KUNIT_EXPECT_EQ(test, copy_to_user(rule, back, sizeof(back)), 0);
	KUNIT_EXPECT_EQ(test, rule_write(strlen(back)), strlen(back));
	declare_expect(test, UINT_MAX);
}

static void rule_finish(struct kunit *test)
{
	__fput_sync(rules);
}

static const struct fault_op declare_ops[] = {
	{ .name = "declare",
	  .prepare = declare_prepare,
	  .run = declare_run,
	  .good = declare_good,
	  .refused = declare_refused,
	  .finish = declare_finish,
	  .least = 2 },
	{ .name = "declare by the administrator",
	  .prepare = rule_prepare,
	  .run = rule_run,
	  .good = rule_good,
	  .refused = declare_refused,
	  .finish = rule_finish,
	  .least = 2 },
};

KUNIT_ARRAY_PARAM_DESC(declare_op, declare_ops, name);

/* Succeeds if a declaration is refused as a whole, or counts. */
static void fault_declare(struct kunit *test)
{
	struct fault_bench *b = fault_bench_new(test, test->param_value);

	mock_export(b->buf);
	fault_bench_remember(b);
	fault_sweep(test, test->param_value);
}

static int fault_init(struct kunit *test)
{
	fault_require(test);
	return 0;
}

static struct kunit_case dma_buf_declare_fault_cases[] = {
	KUNIT_CASE_PARAM(fault_declare, declare_op_gen_params),
	{}
};

static struct kunit_suite dma_buf_declare_fault_suite = {
	.name = "dma_buf_declare_fault",
	.init = fault_init,
	.test_cases = dma_buf_declare_fault_cases,
};

kunit_test_suite(dma_buf_declare_fault_suite);
