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
#include <linux/list.h>
#include <linux/string.h>
#include <linux/virtio.h>
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

/* The cursor's queue has no room. */
static int no_room(struct vgpu_queue *q, struct scatterlist **sgs,
		   unsigned int out, unsigned int in, struct vgpu_cmd *cmd)
{
	if (q == &q->vgpu->cursor)
		return -ENOSPC;
	return virtqueue_add_sgs(q->vq, sgs, out, in, cmd, GFP_ATOMIC);
}

static void expect_cursor(struct kunit *test, const struct mock_frame *frame,
			  u32 type)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->cursor;
	const struct virtio_gpu_update_cursor *said;

	KUNIT_EXPECT_EQ(test, mock_screen_show(host, frame), 0);
	mock_host_settle(host);
	KUNIT_ASSERT_FALSE(test, list_empty(&q->backlog));
	said = &list_last_entry(&q->backlog, struct vgpu_cmd, node)->req.cursor;
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->hdr.type), type);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->resource_id),
			vgpu_framebuffer_res(frame->cursor)->id);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->pos.x), frame->x);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->hot_x), frame->hot);
}

/* Succeeds if the host learns of a cursor's picture once, and in the end. */
static void cursor_is_told(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->cursor;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_frame frame = { .fb = mock_client_fb(test, file), .hot = 2 };

	frame.cursor = mock_client_fb_of(test, file, DRM_FORMAT_HOST_ARGB8888);
	/* the stub is this thread's; nobody else may send */
	disable_delayed_work_sync(&host->vgpu->watchdog);
	kunit_activate_static_stub(test, vgpu_ring_add, no_room);
	vgpu_queue_start(q, host->vq);
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_UPDATE_CURSOR);
	frame.x = 7;
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_MOVE_CURSOR);
	frame.hot = 3;
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_UPDATE_CURSOR);

	/* what a host that has stopped was spared, it is told when it goes on */
	frame.hot = 4;
	q->num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	q->num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_UPDATE_CURSOR);
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_MOVE_CURSOR);

	vgpu_queue_stop(q);
	vgpu_queue_reclaim(q);
	kunit_deactivate_static_stub(test, vgpu_ring_add);
}

/*
 * Succeeds if a host that was too slow for a cursor's picture is told to look again with
 * the next commit. Broken by telling it once, and by a wait that a signal ends.
 */
static void cursor_is_told_again(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->cursor;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_frame frame = { .fb = mock_client_fb(test, file) };
	unsigned long begun;

	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	mock_host_settle(host);
	frame.cursor = mock_client_fb_of(test, file, DRM_FORMAT_HOST_ARGB8888);
	disable_delayed_work_sync(&host->vgpu->watchdog);
	host->auto_answer = NULL;
	kunit_activate_static_stub(test, vgpu_ring_add, no_room);
	vgpu_queue_start(q, host->vq);
	begun = jiffies;
	mock_signal(true);
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	mock_signal(false);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begun + HZ));

	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_UPDATE_CURSOR);
	frame.x = 7;
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_MOVE_CURSOR);

	vgpu_queue_stop(q);
	vgpu_queue_reclaim(q);
	kunit_deactivate_static_stub(test, vgpu_ring_add);
}

/* What waits for the cursor's queue; nobody takes it from there. */
static unsigned int cursors_told(struct mock_host *host, u32 type)
{
	struct vgpu_queue *q = &host->vgpu->cursor;
	struct vgpu_cmd *cmd;
	unsigned int count = 0;

	spin_lock(&q->lock);
	list_for_each_entry(cmd, &q->backlog, node)
		count += le32_to_cpu(cmd->req.hdr.type) == type;
	spin_unlock(&q->lock);
	return count;
}

/**
 * struct spared - why a host was not shown a cursor
 * @name: of the case
 * @slow: it has not copied the picture in time, otherwise it takes no commands
 */
struct spared {
	const char *name;
	bool slow;
};

static const struct spared spareds[] = {
	{ "late copy", true },
	{ "no room", false },
};

static void spared_desc(const struct spared *spared, char *desc)
{
	strscpy(desc, spared->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(spared, spareds, spared_desc);

/*
 * Succeeds if a host that was spared a cursor's picture is told of it when it can take it,
 * though nobody commits any more, and not for ever if it never can. Broken by leaving it to
 * the next commit, and by trying without end.
 */
static void cursor_is_repaid(struct kunit *test)
{
	const struct spared *spared = test->param_value;
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_frame frame = { .fb = mock_client_fb(test, file) };
	unsigned int tries = 0, told;

	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	mock_host_settle(host);
	frame.cursor = mock_client_fb_of(test, file, DRM_FORMAT_HOST_ARGB8888);
	vgpu_queue_start(&vgpu->cursor, NULL);
	if (spared->slow)
		host->auto_answer = NULL;
	else
		vgpu->cursor.num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	/* some of them may come by themselves meanwhile */
	while (flush_delayed_work(&vgpu->repay) && tries <= VGPU_REPAY_TRIES)
		tries++;
	KUNIT_EXPECT_GT(test, tries, 0);
	KUNIT_EXPECT_LE(test, tries, VGPU_REPAY_TRIES);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&vgpu->repay));
	KUNIT_EXPECT_TRUE(test, vgpu->outputs[0].cursor_owed);

	/* a commit of a client's, after which it goes on */
	atomic_set(&vgpu->repay_tries, 0);
	frame.x = 7;
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	told = cursors_told(host, VIRTIO_GPU_CMD_UPDATE_CURSOR);
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	if (!spared->slow)
		vgpu->cursor.num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	flush_delayed_work(&vgpu->repay);
	KUNIT_EXPECT_GT(test, cursors_told(host, VIRTIO_GPU_CMD_UPDATE_CURSOR),
			told);
	KUNIT_EXPECT_FALSE(test, vgpu->outputs[0].cursor_owed);
	KUNIT_EXPECT_NULL(test, vgpu->outputs[0].cursor_copy);
	KUNIT_EXPECT_FALSE(test, flush_delayed_work(&vgpu->repay));
	KUNIT_EXPECT_EQ(test, atomic_read(&vgpu->repay_tries), 0);
	mock_host_settle(host);
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
	KUNIT_CASE(cursor_is_told),
	KUNIT_CASE(cursor_is_told_again),
	KUNIT_CASE_PARAM(cursor_is_repaid, spared_gen_params),
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
