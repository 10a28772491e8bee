// SPDX-License-Identifier: MIT
/* A dma-buf as a file: its size, and the mappings that it has and has not. */

#include <fcntl.h>
#include <string.h>

#include "igt.h"
#include "igt_vgem.h"

#include "descriptor.h"

static void expect_seek(int fd, off_t offset, int whence, off_t expected)
{
	errno = 0;
	igt_assert_eq_s64(lseek(fd, offset, whence), expected);
	igt_assert_eq(errno, expected < 0 ? EINVAL : 0);
	errno = 0;
}

static void seek(struct endpoint_bo *bo)
{
	expect_seek(bo->dmabuf, 0, SEEK_END, bo->size);
	expect_seek(bo->dmabuf, 0, SEEK_SET, 0);
	expect_seek(bo->dmabuf, 0, SEEK_CUR, -1);
	expect_seek(bo->dmabuf, 1, SEEK_SET, -1);
	expect_seek(bo->dmabuf, PAGE, SEEK_SET, -1);
	expect_seek(bo->dmabuf, -1, SEEK_END, -1);
	expect_seek(bo->dmabuf, 1, SEEK_END, -1);
	expect_seek(bo->dmabuf, INT64_MAX, SEEK_END, -1);
	expect_seek(bo->dmabuf, 0, SEEK_DATA, -1);
	expect_seek(bo->dmabuf, 0, SEEK_HOLE, -1);
	expect_seek(bo->dmabuf, 0, SEEK_END, bo->size);
}

static void read_write(struct endpoint_bo *bo)
{
	char byte = 1;

	igt_assert_eq(read(bo->dmabuf, &byte, 1), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq(write(bo->dmabuf, &byte, 1), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq(ftruncate(bo->dmabuf, 0), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq_s64(prime_get_size(bo->dmabuf), bo->size);
	errno = 0;
}

static void expect_no_map(int fd, size_t len, off_t offset)
{
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);

	igt_assert_f(map == MAP_FAILED, "%#zx bytes at %#llx can be mapped\n",
		     len, (unsigned long long)offset);
	/* What no file can hold is refused before the dma-buf is asked. */
	igt_assert(errno == EINVAL || (errno == EOVERFLOW && offset < 0));
	errno = 0;
}

static void mmap_bounds(struct endpoint_bo *bo)
{
	off_t last = (off_t)(~0ull << 12);

	expect_no_map(bo->dmabuf, PAGE, bo->size);
	expect_no_map(bo->dmabuf, PAGE, bo->size + PAGE);
	expect_no_map(bo->dmabuf, bo->size, PAGE);
	expect_no_map(bo->dmabuf, bo->size + PAGE, 0);
	expect_no_map(bo->dmabuf, 2 * PAGE, bo->size - PAGE);
	expect_no_map(bo->dmabuf, PAGE, 1ll << 40);
	expect_no_map(bo->dmabuf, PAGE, INT64_MAX & ~(PAGE - 1));
	/* Offset plus length wraps round to somewhere inside. */
	expect_no_map(bo->dmabuf, PAGE, last);
	expect_no_map(bo->dmabuf, 2 * PAGE, last);
	expect_no_map(bo->dmabuf, bo->size, last - PAGE);
}

/* A mapping that grows, if it may at all, shows nothing behind the buffer. */
static void mmap_grow(struct endpoint_bo *bo)
{
	char *map = dmabuf_mmap(bo->dmabuf, bo->size), *more;
	int pipe_fd[2];

	do_or_die(pipe2(pipe_fd, O_CLOEXEC));
	more = mremap(map, bo->size, 2 * bo->size, MREMAP_MAYMOVE);
	if (more == MAP_FAILED) {
		igt_assert(errno == EFAULT || errno == EINVAL);
		more = map;
	} else {
		/* The kernel reads for us, so that no signal is raised. */
		for (uint64_t at = bo->size; at < 2 * bo->size; at += PAGE) {
			igt_assert_eq(write(pipe_fd[1], more + at, 1), -1);
			igt_assert_eq(errno, EFAULT);
		}
		munmap(more + bo->size, bo->size);
	}
	errno = 0;
	igt_assert_eq(write(pipe_fd[1], more + bo->size - 1, 1), 1);
	munmap(more, bo->size);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* A part of the buffer must be that part. */
static void mmap_offset(struct endpoint_bo *bo)
{
	char *map = dmabuf_mmap(bo->dmabuf, bo->size), *part;

	pattern_fill(map, bo->size, 5);
	for (uint64_t at = 0; at < bo->size; at += PAGE) {
		uint64_t rest = bo->size - at;

		part = mmap(NULL, rest, PROT_READ, MAP_SHARED, bo->dmabuf, at);
		igt_assert(part != MAP_FAILED);
		igt_assert_f(memcmp(part, map + at, rest) == 0,
			     "mapped from page %u on, other content is seen\n",
			     (unsigned int)(at / PAGE));
		munmap(part, rest);
	}
	munmap(map, bo->size);
}

/* A read-only descriptor must give no way to write, not even later. */
static void mmap_read_only(struct endpoint_bo *bo)
{
	struct vgem_bo dumb = { .width = 64, .height = 64, .bpp = 32 };
	uint32_t *map;
	void *denied;
	int fd;

	igt_require_f(bo->ep->type == ENDPOINT_DRM,
		      "%s makes no read-only descriptors\n", bo->ep->name);
	/* Another one: the first export decides, and bo was exported. */
	vgem_create(bo->ep->fd, &dumb);
	fd = prime_handle_to_fd(bo->ep->fd, dumb.handle);
	denied = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	igt_assert(denied == MAP_FAILED);
	igt_assert_eq(errno, EACCES);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	igt_assert(map != MAP_FAILED);
	igt_assert_eq_u32(map[0], 0);
	igt_assert_eq(mprotect(map, PAGE, PROT_READ | PROT_WRITE), -1);
	igt_assert_eq(errno, EACCES);
	errno = 0;
	munmap(map, PAGE);
	close(fd);
	gem_close(bo->ep->fd, dumb.handle);
}

/* Not all: i915 has its buffers mapped as files in memory are. */
static bool refuses_private(const struct endpoint *ep)
{
	static const char *const drivers[] = { "vgem", "vkms", "virtio-gpu" };

	for (unsigned int i = 0; i < ARRAY_SIZE(drivers); i++)
		if (ep->type == ENDPOINT_DRM && !strcmp(ep->driver, drivers[i]))
			return true;
	return false;
}

/*
 * A page of its own, which a process gets by writing to a private mapping, would not
 * follow the buffer. Whoever does not refuse keeps it to that process.
 */
static void mmap_private(struct endpoint_bo *bo)
{
	uint32_t *shared = dmabuf_mmap(bo->dmabuf, bo->size), *private;

	pattern_fill(shared, bo->size, 11);
	errno = 0;
	private = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       bo->dmabuf, 0);
	if (private != MAP_FAILED) {
		igt_assert(!refuses_private(bo->ep));
		pattern_fill(private, bo->size, 12);
		munmap(private, bo->size);
	} else {
		igt_assert_eq(errno, EINVAL);
		errno = 0;
	}
	pattern_check(shared, bo->size, 11);
	munmap(shared, bo->size);
}

/* A mapping keeps the memory when everything else is closed. */
static void mmap_alone(struct endpoint_bo *bo)
{
	struct endpoint_bo mine;
	ino_t inode;
	void *map;

	endpoint_create(bo->ep, PAGE / 4, PAGES, &mine);
	map = dmabuf_mmap(mine.dmabuf, mine.size);
	pattern_fill(map, mine.size, 9);
	inode = dmabuf_inode(mine.dmabuf);
	endpoint_destroy(&mine);
	pattern_check(map, mine.size, 9);
	pattern_fill(map, mine.size, 10);
	pattern_check(map, mine.size, 10);
	munmap(map, mine.size);
	igt_assert_neq(dmabuf_alive(inode), 1);
}

const struct descriptor_test mapping_tests[] = {
	{ "seek", "lseek tells the size, and nothing else", seek },
	{ "read-write", "read, write and ftruncate are refused", read_write },
	{ "mmap-bounds", "no mapping beyond the end, nor by overflow",
	  mmap_bounds },
	{ "mmap-grow", "no mapping grows beyond the end", mmap_grow },
	{ "mmap-offset", "a mapping of a part shows that part", mmap_offset },
	{ "mmap-read-only", "a read-only descriptor cannot be mapped writable",
	  mmap_read_only },
	{ "mmap-private", "no page of a private mapping is the buffer's",
	  mmap_private },
	{ "mmap-alone", "a mapping alone keeps the memory", mmap_alone },
	{}
};
