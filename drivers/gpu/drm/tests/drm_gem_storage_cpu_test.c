// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of storage in a process
 *
 * A process that has an object mapped sees the part that it asked for, and does
 * not see that it moves.
 */

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
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

/* In each the storage moves three times. */
#define MOVE_ROUNDS 20

/**
 * struct writer - a thread that counts in every page of a mapping
 * @mm: the process it is of
 * @addr: the mapping
 * @count: what it wrote last, a number per page
 * @rounds: how often it wrote to all
 * @lost: how often it did not find what it had written
 * @faults: how often it could not
 */
struct writer {
	struct mm_struct *mm;
	unsigned long addr;
	u32 count[STORAGE_PAGES];
	unsigned long rounds;
	unsigned long lost;
	unsigned long faults;
};

static int writer_run(void *data)
{
	struct writer *w = data;
	u32 __user *word;
	unsigned long i;
	u32 seen;

	kthread_use_mm(w->mm);
	while (!kthread_should_stop()) {
		for (i = 0; i < STORAGE_PAGES; i++) {
			word = (u32 __user *)(w->addr + i * PAGE_SIZE) + i;
			if (get_user(seen, word)) {
				w->faults++;
				continue;
			}
			w->lost += seen != w->count[i];
			w->faults += !!put_user(++w->count[i], word);
		}
		WRITE_ONCE(w->rounds, w->rounds + 1);
		cond_resched();
	}
	kthread_unuse_mm(w->mm);

	return 0;
}

/* One move, and not the next before the writer has been at every page. */
static void move_under(struct kunit *test, struct writer *w,
		       enum drm_gem_storage_kind kind)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct dma_buf_constraints c = storage_mock_needs(kind);
	unsigned long rounds = READ_ONCE(w->rounds);

	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(storage, &c, 0));
	KUNIT_EXPECT_EQ(test, 0, storage_mock_relax(storage));
	KUNIT_EXPECT_EQ(test, storage->kind, kind);
	while (READ_ONCE(w->rounds) < rounds + 2 && !READ_ONCE(w->faults))
		cond_resched();
}

/* Succeeds if nothing that a process writes while storage moves gets lost. */
static void writes_while_it_moves(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct task_struct *task;
	struct writer *w;
	int i;

	w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	w->addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
				PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(w->addr));
	w->mm = current->mm;

	task = kthread_run(writer_run, w, "storage-writer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	while (!READ_ONCE(w->rounds) && !READ_ONCE(w->faults))
		cond_resched();

	for (i = 0; i < MOVE_ROUNDS; i++) {
		move_under(test, w, DRM_GEM_STORAGE_CONTIGUOUS);
		move_under(test, w, DRM_GEM_STORAGE_MASKED);
		move_under(test, w, DRM_GEM_STORAGE_SHMEM);
	}
	kthread_stop_put(task);

	KUNIT_EXPECT_EQ(test, storage->moves, 3 * MOVE_ROUNDS);
	KUNIT_EXPECT_EQ(test, w->lost, 0);
	KUNIT_EXPECT_EQ(test, w->faults, 0);
	vm_munmap(w->addr, STORAGE_SIZE);
	dma_buf_put(dmabuf);
}

static struct kunit_case storage_cpu_cases[] = {
	KUNIT_CASE(mmap_at_offset),
	KUNIT_CASE(mmap_private),
	KUNIT_CASE(mapping_follows),
	KUNIT_CASE(writes_while_it_moves),
	{},
};

static struct kunit_suite storage_cpu_suite = {
	.name = "drm_gem_storage_cpu",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_cpu_cases,
};

kunit_test_suite(storage_cpu_suite);
