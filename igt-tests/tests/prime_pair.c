// SPDX-License-Identifier: MIT
/*
 * A buffer that one DRM device exports and another imports, for every ordered
 * pair of the devices present.
 *
 * The exporter's side is seen through a mapping of its dumb buffer, the
 * importer's through a mapping of what the importer exports again. Both must be
 * one memory and one dma-buf, whichever process holds which end, and for as long
 * as one end lives.
 */

#include "igt.h"

#include "cards.h"
#include "pair/pair.h"

IGT_TEST_DESCRIPTION("Sharing a buffer between any two DRM devices.");

static const struct pair_test *const lists[] = {
	content_tests,
	handle_tests,
	closing_tests,
};

static void self_subtest(const struct endpoint *eps, int num)
{
	igt_describe("a device that imports its own buffer finds the object");
	igt_subtest_with_dynamic("self-import") {
		for (int i = 0; i < num; i++) {
			if (!eps[i].exports || !eps[i].imports)
				continue;
			igt_dynamic(eps[i].name)
				pair_self(&eps[i]);
		}
	}
}

static void subtests(const struct pair_test *tests, const struct endpoint *eps,
		     int num)
{
	for (const struct pair_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int p = 0; p < num * num; p++) {
				const struct endpoint *a = &eps[p / num];
				const struct endpoint *b = &eps[p % num];

				if (a == b || !a->exports || !b->imports)
					continue;
				igt_dynamic_f("%s-to-%s", a->name, b->name)
					t->run(a, b);
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
		num = endpoints_open_drm(eps, MAX_ENDPOINTS);
		igt_require_f(num, "no DRM device\n");
	}

	self_subtest(eps, num);
	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], eps, num);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
