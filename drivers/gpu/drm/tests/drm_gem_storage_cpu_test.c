// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of storage in a process
 *
 * A process that has an object mapped sees the part that it asked for, and does
 * not see that it moves.
 */

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <kunit/resource.h>

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

static struct kunit_case storage_cpu_cases[] = {
	KUNIT_CASE(mmap_at_offset),
	KUNIT_CASE(fault_maps_around),
	KUNIT_CASE(mmap_private),
	KUNIT_CASE(mapping_follows),
	{},
};

static struct kunit_suite storage_cpu_suite = {
	.name = "drm_gem_storage_cpu",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_cpu_cases,
};

kunit_test_suite(storage_cpu_suite);
