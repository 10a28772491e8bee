// SPDX-License-Identifier: MIT
/*
 * Fences and descriptors, out of memory: each allocation that is made for a
 * client who attaches a fence, passes fences in or out as a sync file, waits
 * for one, or needs room in its descriptor table fails once. See faults.c for
 * how.
 */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "sw_sync.h"

#include "faults.h"

/* More than poll() has room for without asking for more. */
#define POLLED 64
/* What a descriptor table has room for when a process begins. */
#define TABLE 64

/**
 * TEST: Fences and descriptors out of memory
 * Description: Attaching, exporting, importing and polling fences while each
 *	allocation that the system call makes fails in turn, or while the
 *	table of descriptors is full.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: out of memory
 * Test requirement: CONFIG_FAULT_INJECTION_DEBUG_FS, CONFIG_FAILSLAB,
 *	CONFIG_FAIL_PAGE_ALLOC
 *
 * SUBTEST: fence-attach
 * Description: VGEM_FENCE_ATTACH.
 *
 * SUBTEST: export-sync-file-idle
 * Description: EXPORT_SYNC_FILE where there is no fence.
 *
 * SUBTEST: export-sync-file-one
 * Description: EXPORT_SYNC_FILE of one fence.
 *
 * SUBTEST: export-sync-file-many
 * Description: EXPORT_SYNC_FILE of several fences.
 *
 * SUBTEST: import-sync-file
 * Description: IMPORT_SYNC_FILE of several fences.
 *
 * SUBTEST: poll
 * Description: poll() with many entries.
 *
 * SUBTEST: epoll-add
 * Description: EPOLL_CTL_ADD of a busy buffer.
 *
 * SUBTEST: full-table-export
 * Description: PRIME_HANDLE_TO_FD where the descriptor table must grow.
 *
 * SUBTEST: full-table-heap
 * Description: A heap's buffer where the descriptor table must grow.
 *
 * SUBTEST: full-table-sync-file
 * Description: EXPORT_SYNC_FILE where the descriptor table must grow.
 */

IGT_TEST_DESCRIPTION("Fences and descriptors out of memory.");

/* Readers' fences do not exclude each other; a writer's would. */
static void attach_fences(struct bench *b, unsigned int num, unsigned int flags)
{
	struct vgem_bo bo = { .handle = b->bo.handle };

	for (b->fences = 0; b->fences < num; b->fences++)
		b->fence[b->fences] =
			vgem_fence_attach(b->from->fd, &bo, flags);
}

static void signal_fences(struct bench *b)
{
	while (b->fences)
		vgem_fence_signal(b->from->fd, b->fence[--b->fences]);
}

/* VGEM_FENCE_ATTACH to a buffer that never had a fence. */

static int run_attach(struct bench *b)
{
	struct drm_vgem_fence_attach arg = {
		.handle = b->bo.handle,
		.flags = VGEM_FENCE_WRITE,
	};

	if (ioctl(b->from->fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg))
		return -errno;
	b->fence[0] = arg.out_fence;
	return 0;
}

static void expect_idle(struct bench *b)
{
	igt_assert(!dmabuf_busy(b->bo.dmabuf, DMA_BUF_SYNC_WRITE));
}

static void expect_busy(struct bench *b)
{
	igt_assert(dmabuf_busy(b->bo.dmabuf, DMA_BUF_SYNC_WRITE));
}

static void good_attach(struct bench *b)
{
	expect_busy(b);
	vgem_fence_signal(b->from->fd, b->fence[0]);
	expect_idle(b);
}

/* EXPORT_SYNC_FILE: of nothing, of one fence, of several. */

static void make_idle(struct bench *b)
{
	bench_make_bo(b);
	b->fences = 0;
}

static void make_busy(struct bench *b)
{
	bench_make_bo(b);
	attach_fences(b, 1, VGEM_FENCE_WRITE);
}

static void make_busier(struct bench *b)
{
	bench_make_bo(b);
	attach_fences(b, FENCES, 0);
}

static void drop_busy(struct bench *b)
{
	signal_fences(b);
	expect_idle(b);
	bench_drop_bo(b);
}

static int run_export(struct bench *b)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW };

	if (ioctl(b->bo.dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg))
		return -errno;
	b->fd = arg.fd;
	return 0;
}

static void good_export(struct bench *b)
{
	/* Of an idle buffer it is a fence that has signalled. */
	igt_assert_eq(sync_fence_count(b->fd), b->fences ?: 1);
	igt_assert_eq(sync_file_busy(b->fd), b->fences != 0);
	close(b->fd);
}

/* IMPORT_SYNC_FILE: all fences of the file are added, or none. */

static void make_idle_and_sync_file(struct bench *b)
{
	make_busier(b);
	b->sync_file = dmabuf_export_sync_file(b->bo.dmabuf, DMA_BUF_SYNC_RW);
	bench_make_dumb(b);
	b->fd = prime_handle_to_fd(b->from->fd, b->dumb.handle);
}

static int run_import(struct bench *b)
{
	struct dma_buf_import_sync_file arg = {
		.flags = DMA_BUF_SYNC_WRITE,
		.fd = b->sync_file,
	};

	return ioctl(b->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg) ? -errno : 0;
}

static void good_import(struct bench *b)
{
	int sync_file = dmabuf_export_sync_file(b->fd, DMA_BUF_SYNC_READ);

	igt_assert_eq(sync_fence_count(sync_file), FENCES);
	igt_assert(sync_file_busy(sync_file));
	close(sync_file);
}

static void refused_import(struct bench *b)
{
	igt_assert(!dmabuf_busy(b->fd, DMA_BUF_SYNC_WRITE));
}

static void drop_idle_and_sync_file(struct bench *b)
{
	close(b->fd);
	bench_drop_dumb(b);
	close(b->sync_file);
	drop_busy(b);
}

/* poll() with many entries, which are all busy, so that it registers each. */

static int run_poll(struct bench *b)
{
	struct pollfd p[POLLED];

	for (int i = 0; i < POLLED; i++)
		p[i] = (struct pollfd){ .fd = b->bo.dmabuf, .events = POLLOUT };
	/* None becomes ready, so the time that it waits decides nothing. */
	return poll(p, POLLED, 1) < 0 ? -errno : 0;
}

/* epoll_ctl() is where an epoll registers with the buffer. */

static void make_busy_and_epoll(struct bench *b)
{
	make_busy(b);
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	igt_assert_fd(b->epoll);
}

static int run_epoll_add(struct bench *b)
{
	struct epoll_event event = { .events = EPOLLOUT };

	return epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->bo.dmabuf, &event) ?
		       -errno :
		       0;
}

static void good_epoll_add(struct bench *b)
{
	struct epoll_event event;

	igt_assert_eq(epoll_wait(b->epoll, &event, 1, 0), 0);
	signal_fences(b);
	igt_assert_eq(epoll_wait(b->epoll, &event, 1, 0), 1);
	igt_assert_eq(event.events, EPOLLOUT);
}

static void refused_epoll_add(struct bench *b)
{
	igt_assert_eq(epoll_ctl(b->epoll, EPOLL_CTL_DEL, b->bo.dmabuf, NULL),
		      -1);
	igt_assert_eq(errno, ENOENT);
}

static void drop_busy_and_epoll(struct bench *b)
{
	close(b->epoll);
	drop_busy(b);
}

/* A full descriptor table has to grow for what makes a descriptor. */

static void fill_table(struct bench *b)
{
	int fd;

	do {
		fd = dup(b->bo.dmabuf);
		igt_assert_fd(fd);
	} while (fd < TABLE - 1);
}

static int run_export_handle(struct bench *b)
{
	return __prime_handle_to_fd(b->from->fd, b->bo.handle, 0, &b->fd);
}

static int run_heap(struct bench *b)
{
	struct dma_heap_allocation_data arg = {
		.len = 4096,
		.fd_flags = O_RDWR,
	};

	if (ioctl(b->from->fd, DMA_HEAP_IOCTL_ALLOC, &arg))
		return -errno;
	b->fd = arg.fd;
	return 0;
}

static void good_beyond_table(struct bench *b)
{
	igt_assert_lte(TABLE, b->fd);
	igt_assert(fcntl(b->fd, F_GETFD) >= 0);
	close(b->fd);
}

/* A table that did not grow has no descriptor that is taken for nothing. */
static void refused_beyond_table(struct bench *b)
{
	close(TABLE - 1);
	igt_assert_eq(dup(b->bo.dmabuf), TABLE - 1);
}

static bool is_system_heap(const struct endpoint *ep)
{
	return ep->type == ENDPOINT_HEAP && strcmp(ep->driver, "system") == 0;
}

static const struct fault_test tests[] = {
	{
		.name = "fence-attach",
		.describe = "VGEM_FENCE_ATTACH",
		.from = fault_from_vgem,
		.op = { bench_make_bo, run_attach, good_attach, expect_idle,
			bench_drop_bo, .least_refused = 2 },
	},
	{
		.name = "export-sync-file-idle",
		.describe = "EXPORT_SYNC_FILE where there is no fence",
		.from = fault_from_vgem,
		.op = { make_idle, run_export, good_export, NULL, drop_busy,
			.least_refused = 3 },
	},
	{
		.name = "export-sync-file-one",
		.describe = "EXPORT_SYNC_FILE of one fence",
		.from = fault_from_vgem,
		.op = { make_busy, run_export, good_export, expect_busy,
			drop_busy, .least_refused = 3 },
	},
	{
		.name = "export-sync-file-many",
		.describe = "EXPORT_SYNC_FILE of several fences",
		.from = fault_from_vgem,
		.op = { make_busier, run_export, good_export, expect_busy,
			drop_busy, .least_refused = 4 },
	},
	{
		.name = "import-sync-file",
		.describe = "IMPORT_SYNC_FILE of several fences",
		.from = fault_from_vgem,
		.op = { make_idle_and_sync_file, run_import, good_import,
			refused_import, drop_idle_and_sync_file,
			.least_refused = 1 },
	},
	{
		.name = "poll",
		.describe = "poll() with many entries",
		.from = fault_from_vgem,
		.op = { make_busy, run_poll, expect_busy, expect_busy,
			drop_busy, .least_refused = 2 },
	},
	{
		.name = "epoll-add",
		.describe = "EPOLL_CTL_ADD of a busy buffer",
		.from = fault_from_vgem,
		.op = { make_busy_and_epoll, run_epoll_add, good_epoll_add,
			refused_epoll_add, drop_busy_and_epoll,
			.least_refused = 2 },
	},
	{
		.name = "full-table-export",
		.describe =
			"PRIME_HANDLE_TO_FD where the descriptor table must grow",
		.from = fault_from_drm,
		.op = { bench_make_bo, run_export_handle, good_beyond_table,
			refused_beyond_table, bench_drop_bo,
			.in_child = fill_table, .least_refused = 2 },
	},
	{
		.name = "full-table-heap",
		.describe =
			"a heap's buffer where the descriptor table must grow",
		.from = is_system_heap,
		.op = { bench_make_bo, run_heap, good_beyond_table,
			refused_beyond_table, bench_drop_bo,
			.in_child = fill_table, .least_refused = 5 },
	},
	{
		.name = "full-table-sync-file",
		.describe =
			"EXPORT_SYNC_FILE where the descriptor table must grow",
		.from = fault_from_vgem,
		.op = { make_idle, run_export, good_beyond_table,
			refused_beyond_table, drop_busy, .in_child = fill_table,
			.least_refused = 5 },
	},
};

igt_main
{
	fault_tests(tests, ARRAY_SIZE(tests));
}
