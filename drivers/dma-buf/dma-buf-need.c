// SPDX-License-Identifier: GPL-2.0
/*
 * What one device needs: gathered, shown, and held against each table.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iommu-dma.h>
#include <linux/limits.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: needs of a device
 *
 * A display without an IOMMU scans out what follows the first address, whatever
 * that is. Its driver may say that it needs one piece, or never have heard that
 * it should. Either way the device must not be given anything else, so what is
 * known about it is put together when it attaches, from
 *
 * 1. the DMA API, see the DOC section of dma-buf-constraints-device.c;
 * 2. the importer, with dma_buf_attach_constrained();
 * 3. the driver of the device, once, with devm_dma_buf_declare_constraints();
 * 4. the administrator, see the DOC section of dma-buf-declare.c;
 * 5. an importer that is wiser later, with dma_buf_attachment_constrain().
 *
 * The need is the intersection of all, &dma_buf_needs.constraints. It stays
 * what it is while the device is attached: what is declared for the device
 * meanwhile counts for its next attachment. A change of its DMA mask does, too.
 *
 * The check
 * ~~~~~~~~~
 *
 * Every table that goes out is looked at once, entry by entry, and not at all if
 * the device can use any.
 *
 * * An exporter that takes part has agreed to all of the need. If its table is
 *   something else, it is at fault: the importer gets -EIO and no table, and the
 *   kernel's log a warning. Behind an IOMMU it is the DMA API that has chosen the
 *   addresses and joined the entries, and nobody told it of 2 to 5: then -EINVAL,
 *   or -EREMOTEIO for the memory of another device, and no warning.
 * * An exporter that does not take part was never asked. What mainline lets
 *   pass, the limits of the DMA API, is let pass, and what was declared for
 *   dma-bufs (2 to 5) is an error for the importer, the same as behind an IOMMU,
 *   and as it is where a driver looks itself.
 *
 * An address can be within reach and still not be the buffer's: the DMA API may
 * have a device work on a copy (swiotlb). Nobody copies that back while the
 * buffer is shared, so from an exporter that takes part it is -EIO, too.
 *
 * Shown
 * ~~~~~
 *
 * bufinfo has the need of each device that has one. bufinfo and fdinfo have what
 * suits all devices of a buffer, how often it moved for that, and what kind of
 * storage it is, if the exporter has a word for it. Text of mainline stays as it
 * is, lines are added. fdinfo needs the reservation lock for it, hence has the
 * lines only for exporters that take part or have that word, waits while somebody
 * moves the buffer, and has none of them if the reader gets a signal meanwhile.
 */

/* What they have in common who need nothing. */
const struct dma_buf_needs dma_buf_needs_nothing = {
	.constraints = DMA_BUF_CONSTRAINTS_ANY,
	.declared = DMA_BUF_CONSTRAINTS_ANY,
	.of_storage = DMA_BUF_CONSTRAINTS_ANY,
};

/**
 * dma_buf_need_is_undemanding - is there nothing to ask of an exporter?
 * @attach: attachment
 * @needs: what its device needs
 *
 * As of most devices.  An IOMMU asks for nothing where its device does not, but a
 * bus with addresses of its own may not reach all memory.
 *
 * Return: true if any table will do, and any memory.
 */
bool dma_buf_need_is_undemanding(const struct dma_buf_attachment *attach,
				 const struct dma_buf_needs *needs)
{
	return dma_buf_need_nothing(&needs->constraints) &&
	       !(attach->dev && attach->dev->dma_range_map);
}

/**
 * dma_buf_need_collect - put together what a newcomer needs
 * @attach: attachment of a device, not yet on the list, that was not seen at a
 *	    glance to need nothing, see dma_buf_undemanding_collect()
 * @said: what its importer says, or NULL
 *
 * Return: 0, or -ENOMEM.
 */
int dma_buf_need_collect(struct dma_buf_attachment *attach,
			 const struct dma_buf_constraints *said)
{
	struct dma_buf_needs needs = dma_buf_needs_nothing, *own;

	dma_buf_constraints_of_device(attach->dev, &needs.constraints);
	dma_buf_declared_for(attach->dev, &needs.declared);
	if (said)
		dma_buf_constraints_intersect(&needs.declared, &needs.declared,
					      said);
	if (!dma_buf_need_nothing(&needs.declared))
		dma_buf_constraints_intersect(&needs.constraints,
					      &needs.constraints,
					      &needs.declared);
	attach->undemanding = dma_buf_need_is_undemanding(attach, &needs);
	if (attach->undemanding)
		return 0;

	own = kmemdup(&needs, sizeof(needs), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	attach->needs = own;

	return 0;
}

/**
 * dma_buf_need_agree_locked - note what was negotiated for a newcomer
 * @attach: attachment of a device
 * @of_storage: what its device needs of memory
 */
void dma_buf_need_agree_locked(struct dma_buf_attachment *attach,
			       const struct dma_buf_constraints *of_storage)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	/* its own, which was made for it; the other says so already */
	if (attach->needs != &dma_buf_needs_nothing)
		((struct dma_buf_needs *)attach->needs)->of_storage =
			*of_storage;
}

/**
 * dma_buf_need_of_storage - take what an attachment needs of memory into account
 * @attach: attachment, which the exporter has seen
 * @of_storage: what its device needs of memory
 * @c: constraints to tighten
 */
void dma_buf_need_of_storage(const struct dma_buf_attachment *attach,
			     const struct dma_buf_constraints *of_storage,
			     struct dma_buf_constraints *c)
{
	if (!dma_buf_need_nothing(of_storage))
		dma_buf_constraints_intersect(c, c, of_storage);
	if (attach->dev && !attach->peer2peer)
		c->domains &= ~DMA_BUF_DOMAIN_PEER;
}

static bool may_bounce(const struct dma_buf_attachment *attach)
{
	return attach->needs->constraints.dma_mask != U64_MAX ||
	       is_swiotlb_force_bounce(attach->dev);
}

static void warn_of_breach(const struct dma_buf_attachment *attach,
			   const struct dma_buf_violation *v)
{
	const char *exporter = attach->dmabuf->exp_name;
	const char *demand = dma_buf_demand_name(v->demand);

	WARN_ONCE(1, "dma-buf: %s breaks its word to %s: %s, %#llx+%#llx\n",
		  exporter, dev_name(attach->dev), demand, v->address,
		  v->length);
}

/* Of an exporter that has agreed. */
static int check_agreed(struct dma_buf_attachment *attach,
			const struct sg_table *sgt)
{
	const struct dma_buf_constraints *c = &attach->needs->constraints;
	struct dma_buf *dmabuf = attach->dmabuf;
	struct dma_buf_violation v;
	int ret = 0;

	if (!dma_buf_need_nothing(c))
		ret = dma_buf_constraints_check_sgt(c, sgt, dmabuf->size, &v);
	if (ret) {
		trace_dma_buf_refuse(attach, &v);
		if (use_dma_iommu(attach->dev))
			return ret;
		warn_of_breach(attach, &v);
		return -EIO;
	}

	if (may_bounce(attach) &&
	    dma_buf_constraints_bounced(attach->dev, sgt, &v)) {
		trace_dma_buf_refuse(attach, &v);
		pr_warn_once("dma-buf: %s would see a copy of what %s has\n",
			     dev_name(attach->dev), dmabuf->exp_name);
		return -EIO;
	}

	return 0;
}

/* Of an exporter that was not asked. */
static int check_declared(struct dma_buf_attachment *attach,
			  const struct sg_table *sgt)
{
	struct dma_buf_violation v;
	int ret;

	if (dma_buf_need_nothing(&attach->needs->declared))
		return 0;

	ret = dma_buf_constraints_check_sgt(&attach->needs->declared, sgt,
					    attach->dmabuf->size, &v);
	if (ret)
		trace_dma_buf_refuse(attach, &v);

	return ret;
}

/**
 * dma_buf_need_check - may a device be given that table?
 * @attach: attachment of the device, with the reservation lock held
 * @sgt: what the exporter has mapped for it
 *
 * Return: 0, or a negative errno:
 *
 *	   * -EIO: the exporter takes part, and breaks what it has agreed to, or
 *	     the device would work on a copy
 *	   * -EINVAL, -EREMOTEIO: the table breaks what was declared, see
 *	     dma_buf_constraints_check_sgt(), and the exporter does not take part
 *	     or the device is behind an IOMMU
 */
int dma_buf_need_check(struct dma_buf_attachment *attach,
		       const struct sg_table *sgt)
{
	if (dma_buf_can_constrain(attach->dmabuf))
		return check_agreed(attach, sgt);

	return check_declared(attach, sgt);
}

/**
 * dma_buf_need_show - print constraints into bufinfo or fdinfo
 * @seq: where to
 * @before: what to print in front of them
 * @c: the constraints
 *
 * The line is left open.
 */
void dma_buf_need_show(struct seq_file *seq, const char *before,
		       const struct dma_buf_constraints *c)
{
	char text[DMA_BUF_CONSTRAINTS_TEXT_SIZE];

	dma_buf_constraints_print(text, sizeof(text), c);
	seq_printf(seq, "%s%s", before, text);
}

/**
 * dma_buf_need_show_kind - print what the storage is into bufinfo or fdinfo
 * @seq: where to
 * @before: what to print in front of it
 * @dmabuf: buffer, with the reservation lock held
 *
 * A line, or nothing if the exporter has no word for it.
 */
void dma_buf_need_show_kind(struct seq_file *seq, const char *before,
			    struct dma_buf *dmabuf)
{
	dma_resv_assert_held(dmabuf->resv);

	if (dmabuf->ops->storage_kind && !dma_buf_is_revoked(dmabuf))
		seq_printf(seq, "%s%s\n", before,
			   dmabuf->ops->storage_kind(dmabuf));
}

static void show_needs_locked(struct seq_file *seq, struct dma_buf *dmabuf)
{
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	struct dma_buf_attachment *attach;
	struct dma_buf_terms terms;

	dma_buf_negotiate_terms_locked(obj, &terms);
	dma_buf_need_show(seq, "constraints:\t", &terms.constraints);
	seq_printf(seq, "\nmoves:\t%u\n", terms.moves);
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		seq_printf(seq, "attached:\t%s", dev_name(attach->dev));
		dma_buf_need_show(seq, " ", &attach->needs->constraints);
		seq_putc(seq, '\n');
	}
}

/**
 * dma_buf_need_show_fdinfo - print the storage and what devices need into fdinfo
 * @seq: where to
 * @dmabuf: buffer
 */
void dma_buf_need_show_fdinfo(struct seq_file *seq, struct dma_buf *dmabuf)
{
	bool asks = dma_buf_can_constrain(dmabuf);

	if (!asks && !dmabuf->ops->storage_kind)
		return;
	if (dma_resv_lock_interruptible(dmabuf->resv, NULL))
		return;

	dma_buf_need_show_kind(seq, "storage:\t", dmabuf);
	if (asks)
		show_needs_locked(seq, dmabuf);
	dma_resv_unlock(dmabuf->resv);
}
