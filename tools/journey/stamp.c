// SPDX-License-Identifier: MIT
/*
 * Are two mappings the same memory, or is one a copy of the other?
 *
 * Equal contents do not tell. Page frame numbers would, but the kernel does not
 * give them out for a GEM mapping (VM_PFNMAP: a hole in /proc/self/pagemap). So
 * one side writes a stamp into every page, and the other looks for them through
 * a mapping it has read before, with no call on the buffer in between in which
 * somebody could copy. A page without its stamp is other memory.
 *
 * Each stamp holds the number of its page, so a page in the wrong place counts
 * as missing, and each series of stamps is new, so an old one does too.
 */
#include <unistd.h>

#include "stamp.h"

size_t stamp_count(size_t size)
{
	return size / sysconf(_SC_PAGESIZE);
}

static __u64 *stamp_at(const void *map, size_t page)
{
	return (__u64 *)((char *)map + page * sysconf(_SC_PAGESIZE));
}

/* The other side writes while we look: each access has to be a real one. */
static __u64 load(const void *map, size_t page)
{
	return __atomic_load_n(stamp_at(map, page), __ATOMIC_SEQ_CST);
}

static void store(void *map, size_t page, __u64 value)
{
	__atomic_store_n(stamp_at(map, page), value, __ATOMIC_SEQ_CST);
}

/* No picture has it: the X byte of the second pixel is 0xa5. */
static __u64 stamp_value(__u64 series, size_t page)
{
	return 0xa5ull << 56 | series << 32 | page;
}

/* @saved: room for stamp_count() words */
void stamp_put(void *map, size_t size, __u64 series, __u64 *saved)
{
	size_t i;

	for (i = 0; i < stamp_count(size); i++) {
		saved[i] = load(map, i);
		store(map, i, stamp_value(series, i));
	}
}

void stamp_undo(void *map, size_t size, const __u64 *saved)
{
	size_t i;

	for (i = 0; i < stamp_count(size); i++)
		store(map, i, saved[i]);
}

/* Size of the pages in @map that do not show their stamp. */
__u64 stamp_bytes_missing(const void *map, size_t size, __u64 series)
{
	size_t missing = 0;
	size_t i;

	for (i = 0; i < stamp_count(size); i++)
		missing += load(map, i) != stamp_value(series, i);
	return missing * sysconf(_SC_PAGESIZE);
}
