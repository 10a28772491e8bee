// SPDX-License-Identifier: MIT
/*
 * What a process does with the file of a buffer; and, to compare, what the same
 * system calls cost with a file behind which there is no buffer.
 */
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "prime_bench_uapi.h"

static struct buffer shared;
static int file = -1;

int file_create(uint32_t in_sysfs)
{
	struct prime_bench_export arg = { .pages = in_sysfs };

	if (ioctl(card.bare, PRIME_BENCH_FILE, &arg))
		die("PRIME_BENCH_FILE");
	return arg.fd;
}

static void export_close(void)
{
	close(bare_export(0));
}

static void file_close(void)
{
	close(file_create(0));
}

static void file_in_sysfs_close(void)
{
	close(file_create(1));
}

static bool begin_bare(void)
{
	file = bare_export(0);
	return true;
}

static bool begin_file(void)
{
	file = file_create(0);
	return true;
}

static void end_file(void)
{
	close(file);
}

static bool begin_vgem(void)
{
	buffer_create(&shared, 16 * KIB);
	buffer_export(&shared);
	file = shared.fd;
	return true;
}

static void end_vgem(void)
{
	buffer_destroy(&shared);
}

static void sync_one(uint64_t flags)
{
	struct dma_buf_sync arg = { .flags = flags | DMA_BUF_SYNC_RW };

	if (ioctl(file, DMA_BUF_IOCTL_SYNC, &arg))
		die("DMA_BUF_IOCTL_SYNC");
}

static void sync_pair(void)
{
	sync_one(DMA_BUF_SYNC_START);
	sync_one(DMA_BUF_SYNC_END);
}

static void nothing_pair(void)
{
	uint64_t arg = 0;

	if (ioctl(file, PRIME_BENCH_NOTHING, &arg) ||
	    ioctl(file, PRIME_BENCH_NOTHING, &arg))
		die("PRIME_BENCH_NOTHING");
}

static void poll_idle(void)
{
	struct pollfd arg = { .fd = file, .events = POLLIN | POLLOUT };

	if (poll(&arg, 1, 0) != 1)
		die("poll");
}

static void map_touch_unmap(void)
{
	volatile char *map = mmap(NULL, shared.size, PROT_READ | PROT_WRITE,
				  MAP_SHARED, file, 0);

	if (map == MAP_FAILED)
		die("mmap");
	for (size_t at = 0; at < shared.size; at += PAGE)
		map[at]++;
	if (munmap((void *)map, shared.size))
		die("munmap");
}

const struct row file_rows[] = {
	{ .name = "export-close",
	  .batch = 256,
	  .op = export_close,
	  .flat = true },
	{ .name = "floor-export-close", .batch = 256, .op = file_close },
	{ .name = "floor-statistics", .batch = 256, .op = file_in_sysfs_close },
	{ .name = "sync",
	  .batch = 256,
	  .begin = begin_bare,
	  .op = sync_pair,
	  .end = end_file,
	  .flat = true },
	{ .name = "sync-vgem",
	  .batch = 256,
	  .begin = begin_vgem,
	  .op = sync_pair,
	  .end = end_vgem },
	{ .name = "floor-sync",
	  .batch = 256,
	  .begin = begin_file,
	  .op = nothing_pair,
	  .end = end_file },
	{ .name = "poll",
	  .batch = 256,
	  .begin = begin_bare,
	  .op = poll_idle,
	  .end = end_file,
	  .flat = true },
	{ .name = "floor-poll",
	  .batch = 256,
	  .begin = begin_file,
	  .op = poll_idle,
	  .end = end_file },
	{ .name = "mmap",
	  .batch = 16,
	  .begin = begin_vgem,
	  .op = map_touch_unmap,
	  .end = end_vgem },
	{}
};
