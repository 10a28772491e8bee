// SPDX-License-Identifier: MIT
/*
 * Buffers, out of memory: each allocation that is made for a client who makes,
 * exports, imports, maps or names one fails once. See faults.c for how.
 */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>

#include "igt.h"
#include "igt_vgem.h"

#include "faults.h"

#define PAGE  4096
#define PAGES 4
#define SIZE  (PAGE * PAGES)

/**
 * TEST: Sharing buffers out of memory
 * Description: Making, exporting, importing, mapping and naming buffers while
 *	each allocation that the system call makes fails in turn: it answers
 *	with an errno, and nothing has happened.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: out of memory
 * Test requirement: CONFIG_FAULT_INJECTION_DEBUG_FS, CONFIG_FAILSLAB,
 *	CONFIG_FAIL_PAGE_ALLOC
 *
 * SUBTEST: create
 * Description: Making a buffer.
 *
 * SUBTEST: export
 * Description: PRIME_HANDLE_TO_FD for the first time.
 *
 * SUBTEST: export-again
 * Description: PRIME_HANDLE_TO_FD by another file's handle.
 *
 * SUBTEST: import
 * Description: PRIME_FD_TO_HANDLE of another device's buffer.
 *
 * SUBTEST: import-beside
 * Description: The same where a device is attached already.
 *
 * SUBTEST: import-self
 * Description: PRIME_FD_TO_HANDLE of the device's own buffer.
 *
 * SUBTEST: mmap
 * Description: mmap() of the dma-buf.
 *
 * SUBTEST: touch
 * Description: The first touch of a mapping repeats until it works.
 *
 * SUBTEST: touch-syscall
 * Description: A first touch within read() is EFAULT.
 *
 * SUBTEST: sync
 * Description: DMA_BUF_IOCTL_SYNC where the exporter allocates.
 *
 * SUBTEST: set-name
 * Description: DMA_BUF_SET_NAME leaves the old name or the new.
 *
 * SUBTEST: bufinfo
 * Description: Reading bufinfo.
 */

IGT_TEST_DESCRIPTION("Making, sharing and mapping buffers out of memory.");

/* Making a buffer: a dumb one, a heap's, udmabuf's. */

static void prepare_create(struct bench *b)
{
	b->fd = -1;
	b->handle = 0;
	if (b->from->type != ENDPOINT_UDMABUF)
		return;
	b->bo.memfd = memfd_create("igt", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	igt_assert_fd(b->bo.memfd);
	do_or_die(ftruncate(b->bo.memfd, SIZE));
	do_or_die(fcntl(b->bo.memfd, F_ADD_SEALS, F_SEAL_SHRINK));
}

static int run_create(struct bench *b)
{
	struct vgem_bo dumb = { .width = PAGE / 4, .height = PAGES, .bpp = 32 };
	struct dma_heap_allocation_data heap = {
		.len = SIZE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	struct udmabuf_create udmabuf = {
		.memfd = b->bo.memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = SIZE,
	};
	int err;

	switch (b->from->type) {
	case ENDPOINT_DRM:
		err = __vgem_create(b->from->fd, &dumb);
		b->handle = dumb.handle;
		return err;
	case ENDPOINT_HEAP:
		err = ioctl(b->from->fd, DMA_HEAP_IOCTL_ALLOC, &heap);
		b->fd = heap.fd;
		return err ? -errno : 0;
	default:
		b->fd = ioctl(b->from->fd, UDMABUF_CREATE, &udmabuf);
		return b->fd < 0 ? -errno : 0;
	}
}

static void good_create(struct bench *b)
{
	if (b->from->type == ENDPOINT_DRM) {
		igt_assert_neq_u32(b->handle, 0);
		gem_close(b->from->fd, b->handle);
		return;
	}
	igt_assert_eq_s64(prime_get_size(b->fd), SIZE);
	close(b->fd);
}

static void finish_create(struct bench *b)
{
	if (b->from->type == ENDPOINT_UDMABUF)
		close(b->bo.memfd);
}

/* PRIME_HANDLE_TO_FD of a buffer that was never exported. */

static int run_export(struct bench *b)
{
	return __prime_handle_to_fd(b->from->fd, b->dumb.handle, DRM_CLOEXEC,
				    &b->fd);
}

static void good_export(struct bench *b)
{
	igt_assert_eq_u64(prime_get_size(b->fd), b->dumb.size);
	close(b->fd);
}

/* The buffer is still the client's own: it can be mapped, and was not lost. */
static void refused_export(struct bench *b)
{
	igt_assert_eq(b->fd, -1);
	munmap(vgem_mmap(b->from->fd, &b->dumb, PROT_READ), b->dumb.size);
}

/* PRIME_HANDLE_TO_FD of another file's handle for an exported buffer. */

static void open_by_name(struct bench *b)
{
	bench_make_bo(b);
	b->again = drm_reopen_driver(b->from->fd);
	b->handle = gem_open(b->again, gem_flink(b->from->fd, b->bo.handle));
}

static int run_export_again(struct bench *b)
{
	return __prime_handle_to_fd(b->again, b->handle, DRM_CLOEXEC, &b->fd);
}

static void good_export_again(struct bench *b)
{
	igt_assert_eq_u64(dmabuf_inode(b->fd), dmabuf_inode(b->bo.dmabuf));
	close(b->fd);
}

static void close_again(struct bench *b)
{
	drm_close_driver(b->again);
	bench_drop_bo(b);
}

/* PRIME_FD_TO_HANDLE of a dma-buf that the device itself has exported. */

static void make_bo_open_again(struct bench *b)
{
	bench_make_bo(b);
	b->again = drm_reopen_driver(b->from->fd);
}

static int run_import_self(struct bench *b)
{
	return __prime_fd_to_handle(b->again, b->bo.dmabuf, &b->handle);
}

static void good_import_self(struct bench *b)
{
	igt_assert_eq(bench_attachments(b), 0);
	gem_close(b->again, b->handle);
}

/* PRIME_FD_TO_HANDLE of another's dma-buf. */

static int run_import(struct bench *b)
{
	return __prime_fd_to_handle(b->to->fd, b->bo.dmabuf, &b->handle);
}

static void good_import(struct bench *b)
{
	igt_assert_eq_u32(prime_fd_to_handle(b->to->fd, b->bo.dmabuf),
			  b->handle);
	igt_assert_eq(bench_attachments(b), 1);
	gem_close(b->to->fd, b->handle);
}

static void refused_import(struct bench *b)
{
	igt_assert_eq(bench_attachments(b), 0);
}

/* The same where another device is attached already, and must stay. */

static void make_bo_beside(struct bench *b)
{
	bench_make_bo(b);
	b->other = endpoint_import(b->beside, b->bo.dmabuf);
}

static void beside_is_well(struct bench *b)
{
	int fd = prime_handle_to_fd(b->beside->fd, b->other);

	igt_assert_eq_u64(dmabuf_inode(fd), dmabuf_inode(b->bo.dmabuf));
	close(fd);
}

static void good_import_beside(struct bench *b)
{
	igt_assert_eq(bench_attachments(b), 2);
	beside_is_well(b);
	gem_close(b->to->fd, b->handle);
}

static void refused_import_beside(struct bench *b)
{
	igt_assert_eq(bench_attachments(b), 1);
	beside_is_well(b);
}

static void drop_bo_beside(struct bench *b)
{
	gem_close(b->beside->fd, b->other);
	bench_drop_bo(b);
}

/* Mapping, at an address of which there are no page tables yet. */
static void *far_away(void)
{
	return (void *)(uintptr_t)(1ull << 42);
}

static int run_mmap(struct bench *b)
{
	b->map = mmap(far_away(), SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      b->bo.dmabuf, 0);
	return b->map == MAP_FAILED ? -errno : 0;
}

static void good_mmap(struct bench *b)
{
	pattern_fill(b->map, SIZE, 3);
	pattern_check(b->map, SIZE, 3);
	munmap(b->map, SIZE);
}

/* The first touch, by the program and by the kernel for it. */

static void make_map(struct bench *b)
{
	bench_make_bo(b);
	igt_assert_eq(run_mmap(b), 0);
	b->zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	igt_assert_fd(b->zero);
}

static void drop_map(struct bench *b)
{
	close(b->zero);
	munmap(b->map, SIZE);
	bench_drop_bo(b);
}

static int run_touch(struct bench *b)
{
	for (int i = 0; i < PAGES; i++)
		((volatile char *)b->map)[i * PAGE] = 1;
	return 0;
}

static int run_touch_syscall(struct bench *b)
{
	for (int i = 0; i < PAGES; i++)
		if (read(b->zero, (char *)b->map + i * PAGE, 1) != 1)
			return -errno;
	return 0;
}

static void good_touch(struct bench *b)
{
	pattern_fill(b->map, SIZE, 4);
	pattern_check(b->map, SIZE, 4);
}

/* DMA_BUF_IOCTL_SYNC, which makes udmabuf map its pages for a device. */

static int run_sync(struct bench *b)
{
	struct dma_buf_sync arg = { DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START };

	return ioctl(b->bo.dmabuf, DMA_BUF_IOCTL_SYNC, &arg) ? -errno : 0;
}

static void good_sync(struct bench *b)
{
	prime_sync_end(b->bo.dmabuf, true);
}

/* DMA_BUF_SET_NAME: the old name or the new one. */

static void expect_name(struct bench *b, const char *name)
{
	char path[64], link[96] = "", expected[96];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->bo.dmabuf);
	igt_assert(readlink(path, link, sizeof(link) - 1) > 0);
	snprintf(expected, sizeof(expected), "/dmabuf:%s", name);
	link[strcspn(link, " ")] = 0;
	igt_assert_f(strcmp(link, expected) == 0, "the link is '%s'\n", link);
}

static void make_named(struct bench *b)
{
	bench_make_bo(b);
	do_ioctl(b->bo.dmabuf, DMA_BUF_SET_NAME, (char *)"old");
}

static int run_set_name(struct bench *b)
{
	return ioctl(b->bo.dmabuf, DMA_BUF_SET_NAME, "new") ? -errno : 0;
}

static void good_set_name(struct bench *b)
{
	expect_name(b, "new");
}

static void refused_set_name(struct bench *b)
{
	expect_name(b, "old");
}

/* bufinfo: all of it or an error. */

static int run_bufinfo(struct bench *b)
{
	return bufinfo_read(b->text, sizeof(b->text));
}

static void good_bufinfo(struct bench *b)
{
	char line[64];

	snprintf(line, sizeof(line), "\t%08lu\t",
		 (unsigned long)dmabuf_inode(b->bo.dmabuf));
	igt_assert_f(strstr(b->text, line), "bufinfo misses the buffer\n");
	igt_assert_f(strstr(b->text, "\nTotal "), "bufinfo misses its end\n");
}

static bool any(const struct endpoint *ep)
{
	return ep->exports;
}

/* Heaps put all pages into the mapping when it is made. */
static bool maps_late(const struct endpoint *ep)
{
	return ep->exports && ep->type != ENDPOINT_HEAP;
}

static bool is_udmabuf(const struct endpoint *ep)
{
	return ep->type == ENDPOINT_UDMABUF;
}

static const struct fault_test tests[] = {
	{
		.name = "create",
		.describe = "making a buffer",
		.from = any,
		.op = { prepare_create, run_create, good_create, NULL,
			finish_create, .least_refused = 2,
			/* shmem says that it has no room for an inode */
			.errnos = { ENOMEM, ENOSPC } },
	},
	{
		.name = "export",
		.describe = "PRIME_HANDLE_TO_FD for the first time",
		.from = fault_from_drm,
		.op = { bench_make_dumb, run_export, good_export,
			refused_export, bench_drop_dumb, .least_refused = 6 },
	},
	{
		.name = "export-again",
		.describe = "PRIME_HANDLE_TO_FD by another file's handle",
		.from = fault_from_drm,
		.op = { open_by_name, run_export_again, good_export_again, NULL,
			close_again, .least_refused = 1 },
	},
	{
		.name = "import",
		.describe = "PRIME_FD_TO_HANDLE of another device's buffer",
		.from = any,
		.devices = 2,
		.op = { bench_make_bo, run_import, good_import, refused_import,
			bench_drop_bo, .least_refused = 3 },
	},
	{
		.name = "import-beside",
		.describe = "the same where a device is attached already",
		.from = any,
		.devices = 3,
		.op = { make_bo_beside, run_import, good_import_beside,
			refused_import_beside, drop_bo_beside,
			.least_refused = 3 },
	},
	{
		.name = "import-self",
		.describe = "PRIME_FD_TO_HANDLE of the device's own buffer",
		.from = fault_from_drm,
		.op = { make_bo_open_again, run_import_self, good_import_self,
			NULL, close_again, .least_refused = 2 },
	},
	{
		.name = "mmap",
		.describe = "mmap() of the dma-buf",
		.from = any,
		.op = { bench_make_bo, run_mmap, good_mmap, NULL, bench_drop_bo,
			.least_refused = 2 },
	},
	{
		.name = "touch",
		.describe =
			"the first touch of a mapping repeats until it works",
		.from = maps_late,
		/* ... which it never would. */
		.op = { make_map, run_touch, good_touch, NULL, drop_map,
			.one_only = true, .least_injected = 1 },
	},
	{
		.name = "touch-syscall",
		.describe = "a first touch within read() is EFAULT",
		.from = maps_late,
		.op = { make_map, run_touch_syscall, good_touch, good_touch,
			drop_map, .least_refused = 1, .errnos = { EFAULT } },
	},
	{
		.name = "sync",
		.describe = "DMA_BUF_IOCTL_SYNC where the exporter allocates",
		.from = is_udmabuf,
		.op = { bench_make_bo, run_sync, good_sync, NULL, bench_drop_bo,
			.least_refused = 2 },
	},
	{
		.name = "set-name",
		.describe = "DMA_BUF_SET_NAME leaves the old name or the new",
		.from = fault_from_vgem,
		.op = { make_named, run_set_name, good_set_name,
			refused_set_name, bench_drop_bo, .least_refused = 1 },
	},
	{
		.name = "bufinfo",
		.describe = "reading bufinfo",
		.from = fault_from_vgem,
		/* Where all fails, vmalloc() tells so, with a backtrace. */
		.op = { bench_make_bo, run_bufinfo, good_bufinfo, NULL,
			bench_drop_bo, .one_only = true, .least_refused = 1 },
	},
};

igt_main
{
	fault_tests(tests, ARRAY_SIZE(tests));
}
