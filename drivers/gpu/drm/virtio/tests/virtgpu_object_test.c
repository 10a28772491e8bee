// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu objects and other devices
 *
 * Memory belongs to one side or the other: while the host may look at it, nobody
 * unmaps, moves or frees it; when the device is gone, nothing of it is left.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_gem.h"
#include "../virtgpu_object.h"
#include "../virtgpu_prime.h"
#include "../virtgpu_vram.h"
#include "virtgpu_mock_host.h"

#define PATTERN 0x5ca1ab1e

/**
 * struct exporter - a dma-buf of one page, which may move
 * @page: the page
 * @mapped: how many tables of it are out
 */
struct exporter {
	struct page *page;
	int mapped;
};

static int exporter_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void exporter_unpin(struct dma_buf_attachment *attach)
{
}

static struct sg_table *exporter_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	struct exporter *exporter = attach->dmabuf->priv;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_page(sgt->sgl, exporter->page, PAGE_SIZE, 0);
	sg_dma_address(sgt->sgl) = page_to_phys(exporter->page);
	sg_dma_len(sgt->sgl) = PAGE_SIZE;
	exporter->mapped++;
	return sgt;
}

static void exporter_unmap(struct dma_buf_attachment *attach,
			   struct sg_table *sgt, enum dma_data_direction dir)
{
	struct exporter *exporter = attach->dmabuf->priv;

	exporter->mapped--;
	sg_free_table(sgt);
	kfree(sgt);
}

static void exporter_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops exporter_ops = {
	.pin = exporter_pin,
	.unpin = exporter_unpin,
	.map_dma_buf = exporter_map,
	.unmap_dma_buf = exporter_unmap,
	.release = exporter_release,
};

static void free_page_of(void *page)
{
	__free_page(page);
}

static struct page *test_page(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, free_page_of, page), 0);
	return page;
}

/* A dma-buf with one reference, the caller's. */
static struct dma_buf *export(struct kunit *test, struct exporter *exporter)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	exporter->page = test_page(test);
	info.ops = &exporter_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = exporter;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	return dmabuf;
}

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

/* The host has it, as after the first commit that shows it. */
static struct vgpu_object *attach_2d(struct kunit *test,
				     struct vgpu_object *vobj)
{
	struct mock_host *host = test->priv;
	struct dma_resv *resv = vobj->storage.base.resv;

	vobj->dumb = true;
	vobj->res.kind = VGPU_RES_2D;
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, vgpu_object_attach_locked(vobj, NULL), 0);
	dma_resv_unlock(resv);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);
	return vobj;
}

static struct vgpu_object *import(struct kunit *test, struct dma_buf *dmabuf)
{
	struct mock_host *host = test->priv;
	struct drm_gem_object *obj;

	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	return attach_2d(test, to_vgpu_object(obj));
}

static struct vgpu_object *own(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vgpu_object_publish(vobj);
	return attach_2d(test, vobj);
}

static bool is_idle(struct dma_resv *resv)
{
	return dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP);
}

static void move(struct dma_buf *dmabuf)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

/*
 * Succeeds if an exporter that moves a buffer, given up meanwhile, finds a fence,
 * and the memory is the host's until it has answered to the one command there is.
 */
static void import_freed_while_moved(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct exporter exporter = {};
	struct dma_buf *dmabuf = export(test, &exporter);
	struct vgpu_object *vobj = import(test, dmabuf);

	host->auto_answer = NULL;
	drm_gem_object_put(&vobj->storage.base);
	move(dmabuf);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_FALSE(test, is_idle(dmabuf->resv));

	mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_UNREF], 1);
	KUNIT_EXPECT_TRUE(test, is_idle(dmabuf->resv));
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Succeeds if one that is kept is detached, and unmapped after the answer. */
static void import_moved_and_used(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct exporter exporter = {};
	struct dma_buf *dmabuf = export(test, &exporter);
	struct vgpu_object *vobj = import(test, dmabuf);

	host->auto_answer = NULL;
	move(dmabuf);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_FALSE(test, is_idle(dmabuf->resv));
	mock_host_answer(host, MOCK_OK);
	KUNIT_EXPECT_EQ(test,
			host->seen[VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING], 1);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);

	host->auto_answer = mock_host_obeys;
	attach_2d(test, vobj);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static bool always_translated(struct device *dev)
{
	return true;
}

/* Succeeds if no address of the DMA API goes to a host that takes others. */
static void import_translated(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct exporter exporter = {};
	struct dma_buf *dmabuf = export(test, &exporter);
	struct drm_gem_object *obj;

	kunit_activate_static_stub(test, vgpu_is_translated, always_translated);
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_EXPECT_PTR_EQ(test, obj, ERR_PTR(-ENODEV));
	if (!IS_ERR(obj))
		drm_gem_object_put(obj);

	host->vgpu->use_dma_api = true;
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	drm_gem_object_put(obj);
	host->vgpu->use_dma_api = false;
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct mock_answer keeps_memory(struct mock_host *host,
				       const struct vgpu_req *req)
{
	struct mock_answer answer = MOCK_OK;

	if (le32_to_cpu(req->hdr.type) ==
	    VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING)
		answer.type = VIRTIO_GPU_RESP_ERR_UNSPEC;
	return answer;
}

/* Succeeds if memory is not taken from a host that does not say it let go. */
static void host_keeps_memory(struct kunit *test)
{
	struct dma_buf_constraints low = DMA_BUF_CONSTRAINTS_ANY;
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = own(test);
	struct drm_gem_object *obj = &vobj->storage.base;
	struct dma_buf *dmabuf;
	int ret;

	dmabuf = vgpu_prime_export(obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	/* where nothing is free, and the page is not */
	low.dma_mask = DMA_BIT_MASK(16);
	host->auto_answer = keeps_memory;
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dmabuf->ops->constrain(dmabuf, &low, true);
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, vobj->sgt);
	KUNIT_EXPECT_EQ(test, vobj->storage.pin_count, 1);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test,
			host->seen[VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING], 1);

	dma_buf_put(dmabuf);
	flush_delayed_fput();
	drm_gem_object_put(obj);
}

/* Succeeds if a device that goes leaves no memory mapped, and takes no more. */
static void device_goes(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct exporter exporter = {};
	struct dma_buf *dmabuf = export(test, &exporter);
	struct vgpu_object *imported = import(test, dmabuf);
	struct vgpu_object *mine = own(test), *late;
	int ret;

	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_EQ(test, mine->storage.pin_count, 1);
	mock_host_end(host);
	vgpu_objects_orphan(host->vgpu);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
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
	struct page *page = test_page(test);
	struct vgpu_object *vobj;
	u32 handle = 0;
	int ret;

	*(u32 *)page_address(page) = PATTERN;
	vgpu->has_window = true;
	vgpu->window.addr = page_to_phys(page);
	vgpu->window.len = PAGE_SIZE;
	drm_mm_init(&vgpu->window_mm, 0, vgpu->window.len);
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

	/* the part of drm_dev_unplug() that faults see */
	vgpu->drm->unplugged = true;
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)addr), 0);
	vgpu_vram_revoke(vgpu);
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)addr), -EFAULT);
	vgpu->drm->unplugged = false;

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	drm_gem_handle_delete(file, handle);
	mock_host_settle(host);
	drm_mm_takedown(&vgpu->window_mm);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(import_freed_while_moved),
	KUNIT_CASE(import_moved_and_used),
	KUNIT_CASE(import_translated),
	KUNIT_CASE(host_keeps_memory),
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
