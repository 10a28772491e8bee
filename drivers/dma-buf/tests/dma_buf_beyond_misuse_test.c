// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of mistakes that mainline 6.12 does not notice
 *
 * What is counted can be given back once too often, or forgotten. Either ends in
 * a warning, and neither harms the exporter or other importers.
 */

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>

#include "dma_buf_mock.h"

/* Succeeds if a table that comes back twice is freed once. */
static void unmap_twice(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_calls(buf);

	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	KUNIT_EXPECT_EQ(test, attach->map_count, 0);
}

/* Succeeds if one unpin too many does not undo somebody else's pin. */
static void unpin_twice(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *one, *two;

	one = mock_attach(buf, dev, &mock_importer);
	two = mock_attach(buf, dev, &mock_importer);
	KUNIT_ASSERT_EQ(test, mock_pin(one), 0);
	KUNIT_ASSERT_EQ(test, mock_pin(two), 0);
	mock_unpin(one);
	mock_unpin(one);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 1);
	mock_unpin(two);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
}

/* Succeeds if pins that an importer forgot go with its attachment. */
static void pin_leak_ends_at_detach(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, &mock_importer);
	KUNIT_ASSERT_EQ(test, mock_pin(attach), 0);
	KUNIT_ASSERT_EQ(test, mock_pin(attach), 0);
	mock_calls(buf);

	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "unpin* unpin* detach");
}

/* Succeeds if a mapping that was forgotten does not count after detach. */
static void map_leak_ends_at_detach(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock_map(attach, DMA_TO_DEVICE)));
	mock_detach(buf, attach);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 0);
}

/*
 * Succeeds if a table that nobody can give back any more is never taken for one
 * that is back. The debugging core's copy of it would be lost, too.
 */
static void map_leak_is_not_forgotten(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (IS_ENABLED(CONFIG_DMABUF_DEBUG))
		kunit_skip(test, "leaks, which a debug kernel would tell");

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	/* The mock must not leak: behind the core's back, it takes it back. */
	buf->ops.unmap_dma_buf(attach, sgt, DMA_TO_DEVICE);
	mock_detach(buf, attach);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 1);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);
}

/* Succeeds if the core's own pin is not the importer's to undo. */
static void unpin_spares_the_cores_pin(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 1);
	mock_unpin(attach);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 1);
}

/* Succeeds if an importer without a device is given no addresses. */
static void cpu_maps(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach_cpu(buf->dmabuf, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, mock_pin(attach), -EINVAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	dma_buf_detach(buf->dmabuf, attach);
}

/* Succeeds if attaching without a buffer, or deaf, is -EINVAL. */
static void cpu_attach_with_holes(struct kunit *test)
{
	static const struct dma_buf_attach_ops deaf = {};
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);

	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach_cpu(NULL, NULL, NULL),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach_cpu(buf->dmabuf, &deaf, NULL),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
}

/* Succeeds if nobody waits for the end of what was not begun. */
static void revoke_wait_of_a_live_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(NULL), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke_wait(NULL, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke_wait(buf->dmabuf, 1), -EINVAL);
}

static void peer_answer(struct mock_buffer *buf, const struct mock_call *call)
{
	if (call->op == MOCK_MAP)
		sg_dma_mark_bus_address(call->sgt->sgl);
}

/* Succeeds if addresses on a foreign bus are kept from the importer. */
static void peer_memory_without_consent(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *deaf, *peer;
	struct sg_table *sgt;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		kunit_skip(test, "no CONFIG_PCI_P2PDMA, no such addresses");

	deaf = mock_attach(buf, dev, &mock_importer);
	peer = mock_attach(buf, dev, &mock_importer_p2p);
	buf->hook = peer_answer;
	KUNIT_EXPECT_PTR_EQ(test, mock_map(deaf, DMA_TO_DEVICE),
			    ERR_PTR(-EREMOTEIO));
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);

	sgt = mock_map(peer, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_TRUE(test, sg_dma_is_bus_address(sgt->sgl));
	mock_unmap(peer, sgt, DMA_TO_DEVICE);
}

static struct kunit_case dma_buf_beyond_misuse_cases[] = {
	KUNIT_CASE(unmap_twice),
	KUNIT_CASE(unpin_twice),
	KUNIT_CASE(pin_leak_ends_at_detach),
	KUNIT_CASE(map_leak_ends_at_detach),
	KUNIT_CASE(map_leak_is_not_forgotten),
	KUNIT_CASE(unpin_spares_the_cores_pin),
	KUNIT_CASE(cpu_maps),
	KUNIT_CASE(cpu_attach_with_holes),
	KUNIT_CASE(revoke_wait_of_a_live_buffer),
	KUNIT_CASE(peer_memory_without_consent),
	{}
};

static struct kunit_suite dma_buf_beyond_misuse_suite = {
	.name = "dma_buf_beyond_misuse",
	.init = mock_needs_splats,
	.test_cases = dma_buf_beyond_misuse_cases,
};

kunit_test_suite(dma_buf_beyond_misuse_suite);
