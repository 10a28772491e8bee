// SPDX-License-Identifier: GPL-2.0
/*
 * Storage that its owner takes away.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: revocation
 *
 * A buffer lives as long as anybody holds it, its storage may not: the card is
 * pulled out, the device is reset and handed to another guest, the memory is
 * needed by somebody with a better claim. The exporter cannot make others close
 * their file descriptors. It can stop them from reaching what is no longer
 * there.
 *
 * dma_buf_revoke() does that, once and for good. What was begun is called off as
 * far as that is possible, what is tried afterwards fails with -ENODEV:
 *
 * ===================  ========================================================
 * attach, pin, map     -ENODEV; a mapping that the core kept for a static side
 *                      goes with its last user
 * begin                -ENODEV without a call of the exporter
 * vmap                 -ENODEV; a vmap that exists stays
 * mmap                 -ENODEV; areas that exist lose their pages, and the next
 *                      access is a fault, which the exporter answers with
 *                      SIGBUS
 * unmap, unpin, end,   as ever: who holds something can give it back
 * vunmap, detach
 * poll, sync files,    as ever: they are about fences, and the buffer itself
 * name, seek           is still there
 * ===================  ========================================================
 *
 * How an exporter does it
 * ~~~~~~~~~~~~~~~~~~~~~~~
 *
 * Holding a reference to the buffer::
 *
 *	dma_buf_revoke(dmabuf);
 *	ret = dma_buf_revoke_wait(dmabuf, MAX_SCHEDULE_TIMEOUT);
 *	if (ret > 0)
 *		... no device, no process and no driver has a mapping ...
 *
 * A dynamic importer was told. One that has
 * &dma_buf_attach_ops.invalidate_mappings lets go in bounded time. A static one
 * was never asked to be able to: an exporter that must get its storage back
 * refuses such importers at attach, see dma_buf_attach_revocable(), or leaves
 * the storage where it is until they are done.
 *
 * Three things remain the exporter's own business, because they go on inside its
 * code or at places only it knows:
 *
 * * Callbacks that the core makes without the reservation lock (attach, detach,
 *   begin, end, mmap) may be under way, and detach and end still come later.
 * * The core zaps what is mapped through the buffer's own file. An exporter that
 *   has put another file or address space in its place, as GEM does, zaps
 *   there, with drm_vma_node_unmap().
 * * Page table entries are filled in from its fault handler, which looks at
 *   dma_buf_is_revoked() under the reservation lock, or under a lock that is
 *   also held around dma_buf_revoke(). Then a fault comes before the mark, and
 *   its entry is taken back, or after it, and it fails. Such a lock is not to be
 *   taken in callbacks under the reservation lock, nor by importers that are
 *   told of the end.
 *
 * Locking
 * ~~~~~~~
 *
 * The mark is set under the reservation lock, so callbacks that the core makes
 * under it (map, pin, vmap) never run on a revoked buffer. So are user mappings
 * zapped, before anybody can be told that the storage is free.
 */

/**
 * dma_buf_is_revoked - has the exporter taken the storage away?
 * @dmabuf: buffer
 *
 * For fault handlers of exporters above all.
 *
 * Context: Any. Without the reservation lock, or a lock held around
 *	    dma_buf_revoke(), false may be out of date when it is returned; true
 *	    stays true.
 * Return: true after dma_buf_revoke().
 */
bool dma_buf_is_revoked(struct dma_buf *dmabuf)
{
	return dma_buf_revoke_check(dmabuf) != 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_is_revoked, DMA_BUF);

static unsigned int mappings_out_locked(struct dma_buf_object *obj)
{
	unsigned int out = obj->vmap_count + obj->lost_count;
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(obj->base.resv);

	list_for_each_entry(attach, &obj->base.attachments, node)
		out += attach->map_count + attach->pin_count;

	return out;
}

/**
 * dma_buf_revoke_look_locked - see whether the storage is free at last
 * @obj: buffer that was revoked
 */
void dma_buf_revoke_look_locked(struct dma_buf_object *obj)
{
	/* Nothing new is mapped after the mark, so this happens once. */
	if (mappings_out_locked(obj))
		return;

	/* Pairs with reclaimed(): who sees it sees what the unmap has written. */
	smp_store_release(&obj->state, DMA_BUF_RECLAIMED);
	wake_up_all(&obj->poll_queue);
}

/* What the core has kept mapped, and no importer uses, is nobody's loss. */
static void drop_kept_mappings_locked(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	list_for_each_entry(attach, &dmabuf->attachments, node) {
		if (attach->sgt && !attach->map_count)
			dma_buf_map_drop_locked(attach);
	}
}

/* User space first: it has no say in when it lets go. */
static void take_away_locked(struct dma_buf_object *obj)
{
	struct dma_buf *dmabuf = &obj->base;

	dma_resv_assert_held(dmabuf->resv);

	if (dmabuf->file->f_mapping == obj->inode.i_mapping)
		unmap_mapping_range(obj->inode.i_mapping, 0, 0, 1);
	dma_buf_invalidate_mappings(dmabuf);
	drop_kept_mappings_locked(dmabuf);
}

/**
 * dma_buf_revoke - take the storage away from everybody
 * @dmabuf: buffer of the exporter that calls, which holds a reference to it
 *
 * From here on the buffer refuses new access with -ENODEV, processes that have
 * it mapped fault, and dynamic importers have been told to let go. Calling it
 * again does no harm.
 *
 * Devices may still be at work, under fences in &dma_buf.resv or in mappings
 * that were not given back: see dma_buf_revoke_wait().
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here around
 *	    &dma_buf_attach_ops.move_notify, &dma_buf_ops.unmap_dma_buf and
 *	    &dma_buf_ops.unpin.
 * Return: The number of mappings, of devices and of the kernel, and of pins that
 *	   are still out; 0 if there are none.
 */
unsigned int dma_buf_revoke(struct dma_buf *dmabuf)
{
	struct dma_buf_object *obj;
	unsigned int out;

	if (WARN_ON_ONCE(!dmabuf))
		return 0;

	obj = to_dma_buf_object(dmabuf);

	dma_resv_lock(dmabuf->resv, NULL);
	if (obj->state == DMA_BUF_LIVE) {
		WRITE_ONCE(obj->state, DMA_BUF_REVOKING);
		take_away_locked(obj);
		WRITE_ONCE(obj->state, DMA_BUF_REVOKED);
		dma_buf_revoke_progress_locked(dmabuf);
	}
	out = mappings_out_locked(obj);
	dma_resv_unlock(dmabuf->resv);

	trace_dma_buf_revoke(dmabuf, out);

	return out;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_revoke, DMA_BUF);

static bool reclaimed(struct dma_buf_object *obj)
{
	/* Pairs with dma_buf_revoke_progress_locked(). */
	return smp_load_acquire(&obj->state) == DMA_BUF_RECLAIMED;
}

/**
 * dma_buf_revoke_wait - wait until nobody reaches the storage any more
 * @dmabuf: buffer after dma_buf_revoke(), to which the caller holds a reference
 * @timeout: how long, in jiffies; MAX_SCHEDULE_TIMEOUT for as long as it takes
 *
 * Waits for the mappings and pins that are still out, then for the fences of
 * all devices, which their owners may leave up to that point.
 *
 * Context: Process context, sleeps. The caller must not hold the reservation
 *	    lock, nor a lock that an importer needs to let go.
 * Return: What is left of @timeout, at least 1, if nothing is out any more; 0
 *	   after @timeout; or a negative errno:
 *
 *	   * -EINVAL: @dmabuf is NULL or was not revoked
 *	   * -ERESTARTSYS: a signal arrived
 */
long dma_buf_revoke_wait(struct dma_buf *dmabuf, long timeout)
{
	struct dma_buf_object *obj;
	long left;

	might_sleep();

	if (WARN_ON_ONCE(!dmabuf || !dma_buf_is_revoked(dmabuf)))
		return -EINVAL;

	obj = to_dma_buf_object(dmabuf);
	left = wait_event_interruptible_timeout(obj->poll_queue, reclaimed(obj),
						timeout);
	if (left <= 0)
		return left;

	return dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP,
				     true, left);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_revoke_wait, DMA_BUF);
