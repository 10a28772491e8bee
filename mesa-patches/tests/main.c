// SPDX-License-Identifier: MIT
/*
 * Whether a renderer that draws with the CPU keeps to the rules of dma-bufs.
 *
 *	dmabuf --list			the names of the cases
 *	dmabuf NAME [DRIVER]		run one, on the card of this driver (vkms)
 *
 * A case is a process, for a renderer that does not keep to them may crash.
 * Exit status: 0 it keeps to them, 1 it does not, 2 misuse.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static const struct test *const all[] = { import_tests, access_tests,
					  fence_tests };

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "# ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	/* no destructors: they might wait for what has failed */
	_Exit(1);
}

static const struct test *find(const char *name)
{
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const struct test *test = all[i]; test->name; test++)
			if (!strcmp(test->name, name))
				return test;
	return NULL;
}

static void list(void)
{
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const struct test *test = all[i]; test->name; test++)
			puts(test->name);
}

int main(int argc, char **argv)
{
	const struct test *test = argc > 1 ? find(argv[1]) : NULL;
	struct renderer renderer;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	if (!test)
		return 2;
	if (argc > 2)
		renderer_driver = argv[2];
	renderer_open(&renderer);
	test->run(&renderer);
	return 0;
}
