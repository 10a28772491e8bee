/* SPDX-License-Identifier: MIT */
#ifndef IGT_AUX_H
#define IGT_AUX_H

#include <errno.h>

#include "igt_core.h"

/* Of one type, as igt-gpu-tools wants. */
#define min(a, b)                                      \
	({                                             \
		typeof(a) min_a__ = (a);               \
		typeof(b) min_b__ = (b);               \
		(void)(&min_a__ == &min_b__);          \
		min_a__ < min_b__ ? min_a__ : min_b__; \
	})
#define max(a, b)                                      \
	({                                             \
		typeof(a) max_a__ = (a);               \
		typeof(b) max_b__ = (b);               \
		(void)(&max_a__ == &max_b__);          \
		max_a__ > max_b__ ? max_a__ : max_b__; \
	})
#define DIV_ROUND_UP(n, d) ((n) / (d) + !!((n) % (d)))

bool igt_allow_unlimited_files(void);

/* For good: only in a child. */
void igt_drop_root(void);

#endif
