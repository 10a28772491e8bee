// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of storage in a process
 *
 * A process that has an object mapped sees the part that it asked for, and does
 * not see that it moves. Of an import it sees the exporter's pages.
 */

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <kunit/resource.h>

#include <drm/drm_device.h>
#include <drm/drm_vma_manager.h>

#include "../drm_gem_storage_internal.h"
#include "drm_gem_storage_mock.h"

/* Succeeds if a part of an object that is mapped shows that part. */
static void mmap_at_offset(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct dma_buf *dmabuf = storage_mock_export(test);
	const unsigned long skip = 3 * PAGE_SIZE, cut = 2 * PAGE_SIZE;
	struct iosys_map map;
	unsigned long addr;
	u32 seen, want;

	storage_mock_fill(test, ctx->storage, 7);
	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE - skip,
			     PROT_READ | PROT_WRITE, MAP_SHARED, skip);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(ctx->obj, &map));

	want = iosys_map_rd(&map, skip, u32);
	KUNIT_EXPECT_EQ(test, 0, get_user(seen, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, seen, want);

	/* what is left of a mapping shows what it did */
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, cut));
	want = iosys_map_rd(&map, skip + cut, u32);
	KUNIT_EXPECT_EQ(test, 0, get_user(seen, (u32 __user *)(addr + cut)));
	KUNIT_EXPECT_EQ(test, seen, want);
	KUNIT_EXPECT_EQ(test, 0, put_user(~want, (u32 __user *)(addr + cut)));
	KUNIT_EXPECT_EQ(test, iosys_map_rd(&map, skip + cut, u32), ~want);

	drm_gem_vunmap_unlocked(ctx->obj, &map);
	vm_munmap(addr, STORAGE_SIZE - skip);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if a fault maps what is around the page as well, each page at its
 * place.
 */
static void fault_maps_around(struct kunit *test)
{
	const unsigned long skip = 5, count = STORAGE_PAGES - 2 * skip;
	struct storage_ctx *ctx = test->priv;
	struct dma_buf *dmabuf = storage_mock_export(test);
	unsigned long addr, faults, i;
	struct iosys_map map;
	u32 seen;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(ctx->obj, &map));
	for (i = 0; i < STORAGE_PAGES; i++)
		iosys_map_wr(&map, i * PAGE_SIZE, u32, i);

	addr = kunit_vm_mmap(test, dmabuf->file, 0, count * PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED,
			     skip * PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));

	faults = current->min_flt;
	/* from within, so that there is something on both sides */
	for (i = count / 2; i < count + count / 2; i++) {
		unsigned long page = i % count;
		u32 __user *word = (u32 __user *)(addr + page * PAGE_SIZE);

		KUNIT_ASSERT_EQ(test, 0, get_user(seen, word));
		KUNIT_ASSERT_EQ(test, seen, page + skip);
	}
	faults = current->min_flt - faults;
	KUNIT_EXPECT_GE(test, faults, 1);
	/* windows of 16 pages, and one that is cut at either end */
	KUNIT_EXPECT_LE(test, faults, count / 16 + 2);
	drm_gem_vunmap_unlocked(ctx->obj, &map);
	vm_munmap(addr, count * PAGE_SIZE);
	dma_buf_put(dmabuf);
}

/* What MAP_DUMB would say. */
static u64 map_offset(struct kunit *test, struct drm_gem_object *obj)
{
	KUNIT_ASSERT_EQ(test, 0, drm_gem_create_mmap_offset(obj));

	return drm_vma_node_offset_addr(&obj->vma_node);
}

/*
 * Succeeds if a fault on either side of the object gets SIGBUS, and takes no page. No
 * mapping leads there, so the faults are made up.
 */
static void fault_beyond_the_object(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	unsigned long first = map_offset(test, ctx->obj) >> PAGE_SHIFT;
	struct vm_area_struct vma = { .vm_private_data = ctx->obj };
	struct vm_fault behind = { .vma = &vma,
				   .pgoff = first + STORAGE_PAGES };
	struct vm_fault before = { .vma = &vma, .pgoff = first - 1 };

	KUNIT_EXPECT_TRUE(test, drm_gem_storage_vm_ops.fault(&behind) ==
					VM_FAULT_SIGBUS);
	KUNIT_EXPECT_TRUE(test, drm_gem_storage_vm_ops.fault(&before) ==
					VM_FAULT_SIGBUS);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_NONE);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(ctx->obj->resv));
}

/* Succeeds if an object has an offset when a process maps it, and no sooner. */
static void offset_comes_late(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	unsigned long addr;

	KUNIT_EXPECT_EQ(test, drm_vma_node_start(&ctx->obj->vma_node), 0);
	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_NE(test, drm_vma_node_start(&ctx->obj->vma_node), 0);
	vm_munmap(addr, STORAGE_SIZE);
	dma_buf_put(dmabuf);
}

/* Succeeds if who maps is told that there is no offset left, and may try again. */
static void no_offset_left(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct drm_vma_offset_node all;
	unsigned long addr;

	drm_vma_node_reset(&all);
	KUNIT_ASSERT_EQ(test, 0,
			drm_vma_offset_add(ctx->drm->vma_offset_manager, &all,
					   DRM_FILE_PAGE_OFFSET_SIZE));
	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -ENOSPC);
	drm_vma_offset_remove(ctx->drm->vma_offset_manager, &all);

	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(addr));
	vm_munmap(addr, STORAGE_SIZE);
	dma_buf_put(dmabuf);
}

/* Succeeds if an object cannot be mapped such that writes stay private. */
static void mmap_private(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	unsigned long addr;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -EINVAL);
	dma_buf_put(dmabuf);
}

/* Succeeds if a mapping into a process shows the new pages after a move. */
static void mapping_follows(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct iosys_map map;
	unsigned long addr, i;
	u32 __user *word;
	u32 seen;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	for (i = 0; i < STORAGE_PAGES; i++) {
		word = (u32 __user *)(addr + i * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, put_user(i, word));
	}
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, storage->moves, 1);

	/* what is read was moved, and what is written arrives */
	for (i = 0; i < STORAGE_PAGES; i++) {
		word = (u32 __user *)(addr + i * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, get_user(seen, word));
		KUNIT_ASSERT_EQ(test, seen, i);
		KUNIT_ASSERT_EQ(test, 0, put_user(~i, word));
	}
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&storage->base, &map));
	for (i = 0; i < STORAGE_PAGES; i++)
		KUNIT_EXPECT_EQ(test, ~(u32)i,
				iosys_map_rd(&map, i * PAGE_SIZE, u32));
	drm_gem_vunmap_unlocked(&storage->base, &map);
	vm_munmap(addr, STORAGE_SIZE);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if an object that the CPU writes past its caches keeps its content in
 * all kinds of storage, and leaves no page behind that is still mapped so.
 */
static void write_combined(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	int kind;

	ctx->storage->map_wc = true;
	storage_mock_fill(test, ctx->storage, 7);
	for (kind = DRM_GEM_STORAGE_SHMEM; kind < DRM_GEM_STORAGE_KINDS;
	     kind++) {
		storage_mock_make(test, ctx->storage, kind);
		KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(ctx->storage));
		KUNIT_EXPECT_EQ(test, ctx->storage->backing->wc,
				IS_ENABLED(CONFIG_X86));
		storage_mock_unpin(ctx->storage);
		storage_mock_expect(test, ctx->storage, 7);
	}
}

/* An object of a driver that has imported the test's own. */
struct storage_import {
	struct drm_gem_storage *storage;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
};

static void import_begin(struct kunit *test, struct storage_import *import)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_object *obj;

	import->storage = storage_mock_object(test, STORAGE_SIZE);
	import->dmabuf = storage_mock_export(test);
	import->attach = dma_buf_attach(import->dmabuf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, import->attach);
	obj = &import->storage->base;
	obj->import_attach = import->attach;
	obj->resv = import->dmabuf->resv;
}

static void import_end(struct storage_import *import)
{
	struct drm_gem_object *obj = &import->storage->base;

	obj->import_attach = NULL;
	obj->resv = &obj->_resv;
	dma_buf_detach(import->dmabuf, import->attach);
	dma_buf_put(import->dmabuf);
	drm_gem_object_put(obj);
}

/* Succeeds if the kernel sees of an import what the exporter's object has. */
static void import_is_vmapped(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_import import;
	struct iosys_map map;

	import_begin(test, &import);
	storage_mock_fill(test, ctx->storage, 7);
	storage_mock_expect(test, import.storage, 7);

	KUNIT_ASSERT_EQ(test, 0,
			drm_gem_vmap_unlocked(&import.storage->base, &map));
	KUNIT_EXPECT_EQ(test, ctx->storage->vmap_count, 1);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, ctx->storage->vaddr);
	drm_gem_vunmap_unlocked(&import.storage->base, &map);
	KUNIT_EXPECT_EQ(test, ctx->storage->vmap_count, 0);
	KUNIT_EXPECT_EQ(test, import.storage->kind, DRM_GEM_STORAGE_NONE);
	import_end(&import);
}

/* As drm_gem_mmap() does for the file of a device. */
static int object_mmap(struct file *file, struct vm_area_struct *vma)
{
	return drm_gem_mmap_obj(file->private_data, STORAGE_SIZE, vma);
}

static const struct file_operations object_fops = {
	.mmap = object_mmap,
};

/* Succeeds if a process sees it, too, whole or a part, and goes on to when it moves. */
static void import_is_mapped(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_import import;
	unsigned long addr, part, fake;
	struct file *file;
	u32 seen;

	import_begin(test, &import);
	file = anon_inode_getfile("storage", &object_fops,
				  &import.storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	fake = map_offset(test, &import.storage->base);
	addr = kunit_vm_mmap(test, file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	part = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED,
			     fake + PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(part));
	/* from now on these are mappings of the buffer alone */
	KUNIT_EXPECT_EQ(test, kref_read(&import.storage->base.refcount), 1);
	fput(file);

	KUNIT_EXPECT_EQ(test, 0,
			put_user(613, (u32 __user *)(addr + PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, 0, get_user(seen, (u32 __user *)part));
	KUNIT_EXPECT_EQ(test, seen, 613);
	vm_munmap(part, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, put_user(612, (u32 __user *)addr));
	storage_mock_make(test, ctx->storage, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	KUNIT_EXPECT_EQ(test, 0, get_user(seen, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, seen, 612);
	vm_munmap(addr, STORAGE_SIZE);
	import_end(&import);
}

/*
 * Succeeds if pages of shmem that a process has mapped stay in use when others are
 * done with them, and no longer than it has.
 */
static void pages_while_mapped(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	unsigned long addr;
	u32 seen;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	/* as if there had been no memory for a while */
	ctx->storage->failed_faults = 1;
	KUNIT_ASSERT_EQ(test, 0, get_user(seen, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, seen, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->failed_faults, 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);

	KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(ctx->storage));
	storage_mock_unpin(ctx->storage);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);

	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, STORAGE_SIZE));
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	dma_buf_put(dmabuf);
}

/*
 * Succeeds if memory pressure writes out what the kernel has written, in place of
 * taking the pages as they are.
 */
static void pages_are_dirty(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	unsigned long clean = 0, i;
	struct folio *folio;

	storage_mock_fill(test, ctx->storage, 8);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	drm_gem_storage_shrink(ULONG_MAX);
	for (i = 0; i < STORAGE_PAGES; i++) {
		folio = filemap_get_folio(ctx->obj->filp->f_mapping, i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
		clean += !folio_test_dirty(folio);
		folio_put(folio);
	}
	KUNIT_EXPECT_EQ(test, clean, 0);
}

static struct kunit_case storage_cpu_cases[] = {
	KUNIT_CASE(mmap_at_offset),
	KUNIT_CASE(fault_maps_around),
	KUNIT_CASE(fault_beyond_the_object),
	KUNIT_CASE(offset_comes_late),
	KUNIT_CASE(no_offset_left),
	KUNIT_CASE(mmap_private),
	KUNIT_CASE(mapping_follows),
	KUNIT_CASE(pages_while_mapped),
	KUNIT_CASE(pages_are_dirty),
	KUNIT_CASE(write_combined),
	KUNIT_CASE(import_is_vmapped),
	KUNIT_CASE(import_is_mapped),
	{},
};

static struct kunit_suite storage_cpu_suite = {
	.name = "drm_gem_storage_cpu",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_cpu_cases,
};

kunit_test_suite(storage_cpu_suite);
