// SPDX-License-Identifier: GPL-2.0-only
/*
 * From KCOV to libFuzzer.
 *
 * The kernel, where our files are compiled for it, writes down the address of
 * each basic block that a thread comes through.  libFuzzer wants to see counters
 * in the program itself, and takes any bytes of the section
 * __libfuzzer_extra_counters for such.  So after an input each step from one
 * block to the next counts up the byte its hash falls on.
 *
 * What each operation answered counts likewise, for the errors that come from
 * around our files.
 *
 * The addresses that were ever seen also go to a file, once each, so that the
 * number survives a kernel that does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kcov.h>

#include "cover.h"

#define TRACE_WORDS (1UL << 18)
#define COUNTERS    (1U << 15)
#define RESULTS	    (1U << 12)
#define SEEN	    (1U << 16)
#define THREADS	    2

#define COUNTED __attribute__((used, section("__libfuzzer_extra_counters")))

static uint8_t counters[COUNTERS] COUNTED;
static uint8_t results[RESULTS] COUNTED;

static unsigned long *traces[THREADS];
static int trace_count;
static bool available;

static unsigned long seen[SEEN];
/* By the number of the last input that came through. */
static unsigned int seen_by[SEEN];
static unsigned int seen_count, input_number;
static int seen_file = -1;
static bool exact; /* no block of an input may be missing in the list */

bool cover_available(void)
{
	return available;
}

/* Addresses that are new go to this file. */
void cover_keep(int fd)
{
	seen_file = fd;
}

/* For the calling thread, from now on. */
void cover_start_thread(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	unsigned long *trace;

	/* a replay goes without */
	if (fd < 0)
		return;
	if (ioctl(fd, KCOV_INIT_TRACE, TRACE_WORDS)) {
		perror("KCOV_INIT_TRACE");
		exit(1);
	}
	trace = mmap(NULL, TRACE_WORDS * sizeof(*trace), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (trace == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC)) {
		perror("KCOV_ENABLE");
		exit(1);
	}
	traces[trace_count++] = trace;
	available = true;
}

static uint32_t hash(uint64_t from, uint64_t to)
{
	return (from * 0x9e3779b97f4a7c15 ^ to) * 0xd6e8feb86659fd93 >> 32;
}

/* An operation's success, or its error: which one matters, not how often. */
void cover_result(uint8_t op, long result)
{
	__atomic_store_n(&results[hash(op, result < 0 ? result : 0) % RESULTS],
			 1, __ATOMIC_RELAXED);
}

void cover_begin(void)
{
	int i;

	input_number++;
	memset(results, 0, sizeof(results));
	for (i = 0; i < trace_count; i++)
		__atomic_store_n(&traces[i][0], 0, __ATOMIC_RELAXED);
}

static void note(unsigned long address)
{
	unsigned int at = hash(0, address) % SEEN;

	while (seen[at] && seen[at] != address)
		at = (at + 1) % SEEN;
	seen_by[at] = input_number;
	if (seen[at] || seen_count >= SEEN / 2)
		return;
	seen[at] = address;
	seen_count++;
	if (seen_file >= 0 && dprintf(seen_file, "%lx\n", address) < 0)
		perror("the list of what was seen");
}

static void count(const unsigned long *trace)
{
	unsigned long length = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);
	unsigned long i, previous = 0;

	for (i = 1; i <= length; i++) {
		uint8_t *counter =
			&counters[hash(previous, trace[i]) % COUNTERS];

		if (*counter < UINT8_MAX)
			++*counter;
		/* two steps may share a counter, and hide a block */
		if (*counter == 1 || exact)
			note(trace[i]);
		previous = trace[i];
	}
}

void cover_end(void)
{
	int i;

	memset(counters, 0, sizeof(counters));
	for (i = 0; i < trace_count; i++)
		count(traces[i]);
}

/* From now on cover_print() tells all. */
void cover_exact(void)
{
	exact = true;
}

/*
 * What the last input has reached, as a line of words: b and a block's address, a
 * and an operation's answer, e and a step from one block to another.
 */
void cover_print(FILE *file)
{
	unsigned int i;

	for (i = 0; i < SEEN; i++)
		if (seen[i] && seen_by[i] == input_number)
			fprintf(file, "b%lx ", seen[i]);
	for (i = 0; i < RESULTS; i++)
		if (results[i])
			fprintf(file, "a%x ", i);
	for (i = 0; i < COUNTERS; i++)
		if (counters[i])
			fprintf(file, "e%x ", i);
	fprintf(file, "\n");
}

/* Basic blocks seen so far. */
unsigned int cover_count(void)
{
	return seen_count;
}
