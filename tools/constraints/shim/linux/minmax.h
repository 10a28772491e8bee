/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's min() and max() take any two unsigned types; those of its
 * tools/include want the same type twice.
 */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

#undef min
#undef max
#define min(x, y)          ((x) < (y) ? (x) : (y))
#define max(x, y)          ((x) > (y) ? (x) : (y))
#define min3(x, y, z)      min(min(x, y), z)
#define min_not_zero(x, y) ((x) && (!(y) || (x) < (y)) ? (x) : (y))

#endif
