// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: racers at the fences
 *
 * Some add fences and signal them, others sleep in poll() until they have. A
 * sleeper that is not woken is the failure to look for: it looks again whenever
 * it is, and otherwise sleeps until it is clear that nobody will.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "dma_buf_race.h"

/* Only a lost wake-up lets a sleeper sleep so long. */
#define SLEEP_HANG (30 * HZ)

/* A fence that signals by itself, where interrupts are off. */
struct race_fence {
	struct dma_fence base;
	spinlock_t lock; /* of @base */
	struct irq_work signal;
};

static const char *race_fence_name(struct dma_fence *fence)
{
	return "racer";
}

static const struct dma_fence_ops race_fence_ops = {
	.get_driver_name = race_fence_name,
	.get_timeline_name = race_fence_name,
};

/* The work is touched after this, but within the interrupt: RCU keeps it. */
static void race_fence_signal(struct irq_work *work)
{
	struct race_fence *fence = container_of(work, typeof(*fence), signal);

	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

struct race_fence *race_fence_new(struct racer *racer)
{
	struct race_fence *fence;

	/* dma_fence_free() frees it by that address */
	static_assert(!offsetof(struct race_fence, base));

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return NULL;

	spin_lock_init(&fence->lock);
	init_irq_work(&fence->signal, race_fence_signal);
	dma_fence_init(&fence->base, &race_fence_ops, &fence->lock,
		       racer->context, ++racer->seqno);

	return fence;
}

int race_fence_add(struct dma_resv *resv, struct race_fence *fence,
		   enum dma_resv_usage usage)
{
	int ret;

	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, usage);
	dma_resv_unlock(resv);

	return ret;
}

/**
 * race_fence_fire - signal a fence where interrupts are off, and drop it
 * @fence: the caller's reference
 */
void race_fence_fire(struct race_fence *fence)
{
	irq_work_queue(&fence->signal);
}

/*
 * One round adds a fence, the next signals it, so that the others find it either
 * way. It holds nothing while the fence is pending, which lets all who wait for
 * it do so with what they hold.
 */
int race_fence(struct racer *racer, unsigned int round)
{
	static const enum dma_resv_usage usage[] = {
		DMA_RESV_USAGE_WRITE,
		DMA_RESV_USAGE_READ,
		DMA_RESV_USAGE_KERNEL,
	};

	if (racer->pending) {
		race_fence_end(racer);
		return 0;
	}

	racer->pending = race_fence_new(racer);
	if (!racer->pending)
		return -ENOMEM;

	return race_fence_add(race_dma_buf(racer)->resv, racer->pending,
			      usage[round / 2 % ARRAY_SIZE(usage)]);
}

/**
 * race_fence_end - signal what is pending, from the task or from an interrupt
 * @racer: the thread
 */
void race_fence_end(struct racer *racer)
{
	struct race_fence *fence = racer->pending;

	if (!fence)
		return;

	racer->pending = NULL;
	if (racer->seqno % 2) {
		race_fence_fire(fence);
		return;
	}

	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

/* A thread in poll(). */
struct sleeper {
	poll_table pt;
	wait_queue_entry_t wait;
	wait_queue_head_t *head;
	struct completion woken;
};

static int sleeper_wake(wait_queue_entry_t *wait, unsigned int mode, int flags,
			void *key)
{
	complete(&container_of(wait, struct sleeper, wait)->woken);

	return 0;
}

static void sleeper_queue(struct file *file, wait_queue_head_t *head,
			  poll_table *pt)
{
	struct sleeper *sleeper = container_of(pt, struct sleeper, pt);

	sleeper->head = head;
	add_wait_queue(head, &sleeper->wait);
}

static void sleeper_init(struct sleeper *sleeper, __poll_t events)
{
	init_waitqueue_func_entry(&sleeper->wait, sleeper_wake);
	init_poll_funcptr(&sleeper->pt, sleeper_queue);
	sleeper->pt._key = events;
	init_completion(&sleeper->woken);
}

/* As the system call: look, sleep until woken, look again. */
static int poll_once(struct dma_buf *dmabuf, __poll_t events)
{
	struct sleeper sleeper;
	int ret = 0;

	sleeper_init(&sleeper, events);
	while (!(vfs_poll(dmabuf->file, &sleeper.pt) & events)) {
		sleeper.pt._qproc = NULL;
		if (!wait_for_completion_timeout(&sleeper.woken, SLEEP_HANG)) {
			ret = -ETIME;
			break;
		}
	}
	remove_wait_queue(sleeper.head, &sleeper.wait);

	return ret;
}

int race_poll_in(struct racer *racer, unsigned int round)
{
	return poll_once(race_dma_buf(racer), EPOLLIN);
}

int race_poll_out(struct racer *racer, unsigned int round)
{
	return poll_once(race_dma_buf(racer), EPOLLOUT);
}
