/* SPDX-License-Identifier: MIT */
/* What the administrator declares that a device needs of memory. */
#ifndef DECLARE_H
#define DECLARE_H

#include <stddef.h>

/* Skips, with the reason, where the kernel has nothing to declare it to. */
void declare_require(void);

/*
 * Devices are a pattern of names; needs are as in segments=1, or - to take back
 * what was declared for the same pattern.
 */
void declare(const char *devices, const char *needs);

/* All that is declared, a line each. */
void declared(char *text, size_t size);

/* Takes it back, if there is anything: for exit handlers. */
void declare_nothing(const char *devices);

#endif
