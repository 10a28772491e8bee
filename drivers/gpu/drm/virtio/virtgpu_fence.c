// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu fences
 *
 * The host answers a fenced command when the work is done, and whoever waits
 * for the work waits for a fence. Hosts do not keep to the order: a command
 * that fails is answered at once, before those in front of it. The reservation
 * objects and sync files of the kernel rely on the order, though. They forget a
 * fence when a later one of the same context comes. So a fence that is answered
 * too early waits here until all of its context that are before it are
 * answered, too.
 *
 * Every fence signals. The command of each is answered by the host, or taken
 * back when the device is reset or goes away, or gives up after a time (see the
 * DOC section of virtgpu_answer.c); one that never got a command is abandoned by
 * who made it.
 *
 * Lifetime: the list holds one reference from the time a fence has a number
 * until it signals. Sync files and reservation objects hold theirs, even after
 * the device and this module would be gone: a fence has a lock of its own, and
 * a reference on the module. That of a frame is taken off its buffer when it has
 * signalled, for a screen may show the same frame for ever.
 *
 * Locking: see &struct vgpu_fences.
 */

#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <trace/events/dma_fence.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/virtgpu_drm.h>
#include <uapi/drm/drm.h>

#include "virtgpu_fence.h"

/**
 * struct vgpu_fence_event - what a file reads when a fence has signalled
 */
struct vgpu_fence_event {
	/** @pending: first, for DRM frees it */
	struct drm_pending_event pending;

	/** @event: what is read */
	struct drm_event event;
};

static struct vgpu_fence *to_vgpu_fence(struct dma_fence *base)
{
	return container_of(base, struct vgpu_fence, base);
}

static const char *fence_driver_name(struct dma_fence *base)
{
	return "virtio_gpu";
}

static const char *fence_timeline_name(struct dma_fence *base)
{
	return "controlq";
}

/**
 * vgpu_fence_put_module - the end of &dma_fence_ops.release
 *
 * The exit waits until this has been left, though no reference says so.
 */
void vgpu_fence_put_module(void)
{
	rcu_read_lock();
	module_put(THIS_MODULE);
	rcu_read_unlock();
}

static void fence_release(struct dma_fence *base)
{
	vgpu_fence_cancel_event(to_vgpu_fence(base));
	dma_fence_free(base);
	vgpu_fence_put_module();
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

/**
 * vgpu_fence_is_ahead - does the host of a device keep the order of a fence?
 * @base: any fence
 * @fences: those of the device
 *
 * Of what others see before it is queued, as they do of a frame, it does not.
 *
 * Return: true if the work that it is of is in front of what is queued from now on.
 */
bool vgpu_fence_is_ahead(struct dma_fence *base,
			 const struct vgpu_fences *fences)
{
	const struct vgpu_fence *fence = to_vgpu_fence(base);

	return base->ops == &fence_ops && fence->fences == fences &&
	       READ_ONCE(fence->id);
}

/**
 * vgpu_fences_init - no fences yet
 * @fences: those of a device
 */
void vgpu_fences_init(struct vgpu_fences *fences)
{
	spin_lock_init(&fences->lock);
	INIT_LIST_HEAD(&fences->list);
	fences->context = dma_fence_context_alloc(1);
}

static struct vgpu_fence *fence_create(struct vgpu_fences *fences, u64 context)
{
	struct vgpu_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return NULL;

	/* who calls has a file or a device, and that has the module */
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	INIT_LIST_HEAD(&fence->node);
	INIT_LIST_HEAD(&fence->ended);
	fence->fences = fences;
	/* the number comes with the place in the queue */
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, context, 0);

	return fence;
}

/**
 * vgpu_fence_create - a fence of the device's own timeline
 * @fences: those of the device
 *
 * Context: Process context, may sleep.
 * Return: a fence for vgpu_fence_put(), or NULL without memory.
 */
struct vgpu_fence *vgpu_fence_create(struct vgpu_fences *fences)
{
	return fence_create(fences, fences->context);
}

/**
 * vgpu_fence_create_early - a fence that others may see before it is queued
 * @fences: those of the device
 *
 * It is a timeline of its own, as its place on any other is not known yet.
 *
 * Context: Process context, may sleep.
 * Return: a fence for vgpu_fence_put(), or NULL without memory.
 */
struct vgpu_fence *vgpu_fence_create_early(struct vgpu_fences *fences)
{
	struct vgpu_fence *fence;

	fence = fence_create(fences, dma_fence_context_alloc(1));
	if (fence) {
		fence->base.seqno = 1;
		fence->alone = true;
	}
	return fence;
}

/**
 * vgpu_fence_create_on_ring - a fence of a timeline of a context
 * @fences: those of the device
 * @base_context: the first of the fence contexts of the rings
 * @ring: which ring
 *
 * Context: Process context, may sleep.
 * Return: a fence for vgpu_fence_put(), or NULL without memory.
 */
struct vgpu_fence *vgpu_fence_create_on_ring(struct vgpu_fences *fences,
					     u64 base_context, u8 ring)
{
	struct vgpu_fence *fence = fence_create(fences, base_context + ring);

	if (fence) {
		fence->on_ring = true;
		fence->ring = ring;
	}
	return fence;
}

/**
 * vgpu_fence_add_event - have a file become readable when a fence signals
 * @fence: a fence that is not yet emitted
 * @drm: the device
 * @file: the file
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory, or the file has too much to read already
 */
int vgpu_fence_add_event(struct vgpu_fence *fence, struct drm_device *drm,
			 struct drm_file *file)
{
	struct vgpu_fence_event *event;
	int ret;

	event = kzalloc(sizeof(*event), GFP_KERNEL);
	if (!event)
		return -ENOMEM;

	event->event.type = VIRTGPU_EVENT_FENCE_SIGNALED;
	event->event.length = sizeof(event->event);
	ret = drm_event_reserve_init(drm, file, &event->pending, &event->event);
	if (ret) {
		kfree(event);
		return ret;
	}
	fence->drm = drm;
	fence->event = event;

	return 0;
}

/**
 * vgpu_fence_cancel_event - take back vgpu_fence_add_event(), if it was called
 * @fence: a fence that was not emitted
 */
void vgpu_fence_cancel_event(struct vgpu_fence *fence)
{
	if (fence->event)
		drm_event_cancel_free(fence->drm, &fence->event->pending);
	fence->event = NULL;
}

/**
 * vgpu_fence_emit - give a fence its number
 * @fence: a fence that has none; the list takes a reference
 *
 * Context: Any, with the lock of the queue that the command goes to, if it goes to one.
 * Return: the number for the host.
 */
u64 vgpu_fence_emit(struct vgpu_fence *fence)
{
	struct vgpu_fences *fences = fence->fences;

	scoped_guard(spinlock_irqsave, &fences->lock) {
		WRITE_ONCE(fence->id, ++fences->emitted);
		if (!fence->base.seqno)
			fence->base.seqno = fence->id;
		dma_fence_get(&fence->base);
		list_add_tail(&fence->node, &fences->list);
	}

	trace_dma_fence_emit(&fence->base);
	return fence->id;
}

static void fence_signal_locked(struct vgpu_fence *fence)
{
	if (fence->error)
		dma_fence_set_error(&fence->base, fence->error);
	dma_fence_signal(&fence->base);
	if (fence->event)
		drm_send_event(fence->drm, &fence->event->pending);
	fence->event = NULL;
	list_del_init(&fence->node);
	dma_fence_put(&fence->base);
}

/* What is done of a context, up to the first that is not. */
static void fences_signal_locked(struct vgpu_fences *fences, u64 context)
{
	struct vgpu_fence *fence, *next;

	list_for_each_entry_safe(fence, next, &fences->list, node) {
		if (fence->base.context != context)
			continue;
		if (!fence->answered)
			break;
		fence_signal_locked(fence);
	}
}

static void answer_locked(struct vgpu_fences *fences, struct vgpu_fence *fence,
			  int error)
{
	if (WARN_ON_ONCE(!fence->id))
		return;

	/* the host may say so when it was given up */
	if (error != -ETIMEDOUT) {
		WRITE_ONCE(fence->certain, !error || error == -ENODEV);
		WRITE_ONCE(fence->over, true);
	}
	if (fence->answered)
		return;

	fence->answered = true;
	fence->error = error;
	fences->answered = max(fences->answered, fence->id);
	fences_signal_locked(fences, fence->base.context);
}

/**
 * vgpu_fence_answer - the host is done, or never will be
 * @fence: a fence that was emitted; more than one call does no harm
 * @error: 0, or a negative errno for those who ask how it went
 *
 * Signals it, and those behind it that have waited for it; or leaves that to
 * those in front of it.
 *
 * Context: Any.
 */
void vgpu_fence_answer(struct vgpu_fence *fence, int error)
{
	struct vgpu_fences *fences = fence->fences;

	scoped_guard(spinlock_irqsave, &fences->lock)
		answer_locked(fences, fence, error);
}

/**
 * vgpu_fence_abandon - signal a fence that got no command
 * @fence: a fence, or NULL; nothing happens to one that was emitted
 * @error: a negative errno, or 0 if there was nothing to do
 *
 * Context: Process context.
 */
void vgpu_fence_abandon(struct vgpu_fence *fence, int error)
{
	if (!fence)
		return;

	scoped_guard(spinlock_irqsave, &fence->fences->lock) {
		if (fence->id)
			return;
	}
	vgpu_fence_emit(fence);
	vgpu_fence_answer(fence, error);
}

/**
 * vgpu_fence_is_over - has the command of a fence ended, however?
 * @fence: a fence of a command
 *
 * Return: false if it is still to be answered, though the fence may have signalled.
 */
bool vgpu_fence_is_over(const struct vgpu_fence *fence)
{
	return READ_ONCE(fence->over);
}

/**
 * vgpu_fence_is_certain - is what a fence is of over, and not only waited for no more?
 * @fence: the fence of a command that takes memory from the host
 *
 * A fence that has signalled with an error says that nobody is to wait, and leaves open
 * what the host does. But for one error: that is of a host that was reset. And it may not
 * have signalled yet, as those before it have not.
 *
 * Return: true if the host has done it, or has nothing any more.
 */
bool vgpu_fence_is_certain(const struct vgpu_fence *fence)
{
	return READ_ONCE(fence->certain);
}

/**
 * vgpu_fence_forget_locked - take a fence that has signalled off a buffer
 * @fence: a fence of vgpu_fence_create_early(); nothing happens to others
 * @resv: of the buffer
 *
 * A buffer may be on a screen for ever, and nobody add another fence to it. This one
 * would hold the module for as long.
 */
void vgpu_fence_forget_locked(struct vgpu_fence *fence, struct dma_resv *resv)
{
	struct dma_fence *nothing;

	dma_resv_assert_held(resv);

	if (!fence->alone || !dma_fence_is_signaled(&fence->base))
		return;

	nothing = dma_fence_get_stub();
	dma_resv_replace_fences(resv, fence->base.context, nothing,
				DMA_RESV_USAGE_READ);
	dma_fence_put(nothing);
}

/**
 * vgpu_fence_put - give a reference back
 * @fence: a fence, or NULL
 */
void vgpu_fence_put(struct vgpu_fence *fence)
{
	if (fence)
		dma_fence_put(&fence->base);
}

/**
 * vgpu_fence_module_exit - wait until no code of fences runs any more
 *
 * Context: Process context, module exit.
 */
void vgpu_fence_module_exit(void)
{
	/* who gave the last reference on the module back */
	synchronize_rcu();
	/*
	 * And who was preempted between that and the last instruction. Kernels
	 * without such a wait have no lockdep either, and there the compiler jumps
	 * to the end of the read section: none of our instructions comes after it.
	 */
	synchronize_rcu_tasks();
}
