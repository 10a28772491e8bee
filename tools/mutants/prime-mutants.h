/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is it this fault's turn?
 */

#ifndef _LINUX_PRIME_MUTANTS_H
#define _LINUX_PRIME_MUTANTS_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>

extern unsigned int prime_mutant_on;
extern unsigned long prime_mutants_reached[];

/**
 * prime_mutant - shall the code go wrong here?
 * @number: of the mutant, by its place among the names
 *
 * Whoever asks is noted: a test that never comes here cannot find the fault.
 *
 * Return: true if it was chosen.
 */
static inline bool prime_mutant(unsigned int number)
{
	if (!test_bit(number, prime_mutants_reached))
		set_bit(number, prime_mutants_reached);

	return unlikely(READ_ONCE(prime_mutant_on) == number);
}

#endif /* _LINUX_PRIME_MUTANTS_H */
