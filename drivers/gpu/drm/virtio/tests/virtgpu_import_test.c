// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu imports
 *
 * An exporter may move a buffer at any moment, and waits for nobody but fences. While
 * the host may look at the memory nobody unmaps it, and once it has let go somebody
 * does.
 */

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
	struct dma_fence *end = dma_fence_get(&vobj->res.end->base);

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

static void view_init(struct kunit *test, struct drm_gem_object *obj,
		      struct vgpu_res *view)
{
	struct mock_host *host = test->priv;
	int ret;

	view->kind = VGPU_RES_2D;
	view->texture.width = 16;
	view->texture.height = 16;
	KUNIT_ASSERT_EQ(test, vgpu_res_init(host->vgpu, view), 0);
	dma_resv_lock(obj->resv, NULL);
	ret = vgpu_res_attach_locked(to_vgpu_object(obj), view, NULL);
	dma_resv_unlock(obj->resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);
}

/*
 * Succeeds if the host keeps what a framebuffer that was just given up had of a buffer
 * until it has answered, and an exporter that moves that finds a fence. Broken by
 * ending the framebuffer's resource without one.
 */
static void import_moved_after_its_view(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_res view = {};
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;

	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	view_init(test, obj, &view);

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
 * struct refusal - what a host says that is to let go of memory for two framebuffers
 * @name: of the case
 * @gone: the first of them has ended before
 * @refused: which of the two it refuses
 */
struct refusal {
	const char *name;
	bool gone;
	bool refused[2];
};

static const struct refusal refusals[] = {
	{ "neither", false, { false, false } },
	{ "the first", false, { true, false } },
	{ "the last", false, { false, true } },
	{ "neither, one is gone", true, { false, false } },
	{ "the one that is gone", true, { true, false } },
	{ "the one that is there", true, { false, true } },
};

static void refusal_desc(const struct refusal *refusal, char *desc)
{
	strscpy(desc, refusal->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refusal, refusals, refusal_desc);

/* What it says to one; the driver has heard it, and done what there was to do. */
static void answer_to_one(struct mock_host *host, bool refused)
{
	struct mock_answer answer = MOCK_OK;

	if (refused)
		answer.type = VIRTIO_GPU_RESP_ERR_UNSPEC;
	mock_host_answer(host, answer);
	mock_host_tell(host);
	flush_work(&host->vgpu->release);
}

/*
 * Succeeds if memory that several resources of the host had is given back when all of them
 * have lost it, and an exporter waits for the last answer in any case. Broken by asking
 * the last command alone.
 */
static void every_resource_lets_go(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	bool kept = refusal->refused[0] || refusal->refused[1];
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_res views[2] = {};
	struct drm_gem_object *obj;

	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	view_init(test, obj, &views[0]);
	view_init(test, obj, &views[1]);

	host->auto_answer = NULL;
	if (refusal->gone)
		vgpu_res_destroy(to_vgpu_object(obj), &views[0]);
	mock_move(dmabuf);
	KUNIT_ASSERT_EQ(test, mock_host_waiting(host), 2);
	answer_to_one(host, refusal->refused[0]);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_EXPECT_FALSE(test, is_idle(dmabuf->resv));
	answer_to_one(host, refusal->refused[1]);
	KUNIT_EXPECT_TRUE(test, is_idle(dmabuf->resv));
	KUNIT_EXPECT_EQ(test, exporter.mapped, kept);

	host->auto_answer = mock_host_obeys;
	if (!refusal->gone)
		vgpu_res_destroy(to_vgpu_object(obj), &views[0]);
	vgpu_res_destroy(to_vgpu_object(obj), &views[1]);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, kept);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
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
	vgpu_fence_answer(vobj->res.taken, -ETIMEDOUT);
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
	KUNIT_CASE_PARAM(every_resource_lets_go, refusal_gen_params),
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
