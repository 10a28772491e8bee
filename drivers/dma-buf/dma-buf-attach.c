// SPDX-License-Identifier: GPL-2.0
/*
 * Who has access to a buffer.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"
#include "dma-buf-table.h"
#include "dma-buf-undemanding.h"

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
 * storage. What the device needs of it is put together when it attaches, see the
 * DOC section of dma-buf-need.c, and where exporters take part, they choose the
 * storage by that, see the DOC section of dma-buf-negotiate.c. An importer
 * attaches once, maps for as long as its device works, and takes both back in
 * reverse order::
 *
 *	attach = dma_buf_attach(dmabuf, dev);
 *	sgt = dma_buf_map_attachment_unlocked(attach, dir);
 *	... DMA to sg_dma_address() of the entries of sgt ...
 *	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
 *	dma_buf_detach(dmabuf, attach);
 *
 * Peers
 * ~~~~~
 *
 * Storage can be the memory of a device, with no struct page behind it. An
 * importer says with &dma_buf_attach_ops.allow_peer2peer that it could use such
 * addresses; whether there is a path between the two devices, the exporter
 * finds out at attach, with dma_buf_attach_check_peer() on PCI. It then either
 * keeps its storage in system memory for this attachment, or refuses it with
 * -EREMOTEIO, an errno that nothing else has: the core itself answers with it
 * where a table is another device's memory, and this device cannot use that.
 *
 * No device
 * ~~~~~~~~~
 *
 * A virtual display reads its buffers with the CPU. It has no address to ask
 * for, and whatever it put in place of a device would have an exporter choose
 * worse storage than it must. With dma_buf_attach_cpu() such an importer is
 * seen in debugfs and told of moves, and leaves it at vmap and CPU access. It is
 * not among &dma_buf.attachments: exporters take those for devices.
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
 * detach, which is in dma-buf-detach.c.
 */

static inline int attachment_join_locked(struct dma_buf *dmabuf,
					 struct device *dev,
					 struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(dmabuf->resv);

	if (!dev)
		return 0;

	/* Attaching allocates nothing. */
	if (dma_buf_can_constrain(dmabuf)) {
		if (dma_buf_undemanding_join_locked(attach))
			return 0;
		return dma_buf_negotiate_join_locked(attach);
	}

	if (dma_buf_attachment_is_dynamic(attach) == dma_buf_is_dynamic(dmabuf))
		return 0;

	return dma_buf_map_keep_locked(attach);
}

/* Whoever holds the lock to negotiate may wait for fences. */
static int attachment_lock(struct dma_buf *dmabuf)
{
	if (dma_buf_can_constrain(dmabuf))
		return dma_buf_negotiate_lock(dmabuf);

	return dma_resv_lock(dmabuf->resv, NULL);
}

/* Returns with the reservation lock held if it returns 0. */
static __always_inline int
attachment_join_and_lock(struct dma_buf *dmabuf, struct device *dev,
			 struct dma_buf_attachment *attach)
{
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	int ret;

	ret = attachment_lock(dmabuf);
	if (ret)
		return ret;

	ret = dma_buf_revoke_check(dmabuf);
	if (ret)
		goto unlock;

	list_add(&attach->node,
		 dev ? &dmabuf->attachments : &obj->cpu_attachments);
	ret = attachment_join_locked(dmabuf, dev, attach);
	if (ret) {
		list_del(&attach->node);
		goto unlock;
	}
	attach->complete = true;
	trace_dma_buf_attach(attach);

	return 0;

unlock:
	dma_resv_unlock(dmabuf->resv);

	return ret;
}

/*
 * The memory is as its last user left it. Members that are not here are set before they
 * are read.
 */
static inline void
attachment_init(struct dma_buf_attachment *attach, struct dma_buf *dmabuf,
		struct device *dev,
		const struct dma_buf_attach_ops *importer_ops,
		void *importer_priv)
{
	attach->dmabuf = dmabuf;
	attach->dev = dev;
	attach->sgt = NULL;
	attach->map_count = 0;
	attach->pin_count = 0;
	attach->core_pin_count = 0;
	attach->peer2peer = importer_ops && importer_ops->allow_peer2peer;
	attach->undemanding = false;
	attach->leaving = false;
	attach->complete = false;
	attach->entries = 0;
	attach->importer_ops = importer_ops;
	attach->importer_priv = importer_priv;
	attach->priv = NULL;
}

static inline struct dma_buf_attachment *
attachment_create(struct dma_buf *dmabuf, struct device *dev,
		  const struct dma_buf_attach_ops *importer_ops,
		  void *importer_priv, const struct dma_buf_constraints *c)
{
	struct dma_buf_attachment *attach;
	int ret;

	if (WARN_ON_ONCE(importer_ops && !importer_ops->move_notify &&
			 !importer_ops->invalidate_mappings))
		return ERR_PTR(-EINVAL);

	attach = dma_buf_attachment_alloc(dmabuf);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attachment_init(attach, dmabuf, dev, importer_ops, importer_priv);
	if (dma_buf_undemanding_collect(attach, c))
		return attach;

	ret = dma_buf_need_collect(attach, c);
	if (ret) {
		dma_buf_attachment_free(attach);
		return ERR_PTR(ret);
	}

	return attach;
}

/*
 * @dev is NULL if only the CPU accesses the buffer, and @c valid, or NULL. Returns with
 * the lock held, or an ERR_PTR() without. Imports come by with every frame, and most of
 * this is nothing for them if the compiler sees what the arguments are.
 */
static __always_inline struct dma_buf_attachment *
attach_and_lock(struct dma_buf *dmabuf, struct device *dev,
		const struct dma_buf_attach_ops *importer_ops,
		void *importer_priv, const struct dma_buf_constraints *c)
{
	struct dma_buf_attachment *attach;
	int ret;

	attach = attachment_create(dmabuf, dev, importer_ops, importer_priv, c);
	if (IS_ERR(attach))
		return attach;

	if (dev && dmabuf->ops->attach) {
		/* Spares an exporter whose storage is gone a call. */
		ret = dma_buf_revoke_check(dmabuf);
		if (!ret)
			ret = dmabuf->ops->attach(dmabuf, attach);
		if (ret)
			goto err_free;
	}

	ret = attachment_join_and_lock(dmabuf, dev, attach);
	if (ret)
		goto err_detach;

	return attach;

err_detach:
	if (dev && dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);
err_free:
	dma_buf_attachment_free(attach);
	return ERR_PTR(ret);
}

/**
 * dma_buf_attach_constrained - introduce a device that needs something special
 * @dmabuf: buffer
 * @dev: device that will access it
 * @importer_ops: how to reach the importer; NULL for a static one
 * @importer_priv: importer's data, ready for use: the importer may be called
 *		   back before this function returns
 * @c: what the device needs, beyond what is known from elsewhere; NULL for
 *     nothing
 *
 * Like dma_buf_dynamic_attach(), and says so. If the exporter does not take part
 * in negotiations, what breaks @c is an error when the buffer is mapped.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: The attachment or an ERR_PTR(), see dma_buf_dynamic_attach(), and:
 *
 *	   * -EINVAL: @c is not valid, see dma_buf_constraints_valid()
 */
struct dma_buf_attachment *
dma_buf_attach_constrained(struct dma_buf *dmabuf, struct device *dev,
			   const struct dma_buf_attach_ops *importer_ops,
			   void *importer_priv,
			   const struct dma_buf_constraints *c)
{
	struct dma_buf_attachment *attach;

	if (WARN_ON_ONCE(!dmabuf || !dev))
		return ERR_PTR(-EINVAL);

	if (c && dma_buf_constraints_valid(c))
		return ERR_PTR(-EINVAL);

	attach = attach_and_lock(dmabuf, dev, importer_ops, importer_priv, c);
	if (!IS_ERR(attach))
		dma_resv_unlock(dmabuf->resv);

	return attach;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach_constrained, DMA_BUF);

/**
 * dma_buf_dynamic_attach - introduce a device that can follow moves
 * @dmabuf: buffer
 * @dev: device that will access it
 * @importer_ops: how to reach the importer; NULL for a static one
 * @importer_priv: importer's data, ready for use: the importer may be called
 *		   back before this function returns
 *
 * An exporter that takes part in negotiations has storage then, or will have,
 * that suits @dev and all others that are attached.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here. Calls &dma_buf_ops.attach
 *	    without it. Then, with it, &dma_buf_ops.constrain of an exporter that
 *	    takes part, and &dma_buf_attach_ops.move_notify of others that are
 *	    attached; of another exporter, if only one side is dynamic,
 *	    &dma_buf_ops.pin and &dma_buf_ops.map_dma_buf.
 * Return: The attachment, to be given back with dma_buf_detach(), or an
 *	   ERR_PTR():
 *
 *	   * -EINVAL: @dmabuf or @dev is NULL, or @importer_ops has neither
 *	     &dma_buf_attach_ops.move_notify nor
 *	     &dma_buf_attach_ops.invalidate_mappings, or the exporter takes part
 *	     and no storage, of its or at all, suits all devices, or it does
 *	     not, only one side is dynamic, and the table that is made for that
 *	     at attach breaks what was declared for @dev
 *	   * -ENOMEM: out of memory
 *	   * -ENODEV: the storage was revoked
 *	   * -EBUSY: the storage exists, does not suit @dev and cannot move
 *	   * -EREMOTEIO: the storage is another device's memory, to which @dev
 *	     has no path
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * another error of the exporter's callbacks
 */
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *importer_ops,
		       void *importer_priv)
{
	return dma_buf_attach_constrained(dmabuf, dev, importer_ops,
					  importer_priv, NULL);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_dynamic_attach, DMA_BUF);

/**
 * dma_buf_attach - introduce a device that cannot follow moves
 * @dmabuf: buffer
 * @dev: device that will access it
 *
 * Like dma_buf_dynamic_attach() without callbacks: the storage has to stay where
 * it is until dma_buf_detach(), or, if its exporter takes part in negotiations,
 * while it is mapped.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: The attachment or an ERR_PTR(), see dma_buf_dynamic_attach().
 */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev)
{
	return dma_buf_dynamic_attach(dmabuf, dev, NULL, NULL);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach, DMA_BUF);

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

	if (WARN_ON_ONCE(!dmabuf) || WARN_ON_ONCE(!dev))
		return ERR_PTR(-EINVAL);

	attach = attach_and_lock(dmabuf, dev, NULL, NULL, NULL);
	if (IS_ERR(attach))
		return attach;

	table = dma_buf_table_get_locked(attach, dir);
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
 * dma_buf_attach_cpu - introduce an importer without a device
 * @dmabuf: buffer
 * @importer_ops: how to reach the importer, or NULL
 * @importer_priv: importer's data, ready for use
 *
 * For those who read and write with the CPU only. &dma_buf_attachment.dev is
 * NULL, there is nothing to map, and the exporter is not asked:
 * &dma_buf_ops.attach and &dma_buf_ops.detach are about devices.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here.
 * Return: The attachment, to be given back with dma_buf_detach(), or an
 *	   ERR_PTR():
 *
 *	   * -EINVAL: @dmabuf is NULL, or @importer_ops has neither
 *	     &dma_buf_attach_ops.move_notify nor
 *	     &dma_buf_attach_ops.invalidate_mappings
 *	   * -ENOMEM: out of memory
 *	   * -ENODEV: the storage was revoked
 *	   * -ERESTARTSYS: a signal arrived while the exporter was asked for others
 */
struct dma_buf_attachment *
dma_buf_attach_cpu(struct dma_buf *dmabuf,
		   const struct dma_buf_attach_ops *importer_ops,
		   void *importer_priv)
{
	struct dma_buf_attachment *attach;

	if (WARN_ON_ONCE(!dmabuf))
		return ERR_PTR(-EINVAL);

	attach = attach_and_lock(dmabuf, NULL, importer_ops, importer_priv,
				 NULL);
	if (!IS_ERR(attach))
		dma_resv_unlock(dmabuf->resv);

	return attach;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach_cpu, DMA_BUF);

/**
 * dma_buf_attach_check_peer - can the newcomer reach this device's memory?
 * @attach: attachment
 * @provider: device whose memory the storage is
 *
 * For &dma_buf_ops.attach of an exporter on PCI. Where the answer is no,
 * &dma_buf_attachment.peer2peer is cleared: the exporter goes on with storage in
 * system memory, or hands the error on if it has none.
 *
 * Context: Process context, may sleep.
 * Return: 0, or a negative errno:
 *
 *	   * -EREMOTEIO: the importer cannot use peer addresses, or there is no
 *	     path between the two
 */
int dma_buf_attach_check_peer(struct dma_buf_attachment *attach,
			      struct device *provider)
{
	if (attach->peer2peer && attach->dev && dev_is_pci(provider) &&
	    pci_p2pdma_distance(to_pci_dev(provider), attach->dev, false) >= 0)
		return 0;

	attach->peer2peer = false;

	return -EREMOTEIO;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach_check_peer, DMA_BUF);

/**
 * dma_buf_attach_revocable - does the importer let go when told?
 * @attach: attachment
 *
 * An exporter that cannot do without its storage for long refuses others in
 * &dma_buf_ops.attach, or in &dma_buf_ops.pin. Importers of kernel 6.12, which
 * know &dma_buf_attach_ops.move_notify only, count as others: some keep their
 * mapping until they need a new one.
 *
 * Context: Any.
 * Return: true if the importer gives its mappings back in bounded time after
 *	   dma_buf_invalidate_mappings() or dma_buf_revoke().
 */
bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return dma_buf_attachment_is_dynamic(attach) &&
	       attach->importer_ops->invalidate_mappings;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach_revocable, DMA_BUF);
