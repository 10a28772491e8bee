// SPDX-License-Identifier: MIT
/*
 * Buffers that no DRM driver made: dma-buf heaps and udmabuf, imported on each
 * DRM device. The content must be what the maker of the memory sees, and must
 * stay when the maker has closed everything.
 */

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>

#include "igt.h"

#include "cards.h"
#include "endpoint.h"

#define PAGE 4096

/**
 * TEST: Buffers of heaps and udmabuf on DRM devices
 * Description: Buffers that no DRM device has made, from DMA-BUF heaps and
 *	udmabuf, imported on each DRM device.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: dma-buf heaps
 *
 * SUBTEST: content
 * Description: Maker and importer see the same memory.
 *
 * SUBTEST: maker-gone
 * Description: The importer's handle alone keeps the memory.
 *
 * SUBTEST: same-handle
 * Description: Importing again gives the same handle.
 *
 * SUBTEST: large
 * Description: 4 MiB, every page the right one.
 *
 * SUBTEST: udmabuf-list
 * Description: Pages of two files in another order.
 */

IGT_TEST_DESCRIPTION("Heap and udmabuf buffers imported on DRM devices.");

static int export_again(const struct endpoint *importer, uint32_t handle,
			ino_t inode)
{
	int dmabuf = prime_handle_to_fd_for_mmap(importer->fd, handle);

	igt_assert_f(dmabuf_inode(dmabuf) == inode,
		     "the importer exports another dma-buf than it imported\n");
	return dmabuf;
}

/* The maker's own view of the memory, where it has one. */
static void *map_source(const struct endpoint_bo *bo)
{
	return dmabuf_mmap(bo->memfd >= 0 ? bo->memfd : bo->dmabuf, bo->size);
}

static void content(const struct endpoint *from, const struct endpoint *to)
{
	struct endpoint_bo bo;
	uint32_t handle;
	void *source, *map;
	int again;

	endpoint_create(from, 100, 100, &bo);
	source = map_source(&bo);
	pattern_fill(source, bo.size, 1);
	handle = endpoint_import(to, bo.dmabuf);
	again = export_again(to, handle, dmabuf_inode(bo.dmabuf));
	map = dmabuf_mmap(again, bo.size);
	for (uint32_t seed = 1; seed < 4; seed++) {
		prime_sync_start(again, true);
		pattern_check(map, bo.size, seed);
		pattern_fill(map, bo.size, seed + 50);
		prime_sync_end(again, true);
		pattern_check(source, bo.size, seed + 50);
		pattern_fill(source, bo.size, seed + 1);
	}
	munmap(map, bo.size);
	munmap(source, bo.size);
	close(again);
	gem_close(to->fd, handle);
	endpoint_destroy(&bo);
}

static void maker_gone(const struct endpoint *from, const struct endpoint *to)
{
	struct endpoint_bo bo;
	uint64_t size;
	uint32_t handle;
	ino_t inode;
	void *map;
	int again;

	endpoint_create(from, 100, 100, &bo);
	size = bo.size;
	map = map_source(&bo);
	pattern_fill(map, size, 8);
	munmap(map, size);
	handle = endpoint_import(to, bo.dmabuf);
	inode = dmabuf_inode(bo.dmabuf);
	endpoint_destroy(&bo);

	again = export_again(to, handle, inode);
	map = dmabuf_mmap(again, size);
	pattern_check(map, size, 8);
	munmap(map, size);
	close(again);
	igt_assert_neq(dmabuf_alive(inode), 0);
	gem_close(to->fd, handle);
	dmabuf_expect_gone(inode);
}

static void same_handle(const struct endpoint *from, const struct endpoint *to)
{
	struct endpoint_bo bo;
	uint32_t handle;
	int again;

	endpoint_create(from, 16, 16, &bo);
	handle = endpoint_import(to, bo.dmabuf);
	igt_assert_eq_u32(prime_fd_to_handle(to->fd, bo.dmabuf), handle);
	again = export_again(to, handle, dmabuf_inode(bo.dmabuf));
	igt_assert_eq_u32(prime_fd_to_handle(to->fd, again), handle);
	close(again);
	gem_close(to->fd, handle);
	endpoint_destroy(&bo);
}

/* A large buffer, scattered over memory: every page must be the right one. */
static void large(const struct endpoint *from, const struct endpoint *to)
{
	struct endpoint_bo bo;
	uint32_t handle;
	void *source, *map;
	int again;

	endpoint_create(from, 1024, 1024, &bo);
	source = map_source(&bo);
	pattern_fill(source, bo.size, 77);
	handle = endpoint_import(to, bo.dmabuf);
	again = export_again(to, handle, dmabuf_inode(bo.dmabuf));
	map = dmabuf_mmap(again, bo.size);
	pattern_check(map, bo.size, 77);
	munmap(map, bo.size);
	munmap(source, bo.size);
	close(again);
	gem_close(to->fd, handle);
	endpoint_destroy(&bo);
}

static int sealed_memfd(uint64_t size)
{
	int memfd = memfd_create("igt", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	igt_assert_fd(memfd);
	do_or_die(ftruncate(memfd, size));
	do_or_die(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	return memfd;
}

/* Pages of two files in an order that neither has. */
static void udmabuf_list(const struct endpoint *from, const struct endpoint *to)
{
	static const struct {
		int file, page;
	} order[] = { { 1, 3 }, { 0, 0 }, { 1, 0 }, { 0, 2 }, { 0, 1 } };
	enum { PAGES = ARRAY_SIZE(order) };
	struct udmabuf_create_list *list;
	int memfd[2], dmabuf, again;
	uint32_t *source[2], *map;
	uint32_t handle;

	list = calloc(1, sizeof(*list) + PAGES * sizeof(list->list[0]));
	igt_assert(list);
	list->flags = UDMABUF_FLAGS_CLOEXEC;
	list->count = PAGES;
	for (int i = 0; i < 2; i++) {
		memfd[i] = sealed_memfd(4 * PAGE);
		source[i] = dmabuf_mmap(memfd[i], 4 * PAGE);
	}
	for (int i = 0; i < PAGES; i++) {
		list->list[i].memfd = memfd[order[i].file];
		list->list[i].offset = order[i].page * PAGE;
		list->list[i].size = PAGE;
	}
	dmabuf = ioctl(from->fd, UDMABUF_CREATE_LIST, list);
	free(list);
	igt_assert_fd(dmabuf);
	igt_assert_eq_s64(prime_get_size(dmabuf), PAGES * PAGE);

	handle = endpoint_import(to, dmabuf);
	again = export_again(to, handle, dmabuf_inode(dmabuf));
	map = dmabuf_mmap(again, PAGES * PAGE);
	for (int i = 0; i < PAGES; i++) {
		uint32_t *page =
			source[order[i].file] + order[i].page * PAGE / 4;

		pattern_fill(page, PAGE, 200 + i);
		pattern_check(map + i * PAGE / 4, PAGE, 200 + i);
	}
	munmap(map, PAGES * PAGE);
	close(again);
	close(dmabuf);
	gem_close(to->fd, handle);
	for (int i = 0; i < 2; i++) {
		munmap(source[i], 4 * PAGE);
		close(memfd[i]);
	}
}

static const struct {
	const char *name, *describe;
	void (*run)(const struct endpoint *from, const struct endpoint *to);
	bool udmabuf_only;
} tests[] = {
	{ "content", "maker and importer see the same memory", content, false },
	{ "maker-gone", "the importer's handle alone keeps the memory",
	  maker_gone, false },
	{ "same-handle", "importing again gives the same handle", same_handle,
	  false },
	{ "large", "4 MiB, every page the right one", large, false },
	{ "udmabuf-list", "pages of two files in another order", udmabuf_list,
	  true },
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open(eps, MAX_ENDPOINTS);
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name) {
			for (int p = 0; p < num * num; p++) {
				const struct endpoint *from = &eps[p / num];
				const struct endpoint *to = &eps[p % num];

				if (from->type == ENDPOINT_DRM ||
				    !to->imports ||
				    (tests[t].udmabuf_only &&
				     from->type != ENDPOINT_UDMABUF))
					continue;
				igt_dynamic_f("%s-to-%s", from->name, to->name)
					tests[t].run(from, to);
			}
		}
	}

	igt_fixture
		endpoints_close(eps, num);
}
