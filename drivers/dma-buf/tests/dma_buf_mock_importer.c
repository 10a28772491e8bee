// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: mock importer
 *
 * A device to attach with, and the few calls that nearly every case makes. The
 * calls that need the reservation lock take it here, so that no assertion can
 * end a thread that holds it.
 */

#include <linux/dma-mapping.h>

#include <kunit/device.h>

#include "dma_buf_mock.h"

const struct dma_buf_attach_ops mock_importer = {
	.move_notify = mock_log_move,
};

const struct dma_buf_attach_ops mock_importer_p2p = {
	.allow_peer2peer = true,
	.move_notify = mock_log_move,
};

/**
 * mock_device - a device that can reach all memory
 * @test: the running case
 * @name: tells the devices of one case apart
 *
 * Return: the device, gone when the case ends.
 */
struct device *mock_device(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test,
			dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	return dev;
}

static void mock_detach_action(void *data)
{
	struct dma_buf_attachment *attach = data;

	dma_buf_detach(attach->dmabuf, attach);
}

/**
 * mock_try_attach - attach, and detach at the end of the case
 * @buf: the buffer
 * @dev: the device
 * @ops: the importer's callbacks, NULL for a static importer
 * @priv: the importer's pointer
 *
 * Return: what the core answered.
 */
struct dma_buf_attachment *mock_try_attach(struct mock_buffer *buf,
					   struct device *dev,
					   const struct dma_buf_attach_ops *ops,
					   void *priv)
{
	struct dma_buf_attachment *attach;

	if (ops)
		attach = dma_buf_dynamic_attach(buf->dmabuf, dev, ops, priv);
	else
		attach = dma_buf_attach(buf->dmabuf, dev);

	if (!IS_ERR_OR_NULL(attach))
		mock_defer(buf->test, mock_detach_action, attach);
	return attach;
}

/**
 * mock_attach - attach, or end the case
 * @buf: the buffer
 * @dev: the device
 * @ops: the importer's callbacks, NULL for a static importer
 *
 * Return: the attachment.
 */
struct dma_buf_attachment *mock_attach(struct mock_buffer *buf,
				       struct device *dev,
				       const struct dma_buf_attach_ops *ops)
{
	struct dma_buf_attachment *attach;

	attach = mock_try_attach(buf, dev, ops, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(buf->test, attach);
	return attach;
}

/**
 * mock_detach - detach before the case ends
 * @buf: the buffer
 * @attach: from mock_attach() or mock_try_attach()
 */
void mock_detach(struct mock_buffer *buf, struct dma_buf_attachment *attach)
{
	kunit_release_action(buf->test, mock_detach_action, attach);
}

struct sg_table *mock_map(struct dma_buf_attachment *attach,
			  enum dma_data_direction dir)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, dir);
	dma_resv_unlock(attach->dmabuf->resv);
	return sgt;
}

void mock_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		enum dma_data_direction dir)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unmap_attachment(attach, sgt, dir);
	dma_resv_unlock(attach->dmabuf->resv);
}

int mock_pin(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	return ret;
}

void mock_unpin(struct dma_buf_attachment *attach)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unpin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
}

void mock_move(struct mock_buffer *buf)
{
	dma_resv_lock(buf->dmabuf->resv, NULL);
	dma_buf_move_notify(buf->dmabuf);
	dma_resv_unlock(buf->dmabuf->resv);
}

/**
 * mock_attachments - how many attachments are on the buffer's list
 * @buf: the buffer; the caller may be inside a callback of it
 * @attach: count this one alone, NULL for all
 *
 * Return: the number.
 */
unsigned int mock_attachments(struct mock_buffer *buf,
			      struct dma_buf_attachment *attach)
{
	struct dma_buf_attachment *pos;
	unsigned int n = 0;

	list_for_each_entry(pos, &buf->dmabuf->attachments, node)
		if (!attach || pos == attach)
			n++;
	return n;
}
