// SPDX-License-Identifier: MIT
/* Dumb buffers of vgem: sizes that overflow, mappings of what is not there, names. */

#include <fcntl.h>

#include "igt.h"

#include "../endpoint.h"
#include "vgem.h"

void vgem_make(int fd, struct vgem_bo *bo)
{
	*bo = (struct vgem_bo){ .width = 32, .height = 32, .bpp = 32 };
	vgem_create(fd, bo);
}

static int create_dumb(int fd, uint32_t width, uint32_t height, uint32_t bpp,
		       uint32_t flags)
{
	struct drm_mode_create_dumb arg = {
		.width = width,
		.height = height,
		.bpp = bpp,
		.flags = flags,
		.handle = 0,
	};
	int err = 0;

	if (igt_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &arg))
		err = -errno;
	errno = 0;
	if (!err) {
		/* Where it may succeed, it must not be smaller than asked. */
		igt_assert_lte_u64((uint64_t)width * bpp / 8, arg.pitch);
		igt_assert_lte_u64((uint64_t)arg.pitch * height, arg.size);
		igt_assert_eq_u64(arg.size % 4096, 0);
		gem_close(fd, arg.handle);
	}
	return err;
}

static void create_bad(int fd)
{
	static const uint32_t bad[][3] = {
		{ 0, 1, 32 },
		{ 1, 0, 32 },
		{ 1, 1, 0 },
		{ 0, 0, 0 },
		/* Bytes of a line, then of the whole, beyond 32 bits. */
		{ ~0u, 1, 32 },
		{ 0x40000000, 1, 32 },
		{ 0x20000001, 1, 64 },
		{ 1, ~0u, 32 },
		{ 65536, 65536, 32 },
		{ 0x10000, 0x4000, 32 },
		{ ~0u, ~0u, ~0u },
		{ 1, 1, ~0u },
		{ 1, 1, ~0u - 7 },
		/* 32 bits hold it, but not once it is rounded to pages. */
		{ 0x3fffffff, 1, 32 },
		{ 1, 0x3fffffff, 32 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		igt_assert_f(create_dumb(fd, bad[i][0], bad[i][1], bad[i][2],
					 0) == -EINVAL,
			     "%u x %u x %u is not refused\n", bad[i][0],
			     bad[i][1], bad[i][2]);
}

static void create_sizes(int fd)
{
	static const uint32_t good[][3] = {
		{ 1, 1, 1 },	 { 1, 1, 8 },
		{ 3, 5, 16 },	 { 1, 1, 32 },
		{ 1023, 3, 24 }, { 1024, 1, 32 },
		{ 1025, 1, 32 }, { 4096, 4096, 32 },
		{ 17, 1, 64 },	 { 0x10000, 0x3fff, 32 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++)
		igt_assert_f(create_dumb(fd, good[i][0], good[i][1], good[i][2],
					 0) == 0,
			     "%u x %u x %u is refused\n", good[i][0],
			     good[i][1], good[i][2]);
}

static void create_zeroed(int fd)
{
	static const char zero[4096];

	for (int i = 0; i < 8; i++) {
		struct vgem_bo bo;
		char *map;

		vgem_make(fd, &bo);
		map = vgem_mmap(fd, &bo, PROT_READ | PROT_WRITE);
		for (uint64_t at = 0; at < bo.size; at += sizeof(zero))
			igt_assert_eq(memcmp(map + at, zero, sizeof(zero)), 0);
		/* What the next one must not see. */
		memset(map, 0xa5, bo.size);
		munmap(map, bo.size);
		gem_close(fd, bo.handle);
	}
}

static void map_bad_handle(int fd)
{
	struct drm_mode_map_dumb arg = {};
	struct vgem_bo bo;

	vgem_make(fd, &bo);
	do_ioctl_err(fd, DRM_IOCTL_MODE_MAP_DUMB, &arg, ENOENT);
	arg.handle = ~0u;
	do_ioctl_err(fd, DRM_IOCTL_MODE_MAP_DUMB, &arg, ENOENT);
	gem_close(fd, bo.handle);
	arg.handle = bo.handle;
	do_ioctl_err(fd, DRM_IOCTL_MODE_MAP_DUMB, &arg, ENOENT);
}

static void expect_no_map(int fd, uint64_t len, uint64_t offset, int err)
{
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);

	igt_assert_f(map == MAP_FAILED, "%#llx bytes at %#llx can be mapped\n",
		     (unsigned long long)len, (unsigned long long)offset);
	igt_assert_eq(errno, err);
	errno = 0;
}

static void map_bounds(int fd)
{
	int other = drm_reopen_driver(fd);
	struct drm_mode_map_dumb arg = {};
	struct vgem_bo bo;

	vgem_make(fd, &bo);
	arg.handle = bo.handle;
	do_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &arg);
	expect_no_map(fd, bo.size + 4096, arg.offset, EINVAL);
	expect_no_map(fd, 4096, 0, EINVAL);
	/* The offset is no secret, so it must not be a key. */
	expect_no_map(other, bo.size, arg.offset, EACCES);
	gem_close(fd, bo.handle);
	expect_no_map(fd, bo.size, arg.offset, EINVAL);
	close(other);
}

static void map_alone(int fd)
{
	struct vgem_bo bo;
	void *map;

	vgem_make(fd, &bo);
	map = vgem_mmap(fd, &bo, PROT_READ | PROT_WRITE);
	pattern_fill(map, bo.size, 3);
	gem_close(fd, bo.handle);
	pattern_check(map, bo.size, 3);
	munmap(map, bo.size);
}

static void flink_name(int fd)
{
	int other = drm_reopen_driver(fd);
	uint32_t name, handle;
	struct vgem_bo bo, theirs;
	void *map;

	vgem_make(fd, &bo);
	map = vgem_mmap(fd, &bo, PROT_READ | PROT_WRITE);
	pattern_fill(map, bo.size, 12);
	name = gem_flink(fd, bo.handle);
	igt_assert_eq_u32(gem_flink(fd, bo.handle), name);
	handle = gem_open(other, name);
	theirs = bo;
	theirs.handle = handle;
	munmap(map, bo.size);
	map = vgem_mmap(other, &theirs, PROT_READ);
	pattern_check(map, bo.size, 12);
	munmap(map, bo.size);
	gem_close(fd, bo.handle);
	close(other);
}

const struct vgem_test buffer_tests[] = {
	{ "create-bad", "sizes of 0 and sizes that overflow are EINVAL",
	  create_bad },
	{ "create-sizes", "odd and large sizes are rounded up", create_sizes },
	{ "create-zeroed", "a new buffer holds nobody's data", create_zeroed },
	{ "map-bad-handle", "MAP_DUMB of no handle is ENOENT", map_bad_handle },
	{ "map-bounds", "no mapping beyond the end, nor of another's buffer",
	  map_bounds },
	{ "map-alone", "a mapping alone keeps the memory", map_alone },
	{ "flink", "a buffer opened by its flink name is the same",
	  flink_name },
	{}
};
