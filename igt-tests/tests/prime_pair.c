// SPDX-License-Identifier: MIT
/*
 * A buffer that one DRM device exports and another imports, for every ordered
 * pair of the devices present.
 *
 * The exporter's side is seen through a mapping of its dumb buffer, the
 * importer's through a mapping of what the importer exports again. Both must be
 * one memory and one dma-buf, whichever process holds which end, and for as long
 * as one end lives.
 */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "igt.h"
#include "igt_vgem.h"

#include "endpoint.h"

IGT_TEST_DESCRIPTION("Sharing a buffer between any two DRM devices.");

#define WIDTH  64
#define HEIGHT 48

/* Maps the exporter's buffer by its own handle, not by the dma-buf. */
static void *map_native(const struct endpoint_bo *bo)
{
	struct vgem_bo dumb = { .handle = bo->handle, .size = bo->size };

	return vgem_mmap(bo->ep->fd, &dumb, PROT_READ | PROT_WRITE);
}

/* The dma-buf as the importer hands it on. */
static int export_again(const struct endpoint *importer, uint32_t handle,
			ino_t inode)
{
	int dmabuf = prime_handle_to_fd_for_mmap(importer->fd, handle);

	igt_assert_f(dmabuf_inode(dmabuf) == inode,
		     "the importer exports another dma-buf than it imported\n");
	return dmabuf;
}

static void test_coherent(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	uint32_t handle;
	void *ours, *theirs;
	int again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	ours = map_native(&bo);
	pattern_fill(ours, bo.size, 1);

	handle = endpoint_import(b, bo.dmabuf);
	again = export_again(b, handle, dmabuf_inode(bo.dmabuf));
	igt_assert_eq_u64(prime_get_size(again), bo.size);
	theirs = dmabuf_mmap(again, bo.size);
	for (uint32_t seed = 1; seed < 4; seed++) {
		prime_sync_start(again, true);
		pattern_check(theirs, bo.size, seed);
		pattern_fill(theirs, bo.size, seed + 100);
		prime_sync_end(again, true);

		pattern_check(ours, bo.size, seed + 100);
		pattern_fill(ours, bo.size, seed + 1);
	}

	munmap(theirs, bo.size);
	munmap(ours, bo.size);
	close(again);
	gem_close(b->fd, handle);
	endpoint_destroy(&bo);
}

/*
 * The other process: imports on a file of its own, finds seed, leaves seed + 1.
 * It runs as a child, where nothing may skip: the caller has imported before.
 */
static void other_side(const struct endpoint *b, int dmabuf, uint32_t seed)
{
	struct endpoint mine = *b;
	uint32_t handle;
	uint64_t size = prime_get_size(dmabuf);
	void *map;
	int again;

	mine.fd = drm_reopen_driver(b->fd);
	handle = prime_fd_to_handle(mine.fd, dmabuf);
	again = export_again(&mine, handle, dmabuf_inode(dmabuf));
	close(dmabuf);
	map = dmabuf_mmap(again, size);
	prime_sync_start(again, true);
	pattern_check(map, size, seed);
	pattern_fill(map, size, seed + 1);
	prime_sync_end(again, true);
	munmap(map, size);
	close(again);
	gem_close(mine.fd, handle);
	close(mine.fd);
}

static void require_import(const struct endpoint *b, int dmabuf)
{
	gem_close(b->fd, endpoint_import(b, dmabuf));
}

static void test_scm_rights(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	void *map;
	int sk[2];

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	require_import(b, bo.dmabuf);
	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	map = map_native(&bo);
	pattern_fill(map, bo.size, 7);

	igt_fork(child, 1) {
		/* Only what came over the socket may carry the buffer. */
		close(bo.dmabuf);
		other_side(b, receive_fd(sk[1]), 7);
	}
	send_fd(sk[0], bo.dmabuf);
	igt_waitchildren();
	pattern_check(map, bo.size, 8);

	close(sk[0]);
	close(sk[1]);
	munmap(map, bo.size);
	endpoint_destroy(&bo);
}

static void test_fork(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	void *map;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	require_import(b, bo.dmabuf);
	map = map_native(&bo);
	pattern_fill(map, bo.size, 17);
	igt_fork(child, 1)
		other_side(b, bo.dmabuf, 17);
	igt_waitchildren();
	pattern_check(map, bo.size, 18);
	munmap(map, bo.size);
	endpoint_destroy(&bo);
}

/* A process that makes a buffer, gives it away and dies without a close. */
static void exporter_process(const struct endpoint *a, int sk, uint32_t seed)
{
	struct endpoint mine = *a;
	struct endpoint_bo bo;
	void *map;

	mine.fd = drm_reopen_driver(a->fd);
	endpoint_create(&mine, WIDTH, HEIGHT, &bo);
	map = map_native(&bo);
	pattern_fill(map, bo.size, seed);
	send_fd(sk, bo.dmabuf);
	pause();
}

static void test_exporter_killed(const struct endpoint *a,
				 const struct endpoint *b)
{
	struct igt_helper_process proc = { .use_SIGKILL = true };
	uint32_t handle;
	uint64_t size;
	ino_t inode;
	void *map;
	int sk[2], dmabuf;

	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	igt_fork_helper(&proc)
		exporter_process(a, sk[1], 23);
	dmabuf = receive_fd(sk[0]);
	igt_stop_helper(&proc);

	size = prime_get_size(dmabuf);
	inode = dmabuf_inode(dmabuf);
	handle = endpoint_import(b, dmabuf);
	close(dmabuf);
	dmabuf = export_again(b, handle, inode);
	map = dmabuf_mmap(dmabuf, size);
	pattern_check(map, size, 23);
	pattern_fill(map, size, 24);
	pattern_check(map, size, 24);
	munmap(map, size);
	close(dmabuf);
	gem_close(b->fd, handle);
	igt_assert_neq(dmabuf_alive(inode), 1);
	close(sk[0]);
	close(sk[1]);
}

/* The importer's handle alone keeps the memory: file, handle and fd are gone. */
static void test_exporter_closed(const struct endpoint *a,
				 const struct endpoint *b)
{
	struct endpoint mine = *a;
	struct endpoint_bo bo;
	uint32_t handle;
	ino_t inode;
	void *map;
	int again;

	mine.fd = drm_reopen_driver(a->fd);
	endpoint_create(&mine, WIDTH, HEIGHT, &bo);
	map = map_native(&bo);
	pattern_fill(map, bo.size, 31);
	munmap(map, bo.size);
	handle = endpoint_import(b, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);

	gem_close(mine.fd, bo.handle);
	close(mine.fd);
	close(bo.dmabuf);

	again = export_again(b, handle, inode);
	map = dmabuf_mmap(again, bo.size);
	pattern_check(map, bo.size, 31);
	munmap(map, bo.size);
	close(again);
	gem_close(b->fd, handle);
	igt_assert_neq(dmabuf_alive(inode), 1);
}

static void test_same_handle(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	uint32_t handle;
	int copy, again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	handle = endpoint_import(b, bo.dmabuf);
	igt_assert_eq_u32(prime_fd_to_handle(b->fd, bo.dmabuf), handle);
	copy = dup(bo.dmabuf);
	igt_assert_eq_u32(prime_fd_to_handle(b->fd, copy), handle);
	again = export_again(b, handle, dmabuf_inode(bo.dmabuf));
	igt_assert_eq_u32(prime_fd_to_handle(b->fd, again), handle);

	/* However often it was imported, it is one handle: one close. */
	gem_close(b->fd, handle);
	igt_assert_eq(__prime_handle_to_fd(b->fd, handle, 0, &again), -ENOENT);

	close(copy);
	endpoint_destroy(&bo);
}

/* After a close the importer must start afresh, not find the stale entry. */
static void test_import_after_close(const struct endpoint *a,
				    const struct endpoint *b)
{
	struct endpoint_bo bo;
	void *map;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	map = map_native(&bo);
	for (uint32_t round = 0; round < 8; round++) {
		uint32_t handle = endpoint_import(b, bo.dmabuf);
		int again = export_again(b, handle, dmabuf_inode(bo.dmabuf));
		void *theirs = dmabuf_mmap(again, bo.size);

		pattern_fill(map, bo.size, round);
		pattern_check(theirs, bo.size, round);
		munmap(theirs, bo.size);
		close(again);
		gem_close(b->fd, handle);
	}
	munmap(map, bo.size);
	endpoint_destroy(&bo);
}

/* Two files of the importer: one object each, closed one after the other. */
static void test_two_importers(const struct endpoint *a,
			       const struct endpoint *b)
{
	struct endpoint other = *b;
	struct endpoint_bo bo;
	uint32_t first, second;
	void *map, *theirs;
	int again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	map = map_native(&bo);
	pattern_fill(map, bo.size, 41);
	other.fd = drm_reopen_driver(b->fd);
	first = endpoint_import(b, bo.dmabuf);
	second = prime_fd_to_handle(other.fd, bo.dmabuf);
	gem_close(b->fd, first);

	again = export_again(&other, second, dmabuf_inode(bo.dmabuf));
	theirs = dmabuf_mmap(again, bo.size);
	pattern_check(theirs, bo.size, 41);
	munmap(theirs, bo.size);
	munmap(map, bo.size);
	close(again);
	/* Closing the file must clear what closing the handle would have. */
	close(other.fd);
	endpoint_destroy(&bo);
}

/* There and back: the exporter must know its own object again. */
static void test_import_back(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	uint32_t handle;
	int again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	handle = endpoint_import(b, bo.dmabuf);
	again = export_again(b, handle, dmabuf_inode(bo.dmabuf));
	igt_assert_eq_u32(prime_fd_to_handle(a->fd, again), bo.handle);
	close(again);
	gem_close(b->fd, handle);
	endpoint_destroy(&bo);
}

static void test_two_buffers(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo[2];
	uint32_t handle[2];
	void *map[2];
	int again[2];

	for (int i = 0; i < 2; i++) {
		endpoint_create(a, WIDTH, HEIGHT, &bo[i]);
		handle[i] = endpoint_import(b, bo[i].dmabuf);
	}
	igt_assert_neq_u32(handle[0], handle[1]);
	for (int i = 0; i < 2; i++) {
		again[i] =
			export_again(b, handle[i], dmabuf_inode(bo[i].dmabuf));
		map[i] = dmabuf_mmap(again[i], bo[i].size);
		pattern_fill(map[i], bo[i].size, 50 + i);
	}
	igt_assert(dmabuf_inode(again[0]) != dmabuf_inode(again[1]));
	for (int i = 0; i < 2; i++) {
		pattern_check(map[i], bo[i].size, 50 + i);
		munmap(map[i], bo[i].size);
		close(again[i]);
		gem_close(b->fd, handle[i]);
		endpoint_destroy(&bo[i]);
	}
}

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
	pattern_check(map, bo->size, 61);
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
	pattern_fill(map, bo.size, 61);
	munmap(map, bo.size);
	handle = endpoint_import(b, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);
	again = export_again(b, handle, inode);

	for (int i = 0; i < NUM_ENDS; i++) {
		for (int left = i; left < NUM_ENDS; left++)
			check_end(order[left], &bo, b, handle, again);
		igt_assert_neq(dmabuf_alive(inode), 0);
		close_end(order[i], &bo, b, handle, again);
	}
	igt_assert_f(dmabuf_alive(inode) != 1,
		     "closed in the order %d%d%d%d, the dma-buf stays\n",
		     order[0], order[1], order[2], order[3]);
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
};

/*
 * Both threads get the same handle, so either may close it under the other:
 * EINVAL for a close and ENOENT for an export are right, a crash is not.
 */
static void *import_and_close(void *data)
{
	struct race *race = data;

	for (int i = 0; i < race->rounds; i++) {
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
	require_import(b, bo.dmabuf);
	for (int i = 0; i < 2; i++) {
		race[i] = (struct race){ b->fd, bo.dmabuf, 100, 0 };
		do_or_die(pthread_create(&thread[i], NULL, import_and_close,
					 &race[i]));
	}
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 2; i++)
		igt_assert_eq(race[i].unexpected, 0);

	require_import(b, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);
	endpoint_destroy(&bo);
	igt_assert_f(dmabuf_alive(inode) != 1,
		     "the race has leaked a dma-buf\n");
}

/* One device with itself: importing is finding the object. */
static void test_self(const struct endpoint *a)
{
	struct vgem_bo second = {};
	struct endpoint_bo bo;
	uint32_t other_handle;
	void *map, *theirs;
	int other, again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	igt_assert_eq_u32(prime_fd_to_handle(a->fd, bo.dmabuf), bo.handle);
	again = prime_handle_to_fd(a->fd, bo.handle);
	igt_assert(dmabuf_inode(again) == dmabuf_inode(bo.dmabuf));
	close(again);

	/* A second file gets the object itself: mappable as a native one. */
	other = drm_reopen_driver(a->fd);
	other_handle = prime_fd_to_handle(other, bo.dmabuf);
	map = map_native(&bo);
	pattern_fill(map, bo.size, 71);
	munmap(map, bo.size);
	second.handle = other_handle;
	second.size = bo.size;
	theirs = vgem_mmap(other, &second, PROT_READ);
	pattern_check(theirs, bo.size, 71);
	munmap(theirs, bo.size);
	again = prime_handle_to_fd(other, other_handle);
	igt_assert(dmabuf_inode(again) == dmabuf_inode(bo.dmabuf));
	close(again);

	gem_close(a->fd, bo.handle);
	igt_assert_eq(__prime_handle_to_fd(a->fd, bo.handle, 0, &again),
		      -ENOENT);
	again = prime_handle_to_fd(other, other_handle);
	igt_assert(dmabuf_inode(again) == dmabuf_inode(bo.dmabuf));
	close(again);
	close(other);
	close(bo.dmabuf);
}

static const struct {
	const char *name, *describe;
	void (*run)(const struct endpoint *a, const struct endpoint *b);
} tests[] = {
	{ "coherent", "what one side writes the other side reads",
	  test_coherent },
	{ "scm-rights", "the importer is a process that got the fd by a socket",
	  test_scm_rights },
	{ "fork", "the importer is a child that inherited the fd", test_fork },
	{ "exporter-killed",
	  "the exporting process was killed before the import",
	  test_exporter_killed },
	{ "exporter-closed", "the importer's handle alone keeps the memory",
	  test_exporter_closed },
	{ "import-same-handle", "importing again gives the same handle",
	  test_same_handle },
	{ "import-after-close", "closing the handle clears the cache",
	  test_import_after_close },
	{ "two-importers",
	  "two files of the importer do not disturb each other",
	  test_two_importers },
	{ "import-back", "the exporter gets its own handle back",
	  test_import_back },
	{ "two-buffers", "two buffers stay two", test_two_buffers },
	{ "close-orders", "all ends closed in all orders; nothing is left",
	  test_close_orders },
	{ "import-close-race",
	  "import and close of one buffer from two threads", test_race },
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		drm_load_module(DRIVER_VGEM | DRIVER_VKMS);
		num = endpoints_open_drm(eps, MAX_ENDPOINTS);
		igt_require_f(num, "no DRM device\n");
	}

	igt_describe("a device that imports its own buffer finds the object");
	igt_subtest_with_dynamic("self-import") {
		for (int i = 0; i < num; i++) {
			if (!eps[i].exports || !eps[i].imports)
				continue;
			igt_dynamic(eps[i].name)
				test_self(&eps[i]);
		}
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name) {
			for (int p = 0; p < num * num; p++) {
				const struct endpoint *a = &eps[p / num];
				const struct endpoint *b = &eps[p % num];

				if (a == b || !a->exports || !b->imports)
					continue;
				igt_dynamic_f("%s-to-%s", a->name, b->name)
					tests[t].run(a, b);
			}
		}
	}

	igt_fixture
		endpoints_close(eps, num);
}
