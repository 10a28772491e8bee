// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu planes
 *
 * The host is told of what changes in the end, whatever came between, and of no more;
 * and what ends is prepared like what begins.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <drm/drm_crtc.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>

#include "../virtgpu_commit.h"
#include "../virtgpu_display.h"
#include "../virtgpu_framebuffer.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

#define WIDTH  MOCK_CLIENT_WIDTH
#define HEIGHT MOCK_CLIENT_HEIGHT

/* Nobody has anything to wait for. */
static bool is_idle(struct drm_framebuffer *fb)
{
	return dma_resv_test_signaled(fb->obj[0]->resv,
				      DMA_RESV_USAGE_BOOKKEEP);
}

/*
 * Succeeds if a frame that a busy host was spared, after some time, is on the screen in
 * the end, though it is the last that somebody commits. Broken by not waiting for room,
 * and by leaving it to the next commit.
 */
static void scanout_owed(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *first = mock_client_fb(test, file);
	struct drm_framebuffer *second = mock_client_fb(test, file);
	unsigned int *scanouts = &host->seen[VIRTIO_GPU_CMD_SET_SCANOUT];
	unsigned long begun;

	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, first), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 1);

	/* as with a host that has stopped */
	q->num_backlog += VGPU_BACKLOG_LIMIT + 1;
	begun = jiffies;
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, second), 0);
	KUNIT_EXPECT_TRUE(test,
			  time_after_eq(jiffies, begun + VGPU_FRAME_TIMEOUT));
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 1);
	KUNIT_EXPECT_TRUE(test, is_idle(second));
	q->num_backlog -= VGPU_BACKLOG_LIMIT + 1;

	/* it goes on */
	mock_host_settle(host);
	flush_delayed_work(&host->vgpu->repay);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 2);
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, second), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 2);
}

/* Keeps of each copy what is copied, in a struct virtio_gpu_rect. */
static struct mock_answer note_copies(struct mock_host *host,
				      const struct vgpu_req *req)
{
	struct virtio_gpu_rect *copied = host->priv;

	if (le32_to_cpu(req->hdr.type) == VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D)
		*copied = req->transfer_2d.r;
	return MOCK_OK;
}

static void expect_copied(struct kunit *test, const struct mock_frame *frame,
			  const struct drm_mode_rect *wanted)
{
	struct mock_host *host = test->priv;
	struct virtio_gpu_rect *copied = host->priv;

	*copied = (struct virtio_gpu_rect){};
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, frame), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(copied->x), wanted->x1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(copied->y), wanted->y1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(copied->width),
			wanted->x2 - wanted->x1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(copied->height),
			wanted->y2 - wanted->y1);
}

/* Succeeds if what has changed is copied, and what was left out before that. */
static void damage_is_copied(struct kunit *test)
{
	static const struct drm_mode_rect whole = { 0, 0, WIDTH, HEIGHT };
	static const struct drm_mode_rect none = {};
	static const struct drm_mode_rect clip = { 3, 4, 8, 6 };
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct virtio_gpu_rect copied;
	struct mock_frame frame = { .clip = &clip };

	frame.fb = mock_client_fb(test, mock_host_open(test, host));
	host->priv = &copied;
	host->auto_answer = note_copies;
	/* nobody else is to find that there is room again */
	disable_delayed_work_sync(&host->vgpu->watchdog);
	/* the host has never seen this buffer */
	expect_copied(test, &frame, &whole);
	expect_copied(test, &frame, &clip);

	/* as with a host that has stopped, and goes on */
	q->num_backlog += VGPU_BACKLOG_LIMIT + 1;
	expect_copied(test, &frame, &none);
	q->num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	expect_copied(test, &frame, &whole);
	expect_copied(test, &frame, &clip);
	host->auto_answer = mock_host_obeys;
}

/**
 * struct end - a way to end what is shown
 * @name: of the case
 * @output: the output is switched off
 * @primary: the framebuffer is taken away
 * @cursor: the cursor is
 */
struct end {
	const char *name;
	bool output;
	bool primary;
	bool cursor;
};

static const struct end ends[] = {
	{ "the output", .output = true },
	{ "the framebuffer", .primary = true },
	{ "the cursor", .cursor = true },
	{ "all of it", true, true, true },
};

static void end_desc(const struct end *end, char *desc)
{
	strscpy(desc, end->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(end, ends, end_desc);

/* How many commands were made, and the one that there is no memory for. */
static struct {
	unsigned int count;
	unsigned int lacks;
} made;

static struct vgpu_cmd *makes_commands(void)
{
	struct kunit *test = kunit_get_current_test();
	struct vgpu_cmd *cmd;

	if (++made.count == made.lacks)
		return NULL;
	kunit_deactivate_static_stub(test, vgpu_cmd_create);
	cmd = vgpu_cmd_create();
	kunit_activate_static_stub(test, vgpu_cmd_create, makes_commands);
	return cmd;
}

/*
 * Succeeds if a frame that a host was spared is on the screen in the end, though there was
 * no memory for it when there was room, and no answer comes after that. Broken by leaving
 * it to the next answer.
 */
static void scanout_owed_without_memory(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *first = mock_client_fb(test, file);
	struct drm_framebuffer *second = mock_client_fb(test, file);
	unsigned int *scanouts = &host->seen[VIRTIO_GPU_CMD_SET_SCANOUT];

	/* nobody else is to find that there is room again */
	disable_delayed_work_sync(&vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, first), 0);
	mock_host_settle(host);
	vgpu->ctrl.num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, second), 0);
	mock_host_settle(host);
	vgpu->ctrl.num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_FALSE(test, flush_delayed_work(&vgpu->repay));

	made.count = 0;
	made.lacks = 1;
	kunit_activate_static_stub(test, vgpu_cmd_create, makes_commands);
	vgpu_commit_repay(&vgpu->repay.work);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&vgpu->repay));
	kunit_deactivate_static_stub(test, vgpu_cmd_create);

	flush_delayed_work(&vgpu->repay);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 2);
	KUNIT_EXPECT_FALSE(test, vgpu->outputs[0].owed);
}

static int show_without(struct kunit *test, const struct mock_frame *frame,
			unsigned int lacks)
{
	int ret;

	made.count = 0;
	made.lacks = lacks;
	kunit_activate_static_stub(test, vgpu_cmd_create, makes_commands);
	ret = mock_screen_show(test->priv, frame);
	kunit_deactivate_static_stub(test, vgpu_cmd_create);
	return ret;
}

/* Keeps the resource that the output was told to show last. */
static struct mock_answer notes_scanout(struct mock_host *host,
					const struct vgpu_req *req)
{
	u32 *shown = host->priv;

	if (le32_to_cpu(req->hdr.type) == VIRTIO_GPU_CMD_SET_SCANOUT)
		*shown = le32_to_cpu(req->scanout.resource_id);
	return MOCK_OK;
}

/*
 * Succeeds if a commit that ends something has all its commands before it is certain:
 * without memory for any of them it fails, and all is as before. Broken by making one
 * when the plane, or the CRTC, is switched off.
 */
static void ends_are_prepared(struct kunit *test)
{
	const struct end *end = test->param_value;
	struct mock_host *host = test->priv;
	struct drm_crtc *crtc = &host->vgpu->outputs[0].crtc;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *fb = mock_client_fb(test, file);
	struct mock_frame frame = { .fb = fb };
	unsigned int nth = 0;
	u32 shown = 0;
	int ret;

	host->priv = &shown;
	host->auto_answer = notes_scanout;
	frame.cursor = mock_client_fb_of(test, file, DRM_FORMAT_HOST_ARGB8888);
	KUNIT_ASSERT_EQ(test, mock_screen_show(host, &frame), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, shown, vgpu_framebuffer_res(fb)->id);

	frame.fb = end->primary ? NULL : fb;
	frame.cursor = NULL;
	frame.no_cursor = end->cursor;
	frame.off = end->output;
	while ((ret = show_without(test, &frame, ++nth))) {
		KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_TRUE(test, crtc->state->active);
		KUNIT_EXPECT_PTR_EQ(test, crtc->primary->state->fb, fb);
		KUNIT_EXPECT_NOT_NULL(test, crtc->cursor->state->fb);
		KUNIT_EXPECT_TRUE(test, is_idle(fb));
	}
	/* it worked since nothing was lacking any more */
	KUNIT_EXPECT_LT(test, made.count, nth);
	KUNIT_EXPECT_GT(test, made.count, 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, shown, end->output || end->primary ?
					     0 :
					     vgpu_framebuffer_res(fb)->id);
	host->auto_answer = mock_host_obeys;
}

static struct kunit_case plane_cases[] = {
	KUNIT_CASE(scanout_owed),
	KUNIT_CASE(damage_is_copied),
	KUNIT_CASE(scanout_owed_without_memory),
	KUNIT_CASE_PARAM(ends_are_prepared, end_gen_params),
	{}
};

static struct kunit_suite plane_suite = {
	.name = "virtio_gpu_plane",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = plane_cases,
};

kunit_test_suite(plane_suite);
