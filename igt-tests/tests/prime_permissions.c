// SPDX-License-Identifier: MIT
/*
 * Who may import, show and write a buffer: users that are not root, lessees of a
 * display, and owners of descriptors that are for reading.
 */

#include "igt.h"

#include "cards.h"
#include "kms.h"
#include "permissions/permissions.h"

/**
 * TEST: Rights to shared buffers
 * Description: What users that are not root, lessees, and owners of descriptors for
 *	reading may do with a buffer that two DRM devices share.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: unauthenticated
 * Description: A primary node shares, but names need a master.
 *
 * SUBTEST: render-node
 * Description: A render node shares, and has no names at all.
 *
 * SUBTEST: inherited-file
 * Description: A file stays what it was opened as.
 *
 * SUBTEST: lessee-imports
 * Description: A lessee shows a buffer that it has imported.
 *
 * SUBTEST: lease-revoked
 * Description: The lease is revoked while a buffer is shown.
 *
 * SUBTEST: read-only-import
 * Description: An import gives no right to write.
 *
 * SUBTEST: read-only-sent
 * Description: Nor does another process.
 *
 * SUBTEST: read-only-file
 * Description: A file for reading imports and exports.
 */

IGT_TEST_DESCRIPTION("Rights to buffers that two DRM devices share.");

static const struct permission_test *const lists[] = {
	user_tests,
	lease_tests,
	mode_tests,
};

static bool applies(const struct permission_test *test,
		    const struct endpoint *a, const struct endpoint *b)
{
	return a != b && a->exports && b->imports &&
	       (!test->displays || kms_may_use(b));
}

static void subtests(const struct permission_test *tests,
		     const struct endpoint *eps, int num)
{
	for (const struct permission_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int p = 0; p < num * num; p++) {
				const struct endpoint *a = &eps[p / num];
				const struct endpoint *b = &eps[p % num];

				if (!applies(t, a, b))
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
		igt_require_f(getuid() == 0, "only root can become others\n");
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], eps, num);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
