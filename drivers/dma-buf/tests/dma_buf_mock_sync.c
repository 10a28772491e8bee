// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: mock fences, sleepers and signals
 *
 * Waiting is tested without waiting. A case that must see that the core waits
 * raises a signal first: the wait, if there is one, then answers -ERESTARTSYS
 * at once. A case that must see that it does not wait does the same and expects
 * success. Where a wait has to end well, the fence signals itself as soon as
 * somebody waits for it.
 *
 * poll() is called with our own wait queue entry, which counts the wakes.
 */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "dma_buf_mock.h"

/* Long past any correct case. Ends a wait that a broken core began. */
#define MOCK_FENCE_HANG (10 * HZ)

static struct mock_fence *to_mock_fence(struct dma_fence *fence)
{
	return container_of(fence, struct mock_fence, base);
}

static const char *mock_fence_driver(struct dma_fence *fence)
{
	return "dma_buf_kunit";
}

static const char *mock_fence_timeline(struct dma_fence *fence)
{
	return "test";
}

static bool mock_fence_enable(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	if (mock->on_wait)
		schedule_work(&mock->work);
	return !mock->over;
}

static const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_driver,
	.get_timeline_name = mock_fence_timeline,
	.enable_signaling = mock_fence_enable,
};

static void mock_fence_work(struct work_struct *work)
{
	struct mock_fence *mock = container_of(work, struct mock_fence, work);

	dma_fence_signal(&mock->base);
}

static void mock_fence_guard(struct timer_list *timer)
{
	struct mock_fence *mock = from_timer(mock, timer, guard);

	dma_fence_signal(&mock->base);
}

static void mock_fence_finish(void *data)
{
	struct mock_fence *mock = data;

	timer_shutdown_sync(&mock->guard);
	dma_fence_signal(&mock->base);
	cancel_work_sync(&mock->work);
	dma_fence_put(&mock->base);
}

/**
 * mock_fence - a fence that is pending until the test signals it
 * @test: the running case, which signals it at its end
 *
 * Return: the fence; the case holds the reference.
 */
struct dma_fence *mock_fence(struct kunit *test)
{
	struct mock_fence *mock;

	static_assert(!offsetof(struct mock_fence, base));

	mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mock);

	spin_lock_init(&mock->lock);
	INIT_WORK(&mock->work, mock_fence_work);
	dma_fence_init(&mock->base, &mock_fence_ops, &mock->lock,
		       dma_fence_context_alloc(1), 1);
	timer_setup(&mock->guard, mock_fence_guard, 0);
	mod_timer(&mock->guard, jiffies + MOCK_FENCE_HANG);
	mock_defer(test, mock_fence_finish, mock);
	return &mock->base;
}

/**
 * mock_fence_on_wait - a fence that is signalled because somebody waits
 * @test: the running case
 *
 * Return: the fence; the case holds the reference.
 */
struct dma_fence *mock_fence_on_wait(struct kunit *test)
{
	struct dma_fence *fence = mock_fence(test);

	to_mock_fence(fence)->on_wait = true;
	return fence;
}

/**
 * mock_fence_over - a fence that is found signalled when somebody wants to wait
 * @test: the running case
 *
 * As one that signals between the look at it and the wait for it.
 *
 * Return: the fence; the case holds the reference.
 */
struct dma_fence *mock_fence_over(struct kunit *test)
{
	struct dma_fence *fence = mock_fence(test);

	to_mock_fence(fence)->over = true;
	return fence;
}

/**
 * mock_add_fence - put a fence into the buffer's reservation object
 * @buf: the buffer
 * @fence: the fence
 * @usage: what it stands for
 */
void mock_add_fence(struct mock_buffer *buf, struct dma_fence *fence,
		    enum dma_resv_usage usage)
{
	struct dma_resv *resv = buf->dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
	KUNIT_ASSERT_EQ(buf->test, ret, 0);
}

/**
 * mock_new_fence - mock_fence() and mock_add_fence() in one
 * @buf: the buffer
 * @usage: what the fence stands for
 *
 * Return: the pending fence.
 */
struct dma_fence *mock_new_fence(struct mock_buffer *buf,
				 enum dma_resv_usage usage)
{
	struct dma_fence *fence = mock_fence(buf->test);

	mock_add_fence(buf, fence, usage);
	return fence;
}

/**
 * mock_signal_raise - make every interruptible wait of this thread fail
 * @test: the running case; its thread ends with it, and so does the signal
 */
void mock_signal_raise(struct kunit *test)
{
	allow_signal(SIGUSR1);
	KUNIT_ASSERT_EQ(test, send_sig(SIGUSR1, current, 1), 0);
	KUNIT_ASSERT_TRUE(test, signal_pending(current));
}

void mock_signal_clear(void)
{
	flush_signals(current);
	disallow_signal(SIGUSR1);
}

static void mock_keep(struct work_struct *work)
{
	struct mock_keeper *keeper =
		container_of(work, struct mock_keeper, work);

	dma_resv_lock(keeper->resv, NULL);
	complete(&keeper->taken);
	wait_for_completion(&keeper->enough);
	dma_resv_unlock(keeper->resv);
}

/**
 * mock_keep_lock - have another thread take the reservation lock, and keep it
 * @keeper: on the stack; no assertion may end the case before mock_leave_lock()
 * @buf: the buffer
 */
void mock_keep_lock(struct mock_keeper *keeper, struct mock_buffer *buf)
{
	keeper->resv = buf->dmabuf->resv;
	init_completion(&keeper->taken);
	init_completion(&keeper->enough);
	INIT_WORK_ONSTACK(&keeper->work, mock_keep);
	queue_work(system_unbound_wq, &keeper->work);
	wait_for_completion(&keeper->taken);
}

/**
 * mock_leave_lock - have it let go
 * @keeper: after mock_keep_lock()
 */
void mock_leave_lock(struct mock_keeper *keeper)
{
	complete(&keeper->enough);
	flush_work(&keeper->work);
	destroy_work_on_stack(&keeper->work);
}

static int mock_waiter_wake(wait_queue_entry_t *wait, unsigned int mode,
			    int flags, void *key)
{
	struct mock_waiter *waiter =
		container_of(wait, struct mock_waiter, wait);

	waiter->woken_for |= mangle_poll(key_to_poll(key));
	atomic_inc(&waiter->wakes);
	return 0;
}

static void mock_waiter_queue(struct file *file, wait_queue_head_t *head,
			      poll_table *pt)
{
	struct mock_waiter *waiter = container_of(pt, struct mock_waiter, pt);

	waiter->head = head;
	add_wait_queue(head, &waiter->wait);
}

/**
 * mock_waiter_leave - go out of the buffer's wait queue
 * @waiter: the sleeper
 */
void mock_waiter_leave(struct mock_waiter *waiter)
{
	if (waiter->head)
		remove_wait_queue(waiter->head, &waiter->wait);
	waiter->head = NULL;
}

static void mock_waiter_finish(void *data)
{
	mock_waiter_leave(data);
}

/**
 * mock_waiter - a thread that sleeps in poll(), without the thread
 * @test: the running case
 * @events: what it asks for, of POLLIN and POLLOUT
 *
 * Return: the sleeper.
 */
struct mock_waiter *mock_waiter(struct kunit *test, unsigned int events)
{
	struct mock_waiter *waiter;

	waiter = kunit_kzalloc(test, sizeof(*waiter), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, waiter);

	init_waitqueue_func_entry(&waiter->wait, mock_waiter_wake);
	init_poll_funcptr(&waiter->pt, mock_waiter_queue);
	waiter->pt._key = demangle_poll(events);
	mock_defer(test, mock_waiter_finish, waiter);
	return waiter;
}

/**
 * mock_poll - ask the buffer which events are there
 * @buf: the buffer
 * @waiter: queued by the first call, looked at again by the later ones
 *
 * Return: the events, as POLLIN and POLLOUT.
 */
unsigned int mock_poll(struct mock_buffer *buf, struct mock_waiter *waiter)
{
	__poll_t events = vfs_poll(buf->dmabuf->file, &waiter->pt);

	/* As in poll(2): the second round asks without queueing again. */
	waiter->pt._qproc = NULL;
	return mangle_poll(events);
}

/**
 * mock_user_page - a page of user memory
 * @test: the running case, whose thread gets an mm of its own
 *
 * Return: the address.
 */
void __user *mock_user_page(struct kunit *test)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return (void __user *)addr;
}

long mock_ioctl(struct mock_buffer *buf, unsigned int cmd, void __user *arg)
{
	struct file *file = buf->dmabuf->file;

	return file->f_op->unlocked_ioctl(file, cmd, (unsigned long)arg);
}

/**
 * mock_close - close a file descriptor, and be done when it returns
 * @fd: the descriptor
 */
void mock_close(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return;

	close_fd(fd);
	__fput_sync(file);
}

/**
 * mock_fd_limit - change how many files the test's thread may open
 * @limit: the new limit
 *
 * Kernel threads share one table of files, but each has limits of its own.
 *
 * Return: the limit so far.
 */
unsigned long mock_fd_limit(unsigned long limit)
{
	struct rlimit *rlim = &current->signal->rlim[RLIMIT_NOFILE];
	unsigned long before;

	task_lock(current->group_leader);
	before = rlim->rlim_cur;
	rlim->rlim_cur = limit;
	task_unlock(current->group_leader);
	return before;
}
