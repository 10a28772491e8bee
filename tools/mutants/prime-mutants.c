// SPDX-License-Identifier: GPL-2.0-only
/*
 * One fault at a time, chosen while the kernel runs.
 *
 * Part of kernels that tools/mutants/run builds, of no other. Both files are below
 * /sys/module/prime_mutants/parameters: "on" takes and tells a name, "reached" tells
 * the numbers of those mutants that somebody came to since it was last written to.
 */

#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/prime-mutants.h>
#include <linux/string.h>

#include "prime-mutants-names.h"

unsigned int prime_mutant_on;
EXPORT_SYMBOL_GPL(prime_mutant_on);

unsigned long prime_mutants_reached[BITS_TO_LONGS(PRIME_MUTANTS)];
EXPORT_SYMBOL_GPL(prime_mutants_reached);

static int on_set(const char *value, const struct kernel_param *param)
{
	int number = sysfs_match_string(prime_mutant_names, value);

	if (number < 0)
		return number;

	WRITE_ONCE(prime_mutant_on, number);

	return 0;
}

static int on_get(char *buffer, const struct kernel_param *param)
{
	return sprintf(buffer, "%s\n", prime_mutant_names[prime_mutant_on]);
}

static int reached_set(const char *value, const struct kernel_param *param)
{
	bitmap_zero(prime_mutants_reached, PRIME_MUTANTS);

	return 0;
}

static int reached_get(char *buffer, const struct kernel_param *param)
{
	return scnprintf(buffer, PAGE_SIZE, "%*pbl\n", PRIME_MUTANTS,
			 prime_mutants_reached);
}

static const struct kernel_param_ops on_ops = {
	.set = on_set,
	.get = on_get,
};

static const struct kernel_param_ops reached_ops = {
	.set = reached_set,
	.get = reached_get,
};

module_param_cb(on, &on_ops, NULL, 0600);
module_param_cb(reached, &reached_ops, NULL, 0600);
