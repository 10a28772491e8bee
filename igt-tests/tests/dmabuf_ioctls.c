// SPDX-License-Identifier: MIT
/*
 * What user space can do to a dma-buf descriptor: the four ioctls, lseek(),
 * mmap(), read(), fstat(), and the places where the kernel tells about it. All
 * of it is the same whoever exports, so it is run for every exporter there is.
 */

#include "igt.h"

#include "cards.h"
#include "descriptor/descriptor.h"

IGT_TEST_DESCRIPTION("System calls on a dma-buf descriptor, right and wrong.");

static const struct descriptor_test *const lists[] = {
	argument_tests,
	mapping_tests,
	told_tests,
};

static void run(const struct descriptor_test *test, const struct endpoint *ep)
{
	struct endpoint_bo bo;

	endpoint_create(ep, PAGE / 4, PAGES, &bo);
	test->run(&bo);
	endpoint_destroy(&bo);
}

static void subtests(const struct descriptor_test *tests,
		     const struct endpoint *eps, int num)
{
	for (const struct descriptor_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name)
					run(t, &eps[i]);
			}
		}
	}
}

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open(eps, MAX_ENDPOINTS);
		igt_require_f(num, "nothing exports dma-bufs\n");
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], eps, num);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
