// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu fences in the place of others
 *
 * Who moves a buffer waits for the fences in its reservation object, and so ours has to
 * be there when an importer is told of a move. Room for it takes memory. There may be
 * none just then, and nobody to say so to; the move must not go on without our fence, and
 * to wait for it in the mover's stead would be to wait for the host with a lock that
 * everybody wants.
 *
 * But where there is no room left, there are other fences. So ours goes in with one of
 * them: a stand-in, made when the buffer was mapped, takes the place of that one, and
 * signals when both have. Who waits for the other fence alone waits a little longer. The
 * array of fences is there since somebody has made room in it once. It gets full and not
 * smaller, but on kernels with CONFIG_DEBUG_MUTEXES, which take room back that nobody has
 * used: there it can be empty without having any.
 *
 * To the kernel a stand-in is a plain fence. Those that contain others, chains and arrays,
 * must not be in reservation objects.
 *
 * Lifetime: that of a fence, see virtgpu_fence.c. Until it has signalled it holds itself.
 *
 * Locking: the reservation lock, to take the place. What signals the parts holds locks of
 * theirs, so the stand-in does so by itself, a moment later.
 */

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "virtgpu_fence.h"
#include "virtgpu_standin.h"

/**
 * struct vgpu_standin_part - one of the two that a stand-in is for
 */
struct vgpu_standin_part {
	/** @standin: of which it is */
	struct vgpu_standin *standin;

	/** @fence: the fence, or NULL as long as there is none */
	struct dma_fence *fence;

	/** @cb: has us told that it has signalled */
	struct dma_fence_cb cb;
};

/**
 * struct vgpu_standin - a fence that signals when two others have
 */
struct vgpu_standin {
	/** @base: first, for the kernel frees it */
	struct dma_fence base;

	/** @lock: the lock of @base */
	spinlock_t lock;

	/** @parts: the two */
	struct vgpu_standin_part parts[2];

	/** @left: how many of them have not signalled */
	atomic_t left;

	/** @signal: signals @base */
	struct irq_work signal;
};

static struct vgpu_standin *to_standin(struct dma_fence *base)
{
	return container_of(base, struct vgpu_standin, base);
}

static const char *standin_driver_name(struct dma_fence *base)
{
	return "virtio_gpu";
}

static const char *standin_timeline_name(struct dma_fence *base)
{
	return "stand-in";
}

static void standin_release(struct dma_fence *base)
{
	struct vgpu_standin *standin = to_standin(base);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(standin->parts); i++)
		dma_fence_put(standin->parts[i].fence);
	dma_fence_free(base);
	vgpu_fence_put_module();
}

static const struct dma_fence_ops standin_ops = {
	.get_driver_name = standin_driver_name,
	.get_timeline_name = standin_timeline_name,
	.release = standin_release,
};

static void standin_signal(struct irq_work *work)
{
	struct vgpu_standin *standin =
		container_of(work, struct vgpu_standin, signal);
	int error = standin->parts[0].fence->error ?:
		    standin->parts[1].fence->error;

	if (error)
		dma_fence_set_error(&standin->base, error);
	dma_fence_signal(&standin->base);
	dma_fence_put(&standin->base);
}

static void part_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct vgpu_standin_part *part =
		container_of(cb, struct vgpu_standin_part, cb);

	if (atomic_dec_and_test(&part->standin->left))
		irq_work_queue(&part->standin->signal);
}

/**
 * vgpu_standin_create - have a stand-in for when one is needed
 *
 * Context: Process context, may sleep.
 * Return: a stand-in for vgpu_standin_put(), or NULL without memory.
 */
struct vgpu_standin *vgpu_standin_create(void)
{
	struct vgpu_standin *standin = kzalloc(sizeof(*standin), GFP_KERNEL);

	if (!standin)
		return NULL;

	/* as of fences: who calls has the module */
	__module_get(THIS_MODULE);
	spin_lock_init(&standin->lock);
	init_irq_work(&standin->signal, standin_signal);
	atomic_set(&standin->left, ARRAY_SIZE(standin->parts));
	dma_fence_init(&standin->base, &standin_ops, &standin->lock,
		       dma_fence_context_alloc(1), 1);

	return standin;
}

/*
 * One of the fences, and how strict the place is that it has. Of a context it is the last,
 * as all of it will be replaced, and the strictest place.
 */
static struct dma_fence *find_other(struct dma_resv *resv,
				    enum dma_resv_usage *usage)
{
	struct dma_fence *fence, *other = NULL;
	struct dma_resv_iter cursor;

	*usage = DMA_RESV_USAGE_BOOKKEEP;
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence) {
		if (other && fence->context != other->context)
			continue;
		if (!other || dma_fence_is_later(fence, other))
			other = fence;
		if (dma_resv_iter_usage(&cursor) < *usage)
			*usage = dma_resv_iter_usage(&cursor);
	}
	return other;
}

/**
 * vgpu_standin_show_locked - let others wait for a fence where there is no room for it
 * @standin: a stand-in that was not used yet
 * @resv: where; its lock is held
 * @ours: the fence
 *
 * Context: Process context. Waits for nobody, and needs no memory.
 * Return: false if there is no other fence, and nothing was done.
 */
bool vgpu_standin_show_locked(struct vgpu_standin *standin,
			      struct dma_resv *resv, struct dma_fence *ours)
{
	enum dma_resv_usage usage;
	struct dma_fence *other = find_other(resv, &usage);
	struct vgpu_standin_part *part;
	unsigned int i;

	if (!other)
		return false;

	standin->parts[0].fence = dma_fence_get(other);
	standin->parts[1].fence = dma_fence_get(ours);
	dma_fence_get(&standin->base);
	dma_resv_replace_fences(resv, other->context, &standin->base, usage);

	for (i = 0; i < ARRAY_SIZE(standin->parts); i++) {
		part = &standin->parts[i];
		part->standin = standin;
		if (dma_fence_add_callback(part->fence, &part->cb,
					   part_signaled))
			part_signaled(part->fence, &part->cb);
	}
	return true;
}

/**
 * vgpu_standin_put - give a reference back
 * @standin: a stand-in, used or not, or NULL
 */
void vgpu_standin_put(struct vgpu_standin *standin)
{
	if (standin)
		dma_fence_put(&standin->base);
}
