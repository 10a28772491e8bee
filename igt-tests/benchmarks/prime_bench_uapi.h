/* SPDX-License-Identifier: MIT */
/*
 * What the module in tools/bench/module does for prime_bench: it exports buffers
 * that are nothing but a dma-buf, and drives one as an importer inside the kernel
 * would.
 */
#ifndef PRIME_BENCH_UAPI_H
#define PRIME_BENCH_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PRIME_BENCH_DEVICE "prime_bench"
/* A DRM device that answers the ioctls of PRIME without PRIME. */
#define PRIME_BENCH_FLOOR "prime_floor"

/* What an importer does again and again. */
enum prime_bench_job {
	PRIME_BENCH_ATTACH, /* attach, detach */
	PRIME_BENCH_MAP, /* attach, map, unmap, detach */
	PRIME_BENCH_REMAP, /* map and unmap of what is attached */
	PRIME_BENCH_BY_HAND, /* what the exporter does for that, and nobody else */
};

struct prime_bench_export {
	__u32 pages; /* none adjoins the next; 0 for a buffer never mapped */
	__s32 fd; /* out */
};

struct prime_bench_import {
	__s32 fd; /* any dma-buf */
	__u32 job;
	__u32 rounds;
	__u32 pad;
	__u64 ns; /* out, of all rounds */
};

#define PRIME_BENCH_EXPORT _IOWR('=', 0, struct prime_bench_export)
/*
 * As much of a file as the VFS makes, and no dma-buf. With pages that are not 0 the
 * file has a directory in sysfs, with two files in it.
 */
#define PRIME_BENCH_FILE   _IOWR('=', 1, struct prime_bench_export)
#define PRIME_BENCH_IMPORT _IOWR('=', 2, struct prime_bench_import)
/* On such a file: takes its argument from user space, as big as that of SYNC. */
#define PRIME_BENCH_NOTHING _IOW('=', 3, __u64)

#endif
