// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of the places that have two views
 *
 * Who has which view of a buffer, when the pages of each are taken, and what is left
 * of them when the buffer moves, its device goes, or memory is short.
 */

#include <kunit/resource.h>
#include <kunit/test.h>

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "../vgem_coherence.h"
#include "../vgem_drv.h"
#include "vgem_coherence_bench.h"
#include "vgem_device_test.h"

#define HERE  100
#define THERE (5 * PAGE_SIZE + 9)

static struct drm_gem_object *object(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	return &ctx->buffer->storage.base;
}

/* Writes one byte of two pages, in a bracket. */
static void draw(struct kunit *test, u8 byte)
{
	vgem_test_begin(test, DMA_TO_DEVICE);
	vgem_test_cpu_writes(test, HERE, byte);
	vgem_test_cpu_writes(test, THERE, byte + 1);
	vgem_test_end(test, DMA_TO_DEVICE);
}

static void expect_drawn(struct kunit *test, u8 byte)
{
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), byte);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, THERE), byte + 1);
}

/*
 * Succeeds if neither view has pages before somebody looks, and a CPU that looks
 * without a bracket takes none for the device.
 */
static void pages_come_late(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct vgem_noncoherent *buffer = ctx->buffer;

	vgem_test_import(test);
	vgem_test_map(test);
	KUNIT_EXPECT_NULL(test, buffer->views.cpu);
	KUNIT_EXPECT_EQ(test, buffer->storage.kind, DRM_GEM_STORAGE_NONE);

	vgem_test_cpu_writes(test, HERE, 1);
	KUNIT_EXPECT_NOT_NULL(test, buffer->views.cpu);
	KUNIT_EXPECT_EQ(test, buffer->storage.kind, DRM_GEM_STORAGE_NONE);

	draw(test, 1);
	KUNIT_EXPECT_NE(test, buffer->storage.kind, DRM_GEM_STORAGE_NONE);
	expect_drawn(test, 1);
}

/* Succeeds if the pages of the device take none for the CPU. */
static void device_alone(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	vgem_test_device_writes(test, HERE, 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_NULL(test, ctx->buffer->views.cpu);
}

/* Succeeds if an importer's mapping into the kernel is the device's view. */
static void vmap_is_the_device(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct iosys_map map;

	vgem_test_cpu_writes(test, HERE, 1);
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(ctx->dmabuf, &map));
	KUNIT_EXPECT_EQ(test, iosys_map_rd(&map, HERE, u8), 0);
	draw(test, 2);
	KUNIT_EXPECT_EQ(test, iosys_map_rd(&map, HERE, u8), 2);

	iosys_map_wr(&map, HERE, u8, 3);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 2);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 3);
	dma_buf_vunmap_unlocked(ctx->dmabuf, &map);
}

static void close_file(void *file)
{
	__fput_sync(file);
}

/* What MAP_DUMB would say. */
static u64 map_offset(struct kunit *test, struct drm_gem_object *obj)
{
	KUNIT_ASSERT_EQ(test, drm_gem_create_mmap_offset(obj), 0);

	return drm_vma_node_offset_addr(&obj->vma_node);
}

/* The buffer as the process has it by a handle of a device. */
static unsigned long map_handle(struct kunit *test, struct drm_device *drm,
				struct drm_gem_object *obj)
{
	struct file *file;
	unsigned long map;
	char path[32];
	u32 handle;
	int ret;

	snprintf(path, sizeof(path), "/dev/dri/card%u", drm->primary->index);
	file = filp_open(path, O_RDWR, 0);
	if (IS_ERR(file))
		kunit_skip(test, "no %s", path);
	ret = kunit_add_action_or_reset(test, close_file, file);
	KUNIT_ASSERT_EQ(test, ret, 0);
	ret = drm_gem_handle_create(file->private_data, obj, &handle);
	KUNIT_ASSERT_EQ(test, ret, 0);
	map = kunit_vm_mmap(test, file, 0, VGEM_TEST_SIZE,
			    PROT_READ | PROT_WRITE, MAP_SHARED,
			    map_offset(test, obj));
	KUNIT_ASSERT_TRUE(test, map && !IS_ERR_VALUE(map));
	kunit_release_action(test, close_file, file);

	return map;
}

/*
 * Succeeds if a process sees one view, whether it maps the dma-buf, the maker's
 * handle or the importer's, and a bracket is one for all three.
 */
static void every_mapping_is_the_cpu(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	unsigned long map[2];
	u8 byte;
	int i;

	vgem_test_import(test);
	map[0] = map_handle(test, ctx->drm, object(test));
	map[1] = map_handle(test, ctx->importer, ctx->imported);
	for (i = 0; i < ARRAY_SIZE(map); i++) {
		u8 __user *here = (u8 __user *)(map[i] + HERE);

		vgem_test_cpu_writes(test, HERE, 10 * i + 1);
		KUNIT_EXPECT_EQ(test, 0, get_user(byte, here));
		KUNIT_EXPECT_EQ(test, byte, 10 * i + 1);
		KUNIT_EXPECT_EQ(test, 0, put_user(10 * i + 2, here));
		KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE),
				10 * i + 2);
		KUNIT_EXPECT_NE(test, vgem_test_device_reads(test, HERE),
				10 * i + 2);

		draw(test, 10 * i + 3);
		KUNIT_EXPECT_EQ(test, 0, get_user(byte, here));
		KUNIT_EXPECT_EQ(test, byte, 10 * i + 3);
		expect_drawn(test, 10 * i + 3);
	}
	for (i = 0; i < ARRAY_SIZE(map); i++)
		vm_munmap(map[i], VGEM_TEST_SIZE);
}

/*
 * Succeeds if a buffer moves in the middle of a bracket, mapped by a process, and
 * the device finds in the new place what it had and what the process wrote.
 */
static void moves_in_a_bracket(struct kunit *test)
{
	struct dma_buf_constraints strict = DMA_BUF_CONSTRAINTS_ANY;
	struct vgem_test_views *ctx = test->priv;
	struct drm_gem_storage *storage = &ctx->buffer->storage;
	struct vgem_device_config config;
	struct drm_gem_object *obj;
	struct drm_device *drm;

	vgem_test_device_writes(test, HERE, 1);
	vgem_device_config_init(&config);
	strict.max_segments = 1;
	config.needs = strict;
	drm = &vgem_test_create(test, &config)->drm;

	vgem_test_begin(test, DMA_BIDIRECTIONAL);
	vgem_test_cpu_writes(test, THERE, 2);
	obj = drm->driver->gem_prime_import(drm, ctx->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, storage->moves, 1);
	KUNIT_EXPECT_EQ(test, storage->kind, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_cpu_reads(test, THERE), 2);
	vgem_test_cpu_writes(test, HERE + 1, 3);
	vgem_test_end(test, DMA_BIDIRECTIONAL);

	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE), 1);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, HERE + 1), 3);
	KUNIT_EXPECT_EQ(test, vgem_test_device_reads(test, THERE), 2);
	KUNIT_EXPECT_EQ(test, ctx->buffer->views.told, 0);
	drm_gem_object_put(obj);
}

/* Succeeds if brackets work as before when the device has gone. */
static void device_goes(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	draw(test, 1);
	vgem_test_remove(test, ctx->maker);
	vgem_test_cpu_writes(test, HERE, 7);
	expect_drawn(test, 1);
	draw(test, 2);
	expect_drawn(test, 2);
}

/* Succeeds if the device gets its own object when it imports it. */
static void own_import(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct drm_gem_object *obj;

	obj = ctx->drm->driver->gem_prime_import(ctx->drm, ctx->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_PTR_EQ(test, obj, object(test));
	drm_gem_object_put(obj);
}

/* Succeeds if a device that is not coherent shows another's buffer as that does. */
static void imports_are_the_exporters(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct drm_gem_storage *storage;
	struct drm_gem_object *obj;
	struct dma_buf *dmabuf;
	struct iosys_map map;
	unsigned long addr;

	storage = drm_gem_storage_create(ctx->importer, VGEM_TEST_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, storage);
	dmabuf = storage->base.funcs->export(&storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	obj = ctx->drm->driver->gem_prime_import(ctx->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);

	addr = map_handle(test, ctx->drm, obj);
	KUNIT_EXPECT_EQ(test, 0, put_user(5, (u8 __user *)(addr + HERE)));
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	KUNIT_EXPECT_EQ(test, iosys_map_rd(&map, HERE, u8), 5);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	vm_munmap(addr, VGEM_TEST_SIZE);

	drm_gem_object_put(obj);
	dma_buf_put(dmabuf);
	/* the file is released by a worker, and holds a reference until then */
	while (kref_read(&storage->base.refcount) > 1) {
		flush_delayed_fput();
		cond_resched();
	}
	drm_gem_object_put(&storage->base);
}

/* Succeeds if a buffer cannot be mapped such that writes stay private. */
static void mmap_private(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	unsigned long map;

	map = kunit_vm_mmap(test, ctx->dmabuf->file, 0, VGEM_TEST_SIZE,
			    PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	KUNIT_EXPECT_EQ(test, (long)map, -EINVAL);
}

/*
 * Succeeds if a fault on either side of the buffer gets SIGBUS, and takes no page. No
 * mapping leads there, so the faults are made up.
 */
static void fault_beyond(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;
	struct drm_gem_object *obj = object(test);
	const struct vm_operations_struct *ops = obj->funcs->vm_ops;
	struct vm_area_struct vma = { .vm_private_data = obj };
	unsigned long first = map_offset(test, obj) >> PAGE_SHIFT;
	struct vm_fault fault[] = {
		{ .vma = &vma, .pgoff = first - 1 },
		{ .vma = &vma, .pgoff = first + VGEM_TEST_PAGES },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(fault); i++) {
		KUNIT_EXPECT_TRUE(test,
				  ops->fault(&fault[i]) == VM_FAULT_SIGBUS);
		KUNIT_EXPECT_TRUE(test, ops->pfn_mkwrite(&fault[i]) ==
						VM_FAULT_SIGBUS);
	}
	KUNIT_EXPECT_NULL(test, ctx->buffer->views.cpu);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&ctx->buffer->views.lock));
}

/* Succeeds if a process that touches what there is no memory for gets SIGBUS. */
static void touch_without_memory(struct kunit *test)
{
	struct vgem_test_views *ctx = test->priv;

	vgem_test_drop_buffer(test);
	/* all the memory there is, twice */
	vgem_test_make_buffer(test, totalram_pages() << PAGE_SHIFT);
	vgem_test_map(test);
	KUNIT_EXPECT_EQ(test, -EFAULT,
			put_user(1, (u8 __user *)(ctx->map + HERE)));
	KUNIT_EXPECT_NULL(test, ctx->buffer->views.cpu);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&ctx->buffer->views.lock));
}

static struct kunit_case vgem_coherence_map_tests[] = {
	KUNIT_CASE(pages_come_late),	  KUNIT_CASE(device_alone),
	KUNIT_CASE(vmap_is_the_device),	  KUNIT_CASE(every_mapping_is_the_cpu),
	KUNIT_CASE(moves_in_a_bracket),	  KUNIT_CASE(device_goes),
	KUNIT_CASE(own_import),		  KUNIT_CASE(imports_are_the_exporters),
	KUNIT_CASE(mmap_private),	  KUNIT_CASE(fault_beyond),
	KUNIT_CASE(touch_without_memory), {}
};

static struct kunit_suite vgem_coherence_map_suite = {
	.name = "vgem_coherence_map",
	.init = vgem_test_views_init,
	.exit = vgem_test_views_exit,
	.test_cases = vgem_coherence_map_tests,
};

kunit_test_suite(vgem_coherence_map_suite);
