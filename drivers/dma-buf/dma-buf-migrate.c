// SPDX-License-Identifier: GPL-2.0
/*
 * Storage that moves while devices are attached.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: moving storage
 *
 * A GPU's memory is smaller than what its clients want in it, so its driver
 * moves buffers in and out. If every buffer that some other device has mapped
 * had to stay where it is, any process could fill that memory for good by
 * sharing.
 *
 * Hence dynamic exporters, which have &dma_buf_ops.pin, and dynamic importers,
 * which attach with &struct dma_buf_attach_ops. Between two of them a mapping
 * holds nothing in place: before the exporter moves the storage it calls
 * dma_buf_move_notify() with the reservation lock held, and importers map again
 * under that lock before they next use the buffer. What their devices have
 * begun, fences in &dma_buf.resv protect.
 *
 * An importer that cannot do without a fixed place for a while, as scanout
 * cannot, pins the buffer. Pinning is not for work that a fence could bound,
 * and not for user space to ask for without limit.
 *
 * All of this happens under the reservation lock. Exporters count their pins;
 * the core counts them per attachment as well, so that a pin that nobody undoes
 * has a name in bufinfo, and goes with its attachment.
 */

/**
 * dma_buf_pin_locked - pin and count
 * @attach: attachment, with the reservation lock held
 * @count: &dma_buf_attachment.pin_count or &dma_buf_attachment.core_pin_count
 *
 * Return: 0 or the error of &dma_buf_ops.pin.
 */
int dma_buf_pin_locked(struct dma_buf_attachment *attach, unsigned int *count)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	ret = dmabuf->ops->pin ? dmabuf->ops->pin(attach) : 0;
	if (ret)
		return ret;

	++*count;
	trace_dma_buf_pin(attach, attach->pin_count + attach->core_pin_count);

	return 0;
}

/**
 * dma_buf_unpin_locked - undo dma_buf_pin_locked()
 * @attach: attachment, with the reservation lock held
 * @count: the count that was given there
 *
 * Somebody else's pin is not undone in place of one that there is not.
 */
void dma_buf_unpin_locked(struct dma_buf_attachment *attach,
			  unsigned int *count)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_assert_held(dmabuf->resv);

	if (WARN_ON_ONCE(!*count))
		return;

	--*count;
	trace_dma_buf_pin(attach, attach->pin_count + attach->core_pin_count);
	if (dmabuf->ops->unpin)
		dmabuf->ops->unpin(attach);
}

/**
 * dma_buf_pin - keep the storage where it is
 * @attach: attachment of a dynamic importer
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 * Return: 0, to be undone with dma_buf_unpin(); 0 as well if the exporter never
 *	   moves its storage; or a negative errno:
 *
 *	   * -EINVAL: @attach has no device
 *	   * -ENODEV: the storage was revoked
 *	   * the error of &dma_buf_ops.pin
 */
int dma_buf_pin(struct dma_buf_attachment *attach)
{
	int ret;

	WARN_ON_ONCE(!dma_buf_attachment_is_dynamic(attach));
	dma_resv_assert_held(attach->dmabuf->resv);

	if (WARN_ON_ONCE(!attach->dev))
		return -EINVAL;

	ret = dma_buf_revoke_check(attach->dmabuf);
	if (ret)
		return ret;

	return dma_buf_pin_locked(attach, &attach->pin_count);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_pin, DMA_BUF);

/**
 * dma_buf_unpin - let the storage move again
 * @attach: attachment that dma_buf_pin() was called for
 *
 * One unpin too many is left out, with a warning.
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 */
void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	WARN_ON_ONCE(!dma_buf_attachment_is_dynamic(attach));
	dma_resv_assert_held(attach->dmabuf->resv);

	dma_buf_unpin_locked(attach, &attach->pin_count);
	dma_buf_revoke_progress_locked(attach->dmabuf);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unpin, DMA_BUF);

static unsigned int invalidate_list(struct list_head *attachments)
{
	const struct dma_buf_attach_ops *ops;
	struct dma_buf_attachment *attach;
	unsigned int told = 0;

	list_for_each_entry(attach, attachments, node) {
		/* dma_buf_dynamic_attach() may still be busy with this one. */
		if (!dma_buf_attachment_is_dynamic(attach) || !attach->complete)
			continue;

		ops = attach->importer_ops;
		if (ops->invalidate_mappings)
			ops->invalidate_mappings(attach);
		else
			ops->move_notify(attach);
		told++;
	}

	return told;
}

/**
 * dma_buf_invalidate_mappings - tell dynamic importers that their mappings end
 * @dmabuf: buffer whose storage the exporter is about to move
 *
 * Afterwards the exporter waits for the fences in &dma_buf.resv, then moves.
 *
 * Context: Process context, may sleep. The caller, the exporter, holds the
 *	    reservation lock.
 */
void dma_buf_invalidate_mappings(struct dma_buf *dmabuf)
{
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	unsigned int told;

	dma_resv_assert_held(dmabuf->resv);

	told = invalidate_list(&dmabuf->attachments);
	told += invalidate_list(&obj->cpu_attachments);
	trace_dma_buf_move(dmabuf, told);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_invalidate_mappings, DMA_BUF);

/**
 * dma_buf_move_notify - tell dynamic importers that the storage moves
 * @dmabuf: buffer whose storage the exporter is about to move
 *
 * The name that dma_buf_invalidate_mappings() has in kernels before 7.0.
 *
 * Context: Process context, may sleep. The caller, the exporter, holds the
 *	    reservation lock.
 */
void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	dma_buf_invalidate_mappings(dmabuf);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_move_notify, DMA_BUF);
