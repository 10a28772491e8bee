// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgem fences
 *
 * A client attaches a fence to a buffer, works on the buffer, and signals the
 * fence by its handle; whoever else has the buffer waits for it through the
 * dma-buf. User space decides when the fence signals, and user space dies,
 * forgets and lies. Three rules follow.
 *
 * Every fence signals. One that its client does not signal expires ten seconds
 * after it was attached, without an error, and all that a file left pending
 * signal when the file closes. Since all fences of a file live equally long,
 * they expire in the order in which they were attached: one timer per file,
 * set for the oldest, is enough.
 *
 * What a client leaves behind is bounded. A fence leaves the table when it is
 * signalled or expires. Of expired ones the table keeps the handle, not the
 * fence, for the last VGEM_FENCE_EXPIRED_KEPT of them: SIGNAL of such a handle
 * gives -ETIMEDOUT, once, and of an older one -ENOENT, as for a handle that
 * never was. Fences that are neither signalled nor expired count against
 * VGEM_FENCE_MAX_PENDING, beyond which ATTACH gives -ENOSPC. Handles count up
 * and are not used again before the 31-bit range wraps, so that a second
 * SIGNAL cannot hit somebody else's fence.
 *
 * Two clients that race see one result. The test for conflicting fences and the
 * addition of the new one are one step under the reservation lock. A handle
 * can be signalled when the fence is on the buffer and not before, and all that
 * can fail comes before either.
 *
 * Lifetime: the table holds one reference on a fence, the reservation object
 * and its users hold theirs. A fence outlives the file, the buffer and the
 * device for as long as someone, a sync_file for one, keeps it, and the core
 * calls the operations here even after it signalled. So every fence holds a
 * reference on the module.
 *
 * Locking: see struct vgem_fence_table.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "vgem_drv.h"

/**
 * struct vgem_fence - a fence that user space signals
 */
struct vgem_fence {
	/** @base: the fence that others see */
	struct dma_fence base;

	/** @lock: the lock of @base; each fence is a timeline of its own */
	spinlock_t lock;

	/** @pending: in the pending list of the table, guarded by its lock */
	struct list_head pending;

	/** @deadline: when it expires, in jiffies; guarded by the table's lock */
	unsigned long deadline;

	/** @handle: what the client knows it by; set before it is published */
	u32 handle;
};

static const char *vgem_fence_driver_name(struct dma_fence *base)
{
	return "vgem";
}

static const char *vgem_fence_timeline_name(struct dma_fence *base)
{
	return "unbound";
}

static void vgem_fence_free(struct dma_fence *base)
{
	dma_fence_free(base);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops vgem_fence_operations = {
	.get_driver_name = vgem_fence_driver_name,
	.get_timeline_name = vgem_fence_timeline_name,
	.release = vgem_fence_free,
};

static struct vgem_fence *vgem_fence_new(void)
{
	struct vgem_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence)
		return NULL;

	/* The file we are called through holds the module. */
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	INIT_LIST_HEAD(&fence->pending);
	dma_fence_init(&fence->base, &vgem_fence_operations, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	return fence;
}

/* Takes a slot in the table, empty for all others until it is published. */
static int vgem_fence_reserve_handle(struct vgem_fence_table *table,
				     struct vgem_fence *fence)
{
	int ret = -ENOSPC;

	xa_lock_bh(&table->fences);
	if (table->num_pending < table->max_pending) {
		/* Before the allocation, which may drop the lock. */
		table->num_pending++;
		ret = __xa_alloc_cyclic(&table->fences, &fence->handle, NULL,
					XA_LIMIT(1, INT_MAX),
					&table->next_handle, GFP_KERNEL);
		if (ret < 0)
			table->num_pending--;
	}
	xa_unlock_bh(&table->fences);

	return ret < 0 ? ret : 0;
}

/* From here on another thread can signal, and so free, the fence. */
static void vgem_fence_publish(struct vgem_fence_table *table,
			       struct vgem_fence *fence)
{
	xa_lock_bh(&table->fences);
	fence->deadline = jiffies + table->timeout;
	if (list_empty(&table->pending))
		mod_timer(&table->expiry, fence->deadline);
	list_add_tail(&fence->pending, &table->pending);
	/* The slot is there, so this allocates nothing and cannot fail. */
	__xa_store(&table->fences, fence->handle, fence, 0);
	xa_unlock_bh(&table->fences);
}

/* The caller has the table's reference on the fence now. */
static void vgem_fence_take_locked(struct vgem_fence_table *table,
				   struct vgem_fence *fence)
{
	lockdep_assert_held(&table->fences.xa_lock);

	__xa_erase(&table->fences, fence->handle);
	list_del_init(&fence->pending);
	table->num_pending--;
}

static void vgem_fence_finish(struct vgem_fence *fence)
{
	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

static void vgem_fence_remember_locked(struct vgem_fence_table *table,
				       u32 handle)
{
	lockdep_assert_held(&table->fences.xa_lock);

	table->expired[table->next_expired] = handle;
	table->next_expired =
		(table->next_expired + 1) % ARRAY_SIZE(table->expired);
}

/* Tells whether the handle expired, the first time it is asked. */
static bool vgem_fence_forget_locked(struct vgem_fence_table *table, u32 handle)
{
	unsigned int i;

	lockdep_assert_held(&table->fences.xa_lock);

	/* 0 is never given out, and marks a free slot. */
	if (!handle)
		return false;

	for (i = 0; i < ARRAY_SIZE(table->expired); i++) {
		if (table->expired[i] == handle) {
			table->expired[i] = 0;
			return true;
		}
	}

	return false;
}

static void vgem_fence_expire(struct timer_list *timer)
{
	struct vgem_fence_table *table = from_timer(table, timer, expiry);
	struct vgem_fence *fence, *next;

	xa_lock(&table->fences);
	list_for_each_entry_safe(fence, next, &table->pending, pending) {
		if (time_before(jiffies, fence->deadline)) {
			mod_timer(&table->expiry, fence->deadline);
			break;
		}

		vgem_fence_take_locked(table, fence);
		vgem_fence_remember_locked(table, fence->handle);
		/*
		 * Still under the lock: who is told -ETIMEDOUT must find the
		 * buffer idle.
		 */
		vgem_fence_finish(fence);
	}
	xa_unlock(&table->fences);
}

/**
 * vgem_fence_table_init - prepare the fence table of a file
 * @table: the table, zeroed memory
 * @timeout: life of a fence in jiffies
 * @max_pending: how many fences may wait for their signal
 */
void vgem_fence_table_init(struct vgem_fence_table *table,
			   unsigned long timeout, unsigned int max_pending)
{
	xa_init_flags(&table->fences, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
	INIT_LIST_HEAD(&table->pending);
	timer_setup(&table->expiry, vgem_fence_expire, 0);
	table->timeout = timeout;
	table->max_pending = max_pending;
}

/**
 * vgem_fence_table_fini - signal all that is pending and empty the table
 * @table: a table that nobody else can reach any more
 *
 * Context: Process context, waits for the timer.
 */
void vgem_fence_table_fini(struct vgem_fence_table *table)
{
	struct vgem_fence *fence, *next;

	timer_shutdown_sync(&table->expiry);

	list_for_each_entry_safe(fence, next, &table->pending, pending) {
		list_del_init(&fence->pending);
		vgem_fence_finish(fence);
	}
	xa_destroy(&table->fences);
}

/* All that can fail comes first, so that there is nothing to take back. */
static int vgem_fence_add_locked(struct vgem_fence_table *table,
				 struct dma_resv *resv,
				 struct vgem_fence *fence, bool write)
{
	int ret;

	dma_resv_assert_held(resv);

	if (!dma_resv_test_signaled(resv, dma_resv_usage_rw(write)))
		return -EBUSY;

	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;

	ret = vgem_fence_reserve_handle(table, fence);
	if (ret)
		return ret;

	dma_resv_add_fence(resv, &fence->base,
			   write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	return 0;
}

/**
 * vgem_fence_attach - add a new fence to a reservation object
 * @table: where its handle goes
 * @resv: the reservation object of a buffer
 * @write: true to keep out readers and writers, false to keep out writers
 * @handle: the handle for vgem_fence_signal(); written on success only
 *
 * Either the fence is on @resv and its handle is valid, or neither.
 *
 * Context: Process context, takes the lock of @resv.
 * Return: 0; -EBUSY when a fence that conflicts with @write is pending on
 * @resv, -ENOSPC when the table has its fill of pending fences, -ENOMEM, or
 * -ERESTARTSYS when a signal came while waiting for the lock.
 */
int vgem_fence_attach(struct vgem_fence_table *table, struct dma_resv *resv,
		      bool write, u32 *handle)
{
	struct vgem_fence *fence;
	int ret;

	fence = vgem_fence_new();
	if (!fence)
		return -ENOMEM;

	if (dma_resv_lock_interruptible(resv, NULL)) {
		ret = -ERESTARTSYS;
		goto err_fence;
	}
	ret = vgem_fence_add_locked(table, resv, fence, write);
	dma_resv_unlock(resv);
	if (ret)
		goto err_fence;

	*handle = fence->handle;
	vgem_fence_publish(table, fence);
	return 0;

err_fence:
	dma_fence_put(&fence->base);
	return ret;
}

/**
 * vgem_fence_signal - signal a fence and retire its handle
 * @table: the table that the fence was attached through
 * @handle: what vgem_fence_attach() gave
 *
 * Context: Process context.
 * Return: 0; -ETIMEDOUT when the fence has expired, -ENOENT when the handle was
 * never given out, was signalled before, was answered with -ETIMEDOUT before,
 * or expired so long ago that it is forgotten.
 */
int vgem_fence_signal(struct vgem_fence_table *table, u32 handle)
{
	struct vgem_fence *fence;
	int ret = 0;

	xa_lock_bh(&table->fences);
	/* Finds nothing where an attach has only reserved the slot. */
	fence = xa_load(&table->fences, handle);
	if (fence)
		vgem_fence_take_locked(table, fence);
	else if (vgem_fence_forget_locked(table, handle))
		ret = -ETIMEDOUT;
	else
		ret = -ENOENT;
	xa_unlock_bh(&table->fences);

	if (fence)
		vgem_fence_finish(fence);
	return ret;
}

/**
 * vgem_fence_attach_ioctl - DRM_IOCTL_VGEM_FENCE_ATTACH
 * @drm: the device
 * @data: struct drm_vgem_fence_attach
 * @file: the caller's file
 *
 * Context: Process context.
 * Return: 0; -EINVAL for an unknown flag or a pad that is not zero, -ENOENT for
 * an unknown buffer handle, or what vgem_fence_attach() gave.
 */
int vgem_fence_attach_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_vgem_fence_attach *args = data;
	struct vgem_file *vfile = file->driver_priv;
	struct drm_gem_object *obj;
	int ret;

	if ((args->flags & ~VGEM_FENCE_WRITE) || args->pad)
		return -EINVAL;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	ret = vgem_fence_attach(&vfile->fences, obj->resv,
				args->flags & VGEM_FENCE_WRITE,
				&args->out_fence);
	drm_gem_object_put(obj);
	return ret;
}

/**
 * vgem_fence_signal_ioctl - DRM_IOCTL_VGEM_FENCE_SIGNAL
 * @drm: the device
 * @data: struct drm_vgem_fence_signal
 * @file: the caller's file
 *
 * Context: Process context.
 * Return: 0; -EINVAL for any flag, or what vgem_fence_signal() gave.
 */
int vgem_fence_signal_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_vgem_fence_signal *args = data;
	struct vgem_file *vfile = file->driver_priv;

	if (args->flags)
		return -EINVAL;

	return vgem_fence_signal(&vfile->fences, args->fence);
}

/**
 * vgem_fence_module_exit - wait until no code of fences runs any more
 *
 * The reference that the last fence gives up is given up by code of the module,
 * which then still has to return to the core. Wait for tasks that were
 * preempted on that way; those that cannot be preempted there the module loader
 * waits for.
 *
 * Context: Process context, module exit.
 */
void vgem_fence_module_exit(void)
{
	synchronize_rcu_tasks();
}
