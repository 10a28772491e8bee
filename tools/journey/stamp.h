/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_STAMP_H
#define JOURNEY_STAMP_H

#include <stddef.h>
#include <linux/types.h>

size_t stamp_count(size_t size);
void stamp_put(void *map, size_t size, __u64 series, __u64 *saved);
void stamp_undo(void *map, size_t size, const __u64 *saved);
__u64 stamp_bytes_missing(const void *map, size_t size, __u64 series);

#endif
