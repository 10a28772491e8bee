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
 * begin, end           -ENODEV without a call of the exporter
 * vmap                 -ENODEV; a vmap that exists stays
 * mmap                 -ENODEV; areas that exist lose their pages, and the next
 *                      access is a fault, which the exporter answers with
 *                      SIGBUS
 * unmap, unpin,        as ever: who holds something can give it back
 * vunmap, detach
 * poll, sync files,    as ever: they are about fences, and the buffer itself
 * name, seek           is still there
 * ===================  ========================================================
 *
 * Who still holds a mapping is the exporter's business before it touches the
 * storage. A dynamic importer was told and lets go in bounded time. A static one
 * was never asked to be able to: an exporter that must get its storage back
 * refuses such importers at attach, see dma_buf_attach_revocable().
 *
 * How an exporter does it
 * ~~~~~~~~~~~~~~~~~~~~~~~
 *
 * ::
 *
 *	dma_buf_revoke(dmabuf);
 *	ret = dma_buf_revoke_wait(dmabuf, MAX_SCHEDULE_TIMEOUT);
 *	if (ret > 0)
 *		... nobody has a mapping: free the storage ...
 *
 * Locking
 * ~~~~~~~
 *
 * The mark is set under the reservation lock, so callbacks that the core makes
 * under it (map, pin, vmap) never run on a revoked buffer. The others can be
 * under way while it is set. Of these, mmap matters: the exporter fills page
 * table entries in from its fault handler, and there looks at
 * dma_buf_is_revoked() under a lock that it also holds around dma_buf_revoke(),
 * or under the reservation lock. Then a fault comes before the mark, and its
 * entry is taken back, or after it, and it fails.
 */

/**
 * dma_buf_revoke_check - may the storage still be used?
 * @dmabuf: buffer
 *
 * Return: 0, or -ENODEV after dma_buf_revoke().
 */
int dma_buf_revoke_check(struct dma_buf *dmabuf)
{
	return dma_buf_is_revoked(dmabuf) ? -ENODEV : 0;
}

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
	return READ_ONCE(to_dma_buf_object(dmabuf)->state) != DMA_BUF_LIVE;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_is_revoked, DMA_BUF);

/**
 * dma_buf_revoke_progress_locked - see whether the storage is free at last
 * @dmabuf: buffer, with its reservation lock held
 *
 * To be called when a mapping was given back.
 *
 * Return: The number of mappings that are still out.
 */
unsigned int dma_buf_revoke_progress_locked(struct dma_buf *dmabuf)
{
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	unsigned int out = obj->map_count + obj->vmap_count;

	dma_resv_assert_held(dmabuf->resv);

	/* Nothing new is mapped after the mark, so this happens once. */
	if (!out && obj->state == DMA_BUF_REVOKED) {
		WRITE_ONCE(obj->state, DMA_BUF_RECLAIMED);
		wake_up_all(&obj->poll_queue);
	}

	return out;
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

/**
 * dma_buf_revoke - take the storage away from everybody
 * @dmabuf: buffer of the exporter that calls
 *
 * From here on the buffer refuses all access with -ENODEV, processes that have
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
 * Return: The number of mappings, of devices and of the kernel, that are still
 *	   out; 0 if there are none.
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
		WRITE_ONCE(obj->state, DMA_BUF_REVOKED);
		dma_buf_invalidate_mappings(dmabuf);
		drop_kept_mappings_locked(dmabuf);
	}
	out = dma_buf_revoke_progress_locked(dmabuf);
	dma_resv_unlock(dmabuf->resv);

	unmap_mapping_range(dmabuf->file->f_mapping, 0, 0, 1);
	trace_dma_buf_revoke(dmabuf, out);

	return out;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_revoke, DMA_BUF);

static bool reclaimed(struct dma_buf_object *obj)
{
	return READ_ONCE(obj->state) == DMA_BUF_RECLAIMED;
}

/**
 * dma_buf_revoke_wait - wait until nobody reaches the storage any more
 * @dmabuf: buffer after dma_buf_revoke()
 * @timeout: how long, in jiffies; MAX_SCHEDULE_TIMEOUT for as long as it takes
 *
 * Waits for the fences of all devices, then for the mappings that are still out.
 *
 * Context: Process context, sleeps. The caller must not hold the reservation
 *	    lock, nor a lock that an importer needs to let go.
 * Return: What is left of @timeout, at least 1, if the storage is the
 *	   exporter's alone; 0 after @timeout; or a negative errno:
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

	left = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP,
				     true, timeout);
	if (left <= 0)
		return left;

	obj = to_dma_buf_object(dmabuf);

	return wait_event_interruptible_timeout(obj->poll_queue, reclaimed(obj),
						left);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_revoke_wait, DMA_BUF);
