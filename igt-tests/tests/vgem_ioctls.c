// SPDX-License-Identifier: MIT
/*
 * vgem: its two fence ioctls, dumb buffers with sizes that overflow, mappings of
 * what is not there, and several vgem devices beside each other.
 */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"

#include "endpoint.h"

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

static int __attach(int fd, uint32_t handle, uint32_t flags, uint32_t pad,
		    uint32_t *fence)
{
	struct drm_vgem_fence_attach arg = {
		.handle = handle,
		.flags = flags,
		.pad = pad,
	};
	int err = 0;

	if (igt_ioctl(fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg))
		err = -errno;
	errno = 0;
	if (fence)
		*fence = arg.out_fence;
	return err;
}

static int __signal(int fd, uint32_t fence, uint32_t flags)
{
	struct drm_vgem_fence_signal arg = { .fence = fence, .flags = flags };
	int err = 0;

	if (igt_ioctl(fd, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg))
		err = -errno;
	errno = 0;
	return err;
}

static void make(int fd, struct vgem_bo *bo)
{
	*bo = (struct vgem_bo){ .width = 32, .height = 32, .bpp = 32 };
	vgem_create(fd, bo);
}

/* Nothing that was refused may have left a fence. */
static void check_idle(int fd, const struct vgem_bo *bo)
{
	int dmabuf = prime_handle_to_fd(fd, bo->handle);

	igt_assert(!dmabuf_busy(dmabuf, DMA_BUF_SYNC_RW));
	close(dmabuf);
}

static void attach_bad_flags(int fd)
{
	struct vgem_bo bo;

	make(fd, &bo);
	for (int bit = 0; bit < 32; bit++) {
		uint32_t flag = 1u << bit;

		if (flag == VGEM_FENCE_WRITE)
			continue;
		igt_assert_eq(__attach(fd, bo.handle, flag, 0, NULL), -EINVAL);
		igt_assert_eq(__attach(fd, bo.handle, flag | VGEM_FENCE_WRITE,
				       0, NULL),
			      -EINVAL);
	}
	check_idle(fd, &bo);
	gem_close(fd, bo.handle);
}

static void attach_bad_pad(int fd)
{
	struct vgem_bo bo;

	make(fd, &bo);
	igt_assert_eq(__attach(fd, bo.handle, 0, 1, NULL), -EINVAL);
	igt_assert_eq(__attach(fd, bo.handle, 0, 0x80000000, NULL), -EINVAL);
	check_idle(fd, &bo);
	gem_close(fd, bo.handle);
}

static void attach_bad_handle(int fd)
{
	int other = drm_reopen_driver(fd);
	struct vgem_bo bo;

	make(fd, &bo);
	igt_assert_eq(__attach(fd, 0, 0, 0, NULL), -ENOENT);
	igt_assert_eq(__attach(fd, ~0u, 0, 0, NULL), -ENOENT);
	igt_assert_eq(__attach(other, bo.handle, 0, 0, NULL), -ENOENT);
	gem_close(fd, bo.handle);
	igt_assert_eq(__attach(fd, bo.handle, 0, 0, NULL), -ENOENT);
	close(other);
}

static void signal_bad_flags(int fd)
{
	struct vgem_bo bo;
	uint32_t fence;

	make(fd, &bo);
	fence = vgem_fence_attach(fd, &bo, 0);
	for (int bit = 0; bit < 32; bit++)
		igt_assert_eq(__signal(fd, fence, 1u << bit), -EINVAL);
	/* The fence is still there. */
	igt_assert_eq(__signal(fd, fence, 0), 0);
	gem_close(fd, bo.handle);
}

static void signal_bad_fence(int fd)
{
	int other = drm_reopen_driver(fd);
	struct vgem_bo bo;
	uint32_t fence;

	make(fd, &bo);
	fence = vgem_fence_attach(fd, &bo, 0);
	igt_assert_neq_u32(fence, 0);
	igt_assert_eq(__signal(fd, 0, 0), -ENOENT);
	igt_assert_eq(__signal(fd, fence + 1000, 0), -ENOENT);
	igt_assert_eq(__signal(fd, ~0u, 0), -ENOENT);
	igt_assert_eq(__signal(fd, 0x80000000, 0), -ENOENT);
	igt_assert_eq(__signal(other, fence, 0), -ENOENT);
	igt_assert_eq(__signal(fd, fence, 0), 0);
	close(other);
	gem_close(fd, bo.handle);
}

static void signal_twice(int fd)
{
	struct vgem_bo bo;
	uint32_t fence;

	make(fd, &bo);
	fence = vgem_fence_attach(fd, &bo, VGEM_FENCE_WRITE);
	igt_assert_eq(__signal(fd, fence, 0), 0);
	igt_assert_eq(__signal(fd, fence, 0), -ENOENT);
	check_idle(fd, &bo);
	gem_close(fd, bo.handle);
}

/* The fence outlives the handle, and can be signalled without it. */
static void signal_after_close(int fd)
{
	struct vgem_bo bo;
	uint32_t fence;
	int dmabuf;

	make(fd, &bo);
	dmabuf = prime_handle_to_fd(fd, bo.handle);
	fence = vgem_fence_attach(fd, &bo, VGEM_FENCE_WRITE);
	gem_close(fd, bo.handle);
	igt_assert(dmabuf_busy(dmabuf, DMA_BUF_SYNC_READ));
	igt_assert_eq(__signal(fd, fence, 0), 0);
	igt_assert(!dmabuf_busy(dmabuf, DMA_BUF_SYNC_RW));
	close(dmabuf);
}

/* Who must wait for whom: any two of which one writes. */
static void busy_matrix(int fd)
{
	for (uint32_t n = 0; n < 4; n++) {
		uint32_t first = n & 1, second = n >> 1;
		uint32_t a, b;
		struct vgem_bo bo;

		make(fd, &bo);
		a = vgem_fence_attach(fd, &bo, first);
		if (first || second) {
			igt_assert_eq(__attach(fd, bo.handle, second, 0, NULL),
				      -EBUSY);
		} else {
			b = vgem_fence_attach(fd, &bo, second);
			igt_assert_neq_u32(a, b);
			vgem_fence_signal(fd, b);
		}
		vgem_fence_signal(fd, a);
		/* What was refused is not pending. */
		check_idle(fd, &bo);
		b = vgem_fence_attach(fd, &bo, second);
		vgem_fence_signal(fd, b);
		gem_close(fd, bo.handle);
	}
}

static void many_fences(int fd)
{
	/* each looks at those before, and the first may not expire meanwhile */
	enum { NUM = 200 };
	uint32_t fence[NUM];
	struct vgem_bo bo;
	int dmabuf;

	make(fd, &bo);
	dmabuf = prime_handle_to_fd(fd, bo.handle);
	for (int i = 0; i < NUM; i++)
		fence[i] = vgem_fence_attach(fd, &bo, 0);
	igt_assert_eq(__attach(fd, bo.handle, VGEM_FENCE_WRITE, 0, NULL),
		      -EBUSY);
	for (int i = 0; i < NUM; i++) {
		igt_assert(dmabuf_busy(dmabuf, DMA_BUF_SYNC_WRITE));
		vgem_fence_signal(fd, fence[i * 7 % NUM]);
	}
	igt_assert(!dmabuf_busy(dmabuf, DMA_BUF_SYNC_RW));
	close(dmabuf);
	gem_close(fd, bo.handle);
}

/* vgem ends a forgotten fence itself, after 10 s, and says so. */
static void fence_expires(int fd)
{
	struct pollfd p = { .events = POLLIN };
	struct timespec start = {};
	struct vgem_bo bo;
	uint32_t fence;

	make(fd, &bo);
	p.fd = prime_handle_to_fd(fd, bo.handle);
	igt_nsec_elapsed(&start);
	fence = vgem_fence_attach(fd, &bo, VGEM_FENCE_WRITE);
	igt_assert_eq(poll(&p, 1, 5000), 0);
	igt_assert_eq(poll(&p, 1, 15000), 1);
	igt_assert(igt_nsec_elapsed(&start) > 9000000000ull);
	igt_assert_eq(__signal(fd, fence, 0), -ETIMEDOUT);
	igt_assert_eq(__signal(fd, fence, 0), -ENOENT);
	close(p.fd);
	gem_close(fd, bo.handle);
}

struct attacher {
	int fd;
	uint32_t handle, fence;
	int err;
	pthread_barrier_t *barrier;
};

static void *attach_write(void *data)
{
	struct attacher *a = data;

	pthread_barrier_wait(a->barrier);
	a->err = __attach(a->fd, a->handle, VGEM_FENCE_WRITE, 0, &a->fence);
	return NULL;
}

/* Two writers at once: one must win, the other be told EBUSY. */
static void attach_race(int fd)
{
	pthread_barrier_t barrier;
	struct vgem_bo bo;

	make(fd, &bo);
	pthread_barrier_init(&barrier, NULL, 2);
	for (int round = 0; round < 200; round++) {
		struct attacher a[2];
		pthread_t thread[2];

		for (int i = 0; i < 2; i++) {
			a[i] = (struct attacher){ fd, bo.handle, 0, 0,
						  &barrier };
			do_or_die(pthread_create(&thread[i], NULL, attach_write,
						 &a[i]));
		}
		for (int i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
		igt_assert_f(a[0].err || a[1].err,
			     "round %d: two writers at once\n", round);
		igt_assert_eq(a[0].err + a[1].err, -EBUSY);
		vgem_fence_signal(fd, a[a[0].err ? 1 : 0].fence);
	}
	check_idle(fd, &bo);
	gem_close(fd, bo.handle);
}

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

		make(fd, &bo);
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

	make(fd, &bo);
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

	make(fd, &bo);
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

	make(fd, &bo);
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

	make(fd, &bo);
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

static const struct {
	const char *name, *describe;
	void (*run)(int fd);
} tests[] = {
	{ "identity", "the name, version and abilities clients look for",
	  identity },
	{ "attach-bad-flags", "unknown flags are EINVAL", attach_bad_flags },
	{ "attach-bad-pad", "padding that is not 0 is EINVAL", attach_bad_pad },
	{ "attach-bad-handle", "no such handle is ENOENT", attach_bad_handle },
	{ "attach-busy", "EBUSY exactly for what conflicts", busy_matrix },
	{ "attach-race", "of two writers at once one gets EBUSY", attach_race },
	{ "signal-bad-flags", "flags are EINVAL and the fence stays",
	  signal_bad_flags },
	{ "signal-bad-fence", "no such fence, or another file's, is ENOENT",
	  signal_bad_fence },
	{ "signal-twice", "the second signal is ENOENT", signal_twice },
	{ "signal-after-close", "a fence outlives the handle",
	  signal_after_close },
	{ "many-fences", "a thousand pending fences, signalled out of order",
	  many_fences },
	{ "fence-expires", "a forgotten fence ends after 10 s, with ETIMEDOUT",
	  fence_expires },
	{ "unknown-ioctl", "any other driver ioctl is EINVAL", unknown_ioctl },
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
};

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

/* A handle and a fence of one device mean nothing on the other. */
static void check_devices_apart(int a, int b)
{
	struct vgem_bo bo;
	uint32_t fence;

	make(a, &bo);
	igt_assert_eq(__attach(b, bo.handle, 0, 0, NULL), -ENOENT);
	fence = vgem_fence_attach(a, &bo, VGEM_FENCE_WRITE);
	igt_assert_eq(__signal(b, fence, 0), -ENOENT);
	vgem_fence_signal(a, fence);
	gem_close(a, bo.handle);
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

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name) {
			for (int i = 0; i < num; i++) {
				igt_dynamic(eps[idx[i]].name)
					tests[t].run(eps[idx[i]].fd);
			}
		}
	}

	igt_describe("several vgem devices are separate devices");
	igt_subtest("many-devices") {
		igt_require_f(num > 1, "there is one vgem device\n");
		check_devices_differ(eps, idx, num);
		for (int i = 1; i < num; i++) {
			check_devices_apart(eps[idx[i - 1]].fd, eps[idx[i]].fd);
			check_devices_apart(eps[idx[i]].fd, eps[idx[i - 1]].fd);
		}
	}

	igt_fixture
		endpoints_close(eps, all);
}
