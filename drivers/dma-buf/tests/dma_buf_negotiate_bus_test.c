// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of negotiation behind a bus
 *
 * What a device needs of addresses, and of the storage behind them, is not the same
 * where a bus or an IOMMU is in between.
 */

#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "dma_buf_party.h"

/*
 * Succeeds if a device that could use any table is still a reason for a question, where
 * its bus does not reach all memory.
 */
static void question_because_of_a_bus(struct kunit *test)
{
	static const struct bus_dma_region low[] = {
		{ .cpu_start = 0, .dma_start = SZ_2G, .size = SZ_1G }, {}
	};
	struct mock_party *party = mock_party(test);
	struct device *dev = mock_device(test, "narrow");
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	buf->ops.domains = DMA_BUF_DOMAIN_SYSTEM;
	dev->dma_range_map = low;
	attach = mock_party_attach_dev(buf, dev, NULL, NULL);
	dev->dma_range_map = NULL;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach constrain*");
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, SZ_1G - 1);
}

#if IS_ENABLED(CONFIG_IOMMU_DMA)
/* There is no IOMMU, so the DMA API must not look for one. */
static struct sg_table *map_without_iommu(struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
{
	struct mock_buffer *buf = attach->dmabuf->priv;
	const struct dma_buf_ops *real = buf->hook_data;
	struct sg_table *sgt;

	attach->dev->dma_iommu = false;
	sgt = real->map_dma_buf(attach, dir);
	attach->dev->dma_iommu = true;

	return sgt;
}

static void unmap_without_iommu(struct dma_buf_attachment *attach,
				struct sg_table *sgt,
				enum dma_data_direction dir)
{
	struct mock_buffer *buf = attach->dmabuf->priv;
	const struct dma_buf_ops *real = buf->hook_data;

	attach->dev->dma_iommu = false;
	real->unmap_dma_buf(attach, sgt, dir);
	attach->dev->dma_iommu = true;
}

/* Succeeds if the exporter is not to blame for addresses that an IOMMU has chosen. */
static void iommu_breaks_a_declaration(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct device *dev = mock_device(test, "importer");
	struct mock_party *party = mock_party(test);
	struct dma_buf_ops real = party->buf->ops;
	struct dma_buf_attachment *attach;

	party->buf->hook_data = &real;
	party->buf->ops.map_dma_buf = map_without_iommu;
	party->buf->ops.unmap_dma_buf = unmap_without_iommu;

	dev->dma_iommu = true;
	attach = mock_party_attach_dev(party->buf, dev, NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, attach->map_count, 0);
}
#endif

/*
 * Succeeds if a device is refused that has not enough addresses, though the bus leads all
 * of them to memory.
 */
static void bus_has_no_addresses(struct kunit *test)
{
	static const struct bus_dma_region high[] = {
		{ .cpu_start = SZ_1G, .dma_start = 0, .size = SZ_1G }, {}
	};
	struct dma_buf_constraints low = mock_below(MOCK_SIZE / 2 - 1);
	struct device *dev = mock_device(test, "importer");
	struct mock_party *party = mock_party(test);

	dev->dma_range_map = high;
	KUNIT_EXPECT_PTR_EQ(test,
			    mock_party_attach_dev(party->buf, dev, NULL, &low),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(party->buf), "attach detach");
	/* the driver core would free it */
	dev->dma_range_map = NULL;
}

static struct kunit_case dma_buf_negotiate_bus_cases[] = {
	KUNIT_CASE(question_because_of_a_bus),
#if IS_ENABLED(CONFIG_IOMMU_DMA)
	KUNIT_CASE(iommu_breaks_a_declaration),
#endif
	KUNIT_CASE(bus_has_no_addresses),
	{}
};

static struct kunit_suite dma_buf_negotiate_bus_suite = {
	.name = "dma_buf_negotiate_bus",
	.test_cases = dma_buf_negotiate_bus_cases,
};

kunit_test_suite(dma_buf_negotiate_bus_suite);
