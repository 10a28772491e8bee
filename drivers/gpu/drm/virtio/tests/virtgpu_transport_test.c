// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu and the transport
 *
 * The transport tells of a device that has changed, and takes the virtqueues away
 * and gives others when the machine sleeps and wakes. What the host had before, it
 * has afterwards.
 */

#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modeset_lock.h>

#include "../virtgpu_context.h"
#include "../virtgpu_display.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_object.h"
#include "../virtgpu_pm.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

#define WIDTH	MOCK_CLIENT_WIDTH
#define HEIGHT	MOCK_CLIENT_HEIGHT
#define PATTERN 0x5ca1ab1e

static struct mock_host *to_host(struct virtio_device *vdev)
{
	return container_of(vdev, struct mock_host, vdev);
}

static void transport_get(struct virtio_device *vdev, unsigned int offset,
			  void *buf, unsigned int len)
{
	memcpy(buf, (u8 *)&to_host(vdev)->config + offset, len);
}

static void transport_set(struct virtio_device *vdev, unsigned int offset,
			  const void *buf, unsigned int len)
{
	struct virtio_gpu_config *config = &to_host(vdev)->config;

	memcpy((u8 *)config + offset, buf, len);
	config->events_read &= ~config->events_clear;
	config->events_clear = 0;
}

static u8 transport_get_status(struct virtio_device *vdev)
{
	return to_host(vdev)->status;
}

static void transport_set_status(struct virtio_device *vdev, u8 status)
{
	to_host(vdev)->status = status;
}

static void transport_reset(struct virtio_device *vdev)
{
	to_host(vdev)->status = 0;
}

/* There is no cursor in these tests, and a queue that is NULL takes nothing. */
static int transport_find_vqs(struct virtio_device *vdev, unsigned int count,
			      struct virtqueue *vqs[],
			      struct virtqueue_info info[],
			      struct irq_affinity *affinity)
{
	struct mock_host *host = to_host(vdev);

	mock_host_make_ring(kunit_get_current_test(), host);
	vqs[0] = host->vq;
	vqs[1] = NULL;
	return 0;
}

static void transport_del_vqs(struct virtio_device *vdev)
{
	struct mock_host *host = to_host(vdev);

	vring_del_virtqueue(host->vq);
	host->vq = NULL;
}

static const struct virtio_config_ops transport = {
	.get = transport_get,
	.set = transport_set,
	.get_status = transport_get_status,
	.set_status = transport_set_status,
	.reset = transport_reset,
	.find_vqs = transport_find_vqs,
	.del_vqs = transport_del_vqs,
};

/* What the virtio core wants to know before it says which features there are. */
static const unsigned int known_features[] = {
	VIRTIO_GPU_F_VIRGL,	    VIRTIO_GPU_F_EDID,
	VIRTIO_GPU_F_RESOURCE_UUID, VIRTIO_GPU_F_RESOURCE_BLOB,
	VIRTIO_GPU_F_CONTEXT_INIT,  VIRTIO_GPU_F_BLOB_ALIGNMENT,
};

static struct virtio_driver driver = {
	.feature_table = known_features,
	.feature_table_size = ARRAY_SIZE(known_features),
};

/* The windows are those of the first scanout alone, as large as @priv says. */
static struct mock_answer tells_windows(struct mock_host *host,
					const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_display_info info;
	const struct vgpu_rect *window = host->priv;

	memset(&info, 0, sizeof(info));
	info.pmodes[0].r.width = cpu_to_le32(window->width);
	info.pmodes[0].r.height = cpu_to_le32(window->height);
	info.pmodes[0].enabled = cpu_to_le32(1);
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
			      VIRTIO_GPU_RESP_OK_DISPLAY_INFO, &info,
			      sizeof(info));
}

static int transport_test_init(struct kunit *test)
{
	static struct vgpu_rect window;
	struct mock_host *host = mock_host_create(test);

	/* it finds another by itself */
	mock_host_end(host);
	drm_mode_config_cleanup(host->vgpu->drm);
	window = (struct vgpu_rect){ .width = WIDTH, .height = HEIGHT };
	host->priv = &window;
	host->auto_answer = tells_windows;
	host->config.num_scanouts = cpu_to_le32(1);
	host->vdev.config = &transport;
	host->vdev.dev.driver = &driver.driver;
	KUNIT_ASSERT_EQ(test, vgpu_device_init(host->vgpu), 0);
	vgpu_device_start(host->vgpu);
	test->priv = host;
	return 0;
}

static void transport_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;

	if (!host)
		return;
	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_end(host);
}

static struct vgpu_output *first_output(struct mock_host *host)
{
	return &host->vgpu->outputs[0];
}

/* Succeeds if the driver asks anew when it is told to, and tells the host so. */
static void window_changes(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_rect *window = host->priv;
	unsigned int *asked = &host->seen[VIRTIO_GPU_CMD_GET_DISPLAY_INFO];

	KUNIT_EXPECT_EQ(test, *asked, 1);
	KUNIT_EXPECT_EQ(test, first_output(host)->display.rect.width, WIDTH);

	/* something else has changed, if anything */
	queue_work(system_unbound_wq, &host->vgpu->config_changed);
	flush_work(&host->vgpu->config_changed);
	KUNIT_EXPECT_EQ(test, *asked, 1);

	window->width = 2 * WIDTH;
	host->config.events_read = cpu_to_le32(VIRTIO_GPU_EVENT_DISPLAY);
	queue_work(system_unbound_wq, &host->vgpu->config_changed);
	flush_work(&host->vgpu->config_changed);
	KUNIT_EXPECT_EQ(test, *asked, 2);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(host->config.events_read), 0);
	KUNIT_EXPECT_EQ(test, first_output(host)->display.rect.width,
			2 * WIDTH);
	KUNIT_EXPECT_TRUE(test, first_output(host)->display.enabled);
}

/* Numbers of the sets are 1 and what @priv says. */
static struct mock_answer tells_capsets(struct mock_host *host,
					const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_capset_info info;
	const u32 *second = host->priv;
	bool is_first = !req->capset_info.capset_index;

	memset(&info, 0, sizeof(info));
	info.capset_id = cpu_to_le32(is_first ? 1 : *second);
	info.capset_max_version = cpu_to_le32(1);
	info.capset_max_size = cpu_to_le32(16);
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_CAPSET_INFO,
			      VIRTIO_GPU_RESP_OK_CAPSET_INFO, &info,
			      sizeof(info));
}

/* As it is when the device is new to the driver. */
static void start_again(struct mock_host *host)
{
	host->status = 0;
	vgpu_device_start(host->vgpu);
}

/* Succeeds if there are all sets that the host has, or none if one is none. */
static void capsets_are_asked_for(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	void *window = host->priv;
	u32 second = VGPU_CAPSET_MAX_ID + 1;

	host->config.num_capsets = cpu_to_le32(2);
	host->auto_answer = tells_capsets;
	host->priv = &second;
	start_again(host);
	KUNIT_EXPECT_EQ(test, vgpu->num_capsets, 0);
	KUNIT_EXPECT_EQ(test, vgpu->capset_mask, 0);

	second = 5;
	start_again(host);
	KUNIT_EXPECT_EQ(test, vgpu->num_capsets, 2);
	KUNIT_EXPECT_EQ(test, vgpu->capset_mask, BIT_ULL(1) | BIT_ULL(5));
	KUNIT_EXPECT_EQ(test, vgpu->capsets[1].max_size, 16);
	host->auto_answer = tells_windows;
	host->priv = window;
}

static int show(struct mock_host *host, struct drm_framebuffer *fb)
{
	static const struct drm_display_mode shown = {
		DRM_MODE("640x480", DRM_MODE_TYPE_DRIVER, 25175, 640, 656, 752,
			 800, 0, 480, 490, 492, 525, 0, 0),
	};
	struct drm_connector *connector = &first_output(host)->connector;
	struct drm_modeset_acquire_ctx ctx;
	struct drm_display_mode mode = shown;
	struct drm_mode_set set = {
		.fb = fb,
		.crtc = &first_output(host)->crtc,
		.mode = &mode,
		.connectors = &connector,
		.num_connectors = 1,
	};
	int ret;

	DRM_MODESET_LOCK_ALL_BEGIN(host->vgpu->drm, ctx, 0, ret);
	ret = drm_atomic_helper_set_config(&set, &ctx);
	DRM_MODESET_LOCK_ALL_END(host->vgpu->drm, ctx, ret);
	return ret;
}

static u32 first_pixel(struct drm_framebuffer *fb)
{
	struct vgpu_object *vobj = to_vgpu_object(fb->obj[0]);
	u32 value = 0;

	sg_copy_to_buffer(vobj->sgt->sgl, vobj->sgt->orig_nents, &value,
			  sizeof(value));
	return value;
}

static bool host_has(struct drm_framebuffer *fb)
{
	const struct vgpu_res *res = &to_vgpu_object(fb->obj[0])->res;

	return res->created && res->attached;
}

/* What the host has to be told again of two buffers, one of them on the screen. */
static const struct {
	u32 command;
	unsigned int times;
} again[] = {
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 2 },
	{ VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, 2 },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 1 },
	{ VIRTIO_GPU_CMD_SET_SCANOUT, 1 },
	{ VIRTIO_GPU_CMD_RESOURCE_FLUSH, 1 },
};

/*
 * Succeeds if a screen shows the same after the machine has slept, and the host has
 * each buffer that it had, under the same number.
 */
static void sleep_and_wake(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *hidden = mock_client_fb(test, file);
	struct drm_framebuffer *shown = mock_client_fb(test, file);
	struct vgpu_object *vobj = to_vgpu_object(shown->obj[0]);
	const u32 pattern = PATTERN;
	u32 id = vobj->res.id;
	int i;

	KUNIT_ASSERT_EQ(test, show(host, hidden), 0);
	KUNIT_ASSERT_EQ(test, show(host, shown), 0);
	mock_host_settle(host);
	sg_copy_from_buffer(vobj->sgt->sgl, vobj->sgt->orig_nents, &pattern,
			    sizeof(pattern));

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, host->status, 0);
	KUNIT_EXPECT_NULL(test, host->vq);
	KUNIT_EXPECT_FALSE(test, host_has(shown) || host_has(hidden));
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);

	memset(host->seen, 0, sizeof(host->seen));
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, host->status & VIRTIO_CONFIG_S_DRIVER_OK);
	KUNIT_EXPECT_TRUE(test, host_has(shown) && host_has(hidden));
	KUNIT_EXPECT_EQ(test, vobj->res.id, id);
	KUNIT_EXPECT_EQ(test, first_pixel(shown), PATTERN);
	for (i = 0; i < ARRAY_SIZE(again); i++)
		KUNIT_EXPECT_EQ_MSG(test, host->seen[again[i].command],
				    again[i].times, "command %#x",
				    again[i].command);
}

/* Succeeds if a file has its context afterwards, under the name that it had. */
static void contexts_come_back(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct vgpu_file *vfile;
	struct drm_file *file;

	vgpu->has_virgl = true;
	file = mock_host_open(test, host);
	vfile = file->driver_priv;
	/* somebody else wakes the machine */
	strscpy(vfile->name, "whose it is");
	scoped_guard(mutex, &vfile->lock)
		KUNIT_EXPECT_EQ(test, vgpu_file_create_context(vgpu, vfile), 0);
	list_add(&file->lhead, &vgpu->drm->filelist);
	mock_host_settle(host);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	KUNIT_EXPECT_FALSE(test, vfile->created);
	memset(host->seen, 0, sizeof(host->seen));
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, vfile->created);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 1);
	KUNIT_EXPECT_STREQ(test, vfile->name, "whose it is");
	list_del_init(&file->lhead);
}

static struct kunit_case transport_cases[] = {
	KUNIT_CASE(window_changes),
	KUNIT_CASE(capsets_are_asked_for),
	KUNIT_CASE(sleep_and_wake),
	KUNIT_CASE(contexts_come_back),
	{}
};

static struct kunit_suite transport_suite = {
	.name = "virtio_gpu_transport",
	.init = transport_test_init,
	.exit = transport_test_exit,
	.test_cases = transport_cases,
};

kunit_test_suite(transport_suite);
