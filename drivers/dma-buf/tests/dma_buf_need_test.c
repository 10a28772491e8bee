// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of a device's needs
 *
 * From where they come, what an importer can add later, and which tables they keep
 * from a device.
 */

#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "dma_buf_party.h"

/* No storage is there: the mock's pages never lie in the first four. */
#define OUT_OF_REACH (MOCK_SIZE - 1)

/* Succeeds if the need is that of the DMA API, the importer and the driver. */
static void need_from_all_sources(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_constraints one = mock_one_piece(), said;
	struct dma_buf_attachment *attach;

	said = mock_below(U64_MAX);
	said.alignment = SZ_4K;
	KUNIT_ASSERT_EQ(test, dma_set_mask(dev, DMA_BIT_MASK(40)), 0);
	KUNIT_ASSERT_EQ(test, devm_dma_buf_declare_constraints(dev, &one), 0);
	attach =
		dma_buf_attach_constrained(buf->dmabuf, dev, NULL, NULL, &said);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);

	KUNIT_EXPECT_EQ(test, attach->needs->constraints.dma_mask,
			DMA_BIT_MASK(40));
	KUNIT_EXPECT_EQ(test, attach->needs->constraints.max_segments, 1);
	KUNIT_EXPECT_EQ(test, attach->needs->constraints.alignment, SZ_4K);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.dma_mask, U64_MAX);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.max_segments, 1);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.alignment, SZ_4K);
	dma_buf_detach(buf->dmabuf, attach);
}

/* Succeeds if an importer that cannot mean what it says is -EINVAL. */
static void attach_needs_sense(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	c.alignment = 3;
	attach = dma_buf_attach_constrained(buf->dmabuf, dev, NULL, NULL, &c);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if an importer can ask for more when its mapping is given back. */
static void importer_is_wiser_later(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_party_attach(buf, "importer", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &one),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, attach->needs->constraints.max_segments,
			UINT_MAX);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "constrain!*");

	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_calls(buf);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &one), 0);
	KUNIT_EXPECT_EQ(test, attach->needs->constraints.max_segments, 1);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.max_segments, 1);
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "constrain!* relocate*");
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 1);

	/* It is so already. */
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &one), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if a dynamic importer that asks for more is told, as all are. */
static void wiser_importer_is_told(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "importer", &mock_importer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &one), 0);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, attach), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "constrain!* move* relocate*");
}

/* Succeeds if what cannot be had, or meant, changes nothing. */
static void wiser_importer_is_refused(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct dma_buf_constraints far = mock_below(PAGE_SIZE - 1);
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "importer", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &far),
			-EINVAL);
	far.alignment = 3;
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &far),
			-EINVAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	buf->fail[MOCK_CONSTRAIN] = -ENOMEM;
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &one),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, attach->needs->constraints.max_segments,
			UINT_MAX);
	KUNIT_EXPECT_EQ(test, attach->needs->constraints.dma_mask, U64_MAX);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.max_segments, UINT_MAX);
}

/* Succeeds if a table that meets the need goes out. */
static void good_table_goes_out(struct kunit *test)
{
	struct dma_buf_constraints c = mock_below(DMA_BIT_MASK(63));
	struct mock_party *party = mock_party(test);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	c.alignment = PAGE_SIZE;
	c.max_segments = MOCK_PAGES;
	attach = mock_party_attach(party->buf, "importer", NULL, &c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
}

/* Succeeds if a device is not given a copy of what an exporter has agreed to. */
static void copy_is_refused(struct kunit *test)
{
	struct dma_buf_constraints c = mock_below(DMA_BIT_MASK(63));
	struct mock_buffer *buf = mock_party(test)->buf;
	struct dma_buf_attachment *attach;

	if (!IS_ENABLED(CONFIG_SWIOTLB))
		kunit_skip(test, "there is nothing that makes copies");

	attach = mock_party_attach(buf, "importer", NULL, &c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);
	mock_copies(buf, attach->dev);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EIO));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "pin* map:to* unmap:to* unpin*");
}

#if IS_ENABLED(CONFIG_IOMMU_DMA) && IS_ENABLED(CONFIG_SWIOTLB)
/*
 * Succeeds if addresses that an IOMMU has chosen are not taken for those of copies,
 * which they say nothing about.
 */
static void nothing_is_a_copy_behind_an_iommu(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_violation v;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, dev, NULL);
	mock_copies(buf, dev);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_bounced(dev, sgt, &v));
	KUNIT_EXPECT_EQ(test, v.demand, DMA_BUF_DEMAND_COPY);

	dev->dma_iommu = true;
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_bounced(dev, sgt, NULL));
	dev->dma_iommu = false;
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
}
#endif

struct breach {
	const char *name;
	struct dma_buf_constraints c;
	int err;
};

static const struct breach breaches[] = {
	{ "mask",
	  { .dma_mask = OUT_OF_REACH,
	    .segment_boundary_mask = U64_MAX,
	    .max_segment_size = U64_MAX,
	    .alignment = 1,
	    .max_segments = UINT_MAX,
	    .domains = DMA_BUF_DOMAIN_ALL },
	  -EINVAL },
	{ "alignment",
	  { .dma_mask = U64_MAX,
	    .segment_boundary_mask = U64_MAX,
	    .max_segment_size = U64_MAX,
	    .alignment = BIT_ULL(45),
	    .max_segments = UINT_MAX,
	    .domains = DMA_BUF_DOMAIN_ALL },
	  -EINVAL },
	{ "domain",
	  { .dma_mask = U64_MAX,
	    .segment_boundary_mask = U64_MAX,
	    .max_segment_size = U64_MAX,
	    .alignment = 1,
	    .max_segments = UINT_MAX,
	    .domains = DMA_BUF_DOMAIN_PEER },
	  -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(breach, breaches, name);

/*
 * Succeeds if a table that breaks a declaration is an error for the importer of
 * an exporter that was never asked, without a warning, and is unmapped.
 */
static void declared_for_an_exporter_that_does_not_ask(struct kunit *test)
{
	const struct breach *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "importer", NULL, &p->c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach");
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(p->err));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to* unmap:to*");
}

/* Succeeds if the same is found at attach where the core maps at attach. */
static void declared_and_mapped_at_attach(struct kunit *test)
{
	const struct breach *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);

	KUNIT_EXPECT_PTR_EQ(test, mock_party_attach(buf, "a", NULL, &p->c),
			    ERR_PTR(p->err));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "attach pin* map:both* unmap:both* unpin* detach");
}

/* Succeeds if the same is found in a table that is kept, when it is said. */
static void declared_too_late_for_a_kept_table(struct kunit *test)
{
	const struct breach *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_party_attach(buf, "importer", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &p->c),
			p->err);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.dma_mask, U64_MAX);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
}

/* Succeeds if what an importer says later is checked from then on. */
static void declared_later(struct kunit *test)
{
	const struct breach *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "importer", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &p->c), 0);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(p->err));
}

static void answer_with_a_peer(struct mock_buffer *buf,
			       const struct mock_call *call)
{
	if (call->op == MOCK_MAP)
		sg_dma_mark_bus_address(call->sgt->sgl);
}

/*
 * Succeeds if the memory of another device is -EREMOTEIO, and nothing but that is,
 * where it was declared to be of no use: at attach, later, and in a kept table.
 */
static void declared_to_have_no_use_for_peers(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct mock_buffer *keeps = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		kunit_skip(test, "no CONFIG_PCI_P2PDMA, no such addresses");

	c.domains = DMA_BUF_DOMAIN_SYSTEM;
	buf->hook = answer_with_a_peer;
	keeps->hook = answer_with_a_peer;

	attach = mock_party_attach(buf, "later", &mock_importer_p2p, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &c), 0);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EREMOTEIO));

	attach = mock_party_attach(keeps, "at once", &mock_importer_p2p, &c);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EREMOTEIO));
	attach = mock_party_attach(keeps, "kept", &mock_importer_p2p, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &c),
			-EREMOTEIO);
	KUNIT_EXPECT_EQ(test, attach->needs->declared.domains,
			DMA_BUF_DOMAIN_ALL);
}

/* Attaches when the DMA API has one limit, and has another at each mapping. */
static struct dma_buf_attachment *attach_then_widen(struct mock_buffer *buf)
{
	struct device *dev = mock_device(buf->test, "narrow");
	struct dma_buf_attachment *attach;
	u64 mask = OUT_OF_REACH;

	/* dma_set_mask() would know better */
	swap(*dev->dma_mask, mask);
	attach = mock_attach(buf, dev, NULL);
	swap(*dev->dma_mask, mask);
	return attach;
}

/* Succeeds if limits of the DMA API let pass what they do in mainline. */
static void dma_api_is_left_to_an_exporter_that_does_not_ask(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach = attach_then_widen(buf);
	struct sg_table *sgt;

	KUNIT_EXPECT_EQ(test, attach->needs->constraints.dma_mask,
			OUT_OF_REACH);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
}

static struct kunit_case dma_buf_need_cases[] = {
	KUNIT_CASE(need_from_all_sources),
	KUNIT_CASE(attach_needs_sense),
	KUNIT_CASE(importer_is_wiser_later),
	KUNIT_CASE(wiser_importer_is_told),
	KUNIT_CASE(wiser_importer_is_refused),
	KUNIT_CASE(good_table_goes_out),
	KUNIT_CASE(copy_is_refused),
#if IS_ENABLED(CONFIG_IOMMU_DMA) && IS_ENABLED(CONFIG_SWIOTLB)
	KUNIT_CASE(nothing_is_a_copy_behind_an_iommu),
#endif
	KUNIT_CASE_PARAM(declared_for_an_exporter_that_does_not_ask,
			 breach_gen_params),
	KUNIT_CASE_PARAM(declared_and_mapped_at_attach, breach_gen_params),
	KUNIT_CASE_PARAM(declared_too_late_for_a_kept_table, breach_gen_params),
	KUNIT_CASE_PARAM(declared_later, breach_gen_params),
	KUNIT_CASE(declared_to_have_no_use_for_peers),
	KUNIT_CASE(dma_api_is_left_to_an_exporter_that_does_not_ask),
	{}
};

static struct kunit_suite dma_buf_need_suite = {
	.name = "dma_buf_need",
	.test_cases = dma_buf_need_cases,
};

kunit_test_suite(dma_buf_need_suite);
