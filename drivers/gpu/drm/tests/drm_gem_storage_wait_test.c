// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of newcomers and processes that wait
 *
 * A strict device that comes while another is at work waits for it. It may be
 * given up meanwhile, and others may come. A process that touches an object while
 * somebody has it locked waits as well.
 */

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "drm_gem_storage_party.h"

#define SEED 19700101

/**
 * struct newcomer - a thread that attaches a strict device
 * @test: the test
 * @dmabuf: the buffer
 * @kind: what it needs
 * @attached: what it attached, when @done
 * @ret: what came of it
 * @done: when it has
 */
struct newcomer {
	struct kunit *test;
	struct dma_buf *dmabuf;
	enum drm_gem_storage_kind kind;
	struct storage_party attached;
	int ret;
	struct completion done;
};

static int newcomer_run(void *data)
{
	struct newcomer *newcomer = data;

	allow_signal(SIGUSR1);
	allow_signal(SIGKILL);
	newcomer->ret =
		storage_party_join(newcomer->test, &newcomer->attached,
				   newcomer->dmabuf, NULL, newcomer->kind);
	kthread_complete_and_exit(&newcomer->done, 0);
}

static struct task_struct *newcomer_start(struct newcomer *newcomer)
{
	struct task_struct *task;

	init_completion(&newcomer->done);
	task = kthread_create(newcomer_run, newcomer, "newcomer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(newcomer->test, task);
	get_task_struct(task);
	wake_up_process(task);

	return task;
}

/* A device that has the object mapped, with content in it, and uses it. */
static struct dma_fence *first_at_work(struct kunit *test,
				       struct storage_party *first,
				       struct dma_buf *dmabuf)
{
	struct storage_ctx *ctx = test->priv;

	storage_mock_fill(test, ctx->storage, SEED);
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, first, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_SHMEM));
	storage_party_map(test, first);

	return storage_mock_busy(test, DMA_RESV_USAGE_READ);
}

/* Who waits for fences holds the lock, and the importers have been told. */
static void until_it_waits(struct newcomer *newcomer,
			   struct storage_party *first)
{
	while (!READ_ONCE(first->told) && !completion_done(&newcomer->done))
		cond_resched();
}

/* Who wants to attach meanwhile is in line for the lock. */
static void until_it_queues(struct newcomer *newcomer)
{
	struct mutex *lock = &newcomer->dmabuf->resv->lock.base;

	while (list_empty_careful(&lock->wait_list) &&
	       !completion_done(&newcomer->done))
		cond_resched();
}

static const int signals[] = { SIGUSR1, SIGKILL };

static void signal_desc(const int *sig, char *desc)
{
	strscpy(desc, *sig == SIGKILL ? "killed" : "interrupted",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(signal, signals, signal_desc);

/*
 * Succeeds if a newcomer that waits for a device can be interrupted and killed,
 * leaves nothing behind, and the next one waits until the device is done.
 */
static void dies_while_it_waits(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	const int *sig = test->param_value;
	struct newcomer newcomer = {
		.test = test,
		.dmabuf = dmabuf,
		.kind = DRM_GEM_STORAGE_CONTIGUOUS,
	};
	struct task_struct *task;
	struct dma_fence *fence;
	struct storage_party first = {};

	fence = first_at_work(test, &first, dmabuf);

	task = newcomer_start(&newcomer);
	until_it_waits(&newcomer, &first);
	send_sig(*sig, task, 1);
	wait_for_completion(&newcomer.done);
	put_task_struct(task);
	KUNIT_EXPECT_EQ(test, newcomer.ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_SHMEM);
	storage_party_expect(test, &first, SEED);

	first.told = 0;
	task = newcomer_start(&newcomer);
	until_it_waits(&newcomer, &first);
	KUNIT_EXPECT_FALSE(test, completion_done(&newcomer.done));
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);
	dma_fence_signal(fence);
	wait_for_completion(&newcomer.done);
	put_task_struct(task);
	dma_fence_put(fence);
	KUNIT_ASSERT_EQ(test, newcomer.ret, 0);
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 1);

	storage_party_unmap(&first);
	storage_mock_expect(test, ctx->storage, SEED);
	storage_party_leave(&newcomer.attached);
	storage_party_leave(&first);
	dma_buf_put(dmabuf);
}

static const enum drm_gem_storage_kind two[][2] = {
	{ DRM_GEM_STORAGE_CONTIGUOUS, DRM_GEM_STORAGE_MASKED },
	{ DRM_GEM_STORAGE_MASKED, DRM_GEM_STORAGE_CONTIGUOUS },
};

static void two_desc(const enum drm_gem_storage_kind (*kind)[2], char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s first",
		 drm_gem_storage_kind_name((*kind)[0]));
}

KUNIT_ARRAY_PARAM(two, two, two_desc);

/*
 * Succeeds if of two newcomers that come while a device is busy, one waiting for
 * it and one for the other, both find storage that suits both.
 */
static void two_at_once(struct kunit *test)
{
	const enum drm_gem_storage_kind(*kind)[2] = test->param_value;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	struct newcomer newcomer[2] = {};
	struct task_struct *task[2];
	struct dma_fence *fence;
	struct storage_party first = {};
	struct dma_buf_constraints c;
	int i;

	fence = first_at_work(test, &first, dmabuf);
	for (i = 0; i < 2; i++) {
		newcomer[i].test = test;
		newcomer[i].dmabuf = dmabuf;
		newcomer[i].kind = (*kind)[i];
		task[i] = newcomer_start(&newcomer[i]);
		if (i)
			until_it_queues(&newcomer[i]);
		else
			until_it_waits(&newcomer[i], &first);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_FALSE(test, completion_done(&newcomer[i].done));
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);
	dma_fence_signal(fence);
	for (i = 0; i < 2; i++) {
		wait_for_completion(&newcomer[i].done);
		put_task_struct(task[i]);
		KUNIT_ASSERT_EQ(test, newcomer[i].ret, 0);
	}
	dma_fence_put(fence);

	storage_party_unmap(&first);
	for (i = 0; i < 2; i++) {
		c = storage_mock_needs((*kind)[i]);
		storage_mock_expect_suits(test, ctx->storage, &c);
	}
	storage_mock_expect(test, ctx->storage, SEED);
	for (i = 0; i < 2; i++)
		storage_party_leave(&newcomer[i].attached);
	storage_party_leave(&first);
	dma_buf_put(dmabuf);
}

/**
 * struct holder - a thread that has an object locked until somebody wants it
 * @resv: the object's lock
 * @held: when it has it
 * @enough: do not wait for anybody any longer
 */
struct holder {
	struct dma_resv *resv;
	struct completion held;
	bool enough;
};

static int holder_run(void *data)
{
	struct holder *holder = data;
	struct mutex *lock = &holder->resv->lock.base;
	bool wanted = false;

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->held);
	while (!wanted && !READ_ONCE(holder->enough)) {
		wanted = !list_empty_careful(&lock->wait_list);
		cond_resched();
	}
	dma_resv_unlock(holder->resv);
	while (!kthread_should_stop())
		cond_resched();

	return wanted;
}

/**
 * struct fault - a fault that comes while somebody else has the object locked
 * @flags: what the kernel says of the fault
 * @ret: what becomes of it
 * @waits: whether it waits for the lock
 * @keeps: whether it has the lock of the process' memory all the time
 * @desc: in words
 */
struct fault {
	enum fault_flag flags;
	vm_fault_t ret;
	bool waits;
	bool keeps;
	const char *desc;
};

static const struct fault faults[] = {
	{ FAULT_FLAG_ALLOW_RETRY, VM_FAULT_RETRY, true, false,
	  "the first time" },
	{ FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_TRIED, VM_FAULT_RETRY, true,
	  false, "the second time" },
	{ FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT, VM_FAULT_RETRY,
	  false, true, "must not wait" },
	{ 0, VM_FAULT_NOPAGE, true, true, "comes but once" },
};

KUNIT_ARRAY_PARAM_DESC(fault, faults, desc);

/* What the kernel calls when a process touches the first page. */
static vm_fault_t touch(unsigned long addr, enum fault_flag flags)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, addr);

	return vma->vm_ops->fault(&(struct vm_fault){
		.vma = vma,
		.address = addr,
		.pgoff = vma->vm_pgoff,
		.flags = flags,
	});
}

/*
 * Succeeds if a fault waits without the lock of the process' memory, however often it
 * comes, unless it may not drop that, and does not wait where it may not.
 */
static void fault_meets_a_holder(struct kunit *test)
{
	const struct fault *fault = test->param_value;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct holder holder = { .resv = dmabuf->resv };
	struct task_struct *task;
	unsigned long addr;
	vm_fault_t ret;
	bool locked;
	u32 seen;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	init_completion(&holder.held);
	task = kthread_run(holder_run, &holder, "holder");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&holder.held);

	mmap_read_lock(current->mm);
	ret = touch(addr, fault->flags);
	locked = rwsem_is_locked(&current->mm->mmap_lock);
	if (locked)
		mmap_read_unlock(current->mm);
	WRITE_ONCE(holder.enough, true);

	KUNIT_EXPECT_TRUE(test, ret == fault->ret);
	KUNIT_EXPECT_EQ(test, locked, fault->keeps);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), fault->waits);
	KUNIT_EXPECT_EQ(test, 0, get_user(seen, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, seen, 0);
	vm_munmap(addr, STORAGE_SIZE);
	dma_buf_put(dmabuf);
}

static struct kunit_case storage_wait_cases[] = {
	KUNIT_CASE_PARAM(dies_while_it_waits, signal_gen_params),
	KUNIT_CASE_PARAM(two_at_once, two_gen_params),
	KUNIT_CASE_PARAM(fault_meets_a_holder, fault_gen_params),
	{},
};

static struct kunit_suite storage_wait_suite = {
	.name = "drm_gem_storage_wait",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_wait_cases,
};

kunit_test_suite(storage_wait_suite);
