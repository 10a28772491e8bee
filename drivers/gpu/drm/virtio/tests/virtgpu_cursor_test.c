// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu cursors
 *
 * A cursor has a queue of its own, which the host may be slow to look at: it learns of
 * each picture once, in the end, and when there is none any more.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>

#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>

#include "../virtgpu_commit.h"
#include "../virtgpu_display.h"
#include "../virtgpu_framebuffer.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

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
	u32 wanted = frame->cursor ? vgpu_framebuffer_res(frame->cursor)->id : 0;
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->cursor;
	const struct virtio_gpu_update_cursor *said;

	KUNIT_EXPECT_EQ(test, mock_screen_show(host, frame), 0);
	mock_host_settle(host);
	KUNIT_ASSERT_FALSE(test, list_empty(&q->backlog));
	said = &list_last_entry(&q->backlog, struct vgpu_cmd, node)->req.cursor;
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->hdr.type), type);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->resource_id), wanted);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->pos.x), frame->x);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(said->hot_x), frame->hot);
}

/* Succeeds if the host learns of a cursor's picture once, and of its end. */
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

	frame = (struct mock_frame){ .fb = frame.fb, .no_cursor = true };
	expect_cursor(test, &frame, VIRTIO_GPU_CMD_UPDATE_CURSOR);

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

/* Whether there was something to wait for. An answer may have all tried again as well. */
static bool repaid(struct mock_host *host, const struct spared *spared)
{
	if (!spared->slow)
		mock_host_settle(host);
	return flush_delayed_work(&host->vgpu->repay);
}

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
	unsigned int waits = 0, told;

	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	mock_host_settle(host);
	frame.cursor = mock_client_fb_of(test, file, DRM_FORMAT_HOST_ARGB8888);
	vgpu_queue_start(&vgpu->cursor, NULL);
	if (spared->slow)
		host->auto_answer = NULL;
	else
		vgpu->cursor.num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, mock_screen_show(host, &frame), 0);
	/* some tries may come by themselves meanwhile, others with an answer */
	while (repaid(host, spared) && waits <= 2 * VGPU_REPAY_TRIES)
		waits++;
	KUNIT_EXPECT_EQ(test, atomic_read(&vgpu->repay_tries),
			VGPU_REPAY_TRIES);
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

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE(cursor_is_told),
	KUNIT_CASE(cursor_is_told_again),
	KUNIT_CASE_PARAM(cursor_is_repaid, spared_gen_params),
	{}
};

static struct kunit_suite cursor_suite = {
	.name = "virtio_gpu_cursor",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = cursor_cases,
};

kunit_test_suite(cursor_suite);
