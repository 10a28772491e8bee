// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of poll
 *
 * A reader may go on when the writers are done, a writer when everybody is.
 * poll() shows that as EPOLLIN and EPOLLOUT, and must wake sleepers when it
 * changes, however many there are and whatever becomes of the buffer meanwhile.
 */

#include <linux/file.h>
#include <linux/poll.h>

#include "dma_buf_mock.h"

#define POLL_BOTH (POLLIN | POLLOUT)

struct sync_usage {
	const char *name;
	enum dma_resv_usage usage;
	unsigned int pending;
};

static const struct sync_usage sync_usages[] = {
	{ "move", DMA_RESV_USAGE_KERNEL, 0 },
	{ "writer", DMA_RESV_USAGE_WRITE, 0 },
	{ "reader", DMA_RESV_USAGE_READ, POLLIN },
	{ "bookkeeping", DMA_RESV_USAGE_BOOKKEEP, POLL_BOTH },
};

KUNIT_ARRAY_PARAM_DESC(sync_usage, sync_usages, name);

/* Succeeds if a buffer that nobody uses is ready for everything. */
static void poll_of_an_idle_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);

	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
	KUNIT_EXPECT_NOT_NULL(test, waiter->head);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

/* Succeeds if poll answers no event that it was not asked for. */
static void poll_answers_what_was_asked(struct kunit *test)
{
	static const unsigned int asked[] = { POLLIN, POLLOUT, POLLPRI, 0 };
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(asked); i++)
		KUNIT_EXPECT_EQ(test,
				mock_poll(buf, mock_waiter(test, asked[i])),
				asked[i] & POLL_BOTH);
}

/* Succeeds if a fence holds back the events it conflicts with, while pending. */
static void poll_with_a_fence(struct kunit *test)
{
	const struct sync_usage *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *fence = mock_new_fence(buf, p->usage);

	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), p->pending);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
}

/* Succeeds if a sleeper is woken by the fence, with the events it waits for. */
static void poll_wakes(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *in = mock_waiter(test, POLLIN);
	struct mock_waiter *out = mock_waiter(test, POLLOUT);
	struct dma_fence *fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, mock_poll(buf, in), 0);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, out), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&in->wakes), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&out->wakes), 0);

	dma_fence_signal(fence);
	KUNIT_EXPECT_GE(test, atomic_read(&in->wakes), 1);
	KUNIT_EXPECT_TRUE(test, in->woken_for & POLLIN);
	KUNIT_EXPECT_GE(test, atomic_read(&out->wakes), 1);
	KUNIT_EXPECT_TRUE(test, out->woken_for & POLLOUT);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, in), POLLIN);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, out), POLLOUT);
}

/* Succeeds if every one of many sleepers is woken. */
static void poll_wakes_everybody(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	struct mock_waiter *waiter[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waiter); i++) {
		waiter[i] = mock_waiter(test, i % 2 ? POLLIN : POLLOUT);
		KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter[i]), 0);
	}
	dma_fence_signal(fence);
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		KUNIT_EXPECT_GE(test, atomic_read(&waiter[i]->wakes), 1);
}

/* Succeeds if a writer sleeps until the last of several readers is done. */
static void poll_waits_for_all_fences(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLLOUT);
	struct dma_fence *fence[3];
	unsigned int i;
	int wakes = 0;

	for (i = 0; i < ARRAY_SIZE(fence); i++)
		fence[i] = mock_new_fence(buf, DMA_RESV_USAGE_READ);

	/* As epoll does: asleep until woken, then ask again. */
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	for (i = 0; i < ARRAY_SIZE(fence); i++) {
		dma_fence_signal(fence[i]);
		if (atomic_read(&waiter->wakes) == wakes)
			continue;

		wakes = atomic_read(&waiter->wakes);
		KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter),
				i + 1 < ARRAY_SIZE(fence) ? 0 : POLLOUT);
	}
	KUNIT_EXPECT_GE(test, wakes, 1);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLLOUT);
}

/* Succeeds if a fence that comes after a poll is seen by the next one. */
static void poll_sees_a_new_fence(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *fence;

	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
	fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
}

/*
 * Succeeds if a fence that signals while poll puts its callback on it counts as
 * signalled, wakes who slept meanwhile, and leaves no reference.
 */
static void poll_meets_the_signal(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *fence = mock_fence_over(test);

	mock_add_fence(buf, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
	KUNIT_EXPECT_GE(test, atomic_read(&waiter->wakes), 1);
	KUNIT_EXPECT_TRUE(test, waiter->woken_for & POLLIN);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);

	/* The slot is free for the next fence. */
	fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
}

/* Succeeds if a caller that only looks gets the events and no wait queue. */
static void poll_without_a_table(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct file *file = buf->dmabuf->file;
	struct dma_fence *fence;

	KUNIT_EXPECT_EQ(test, mangle_poll(vfs_poll(file, NULL)), POLL_BOTH);
	fence = mock_new_fence(buf, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, mangle_poll(vfs_poll(file, NULL)), POLLIN);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mangle_poll(vfs_poll(file, NULL)), POLL_BOTH);
}

/* Succeeds if a buffer may be closed while polled, and goes after the fence. */
static void no_fence_callback_into_a_freed_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	mock_waiter_leave(waiter);
	mock_buffer_drop(buf);

	dma_fence_signal(fence);
	KUNIT_ASSERT_TRUE(test, mock_wait_released(buf));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "release");
	KUNIT_EXPECT_EQ(test, atomic_read(&waiter->wakes), 0);
}

/* Succeeds if polls leave no reference once the fences are signalled. */
static void poll_balances_references(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *write = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	struct dma_fence *read = mock_new_fence(buf, DMA_RESV_USAGE_READ);
	unsigned int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	dma_fence_signal(write);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLLIN);
	dma_fence_signal(read);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	/* The case's reference and the buffer's. */
	KUNIT_EXPECT_EQ(test, kref_read(&write->refcount), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&read->refcount), 2);
}

/* As sw_sync's: the timeline's lock is the fence's, and taken to let it go. */
struct timeline_fence {
	struct dma_fence base;
	/* @lock: of the timeline, which outlives the fence; guards the fence */
	spinlock_t *lock;
	bool *released;
	bool *under_lock;
};

static const char *timeline_fence_name(struct dma_fence *fence)
{
	return "timeline";
}

static void timeline_fence_release(struct dma_fence *fence)
{
	struct timeline_fence *tf =
		container_of(fence, struct timeline_fence, base);

	*tf->released = true;
	*tf->under_lock = true;
	if (spin_trylock(tf->lock)) {
		*tf->under_lock = false;
		spin_unlock(tf->lock);
	}
	dma_fence_free(fence);
}

static const struct dma_fence_ops timeline_fence_ops = {
	.get_driver_name = timeline_fence_name,
	.get_timeline_name = timeline_fence_name,
	.release = timeline_fence_release,
};

/* The only reference is poll's when this returns. */
static struct dma_fence *timeline_fence_polled(struct kunit *test,
					       struct mock_buffer *buf,
					       struct timeline_fence *init)
{
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *stub = dma_fence_get_stub();
	struct timeline_fence *tf;

	static_assert(!offsetof(struct timeline_fence, base));
	tf = kmemdup(init, sizeof(*init), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tf);
	dma_fence_init(&tf->base, &timeline_fence_ops, tf->lock,
		       dma_fence_context_alloc(1), 1);
	mock_add_fence(buf, &tf->base, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	mock_waiter_leave(waiter);

	dma_resv_lock(buf->dmabuf->resv, NULL);
	dma_resv_replace_fences(buf->dmabuf->resv, tf->base.context, stub,
				DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(buf->dmabuf->resv);
	dma_fence_put(stub);
	dma_fence_put(&tf->base);

	return &tf->base;
}

/*
 * Succeeds if the end of a fence is never under its lock, even if poll was the
 * last who cared. Past mainline, whose callback drops it there: with a fence of
 * sw_sync that is the end of the CPU.
 */
static void no_fence_released_under_its_lock(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	bool released = false, under_lock = false;
	spinlock_t lock; /* the fence's, see struct timeline_fence */
	struct timeline_fence init = { .lock = &lock,
				       .released = &released,
				       .under_lock = &under_lock };
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *fence;

	mock_past_mainline(test);
	spin_lock_init(&lock);
	fence = timeline_fence_polled(test, buf, &init);
	KUNIT_ASSERT_FALSE(test, released);
	spin_lock_irq(&lock);
	dma_fence_signal_locked(fence);
	spin_unlock_irq(&lock);
	KUNIT_EXPECT_FALSE(test, under_lock);

	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLL_BOTH);
	KUNIT_EXPECT_TRUE(test, released);
	KUNIT_EXPECT_FALSE(test, under_lock);
}

/*
 * Succeeds if poll answers although a driver holds the reservation lock. Past
 * mainline, which sleeps until the driver lets go.
 */
static void poll_does_not_take_the_lock(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLL_BOTH);
	struct dma_fence *fence = mock_new_fence(buf, DMA_RESV_USAGE_READ);
	unsigned int pending, ready;

	mock_past_mainline(test);
	dma_resv_lock(buf->dmabuf->resv, NULL);
	pending = mock_poll(buf, waiter);
	dma_fence_signal(fence);
	ready = mock_poll(buf, waiter);
	dma_resv_unlock(buf->dmabuf->resv);

	KUNIT_EXPECT_EQ(test, pending, POLLIN);
	KUNIT_EXPECT_EQ(test, ready, POLL_BOTH);
}

static struct kunit_case dma_buf_sync_cases[] = {
	KUNIT_CASE(poll_of_an_idle_buffer),
	KUNIT_CASE(poll_answers_what_was_asked),
	KUNIT_CASE_PARAM(poll_with_a_fence, sync_usage_gen_params),
	KUNIT_CASE(poll_wakes),
	KUNIT_CASE(poll_wakes_everybody),
	KUNIT_CASE(poll_waits_for_all_fences),
	KUNIT_CASE(poll_sees_a_new_fence),
	KUNIT_CASE(poll_meets_the_signal),
	KUNIT_CASE(poll_without_a_table),
	KUNIT_CASE(no_fence_callback_into_a_freed_buffer),
	KUNIT_CASE(poll_balances_references),
	KUNIT_CASE(no_fence_released_under_its_lock),
	KUNIT_CASE(poll_does_not_take_the_lock),
	{}
};

static struct kunit_suite dma_buf_sync_suite = {
	.name = "dma_buf_sync",
	.test_cases = dma_buf_sync_cases,
};

kunit_test_suite(dma_buf_sync_suite);
