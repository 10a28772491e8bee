/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * New inputs from old ones.
 */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#include "program.h"

size_t mutate(struct step *steps, size_t count, size_t most, uint64_t seed);
size_t mutate_join(const struct step *first, size_t first_count,
		   const struct step *second, size_t second_count,
		   struct step *out, size_t most, uint64_t seed);

#endif
