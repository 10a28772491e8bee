// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu exports
 *
 * Memory of a buffer that others have can move when the host has let go of it, and not
 * before; what comes back to the device that exported it is that buffer again.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>

#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>

#include "../virtgpu_export.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

static int export_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	test->priv = host;
	return 0;
}

static void export_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
	flush_delayed_fput();
}

static struct vgpu_object *own(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vgpu_object_publish(vobj);
	return mock_client_attach(test, vobj);
}

static struct mock_answer keeps_memory(struct mock_host *host,
				       const struct vgpu_req *req)
{
	struct mock_answer answer = MOCK_OK;

	if (le32_to_cpu(req->hdr.type) ==
	    VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING)
		answer.type = VIRTIO_GPU_RESP_ERR_UNSPEC;
	return answer;
}

static int constrain(struct dma_buf *dmabuf)
{
	struct dma_buf_constraints low = DMA_BUF_CONSTRAINTS_ANY;
	int ret;

	/* where nothing is free, and the page is not */
	low.dma_mask = DMA_BIT_MASK(16);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dmabuf->ops->constrain(dmabuf, &low, true);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static struct dma_buf *export(struct kunit *test, struct vgpu_object *vobj)
{
	struct dma_buf *dmabuf = vgpu_prime_export(&vobj->storage.base, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	return dmabuf;
}

static void expect_kept(struct kunit *test, const struct vgpu_object *vobj)
{
	KUNIT_EXPECT_NOT_NULL(test, vobj->sgt);
	KUNIT_EXPECT_EQ(test, vobj->storage.pin_count, 1);
}

/*
 * Succeeds if memory is not taken from a host that does not say it let go, however
 * often somebody tries. Broken by forgetting what the host was told last.
 */
static void host_keeps_memory(struct kunit *test)
{
	struct mock_host *host = test->priv;
	unsigned int *detached =
		&host->seen[VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING];
	struct vgpu_object *vobj = own(test);
	struct dma_buf *dmabuf = export(test, vobj);
	int i;

	host->auto_answer = keeps_memory;
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, constrain(dmabuf), -EBUSY);
		expect_kept(test, vobj);
		KUNIT_EXPECT_EQ(test, *detached, 1);
	}

	/* told of it again, it lets go; there is no such memory, though */
	host->auto_answer = mock_host_obeys;
	mock_client_attach(test, vobj);
	constrain(dmabuf);
	KUNIT_EXPECT_EQ(test, *detached, 2);
	KUNIT_EXPECT_NULL(test, vobj->res.taken);

	dma_buf_put(dmabuf);
	flush_delayed_fput();
	drm_gem_object_put(&vobj->storage.base);
}

/* Succeeds if who was interrupted leaves memory that the host has where it is. */
static void taking_is_interrupted(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = own(test);
	struct dma_buf *dmabuf = export(test, vobj);
	int i;

	host->auto_answer = NULL;
	for (i = 0; i < 2; i++) {
		mock_signal(true);
		KUNIT_EXPECT_EQ(test, constrain(dmabuf), -ERESTARTSYS);
		mock_signal(false);
		expect_kept(test, vobj);
		KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 1);
	}

	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	constrain(dmabuf);
	KUNIT_EXPECT_NULL(test, vobj->res.taken);

	dma_buf_put(dmabuf);
	flush_delayed_fput();
	drm_gem_object_put(&vobj->storage.base);
}

/* Succeeds if memory that only a framebuffer had is the host's until that has ended. */
static void view_keeps_memory(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);
	struct vgpu_res view = {
		.kind = VGPU_RES_2D,
		.texture = { .width = 16, .height = 16 },
	};
	struct dma_buf *dmabuf;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vgpu_object_publish(vobj);
	KUNIT_ASSERT_EQ(test, vgpu_res_init(host->vgpu, &view), 0);
	dma_resv_lock(vobj->storage.base.resv, NULL);
	ret = vgpu_res_attach_locked(vobj, &view, NULL);
	dma_resv_unlock(vobj->storage.base.resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);
	dmabuf = export(test, vobj);

	host->auto_answer = NULL;
	vgpu_res_destroy(vobj, &view);
	mock_signal(true);
	KUNIT_EXPECT_EQ(test, constrain(dmabuf), -ERESTARTSYS);
	mock_signal(false);
	expect_kept(test, vobj);

	mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	constrain(dmabuf);
	KUNIT_EXPECT_NULL(test, vobj->sgt);

	dma_buf_put(dmabuf);
	flush_delayed_fput();
	drm_gem_object_put(&vobj->storage.base);
}

/*
 * Succeeds if memory that is pinned by somebody else as well stays where it is, and the
 * host is not asked for it.
 */
static void pinned_memory_stays(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = own(test);
	struct dma_buf *dmabuf = export(test, vobj);
	unsigned int *detached =
		&host->seen[VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING];

	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_ASSERT_EQ(test, drm_gem_storage_pin(&vobj->storage.base), 0);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test, constrain(dmabuf), -EBUSY);
	KUNIT_EXPECT_EQ(test, *detached, 0);

	dma_resv_lock(dmabuf->resv, NULL);
	drm_gem_storage_unpin(&vobj->storage.base);
	dma_resv_unlock(dmabuf->resv);
	constrain(dmabuf);
	KUNIT_EXPECT_EQ(test, *detached, 1);

	dma_buf_put(dmabuf);
	flush_delayed_fput();
	drm_gem_object_put(&vobj->storage.base);
}

/* Succeeds if a device knows its own buffer, and is no importer of it. */
static void own_buffer_comes_back(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = own(test);
	struct dma_buf *dmabuf = export(test, vobj);
	struct drm_gem_object *again;

	again = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, again);
	KUNIT_EXPECT_PTR_EQ(test, again, &vobj->storage.base);
	KUNIT_EXPECT_TRUE(test, list_empty(&dmabuf->attachments));

	drm_gem_object_put(again);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
	drm_gem_object_put(&vobj->storage.base);
}

static struct kunit_case export_cases[] = {
	KUNIT_CASE(host_keeps_memory),
	KUNIT_CASE(taking_is_interrupted),
	KUNIT_CASE(view_keeps_memory),
	KUNIT_CASE(pinned_memory_stays),
	KUNIT_CASE(own_buffer_comes_back),
	{}
};

static struct kunit_suite export_suite = {
	.name = "virtio_gpu_export",
	.init = export_test_init,
	.exit = export_test_exit,
	.test_cases = export_cases,
};

kunit_test_suite(export_suite);
