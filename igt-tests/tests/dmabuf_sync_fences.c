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

/**
 * TEST: Fences of a dma-buf
 * Description: poll, epoll, the CPU access ioctl and sync files of a dma-buf,
 *	with fences of vgem, within a device and between two.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: synchronization
 *
 * SUBTEST: poll-read-fence
 * Description: A reader's fence stops writers only.
 *
 * SUBTEST: poll-write-fence
 * Description: A writer's fence stops everybody.
 *
 * SUBTEST: poll-many-readers
 * Description: A writer waits for the last reader.
 *
 * SUBTEST: poll-timeout
 * Description: Poll keeps its time limit.
 *
 * SUBTEST: poll-wakes
 * Description: A sleeping poll wakes when the fence signals.
 *
 * SUBTEST: poll-many-waiters
 * Description: One fence wakes every poller.
 *
 * SUBTEST: poll-second-fence
 * Description: A wake-up for one of two fences is not the end.
 *
 * SUBTEST: close-while-polled
 * Description: The descriptor is closed under a poller.
 *
 * SUBTEST: close-while-armed
 * Description: The buffer goes when its last callback has run.
 *
 * SUBTEST: epoll-level
 * Description: epoll by level.
 *
 * SUBTEST: epoll-edge
 * Description: epoll by edge.
 *
 * SUBTEST: epoll-edge-once
 * Description: One signalled fence is one edge.
 *
 * SUBTEST: epoll-close
 * Description: epoll and dma-buf closed in both orders.
 *
 * SUBTEST: sync-file-export
 * Description: Readers' and writers' fences as sync_file.
 *
 * SUBTEST: sync-file-names
 * Description: A fence tells its driver and its timeline.
 *
 * SUBTEST: sync-file-snapshot
 * Description: A sync_file holds what was pending, no more.
 *
 * SUBTEST: sync-file-array
 * Description: Several fences leave as one.
 *
 * SUBTEST: sync-file-makes-busy
 * Description: An imported fence makes vgem say EBUSY.
 *
 * SUBTEST: cpu-access-waits
 * Description: SYNC start waits for fences that conflict.
 *
 * SUBTEST: cpu-access-interrupted
 * Description: A signal ends the wait of SYNC start.
 *
 * SUBTEST: file-close-signals
 * Description: Closing vgem signals its fences.
 *
 * SUBTEST: killed-signals
 * Description: A killed process leaves no pending fence.
 *
 * SUBTEST: error-fence
 * Description: A fence that ends in an error wakes.
 *
 * SUBTEST: sync-file-import
 * Description: A vgem fence carried into another buffer.
 *
 * SUBTEST: sync-file-import-merged
 * Description: A merged sync_file brings all its fences.
 *
 * SUBTEST: fence-on-import
 * Description: vgem fences a buffer that it imported.
 */

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
