// SPDX-License-Identifier: GPL-2.0
/*
 * What a device sees of a buffer: map and unmap.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"
#include "dma-buf-undemanding.h"

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

static void check_page_alignment(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!IS_ENABLED(CONFIG_DMA_API_DEBUG))
		return;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t addr = sg_dma_address(sg);

		if (!PAGE_ALIGNED(addr) || !PAGE_ALIGNED(sg_dma_len(sg)))
			pr_debug("dma-buf: unaligned segment %pad+%u\n", &addr,
				 sg_dma_len(sg));
	}
}

/* An address on a bus that the device may not share is of no use to it. */
static bool peer_memory(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		return false;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_is_bus_address(sg))
			return true;
	}

	return false;
}

static int attachment_check_table(struct dma_buf_attachment *attach,
				  struct sg_table *sgt)
{
	long ret;

	/* The exporter was told so at attach. */
	if (WARN_ON_ONCE(!attach->peer2peer && peer_memory(sgt)))
		return -EREMOTEIO;

	if (!dma_buf_undemanding_table(attach)) {
		ret = dma_buf_need_check(attach, sgt);
		if (ret)
			return ret;
	}

	/* A dynamic importer looks at these fences itself. */
	if (dma_buf_attachment_is_dynamic(attach) ||
	    dma_buf_never_busy(attach->dmabuf))
		return 0;

	ret = dma_resv_wait_timeout(attach->dmabuf->resv, DMA_RESV_USAGE_KERNEL,
				    true, MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

static struct sg_table *attachment_map_locked(struct dma_buf_attachment *attach,
					      enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt, *table;
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	sgt = dmabuf->ops->map_dma_buf(attach, dir);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(sgt))
		return sgt;

	ret = attachment_check_table(attach, sgt);
	if (ret)
		goto err_unmap;

	table = dma_buf_debug_wrap(sgt);
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		goto err_unmap;
	}

	return table;

err_unmap:
	dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
	return ERR_PTR(ret);
}

static void attachment_unmap_locked(struct dma_buf_attachment *attach,
				    struct sg_table *sgt,
				    enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	attach->dmabuf->ops->unmap_dma_buf(attach, dma_buf_debug_unwrap(sgt),
					   dir);
}

static struct sg_table *
attachment_map_table_locked(struct dma_buf_attachment *attach,
			    enum dma_data_direction dir, bool pin)
{
	struct sg_table *sgt;
	int ret = 0;

	if (pin)
		ret = dma_buf_pin_locked(attach, &attach->core_pin_count);
	if (ret)
		return ERR_PTR(ret);

	sgt = attachment_map_locked(attach, dir);
	if (IS_ERR(sgt) && pin)
		dma_buf_unpin_locked(attach, &attach->core_pin_count);

	return sgt;
}

/**
 * dma_buf_map_keep_locked - map until detach
 * @attach: attachment of which one side moves, and the other cannot follow
 *
 * Return: 0 or a negative errno, see dma_buf_map_attachment().
 */
int dma_buf_map_keep_locked(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = attachment_map_table_locked(attach, DMA_BIDIRECTIONAL,
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
	attachment_unmap_locked(attach, attach->sgt, attach->dir);
	attach->sgt = NULL;
	if (dma_buf_is_dynamic(attach->dmabuf))
		dma_buf_unpin_locked(attach, &attach->core_pin_count);
}

/*
 * Without move notification configured, whatever is mapped is pinned; or, by an
 * exporter that takes part, what is mapped by those who cannot be notified.
 */
static bool pinned_while_mapped(struct dma_buf_attachment *attach)
{
	if (dma_buf_can_constrain(attach->dmabuf))
		return !dma_buf_attachment_is_dynamic(attach);

	return dma_buf_is_dynamic(attach->dmabuf) &&
	       !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY);
}

static struct sg_table *
attachment_map_new_locked(struct dma_buf_attachment *attach,
			  enum dma_data_direction dir)
{
	struct sg_table *sgt;

	sgt = attachment_map_table_locked(attach, dir,
					  pinned_while_mapped(attach));
	if (IS_ERR(sgt))
		return sgt;

	if (attach->dmabuf->ops->cache_sgt_mapping) {
		attach->sgt = sgt;
		attach->dir = dir;
	}
	check_page_alignment(sgt);

	return sgt;
}

/* For who knows that there is a device. Inline, as imports come by with each frame. */
static inline struct sg_table *
attachment_give_table_locked(struct dma_buf_attachment *attach,
			     enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret;

	ret = dma_buf_revoke_check(attach->dmabuf);
	if (ret)
		return ERR_PTR(ret);

	if (!attach->sgt)
		sgt = attachment_map_new_locked(attach, dir);
	else if (attach->dir == dir || attach->dir == DMA_BIDIRECTIONAL)
		sgt = attach->sgt;
	else
		sgt = ERR_PTR(-EBUSY);
	if (IS_ERR(sgt))
		return sgt;

	attach->map_count++;
	attach->entries = sgt->nents;
	trace_dma_buf_map(attach, sgt, dir);

	return sgt;
}

/* For who knows that a table is out. Inline, as above. */
static inline void
attachment_take_table_locked(struct dma_buf_attachment *attach,
			     struct sg_table *sgt, enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	trace_dma_buf_unmap(attach, sgt, dir);
	attach->map_count--;

	if (sgt != attach->sgt) {
		attachment_unmap_locked(attach, sgt, dir);
		if (pinned_while_mapped(attach))
			dma_buf_unpin_locked(attach, &attach->core_pin_count);
	} else if (!attach->map_count && dma_buf_revoke_check(dmabuf)) {
		dma_buf_map_drop_locked(attach);
	}

	dma_buf_revoke_progress_locked(dmabuf);
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
	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !attach->dev))
		return ERR_PTR(-EINVAL);

	dma_resv_assert_held(attach->dmabuf->resv);

	return attachment_give_table_locked(attach, dir);
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

	attachment_take_table_locked(attach, sgt, dir);
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

/**
 * dma_buf_attach_map - introduce a device, and get addresses that it can use
 * @dmabuf: buffer
 * @dev: device that will access it
 * @dir: what it will do with the buffer
 * @sgt: where to put the table, unchanged on error
 *
 * As dma_buf_attach() and dma_buf_map_attachment_unlocked() do one after the other,
 * with the reservation lock taken once. For who holds the mapping until it detaches,
 * best with dma_buf_unmap_detach().
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: The attachment, with one mapping, or an ERR_PTR(), see
 *	   dma_buf_dynamic_attach() and dma_buf_map_attachment().
 */
struct dma_buf_attachment *dma_buf_attach_map(struct dma_buf *dmabuf,
					      struct device *dev,
					      enum dma_data_direction dir,
					      struct sg_table **sgt)
{
	struct dma_buf_attachment *attach;
	struct sg_table *table;

	if (WARN_ON_ONCE(!dmabuf || !dev))
		return ERR_PTR(-EINVAL);

	attach = dma_buf_attach_and_lock(dmabuf, dev, NULL, NULL, NULL);
	if (IS_ERR(attach))
		return attach;

	table = attachment_give_table_locked(attach, dir);
	dma_resv_unlock(dmabuf->resv);
	if (IS_ERR(table)) {
		dma_buf_detach(dmabuf, attach);
		return ERR_CAST(table);
	}
	*sgt = table;

	return attach;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach_map, DMA_BUF);

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
		attachment_take_table_locked(attach, sgt, dir);
	dma_buf_detach_and_unlock(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_detach, DMA_BUF);
