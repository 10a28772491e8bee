// SPDX-License-Identifier: MIT
/*
 * What it costs to share buffers.
 *
 *   prime_bench rows            one operation after the other
 *   prime_bench crowd NUMBER    among so many buffers; what they take
 *   prime_bench reader NUMBER   allocations while somebody lists so many
 *   prime_bench threads         two threads against one
 *   prime_bench exports         the same, but what they export and no more
 *   prime_bench repeat ROW      that one for ever
 *
 * In a guest whose clock counts instructions (tools/vm --count) the first three
 * print instructions, the same in every run; those with threads want two CPUs. Needs
 * vgem, vkms, and the module in tools/bench/module.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"

static int usage(void)
{
	fputs("usage: prime_bench rows|crowd NUMBER|reader NUMBER|threads|exports|repeat ROW\n",
	      stderr);
	return 2;
}

static void many_files(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned int number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	many_files();
	cards_open();
	if (!strcmp(what, "rows")) {
		scatter_memory();
		measure(prime_rows, "", ALL_ROWS);
		measure(file_rows, "", ALL_ROWS);
		measure(import_rows, "", ALL_ROWS);
		measure(list_rows, "", ALL_ROWS);
		measure(move_rows, "", ALL_ROWS);
	} else if (!strcmp(what, "crowd") && number) {
		crowd(number);
	} else if (!strcmp(what, "reader") && number) {
		reader_against_allocator(number);
	} else if (!strcmp(what, "threads")) {
		two_threads(true);
	} else if (!strcmp(what, "exports")) {
		two_threads(false);
	} else if (!strcmp(what, "repeat") && argc > 2) {
		scatter_memory();
		repeat(prime_rows, argv[2]);
		repeat(file_rows, argv[2]);
		repeat(import_rows, argv[2]);
		repeat(list_rows, argv[2]);
		repeat(move_rows, argv[2]);
		return usage();
	} else {
		return usage();
	}
	return 0;
}
