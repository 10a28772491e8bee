// SPDX-License-Identifier: GPL-2.0
/*
 * Devices at a buffer: attach, map, unmap, detach.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "dma-buf-internal.h"

/**
 * DOC: device access
 *
 * A buffer is shared between devices that reach memory in different ways:
 * through an IOMMU or not, with 32 address bits or 64, over PCI to the memory
 * of another device. Only the exporter knows where the storage is, only the
 * importer knows its device.
 *
 * So access takes two steps. dma_buf_attach() introduces the device, and the
 * exporter accepts or refuses it. dma_buf_map_attachment() asks for addresses
 * that this device can use; that is when the exporter may allocate or move the
 * storage. An importer attaches once, maps for as long as its device works, and
 * takes both back in reverse order::
 *
 *	attach = dma_buf_attach(dmabuf, dev);
 *	sgt = dma_buf_map_attachment_unlocked(attach, dir);
 *	... DMA to sg_dma_address() of the entries of sgt ...
 *	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
 *	dma_buf_detach(dmabuf, attach);
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
 * Lifetime
 * ~~~~~~~~
 *
 * An attachment enters &dma_buf.attachments, is mapped if it has to be, and
 * becomes complete, all in one hold of the reservation lock: who walks the list
 * sees only complete ones. The exception is the exporter, whose callback runs
 * inside that hold. It finds the newcomer on the list, as it must to choose
 * storage for all devices, but dma_buf_move_notify() passes the newcomer over,
 * because the importer does not know its attachment yet.
 *
 * The importer keeps a reference to the buffer from before attach until after
 * detach.
 */

/*
 * Importers must use DMA addresses only; the pages may not exist, or not be
 * theirs to touch. With debugging on they get nonsense for a page pointer. Done
 * twice it is undone. The low bits are scatterlist flags and stay.
 */
static void scramble_pages(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!IS_ENABLED(CONFIG_DMABUF_DEBUG))
		return;

	for_each_sgtable_sg(sgt, sg, i)
		sg->page_link ^= ~(unsigned long)SG_PAGE_LINK_MASK;
}

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

static struct sg_table *attachment_map_locked(struct dma_buf_attachment *attach,
					      enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt;
	long ret;

	dma_resv_assert_held(dmabuf->resv);

	sgt = dmabuf->ops->map_dma_buf(attach, dir);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(sgt))
		return sgt;

	/* A dynamic importer looks at these fences itself. */
	if (!dma_buf_attachment_is_dynamic(attach)) {
		ret = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_KERNEL,
					    true, MAX_SCHEDULE_TIMEOUT);
		if (ret < 0) {
			dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
			return ERR_PTR(ret);
		}
	}

	scramble_pages(sgt);

	return sgt;
}

static void attachment_unmap_locked(struct dma_buf_attachment *attach,
				    struct sg_table *sgt,
				    enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	scramble_pages(sgt);
	attach->dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
}

/* One side moves, the other cannot follow: map once, until detach. */
static int attachment_keep_mapping_locked(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	bool pin = dma_buf_is_dynamic(dmabuf);
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	if (pin) {
		ret = dmabuf->ops->pin(attach);
		if (ret)
			return ret;
	}

	sgt = attachment_map_locked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		if (pin)
			dmabuf->ops->unpin(attach);
		return PTR_ERR(sgt);
	}

	attach->sgt = sgt;
	attach->dir = DMA_BIDIRECTIONAL;

	return 0;
}

static void attachment_drop_mapping_locked(struct dma_buf_attachment *attach)
{
	attachment_unmap_locked(attach, attach->sgt, attach->dir);
	if (dma_buf_is_dynamic(attach->dmabuf))
		attach->dmabuf->ops->unpin(attach);
}

static int attachment_join(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	int ret = 0;

	dma_resv_lock(dmabuf->resv, NULL);
	list_add(&attach->node, &dmabuf->attachments);

	if (dma_buf_attachment_is_dynamic(attach) != dma_buf_is_dynamic(dmabuf))
		ret = attachment_keep_mapping_locked(attach);

	if (ret)
		list_del(&attach->node);
	else
		attach->complete = true;
	dma_resv_unlock(dmabuf->resv);

	return ret;
}

/**
 * dma_buf_dynamic_attach - introduce a device that can follow moves
 * @dmabuf: buffer
 * @dev: device that will access it
 * @importer_ops: how to reach the importer; NULL for a static one
 * @importer_priv: importer's data, ready for use: the importer may be called
 *		   back before this function returns
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here. Calls &dma_buf_ops.attach
 *	    without it, then, if only one side is dynamic, &dma_buf_ops.pin and
 *	    &dma_buf_ops.map_dma_buf with it.
 * Return: The attachment, to be given back with dma_buf_detach(), or an
 *	   ERR_PTR():
 *
 *	   * -EINVAL: @dmabuf or @dev is NULL, or @importer_ops has no
 *	     &dma_buf_attach_ops.move_notify
 *	   * -ENOMEM: out of memory
 *	   * -EBUSY: the storage exists, does not suit @dev and cannot move
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * another error of the exporter's callbacks
 */
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *importer_ops,
		       void *importer_priv)
{
	struct dma_buf_attachment *attach;
	int ret;

	if (WARN_ON_ONCE(!dmabuf || !dev))
		return ERR_PTR(-EINVAL);

	if (WARN_ON_ONCE(importer_ops && !importer_ops->move_notify))
		return ERR_PTR(-EINVAL);

	attach = kzalloc(sizeof(*attach), GFP_KERNEL);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attach->dmabuf = dmabuf;
	attach->dev = dev;
	attach->importer_ops = importer_ops;
	attach->importer_priv = importer_priv;
	attach->peer2peer = importer_ops && importer_ops->allow_peer2peer;

	if (dmabuf->ops->attach) {
		ret = dmabuf->ops->attach(dmabuf, attach);
		if (ret)
			goto err_free;
	}

	ret = attachment_join(attach);
	if (ret)
		goto err_detach;

	return attach;

err_detach:
	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);
err_free:
	kfree(attach);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_dynamic_attach, DMA_BUF);

/**
 * dma_buf_attach - introduce a device that cannot follow moves
 * @dmabuf: buffer
 * @dev: device that will access it
 *
 * See dma_buf_dynamic_attach() for the context and the errors.
 *
 * Return: The attachment or an ERR_PTR().
 */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev)
{
	return dma_buf_dynamic_attach(dmabuf, dev, NULL, NULL);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach, DMA_BUF);

/**
 * dma_buf_detach - take a device away
 * @dmabuf: buffer the attachment belongs to
 * @attach: attachment without mappings, freed here
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here. A mapping the core has kept
 *	    is unmapped and unpinned with it, &dma_buf_ops.detach called
 *	    without it.
 */
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (WARN_ON_ONCE(!dmabuf || !attach || attach->dmabuf != dmabuf))
		return;

	dma_resv_lock(dmabuf->resv, NULL);
	if (attach->sgt)
		attachment_drop_mapping_locked(attach);
	list_del(&attach->node);
	dma_resv_unlock(dmabuf->resv);

	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);

	kfree(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_detach, DMA_BUF);

/* Without move notification configured, whatever is mapped is pinned. */
static bool pinned_while_mapped(struct dma_buf *dmabuf)
{
	return dma_buf_is_dynamic(dmabuf) &&
	       !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY);
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
 *	   * -EINVAL: @attach is NULL or incomplete
 *	   * -EBUSY: a kept mapping exists for another direction
 *	   * -ENOMEM: out of memory
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * another error of the exporter's callbacks
 */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	int ret;

	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf))
		return ERR_PTR(-EINVAL);

	dmabuf = attach->dmabuf;
	dma_resv_assert_held(dmabuf->resv);

	if (attach->sgt) {
		if (attach->dir != dir && attach->dir != DMA_BIDIRECTIONAL)
			return ERR_PTR(-EBUSY);

		return attach->sgt;
	}

	if (pinned_while_mapped(dmabuf)) {
		ret = dmabuf->ops->pin(attach);
		if (ret)
			return ERR_PTR(ret);
	}

	sgt = attachment_map_locked(attach, dir);
	if (IS_ERR(sgt)) {
		if (pinned_while_mapped(dmabuf))
			dmabuf->ops->unpin(attach);
		return sgt;
	}

	if (dmabuf->ops->cache_sgt_mapping) {
		attach->sgt = sgt;
		attach->dir = dir;
	}
	check_page_alignment(sgt);

	return sgt;
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
 * A mapping that the core keeps stays until dma_buf_detach().
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

	if (sgt == attach->sgt)
		return;

	attachment_unmap_locked(attach, sgt, dir);
	if (pinned_while_mapped(attach->dmabuf))
		attach->dmabuf->ops->unpin(attach);
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
