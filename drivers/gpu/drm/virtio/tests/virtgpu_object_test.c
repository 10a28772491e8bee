// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu objects
 *
 * Memory belongs to one side or the other: while the host may look at it, nobody
 * moves or frees it; when the device is gone, nothing of it is left.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_export.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "../virtgpu_order.h"
#include "../virtgpu_vram.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

#define PATTERN 0x5ca1ab1e

static int object_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	test->priv = host;
	return 0;
}

static void object_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
	flush_delayed_fput();
}

static struct vgpu_object *own(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vgpu_object_publish(vobj);
	return mock_client_attach(test, vobj);
}

/**
 * struct watched - two buffers that go with the command that is about them
 * @base: a fence of one of them, whose state is looked at behind our command
 * @lock: of @base
 * @host: the host
 * @behind: the command is over, and another waits to be given back
 * @gone: the other was, and so the first
 * @first: of the buffers, and the lock that must not be held when the second goes
 * @held: it was
 * @looked: all of this has happened
 */
struct watched {
	struct dma_fence base;
	/* of @base */
	spinlock_t lock;
	struct mock_host *host;
	bool behind;
	struct completion gone;
	struct dma_buf *first;
	bool held;
	bool looked;
};

static void watched_done(struct vgpu_cmd *cmd, int result)
{
	struct watched *watched = cmd->priv;

	watched->behind = true;
}

static void watched_gone(struct vgpu_cmd *cmd)
{
	struct watched *watched = cmd->priv;

	complete(&watched->gone);
}

/* Called when the fence of our command is added, with the locks held. */
static bool watched_signaled(struct dma_fence *base)
{
	struct watched *watched = container_of(base, struct watched, base);
	struct vgpu_cmd *cmd;

	if (!watched->behind)
		return false;
	watched->behind = false;
	cmd = vgpu_cmd_create();
	if (!cmd)
		return false;
	/* things are given back one after the other */
	cmd->release = watched_gone;
	cmd->priv = watched;
	vgpu_queue_add(&watched->host->vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
	wait_for_completion(&watched->gone);
	watched->looked = true;
	return false;
}

static const char *watched_name(struct dma_fence *base)
{
	return "watched";
}

static const struct dma_fence_ops watched_ops = {
	.get_driver_name = watched_name,
	.get_timeline_name = watched_name,
	.signaled = watched_signaled,
	.release = dma_fence_free,
};

static void watched_detach(struct dma_buf *dmabuf, void *arg)
{
	struct watched *watched = arg;

	if (watched->first != dmabuf)
		watched->held |= dma_resv_is_locked(watched->first->resv);
}

/* Succeeds if a buffer that goes with its command takes no lock inside another's. */
static void last_reference_goes_unlocked(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct watched *watched = kzalloc(sizeof(*watched), GFP_KERNEL);
	struct mock_exporter exporters[2] = {};
	struct dma_buf *dmabufs[2];
	struct drm_gem_object **objects;
	struct vgpu_fence *fence;
	struct vgpu_cmd *cmd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, watched);
	objects = kvcalloc(2, sizeof(*objects), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objects);
	for (i = 0; i < 2; i++) {
		exporters[i].detached = watched_detach;
		exporters[i].arg = watched;
		dmabufs[i] = mock_export(test, &exporters[i]);
		objects[i] = vgpu_prime_import(host->vgpu->drm, dmabufs[i]);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, objects[i]);
	}
	watched->host = host;
	watched->first = dmabufs[0];
	init_completion(&watched->gone);
	spin_lock_init(&watched->lock);
	dma_fence_init(&watched->base, &watched_ops, &watched->lock,
		       dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabufs[0]->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(dmabufs[0]->resv, 1), 0);
	dma_resv_add_fence(dmabufs[0]->resv, &watched->base,
			   DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(dmabufs[0]->resv);

	/* so that the command is over at once */
	mock_host_end(host);
	cmd = vgpu_cmd_create();
	fence = vgpu_fence_create(&host->vgpu->fences);
	KUNIT_ASSERT_NOT_NULL(test, cmd);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	vgpu_cmd_set_fence(cmd, fence);
	vgpu_fence_put(fence);
	vgpu_cmd_set_objects(cmd, objects, 2);
	cmd->done = watched_done;
	cmd->priv = watched;
	KUNIT_EXPECT_EQ(test, vgpu_order_queue(host->vgpu, cmd), 0);
	vgpu_cmd_put(cmd);
	flush_work(&host->vgpu->release);
	KUNIT_EXPECT_TRUE(test, watched->looked);
	KUNIT_EXPECT_FALSE(test, watched->held);

	dma_fence_signal(&watched->base);
	for (i = 0; i < 2; i++)
		dma_buf_put(dmabufs[i]);
	flush_delayed_fput();
	dma_fence_put(&watched->base);
}

static void count_detached(struct dma_buf *dmabuf, void *arg)
{
	++*(int *)arg;
}

/*
 * Succeeds if a device that goes leaves no memory mapped, not even by exporters that
 * keep what they have mapped until it is detached, and takes no more.
 */
static void device_goes(struct kunit *test)
{
	int detached = 0;
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {
		.detached = count_detached,
		.arg = &detached,
	};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *imported = mock_client_import(test, dmabuf);
	struct vgpu_object *mine = own(test), *late;
	int ret;

	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_EQ(test, mine->storage.pin_count, 1);
	mock_host_end(host);
	vgpu_objects_orphan(host->vgpu);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	KUNIT_EXPECT_EQ(test, detached, 1);
	KUNIT_EXPECT_EQ(test, mine->storage.pin_count, 0);

	dma_resv_lock(mine->storage.base.resv, NULL);
	ret = vgpu_object_attach_locked(mine, NULL);
	dma_resv_unlock(mine->storage.base.resv);
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, mine->storage.pin_count, 0);

	late = vgpu_object_create(host->vgpu, PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, late);
	vgpu_object_publish(late);
	drm_gem_object_put(&late->storage.base);
	drm_gem_object_put(&mine->storage.base);
	drm_gem_object_put(&imported->storage.base);
	KUNIT_EXPECT_EQ(test, detached, 1);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct mock_answer maps(struct mock_host *host,
			       const struct vgpu_req *req)
{
	static const struct virtio_gpu_resp_map_info info = {
		.map_info = VIRTIO_GPU_MAP_CACHE_CACHED,
	};

	return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB,
			      VIRTIO_GPU_RESP_OK_MAP_INFO, &info, sizeof(info));
}

/* A buffer of the host in a window that is a page of ours. */
static u32 make_vram(struct kunit *test, struct drm_file *file)
{
	const struct vgpu_blob blob = {
		.mem = VIRTGPU_BLOB_MEM_HOST3D,
		.flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.size = PAGE_SIZE,
	};
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct page *page = mock_page(test);
	struct vgpu_object *vobj;
	u32 handle = 0;
	int ret;

	*(u32 *)page_address(page) = PATTERN;
	vgpu->window.addr = page_to_phys(page);
	vgpu->window.len = PAGE_SIZE;
	KUNIT_ASSERT_TRUE(test, vgpu_vram_init_window(vgpu));
	host->auto_answer = maps;
	vobj = vgpu_vram_create(vgpu, &blob);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vgpu_object_publish(vobj);
	ret = drm_gem_handle_create(file, &vobj->storage.base, &handle);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	return handle;
}

/* Succeeds if a process has nothing of the window when the device is gone. */
static void window_goes(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_file *file = mock_host_open(test, host);
	unsigned long addr;
	u64 offset = 0;
	u32 value = 0, handle = make_vram(test, file);
	int ret;

	ret = vgpu_map_offset(file, vgpu->drm, handle, &offset);
	KUNIT_ASSERT_EQ(test, ret, 0);
	addr = kunit_vm_mmap(test, file->filp, 0, PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, offset);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)addr), 0);
	KUNIT_EXPECT_EQ(test, value, PATTERN);

	/* as drm_dev_unplug() does, of a device that was registered */
	vgpu->drm->unplugged = true;
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)addr), 0);
	unmap_mapping_range(vgpu->drm->anon_inode->i_mapping, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)addr), -EFAULT);
	vgpu->drm->unplugged = false;

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	drm_gem_handle_delete(file, handle);
	mock_host_settle(host);
	drm_mm_takedown(&vgpu->window_mm);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(last_reference_goes_unlocked),
	KUNIT_CASE(device_goes),
	KUNIT_CASE(window_goes),
	{}
};

static struct kunit_suite object_suite = {
	.name = "virtio_gpu_object",
	.init = object_test_init,
	.exit = object_test_exit,
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);
