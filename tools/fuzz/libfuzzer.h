/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that libFuzzer calls, which it has no header for.
 */
#ifndef FUZZ_LIBFUZZER_H
#define FUZZ_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
			       unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size,
				 const uint8_t *second, size_t second_size,
				 uint8_t *out, size_t most, unsigned int seed);

#endif
