// SPDX-License-Identifier: MIT
/* The ends of a shared buffer, closed in all orders, or by two threads at once. */

#include <pthread.h>
#include <stdatomic.h>

#include "igt.h"

#include "pair.h"

/* The four ends of one shared buffer, closed in the order of the digits. */
enum {
	END_HANDLE_A,
	END_DMABUF,
	END_HANDLE_B,
	END_DMABUF_B,
	NUM_ENDS,
};

static void close_end(int end, struct endpoint_bo *bo, const struct endpoint *b,
		      uint32_t handle, int again)
{
	if (end == END_HANDLE_A)
		gem_close(bo->ep->fd, bo->handle);
	else if (end == END_HANDLE_B)
		gem_close(b->fd, handle);
	else
		close(end == END_DMABUF ? bo->dmabuf : again);
}

/* Looks at the buffer through an end that is still open. */
static void check_end(int end, struct endpoint_bo *bo, const struct endpoint *b,
		      uint32_t handle, int again)
{
	void *map;
	int fd;

	if (end == END_HANDLE_A)
		fd = prime_handle_to_fd(bo->ep->fd, bo->handle);
	else if (end == END_HANDLE_B)
		fd = prime_handle_to_fd(b->fd, handle);
	else
		fd = dup(end == END_DMABUF ? bo->dmabuf : again);
	map = dmabuf_mmap(fd, bo->size);
	pair_check(fd, map, bo->size, 61);
	munmap(map, bo->size);
	close(fd);
}

static void close_in_order(const struct endpoint *a, const struct endpoint *b,
			   const int *order)
{
	struct endpoint_bo bo;
	uint32_t handle;
	ino_t inode;
	void *map;
	int again;

	endpoint_create(a, 16, 16, &bo);
	map = dmabuf_mmap(bo.dmabuf, bo.size);
	pair_fill(bo.dmabuf, map, bo.size, 61);
	munmap(map, bo.size);
	handle = endpoint_import(b, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);
	again = pair_export_again(b, handle, inode);

	for (int i = 0; i < NUM_ENDS; i++) {
		for (int left = i; left < NUM_ENDS; left++)
			check_end(order[left], &bo, b, handle, again);
		igt_assert_neq(dmabuf_alive(inode), 0);
		close_end(order[i], &bo, b, handle, again);
	}
	igt_debug("closed in the order %d%d%d%d\n", order[0], order[1],
		  order[2], order[3]);
	dmabuf_expect_gone(inode);
}

static void test_close_orders(const struct endpoint *a,
			      const struct endpoint *b)
{
	for (int n = 0; n < 256; n++) {
		int order[] = { n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3 };
		unsigned int seen = 0;

		for (int i = 0; i < NUM_ENDS; i++)
			seen |= 1 << order[i];
		if (seen == (1 << NUM_ENDS) - 1)
			close_in_order(a, b, order);
	}
}

struct race {
	int fd, dmabuf;
	int rounds;
	int unexpected;
	atomic_int done;
	struct race *other;
};

/*
 * Both threads get the same handle, so either may close it under the other:
 * EINVAL for a close and ENOENT for an export are right, a crash is not. Neither
 * ends before the other has done half of its own.
 */
static void *import_and_close(void *data)
{
	struct race *race = data;

	for (int i = 0;
	     i < race->rounds || race->other->done < race->rounds / 2; i++) {
		struct drm_gem_close arg = {};
		int err = __prime_fd_to_handle(race->fd, race->dmabuf,
					       &arg.handle);
		int again;

		if (err && err != -ENOENT)
			race->unexpected = err;
		err = __prime_handle_to_fd(race->fd, arg.handle, 0, &again);
		if (err == 0)
			close(again);
		else if (err != -ENOENT)
			race->unexpected = err;
		if (drmIoctl(race->fd, DRM_IOCTL_GEM_CLOSE, &arg) &&
		    errno != EINVAL)
			race->unexpected = -errno;
		race->done++;
	}
	return NULL;
}

static void test_race(const struct endpoint *a, const struct endpoint *b)
{
	struct race race[2];
	struct endpoint_bo bo;
	pthread_t thread[2];
	ino_t inode;

	endpoint_create(a, 16, 16, &bo);
	pair_require_import(b, bo.dmabuf);
	for (int i = 0; i < 2; i++)
		race[i] = (struct race){ .fd = b->fd,
					 .dmabuf = bo.dmabuf,
					 .rounds = 100,
					 .other = &race[!i] };
	for (int i = 0; i < 2; i++)
		do_or_die(pthread_create(&thread[i], NULL, import_and_close,
					 &race[i]));
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 2; i++)
		igt_assert_eq(race[i].unexpected, 0);

	pair_require_import(b, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);
	endpoint_destroy(&bo);
	/* the race has leaked none */
	dmabuf_expect_gone(inode);
}

const struct pair_test closing_tests[] = {
	{ "close-orders", "all ends closed in all orders; nothing is left",
	  test_close_orders },
	{ "import-close-race",
	  "import and close of one buffer from two threads", test_race },
	{}
};
