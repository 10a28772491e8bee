// SPDX-License-Identifier: MIT
/*
 * Many buffers at once: whether an operation costs more among them, what a list
 * of them costs, and what memory they take.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"
#define FEW	100
#define WEIGHED 20000

/*
 * What the kernel has allocated. Not what is no longer free: each CPU keeps pages back, up
 * to some MiB, and more after many were freed at once.
 */
static double kernel_bytes(void)
{
	unsigned long long kib, sum = 0;
	char line[128];
	FILE *file;

	/* so that all CPUs have said what they counted */
	file = fopen("/proc/sys/vm/stat_refresh", "re");
	if (!file)
		die("/proc/sys/vm/stat_refresh");
	while (fgets(line, sizeof(line), file))
		;
	fclose(file);

	file = fopen("/proc/meminfo", "re");
	if (!file)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %llu", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %llu", &kib) == 1)
			sum += kib;
	fclose(file);
	return sum * 1024.0;
}

static void read_bufinfo(void)
{
	static char text[64 * KIB];
	int fd = open(BUFINFO, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		die(BUFINFO);
	do
		got = read(fd, text, sizeof(text));
	while (got > 0);
	if (got)
		die("read " BUFINFO);
	close(fd);
}

static int few[FEW];

static bool begin_list(void)
{
	for (int i = 0; i < FEW; i++)
		few[i] = bare_export(0);
	return true;
}

static void end_list(void)
{
	for (int i = 0; i < FEW; i++)
		close(few[i]);
}

const struct row list_rows[] = { { .name = "bufinfo-100",
				   .batch = 1,
				   .begin = begin_list,
				   .op = read_bufinfo,
				   .end = end_list },
				 {} };

/* What was closed is freed after a grace period, and by and by. */
static void settle(void)
{
	struct timespec time = { .tv_nsec = 100000000 };
	double before, after = kernel_bytes();

	do {
		before = after;
		nanosleep(&time, NULL);
		after = kernel_bytes();
	} while (after < before);
}

/* In pages that nobody else has begun, so that all they take is theirs. */
static void weigh(const char *name, int (*create)(uint32_t), uint32_t what)
{
	int *fds = malloc(WEIGHED * sizeof(*fds));
	double before;

	if (!fds)
		die("malloc");
	/* the table of descriptors has grown, and the list is there */
	for (int i = 0; i < WEIGHED; i++)
		fds[i] = dup(card.bare);
	for (int i = 0; i < WEIGHED; i++)
		close(fds[i]);
	settle();
	before = kernel_bytes();
	for (int i = 0; i < WEIGHED; i++)
		fds[i] = create(what);
	report(name, (kernel_bytes() - before) / WEIGHED, 0);
	for (int i = 0; i < WEIGHED; i++)
		close(fds[i]);
	free(fds);
}

static struct buffer *grow(int device, unsigned int buffers)
{
	struct buffer *many = calloc(buffers, sizeof(*many));

	if (!many)
		die("calloc");
	for (unsigned int i = 0; i < buffers; i++) {
		buffer_create_on(device, &many[i], PAGE);
		buffer_export(&many[i]);
	}
	return many;
}

static void shrink(struct buffer *many, unsigned int buffers)
{
	for (unsigned int i = 0; i < buffers; i++)
		buffer_destroy(&many[i]);
	free(many);
}

static void among(unsigned int buffers)
{
	struct buffer *many;
	double before, taken;
	char suffix[24];
	uint64_t begun;

	settle();
	before = kernel_bytes();
	many = grow(card.vgem, buffers);
	taken = kernel_bytes() - before;
	snprintf(suffix, sizeof(suffix), "@%u", buffers);
	measure(prime_rows, suffix, FLAT_ROWS);
	measure(file_rows, suffix, FLAT_ROWS);
	if (buffers > FEW) {
		report("memory-vgem", taken / buffers, 0);
		/* the first guess at the room it takes */
		read_bufinfo();
		begun = now();
		read_bufinfo();
		report("bufinfo", (double)(now() - begun) / buffers, 0);
	}
	shrink(many, buffers);
}

/* What grows with descriptors and handles grows without PRIME as well. */
static void floor_among(unsigned int buffers)
{
	struct buffer *many = grow(card.floor, buffers);
	char suffix[24];

	snprintf(suffix, sizeof(suffix), "@%u", buffers);
	measure(prime_rows, suffix, FLOOR_ROWS);
	shrink(many, buffers);
}

void crowd(unsigned int buffers)
{
	weigh("memory-bare", bare_export, 0);
	weigh("floor-memory", file_create, 1);
	among(FEW);
	among(buffers);
	floor_among(FEW);
	floor_among(buffers);
}
