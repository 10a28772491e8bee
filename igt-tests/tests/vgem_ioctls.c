// SPDX-License-Identifier: MIT
/*
 * vgem: its two fence ioctls, dumb buffers with sizes that overflow, mappings of
 * what is not there, and several vgem devices beside each other.
 */

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "igt.h"

#include "endpoint.h"
#include "vgem/vgem.h"

/**
 * TEST: The ioctls of vgem with input right and wrong
 * Description: Fences, dumb buffers and mappings of vgem, and several vgem
 *	devices beside each other.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: mock device
 *
 * SUBTEST: identity
 * Description: The name, version and abilities clients look for.
 *
 * SUBTEST: attach-bad-flags
 * Description: Unknown flags are EINVAL.
 *
 * SUBTEST: attach-bad-pad
 * Description: Padding that is not 0 is EINVAL.
 *
 * SUBTEST: attach-bad-handle
 * Description: No such handle is ENOENT.
 *
 * SUBTEST: attach-busy
 * Description: EBUSY exactly for what conflicts.
 *
 * SUBTEST: attach-race
 * Description: Of two writers at once one gets EBUSY.
 *
 * SUBTEST: signal-bad-flags
 * Description: Flags are EINVAL and the fence stays.
 *
 * SUBTEST: signal-bad-fence
 * Description: No such fence, or another file's, is ENOENT.
 *
 * SUBTEST: signal-twice
 * Description: The second signal is ENOENT.
 *
 * SUBTEST: signal-after-close
 * Description: A fence outlives the handle.
 *
 * SUBTEST: many-fences
 * Description: A thousand pending fences, signalled out of order.
 *
 * SUBTEST: fence-expires
 * Description: A forgotten fence ends after 10 s, with ETIMEDOUT.
 *
 * SUBTEST: unknown-ioctl
 * Description: Any other driver ioctl is EINVAL.
 *
 * SUBTEST: create-bad
 * Description: Sizes of 0 and sizes that overflow are EINVAL.
 *
 * SUBTEST: create-sizes
 * Description: Odd and large sizes are rounded up.
 *
 * SUBTEST: create-zeroed
 * Description: A new buffer holds nobody's data.
 *
 * SUBTEST: map-bad-handle
 * Description: MAP_DUMB of no handle is ENOENT.
 *
 * SUBTEST: map-bounds
 * Description: No mapping beyond the end, nor of another's buffer.
 *
 * SUBTEST: map-alone
 * Description: A mapping alone keeps the memory.
 *
 * SUBTEST: flink
 * Description: A buffer opened by its flink name is the same.
 *
 * SUBTEST: many-devices
 * Description: Several vgem devices are separate devices.
 */

IGT_TEST_DESCRIPTION("vgem's ioctls with input right and wrong.");

static void unknown_ioctl(int fd)
{
	char arg[64];

	for (int nr = 0; nr < DRM_COMMAND_END - DRM_COMMAND_BASE; nr++) {
		if (nr == DRM_VGEM_FENCE_ATTACH || nr == DRM_VGEM_FENCE_SIGNAL)
			continue;
		memset(arg, 0, sizeof(arg));
		do_ioctl_err(fd, DRM_IOWR(DRM_COMMAND_BASE + nr, char[16]), arg,
			     EINVAL);
	}
}

static void identity(int fd)
{
	drmVersionPtr v = drmGetVersion(fd);
	char *render = drmGetRenderDeviceNameFromFd(fd);
	uint64_t prime;

	igt_assert(v);
	igt_assert_eq(strcmp(v->name, "vgem"), 0);
	igt_assert_eq(v->version_major, 1);
	igt_assert_eq(v->version_minor, 0);
	drmFreeVersion(v);
	igt_assert(render);
	free(render);
	do_or_die(drmGetCap(fd, DRM_CAP_PRIME, &prime));
	igt_assert_eq(prime, DRM_PRIME_CAP_IMPORT | DRM_PRIME_CAP_EXPORT);
}

static const struct vgem_test device_tests[] = {
	{ "identity", "the name, version and abilities clients look for",
	  identity },
	{ "unknown-ioctl", "any other driver ioctl is EINVAL", unknown_ioctl },
	{}
};

static const struct vgem_test *const lists[] = {
	device_tests,
	fence_tests,
	buffer_tests,
};

static void subtests(const struct vgem_test *tests, const struct endpoint *eps,
		     const int *idx, int num)
{
	for (const struct vgem_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int i = 0; i < num; i++) {
				igt_dynamic(eps[idx[i]].name)
					t->run(eps[idx[i]].fd);
			}
		}
	}
}

/* All are called vgem, so they must differ in what identifies a device. */
static void check_devices_differ(struct endpoint *eps, const int *idx, int num)
{
	char *bus[MAX_ENDPOINTS];

	for (int i = 0; i < num; i++) {
		char link[96];
		struct stat st;

		do_or_die(fstat(eps[idx[i]].fd, &st));
		snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device",
			 major(st.st_rdev), minor(st.st_rdev));
		bus[i] = realpath(link, NULL);
		igt_assert(bus[i]);
		for (int j = 0; j < i; j++)
			igt_assert_f(strcmp(bus[i], bus[j]),
				     "two vgem devices are %s\n", bus[i]);
	}
	for (int i = 0; i < num; i++)
		free(bus[i]);
}

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int idx[MAX_ENDPOINTS];
	int all = 0, num = 0;

	igt_fixture {
		drm_load_module(DRIVER_VGEM);
		all = endpoints_open_drm(eps, MAX_ENDPOINTS);
		for (int i = 0; i < all; i++)
			if (strcmp(eps[i].driver, "vgem") == 0)
				idx[num++] = i;
		igt_require_f(num, "no vgem device\n");
		igt_require(vgem_has_fences(eps[idx[0]].fd));
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		subtests(lists[i], eps, idx, num);

	igt_describe("several vgem devices are separate devices");
	igt_subtest("many-devices") {
		igt_require_f(num > 1, "there is one vgem device\n");
		check_devices_differ(eps, idx, num);
		for (int i = 1; i < num; i++) {
			fences_are_apart(eps[idx[i - 1]].fd, eps[idx[i]].fd);
			fences_are_apart(eps[idx[i]].fd, eps[idx[i - 1]].fd);
		}
	}

	igt_fixture
		endpoints_close(eps, all);
}
