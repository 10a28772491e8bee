// SPDX-License-Identifier: MIT
/*
 * Large buffers that are touched, and that move to where a stricter device reaches
 * them; and what a move is made of, by calls that every kernel has.
 *
 * Moves need vgem's directory in configfs, and what they are compared with a
 * dma-heap of contiguous memory.
 */
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static void touch(void)
{
	struct buffer b;

	buffer_create(&b, 4 * MIB);
	buffer_touch(&b);
	buffer_destroy(&b);
}

static void touch_share(void)
{
	struct buffer b;

	buffer_create(&b, 4 * MIB);
	buffer_touch(&b);
	buffer_export(&b);
	forget(card.vkms, import(card.vkms, b.fd));
	buffer_destroy(&b);
}

static uint64_t move_then(bool again)
{
	uint64_t cost, touched;
	struct buffer b;
	uint32_t handle;

	buffer_create(&b, 8 * MIB);
	buffer_export(&b);
	buffer_touch(&b);
	cost = now();
	handle = import(card.strict, b.fd);
	cost = now() - cost;
	touched = now();
	buffer_touch(&b);
	touched = now() - touched;
	forget(card.strict, handle);
	buffer_destroy(&b);
	return again ? touched : cost;
}

static uint64_t move(void)
{
	return move_then(false);
}

static uint64_t touch_moved(void)
{
	return move_then(true);
}

static char *to, *from;

static bool begin_copy(void)
{
	to = aligned_alloc(PAGE, 8 * MIB);
	from = aligned_alloc(PAGE, 8 * MIB);
	if (!to || !from)
		die("aligned_alloc");
	memset(to, 1, 8 * MIB);
	memset(from, 2, 8 * MIB);
	return true;
}

static void end_copy(void)
{
	free(to);
	free(from);
}

/* As the kernel does it, page by page. */
static uint64_t copy(void)
{
	uint64_t begun = now();

	for (size_t offset = 0; offset < 8 * MIB; offset += PAGE) {
#ifdef __x86_64__
		void *d = to + offset, *s = from + offset;
		size_t n = PAGE / 8;

		asm volatile("rep movsq"
			     : "+D"(d), "+S"(s), "+c"(n)
			     :
			     : "memory");
#else
		memcpy(to + offset, from + offset, PAGE);
#endif
	}
	return now() - begun;
}

static bool begin_by_hand(void)
{
	return card.heap >= 0 && begin_copy();
}

/*
 * What a move from shmem to contiguous memory is made of: take so much of that,
 * cleared, copy, and free a buffer of shmem that a process has mapped.
 */
static uint64_t by_hand(void)
{
	struct dma_heap_allocation_data arg = { .len = 8 * MIB,
						.fd_flags =
							O_CLOEXEC | O_RDWR };
	uint64_t cost, copied = copy();
	struct buffer b;

	buffer_create(&b, 8 * MIB);
	buffer_touch(&b);
	cost = now();
	if (ioctl(card.heap, DMA_HEAP_IOCTL_ALLOC, &arg))
		die("DMA_HEAP_IOCTL_ALLOC");
	buffer_destroy(&b);
	cost = now() - cost;
	close(arg.fd);
	return cost + copied;
}

const struct row move_rows[] = {
	{ .name = "touch-4m", .batch = 1, .op = touch },
	{ .name = "touch-share-4m", .batch = 1, .op = touch_share },
	{ .name = "move-8m",
	  .batch = 1,
	  .begin = strict_open,
	  .part = move,
	  .end = strict_close },
	{ .name = "by-hand-8m",
	  .batch = 1,
	  .begin = begin_by_hand,
	  .part = by_hand,
	  .end = end_copy },
	{ .name = "touch-moved-8m",
	  .batch = 1,
	  .begin = strict_open,
	  .part = touch_moved,
	  .end = strict_close },
	{ .name = "copy-8m",
	  .batch = 1,
	  .begin = begin_copy,
	  .part = copy,
	  .end = end_copy },
	{}
};
