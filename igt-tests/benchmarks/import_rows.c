// SPDX-License-Identifier: MIT
/*
 * An importer in the kernel: attach and map, as a driver calls them.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "prime_bench_uapi.h"

static struct buffer shared;
static int file = -1;

static bool begin_pages(uint32_t pages)
{
	file = bare_export(pages);
	return true;
}

static bool begin_one(void)
{
	return begin_pages(1);
}

static bool begin_large(void)
{
	return begin_pages(8 * MIB / PAGE);
}

static void end_file(void)
{
	close(file);
}

static bool begin_udmabuf(void)
{
	if (card.udmabuf < 0)
		return false;
	file = udmabuf_create(8 * MIB);
	return true;
}

static bool begin_vgem(void)
{
	buffer_create(&shared, 8 * MIB);
	buffer_export(&shared);
	buffer_touch(&shared);
	buffer_unmap(&shared);
	file = shared.fd;
	return true;
}

static void end_vgem(void)
{
	buffer_destroy(&shared);
}

static uint64_t drive(enum prime_bench_job job, uint32_t rounds)
{
	struct prime_bench_import arg = { .fd = file,
					  .job = job,
					  .rounds = rounds };

	if (ioctl(card.bare, PRIME_BENCH_IMPORT, &arg))
		die("PRIME_BENCH_IMPORT");
	return arg.ns / rounds;
}

static uint64_t attach(void)
{
	return drive(PRIME_BENCH_ATTACH, 64);
}

static uint64_t map(void)
{
	return drive(PRIME_BENCH_MAP, 4);
}

static uint64_t remap(void)
{
	return drive(PRIME_BENCH_REMAP, 16);
}

static uint64_t by_hand(void)
{
	return drive(PRIME_BENCH_BY_HAND, 16);
}

const struct row import_rows[] = { { .name = "attach",
				     .batch = 1,
				     .begin = begin_one,
				     .part = attach,
				     .end = end_file },
				   { .name = "map-4k",
				     .batch = 1,
				     .begin = begin_one,
				     .part = map,
				     .end = end_file },
				   { .name = "remap-4k",
				     .batch = 1,
				     .begin = begin_one,
				     .part = remap,
				     .end = end_file },
				   { .name = "map-8m",
				     .batch = 1,
				     .begin = begin_large,
				     .part = map,
				     .end = end_file },
				   { .name = "remap-8m",
				     .batch = 1,
				     .begin = begin_large,
				     .part = remap,
				     .end = end_file },
				   { .name = "floor-remap-8m",
				     .batch = 1,
				     .begin = begin_large,
				     .part = by_hand,
				     .end = end_file },
				   { .name = "remap-8m-udmabuf",
				     .batch = 1,
				     .begin = begin_udmabuf,
				     .part = remap,
				     .end = end_file },
				   { .name = "remap-8m-vgem",
				     .batch = 1,
				     .begin = begin_vgem,
				     .part = remap,
				     .end = end_vgem },
				   {} };
