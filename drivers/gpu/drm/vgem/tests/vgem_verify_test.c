// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem's look at what it was given
 *
 * Tables that no device has mapped, each of which breaks one constraint.
 */

#include <linux/dma-buf-constraints.h>
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "../vgem_drv.h"
#include "vgem_device_test.h"

#define MAX_ENTRIES 3

/**
 * struct verify_case - a table and the device that it is for
 * @name: of the case
 * @needs: constraints of the device, as text
 * @addr: DMA addresses, 0 after the last
 * @len: their lengths in bytes
 * @size: of the buffer
 * @expected: what is found
 */
struct verify_case {
	const char *name;
	const char *needs;
	dma_addr_t addr[MAX_ENTRIES];
	unsigned int len[MAX_ENTRIES];
	u64 size;
	const char *expected;
};

static const struct verify_case verify_cases[] = {
	{ "two places",
	  "any",
	  { SZ_1M, SZ_4M },
	  { SZ_4K, SZ_8K },
	  12288,
	  "ok" },
	{ "too short", "any", { SZ_1M }, { SZ_4K }, SZ_8K, "too short" },
	{ "longer than the buffer",
	  "mask=0x100fff",
	  { SZ_1M },
	  { SZ_8K },
	  SZ_4K,
	  "ok" },
	{ "at the mask", "mask=0x101fff", { SZ_1M }, { SZ_8K }, SZ_8K, "ok" },
	{ "beyond the mask",
	  "mask=0x101ffe",
	  { SZ_1M },
	  { SZ_8K },
	  SZ_8K,
	  "mask" },
	{ "up to the boundary",
	  "boundary=0xffff",
	  { SZ_64K - SZ_4K, SZ_64K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "ok" },
	{ "across the boundary",
	  "boundary=0xffff",
	  { SZ_64K - SZ_4K },
	  { SZ_8K },
	  SZ_8K,
	  "boundary" },
	{ "long", "segment-size=4096", { SZ_1M }, { SZ_4K }, SZ_4K, "ok" },
	{ "too long",
	  "segment-size=4096",
	  { SZ_1M, SZ_2M },
	  { SZ_4K, SZ_8K },
	  12288,
	  "segment size" },
	{ "aligned",
	  "align=65536",
	  { SZ_64K, SZ_1M },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "ok" },
	{ "not aligned",
	  "align=65536",
	  { SZ_64K, SZ_1M + SZ_4K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "alignment" },
	{ "one place in two entries",
	  "segments=1",
	  { SZ_1M, SZ_1M + SZ_4K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "ok" },
	{ "two places for one",
	  "segments=1",
	  { SZ_1M, SZ_1M + SZ_8K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "segments" },
};

KUNIT_ARRAY_PARAM_DESC(verify, verify_cases, name);

/* Succeeds if each kind of breach is found, and no other. */
static void vgem_verify_test_table(struct kunit *test)
{
	const struct verify_case *c = test->param_value;
	struct vgem_device_config config;
	struct scatterlist *sg;
	struct sg_table sgt;
	unsigned int i, n = 0;
	int ret;

	while (n < MAX_ENTRIES && c->addr[n])
		n++;
	vgem_device_config_init(&config);
	ret = dma_buf_constraints_parse(c->needs, &config.needs);
	KUNIT_ASSERT_EQ(test, ret, 0);
	ret = sg_alloc_table(&sgt, n, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for_each_sgtable_sg(&sgt, sg, i) {
		sg_dma_address(sg) = c->addr[i];
		sg_dma_len(sg) = c->len[i];
	}

	KUNIT_EXPECT_STREQ(test, c->expected,
			   vgem_verify_table(vgem_test_create(test, &config),
					     &sgt, c->size));
	sg_free_table(&sgt);
}

/* Succeeds if a device is not made that no memory could suit. */
static void vgem_verify_test_invalid(struct kunit *test)
{
	struct vgem_device_config config;

	vgem_device_config_init(&config);
	config.needs.max_segments = 0;
	KUNIT_EXPECT_EQ(test, PTR_ERR(vgem_device_create(&config)), -EINVAL);
}

static struct kunit_case vgem_verify_tests[] = {
	KUNIT_CASE_PARAM(vgem_verify_test_table, verify_gen_params),
	KUNIT_CASE(vgem_verify_test_invalid),
	{}
};

static struct kunit_suite vgem_verify_suite = {
	.name = "vgem_verify",
	.test_cases = vgem_verify_tests,
};

kunit_test_suite(vgem_verify_suite);
