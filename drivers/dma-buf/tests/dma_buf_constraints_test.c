// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of constraints
 *
 * One case for each function and each errno in plain words, the devices as the
 * kernel knows them, and the laws on random constraints. A law that fails says
 * for which seed and case; law_seed=, law_rounds= and tools/constraints, which
 * tries the same laws in user space, have more to offer than the default.
 */

#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>

#include <kunit/device.h>
#include <kunit/test.h>

#include "dma_buf_constraints_laws.h"

static unsigned long law_seed = LAW_SEED;
module_param(law_seed, ulong, 0644);
MODULE_PARM_DESC(law_seed, "seed of the random constraints");

static unsigned int law_rounds = 20000;
module_param(law_rounds, uint, 0644);
MODULE_PARM_DESC(law_rounds, "cases of a quick law; slow ones get fewer");

/* --- in plain words --- */

/* Succeeds if of two constraints the stricter number wins, whoever it is of. */
static void intersect_takes_the_stricter(struct kunit *test)
{
	struct dma_buf_constraints display = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_constraints camera = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_constraints both;

	display.max_segments = 1;
	display.dma_mask = DMA_BIT_MASK(32);
	camera.max_segment_size = SZ_64K;
	camera.dma_mask = DMA_BIT_MASK(30);
	dma_buf_constraints_intersect(&both, &display, &camera);

	KUNIT_EXPECT_EQ(test, both.max_segments, 1);
	KUNIT_EXPECT_EQ(test, both.max_segment_size, SZ_64K);
	KUNIT_EXPECT_EQ(test, both.dma_mask, DMA_BIT_MASK(30));
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_subset(&both, &display));
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_subset(&both, &camera));
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_subset(&display, &both));
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_equal(&both, &camera));
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_equal(&both, &both));
}

/* Succeeds if a declaration that cannot be meant is -EINVAL. */
static void valid_refuses_what_cannot_be(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	KUNIT_EXPECT_EQ(test, dma_buf_constraints_valid(&c), 0);
	c.alignment = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, dma_buf_constraints_valid(&c), -EINVAL);
	KUNIT_EXPECT_STREQ(test, law_examples_algebra() ?: "", "");
}

/* Succeeds if a buffer that does not fit is known beforehand, and how to cut. */
static void storage_is_told_what_to_look_for(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	c.dma_mask = DMA_BIT_MASK(30);
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_satisfiable(&c, SZ_1G));
	KUNIT_EXPECT_FALSE(test,
			   dma_buf_constraints_satisfiable(&c, SZ_1G + 1ull));
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_contiguous(&c, SZ_8M));
	c.max_segments = 1;
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_contiguous(&c, SZ_8M));
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_contiguous(&c, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_contiguous(&c, 0));
	c.max_segment_size = SZ_1M;
	KUNIT_EXPECT_EQ(test, dma_buf_constraints_cut(&c, SZ_16M, SZ_8M),
			SZ_1M);
	dma_buf_constraints_translate(&c, &c, SZ_8M);
	KUNIT_EXPECT_FALSE(test, dma_buf_constraints_contiguous(&c, SZ_8M));
	KUNIT_EXPECT_STREQ(test, law_examples_storage() ?: "", "");
}

/* Succeeds if a table that breaks a demand is refused, and which is told. */
static void check_names_what_is_broken(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf_violation bad = {};
	struct law_table t = {
		.entries = { { SZ_1M, SZ_4K }, { SZ_2M, SZ_4K } },
		.nents = 2,
	};
	int ret;

	law_table_build(&t);
	ret = dma_buf_constraints_check_sgt(&c, &t.sgt, SZ_8K, &bad);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, bad.demand, DMA_BUF_DEMAND_NONE);

	c.max_segments = 1;
	ret = dma_buf_constraints_check_sgt(&c, &t.sgt, SZ_8K, &bad);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_STREQ(test, dma_buf_demand_name(bad.demand), "segments");
	KUNIT_EXPECT_EQ(test, bad.entry, 1);
	KUNIT_EXPECT_EQ(test, bad.address, SZ_2M);

	c.domains = DMA_BUF_DOMAIN_PEER;
	ret = dma_buf_constraints_check_sgt(&c, &t.sgt, SZ_8K, &bad);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_STREQ(test, dma_buf_demand_name(bad.demand), "domains");

	if (law_has_peers()) {
		c.domains = DMA_BUF_DOMAIN_SYSTEM;
		t.entries[0].peer = true;
		law_table_build(&t);
		ret = dma_buf_constraints_check_sgt(&c, &t.sgt, SZ_8K, &bad);
		KUNIT_EXPECT_EQ(test, ret, -EREMOTEIO);
		KUNIT_EXPECT_EQ(test, bad.entry, 0);
	}
	KUNIT_EXPECT_STREQ(test, law_examples_table() ?: "", "");
}

static void expect_text(struct kunit *test, const struct dma_buf_constraints *c,
			const char *expected)
{
	char text[DMA_BUF_CONSTRAINTS_TEXT_SIZE];

	dma_buf_constraints_print(text, sizeof(text), c);
	KUNIT_EXPECT_STREQ(test, text, expected);
}

/* Succeeds if a text is understood as a whole, or -EINVAL and nothing changed. */
static void text_is_all_or_nothing(struct kunit *test)
{
	static const char good[] = "mask=0x3fffffff,segments=1";
	static const char bad[] = "segments=2,mask=0";
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	KUNIT_EXPECT_EQ(test, dma_buf_constraints_parse(good, &c), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_constraints_parse(bad, &c), -EINVAL);
	expect_text(test, &c, good);
	KUNIT_EXPECT_STREQ(test, law_examples_text() ?: "", "");
}

/* --- devices --- */

static struct device *new_device(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "constrained");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);

	return dev;
}

static struct dma_buf_constraints of_device(struct device *dev)
{
	struct dma_buf_constraints c;

	memset(&c, 0x5a, sizeof(c));
	dma_buf_constraints_of_device(dev, &c);

	return c;
}

static void expect_device(struct kunit *test, struct device *dev,
			  const char *expected)
{
	struct dma_buf_constraints c = of_device(dev);

	expect_text(test, &c, expected);
	/* which is a glance at the same */
	KUNIT_EXPECT_EQ(test, dma_buf_device_is_undemanding(dev),
			!strcmp(expected, "any"));
}

/* Succeeds if the mask counts, and the bus behind which a device is. */
static void device_mask_is_a_constraint(struct kunit *test)
{
	struct device *dev = new_device(test);
	u64 *mask = dev->dma_mask;

	/* the function refuses what does not reach all memory of the guest */
	*mask = DMA_BIT_MASK(40);
	expect_device(test, dev, "mask=0xffffffffff");

	dev->bus_dma_limit = 0xbfffffff;
	expect_device(test, dev, "mask=0xbfffffff");
	*mask = DMA_BIT_MASK(30);
	expect_device(test, dev, "mask=0x3fffffff");

	dev->dma_mask = NULL;
	expect_device(test, dev, "any");
	dev->dma_mask = mask;
}

/*
 * Succeeds if what a driver said of its segments counts, and what the DMA API
 * answers for those who said nothing does not.
 */
static void device_defaults_are_none(struct kunit *test)
{
	struct device_dma_parameters parms = {};
	struct device *dev = new_device(test);

	KUNIT_ASSERT_EQ(test,
			dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	expect_device(test, dev, "any");

	dev->dma_parms = &parms;
	expect_device(test, dev, "any");
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(dev), SZ_64K);

	dma_set_max_seg_size(dev, SZ_64K);
	dma_set_seg_boundary(dev, DMA_BIT_MASK(24));
	expect_device(test, dev, "boundary=0xffffff,segment-size=65536");

	dma_set_max_seg_size(dev, UINT_MAX);
	dma_set_seg_boundary(dev, ULONG_MAX);
	expect_device(test, dev, "any");
	dev->dma_parms = NULL;
}

static void forget_pool(void *dev)
{
	((struct device *)dev)->dma_io_tlb_mem = NULL;
}

static struct io_tlb_mem *give_pool(struct kunit *test, struct device *dev)
{
	struct io_tlb_mem *mem = kunit_kzalloc(test, sizeof(*mem), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	mem->nslabs = 64;
	mem->defpool.nslabs = 64;
	dev->dma_io_tlb_mem = mem;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, forget_pool, dev));

	return mem;
}

/*
 * Succeeds if a device that is out of reach of memory, and whose buffers the DMA
 * API would copy piece by piece, is not given pieces of that size.
 */
static void device_copies_are_no_constraint(struct kunit *test)
{
	struct device *dev = new_device(test);

	give_pool(test, dev)->force_bounce = true;
	KUNIT_EXPECT_LT(test, dma_max_mapping_size(dev), SIZE_MAX);
	expect_device(test, dev, "mask=0xffffffff");
}

/* Succeeds if entries that lead to swiotlb's memory are seen, and no others. */
static void device_copies_are_seen(struct kunit *test)
{
	struct device *dev = new_device(test);
	struct io_tlb_mem *mem = give_pool(test, dev);
	struct dma_buf_violation copy = {};
	struct law_table t = {
		.entries = { { SZ_1M, SZ_4K }, { SZ_2M, SZ_4K } },
		.nents = 2,
	};

	mem->defpool.start = dma_to_phys(dev, SZ_4M);
	mem->defpool.end = dma_to_phys(dev, SZ_8M);
	law_table_build(&t);
	KUNIT_EXPECT_FALSE(test,
			   dma_buf_constraints_bounced(dev, &t.sgt, &copy));

	t.entries[1].address = SZ_4M + SZ_64K;
	law_table_build(&t);
	KUNIT_EXPECT_TRUE(test,
			  dma_buf_constraints_bounced(dev, &t.sgt, &copy));
	KUNIT_EXPECT_STREQ(test, dma_buf_demand_name(copy.demand), "copy");
	KUNIT_EXPECT_EQ(test, copy.entry, 1);
	KUNIT_EXPECT_EQ(test, copy.address, SZ_4M + SZ_64K);
	KUNIT_EXPECT_EQ(test, copy.length, SZ_4K);
	KUNIT_EXPECT_TRUE(test, dma_buf_constraints_bounced(dev, &t.sgt, NULL));

	t.entries[1].address = SZ_8M;
	law_table_build(&t);
	KUNIT_EXPECT_FALSE(test,
			   dma_buf_constraints_bounced(dev, &t.sgt, &copy));

	if (IS_ENABLED(CONFIG_NEED_SG_DMA_FLAGS)) {
		t.entries[1].address = SZ_4M;
		t.entries[1].peer = true;
		law_table_build(&t);
		KUNIT_EXPECT_FALSE(test, dma_buf_constraints_bounced(dev,
								     &t.sgt,
								     NULL));
	}
}

/* Succeeds if memory has to be as the device needs it where nothing translates. */
static void storage_without_iommu_is_as_the_table(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY, storage;

	c.dma_mask = DMA_BIT_MASK(30);
	c.max_segments = 1;
	dma_buf_constraints_of_storage(new_device(test), &storage, &c, SZ_8M);
	expect_text(test, &storage, "mask=0x3fffffff,segments=1");
}

static void expect_storage(struct kunit *test, struct device *dev, u64 mask,
			   u64 expected)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	c.dma_mask = mask;
	dma_buf_constraints_of_storage(dev, &c, &c, SZ_8M);
	KUNIT_EXPECT_EQ(test, c.dma_mask, expected);
}

/*
 * Succeeds if memory that a bus shows to its devices at other addresses has to be
 * where they reach it, not where the mask would be without the bus.
 */
static void storage_behind_bus_is_in_its_ranges(struct kunit *test)
{
	static const struct bus_dma_region one[] = {
		{ .cpu_start = 0, .dma_start = 0xc0000000, .size = SZ_1G }, {}
	};
	static const struct bus_dma_region apart[] = {
		{ .cpu_start = SZ_4G, .dma_start = SZ_2G, .size = SZ_1G },
		{ .cpu_start = SZ_1G, .dma_start = 0, .size = SZ_1G },
		{}
	};
	static const struct bus_dma_region joined[] = {
		{ .cpu_start = SZ_1G, .dma_start = 0, .size = SZ_1G },
		{ .cpu_start = 0, .dma_start = SZ_2G, .size = SZ_1G },
		{}
	};
	struct device *dev = new_device(test);

	KUNIT_ASSERT_EQ(test,
			dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	dev->dma_range_map = one;
	KUNIT_EXPECT_FALSE(test, dma_buf_device_is_undemanding(dev));
	expect_storage(test, dev, DMA_BIT_MASK(32), SZ_1G - 1);
	expect_storage(test, dev, U64_MAX, SZ_1G - 1);
	expect_storage(test, dev, 0xc0000fff, SZ_4K - 1);
	expect_storage(test, dev, DMA_BIT_MASK(31), 0);

	/* what is between them is out of reach, and so is what comes after */
	dev->dma_range_map = apart;
	expect_storage(test, dev, DMA_BIT_MASK(32), SZ_2G - 1);
	expect_storage(test, dev, DMA_BIT_MASK(20), SZ_1G + SZ_1M - 1);

	dev->dma_range_map = joined;
	expect_storage(test, dev, DMA_BIT_MASK(32), SZ_2G - 1);
	expect_storage(test, dev, SZ_2G + SZ_4K - 1, SZ_4K - 1);
	expect_storage(test, dev, DMA_BIT_MASK(31), 0);
	/* the driver core would free it */
	dev->dma_range_map = NULL;
}

#if IS_ENABLED(CONFIG_IOMMU_DMA)
/* Succeeds if an IOMMU takes care of where pages are, and of nothing else. */
static void storage_behind_iommu_may_be_anywhere(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY, storage;
	struct device *dev = new_device(test);

	KUNIT_ASSERT_EQ(test,
			dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	dev->dma_iommu = true;
	KUNIT_EXPECT_FALSE(test, dma_buf_device_is_undemanding(dev));
	c.dma_mask = DMA_BIT_MASK(30);
	c.max_segments = 1;
	dma_buf_constraints_of_storage(dev, &storage, &c, SZ_8M);
	expect_text(test, &storage, "any");

	/* as the PCI core sets it, for devices that have no such limit */
	c.segment_boundary_mask = DMA_BIT_MASK(32);
	dma_buf_constraints_of_storage(dev, &storage, &c, SZ_8M);
	KUNIT_EXPECT_EQ(test, storage.max_segments, UINT_MAX);
	KUNIT_EXPECT_EQ(test, storage.dma_mask, U64_MAX);
	dev->dma_iommu = false;
}
#endif

/* --- laws --- */

static const void *law_gen_params(const void *before, char *name)
{
	const struct dma_buf_law *law = before;

	law = law ? law + 1 : dma_buf_laws;
	if (law == dma_buf_laws + dma_buf_laws_count)
		return NULL;
	strscpy(name, law->name, KUNIT_PARAM_DESC_SIZE);

	return law;
}

/* Succeeds if the law holds for so many random cases. */
static void law_holds(struct kunit *test)
{
	const struct dma_buf_law *law = test->param_value;
	const char *broken;
	u64 at = 0;

	broken = law_try(law, law_seed, law_rounds, &at);
	if (broken)
		KUNIT_FAIL(test, "%s (law_seed=%lu, case %llu)", broken,
			   law_seed, at);
}

static struct kunit_case dma_buf_constraints_cases[] = {
	KUNIT_CASE(intersect_takes_the_stricter),
	KUNIT_CASE(valid_refuses_what_cannot_be),
	KUNIT_CASE(storage_is_told_what_to_look_for),
	KUNIT_CASE(check_names_what_is_broken),
	KUNIT_CASE(text_is_all_or_nothing),
	KUNIT_CASE(device_mask_is_a_constraint),
	KUNIT_CASE(device_defaults_are_none),
	KUNIT_CASE(device_copies_are_no_constraint),
	KUNIT_CASE(device_copies_are_seen),
	KUNIT_CASE(storage_without_iommu_is_as_the_table),
	KUNIT_CASE(storage_behind_bus_is_in_its_ranges),
#if IS_ENABLED(CONFIG_IOMMU_DMA)
	KUNIT_CASE(storage_behind_iommu_may_be_anywhere),
#endif
	KUNIT_CASE_PARAM(law_holds, law_gen_params),
	{}
};

static struct kunit_suite dma_buf_constraints_suite = {
	.name = "dma_buf_constraints",
	.test_cases = dma_buf_constraints_cases,
};

kunit_test_suite(dma_buf_constraints_suite);
