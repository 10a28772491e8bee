// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: idle storage tests
 *
 * Pages that nobody uses wait for the next who does, with the list of them, and are
 * given back before that if the memory is needed, or nobody comes. What is in them
 * is the same either way.
 */

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iopoll.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "../drm_gem_storage_internal.h"
#include "drm_gem_storage_party.h"

#define SEED   2187
#define ROUNDS 20
/* Longer than any test takes. */
#define KEEP_FOR_MS (3600 * MSEC_PER_SEC)

/* A device comes, has the buffer mapped, and goes. */
static void visit(struct kunit *test, struct storage_party *party)
{
	struct dma_buf *dmabuf = storage_mock_export(test);

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, party, dmabuf, NULL,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, party);
	storage_party_expect(test, party, SEED);
	storage_party_unmap(party);
	storage_party_leave(party);
	dma_buf_put(dmabuf);
}

/* As a visit has left it. */
static struct drm_gem_storage_backing *idle_begin(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};

	storage_mock_fill(test, ctx->storage, SEED);
	visit(test, &party);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	KUNIT_ASSERT_NOT_NULL(test, ctx->storage->backing);
	KUNIT_ASSERT_TRUE(test, ctx->storage->backing->idle);

	return ctx->storage->backing;
}

/* Succeeds if the next device has the same pages by the same list. */
static void next_device_has_them(struct kunit *test)
{
	struct drm_gem_storage_backing *backing = idle_begin(test);
	struct storage_table *spare = backing->spare;
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};

	KUNIT_EXPECT_NOT_NULL(test, spare);
	visit(test, &party);
	KUNIT_EXPECT_PTR_EQ(test, ctx->storage->backing, backing);
	KUNIT_EXPECT_PTR_EQ(test, backing->spare, spare);
	KUNIT_EXPECT_TRUE(test, backing->idle);
	storage_mock_expect(test, ctx->storage, SEED);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
}

/* Succeeds if pages in use count as such again, and are not for the taking. */
static void in_use_again(struct kunit *test)
{
	struct drm_gem_storage_backing *backing = idle_begin(test);
	struct storage_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, storage_mock_pin(ctx->storage));
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);
	KUNIT_EXPECT_FALSE(test, backing->idle);
	drm_gem_storage_shrink(ULONG_MAX);
	KUNIT_EXPECT_PTR_EQ(test, ctx->storage->backing, backing);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);
	KUNIT_EXPECT_FALSE(test, backing->listed);
	storage_mock_unpin(ctx->storage);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	KUNIT_EXPECT_GE(test, drm_gem_storage_shrink(ULONG_MAX), STORAGE_PAGES);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
}

/* Succeeds if idle pages are given back for memory, and nothing is lost by that. */
static void memory_is_short(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};

	idle_begin(test);
	KUNIT_EXPECT_GE(test, drm_gem_storage_shrink(ULONG_MAX), STORAGE_PAGES);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	KUNIT_EXPECT_EQ(test, storage_mock_file_pages(ctx->storage),
			STORAGE_PAGES);
	visit(test, &party);
	storage_mock_expect(test, ctx->storage, SEED);
}

/* Succeeds if the machine finds idle pages when it wants what can be spared. */
static void machine_is_short(struct kunit *test)
{
	struct file *file = filp_open("/proc/sys/vm/drop_caches", O_WRONLY, 0);
	struct storage_ctx *ctx = test->priv;
	loff_t pos;
	int i;

	if (IS_ERR(file))
		kunit_skip(test, "no /proc");
	idle_begin(test);
	/* it does not wait for who has the lock just then */
	for (i = 0; i < 10 && ctx->storage->backing; i++) {
		pos = 0;
		KUNIT_EXPECT_EQ(test, kernel_write(file, "2", 1, &pos), 1);
	}
	__fput_sync(file);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
	storage_mock_expect(test, ctx->storage, SEED);
}

/*
 * Succeeds if who needs memory with the reservation lock held, for this object or
 * another, is not made to wait for it.
 */
static void memory_is_short_inside(struct kunit *test)
{
	struct drm_gem_storage_backing *backing = idle_begin(test);
	struct storage_ctx *ctx = test->priv;

	dma_resv_lock(ctx->obj->resv, NULL);
	drm_gem_storage_shrink(ULONG_MAX);
	KUNIT_EXPECT_PTR_EQ(test, ctx->storage->backing, backing);
	dma_resv_unlock(ctx->obj->resv);
	KUNIT_EXPECT_GE(test, drm_gem_storage_shrink(ULONG_MAX), STORAGE_PAGES);
}

/* Succeeds if no more is given back than was asked for, but for whole objects. */
static void a_little_is_short(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *younger;

	drm_gem_storage_shrink(ULONG_MAX);
	storage_mock_fill(test, ctx->storage, SEED);
	younger = storage_mock_object(test, STORAGE_SIZE);
	storage_mock_fill(test, younger, SEED);

	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(1), STORAGE_PAGES);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
	KUNIT_EXPECT_NOT_NULL(test, younger->backing);
	drm_gem_object_put(&younger->base);
}

/* Succeeds if what was used last is given back last, whenever it was idle first. */
static void used_since_is_given_back_later(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *other;
	struct storage_party party = {};

	drm_gem_storage_shrink(ULONG_MAX);
	idle_begin(test);
	other = storage_mock_object(test, STORAGE_SIZE);
	storage_mock_fill(test, other, SEED);
	/* as if that were long ago */
	ctx->storage->backing->listed_at -= HZ;
	ctx->storage->backing->idle_since -= HZ;
	other->backing->listed_at -= HZ;
	other->backing->idle_since -= HZ;
	visit(test, &party);

	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(1), STORAGE_PAGES);
	KUNIT_EXPECT_NULL(test, other->backing);
	KUNIT_EXPECT_NOT_NULL(test, ctx->storage->backing);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), STORAGE_PAGES);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
	drm_gem_object_put(&other->base);
}

/* Succeeds if an object that goes while it is idle leaves nothing behind. */
static void object_goes(struct kunit *test)
{
	struct drm_gem_storage *storage;

	drm_gem_storage_shrink(ULONG_MAX);
	storage = storage_mock_object(test, STORAGE_SIZE);
	storage_mock_fill(test, storage, SEED);
	KUNIT_EXPECT_TRUE(test, storage->backing->idle);
	drm_gem_object_put(&storage->base);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), 0);
}

/**
 * struct holder - a thread that has an object locked for a while
 * @resv: the object's lock
 * @held: when it has it
 * @enough: when it may let go
 */
struct holder {
	struct dma_resv *resv;
	struct completion held;
	struct completion enough;
};

static int holder_run(void *data)
{
	struct holder *holder = data;

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->held);
	wait_for_completion(&holder->enough);
	dma_resv_unlock(holder->resv);

	return 0;
}

/* A process maps the object of the test, and ends that while somebody has the lock. */
static void unmap_beside_holder(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct holder holder = { .resv = dmabuf->resv };
	struct task_struct *task;
	unsigned long addr;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, put_user(SEED, (u32 __user *)addr), 0);
	init_completion(&holder.held);
	init_completion(&holder.enough);
	task = kthread_create(holder_run, &holder, "holder");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&holder.held);

	vm_munmap(addr, STORAGE_SIZE);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);

	complete(&holder.enough);
	kthread_stop_put(task);
	storage_mock_put_export(ctx->storage, dmabuf);
}

/* Succeeds if pages are idle though nobody could see that when they became so. */
static void unmapped_beside_holder(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	drm_gem_storage_shrink(ULONG_MAX);
	unmap_beside_holder(test);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), STORAGE_PAGES);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
}

/* Succeeds if an object that is to be looked at later may go before that. */
static void unmapped_object_goes(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	drm_gem_storage_shrink(ULONG_MAX);
	unmap_beside_holder(test);
	drm_gem_object_put(ctx->obj);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), 0);

	ctx->storage = storage_mock_object(test, STORAGE_SIZE);
	ctx->obj = &ctx->storage->base;
}

/* Succeeds if idle pages move as others do, and the old ones are not kept. */
static void idle_moves(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;

	drm_gem_storage_shrink(ULONG_MAX);
	idle_begin(test);
	storage_mock_make(test, ctx->storage, DRM_GEM_STORAGE_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_CONTIGUOUS,
				  STORAGE_PAGES);
	KUNIT_EXPECT_EQ(test, storage_mock_file_pages(ctx->storage), 0);
	KUNIT_EXPECT_FALSE(test, ctx->storage->backing->idle);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), 0);
	storage_mock_expect(test, ctx->storage, SEED);
}

/*
 * Succeeds if pages that a device has a table of, and that were idle before, are left
 * alone when the content has moved away from them, and go with the table.
 */
static void moves_away_from_a_table(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct storage_party loose = {}, strict = {};
	struct drm_gem_storage_backing *old;

	drm_gem_storage_shrink(ULONG_MAX);
	old = idle_begin(test);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &loose, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, &loose);
	KUNIT_EXPECT_TRUE(test, old->listed);
	KUNIT_EXPECT_FALSE(test, old->idle);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_CONTIGUOUS));
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);
	KUNIT_EXPECT_FALSE(test, old->listed);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, STORAGE_PAGES);

	storage_party_unmap(&loose);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	KUNIT_EXPECT_EQ(test, drm_gem_storage_shrink(ULONG_MAX), 0);
	storage_mock_expect(test, ctx->storage, SEED);
	storage_party_leave(&strict);
	storage_party_leave(&loose);
	dma_buf_put(dmabuf);
}

/* Succeeds if a list of pages is not used that is cut as nobody wants it any more. */
static void other_cuts(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct drm_gem_storage_backing *backing = idle_begin(test);
	struct storage_ctx *ctx = test->priv;

	KUNIT_EXPECT_NOT_NULL(test, backing->spare);
	c.max_segment_size = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0, storage_mock_constrain(ctx->storage, &c, 0));
	KUNIT_EXPECT_PTR_EQ(test, ctx->storage->backing, backing);
	KUNIT_EXPECT_NULL(test, backing->spare);
	storage_mock_expect_suits(test, ctx->storage, &c);
}

/* Succeeds if pages that nobody comes for are given back by and by. */
static void nobody_comes(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage_backing *left;
	int ret;

	idle_begin(test);
	WRITE_ONCE(drm_gem_storage_idle_ms, 1);
	ret = read_poll_timeout(READ_ONCE, left, !left, 10 * USEC_PER_MSEC,
				60 * USEC_PER_SEC, false,
				ctx->storage->backing);
	KUNIT_EXPECT_EQ(test, ret, 0);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	storage_mock_expect(test, ctx->storage, SEED);
}

/* Succeeds if nothing is kept where the administrator does not want that. */
static void nothing_is_kept(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};

	WRITE_ONCE(drm_gem_storage_idle_ms, 0);
	storage_mock_fill(test, ctx->storage, SEED);
	visit(test, &party);
	KUNIT_EXPECT_NULL(test, ctx->storage->backing);
	storage_mock_expect_pages(test, DRM_GEM_STORAGE_SHMEM, 0);
	storage_mock_expect(test, ctx->storage, SEED);
}

static int shrink_run(void *unused)
{
	while (!kthread_should_stop()) {
		drm_gem_storage_shrink(ULONG_MAX);
		cond_resched();
	}

	return 0;
}

/*
 * Succeeds if objects are used, and end, while idle pages are given back all the time,
 * and nothing is lost by that.
 */
static void memory_is_always_short(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct storage_party party = {};
	struct drm_gem_storage *other;
	struct task_struct *task;
	int i;

	task = kthread_run(shrink_run, NULL, "storage-shrink");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	storage_mock_fill(test, ctx->storage, SEED);
	for (i = 0; i < ROUNDS; i++) {
		other = storage_mock_object(test, STORAGE_SIZE);
		storage_mock_fill(test, other, SEED);
		visit(test, &party);
		drm_gem_object_put(&other->base);
	}
	kthread_stop(task);
	storage_mock_expect(test, ctx->storage, SEED);
}

static int idle_init(struct kunit *test)
{
	WRITE_ONCE(drm_gem_storage_idle_ms, KEEP_FOR_MS);

	return storage_mock_init(test);
}

static void idle_exit(struct kunit *test)
{
	storage_mock_exit(test);
	WRITE_ONCE(drm_gem_storage_idle_ms, MSEC_PER_SEC);
}

static struct kunit_case storage_idle_cases[] = {
	KUNIT_CASE(next_device_has_them),
	KUNIT_CASE(in_use_again),
	KUNIT_CASE(memory_is_short),
	KUNIT_CASE(machine_is_short),
	KUNIT_CASE(memory_is_short_inside),
	KUNIT_CASE(a_little_is_short),
	KUNIT_CASE(used_since_is_given_back_later),
	KUNIT_CASE(object_goes),
	KUNIT_CASE(unmapped_beside_holder),
	KUNIT_CASE(unmapped_object_goes),
	KUNIT_CASE(idle_moves),
	KUNIT_CASE(moves_away_from_a_table),
	KUNIT_CASE(other_cuts),
	KUNIT_CASE(nobody_comes),
	KUNIT_CASE(nothing_is_kept),
	KUNIT_CASE(memory_is_always_short),
	{},
};

static struct kunit_suite storage_idle_suite = {
	.name = "drm_gem_storage_idle",
	.init = idle_init,
	.exit = idle_exit,
	.test_cases = storage_idle_cases,
};

kunit_test_suite(storage_idle_suite);
