// SPDX-License-Identifier: GPL-2.0
/*
 * Storage that moves while devices are attached.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>

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
 * All of this happens under the reservation lock. Pins are counted by the
 * exporter.
 */

/**
 * dma_buf_pin - keep the storage where it is
 * @attach: attachment of a dynamic importer
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 * Return: 0, to be undone with dma_buf_unpin(), or the error of
 *	   &dma_buf_ops.pin. 0 as well if the exporter never moves its storage.
 */
int dma_buf_pin(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	WARN_ON_ONCE(!dma_buf_attachment_is_dynamic(attach));
	dma_resv_assert_held(dmabuf->resv);

	return dmabuf->ops->pin ? dmabuf->ops->pin(attach) : 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_pin, DMA_BUF);

/**
 * dma_buf_unpin - let the storage move again
 * @attach: attachment that dma_buf_pin() was called for
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 */
void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	WARN_ON_ONCE(!dma_buf_attachment_is_dynamic(attach));
	dma_resv_assert_held(dmabuf->resv);

	if (dmabuf->ops->unpin)
		dmabuf->ops->unpin(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unpin, DMA_BUF);

/**
 * dma_buf_move_notify - tell dynamic importers that the storage moves
 * @dmabuf: buffer whose storage the exporter is about to move
 *
 * Afterwards the exporter waits for the fences in &dma_buf.resv, then moves.
 *
 * Context: Process context, may sleep. The caller, the exporter, holds the
 *	    reservation lock.
 */
void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(dmabuf->resv);

	list_for_each_entry(attach, &dmabuf->attachments, node) {
		if (!dma_buf_attachment_is_dynamic(attach))
			continue;

		/* dma_buf_dynamic_attach() is still busy with this one. */
		if (!attach->complete)
			continue;

		attach->importer_ops->move_notify(attach);
	}
}
EXPORT_SYMBOL_NS_GPL(dma_buf_move_notify, DMA_BUF);
