// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

const char *role = "journey";

_Noreturn void die(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);

	fprintf(stderr, "%s: %s\n", role, line);
	exit(1);
}

_Noreturn void die_errno(const char *where, const char *call)
{
	die("%s: %s: %s", where, call, strerror(errno));
}

_Noreturn void die_peer(void)
{
	exit(2);
}

void *xalloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("out of memory for %zu x %zu bytes", count, size);
	return memory;
}
