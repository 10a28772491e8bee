/* SPDX-License-Identifier: GPL-2.0-only */
/* libc's limits, and those of the kernel's own types. */
#ifndef SHIM_LINUX_LIMITS_H
#define SHIM_LINUX_LIMITS_H

#include <limits.h>
#include <linux/types.h>

#define U64_MAX ((u64)~0ull)
#define S64_MAX ((s64)(U64_MAX >> 1))

#endif
