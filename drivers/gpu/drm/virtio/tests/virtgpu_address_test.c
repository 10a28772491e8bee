// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu addresses
 *
 * Where something stands between the device and memory, an IOMMU or another domain
 * of Xen, the host has to be given the addresses of the DMA API. What the CPU calls
 * the same pages may be somebody else's memory there. Which it is, features of the
 * device and the kind of guest tell, as they do the transport for its rings.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include <drm/drm_gem.h>

#include "../virtgpu_drv.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_transport.h"

/* How far the device sees memory from where the CPU does. */
#define SHIFT SZ_1T

/**
 * struct told - where the host was told that memory is
 * @addr: of the first piece
 * @size: of the list, in bytes
 */
struct told {
	u64 addr;
	size_t size;
};

static struct mock_answer notes_address(struct mock_host *host,
					const struct vgpu_req *req)
{
	const struct virtio_gpu_mem_entry *entries;
	struct told *told = host->priv;

	switch (le32_to_cpu(req->hdr.type)) {
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		entries = mock_host_data(host, &told->size);
		told->addr = entries ? le64_to_cpu(entries->addr) : 0;
		break;
	}
	return MOCK_OK;
}

static int address_test_init(struct kunit *test)
{
	struct told *told = kunit_kzalloc(test, sizeof(*told), GFP_KERNEL);
	struct mock_host *host = mock_transport_create(test);

	KUNIT_ASSERT_NOT_NULL(test, told);
	host->config.num_scanouts = 0;
	host->auto_answer = notes_address;
	host->priv = told;
	test->priv = host;
	return 0;
}

static void address_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

/**
 * struct place - what a guest knows of where the device is
 * @name: of the case
 * @platform: a feature says that the device goes by the platform's addresses
 * @xen: it is a guest of Xen
 * @dma: the host is to get addresses of the DMA API
 */
struct place {
	const char *name;
	bool platform;
	bool xen;
	bool dma;
};

static const struct place places[] = {
	{ "as the CPU", false, false, false },
	{ "behind an IOMMU", true, false, true },
	{ "another domain of Xen", false, true, true },
	{ "both", true, true, true },
};

static void place_desc(const struct place *place, char *desc)
{
	strscpy(desc, place->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(place, places, place_desc);

static bool in_xen(struct vgpu_device *vgpu)
{
	return true;
}

static struct vgpu_device *bring_up(struct kunit *test,
				    const struct place *place)
{
	struct mock_host *host = test->priv;

	if (place->platform)
		__virtio_set_bit(&host->vdev, VIRTIO_F_ACCESS_PLATFORM);
	if (place->xen)
		kunit_activate_static_stub(test, vgpu_is_in_xen, in_xen);
	KUNIT_ASSERT_EQ(test, vgpu_device_init(host->vgpu), 0);
	if (place->xen)
		kunit_deactivate_static_stub(test, vgpu_is_in_xen);
	vgpu_device_start(host->vgpu);
	return host->vgpu;
}

/* Have the host told of the memory of a buffer, and see what it was told. */
static void tell(struct kunit *test, struct vgpu_object *vobj)
{
	struct mock_host *host = test->priv;

	vobj->res.kind = VGPU_RES_2D;
	dma_resv_lock(vobj->storage.base.resv, NULL);
	KUNIT_EXPECT_EQ(test, vgpu_object_attach_locked(vobj, NULL), 0);
	dma_resv_unlock(vobj->storage.base.resv);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);
}

/* Succeeds if the host gets those addresses of our memory that it can use. */
static void own_memory(struct kunit *test)
{
	static const struct bus_dma_region shifted[] = {
		{ .cpu_start = 0, .dma_start = SHIFT, .size = SHIFT },
		{},
	};
	const struct place *place = test->param_value;
	struct mock_host *host = test->priv;
	struct told *told = host->priv;
	struct device *dev = host->vgpu->drm->dev;
	struct vgpu_object *vobj;

	bring_up(test, place);
	KUNIT_EXPECT_EQ(test, host->vgpu->use_dma_api, place->dma);
	dev->dma_range_map = shifted;
	vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	tell(test, vobj);
	KUNIT_EXPECT_EQ(test, told->size, sizeof(struct virtio_gpu_mem_entry));
	KUNIT_EXPECT_EQ(test, told->addr,
			sg_phys(vobj->sgt->sgl) + (place->dma ? SHIFT : 0));
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	/* or it would be freed with the device */
	dev->dma_range_map = NULL;
}

/* Succeeds if of a buffer of others it gets what its exporter says. */
static void import(struct kunit *test)
{
	static const struct place behind = { .platform = true };
	struct mock_exporter exporter = { .shift = SHIFT };
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct mock_host *host = test->priv;
	struct told *told = host->priv;
	struct drm_gem_object *obj;

	bring_up(test, &behind);
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	tell(test, to_vgpu_object(obj));
	KUNIT_EXPECT_EQ(test, told->addr, page_to_phys(exporter.page) + SHIFT);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static bool always_translated(struct device *dev)
{
	return true;
}

/* Succeeds if no address of the DMA API goes to a host that takes others. */
static void import_translated(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;

	bring_up(test, &places[0]);
	kunit_activate_static_stub(test, vgpu_is_translated, always_translated);
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_EXPECT_PTR_EQ(test, obj, ERR_PTR(-ENODEV));
	if (!IS_ERR(obj))
		drm_gem_object_put(obj);

	host->vgpu->use_dma_api = true;
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	drm_gem_object_put(obj);
	host->vgpu->use_dma_api = false;
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct kunit_case address_cases[] = { KUNIT_CASE_PARAM(own_memory,
							      place_gen_params),
					     KUNIT_CASE(import),
					     KUNIT_CASE(import_translated),
					     {} };

static struct kunit_suite address_suite = {
	.name = "virtio_gpu_address",
	.init = address_test_init,
	.exit = address_test_exit,
	.test_cases = address_cases,
};

kunit_test_suite(address_suite);
