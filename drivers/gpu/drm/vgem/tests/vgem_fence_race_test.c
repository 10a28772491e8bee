// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem's fences under contention
 *
 * Two threads that attach or signal at once meet at a completion, and one of
 * them wins. What happens between two steps of one attach is watched by a
 * probe, a fence whose ->signaled() the reservation object calls there, so
 * that these tests fail every time, not once in a while.
 */

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "vgem_fence_test.h"

#define VGEM_TEST_ROUNDS 30

/*
 * A fence of the test's own. When something asks whether it has signalled, it
 * calls @look, and says no.
 */
struct vgem_probe {
	struct dma_fence base;
	spinlock_t lock; /* of @base */
	void (*look)(struct vgem_probe *probe);
	struct vgem_test_fences *ctx;
	u32 handle;
	unsigned int looks;
	unsigned int wrong;
};

static const char *vgem_probe_name(struct dma_fence *base)
{
	return "vgem-probe";
}

static bool vgem_probe_signaled(struct dma_fence *base)
{
	struct vgem_probe *probe = container_of(base, struct vgem_probe, base);

	if (probe->look)
		probe->look(probe);
	return false;
}

static const struct dma_fence_ops vgem_probe_ops = {
	.get_driver_name = vgem_probe_name,
	.get_timeline_name = vgem_probe_name,
	.signaled = vgem_probe_signaled,
};

static void vgem_probe_add(struct kunit *test, struct vgem_probe *probe,
			   struct vgem_test_fences *ctx,
			   enum dma_resv_usage usage)
{
	probe->ctx = ctx;
	spin_lock_init(&probe->lock);
	dma_fence_init(&probe->base, &vgem_probe_ops, &probe->lock,
		       dma_fence_context_alloc(1), 1);

	dma_resv_lock(&ctx->resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(&ctx->resv, 1));
	dma_resv_add_fence(&ctx->resv, &probe->base, usage);
	dma_resv_unlock(&ctx->resv);
}

/*
 * The reservation object keeps its reference until the test's memory is gone, so
 * the probe is not part of that memory: dma_fence_put() frees it at the last.
 */
static void vgem_probe_end(struct vgem_probe *probe)
{
	probe->look = NULL;
	dma_fence_signal(&probe->base);
	dma_fence_put(&probe->base);
}

static void vgem_probe_look_locked(struct vgem_probe *probe)
{
	probe->looks++;
	probe->wrong += !dma_resv_is_locked(&probe->ctx->resv);
}

/*
 * Succeeds if the test for conflicting fences is made under the reservation
 * lock, the one under which the new fence is added.
 */
static void vgem_fence_test_busy_locked(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_probe *probe;
	u32 handle;

	probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, probe);
	vgem_probe_add(test, probe, ctx, DMA_RESV_USAGE_WRITE);

	probe->look = vgem_probe_look_locked;
	KUNIT_EXPECT_EQ(test, -EBUSY, vgem_test_try(ctx, true, &handle));
	KUNIT_EXPECT_GT(test, probe->looks, 0);
	KUNIT_EXPECT_EQ(test, 0, probe->wrong);
	vgem_probe_end(probe);
}

static void vgem_probe_look_early(struct vgem_probe *probe)
{
	struct vgem_fence_table *table = &probe->ctx->table;

	/* Only once the attach under way has its slot. */
	if (!READ_ONCE(table->num_pending))
		return;

	probe->looks++;
	probe->wrong += vgem_fence_signal(table, probe->handle) != -ENOENT;
	probe->wrong += xa_empty(&table->fences);
}

/*
 * Succeeds if a thread that guesses a handle while its fence is still on the
 * way to the reservation object can neither signal it nor lose its slot.
 */
static void vgem_fence_test_no_early_signal(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_probe *probe;
	u32 handle;

	probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, probe);
	vgem_probe_add(test, probe, ctx, DMA_RESV_USAGE_READ);

	probe->handle = 1;
	probe->look = vgem_probe_look_early;
	handle = vgem_test_attach(test, ctx, false);
	probe->look = NULL;

	KUNIT_EXPECT_EQ(test, 1, handle);
	KUNIT_EXPECT_GT(test, probe->looks, 0);
	KUNIT_EXPECT_EQ(test, 0, probe->wrong);
	KUNIT_EXPECT_EQ(test, 0, vgem_test_signal(ctx, handle));
	vgem_probe_end(probe);
}

/* One of two threads that do the same thing at the same time. */
struct vgem_racer {
	struct vgem_test_fences *ctx;
	struct completion *start;
	struct completion ready;
	struct completion done;
	struct task_struct *task;
	u32 handle;
	int (*act)(struct vgem_racer *racer);
};

static int vgem_racer_thread(void *data)
{
	struct vgem_racer *racer = data;

	int ret;

	complete(&racer->ready);
	wait_for_completion(racer->start);
	ret = racer->act(racer);
	complete(&racer->done);
	return ret;
}

static int vgem_racer_attach(struct vgem_racer *racer)
{
	return vgem_fence_attach(&racer->ctx->table, &racer->ctx->resv, true,
				 &racer->handle);
}

static int vgem_racer_signal(struct vgem_racer *racer)
{
	return vgem_fence_signal(&racer->ctx->table, racer->handle);
}

static void vgem_racer_run(struct kunit *test, struct vgem_racer *racer)
{
	init_completion(&racer->ready);
	init_completion(&racer->done);
	racer->task = kthread_create(vgem_racer_thread, racer, "vgem-racer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(racer->task));
	get_task_struct(racer->task);
	wake_up_process(racer->task);
	wait_for_completion(&racer->ready);
}

/* Returns what the winner returned; the loser must have got @losing. */
static struct vgem_racer *vgem_race(struct kunit *test,
				    struct vgem_racer *racers, int losing)
{
	DECLARE_COMPLETION_ONSTACK(start);
	unsigned int i;
	int ret[2];

	for (i = 0; i < 2; i++) {
		racers[i].start = &start;
		vgem_racer_run(test, &racers[i]);
	}

	complete_all(&start);
	for (i = 0; i < 2; i++) {
		/* stopping a thread that still waits for a lock is a signal */
		wait_for_completion(&racers[i].done);
		ret[i] = kthread_stop_put(racers[i].task);
	}

	KUNIT_EXPECT_TRUE_MSG(test,
			      (!ret[0] && ret[1] == losing) ||
				      (!ret[1] && ret[0] == losing),
			      "both threads: %d and %d", ret[0], ret[1]);
	return ret[0] ? &racers[1] : &racers[0];
}

/* Succeeds if of two writers at once just one gets its fence attached. */
static void vgem_fence_test_two_writers(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_racer racers[2] = {
		{ .ctx = ctx, .act = vgem_racer_attach },
		{ .ctx = ctx, .act = vgem_racer_attach },
	};
	struct vgem_racer *winner;
	unsigned int i;

	for (i = 0; i < VGEM_TEST_ROUNDS; i++) {
		winner = vgem_race(test, racers, -EBUSY);
		KUNIT_ASSERT_EQ(test, 1, vgem_test_count(ctx));
		KUNIT_ASSERT_EQ(test, 0, vgem_test_signal(ctx, winner->handle));
	}
	vgem_test_expect_empty(test, ctx);
}

/* Succeeds if of two threads that signal one handle just one finds it. */
static void vgem_fence_test_two_signals(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_racer racers[2] = {
		{ .ctx = ctx, .act = vgem_racer_signal },
		{ .ctx = ctx, .act = vgem_racer_signal },
	};
	unsigned int i;

	for (i = 0; i < VGEM_TEST_ROUNDS; i++) {
		racers[0].handle = vgem_test_attach(test, ctx, true);
		racers[1].handle = racers[0].handle;
		vgem_race(test, racers, -ENOENT);
		KUNIT_ASSERT_EQ(test, 0, vgem_test_count(ctx));
	}
	vgem_test_expect_empty(test, ctx);
}

/* A thread that has the lock of a buffer until it is told to let go. */
struct vgem_keeper {
	struct work_struct work;
	struct dma_resv *resv;
	struct completion taken;
	struct completion enough;
};

static void vgem_keeper_work(struct work_struct *work)
{
	struct vgem_keeper *keeper =
		container_of(work, struct vgem_keeper, work);

	dma_resv_lock(keeper->resv, NULL);
	complete(&keeper->taken);
	wait_for_completion(&keeper->enough);
	dma_resv_unlock(keeper->resv);
}

/*
 * Succeeds if a signal ends an attach that waits for the buffer's lock, without
 * a trace, and the next attach works.
 */
static void vgem_fence_test_interrupted(struct kunit *test)
{
	struct vgem_test_fences *ctx = vgem_test_fences(test, VGEM_TEST_NEVER);
	struct vgem_keeper keeper = { .resv = &ctx->resv };
	u32 handle = 0;
	int ret;

	init_completion(&keeper.taken);
	init_completion(&keeper.enough);
	INIT_WORK_ONSTACK(&keeper.work, vgem_keeper_work);
	queue_work(system_unbound_wq, &keeper.work);
	wait_for_completion(&keeper.taken);

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	ret = vgem_test_try(ctx, true, &handle);
	flush_signals(current);
	disallow_signal(SIGUSR1);
	complete(&keeper.enough);
	flush_work(&keeper.work);
	destroy_work_on_stack(&keeper.work);

	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, ret);
	KUNIT_EXPECT_EQ(test, 0, handle);
	KUNIT_EXPECT_EQ(test, 0, vgem_test_count(ctx));
	vgem_test_expect_empty(test, ctx);
	vgem_test_attach(test, ctx, true);
}

static struct kunit_case vgem_fence_race_tests[] = {
	KUNIT_CASE(vgem_fence_test_busy_locked),
	KUNIT_CASE(vgem_fence_test_no_early_signal),
	KUNIT_CASE(vgem_fence_test_interrupted),
	KUNIT_CASE_SLOW(vgem_fence_test_two_writers),
	KUNIT_CASE_SLOW(vgem_fence_test_two_signals),
	{}
};

static struct kunit_suite vgem_fence_race_suite = {
	.name = "vgem_fence_race",
	.test_cases = vgem_fence_race_tests,
};

kunit_test_suite(vgem_fence_race_suite);
