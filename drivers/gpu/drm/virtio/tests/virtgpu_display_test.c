// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu displays
 *
 * Frames are told to others when they are certain, and to the host in the end,
 * whatever came between; and what the host says of monitors is looked at.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/wait.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_panic.h>
#include <drm/drm_vblank.h>

#include "../virtgpu_commit.h"
#include "../virtgpu_display.h"
#include "../virtgpu_framebuffer.h"
#include "../virtgpu_gem.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

#define WIDTH  MOCK_CLIENT_WIDTH
#define HEIGHT MOCK_CLIENT_HEIGHT

static int display_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->num_outputs = VIRTIO_GPU_MAX_SCANOUTS;
	/* the helper has made one, which would be lost under the driver's */
	drm_mode_config_cleanup(host->vgpu->drm);
	KUNIT_ASSERT_EQ(test, vgpu_display_init(host->vgpu), 0);
	test->priv = host;
	return 0;
}

static void display_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;

	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_end(host);
}

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
 * until the host has it.
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

	host->vgpu->ctrl.num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, show(test, fb, NULL), 0);
	host->vgpu->ctrl.num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
}

/* Succeeds if a frame that a busy host was spared is on the screen in the end. */
static void scanout_owed(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *first = mock_client_fb(test, file);
	struct drm_framebuffer *second = mock_client_fb(test, file);
	unsigned int *scanouts = &host->seen[VIRTIO_GPU_CMD_SET_SCANOUT];

	KUNIT_EXPECT_EQ(test, show(test, first, NULL), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 1);

	/* as with a host that has stopped */
	q->num_backlog += VGPU_BACKLOG_LIMIT + 1;
	KUNIT_EXPECT_EQ(test, show(test, second, NULL), 0);
	q->num_backlog -= VGPU_BACKLOG_LIMIT + 1;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 1);
	KUNIT_EXPECT_TRUE(test, is_unseen(resv_of(second)));

	/* nothing changes but pixels */
	KUNIT_EXPECT_EQ(test, show(test, second, NULL), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *scanouts, 2);
	KUNIT_EXPECT_EQ(test, show(test, second, NULL), 0);
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

/* Succeeds if blanks come at the mode's rate, and none is lost between two uses. */
static void blanks_are_counted(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_crtc *crtc = &host->vgpu->outputs[0].crtc;
	struct drm_vblank_crtc *vblank = drm_crtc_vblank_crtc(crtc);
	struct drm_file *file = mock_host_open(test, host);
	ktime_t first, second;
	u64 count, passed;

	KUNIT_EXPECT_NE(test, drm_crtc_vblank_get(crtc), 0);
	KUNIT_ASSERT_EQ(test, show(test, mock_client_fb(test, file), NULL), 0);
	KUNIT_EXPECT_EQ(test, vblank->framedur_ns, 16683217);

	KUNIT_ASSERT_EQ(test, drm_crtc_vblank_get(crtc), 0);
	count = drm_crtc_vblank_count(crtc);
	wait_event(vblank->queue, drm_crtc_vblank_count(crtc) > count + 1);
	count = drm_crtc_vblank_count_and_time(crtc, &first);
	wait_event(vblank->queue, drm_crtc_vblank_count(crtc) > count);
	passed = drm_crtc_vblank_count_and_time(crtc, &second) - count;
	KUNIT_EXPECT_EQ(test, ktime_to_ns(ktime_sub(second, first)),
			passed * vblank->framedur_ns);
	drm_crtc_vblank_put(crtc);
}

/* Succeeds if a client cannot ask for more blanks than a machine has time for. */
static void blanks_leave_time(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	struct drm_vblank_crtc *vblank = drm_crtc_vblank_crtc(&output->crtc);
	struct drm_file *file = mock_host_open(test, host);

	KUNIT_ASSERT_EQ(test, show(test, mock_client_fb(test, file), NULL), 0);
	/* as of a mode with a clock of 2 GHz and a handful of pixels */
	vblank->framedur_ns = 500;
	vgpu_vblank_enable(&output->crtc);
	KUNIT_EXPECT_EQ(test, ktime_to_ns(output->vblank.period),
			NSEC_PER_MSEC);
}

/*
 * Succeeds if a flip is over with the next blank, and not before, and a commit that
 * waits with its flip.
 */
static void flip_ends_at_a_blank(struct kunit *test)
{
	struct mock_frame frame = { .nonblock = true };
	struct drm_crtc_commit *commit;
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_vblank *vblank = &output->vblank;
	struct drm_crtc *crtc = &output->crtc;

	KUNIT_ASSERT_EQ(test, show(test, mock_client_fb(test, file), NULL), 0);
	KUNIT_EXPECT_TRUE(test, completion_done(&crtc->state->commit->flip_done));
	KUNIT_ASSERT_EQ(test, drm_crtc_vblank_get(crtc), 0);
	/* the test is the clock from now on */
	hrtimer_cancel(&vblank->timer);
	frame.fb = mock_client_fb(test, file);
	KUNIT_ASSERT_EQ(test, mock_screen_show(host, &frame), 0);
	commit = drm_crtc_commit_get(crtc->state->commit);
	wait_for_completion(&commit->hw_done);
	KUNIT_EXPECT_FALSE(test, completion_done(&commit->flip_done));
	KUNIT_EXPECT_FALSE(test, completion_done(&commit->cleanup_done));

	hrtimer_forward(&vblank->timer, hrtimer_get_expires(&vblank->timer),
			vblank->period);
	KUNIT_EXPECT_TRUE(test, drm_crtc_handle_vblank(crtc));
	KUNIT_EXPECT_TRUE(test, completion_done(&commit->flip_done));
	wait_for_completion(&commit->cleanup_done);
	drm_crtc_commit_put(commit);
	drm_crtc_vblank_put(crtc);
	mock_host_settle(host);
}

/* Succeeds if halves of a buffer can be shown side by side, and nothing beyond it. */
static void framebuffer_at_an_offset(struct kunit *test)
{
	struct drm_mode_create_dumb dumb = {
		.width = 2 * WIDTH,
		.height = HEIGHT,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_mode_fb_cmd2 cmd = {
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
	};
	struct drm_framebuffer *fb;

	KUNIT_ASSERT_EQ(test, vgpu_dumb_create(file, drm, &dumb), 0);
	cmd.handles[0] = dumb.handle;
	cmd.pitches[0] = dumb.pitch;
	cmd.offsets[0] = WIDTH * 4;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	/* the other half has the buffer's own resource */
	KUNIT_EXPECT_TRUE(test, to_vgpu_framebuffer(fb)->has_view);
	drm_framebuffer_put(fb);

	cmd.offsets[0] = dumb.size - dumb.pitch * (HEIGHT - 1) - WIDTH * 4;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	drm_framebuffer_put(fb);
	cmd.offsets[0] += 4;
	KUNIT_EXPECT_PTR_EQ(test,
			    drm->mode_config.funcs->fb_create(drm, file, &cmd),
			    ERR_PTR(-EINVAL));
	drm_gem_handle_delete(file, dumb.handle);
	mock_host_settle(host);
}

static struct drm_plane *primary_of(struct mock_host *host)
{
	return host->vgpu->outputs[0].crtc.primary;
}

static u32 pixel_of(struct drm_framebuffer *fb, unsigned int x, unsigned int y)
{
	struct sg_table *sgt = to_vgpu_object(fb->obj[0])->sgt;
	size_t at = y * fb->pitches[0] + x * 4;
	u32 value = 0;

	sg_pcopy_to_buffer(sgt->sgl, sgt->orig_nents, &value, sizeof(value),
			   at);
	return value;
}

/* Succeeds if a last message gets to the host, if nothing is in the way. */
static void panic_is_shown(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));
	struct drm_plane *plane = primary_of(host);
	const struct drm_plane_helper_funcs *funcs = plane->helper_private;
	struct drm_scanout_buffer sb = {};
	int i;

	KUNIT_EXPECT_EQ(test, funcs->get_scanout_buffer(plane, &sb), -ENODEV);
	KUNIT_ASSERT_EQ(test, show(test, fb, NULL), 0);
	mock_host_settle(host);
	memset(host->seen, 0, sizeof(host->seen));

	KUNIT_ASSERT_EQ(test, funcs->get_scanout_buffer(plane, &sb), 0);
	KUNIT_EXPECT_EQ(test, sb.width, WIDTH);
	KUNIT_EXPECT_EQ(test, sb.height, HEIGHT);
	sb.set_pixel(&sb, 0, 0, 0x123456);
	sb.set_pixel(&sb, WIDTH - 1, HEIGHT - 1, 0x654321);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, 0, 0), 0x123456);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, WIDTH - 1, HEIGHT - 1), 0x654321);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, WIDTH - 1, 0), 0);
	/* before what was written last */
	sb.set_pixel(&sb, 1, 0, 0x13579b);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, 1, 0), 0x13579b);

	/* and again, as the machine goes on */
	for (i = 1; i < 3; i++) {
		funcs->panic_flush(plane);
		mock_host_settle(host);
		KUNIT_EXPECT_EQ(test, i,
				host->seen[VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D]);
		KUNIT_EXPECT_EQ(test, i,
				host->seen[VIRTIO_GPU_CMD_RESOURCE_FLUSH]);
	}
}

/* Succeeds if nobody waits in a panic, for a lock or for a host. */
static void panic_does_not_wait(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));
	struct drm_plane *plane = primary_of(host);
	const struct drm_plane_helper_funcs *funcs = plane->helper_private;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	int i;

	KUNIT_ASSERT_EQ(test, show(test, fb, NULL), 0);
	mock_host_settle(host);
	memset(host->seen, 0, sizeof(host->seen));

	scoped_guard(spinlock, &q->lock)
		funcs->panic_flush(plane);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);

	/* more often than the ring has room for it */
	host->auto_answer = NULL;
	for (i = 0; i < MOCK_HOST_RING; i++)
		funcs->panic_flush(plane);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 2);
	mock_host_answer(host, MOCK_OK);
	mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	host->auto_answer = mock_host_obeys;
}

/**
 * struct monitor - what the host says of one
 * @name: of the case
 * @size: how long the EDID is said to be
 * @extensions: how many blocks the first says come after it
 * @spoiled: a byte is not what the sum says
 * @good: there is to be an EDID
 */
struct monitor {
	const char *name;
	u32 size;
	u8 extensions;
	bool spoiled;
	bool good;
};

static const struct monitor monitors[] = {
	{ "as it should be", EDID_LENGTH, 0, false, true },
	{ "a wrong sum", EDID_LENGTH, 0, true, false },
	{ "a block that is not there", EDID_LENGTH, 1, false, false },
	{ "many blocks that are not there", EDID_LENGTH, 255, false, false },
	{ "half a block", EDID_LENGTH / 2, 0, false, false },
	{ "nothing", 0, 0, false, false },
	{ "more than there is room for", 1025, 0, false, false },
};

static void monitor_desc(const struct monitor *monitor, char *desc)
{
	strscpy(desc, monitor->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(monitor, monitors, monitor_desc);

static struct mock_answer describes(struct mock_host *host,
				    const struct vgpu_req *req)
{
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_EDID,
			      VIRTIO_GPU_RESP_OK_EDID, host->priv,
			      sizeof(struct virtio_gpu_resp_edid));
}

/* Succeeds if a monitor is what its EDID says, if that can be. */
static void edid_is_checked(struct kunit *test)
{
	const struct monitor *monitor = test->param_value;
	struct mock_host *host = test->priv;
	struct virtio_gpu_resp_edid *resp;

	resp = kunit_kzalloc(test, sizeof(*resp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resp);
	mock_screen_edid(resp->edid, monitor->extensions);
	resp->edid[EDID_LENGTH - 1] += monitor->spoiled;
	resp->size = cpu_to_le32(monitor->size);
	host->priv = resp;
	host->auto_answer = describes;
	host->vgpu->has_edid = true;
	drm_connector_attach_edid_property(&host->vgpu->outputs[0].connector);

	vgpu_display_query(host->vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	KUNIT_EXPECT_EQ(test, !!host->vgpu->outputs[0].edid, monitor->good);
	/* nobody has probed */
	KUNIT_EXPECT_EQ(test,
			!!host->vgpu->outputs[0].connector.edid_blob_ptr,
			monitor->good);
}

/* Succeeds if a silent host is asked of all monitors, and waited for once. */
static void silent_host_is_waited_for_once(struct kunit *test)
{
	struct mock_host *host = test->priv;
	unsigned long begun = jiffies;

	host->auto_answer = NULL;
	host->vgpu->has_edid = true;
	/* no time at all, of which each monitor has its share */
	vgpu_display_query(host->vgpu, begun);
	KUNIT_EXPECT_TRUE(test,
			  time_before(jiffies, begun + 2 * VGPU_ANSWER_TIMEOUT));
	KUNIT_EXPECT_EQ(test,
			mock_host_waiting(host) + host->vgpu->ctrl.num_backlog,
			VIRTIO_GPU_MAX_SCANOUTS + 1);
}

static struct kunit_case display_cases[] = {
	KUNIT_CASE(frame_given_up),
	KUNIT_CASE(frame_shown),
	KUNIT_CASE(frame_lets_the_module_go),
	KUNIT_CASE(scanout_owed),
	KUNIT_CASE(damage_is_copied),
	KUNIT_CASE(cursor_is_told),
	KUNIT_CASE(blanks_are_counted),
	KUNIT_CASE(blanks_leave_time),
	KUNIT_CASE(flip_ends_at_a_blank),
	KUNIT_CASE(framebuffer_at_an_offset),
	KUNIT_CASE(panic_is_shown),
	KUNIT_CASE(panic_does_not_wait),
	KUNIT_CASE_PARAM(edid_is_checked, monitor_gen_params),
	KUNIT_CASE(silent_host_is_waited_for_once),
	{}
};

static struct kunit_suite display_suite = {
	.name = "virtio_gpu_display",
	.init = display_test_init,
	.exit = display_test_exit,
	.test_cases = display_cases,
};

kunit_test_suite(display_suite);
