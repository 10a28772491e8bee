// SPDX-License-Identifier: MIT
/* Descriptors that are for reading only, and stay so wherever they go. */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "igt.h"

#include "permissions.h"

static void expect_no_writing(int dmabuf, uint64_t size)
{
	char path[32];
	void *map;
	int fd;

	igt_assert_eq(fcntl(dmabuf, F_GETFL) & O_ACCMODE, O_RDONLY);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	igt_assert(map == MAP_FAILED);
	igt_assert_eq(errno, EACCES);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, dmabuf, 0);
	igt_assert(map != MAP_FAILED);
	pattern_check(map, size, 1);
	igt_assert_eq(mprotect(map, size, PROT_READ | PROT_WRITE), -1);
	igt_assert_eq(errno, EACCES);
	munmap(map, size);

	/* A dma-buf has no name by which it could be opened once more. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dmabuf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	igt_assert_lt(fd, 0);
	errno = 0;
}

/* A buffer whose only descriptor is one for reading. */
static int create_read_only(const struct endpoint *ep, struct endpoint_bo *bo)
{
	struct drm_mode_create_dumb dumb = { .width = 32,
					     .height = 32,
					     .bpp = 32 };
	struct endpoint_bo made = { .ep = ep, .memfd = -1 };
	void *map;

	igt_require_f(ep->type == ENDPOINT_DRM,
		      "%s has no descriptors for reading\n", ep->name);
	do_ioctl(ep->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	made.handle = dumb.handle;
	made.pitch = dumb.pitch;
	made.size = dumb.size;
	map = endpoint_map(&made);
	pattern_fill(map, made.size, 1);
	munmap(map, made.size);
	made.dmabuf = prime_handle_to_fd(ep->fd, made.handle);
	*bo = made;
	return made.dmabuf;
}

/* Importing takes no right away and gives none. */
static void read_only_import(const struct endpoint *exporter,
			     const struct endpoint *importer)
{
	struct endpoint_bo bo;
	int dmabuf = create_read_only(exporter, &bo), again;
	uint32_t handle = endpoint_import(importer, dmabuf);

	again = prime_handle_to_fd_for_mmap(importer->fd, handle);
	igt_assert(dmabuf_inode(again) == dmabuf_inode(dmabuf));
	expect_no_writing(again, bo.size);
	close(again);
	again = prime_handle_to_fd_for_mmap(exporter->fd, bo.handle);
	expect_no_writing(again, bo.size);
	close(again);
	gem_close(importer->fd, handle);
	endpoint_destroy(&bo);
}

static void read_only_sent(const struct endpoint *exporter,
			   const struct endpoint *importer)
{
	struct endpoint_bo bo;
	int dmabuf = create_read_only(exporter, &bo), sk[2];

	gem_close(importer->fd, endpoint_import(importer, dmabuf));
	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	igt_fork(child, 1) {
		int mine, again;
		uint32_t handle;

		igt_drop_root();
		close(dmabuf);
		mine = receive_fd(sk[1]);
		expect_no_writing(mine, bo.size);
		handle = prime_fd_to_handle(importer->fd, mine);
		again = prime_handle_to_fd_for_mmap(importer->fd, handle);
		expect_no_writing(again, bo.size);
		gem_close(importer->fd, handle);
	}
	send_fd(sk[0], dmabuf);
	igt_waitchildren();
	close(sk[0]);
	close(sk[1]);
	endpoint_destroy(&bo);
}

/* A DRM file for reading shares as any other, but its mappings are for reading. */
static void read_only_file(const struct endpoint *exporter,
			   const struct endpoint *importer)
{
	struct endpoint mine = *importer;
	struct endpoint_bo bo;
	uint32_t handle;
	char path[32];
	void *map;
	int again;

	endpoint_create(exporter, 32, 32, &bo);
	map = dmabuf_mmap(bo.dmabuf, bo.size);
	pattern_fill(map, bo.size, 1);
	munmap(map, bo.size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", importer->fd);
	mine.fd = open(path, O_RDONLY | O_CLOEXEC);
	igt_assert_fd(mine.fd);
	handle = endpoint_import(&mine, bo.dmabuf);
	again = prime_handle_to_fd_for_mmap(mine.fd, handle);
	igt_assert(dmabuf_inode(again) == dmabuf_inode(bo.dmabuf));
	map = dmabuf_mmap(again, bo.size);
	pattern_check(map, bo.size, 1);
	munmap(map, bo.size);
	close(again);
	map = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, mine.fd,
		   0);
	igt_assert(map == MAP_FAILED);
	igt_assert_eq(errno, EACCES);
	close(mine.fd);
	endpoint_destroy(&bo);
}

const struct permission_test mode_tests[] = {
	{ "read-only-import", "an import gives no right to write",
	  read_only_import, false },
	{ "read-only-sent", "nor does another process", read_only_sent, false },
	{ "read-only-file", "a file for reading imports and exports",
	  read_only_file, false },
	{}
};
