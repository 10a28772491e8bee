// SPDX-License-Identifier: GPL-2.0
/*
 * What a device sees of a buffer: map and unmap.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"
#include "dma-buf-table.h"

/**
 * DOC: mappings
 *
 * An attached device has no addresses yet. It gets them, as a scatter list, from
 * dma_buf_map_attachment(), which asks the exporter, and gives them back with
 * dma_buf_unmap_attachment(). In between the exporter's storage is in use.
 *
 * Mixed generations
 * ~~~~~~~~~~~~~~~~~
 *
 * Static drivers expect a mapping to stay valid. A dynamic exporter may move
 * the storage unless it is pinned, a dynamic importer agrees to be told. Where
 * only one side is dynamic, the core maps at attach, pinned if need be, and
 * answers from that mapping until detach. The static side then never meets the
 * reservation lock in a place where its own locks could be in the way.
 *
 * An exporter that takes part in negotiations is dynamic, and its storage has to
 * be free to move while nobody has it mapped. So a static importer's mapping is
 * made when it is asked for, pinned, and is not kept; see the DOC section of
 * dma-buf-negotiate.c.
 *
 * What is kept
 * ~~~~~~~~~~~~
 *
 * Besides those, the core keeps the first mapping of an attachment until detach if
 * the exporter says that it may, with &dma_buf_ops.cache_sgt_mapping. Others are asked
 * each time, as on mainline, though a second request could be a look-up: what is
 * mapped keeps pages from being swapped, and storage from being moved, and in the call
 * an exporter sees to caches and notes the use. A driver whose device needs a buffer
 * frame after frame keeps the table itself, as GEM objects that are imported do. One
 * table is kept per attachment. Where the core decides it is for both directions, and
 * serves each; an exporter's own, of one direction, is -EBUSY for another.
 *
 * What the core checks
 * ~~~~~~~~~~~~~~~~~~~~
 *
 * A table goes out only if the buffer was not revoked, and only with addresses
 * the device can use: those of another device's memory, on the bus that both
 * share, need &dma_buf_attachment.peer2peer, and for the rest the DOC section of
 * dma-buf-need.c has the rules. How many tables are out is counted
 * per attachment, which is how dma_buf_revoke() knows when the storage is free.
 * One that comes back when none is owed is not taken.
 *
 * All of it is guarded by the reservation lock. Who holds a mapping from attach to detach
 * takes it once for both, with dma_buf_attach_map() and dma_buf_unmap_detach().
 */

/**
 * dma_buf_map_keep_locked - map until detach
 * @attach: attachment of which one side moves, and the other cannot follow
 *
 * Return: 0 or a negative errno, see dma_buf_map_attachment().
 */
int dma_buf_map_keep_locked(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_table_map_locked(attach, DMA_BIDIRECTIONAL,
				       dma_buf_is_dynamic(attach->dmabuf));
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	attach->sgt = sgt;
	attach->dir = DMA_BIDIRECTIONAL;

	return 0;
}

/**
 * dma_buf_map_drop_locked - give a kept mapping back
 * @attach: attachment that has one
 */
void dma_buf_map_drop_locked(struct dma_buf_attachment *attach)
{
	dma_buf_table_unmap_locked(attach, attach->sgt, attach->dir);
	attach->sgt = NULL;
	if (dma_buf_is_dynamic(attach->dmabuf))
		dma_buf_unpin_locked(attach, &attach->core_pin_count);
}

/**
 * dma_buf_map_attachment - get addresses a device can use
 * @attach: attachment of the device
 * @dir: what the device will do with the buffer
 *
 * Only the DMA addresses and lengths of the table are the importer's business.
 * They are multiples of the page size.
 *
 * For a static importer the storage is ready when this function returns. A
 * dynamic one waits for the fences of usage %DMA_RESV_USAGE_KERNEL before its
 * device starts.
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 * Return: The mapped table, to be given back with dma_buf_unmap_attachment(),
 *	   or an ERR_PTR():
 *
 *	   * -EINVAL: @attach is NULL, or has no buffer or no device; or the
 *	     exporter answered with what breaks a declaration for this device,
 *	     and either does not take part in negotiations or could not know,
 *	     since the device is behind an IOMMU
 *	   * -EIO: the exporter takes part, and answered with something else
 *	     than it has agreed to, or with a copy
 *	   * -ENODEV: the storage was revoked
 *	   * -EBUSY: a kept mapping exists for another direction
 *	   * -EREMOTEIO: the exporter answered with another device's memory,
 *	     to which there is no path, or which was declared to be of no use
 *	   * -ENOMEM: out of memory
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * another error of the exporter's callbacks
 */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	int ret;

	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !attach->dev))
		return ERR_PTR(-EINVAL);

	dma_resv_assert_held(attach->dmabuf->resv);

	ret = dma_buf_revoke_check(attach->dmabuf);
	if (ret)
		return ERR_PTR(ret);

	return dma_buf_table_get_locked(attach, dir);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_map_attachment, DMA_BUF);

/**
 * dma_buf_map_attachment_unlocked - get addresses a device can use
 * @attach: attachment of the device
 * @dir: what the device will do with the buffer
 *
 * Like dma_buf_map_attachment(), for callers that do not hold the reservation
 * lock: it is taken here.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: The mapped table or an ERR_PTR(), see dma_buf_map_attachment().
 */
struct sg_table *
dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	struct sg_table *sgt;

	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf))
		return ERR_PTR(-EINVAL);

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, dir);
	dma_resv_unlock(attach->dmabuf->resv);

	return sgt;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_map_attachment_unlocked, DMA_BUF);

/**
 * dma_buf_unmap_attachment - give addresses back
 * @attach: attachment of the device
 * @sgt: table dma_buf_map_attachment() returned
 * @dir: direction it was asked for
 *
 * A mapping that the core keeps stays until dma_buf_detach(), or until its last
 * user has gone if the buffer was revoked. A table that is not out is left
 * alone, with a warning.
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 */
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sgt, enum dma_data_direction dir)
{
	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !sgt))
		return;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (WARN_ON_ONCE(!attach->map_count))
		return;

	dma_buf_table_put_locked(attach, sgt, dir);
	dma_buf_revoke_progress_locked(attach->dmabuf);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_attachment, DMA_BUF);

/**
 * dma_buf_unmap_attachment_unlocked - give addresses back
 * @attach: attachment of the device
 * @sgt: table dma_buf_map_attachment_unlocked() returned
 * @dir: direction it was asked for
 *
 * Like dma_buf_unmap_attachment(), for callers that do not hold the reservation
 * lock: it is taken here.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 */
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach,
				       struct sg_table *sgt,
				       enum dma_data_direction dir)
{
	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !sgt))
		return;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unmap_attachment(attach, sgt, dir);
	dma_resv_unlock(attach->dmabuf->resv);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_attachment_unlocked, DMA_BUF);
