// SPDX-License-Identifier: MIT
/* vgem's two fence ioctls: what they refuse, who is in whose way, how fences end. */

#include <pthread.h>

#include "dmabuf_sync_file.h"
#include "igt.h"

#include "../poll_for.h"
#include "vgem.h"

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

	vgem_make(fd, &bo);
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

	vgem_make(fd, &bo);
	igt_assert_eq(__attach(fd, bo.handle, 0, 1, NULL), -EINVAL);
	igt_assert_eq(__attach(fd, bo.handle, 0, 0x80000000, NULL), -EINVAL);
	check_idle(fd, &bo);
	gem_close(fd, bo.handle);
}

static void attach_bad_handle(int fd)
{
	int other = drm_reopen_driver(fd);
	struct vgem_bo bo;

	vgem_make(fd, &bo);
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

	vgem_make(fd, &bo);
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

	vgem_make(fd, &bo);
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

	vgem_make(fd, &bo);
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

	vgem_make(fd, &bo);
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

		vgem_make(fd, &bo);
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

	vgem_make(fd, &bo);
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
	struct timespec start = {};
	struct vgem_bo bo;
	uint32_t fence;
	int dmabuf;

	vgem_make(fd, &bo);
	dmabuf = prime_handle_to_fd(fd, bo.handle);
	igt_nsec_elapsed(&start);
	fence = vgem_fence_attach(fd, &bo, VGEM_FENCE_WRITE);
	igt_assert_eq(poll_for(dmabuf, POLLIN, 5000), 0);
	igt_assert_eq(poll_for(dmabuf, POLLIN, 15000), POLLIN);
	igt_assert(igt_nsec_elapsed(&start) > 9000000000ull);
	igt_assert_eq(__signal(fd, fence, 0), -ETIMEDOUT);
	igt_assert_eq(__signal(fd, fence, 0), -ENOENT);
	close(dmabuf);
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

	vgem_make(fd, &bo);
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

void fences_are_apart(int a, int b)
{
	struct vgem_bo bo;
	uint32_t fence;

	vgem_make(a, &bo);
	igt_assert_eq(__attach(b, bo.handle, 0, 0, NULL), -ENOENT);
	fence = vgem_fence_attach(a, &bo, VGEM_FENCE_WRITE);
	igt_assert_eq(__signal(b, fence, 0), -ENOENT);
	vgem_fence_signal(a, fence);
	gem_close(a, bo.handle);
}

const struct vgem_test fence_tests[] = {
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
	{}
};
