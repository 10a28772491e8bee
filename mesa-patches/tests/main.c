// SPDX-License-Identifier: MIT
/*
 * Whether a renderer that draws with the CPU keeps to the rules of dma-bufs.
 *
 *	dmabuf --list			the names of the cases
 *	dmabuf NAME [DRIVER[:NODE]]	run one, on the card of this driver (vkms), or on
 *					its render node by GBM (render) or EGL (device)
 *
 *	dmabuf cost [DRIVER[:NODE]]	what frames cost
 *	dmabuf show [DRIVER[:NODE]]	draw what a virtio GPU shows, and stay
 *
 * A case is a process, for a renderer that does not keep to them may crash.
 * Exit status: 0 it keeps to them, 1 it does not, 2 misuse.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"

static const struct test *const all[] = { import_tests, access_tests,
					  fence_tests, device_tests };

/* What is no case, for it judges nothing. */
static const struct test others[] = { { "cost", cost }, { "show", show }, {} };

static const struct test *find(const char *name)
{
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const struct test *test = all[i]; test->name; test++)
			if (!strcmp(test->name, name))
				return test;
	for (const struct test *test = others; test->name; test++)
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
