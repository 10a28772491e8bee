// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu imports that move when there is no memory
 *
 * An exporter that moves a buffer finds our fence, even if there is no room for it, and
 * nobody waits for the host before.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/string.h>

#include <drm/drm_gem.h>

#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_fence.h"
#include "virtgpu_mock_host.h"

static int standin_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	test->priv = host;
	return 0;
}

static void standin_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
	flush_delayed_fput();
}

static bool is_idle(struct dma_resv *resv, enum dma_resv_usage usage)
{
	return dma_resv_test_signaled(resv, usage);
}

/* A stand-in signals a moment after the last of the two. */
static bool gets_idle(struct dma_resv *resv, enum dma_resv_usage usage)
{
	return dma_resv_wait_timeout(resv, usage, false, 5 * HZ) > 0;
}

static int no_room(struct dma_resv *resv)
{
	return -ENOMEM;
}

static unsigned int held_back;

static long holds_back(struct dma_fence *end)
{
	held_back++;
	return 0;
}

static void answer_all(struct mock_host *host)
{
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
}

/**
 * struct place - what else is there when a buffer moves
 * @name: of the case
 * @given_up: the buffer was, before
 * @usage: in which the place is that is shared
 * @twice: there is a later fence of the same context, for who reads
 * @theirs_first: theirs signals before ours
 * @command: what has the host let go of the buffer
 */
struct place {
	const char *name;
	bool given_up;
	enum dma_resv_usage usage;
	bool twice;
	bool theirs_first;
	u32 command;
};

static const struct place places[] = {
	{ "bookkeeping", false, DMA_RESV_USAGE_BOOKKEEP, false, true,
	  VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING },
	{ "a writer", false, DMA_RESV_USAGE_WRITE, false, true,
	  VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING },
	{ "a writer who is late", false, DMA_RESV_USAGE_WRITE, false, false,
	  VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING },
	{ "a writer who reads", false, DMA_RESV_USAGE_WRITE, true, false,
	  VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING },
	{ "given up", true, DMA_RESV_USAGE_READ, false, true,
	  VIRTIO_GPU_CMD_RESOURCE_UNREF },
	{ "given up, and late", true, DMA_RESV_USAGE_KERNEL, false, false,
	  VIRTIO_GPU_CMD_RESOURCE_UNREF },
};

static void place_desc(const struct place *place, char *desc)
{
	strscpy(desc, place->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(place, places, place_desc);

/* Fences of somebody else; the last of them is the one to wait for. */
static struct mock_fence *fill(struct kunit *test, struct drm_gem_object *obj,
			       const struct place *place)
{
	struct mock_fence *first = mock_fence_create(test), *second;

	first->stays = true;
	mock_fence_add(test, first, obj, place->usage);
	if (!place->twice)
		return first;
	second = mock_fence_create(test);
	second->stays = true;
	second->base.context = first->base.context;
	second->base.seqno = first->base.seqno + 1;
	mock_fence_add(test, second, obj, DMA_RESV_USAGE_READ);
	dma_fence_signal(&first->base);
	return second;
}

/*
 * Succeeds if an exporter that cannot be given one more fence is not held back, finds one
 * that is about our host and about those that there were, in the strictest place that
 * these had, and gets its memory back. Broken by going on without ours; by waiting for
 * it; by forgetting theirs; by a place that is less strict.
 */
static void place_is_shared(struct kunit *test)
{
	const struct place *place = test->param_value;
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);
	struct dma_resv *resv = dmabuf->resv;
	struct mock_fence *theirs = fill(test, &vobj->storage.base, place);

	host->auto_answer = NULL;
	if (place->given_up)
		drm_gem_object_put(&vobj->storage.base);
	held_back = 0;
	kunit_activate_static_stub(test, vgpu_import_reserve_locked, no_room);
	kunit_activate_static_stub(test, vgpu_import_hold_back, holds_back);
	mock_move(dmabuf);
	/* and again, if somebody moves it once more before the host has heard */
	mock_move(dmabuf);
	kunit_deactivate_static_stub(test, vgpu_import_hold_back);
	kunit_deactivate_static_stub(test, vgpu_import_reserve_locked);
	KUNIT_EXPECT_EQ(test, held_back, 0);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);

	if (place->theirs_first)
		dma_fence_signal(&theirs->base);
	else
		answer_all(host);
	KUNIT_EXPECT_FALSE(test, is_idle(resv, place->usage));
	if (place->theirs_first)
		answer_all(host);
	else
		dma_fence_signal(&theirs->base);
	KUNIT_EXPECT_TRUE(test, gets_idle(resv, DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_EQ(test, host->seen[place->command], 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);

	if (!place->given_up)
		drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, list_empty(&dmabuf->attachments));
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static void expect_standin(struct kunit *test, struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_lock(resv, NULL);
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence) {
		if (strcmp(fence->ops->get_timeline_name(fence), "stand-in"))
			continue;
		count++;
		KUNIT_EXPECT_STREQ(test, fence->ops->get_driver_name(fence),
				   "virtio_gpu");
	}
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, count, 1);
}

/*
 * Succeeds if the kernel can make one fence of all, and the stand-in counts as one, which
 * says whose it is.
 */
static void place_is_a_fence(struct kunit *test)
{
	static const struct place place = { .usage = DMA_RESV_USAGE_WRITE };
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);
	struct mock_fence *one = fill(test, &vobj->storage.base, &place);
	struct mock_fence *two = fill(test, &vobj->storage.base, &place);
	struct dma_fence *all = NULL;

	host->auto_answer = NULL;
	kunit_activate_static_stub(test, vgpu_import_reserve_locked, no_room);
	mock_move(dmabuf);
	kunit_deactivate_static_stub(test, vgpu_import_reserve_locked);
	expect_standin(test, dmabuf->resv);
	/* which would warn of one that contains others */
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, 0,
			dma_resv_get_singleton(dmabuf->resv,
					       DMA_RESV_USAGE_BOOKKEEP, &all));
	dma_resv_unlock(dmabuf->resv);
	KUNIT_ASSERT_NOT_NULL(test, all);
	dma_fence_signal(&one->base);
	dma_fence_signal(&two->base);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(all));
	answer_all(host);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(all, false, 5 * HZ), 0);

	dma_fence_put(all);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/*
 * Succeeds if an exporter gets its memory back late where there is neither room nor a
 * fence, which is so on some debug kernels only. Broken by going on without the fence.
 */
static void no_place_is_there(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);

	host->auto_answer = NULL;
	kunit_activate_static_stub(test, vgpu_import_reserve_locked, no_room);
	mock_host_answer_late(host);
	mock_move(dmabuf);
	KUNIT_EXPECT_EQ(test,
			host->seen[VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING], 1);
	KUNIT_EXPECT_TRUE(test,
			  is_idle(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP));
	kunit_deactivate_static_stub(test, vgpu_import_reserve_locked);

	cancel_delayed_work_sync(&host->late);
	answer_all(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct kunit_case standin_cases[] = {
	KUNIT_CASE_PARAM(place_is_shared, place_gen_params),
	KUNIT_CASE(place_is_a_fence),
	KUNIT_CASE(no_place_is_there),
	{}
};

static struct kunit_suite standin_suite = {
	.name = "virtio_gpu_standin",
	.init = standin_test_init,
	.exit = standin_test_exit,
	.test_cases = standin_cases,
};

kunit_test_suite(standin_suite);
