// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu memory of the host
 *
 * The window to the host's memory: where a buffer is in it, who is told of that in
 * which words, and how the CPU looks at it.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mm.h>
#include <drm/drm_mode.h>
#include <drm/drm_print.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_gem.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_object.h"
#include "../virtgpu_vram.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

static int vram_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->has_virgl = true;
	test->priv = host;
	return 0;
}

static void vram_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

/* Two blobs of a page in a window that has room for both; how far apart? */
static u64 distance_in_window(struct kunit *test)
{
	const struct vgpu_blob blob = {
		.mem = VIRTGPU_BLOB_MEM_HOST3D,
		.flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.size = PAGE_SIZE,
	};
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct vgpu_object *one, *two;
	u64 distance;

	vgpu->window.len = SZ_64K;
	KUNIT_ASSERT_TRUE(test, vgpu_vram_init_window(vgpu));
	one = vgpu_vram_create(vgpu, &blob);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	two = vgpu_vram_create(vgpu, &blob);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two);
	distance = abs_diff(one->window.start, two->window.start);
	drm_gem_object_put(&one->storage.base);
	drm_gem_object_put(&two->storage.base);
	mock_host_settle(host);
	drm_mm_takedown(&vgpu->window_mm);
	return distance;
}

/* Succeeds if blobs are multiples of what the host says, and lie at multiples. */
static void blobs_are_aligned(struct kunit *test)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = VIRTGPU_BLOB_MEM_GUEST,
		.size = SZ_4K,
	};
	struct drm_mode_create_dumb dumb = {
		.width = 1,
		.height = 1,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	const struct drm_ioctl_desc *create =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE_BLOB];
	const struct drm_ioctl_desc *get = &vgpu_ioctls[DRM_VIRTGPU_GETPARAM];
	struct drm_virtgpu_getparam param = {
		.param = VIRTGPU_PARAM_BLOB_ALIGNMENT,
	};
	int ret, value = 0;

	param.value = mock_client_copy(test, &value, sizeof(value));
	host->vgpu->has_blob = true;
	KUNIT_EXPECT_EQ(test, get->func(drm, &param, file), -ENOENT);
	KUNIT_EXPECT_EQ(test, create->func(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, distance_in_window(test), SZ_4K);

	host->vgpu->has_blob_alignment = true;
	host->vgpu->blob_alignment = SZ_16K;
	KUNIT_EXPECT_EQ(test, get->func(drm, &param, file), 0);
	ret = get_user(value, (int __user *)u64_to_user_ptr(param.value));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, value, SZ_16K);
	KUNIT_EXPECT_EQ(test, create->func(drm, &args, file), -EINVAL);
	args.size = SZ_16K;
	KUNIT_EXPECT_EQ(test, create->func(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, distance_in_window(test), SZ_16K);
	KUNIT_EXPECT_EQ(test, vgpu_dumb_create(file, drm, &dumb), 0);
	KUNIT_EXPECT_EQ(test, dumb.size, SZ_16K);
	mock_host_settle(host);
}

/**
 * struct caching - what the host says of memory that it has mapped
 * @name: of the case
 * @type: of the answer
 * @info: how it is cached
 * @refused: it cannot be mapped by a process
 */
struct caching {
	const char *name;
	u32 type;
	u32 info;
	bool refused;
};

static const struct caching cachings[] = {
	{ "cached", VIRTIO_GPU_RESP_OK_MAP_INFO, VIRTIO_GPU_MAP_CACHE_CACHED,
	  false },
	{ "write-combined", VIRTIO_GPU_RESP_OK_MAP_INFO,
	  VIRTIO_GPU_MAP_CACHE_WC, false },
	{ "uncached", VIRTIO_GPU_RESP_OK_MAP_INFO,
	  VIRTIO_GPU_MAP_CACHE_UNCACHED, false },
	{ "refused", VIRTIO_GPU_RESP_ERR_UNSPEC, 0, true },
	{ "another answer", VIRTIO_GPU_RESP_OK_NODATA, 0, true },
};

static void caching_desc(const struct caching *caching, char *desc)
{
	strscpy(desc, caching->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(caching, cachings, caching_desc);

static struct mock_answer maps_as_said(struct mock_host *host,
				       const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_map_info info;
	const struct caching *caching = host->priv;

	memset(&info, 0, sizeof(info));
	info.map_info = (__force __u32)cpu_to_le32(caching->info);
	return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB,
			      caching->type, &info, sizeof(info));
}

static bool is_cached_as(pgprot_t prot, u32 info)
{
	pgprot_t wanted = prot;

	if (info == VIRTIO_GPU_MAP_CACHE_WC)
		wanted = pgprot_writecombine(prot);
	else if (info == VIRTIO_GPU_MAP_CACHE_UNCACHED)
		wanted = pgprot_noncached(prot);
	else
		return !is_cached_as(prot, VIRTIO_GPU_MAP_CACHE_WC) &&
		       !is_cached_as(prot, VIRTIO_GPU_MAP_CACHE_UNCACHED);
	return pgprot_val(prot) == pgprot_val(wanted);
}

/* Of what a process has mapped, without touching it. */
static pgprot_t prot_at(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	pgprot_t prot = {};
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma)
		prot = vma->vm_page_prot;
	mmap_read_unlock(mm);
	return prot;
}

/* What a device of somebody else's is told of the window. */
static bool device_can_map(struct kunit *test, struct drm_file *file,
			   u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	struct dma_buf dmabuf = { .priv = obj };
	struct dma_buf_attachment attach = { .dmabuf = &dmabuf };
	struct sg_table *sgt;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	attach.dev = obj->dev->dev;
	sgt = vgpu_vram_map_dma_buf(&attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR(sgt))
		vgpu_vram_unmap_dma_buf(&attach, sgt, DMA_BIDIRECTIONAL);
	drm_gem_object_put(obj);
	return sgt != ERR_PTR(-EINVAL);
}

/* Succeeds if the host's memory is cached as it says, and leaves the window in the end. */
static void window_is_cached(struct kunit *test)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = VIRTGPU_BLOB_MEM_HOST3D,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.blob_id = 77,
	};
	const struct caching *caching = test->param_value;
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_file *file = mock_host_open(test, host);
	unsigned long addr;
	u64 offset = 0;

	host->priv = (void *)caching;
	host->auto_answer = maps_as_said;
	vgpu->has_blob = true;
	KUNIT_EXPECT_EQ(test, mock_client_create_blob(test, file, &args),
			-EINVAL);

	vgpu->window.len = PAGE_SIZE;
	KUNIT_ASSERT_TRUE(test, vgpu_vram_init_window(vgpu));
	KUNIT_ASSERT_EQ(test, mock_client_create_blob(test, file, &args), 0);
	KUNIT_EXPECT_EQ(test, 0,
			vgpu_map_offset(file, vgpu->drm, args.bo_handle,
					&offset));
	addr = kunit_vm_mmap(test, file->filp, 0, PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, offset);
	KUNIT_EXPECT_NE(test, addr, 0);
	KUNIT_EXPECT_EQ(test, IS_ERR_VALUE(addr), caching->refused);
	if (!IS_ERR_VALUE(addr)) {
		KUNIT_EXPECT_TRUE(test, is_cached_as(prot_at(addr),
						     caching->info));
		KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	}
	KUNIT_EXPECT_EQ(test, device_can_map(test, file, args.bo_handle),
			!caching->refused);
	/* there is room for one */
	KUNIT_EXPECT_EQ(test, mock_client_create_blob(test, file, &args),
			-ENOSPC);

	drm_gem_handle_delete(file, args.bo_handle);
	mock_host_settle(host);
	KUNIT_EXPECT_GE(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB],
			1);
	KUNIT_EXPECT_TRUE(test, drm_mm_clean(&vgpu->window_mm));
	drm_mm_takedown(&vgpu->window_mm);
}

#define OURS   0x5ca1ab1e
#define THEIRS 0xfee1dead

/*
 * Succeeds if a process that maps the host's memory for itself sees it, writes to a copy
 * of its own, and has neither when the device is gone. Broken by refusing the mapping,
 * which stock's driver does not; by letting it write to the host's memory; and by leaving
 * it the copy.
 */
static void window_is_mapped_privately(struct kunit *test)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = VIRTGPU_BLOB_MEM_HOST3D,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
	};
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_file *file = mock_host_open(test, host);
	struct page *page = mock_page(test);
	u32 *there = page_address(page), value = 0;
	u32 __user *here;
	unsigned long addr;
	u64 offset = 0;

	host->priv = (void *)&cachings[0];
	host->auto_answer = maps_as_said;
	vgpu->has_blob = true;
	vgpu->window.addr = page_to_phys(page);
	vgpu->window.len = PAGE_SIZE;
	KUNIT_ASSERT_TRUE(test, vgpu_vram_init_window(vgpu));
	KUNIT_ASSERT_EQ(test, mock_client_create_blob(test, file, &args), 0);
	mock_host_settle(host);
	KUNIT_ASSERT_EQ(test, 0,
			vgpu_map_offset(file, vgpu->drm, args.bo_handle,
					&offset));
	addr = kunit_vm_mmap(test, file->filp, 0, PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_PRIVATE, offset);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	here = (u32 __user *)addr;

	*there = THEIRS;
	KUNIT_EXPECT_EQ(test, get_user(value, here), 0);
	KUNIT_EXPECT_EQ(test, value, THEIRS);
	KUNIT_EXPECT_EQ(test, put_user(OURS, here), 0);
	KUNIT_EXPECT_EQ(test, get_user(value, here), 0);
	KUNIT_EXPECT_EQ(test, value, OURS);
	KUNIT_EXPECT_EQ(test, *there, THEIRS);

	/* as drm_dev_unplug() does, of a device that was registered */
	vgpu->drm->unplugged = true;
	unmap_mapping_range(vgpu->drm->anon_inode->i_mapping, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, get_user(value, here), -EFAULT);
	vgpu->drm->unplugged = false;

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	drm_gem_handle_delete(file, args.bo_handle);
	mock_host_settle(host);
	drm_mm_takedown(&vgpu->window_mm);
}

static struct mock_answer notes_place(struct mock_host *host,
				      const struct vgpu_req *req)
{
	u64 *place = host->priv;

	if (le32_to_cpu(req->hdr.type) == VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB)
		*place = le64_to_cpu(req->map_blob.offset);
	return MOCK_OK;
}

/* A window of two pages, of which one is in use, as stock's driver prints it. */
#define WINDOW	    0x140000000ull
#define WINDOW_TEXT "0x0000000140000000-0x0000000140001000: 4096: used\n" \
		    "0x0000000140001000-0x0000000140002000: 4096: free\n" \
		    "total: 8192, used 4096 free 4096\n"

/*
 * Succeeds if people are told of addresses, and the host of offsets. Broken by counting
 * from 0, which people were told, or by telling the host of addresses.
 */
static void window_is_told(struct kunit *test)
{
	const struct vgpu_blob blob = {
		.mem = VIRTGPU_BLOB_MEM_HOST3D,
		.flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.size = SZ_4K,
	};
	char text[sizeof(WINDOW_TEXT)] = "";
	struct drm_print_iterator iter = {
		.data = text,
		.remain = sizeof(text),
	};
	struct drm_printer p = drm_coredump_printer(&iter);
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct vgpu_object *vobj;
	u64 place = U64_MAX;

	host->priv = &place;
	host->auto_answer = notes_place;
	vgpu->window.addr = WINDOW;
	vgpu->window.len = 2 * SZ_4K;
	KUNIT_ASSERT_TRUE(test, vgpu_vram_init_window(vgpu));
	vobj = vgpu_vram_create(vgpu, &blob);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, place, 0);
	vgpu_vram_print_window(vgpu, &p);
	KUNIT_EXPECT_STREQ(test, text, WINDOW_TEXT);

	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	drm_mm_takedown(&vgpu->window_mm);
	host->auto_answer = mock_host_obeys;
}

/* Succeeds if a window that no offset is a multiple in is none. Broken by taking it. */
static void window_is_aligned(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;

	vgpu->window.addr = WINDOW + SZ_4K;
	vgpu->window.len = SZ_64K;
	vgpu->blob_alignment = SZ_16K;
	KUNIT_EXPECT_FALSE(test, vgpu_vram_init_window(vgpu));
	KUNIT_EXPECT_FALSE(test, vgpu->has_window);
}

static struct kunit_case vram_cases[] = {
	KUNIT_CASE(blobs_are_aligned),
	KUNIT_CASE_PARAM(window_is_cached, caching_gen_params),
	KUNIT_CASE(window_is_mapped_privately),
	KUNIT_CASE(window_is_told),
	KUNIT_CASE(window_is_aligned),
	{}
};

static struct kunit_suite vram_suite = {
	.name = "virtio_gpu_vram",
	.init = vram_test_init,
	.exit = vram_test_exit,
	.test_cases = vram_cases,
};

kunit_test_suite(vram_suite);
