// SPDX-License-Identifier: GPL-2.0
/*
 * Fences of a buffer as user space sees them: poll() and sync files.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include <uapi/linux/dma-buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: implicit fences
 *
 * Drivers leave fences in &dma_buf.resv, and the next driver waits for them
 * without user space knowing. Sometimes user space must know: a compositor that
 * shows the last finished frame instead of waiting for a slow client, or an API
 * like Vulkan that passes fences explicitly.
 *
 * poll() on the file descriptor answers the first: EPOLLIN when every writer is
 * done and the buffer can be read, EPOLLOUT when everyone is done and it can be
 * written. DMA_BUF_IOCTL_EXPORT_SYNC_FILE and DMA_BUF_IOCTL_IMPORT_SYNC_FILE
 * serve the second: they take a snapshot of the fences as a sync file, and add
 * those of a sync file to the buffer. All of this is about work of devices;
 * before the CPU touches the buffer, DMA_BUF_IOCTL_SYNC is still due.
 *
 * How poll waits
 * ~~~~~~~~~~~~~~
 *
 * A fence wakes nobody unless it has a callback, and the callback's memory must
 * outlive it. So the buffer has one slot per event, from the first poll on that
 * finds a fence. A poller who finds a fence unsignaled claims the slot and puts
 * its callback on that one fence; a second poller finds the slot taken and just
 * sleeps on the same queue. When the fence signals, the slot is free again, all
 * wake, look again, and the first of them claims it for the next fence, if there
 * is one.
 *
 * The claim holds a reference to the file, which the callback drops. That is
 * what keeps the slot's memory, even if every file descriptor is closed in the
 * meantime. The reference to the fence is not the callback's to drop: it runs with
 * the fence's lock held, which the release of some fences takes. It stays in the
 * slot until the next poll, or the end of the buffer.
 *
 * The fences are read without the reservation lock: a poll must not wait for a
 * driver that holds it, and an answer that is out of date a moment later is all
 * that poll can give.
 *
 * Nothing tells poll that a driver adds a fence. So where the answer is "ready",
 * the queue is woken as well: an edge-triggered epoll looks again at its next
 * wait instead of sleeping through the fences to come. It may be told twice that
 * a buffer is ready, which is harmless, and never misses that it is.
 */

static void poll_slot_init(struct dma_buf_poll_slot *slot,
			   struct dma_buf *dmabuf)
{
	slot->dmabuf = dmabuf;
	slot->fence = NULL;
	slot->events = 0;
}

/**
 * dma_buf_poll_init - make poll ready
 * @obj: buffer that nobody knows yet
 */
void dma_buf_poll_init(struct dma_buf_object *obj)
{
	init_waitqueue_head(&obj->poll_queue);
	obj->poll = NULL;
}

/**
 * dma_buf_poll_busy - is a fence going to call back?
 * @obj: buffer without references that has slots
 *
 * Return: true if a slot is claimed, which its reference should prevent.
 */
bool dma_buf_poll_busy(struct dma_buf_object *obj)
{
	return obj->poll->read.events || obj->poll->write.events;
}

/**
 * dma_buf_poll_fini - drop the fences that polls have left
 * @obj: buffer without references that has slots, and no callback to come
 */
void dma_buf_poll_fini(struct dma_buf_object *obj)
{
	dma_fence_put(obj->poll->read.fence);
	dma_fence_put(obj->poll->write.fence);
	kfree(obj->poll);
}

static struct dma_fence *
poll_slot_take_fence_locked(struct dma_buf_poll_slot *slot)
{
	struct dma_fence *fence = slot->fence;

	lockdep_assert_held(&to_dma_buf_object(slot->dmabuf)->poll_queue.lock);
	WRITE_ONCE(slot->fence, NULL);

	return fence;
}

/* The fence that called back, if nobody has claimed the slot since. */
static void poll_slot_drop_fence(struct dma_buf_poll_slot *slot)
{
	struct dma_buf_object *obj = to_dma_buf_object(slot->dmabuf);
	struct dma_fence *fence = NULL;

	spin_lock_irq(&obj->poll_queue.lock);
	if (!slot->events)
		fence = poll_slot_take_fence_locked(slot);
	spin_unlock_irq(&obj->poll_queue.lock);

	dma_fence_put(fence);
}

static bool poll_slot_claim(struct dma_buf_poll_slot *slot, __poll_t event)
{
	struct dma_buf_object *obj = to_dma_buf_object(slot->dmabuf);
	struct dma_fence *old = NULL;
	bool claimed;

	spin_lock_irq(&obj->poll_queue.lock);
	claimed = !slot->events;
	if (claimed) {
		slot->events = event;
		old = poll_slot_take_fence_locked(slot);
	}
	spin_unlock_irq(&obj->poll_queue.lock);

	dma_fence_put(old);
	if (claimed)
		get_dma_buf(slot->dmabuf);

	return claimed;
}

/* Runs in any context. The last line may be the end of the buffer. */
static void poll_slot_release(struct dma_buf_poll_slot *slot)
{
	struct dma_buf *dmabuf = slot->dmabuf;
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	unsigned long flags;

	spin_lock_irqsave(&obj->poll_queue.lock, flags);
	wake_up_locked_poll(&obj->poll_queue, slot->events);
	slot->events = 0;
	spin_unlock_irqrestore(&obj->poll_queue.lock, flags);

	dma_buf_put(dmabuf);
}

static void poll_slot_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	poll_slot_release(container_of(cb, struct dma_buf_poll_slot, cb));
}

/* Returns true if the callback is on a fence and owns the claim. */
static bool poll_slot_arm(struct dma_buf_poll_slot *slot,
			  enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	bool armed = false;

	dma_resv_iter_begin(&cursor, slot->dmabuf->resv, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		/* from the callback on, the slot can be somebody else's */
		WRITE_ONCE(slot->fence, dma_fence_get(fence));
		armed = !dma_fence_add_callback(fence, &slot->cb,
						poll_slot_signaled);
		if (armed)
			break;
		WRITE_ONCE(slot->fence, NULL);
		dma_fence_put(fence);
	}
	dma_resv_iter_end(&cursor);

	return armed;
}

static void poll_wake_again(struct dma_buf_object *obj, __poll_t event)
{
	/* It is about the caller's own entry, so this needs no barrier. */
	if (waitqueue_active(&obj->poll_queue))
		wake_up_poll(&obj->poll_queue, event);
}

static __poll_t poll_event(struct dma_buf_poll_slot *slot, __poll_t event)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(event == EPOLLOUT);

	if (dma_resv_test_signaled(slot->dmabuf->resv, usage)) {
		if (READ_ONCE(slot->fence))
			poll_slot_drop_fence(slot);
		poll_wake_again(to_dma_buf_object(slot->dmabuf), event);
		return event;
	}

	if (!poll_slot_claim(slot, event))
		return 0;

	if (poll_slot_arm(slot, usage))
		return 0;

	/* Whoever saw the slot taken in between has to look again. */
	poll_slot_release(slot);

	return event;
}

/* Nothing to ask of the fences, and none that a slot still refers to. */
static bool poll_is_idle(const struct dma_buf_object *obj)
{
	const struct dma_buf_poll_slots *poll = READ_ONCE(obj->poll);

	return dma_buf_never_busy(&obj->base) &&
	       (!poll || (!READ_ONCE(poll->read.fence) &&
			  !READ_ONCE(poll->write.fence)));
}

/* A poll has no way to say that there is no memory. */
static struct dma_buf_poll_slots *poll_slots(struct dma_buf_object *obj)
{
	struct dma_buf_poll_slots *poll = READ_ONCE(obj->poll), *first;

	if (poll)
		return poll;

	poll = kmalloc(sizeof(*poll), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	poll_slot_init(&poll->read, &obj->base);
	poll_slot_init(&poll->write, &obj->base);
	first = cmpxchg(&obj->poll, NULL, poll);
	if (!first)
		return poll;

	/* another poll was faster */
	kfree(poll);

	return first;
}

/**
 * dma_buf_file_poll - poll() of the file descriptor
 * @file: the buffer's file
 * @table: where to register the waiter
 *
 * Return: those of EPOLLIN and EPOLLOUT that were asked for and are true.
 */
__poll_t dma_buf_file_poll(struct file *file, poll_table *table)
{
	struct dma_buf *dmabuf = file->private_data;
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	__poll_t wanted = poll_requested_events(table);
	struct dma_buf_poll_slots *poll;
	__poll_t ready = 0;

	poll_wait(file, &obj->poll_queue, table);

	if (poll_is_idle(obj)) {
		ready = wanted & (EPOLLIN | EPOLLOUT);
		if (ready)
			poll_wake_again(obj, ready);
		return ready;
	}

	poll = poll_slots(obj);
	if (wanted & EPOLLIN)
		ready |= poll_event(&poll->read, EPOLLIN);
	if (wanted & EPOLLOUT)
		ready |= poll_event(&poll->write, EPOLLOUT);

	return ready;
}

static bool sync_file_flags_valid(u32 flags)
{
	return flags && !(flags & ~DMA_BUF_SYNC_RW);
}

static struct sync_file *snapshot_fences(struct dma_buf *dmabuf, bool write)
{
	struct sync_file *sync_file;
	struct dma_fence *fence;
	int ret;

	ret = dma_resv_get_singleton(dmabuf->resv, dma_resv_usage_rw(write),
				     &fence);
	if (ret)
		return ERR_PTR(ret);

	if (!fence)
		fence = dma_fence_get_stub();

	sync_file = sync_file_create(fence);
	dma_fence_put(fence);

	return sync_file ?: ERR_PTR(-ENOMEM);
}

/**
 * dma_buf_ioctl_export_sync_file - DMA_BUF_IOCTL_EXPORT_SYNC_FILE
 * @dmabuf: buffer
 * @argp: struct dma_buf_export_sync_file of user space
 *
 * Return: 0 with the file descriptor in @argp, or a negative errno:
 *
 *	   * -EFAULT: the argument is not accessible
 *	   * -EINVAL: neither read nor write, or an unknown flag
 *	   * -EMFILE: the process has no file descriptor left
 *	   * -ENOMEM: out of memory, or the limit of open files is reached, which
 *	     sync_file_create() does not tell apart
 *	   * -ENOTTY: sync files are not configured
 */
long dma_buf_ioctl_export_sync_file(struct dma_buf *dmabuf, void __user *argp)
{
	struct dma_buf_export_sync_file arg;
	struct sync_file *sync_file;
	int ret;

	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		return -ENOTTY;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	if (!sync_file_flags_valid(arg.flags))
		return -EINVAL;

	arg.fd = get_unused_fd_flags(O_CLOEXEC);
	if (arg.fd < 0)
		return arg.fd;

	sync_file = snapshot_fences(dmabuf, arg.flags & DMA_BUF_SYNC_WRITE);
	if (IS_ERR(sync_file)) {
		ret = PTR_ERR(sync_file);
		goto err_fd;
	}

	if (copy_to_user(argp, &arg, sizeof(arg))) {
		ret = -EFAULT;
		goto err_file;
	}

	fd_install(arg.fd, sync_file->file);

	return 0;

err_file:
	fput(sync_file->file);
err_fd:
	put_unused_fd(arg.fd);
	return ret;
}

static int add_fences(struct dma_resv *resv, struct dma_fence *fences,
		      enum dma_resv_usage usage)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int count = 0;
	int ret;

	/* Signaled links drop out of a chain, so there are not more later. */
	dma_fence_unwrap_for_each(fence, &cursor, fences)
		count++;
	if (!count)
		return 0;

	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, count);
	if (!ret) {
		dma_fence_unwrap_for_each(fence, &cursor, fences)
			dma_resv_add_fence(resv, fence, usage);
	}
	dma_resv_unlock(resv);

	return ret;
}

/**
 * dma_buf_ioctl_import_sync_file - DMA_BUF_IOCTL_IMPORT_SYNC_FILE
 * @dmabuf: buffer
 * @argp: struct dma_buf_import_sync_file of user space
 *
 * Arrays and chains are taken apart: a reservation object holds single fences.
 *
 * Return: 0 or a negative errno:
 *
 *	   * -EFAULT: the argument is not accessible
 *	   * -EINVAL: neither read nor write, an unknown flag, or not a sync file
 *	   * -ENOMEM: out of memory
 *	   * -ENOTTY: sync files are not configured
 */
long dma_buf_ioctl_import_sync_file(struct dma_buf *dmabuf,
				    const void __user *argp)
{
	struct dma_buf_import_sync_file arg;
	enum dma_resv_usage usage;
	struct dma_fence *fence;
	int ret;

	if (!IS_ENABLED(CONFIG_SYNC_FILE))
		return -ENOTTY;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	if (!sync_file_flags_valid(arg.flags))
		return -EINVAL;

	fence = sync_file_get_fence(arg.fd);
	if (!fence)
		return -EINVAL;

	usage = DMA_RESV_USAGE_READ;
	if (arg.flags & DMA_BUF_SYNC_WRITE)
		usage = DMA_RESV_USAGE_WRITE;

	ret = add_fences(dmabuf->resv, fence, usage);
	dma_fence_put(fence);

	return ret;
}
