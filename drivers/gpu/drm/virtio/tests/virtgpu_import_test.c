// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu imports
 *
 * An exporter may move a buffer at any moment, and waits for nobody but fences. While
 * the host may look at the memory nobody unmaps it, and once it has let go somebody
 * does.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/string.h>

#include <drm/drm_gem.h>

#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

static int import_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	test->priv = host;
	return 0;
}

static void import_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
	flush_delayed_fput();
}

static bool is_idle(struct dma_resv *resv)
{
	return dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP);
}

static bool has_fence(struct dma_resv *resv, struct dma_fence *wanted)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	bool found = false;

	dma_resv_lock(resv, NULL);
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		found |= fence == wanted;
	dma_resv_unlock(resv);
	return found;
}

/*
 * Succeeds if an exporter that moves a buffer, given up meanwhile, finds a fence,
 * and the memory is the host's until it has answered to the one command there is. It
 * is the fence that was made with the mapping; broken by making one when the buffer is
 * given up, or by telling the exporter of none.
 */
static void import_freed_while_moved(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);
	struct dma_fence *end = dma_fence_get(&vobj->end->base);

	host->auto_answer = NULL;
	drm_gem_object_put(&vobj->storage.base);
	mock_move(dmabuf);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_FALSE(test, is_idle(dmabuf->resv));
	KUNIT_EXPECT_TRUE(test, has_fence(dmabuf->resv, end));
	dma_fence_put(end);

	mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_UNREF], 1);
	KUNIT_EXPECT_TRUE(test, is_idle(dmabuf->resv));
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Succeeds if one that is kept is detached, and unmapped after the answer. */
static void import_moved_and_used(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);

	host->auto_answer = NULL;
	mock_move(dmabuf);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_FALSE(test, is_idle(dmabuf->resv));
	mock_host_answer(host, MOCK_OK);
	KUNIT_EXPECT_EQ(test,
			host->seen[VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING], 1);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);

	host->auto_answer = mock_host_obeys;
	mock_client_attach(test, vobj);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/*
 * Succeeds if the host keeps what a framebuffer that was just given up had of a buffer
 * until it has answered, and an exporter that moves that finds a fence. Broken by
 * ending the framebuffer's resource without one.
 */
static void import_moved_after_its_view(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_res view = {
		.kind = VGPU_RES_2D,
		.texture = { .width = 16, .height = 16 },
	};
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;
	int ret;

	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, vgpu_res_init(host->vgpu, &view), 0);
	dma_resv_lock(obj->resv, NULL);
	ret = vgpu_res_attach_locked(to_vgpu_object(obj), &view, NULL);
	dma_resv_unlock(obj->resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);

	host->auto_answer = NULL;
	vgpu_res_destroy(to_vgpu_object(obj), &view);
	mock_move(dmabuf);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_FALSE(test, is_idle(dmabuf->resv));

	mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_UNREF], 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	KUNIT_EXPECT_TRUE(test, is_idle(dmabuf->resv));
	drm_gem_object_put(obj);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/**
 * struct mover - who moves a buffer without memory for a fence
 * @name: of the case
 * @given_up: the buffer was, before
 * @command: what has the host let go of it
 */
struct mover {
	const char *name;
	bool given_up;
	u32 command;
};

static const struct mover movers[] = {
	{ "kept", false, VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING },
	{ "given up", true, VIRTIO_GPU_CMD_RESOURCE_UNREF },
};

static void mover_desc(const struct mover *mover, char *desc)
{
	strscpy(desc, mover->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(mover, movers, mover_desc);

static int no_room(struct dma_resv *resv)
{
	return -ENOMEM;
}

/*
 * Succeeds if an exporter that cannot be shown a fence gets its memory back when the
 * host has let go of it, and not before. Broken by going on without the fence.
 */
static void import_moved_without_room(struct kunit *test)
{
	const struct mover *mover = test->param_value;
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);

	host->auto_answer = NULL;
	kunit_activate_static_stub(test, vgpu_import_reserve_locked, no_room);
	if (mover->given_up)
		drm_gem_object_put(&vobj->storage.base);
	mock_host_answer_late(host);
	mock_move(dmabuf);
	KUNIT_EXPECT_EQ(test, host->seen[mover->command], 1);
	KUNIT_EXPECT_TRUE(test, is_idle(dmabuf->resv));
	kunit_deactivate_static_stub(test, vgpu_import_reserve_locked);

	cancel_delayed_work_sync(&host->late);
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	if (!mover->given_up)
		drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, list_empty(&dmabuf->attachments));
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* For how long an exporter would have been held back. */
static long held_back;

static long holds_back(struct dma_fence *end, long limit)
{
	held_back = limit;
	return 0;
}

/*
 * Succeeds if a host that never answers does not hold an exporter back for ever, and
 * what that goes on without is mapped until it does. Broken by waiting without a limit.
 */
static void import_is_not_held_for_ever(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);

	host->auto_answer = NULL;
	/* should nobody redirect the wait, this ends it */
	mock_host_answer_late(host);
	held_back = 0;
	kunit_activate_static_stub(test, vgpu_import_reserve_locked, no_room);
	kunit_activate_static_stub(test, vgpu_import_hold_back, holds_back);
	mock_move(dmabuf);
	KUNIT_EXPECT_EQ(test, held_back, VGPU_FENCE_TIMEOUT);
	kunit_deactivate_static_stub(test, vgpu_import_hold_back);
	kunit_deactivate_static_stub(test, vgpu_import_reserve_locked);

	flush_delayed_work(&host->late);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static int try_attach(struct mock_host *host, struct vgpu_object *vobj)
{
	int ret;

	dma_resv_lock(vobj->storage.base.resv, NULL);
	ret = vgpu_object_attach_locked(vobj, NULL);
	dma_resv_unlock(vobj->storage.base.resv);
	vgpu_queue_kick(&host->vgpu->ctrl);
	return ret;
}

/*
 * Succeeds if a buffer that is used at once again keeps the memory it had until the
 * host has let go of that, though it has let go of what was before.
 */
static void import_moved_and_used_early(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);
	struct vgpu_cmd *earlier = vgpu_cmd_create();

	KUNIT_ASSERT_NOT_NULL(test, earlier);
	vgpu_cmd_add_object(earlier, &vobj->storage.base);
	host->auto_answer = NULL;
	mock_move(dmabuf);
	mock_signal(true);
	KUNIT_EXPECT_EQ(test, try_attach(host, vobj), -ERESTARTSYS);
	mock_signal(false);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_EQ(test, exporter.unmapped, 0);
	vgpu_import_let_go(earlier);
	KUNIT_EXPECT_EQ(test, exporter.unmapped, 0);

	mock_host_answer(host, MOCK_OK);
	KUNIT_EXPECT_EQ(test, try_attach(host, vobj), 0);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_EQ(test, exporter.unmapped, 1);

	vgpu_cmd_put(earlier);
	host->auto_answer = mock_host_obeys;
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/*
 * Succeeds if memory that an exporter took back is mapped for as long as the host may
 * look at it, though nobody waits any more. Broken by unmapping when a fence has
 * signalled, however it has.
 */
static void import_moved_from_silent_host(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_object *vobj = mock_client_import(test, dmabuf);

	host->auto_answer = NULL;
	mock_move(dmabuf);
	/* as the watchdog does, a minute later */
	vgpu_fence_answer(vobj->stale_end, -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, is_idle(dmabuf->resv));
	KUNIT_EXPECT_EQ(test, try_attach(host, vobj), -EBUSY);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_EQ(test, exporter.unmapped, 0);

	mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	KUNIT_EXPECT_EQ(test, try_attach(host, vobj), 0);
	mock_host_settle(host);
	drm_gem_object_put(&vobj->storage.base);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct kunit_case import_cases[] = {
	KUNIT_CASE(import_freed_while_moved),
	KUNIT_CASE(import_moved_and_used),
	KUNIT_CASE(import_moved_after_its_view),
	KUNIT_CASE_PARAM(import_moved_without_room, mover_gen_params),
	KUNIT_CASE(import_is_not_held_for_ever),
	KUNIT_CASE(import_moved_and_used_early),
	KUNIT_CASE(import_moved_from_silent_host),
	{}
};

static struct kunit_suite import_suite = {
	.name = "virtio_gpu_import",
	.init = import_test_init,
	.exit = import_test_exit,
	.test_cases = import_cases,
};

kunit_test_suite(import_suite);
