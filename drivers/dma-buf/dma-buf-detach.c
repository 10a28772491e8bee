// SPDX-License-Identifier: GPL-2.0
/*
 * The end of access to a buffer.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/slab.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"
#include "dma-buf-table.h"
#include "dma-buf-undemanding.h"

/**
 * DOC: end of device access
 *
 * An importer gives back what it has mapped and pinned, then detaches. Whatever it
 * forgot is undone with its attachment, and said aloud, for nobody else would know whose
 * it was. What the core or the exporter has kept mapped for the device goes as well: a
 * device may be gone when its driver has detached it.
 *
 * An importer that holds a mapping from attach to detach, as imported GEM objects do,
 * ends both with dma_buf_unmap_detach(). Then the exporter knows that
 * it need not keep the mapping for the next time, see &dma_buf_attachment.leaving.
 *
 * Locking
 * ~~~~~~~
 *
 * All of it happens in one hold of the reservation lock, up to &dma_buf_ops.detach, which
 * is called without. From then on nobody but the exporter can find the attachment.
 */

/* What suits the others may be less. */
static inline void attachment_leave_locked(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_assert_held(dmabuf->resv);

	if (!attach->dev || !dma_buf_can_constrain(dmabuf) ||
	    dma_buf_revoke_check(dmabuf))
		return;

	if (!dma_buf_undemanding_leave_locked(attach))
		dma_buf_negotiate_leave_locked(attach);
}

/* What an importer forgot to give back must not hold the storage for ever. */
static __always_inline void
attachment_settle_locked(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_assert_held(dmabuf->resv);

	if (attach->sgt) {
		/* Mainline lets a user of a kept mapping off. */
		WARN_ON_ONCE(IS_ENABLED(CONFIG_DMABUF_DEBUG) &&
			     attach->map_count);
		dma_buf_map_drop_locked(attach);
	} else if (WARN_ON_ONCE(attach->map_count)) {
		/* Who has the table, and the exporter's mapping, nobody knows. */
		to_dma_buf_object(dmabuf)->lost_count += attach->map_count;
	}
	attach->map_count = 0;

	WARN_ON_ONCE(attach->pin_count);
	while (attach->pin_count)
		dma_buf_unpin_locked(attach, &attach->pin_count);

	list_del(&attach->node);
	attachment_leave_locked(attach);
	dma_buf_revoke_progress_locked(dmabuf);
}

/* The exporter has to know whose device it was, and nobody else knows it then. */
static inline void attachment_tell_exporter(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	if (attach->dev && dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);
}

static __always_inline void detach_and_unlock(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	trace_dma_buf_detach(attach);
	attachment_settle_locked(attach);
	dma_resv_unlock(dmabuf->resv);

	attachment_tell_exporter(attach);
	dma_buf_attachment_free(attach);
}

/**
 * dma_buf_detach_device - let a device go before its importer does
 * @attach: attachment without mappings and pins
 *
 * For an importer whose device is unplugged while user space has the buffer open by
 * it. What is kept mapped for a device, by the core or by the exporter, must not
 * outlive the device's driver. The attachment stays, as dma_buf_attach_cpu() would
 * have made it: the buffer can be used by the CPU, its importer is told of moves and of
 * dma_buf_revoke() all the time, and dma_buf_detach() ends it.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here. The exporter is told as by
 *	    dma_buf_detach().
 */
void dma_buf_detach_device(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf;

	if (WARN_ON_ONCE(!attach || !attach->dev))
		return;

	dmabuf = attach->dmabuf;
	trace_dma_buf_detach(attach);

	dma_resv_lock(dmabuf->resv, NULL);
	attachment_settle_locked(attach);
	/* in the same hold, for it is still to be told of a move or of the end */
	list_add(&attach->node, &to_dma_buf_object(dmabuf)->cpu_attachments);
	dma_resv_unlock(dmabuf->resv);

	attachment_tell_exporter(attach);

	dma_resv_lock(dmabuf->resv, NULL);
	attach->dev = NULL;
	dma_resv_unlock(dmabuf->resv);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_detach_device, DMA_BUF);

/**
 * dma_buf_detach - take a device away
 * @dmabuf: buffer the attachment belongs to
 * @attach: attachment without mappings and pins, freed here
 *
 * Pins that are left are undone, with a warning.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here. A mapping the core has kept
 *	    is unmapped and unpinned with it, an exporter that takes part told
 *	    with &dma_buf_ops.constrain what the others need; &dma_buf_ops.detach
 *	    is called without it.
 */
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (WARN_ON_ONCE(!dmabuf || !attach || attach->dmabuf != dmabuf))
		return;

	dma_resv_lock(dmabuf->resv, NULL);
	detach_and_unlock(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_detach, DMA_BUF);

/**
 * dma_buf_unmap_detach - give addresses back, and take the device away
 * @attach: attachment with one mapping and no pins, freed here
 * @sgt: its table, from dma_buf_attach_map() or dma_buf_map_attachment_unlocked()
 * @dir: direction it was asked for
 *
 * As dma_buf_unmap_attachment_unlocked() and dma_buf_detach() do one after the other,
 * with the reservation lock taken once.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock. The exporter is told as by dma_buf_detach().
 */
void dma_buf_unmap_detach(struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir)
{
	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !sgt))
		return;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	/* of several, the others are not given back here */
	attach->leaving = attach->map_count == 1;
	if (!WARN_ON_ONCE(!attach->map_count))
		dma_buf_table_put_locked(attach, sgt, dir);
	detach_and_unlock(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_detach, DMA_BUF);
