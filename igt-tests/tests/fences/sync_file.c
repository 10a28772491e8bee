// SPDX-License-Identifier: MIT
/*
 * Fences that sync_file carries out of one buffer and into another, and who sees
 * whose.
 */

#include <linux/sync_file.h>
#include <string.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "sw_sync.h"

#include "fences.h"

static void test_sync_file_export(int vgem)
{
	struct fenced f;
	int rd, wr, rw;
	uint32_t fence;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, 0);
	/* Who only reads need not wait for a reader. */
	rd = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_READ);
	wr = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	rw = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_RW);
	igt_assert(!sync_file_busy(rd));
	igt_assert(sync_file_busy(wr));
	igt_assert(sync_file_busy(rw));
	vgem_fence_signal(vgem, fence);
	igt_assert(!sync_file_busy(wr));
	igt_assert(!sync_file_busy(rw));
	close(rd);
	close(wr);
	close(rw);

	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	rd = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_READ);
	wr = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	igt_assert(sync_file_busy(rd));
	igt_assert(sync_file_busy(wr));
	vgem_fence_signal(vgem, fence);
	igt_assert(!sync_file_busy(rd));
	igt_assert(!sync_file_busy(wr));
	igt_assert_eq(sync_fence_status(wr), SW_SYNC_FENCE_STATUS_SIGNALED);
	close(rd);
	close(wr);
	fenced_unmake(&f);
}

/* Whoever waits in vain wants to know for whom. */
static void test_sync_file_names(int vgem)
{
	struct sync_fence_info fence = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence,
	};
	struct fenced f;
	uint32_t handle;
	int sync;

	fenced_make(vgem, &f);
	handle = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_READ);
	do_ioctl(sync, SYNC_IOC_FILE_INFO, &info);
	igt_assert_eq_u32(info.num_fences, 1);
	igt_assert_f(!strcmp(fence.driver_name, "vgem"), "driver '%s'\n",
		     fence.driver_name);
	igt_assert_f(!strcmp(fence.obj_name, "unbound"), "timeline '%s'\n",
		     fence.obj_name);
	close(sync);
	vgem_fence_signal(vgem, handle);
	fenced_unmake(&f);
}

/* A sync_file is what was pending when it was made, and outlives the buffer. */
static void test_sync_file_snapshot(int vgem)
{
	uint32_t first, second;
	struct fenced f;
	int sync;

	fenced_make(vgem, &f);
	first = vgem_fence_attach(vgem, &f.bo, 0);
	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	second = vgem_fence_attach(vgem, &f.bo, 0);
	igt_assert(sync_file_busy(sync));
	vgem_fence_signal(vgem, first);
	igt_assert(!sync_file_busy(sync));
	igt_assert(dmabuf_busy(f.dmabuf, DMA_BUF_SYNC_WRITE));
	close(sync);

	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	fenced_unmake(&f);
	igt_assert(sync_file_busy(sync));
	vgem_fence_signal(vgem, second);
	igt_assert(!sync_file_busy(sync));
	close(sync);
}

/* Several fences leave as one sync_file that signals with the last. */
static void test_sync_file_array(int vgem)
{
	uint32_t fence[4];
	struct fenced f;
	int sync;

	fenced_make(vgem, &f);
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++)
		fence[i] = vgem_fence_attach(vgem, &f.bo, 0);
	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	igt_assert_eq(sync_fence_count(sync), ARRAY_SIZE(fence));
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++) {
		igt_assert(sync_file_busy(sync));
		vgem_fence_signal(vgem, fence[i]);
	}
	igt_assert_eq(sync_fence_wait(sync, WAKE_MS), 0);
	close(sync);
	fenced_unmake(&f);
}

/* The fence of a vgem buffer carried into a buffer of another exporter. */
static void test_sync_file_import(int vgem, const struct endpoint *to)
{
	struct endpoint_bo bo;
	struct fenced f;
	uint32_t fence;
	int sync;

	endpoint_create(to, 32, 32, &bo);
	fenced_make(vgem, &f);
	for (uint32_t use = DMA_BUF_SYNC_READ; use <= DMA_BUF_SYNC_RW; use++) {
		bool write = use & DMA_BUF_SYNC_WRITE, busy;

		fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
		sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_RW);
		igt_assert_eq(dmabuf_ready(bo.dmabuf), POLLIN | POLLOUT);
		dmabuf_import_sync_file(bo.dmabuf, use, sync);
		close(sync);
		igt_assert_eq(dmabuf_ready(bo.dmabuf), write ? 0 : POLLIN);
		busy = dmabuf_sync_file_busy(bo.dmabuf, DMA_BUF_SYNC_READ);
		igt_assert_eq(busy, write);
		busy = dmabuf_sync_file_busy(bo.dmabuf, DMA_BUF_SYNC_WRITE);
		igt_assert(busy);
		vgem_fence_signal(vgem, fence);
		igt_assert_eq(dmabuf_ready(bo.dmabuf), POLLIN | POLLOUT);
	}
	fenced_unmake(&f);
	endpoint_destroy(&bo);
}

/* A merged sync_file brings each of its fences. */
static void test_sync_file_import_merged(int vgem, const struct endpoint *to)
{
	int sync_a, sync_b, merged;
	struct endpoint_bo bo;
	struct fenced a, b;
	uint32_t fa, fb;

	endpoint_create(to, 32, 32, &bo);
	fenced_make(vgem, &a);
	fenced_make(vgem, &b);
	fa = vgem_fence_attach(vgem, &a.bo, VGEM_FENCE_WRITE);
	fb = vgem_fence_attach(vgem, &b.bo, VGEM_FENCE_WRITE);
	sync_a = dmabuf_export_sync_file(a.dmabuf, DMA_BUF_SYNC_RW);
	sync_b = dmabuf_export_sync_file(b.dmabuf, DMA_BUF_SYNC_RW);
	merged = sync_fence_merge(sync_a, sync_b);
	igt_assert_fd(merged);
	dmabuf_import_sync_file(bo.dmabuf, DMA_BUF_SYNC_WRITE, merged);
	close(sync_a);
	close(sync_b);
	close(merged);

	igt_assert_eq(dmabuf_ready(bo.dmabuf), 0);
	vgem_fence_signal(vgem, fb);
	igt_assert_eq(dmabuf_ready(bo.dmabuf), 0);
	vgem_fence_signal(vgem, fa);
	igt_assert_eq(dmabuf_ready(bo.dmabuf), POLLIN | POLLOUT);
	fenced_unmake(&a);
	fenced_unmake(&b);
	endpoint_destroy(&bo);
}

/* vgem's own conflict test must see a fence that came by sync_file. */
static void test_sync_file_makes_busy(int vgem)
{
	struct drm_vgem_fence_attach arg = { .flags = VGEM_FENCE_WRITE };
	struct fenced a, b;
	uint32_t fence;
	int sync;

	fenced_make(vgem, &a);
	fenced_make(vgem, &b);
	fence = vgem_fence_attach(vgem, &a.bo, VGEM_FENCE_WRITE);
	sync = dmabuf_export_sync_file(a.dmabuf, DMA_BUF_SYNC_RW);
	dmabuf_import_sync_file(b.dmabuf, DMA_BUF_SYNC_WRITE, sync);
	close(sync);
	arg.handle = b.bo.handle;
	do_ioctl_err(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg, EBUSY);
	vgem_fence_signal(vgem, fence);
	do_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);
	vgem_fence_signal(vgem, arg.out_fence);
	fenced_unmake(&a);
	fenced_unmake(&b);
}

/* Fences belong to the memory: vgem can fence what another device exported. */
static void test_fence_on_import(int vgem, const struct endpoint *from)
{
	struct endpoint_bo bo;
	struct vgem_bo mine;
	uint32_t fence;

	endpoint_create(from, 32, 32, &bo);
	mine.handle = prime_fd_to_handle(vgem, bo.dmabuf);
	fence = vgem_fence_attach(vgem, &mine, VGEM_FENCE_WRITE);
	igt_assert_eq(dmabuf_ready(bo.dmabuf), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(dmabuf_ready(bo.dmabuf), POLLIN | POLLOUT);

	/* The fence stays when the importer's handle goes. */
	fence = vgem_fence_attach(vgem, &mine, 0);
	gem_close(vgem, mine.handle);
	igt_assert_eq(dmabuf_ready(bo.dmabuf), POLLIN);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(dmabuf_ready(bo.dmabuf), POLLIN | POLLOUT);
	endpoint_destroy(&bo);
}

const struct fence_test sync_file_tests[] = {
	{ "sync-file-export", "readers' and writers' fences as sync_file",
	  test_sync_file_export },
	{ "sync-file-names", "a fence tells its driver and its timeline",
	  test_sync_file_names },
	{ "sync-file-snapshot", "a sync_file holds what was pending, no more",
	  test_sync_file_snapshot },
	{ "sync-file-array", "several fences leave as one",
	  test_sync_file_array },
	{ "sync-file-makes-busy", "an imported fence makes vgem say EBUSY",
	  test_sync_file_makes_busy },
	{}
};

const struct fence_pair_test sync_file_pair_tests[] = {
	{ "sync-file-import", "a vgem fence carried into another buffer",
	  test_sync_file_import },
	{ "sync-file-import-merged", "a merged sync_file brings all its fences",
	  test_sync_file_import_merged },
	{ "fence-on-import", "vgem fences a buffer that it imported",
	  test_fence_on_import },
	{}
};
