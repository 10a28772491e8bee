// SPDX-License-Identifier: MIT
/*
 * What user space can do to a dma-buf descriptor: the four ioctls, lseek(),
 * mmap(), read(), fstat(), and the places where the kernel tells about it. All
 * of it is the same whoever exports, so it is run for every exporter there is.
 */

#include "igt.h"

#include "cards.h"
#include "descriptor/descriptor.h"

/**
 * TEST: System calls on the descriptor of a dma-buf
 * Description: The ioctls, mappings and files of a dma-buf with arguments
 *	right and wrong, for whatever makes one: DRM devices, heaps and
 *	udmabuf.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: dma-buf
 *
 * SUBTEST: sync-bad-flags
 * Description: SYNC refuses unknown and empty flags.
 *
 * SUBTEST: sync-directions
 * Description: SYNC takes each direction, content stays.
 *
 * SUBTEST: set-name
 * Description: SET_NAME shows in fdinfo and in the /proc link.
 *
 * SUBTEST: set-name-too-long
 * Description: 31 characters fit, 32 do not.
 *
 * SUBTEST: set-name-fault
 * Description: A name that cannot be read is EFAULT.
 *
 * SUBTEST: export-sync-file-args
 * Description: EXPORT_SYNC_FILE refuses bad flags.
 *
 * SUBTEST: export-sync-file-answer-fault
 * Description: A failed answer leaves no descriptor.
 *
 * SUBTEST: export-sync-file-no-fds
 * Description: EXPORT_SYNC_FILE without room is EMFILE.
 *
 * SUBTEST: import-sync-file-args
 * Description: IMPORT_SYNC_FILE refuses bad flags and fds.
 *
 * SUBTEST: unknown-ioctl
 * Description: Any other ioctl is ENOTTY.
 *
 * SUBTEST: seek
 * Description: lseek tells the size, and nothing else.
 *
 * SUBTEST: read-write
 * Description: Read, write and ftruncate are refused.
 *
 * SUBTEST: mmap-bounds
 * Description: No mapping beyond the end, nor by overflow.
 *
 * SUBTEST: mmap-grow
 * Description: No mapping grows beyond the end.
 *
 * SUBTEST: mmap-offset
 * Description: A mapping of a part shows that part.
 *
 * SUBTEST: mmap-read-only
 * Description: A read-only descriptor cannot be mapped writable.
 *
 * SUBTEST: mmap-private
 * Description: No page of a private mapping is the buffer's.
 *
 * SUBTEST: mmap-alone
 * Description: A mapping alone keeps the memory.
 *
 * SUBTEST: stat
 * Description: fstat gives the size and a number that is never reused.
 *
 * SUBTEST: fdinfo
 * Description: fdinfo has size, count and exporter.
 *
 * SUBTEST: bufinfo
 * Description: bufinfo lists a buffer from export to release.
 *
 * SUBTEST: bufinfo-attachments
 * Description: bufinfo counts the importers.
 *
 * SUBTEST: sysfs-stats
 * Description: The statistics directory lives as long as the buffer.
 *
 * SUBTEST: poll-idle
 * Description: Without fences poll is ready for what it was asked.
 */

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
