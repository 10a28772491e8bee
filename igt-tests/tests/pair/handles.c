// SPDX-License-Identifier: MIT
/* However often it was imported: one object, one handle a file, one dma-buf. */

#include "igt.h"
#include "igt_vgem.h"

#include "pair.h"

int pair_export_again(const struct endpoint *importer, uint32_t handle,
		      ino_t inode)
{
	int dmabuf = prime_handle_to_fd_for_mmap(importer->fd, handle);

	igt_assert_f(dmabuf_inode(dmabuf) == inode,
		     "the importer exports another dma-buf than it imported\n");
	return dmabuf;
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
	again = pair_export_again(b, handle, dmabuf_inode(bo.dmabuf));
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
	map = endpoint_map(&bo);
	for (uint32_t round = 0; round < 8; round++) {
		uint32_t handle = endpoint_import(b, bo.dmabuf);
		int again =
			pair_export_again(b, handle, dmabuf_inode(bo.dmabuf));
		void *theirs = dmabuf_mmap(again, bo.size);

		pattern_fill(map, bo.size, round);
		pair_check(again, theirs, bo.size, round);
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
	map = endpoint_map(&bo);
	pattern_fill(map, bo.size, 41);
	other.fd = drm_reopen_driver(b->fd);
	first = endpoint_import(b, bo.dmabuf);
	second = prime_fd_to_handle(other.fd, bo.dmabuf);
	gem_close(b->fd, first);

	again = pair_export_again(&other, second, dmabuf_inode(bo.dmabuf));
	theirs = dmabuf_mmap(again, bo.size);
	pair_check(again, theirs, bo.size, 41);
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
	again = pair_export_again(b, handle, dmabuf_inode(bo.dmabuf));
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
		again[i] = pair_export_again(b, handle[i],
					     dmabuf_inode(bo[i].dmabuf));
		map[i] = dmabuf_mmap(again[i], bo[i].size);
		pair_fill(again[i], map[i], bo[i].size, 50 + i);
	}
	igt_assert(dmabuf_inode(again[0]) != dmabuf_inode(again[1]));
	for (int i = 0; i < 2; i++) {
		pair_check(again[i], map[i], bo[i].size, 50 + i);
		munmap(map[i], bo[i].size);
		close(again[i]);
		gem_close(b->fd, handle[i]);
		endpoint_destroy(&bo[i]);
	}
}

/* The same object by the name of the import, on whichever file of the importer. */
static void test_flink(const struct endpoint *a, const struct endpoint *b)
{
	struct drm_gem_open gone = {};
	struct endpoint other = *b;
	struct endpoint_bo bo;
	uint32_t handle, second;
	ino_t inode;
	int again;

	endpoint_create(a, WIDTH, HEIGHT, &bo);
	inode = dmabuf_inode(bo.dmabuf);
	handle = endpoint_import(b, bo.dmabuf);
	gone.name = gem_flink(b->fd, handle);
	igt_assert_eq_u32(gem_flink(b->fd, handle), gone.name);

	other.fd = drm_reopen_driver(b->fd);
	second = gem_open(other.fd, gone.name);
	close(pair_export_again(&other, second, inode));
	gem_close(b->fd, handle);
	again = pair_export_again(&other, second, inode);
	/* What was opened by name is known as the import, too. */
	igt_assert_eq_u32(prime_fd_to_handle(other.fd, again), second);
	close(again);

	/* The name lives as long as a handle, whoever has the dma-buf. */
	gem_close(other.fd, second);
	do_ioctl_err(other.fd, DRM_IOCTL_GEM_OPEN, &gone, ENOENT);
	close(other.fd);
	endpoint_destroy(&bo);
	/* the name has not kept it */
	dmabuf_expect_gone(inode);
}

/* One device with itself: importing is finding the object. */
void pair_self(const struct endpoint *a)
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
	map = endpoint_map(&bo);
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

const struct pair_test handle_tests[] = {
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
	{ "flink-of-import", "an import has a name as any object, and loses it",
	  test_flink },
	{}
};
