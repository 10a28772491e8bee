/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold after every input.
 */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

void check_init(void);
void check_failed(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void check_invariants(void);
const char *check_verdict(void);
void check_clear(void);

#endif
