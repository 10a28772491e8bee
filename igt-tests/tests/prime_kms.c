// SPDX-License-Identifier: MIT
/*
 * A buffer of any exporter, imported by a display: framebuffers of all formats, all
 * planes, flips and fences. What is shown is compared, by the display's checksum,
 * with a buffer of the display's own that has the same pixels; a display without
 * checksums has to take it and say so.
 *
 * Only displays that nobody looks at are taken, vkms and virtio-gpu, unless
 * --device names others.
 */

#include "igt.h"
#include "sw_sync.h"

#include "cards.h"
#include "shown/shown.h"

/**
 * TEST: Imported buffers on any display
 * Description: Buffers of every exporter as framebuffers of vkms and virtio-gpu:
 *	formats, planes, flips and fences, compared by the display's checksum.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: addfb
 * Description: Framebuffers of each format: pitches and offsets.
 *
 * SUBTEST: formats
 * Description: Each format shown, with a gap after each row.
 *
 * SUBTEST: offset
 * Description: The same that do not begin where the buffer does.
 *
 * SUBTEST: cursor
 * Description: Shown by the cursor plane.
 *
 * SUBTEST: cursor-by-handle
 * Description: A handle as the cursor.
 *
 * SUBTEST: overlay
 * Description: Shown by an overlay plane.
 *
 * SUBTEST: debugfs
 * Description: Debugfs tells which framebuffers are imported.
 *
 * SUBTEST: page-flip
 * Description: Shown by a flip, which an event tells of.
 *
 * SUBTEST: in-out-fence
 * Description: Shown when its fence signals, and then one of its own.
 *
 * SUBTEST: addfb-unknown-format
 * Description: Formats of several planes that no plane has.
 *
 * SUBTEST: nv12-one-buffer
 * Description: Brightness and colours in one dma-buf.
 *
 * SUBTEST: nv12-two-buffers
 * Description: Brightness and colours in two dma-bufs.
 *
 * SUBTEST: p010-one-buffer
 * Description: The same of ten bits.
 *
 * SUBTEST: p010-two-buffers
 * Description: The same of ten bits.
 */

IGT_TEST_DESCRIPTION("Imported buffers as framebuffers of any display.");

static const struct shown_test *const lists[] = {
	format_tests,
	plane_tests,
	time_tests,
	planar_tests,
};

static void run(const struct shown_test *test, const struct endpoint *exporter,
		const struct endpoint *display)
{
	struct kms kms;

	kms_open(&kms, display, SHOWN_WIDTH, SHOWN_HEIGHT);
	test->run(&kms, exporter);
	kms_close(&kms);
}

static void subtests(const struct shown_test *tests, const struct endpoint *eps,
		     int num)
{
	for (const struct shown_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int p = 0; p < num * num; p++) {
				const struct endpoint *a = &eps[p / num];
				const struct endpoint *b = &eps[p % num];

				if (a == b || !a->exports || !b->imports ||
				    !kms_may_use(b))
					continue;
				igt_dynamic_f("%s-on-%s", a->name, b->name)
					run(t, a, b);
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
		igt_require_f(num, "no DRM device\n");
		igt_require_sw_sync();
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], eps, num);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
