/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the kernel an input has run.
 */
#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

bool cover_available(void);
void cover_keep(int fd);
void cover_start_thread(void);
void cover_begin(void);
void cover_result(uint8_t op, long result);
void cover_end(void);
void cover_exact(void);
void cover_print(FILE *file);
unsigned int cover_count(void);

#endif
