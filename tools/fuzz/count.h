/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_COUNT_H
#define FUZZ_COUNT_H

/* How many entries an array has. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
