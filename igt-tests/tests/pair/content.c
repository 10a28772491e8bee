// SPDX-License-Identifier: MIT
/* What one side writes the other reads, in another process, and when one is gone. */

#include <fcntl.h>
#include <sys/socket.h>

#include "igt.h"

#include "pair.h"

void pair_require_import(const struct endpoint *b, int dmabuf)
{
	gem_close(b->fd, endpoint_import(b, dmabuf));
}

void pair_fill(int dmabuf, void *map, uint64_t size, uint32_t seed)
{
	prime_sync_start(dmabuf, true);
	pattern_fill(map, size, seed);
	prime_sync_end(dmabuf, true);
}

void pair_check(int dmabuf, const void *map, uint64_t size, uint32_t seed)
{
	prime_sync_start(dmabuf, false);
	pattern_check(map, size, seed);
	prime_sync_end(dmabuf, false);
}

static void test_coherent(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	uint32_t handle;
	void *ours, *theirs;
	int again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	ours = endpoint_map(&bo);
	pattern_fill(ours, bo.size, 1);

	handle = endpoint_import(b, bo.dmabuf);
	again = pair_export_again(b, handle, dmabuf_inode(bo.dmabuf));
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
	again = pair_export_again(&mine, handle, dmabuf_inode(dmabuf));
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

static void test_scm_rights(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint_bo bo;
	void *map;
	int sk[2];

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	pair_require_import(b, bo.dmabuf);
	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	map = endpoint_map(&bo);
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
	pair_require_import(b, bo.dmabuf);
	map = endpoint_map(&bo);
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
	map = endpoint_map(&bo);
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
	dmabuf = pair_export_again(b, handle, inode);
	map = dmabuf_mmap(dmabuf, size);
	pair_check(dmabuf, map, size, 23);
	pair_fill(dmabuf, map, size, 24);
	pair_check(dmabuf, map, size, 24);
	munmap(map, size);
	close(dmabuf);
	gem_close(b->fd, handle);
	dmabuf_expect_gone(inode);
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
	map = endpoint_map(&bo);
	pattern_fill(map, bo.size, 31);
	munmap(map, bo.size);
	handle = endpoint_import(b, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);

	gem_close(mine.fd, bo.handle);
	close(mine.fd);
	close(bo.dmabuf);

	again = pair_export_again(b, handle, inode);
	map = dmabuf_mmap(again, bo.size);
	pair_check(again, map, bo.size, 31);
	munmap(map, bo.size);
	close(again);
	gem_close(b->fd, handle);
	dmabuf_expect_gone(inode);
}

const struct pair_test content_tests[] = {
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
	{}
};
