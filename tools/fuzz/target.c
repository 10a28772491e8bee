// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: what libFuzzer calls.
 *
 * An input may be the last thing this kernel does.  So before it runs it is
 * written to $FUZZ_OUT/last, a file of the host, which holds the last few; the
 * program that started the guest finds them there.  Beside it is the list of
 * what was covered so far.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "cover.h"
#include "libfuzzer.h"
#include "mutate.h"
#include "program.h"

/* How often to tell how far it is. */
#define TELL_SECONDS 10

/* tools/fuzz/run reads this: KEPT of them, one after the other. */
#define KEPT 8

struct kept {
	uint64_t number; /* counts up from 1: the largest was the last to run */
	uint32_t size;
	uint32_t zero;
	uint8_t data[MAX_STEPS * sizeof(struct step)];
};

_Static_assert(sizeof(struct kept) == 528, "tools/fuzz/run reads it so");

static struct kept kept;
static int kept_file;
static time_t begun, told;

static int open_out(const char *directory, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path,
		  O_RDWR | O_CREAT | O_CLOEXEC |
			  O_APPEND * !strcmp(name, "covered"),
		  0644);
	if (fd < 0) {
		fprintf(stderr, "fuzz: %s: %m\n", path);
		exit(1);
	}
	return fd;
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *out = getenv("FUZZ_OUT");

	(void)argc;
	(void)argv;
	if (!out) {
		fprintf(stderr,
			"fuzz: FUZZ_OUT names no directory; use tools/fuzz/run\n");
		exit(1);
	}
	kept_file = open_out(out, "last");
	cover_keep(open_out(out, "covered"));
	check_init();
	program_init();
	if (!cover_available()) {
		fprintf(stderr,
			"fuzz: this kernel has no KCOV: build it --with kcov\n");
		exit(1);
	}
	begun = now();
	told = begun;
	return 0;
}

static void keep(const struct step *steps, size_t count)
{
	size_t head = offsetof(struct kept, data);

	kept.number++;
	kept.size = count * sizeof(*steps);
	memcpy(kept.data, steps, kept.size);
	if (pwrite(kept_file, &kept, head + kept.size,
		   kept.number % KEPT * sizeof(kept)) < 0)
		perror("fuzz: the last inputs");
}

static void tell(void)
{
	time_t time = now();

	if (time - told < TELL_SECONDS)
		return;
	told = time;
	printf("fuzz: %ld s, %llu executions, %llu/s, %u covered\n",
	       (long)(time - begun), (unsigned long long)kept.number,
	       (unsigned long long)kept.number / (time - begun), cover_count());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step steps[MAX_STEPS];
	size_t count = program_load(steps, data, size);

	keep(steps, count);
	program_run(steps, count);
	if (check_verdict()) {
		printf("fuzz: FINDING: %s\n", check_verdict());
		abort();
	}
	tell();
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
			       unsigned int seed)
{
	struct step steps[MAX_STEPS];
	size_t count = program_load(steps, data, size);

	most /= sizeof(*steps);
	if (most > MAX_STEPS)
		most = MAX_STEPS;
	if (count > most)
		count = most;
	count = mutate(steps, count, most, seed);
	memcpy(data, steps, count * sizeof(*steps));
	return count * sizeof(*steps);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size,
				 const uint8_t *second, size_t second_size,
				 uint8_t *out, size_t most, unsigned int seed)
{
	struct step one[MAX_STEPS], other[MAX_STEPS], joined[MAX_STEPS];
	size_t one_count = program_load(one, first, first_size);
	size_t other_count = program_load(other, second, second_size);
	size_t count;

	most /= sizeof(*joined);
	count = mutate_join(one, one_count, other, other_count, joined,
			    most > MAX_STEPS ? MAX_STEPS : most, seed);
	memcpy(out, joined, count * sizeof(*joined));
	return count * sizeof(*joined);
}
