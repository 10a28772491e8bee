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

/**
 * TEST: A buffer shared by any two DRM devices
 * Description: Content, handles and lifetime of a buffer that one DRM device
 *	exports and another imports, for each ordered pair that is there.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: self-import
 * Description: A device that imports its own buffer finds the object.
 *
 * SUBTEST: coherent
 * Description: What one side writes the other side reads.
 *
 * SUBTEST: scm-rights
 * Description: The importer is a process that got the fd by a socket.
 *
 * SUBTEST: fork
 * Description: The importer is a child that inherited the fd.
 *
 * SUBTEST: exporter-killed
 * Description: The exporting process was killed before the import.
 *
 * SUBTEST: exporter-closed
 * Description: The importer's handle alone keeps the memory.
 *
 * SUBTEST: import-same-handle
 * Description: Importing again gives the same handle.
 *
 * SUBTEST: import-after-close
 * Description: Closing the handle clears the cache.
 *
 * SUBTEST: two-importers
 * Description: Two files of the importer do not disturb each other.
 *
 * SUBTEST: import-back
 * Description: The exporter gets its own handle back.
 *
 * SUBTEST: two-buffers
 * Description: Two buffers stay two.
 *
 * SUBTEST: flink-of-import
 * Description: An import has a name as any object, and loses it.
 *
 * SUBTEST: close-orders
 * Description: All ends closed in all orders; nothing is left.
 *
 * SUBTEST: import-close-race
 * Description: Import and close of one buffer from two threads.
 */

IGT_TEST_DESCRIPTION("Sharing a buffer between any two DRM devices.");

static const struct pair_test *const lists[] = {
	content_tests,
	handle_tests,
	closing_tests,
};

/* Beside the dumb buffers of a device. Returns how many there are now. */
static int add_resources(struct endpoint *eps, int num)
{
	int all = num;

	for (int i = 0; i < num && all < MAX_ENDPOINTS; i++)
		all += endpoint_of_resources(&eps[i], &eps[all]);
	return all;
}

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

				if (a->fd == b->fd || !a->exports ||
				    !b->imports)
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
	int num = 0, all = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open_drm(eps, MAX_ENDPOINTS);
		igt_require_f(num, "no DRM device\n");
		all = add_resources(eps, num);
	}

	self_subtest(eps, num);
	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], eps, all);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
