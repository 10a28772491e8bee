// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem's device table
 *
 * These make real devices, which user space sees for a moment. How many exist
 * beforehand is up to whoever loads the module.
 */

#include <kunit/resource.h>
#include <kunit/test.h>

#include <linux/bitmap.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>

#include "../vgem_drv.h"
#include "vgem_device_test.h"

#define VGEM_TEST_PATTERN 0x5a
/* Minors of the classic kind are 64 for each kind of node. */
#define MANY_DEVICES 72

static void vgem_test_destroy(void *vgem)
{
	vgem_device_destroy(vgem);
}

/**
 * vgem_test_create - make a device for the length of a test
 * @test: the test
 * @config: its constraints, NULL for none
 *
 * Return: the device.
 */
struct vgem_device *vgem_test_create(struct kunit *test,
				     const struct vgem_device_config *config)
{
	struct vgem_device_config defaults;
	struct vgem_device *vgem;
	int ret;

	vgem_device_config_init(&defaults);
	vgem = vgem_device_create(config ? config : &defaults);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vgem));
	ret = kunit_add_action_or_reset(test, vgem_test_destroy, vgem);
	KUNIT_ASSERT_EQ(test, 0, ret);
	return vgem;
}

/**
 * vgem_test_remove - take a device away before the test ends
 * @test: the test
 * @vgem: from vgem_test_create()
 */
void vgem_test_remove(struct kunit *test, struct vgem_device *vgem)
{
	kunit_release_action(test, vgem_test_destroy, vgem);
}

/*
 * Succeeds if the first device has the name clients know and the others are
 * numbered.
 */
static void vgem_device_test_names(struct kunit *test)
{
	struct vgem_device *vgem[2];
	struct device *first;
	char expected[16];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		vgem[i] = vgem_test_create(test, NULL);
		snprintf(expected, sizeof(expected),
			 vgem[i]->index ? "vgem-%u" : "vgem", vgem[i]->index);
		KUNIT_EXPECT_STREQ(test, expected, dev_name(vgem[i]->drm.dev));
		KUNIT_EXPECT_STREQ(test, "vgem", vgem[i]->drm.driver->name);
		KUNIT_EXPECT_NOT_NULL(test, vgem[i]->drm.primary);
		KUNIT_EXPECT_NOT_NULL(test, vgem[i]->drm.render);
	}
	KUNIT_EXPECT_NE(test, vgem[0]->index, vgem[1]->index);

	/* Places are filled from the first, so somebody has that one. */
	first = bus_find_device_by_name(&platform_bus_type, NULL, "vgem");
	KUNIT_EXPECT_NOT_NULL(test, first);
	put_device(first);
}

/* Succeeds if the parent has the DMA mask of the configuration. */
static void vgem_device_test_dma_mask(struct kunit *test)
{
	const struct vgem_device_config config = {
		.dma_mask = DMA_BIT_MASK(32),
		.needs = DMA_BUF_CONSTRAINTS_ANY,
	};
	struct device *narrow, *wide;

	narrow = vgem_test_create(test, &config)->drm.dev;
	wide = vgem_test_create(test, NULL)->drm.dev;

	KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(32), dma_get_mask(narrow));
	KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(32), narrow->coherent_dma_mask);
	KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(64), dma_get_mask(wide));
	KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(64), wide->coherent_dma_mask);
}

/*
 * Succeeds if a device that reaches less than the platform has a mask for is behind
 * a bus that reaches as little.
 */
static void vgem_device_test_narrow_bus(struct kunit *test)
{
	const struct vgem_device_config config = {
		.dma_mask = DMA_BIT_MASK(30),
		.needs = DMA_BUF_CONSTRAINTS_ANY,
	};
	struct dma_buf_constraints needs;
	struct device *narrow;

	narrow = vgem_test_create(test, &config)->drm.dev;
	dma_buf_constraints_of_device(narrow, &needs);
	KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(30), needs.dma_mask);
	if (!IS_ENABLED(CONFIG_ZONE_DMA)) {
		KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(32), dma_get_mask(narrow));
		KUNIT_EXPECT_EQ(test, DMA_BIT_MASK(30), narrow->bus_dma_limit);
	}
}

/*
 * Succeeds if a mask that the platform cannot serve is refused, and the place
 * of the device is free again.
 */
static void vgem_device_test_bad_mask(struct kunit *test)
{
	const struct vgem_device_config config = {
		.dma_mask = DMA_BIT_MASK(4),
		.needs = DMA_BUF_CONSTRAINTS_ANY,
	};
	struct vgem_device *before, *after;
	unsigned int index;

	before = vgem_test_create(test, NULL);
	index = before->index;
	kunit_release_action(test, vgem_test_destroy, before);

	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EIO), vgem_device_create(&config));

	after = vgem_test_create(test, NULL);
	KUNIT_EXPECT_EQ(test, index, after->index);
}

/*
 * Succeeds if there can be more devices than DRM has minors of the classic kind,
 * and the next is called after one that is gone.
 */
static void vgem_device_test_many(struct kunit *test)
{
	DECLARE_BITMAP(seen, MANY_DEVICES) = {};
	struct vgem_device *some = NULL, *vgem;
	unsigned int index, i;

	for (i = 0; i < MANY_DEVICES; i++) {
		vgem = vgem_test_create(test, NULL);
		KUNIT_EXPECT_TRUE(test, vgem->drm.registered);
		if (vgem->index >= MANY_DEVICES)
			continue;
		KUNIT_EXPECT_FALSE(test, test_and_set_bit(vgem->index, seen));
		some = vgem;
	}
	KUNIT_ASSERT_NOT_NULL(test, some);

	index = some->index;
	kunit_release_action(test, vgem_test_destroy, some);
	vgem = vgem_test_create(test, NULL);
	KUNIT_EXPECT_EQ(test, index, vgem->index);
}

/*
 * Succeeds if a device that is taken away while a buffer of it is in use
 * is unplugged, and the buffer keeps its content.
 */
static void vgem_device_test_unplug(struct kunit *test)
{
	struct vgem_device *vgem = vgem_test_create(test, NULL);
	struct drm_device *drm = &vgem->drm;
	struct drm_gem_storage *storage;
	struct iosys_map map;
	int idx;

	drm_dev_get(drm);
	storage = drm_gem_storage_create(drm, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(storage));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&storage->base, &map));
	iosys_map_memset(&map, 0, VGEM_TEST_PATTERN, PAGE_SIZE);

	KUNIT_EXPECT_TRUE(test, drm_dev_enter(drm, &idx));
	drm_dev_exit(idx);
	kunit_release_action(test, vgem_test_destroy, vgem);
	KUNIT_EXPECT_FALSE(test, drm_dev_enter(drm, &idx));

	KUNIT_EXPECT_EQ(test, VGEM_TEST_PATTERN,
			iosys_map_rd(&map, PAGE_SIZE - 1, u8));
	drm_gem_vunmap_unlocked(&storage->base, &map);
	drm_gem_object_put(&storage->base);
	drm_dev_put(drm);
}

/*
 * Succeeds if a name can be used again while someone still holds the device
 * that had it.
 */
static void vgem_device_test_name_again(struct kunit *test)
{
	struct vgem_device *first, *second;
	unsigned int index;

	first = vgem_test_create(test, NULL);
	index = first->index;
	drm_dev_get(&first->drm);
	kunit_release_action(test, vgem_test_destroy, first);

	second = vgem_test_create(test, NULL);
	KUNIT_EXPECT_EQ(test, index, second->index);
	drm_dev_put(&first->drm);
}

/* Succeeds if pages are write-combined only where the device does not snoop. */
static void vgem_device_test_caching(struct kunit *test)
{
	struct vgem_device *vgem = vgem_test_create(test, NULL);
	struct drm_gem_storage *storage;

	storage = drm_gem_storage_create(&vgem->drm, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(storage));
	KUNIT_EXPECT_TRUE(test,
			  storage->map_wc == !dev_is_dma_coherent(vgem->drm.dev));
	drm_gem_object_put(&storage->base);
}

static struct kunit_case vgem_device_tests[] = {
	KUNIT_CASE(vgem_device_test_names),
	KUNIT_CASE(vgem_device_test_dma_mask),
	KUNIT_CASE(vgem_device_test_narrow_bus),
	KUNIT_CASE(vgem_device_test_bad_mask),
	KUNIT_CASE(vgem_device_test_many),
	KUNIT_CASE(vgem_device_test_unplug),
	KUNIT_CASE(vgem_device_test_name_again),
	KUNIT_CASE(vgem_device_test_caching),
	{}
};

static struct kunit_suite vgem_device_suite = {
	.name = "vgem_device",
	.test_cases = vgem_device_tests,
};

kunit_test_suite(vgem_device_suite);
