// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu frames
 *
 * Frames are told to others when they are certain, and waited for as long as there is
 * time.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/string.h>

#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>

#include "../virtgpu_commit.h"
#include "../virtgpu_frame.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_fence.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

static int show(struct kunit *test, struct drm_framebuffer *fb,
		struct mock_fence *fence)
{
	const struct mock_frame frame = { .fb = fb, .fence = fence };

	return mock_screen_show(test->priv, &frame);
}

static struct dma_resv *resv_of(struct drm_framebuffer *fb)
{
	return fb->obj[0]->resv;
}

static int is_unseen(void *resv)
{
	return dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP);
}

/* Succeeds if nobody has seen a fence of a frame that was never shown. */
static void frame_given_up(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));
	struct mock_fence *fence = mock_fence_create(test);

	/* what the commit waits for while it can still fail, and does */
	fence->stays = true;
	fence->look = is_unseen;
	fence->arg = resv_of(fb);
	mock_signal(true);
	KUNIT_EXPECT_EQ(test, show(test, fb, fence), -ERESTARTSYS);
	mock_signal(false);

	KUNIT_EXPECT_EQ(test, fence->waits, 1);
	KUNIT_EXPECT_EQ(test, fence->seen, 1);
	KUNIT_EXPECT_TRUE(test, is_unseen(resv_of(fb)));
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_FLUSH], 0);
	mock_host_settle(host);
}

/*
 * Succeeds if a commit waits for its frame, for a while, and who comes after it
 * until the host has it. Broken by not waiting, and by waiting for as long as the host
 * takes: then the watchdog ends it a minute later.
 */
static void frame_shown(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));
	unsigned long begun = jiffies;

	host->auto_answer = NULL;
	KUNIT_EXPECT_EQ(test, show(test, fb, NULL), 0);
	KUNIT_EXPECT_TRUE(test,
			  time_after_eq(jiffies, begun + VGPU_FRAME_TIMEOUT));
	KUNIT_EXPECT_TRUE(test,
			  time_before(jiffies, begun + VGPU_FENCE_TIMEOUT / 2));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv_of(fb),
							DMA_RESV_USAGE_READ));
	/* reading it is no reason for others not to read */
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv_of(fb),
						       DMA_RESV_USAGE_WRITE));

	while (mock_host_waiting(host)) {
		mock_host_answer(host, MOCK_OK);
		mock_host_tell(host);
	}
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_FLUSH], 1);
	KUNIT_EXPECT_TRUE(test, is_unseen(resv_of(fb)));
	host->auto_answer = mock_host_obeys;
}

/**
 * struct patience - how long there is time for a frame
 * @name: of the case
 * @published: others can wait for it, too
 * @limit: how long, in jiffies
 * @answered: the host answers meanwhile
 */
struct patience {
	const char *name;
	bool published;
	unsigned long limit;
	bool answered;
};

static const struct patience patiences[] = {
	{ "until the host answers", true, VGPU_FENCE_TIMEOUT, true },
	{ "until the time is up", true, HZ / 20, false },
	{ "not at all", true, 0, false },
	{ "alone, and longer", false, 0, true },
};

static void patience_desc(const struct patience *patience, char *desc)
{
	strscpy(desc, patience->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(patience, patiences, patience_desc);

/*
 * Succeeds if the wait for a frame ends with its fence, or at its limit if that comes
 * first; one that nobody else can wait for has another limit. Broken by not waiting, by
 * looking at nothing but the limit, by having none, and by one limit for both.
 */
static void frame_is_waited_for(struct kunit *test)
{
	const struct patience *patience = test->param_value;
	unsigned long most = VGPU_FENCE_TIMEOUT / 2;
	struct mock_host *host = test->priv;
	struct vgpu_plane_state state = { .published = patience->published };
	struct vgpu_cmd *cmd = vgpu_cmd_create();
	unsigned long begun;

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	state.fence = vgpu_fence_create_early(&host->vgpu->fences);
	KUNIT_ASSERT_NOT_NULL(test, state.fence);
	host->auto_answer = NULL;
	vgpu_req_unref(&cmd->req, 1);
	vgpu_cmd_set_fence(cmd, state.fence);
	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	if (patience->answered)
		mock_host_answer_late(host);

	begun = jiffies;
	vgpu_frame_wait(&state.base, begun + patience->limit);
	KUNIT_EXPECT_EQ(test, dma_fence_is_signaled(&state.fence->base),
			patience->answered);
	if (!patience->answered)
		KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begun +
							       patience->limit));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begun + most));

	host->auto_answer = mock_host_obeys;
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	vgpu_fence_put(state.fence);
	vgpu_cmd_put(cmd);
}

/* Two buffers of a commit, and who had their locks when a fence was to be shown. */
static struct {
	struct dma_resv *resvs[2];
	unsigned int shown;
	unsigned int locked;
} published;

static void note_locks(struct drm_plane_state *base)
{
	published.shown++;
	published.locked += dma_resv_is_locked(published.resvs[0]) &&
			    dma_resv_is_locked(published.resvs[1]);
}

/*
 * Succeeds if the fences of a commit are shown with all its buffers locked, so that
 * nobody waits for one while the commit waits for the lock of another. Broken by
 * reserving and showing them one after the other, or by unlocking before.
 */
static void frames_are_published_together(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_frame frame = { .fb = mock_client_fb(test, file) };

	frame.cursor = mock_client_fb_of(test, file, DRM_FORMAT_HOST_ARGB8888);
	memset(&published, 0, sizeof(published));
	published.resvs[0] = resv_of(frame.fb);
	published.resvs[1] = resv_of(frame.cursor);
	kunit_activate_static_stub(test, vgpu_frame_publish_locked, note_locks);
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	kunit_deactivate_static_stub(test, vgpu_frame_publish_locked);
	KUNIT_EXPECT_EQ(test, published.shown, 2);
	KUNIT_EXPECT_EQ(test, published.locked, 2);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(published.resvs[0]));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(published.resvs[1]));
	mock_host_settle(host);
}

/*
 * Succeeds if a frame that stays on the screen is no reason for the module to stay,
 * nor is one that the host was spared.
 */
static void frame_lets_the_module_go(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *fb = mock_client_fb(test, file);
	int before = module_refcount(THIS_MODULE);

	KUNIT_EXPECT_EQ(test, show(test, fb, NULL), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);

	/* nobody else is to find that there is room again */
	disable_delayed_work_sync(&host->vgpu->watchdog);
	host->vgpu->ctrl.num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, show(test, fb, NULL), 0);
	host->vgpu->ctrl.num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
}

static struct kunit_case frame_cases[] = {
	KUNIT_CASE(frame_given_up),
	KUNIT_CASE(frame_shown),
	KUNIT_CASE_PARAM(frame_is_waited_for, patience_gen_params),
	KUNIT_CASE(frames_are_published_together),
	KUNIT_CASE(frame_lets_the_module_go),
	{}
};

static struct kunit_suite frame_suite = {
	.name = "virtio_gpu_frame",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = frame_cases,
};

kunit_test_suite(frame_suite);
