// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu displays
 *
 * Frames are told to others when they are certain, and to the host in the end,
 * whatever came between; and what the host says of monitors is looked at.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_uapi.h>
#include <drm/drm_edid.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_panic.h>

#include "../virtgpu_display.h"
#include "../virtgpu_gem.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

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

static const struct drm_display_mode mode = {
	DRM_MODE("640x480", DRM_MODE_TYPE_DRIVER, 25175, 640, 656, 752, 800, 0,
		 480, 490, 492, 525, 0, 0),
};

/* The state that shows a framebuffer on the first output, after a fence. */
static int fill_state(struct drm_atomic_state *state,
		      struct vgpu_output *output, struct drm_framebuffer *fb,
		      struct mock_fence *fence)
{
	struct drm_connector_state *connector;
	struct drm_plane_state *plane;
	struct drm_crtc_state *crtc;
	int ret;

	crtc = drm_atomic_get_crtc_state(state, &output->crtc);
	if (IS_ERR(crtc))
		return PTR_ERR(crtc);
	connector = drm_atomic_get_connector_state(state, &output->connector);
	if (IS_ERR(connector))
		return PTR_ERR(connector);
	plane = drm_atomic_get_plane_state(state, output->crtc.primary);
	if (IS_ERR(plane))
		return PTR_ERR(plane);

	crtc->active = true;
	ret = drm_atomic_set_mode_for_crtc(crtc, &mode);
	if (!ret)
		ret = drm_atomic_set_crtc_for_connector(connector,
							&output->crtc);
	if (!ret)
		ret = drm_atomic_set_crtc_for_plane(plane, &output->crtc);
	drm_atomic_set_fb_for_plane(plane, fb);
	plane->crtc_w = WIDTH;
	plane->crtc_h = HEIGHT;
	plane->src_w = WIDTH << 16;
	plane->src_h = HEIGHT << 16;
	if (fence)
		plane->fence = dma_fence_get(&fence->base);
	return ret;
}

/* Commit, and wait until that is done; not for the host, which has to answer. */
static int show(struct kunit *test, struct drm_framebuffer *fb,
		struct mock_fence *fence)
{
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_modeset_acquire_ctx ctx;
	struct drm_atomic_state *state;
	int ret;

	drm_modeset_acquire_init(&ctx, 0);
	state = drm_atomic_state_alloc(drm);
	KUNIT_ASSERT_NOT_NULL(test, state);
	state->acquire_ctx = &ctx;
	do {
		ret = fill_state(state, &host->vgpu->outputs[0], fb, fence);
		if (!ret)
			ret = drm_atomic_commit(state);
		/* a debug kernel has locks fail now and then */
		if (ret == -EDEADLK) {
			drm_atomic_state_clear(state);
			drm_modeset_backoff(&ctx);
		}
	} while (ret == -EDEADLK);
	drm_atomic_state_put(state);
	drm_modeset_drop_locks(&ctx);
	drm_modeset_acquire_fini(&ctx);
	return ret;
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

/* Succeeds if who comes after a commit waits until the host has the frame. */
static void frame_shown(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));

	host->auto_answer = NULL;
	KUNIT_EXPECT_EQ(test, show(test, fb, NULL), 0);
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

static void write_edid(u8 *edid, const struct monitor *monitor)
{
	static const u8 begin[] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				    0x00, 0x34, 0x12, 1,    0,	  1,	0,
				    0,	  0,	1,    30,   1,	  4 };
	u8 sum = 0;
	int i;

	memcpy(edid, begin, sizeof(begin));
	edid[EDID_LENGTH - 2] = monitor->extensions;
	for (i = 0; i < EDID_LENGTH - 1; i++)
		sum += edid[i];
	edid[EDID_LENGTH - 1] = -sum + monitor->spoiled;
}

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
	write_edid(resp->edid, monitor);
	resp->size = cpu_to_le32(monitor->size);
	host->priv = resp;
	host->auto_answer = describes;
	host->vgpu->has_edid = true;

	vgpu_display_query(host->vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	KUNIT_EXPECT_EQ(test, !!host->vgpu->outputs[0].edid, monitor->good);
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
			  time_before(jiffies, begun + VGPU_ANSWER_TIMEOUT));
	KUNIT_EXPECT_EQ(test,
			mock_host_waiting(host) + host->vgpu->ctrl.num_backlog,
			VIRTIO_GPU_MAX_SCANOUTS + 1);
}

static struct kunit_case display_cases[] = {
	KUNIT_CASE(frame_given_up),
	KUNIT_CASE(frame_shown),
	KUNIT_CASE(frame_lets_the_module_go),
	KUNIT_CASE(scanout_owed),
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
