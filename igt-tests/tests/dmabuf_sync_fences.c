// SPDX-License-Identifier: MIT
/*
 * Fences on a dma-buf: as poll() and epoll show them, as sync_file carries them
 * out of one buffer and into another, and who sees whose.
 *
 * The fences are vgem's, signalled by the test, so everything happens when the
 * test says so. Where a thread must block first, the test waits until the kernel
 * says that it sleeps; no time is guessed.
 */

#include "igt.h"

#include "cards.h"
#include "fences/fences.h"

IGT_TEST_DESCRIPTION("Fences of a dma-buf by poll, epoll and sync_file.");

static const struct fence_test *const lists[] = {
	poll_tests,
	sync_file_tests,
	cpu_access_tests,
	ending_tests,
};

static void subtests(const struct fence_test *tests, int vgem)
{
	for (const struct fence_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest(t->name)
			t->run(vgem);
	}
}

static void pair_subtests(const struct fence_pair_test *tests, int vgem,
			  const struct endpoint *eps, int num)
{
	for (const struct fence_pair_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name)
					t->run(vgem, &eps[i]);
			}
		}
	}
}

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int vgem = -1, num = 0;

	igt_fixture {
		vgem = drm_open_driver(DRIVER_VGEM);
		igt_require(vgem_has_fences(vgem));
		cards_load();
		num = endpoints_open(eps, MAX_ENDPOINTS);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], vgem);
	pair_subtests(sync_file_pair_tests, vgem, eps, num);

	igt_fixture {
		endpoints_close(eps, num);
		close(vgem);
	}
}
