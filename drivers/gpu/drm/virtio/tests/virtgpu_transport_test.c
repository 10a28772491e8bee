// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu and the transport
 *
 * The transport tells of a device that has changed, and takes the virtqueues away
 * and gives others when the machine sleeps and wakes. What the host had before, it
 * has afterwards.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_buf.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_client.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_modeset_lock.h>

#include "../virtgpu_context.h"
#include "../virtgpu_display.h"
#include "../virtgpu_export.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "../virtgpu_pm.h"
#include "../virtgpu_resp.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_transport.h"

#define WIDTH	MOCK_CLIENT_WIDTH
#define HEIGHT	MOCK_CLIENT_HEIGHT
#define PATTERN 0x5ca1ab1e

static int transport_test_init(struct kunit *test)
{
	struct mock_host *host = mock_transport_create(test);

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
	unsigned int *asked = &host->seen[VIRTIO_GPU_CMD_GET_DISPLAY_INFO];

	KUNIT_EXPECT_EQ(test, *asked, 1);
	KUNIT_EXPECT_EQ(test, first_output(host)->display.rect.width, WIDTH);

	/* something else has changed, if anything */
	queue_work(system_unbound_wq, &host->vgpu->config_changed);
	flush_work(&host->vgpu->config_changed);
	KUNIT_EXPECT_EQ(test, *asked, 1);

	host->window.width = 2 * WIDTH;
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
	host->auto_answer = mock_transport_windows;
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

/* Succeeds if a file has its context afterwards, with the name and the buffer it had. */
static void contexts_come_back(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct vgpu_file *vfile;
	struct drm_file *file;
	u32 handle = 0;

	vgpu->has_virgl = true;
	file = mock_host_open(test, host);
	vfile = file->driver_priv;
	/* somebody else wakes the machine */
	strscpy(vfile->name, "whose it is");
	scoped_guard(mutex, &vfile->lock)
		KUNIT_EXPECT_EQ(test, vgpu_file_create_context(vgpu, vfile), 0);
	list_add(&file->lhead, &vgpu->drm->filelist);
	mock_client_object(test, file, &handle);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	KUNIT_EXPECT_FALSE(test, vfile->created);
	memset(host->seen, 0, sizeof(host->seen));
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, vfile->created);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 1);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE],
			1);
	KUNIT_EXPECT_STREQ(test, vfile->name, "whose it is");
	list_del_init(&file->lhead);
}

/*
 * Succeeds if an exporter that has moved a buffer, and sleeps still, holds nothing up:
 * the host is told of the buffer when it is used.
 */
static void exporter_sleeps_on(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_fence *wakes = mock_fence_create(test);
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;
	struct vgpu_object *vobj;

	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	vobj = to_vgpu_object(obj);
	vobj->res.kind = VGPU_RES_2D;
	dma_resv_lock(obj->resv, NULL);
	KUNIT_EXPECT_EQ(test, vgpu_object_attach_locked(vobj, NULL), 0);
	dma_resv_unlock(obj->resv);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	mock_move(dmabuf);
	mock_fence_add(test, wakes, obj, DMA_RESV_USAGE_KERNEL);
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, wakes->waits, 0);
	KUNIT_EXPECT_FALSE(test, vobj->res.created);

	dma_resv_lock(obj->resv, NULL);
	KUNIT_EXPECT_EQ(test, vgpu_object_attach_locked(vobj, NULL), 0);
	dma_resv_unlock(obj->resv);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, wakes->waits, 1);
	KUNIT_EXPECT_TRUE(test, vobj->res.created);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/**
 * struct listener - a client of the kernel that hears of changes
 * @base: the client
 * @times: how often it was told
 */
struct listener {
	struct drm_client_dev base;
	int times;
};

static int listener_hotplug(struct drm_client_dev *client)
{
	container_of(client, struct listener, base)->times++;
	return 0;
}

/* Succeeds if clients hear of a window that has changed meanwhile, and only then. */
static void window_changes_in_sleep(struct kunit *test)
{
	static const struct drm_client_funcs funcs = {
		.hotplug = listener_hotplug,
	};
	struct listener listener = { .base.funcs = &funcs };
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;

	listener.base.dev = drm;
	scoped_guard(mutex, &drm->clientlist_mutex)
		list_add(&listener.base.list, &drm->clientlist);
	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, listener.times, 0);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	host->window.width = 2 * WIDTH;
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, listener.times, 1);
	scoped_guard(mutex, &drm->clientlist_mutex)
		list_del(&listener.base.list);
}

/* Answers to the first command, and to nothing after that. */
static struct mock_answer refuses_blobs(struct mock_host *host,
					const struct vgpu_req *req)
{
	host->auto_answer = NULL;
	return (struct mock_answer){
		.type = VIRTIO_GPU_RESP_ERR_UNSPEC,
		.len = sizeof(struct virtio_gpu_ctrl_hdr),
	};
}

/*
 * Succeeds if a host that refuses it can show the buffer nevertheless, and the pages
 * go back when it has answered that it has none.
 */
static void blob_is_refused(struct kunit *test)
{
	struct drm_mode_fb_cmd2 cmd = {
		.width = 16,
		.height = 16,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
		.pitches = { 16 * 4 },
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_framebuffer *fb;
	struct drm_gem_object *obj;
	bool view;

	host->vgpu->has_blob = true;
	host->auto_answer = refuses_blobs;
	obj = vgpu_prime_import(drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_FALSE(test, to_vgpu_object(obj)->guest_blob);
	KUNIT_EXPECT_EQ(test, to_vgpu_object(obj)->res.kind, VGPU_RES_NONE);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	KUNIT_ASSERT_EQ(test, mock_host_waiting(host), 1);
	mock_host_answer(host, MOCK_OK);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_UNREF], 1);
	host->auto_answer = mock_transport_windows;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);

	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(file, obj, &cmd.handles[0]),
			0);
	drm_gem_object_put(obj);
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	view = container_of(fb, struct vgpu_framebuffer, base)->has_view;
	KUNIT_EXPECT_TRUE(test, view);
	drm_framebuffer_put(fb);
	drm_gem_handle_delete(file, cmd.handles[0]);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct mock_answer gives_names(struct mock_host *host,
				      const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_resource_uuid answer;

	if (le32_to_cpu(req->hdr.type) != VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID)
		return mock_transport_windows(host, req);
	/* each is another */
	memset(&answer, 0, sizeof(answer));
	answer.uuid[0] = ++host->names;
	return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
			      VIRTIO_GPU_RESP_OK_RESOURCE_UUID, &answer,
			      sizeof(answer));
}

/* Succeeds if a buffer that had a name for others has one that the host knows. */
static void names_come_back(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_object *vobj;
	struct dma_buf *dmabuf;
	uuid_t uuid = {};
	u32 handle;

	host->vgpu->has_uuid = true;
	host->auto_answer = gives_names;
	vobj = mock_client_object(test, file, &handle);
	dmabuf = vgpu_prime_export(&vobj->storage.base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), 0);
	KUNIT_EXPECT_EQ(test, uuid.b[0], 1);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), -ENODEV);
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), 0);
	KUNIT_EXPECT_EQ(test, uuid.b[0], 2);
	mock_host_settle(host);
	host->auto_answer = mock_transport_windows;
	dma_buf_put(dmabuf);
	flush_delayed_fput();
	mock_host_settle(host);
}

static bool pulled_out(struct vgpu_device *vgpu)
{
	return true;
}

/* Succeeds if a device is not asked for a reset that it can never say it has made. */
static void device_is_pulled_out(struct kunit *test)
{
	struct mock_host *host = test->priv;

	vgpu_device_stop(host->vgpu);
	KUNIT_EXPECT_EQ(test, host->status, 0);
	KUNIT_EXPECT_FALSE(test, host->was_broken);
	KUNIT_ASSERT_EQ(test, vgpu_find_queues(host->vgpu), 0);

	kunit_activate_static_stub(test, vgpu_device_is_absent, pulled_out);
	/* as all reads then are */
	host->status = 0xff;
	vgpu_device_stop(host->vgpu);
	KUNIT_EXPECT_EQ(test, host->status, 0xff);
	KUNIT_EXPECT_TRUE(test, host->was_broken);
	KUNIT_EXPECT_NULL(test, host->vq);
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	kunit_deactivate_static_stub(test, vgpu_device_is_absent);
}

/* The watchdog would, a second later. */
static void look_after_queues(struct mock_host *host)
{
	struct vgpu_device *vgpu = host->vgpu;

	mod_delayed_work(vgpu->answers, &vgpu->watchdog, 0);
	flush_delayed_work(&vgpu->watchdog);
}

/*
 * Succeeds if nobody waits for a device that the bus has taken away since the machine
 * goes down, and nothing gets to the host, though somebody draws until the end.
 */
static void machine_goes_down(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *shown = mock_client_fb(test, file);
	struct drm_framebuffer *next = mock_client_fb(test, file);
	struct dma_resv *resv = next->obj[0]->resv;
	unsigned int waiting;
	int ret;

	KUNIT_ASSERT_EQ(test, show(host, shown), 0);
	mock_host_settle(host);
	/* a frame that the host has not answered to yet */
	host->auto_answer = NULL;
	KUNIT_ASSERT_EQ(test, show(host, next), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv,
							DMA_RESV_USAGE_READ));
	ret = mock_transport_shutdown(host);
	if (ret == -EOPNOTSUPP)
		kunit_skip(test, "this kernel leaves devices as they are");
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, host->status, 0);
	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(host->vq));

	waiting = mock_host_waiting(host);
	KUNIT_EXPECT_EQ(test, show(host, shown), 0);
	look_after_queues(host);
	KUNIT_EXPECT_TRUE(test,
			  dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	KUNIT_EXPECT_EQ(test, show(host, next), 0);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), waiting);
}

static void look_at_question(struct vgpu_cmd *cmd, int result)
{
	unsigned int *busy = cmd->priv;

	*busy = work_busy(&cmd->queue->vgpu->config_changed);
}

/* Succeeds if a question that is not answered ends before who asks is waited for. */
static void stop_ends_questions(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd = vgpu_cmd_create();
	unsigned int busy = 0;

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	host->auto_answer = NULL;
	vgpu_req_unref(&cmd->req, 1);
	cmd->done = look_at_question;
	cmd->priv = &busy;
	/* it is the first to end */
	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	host->config.events_read = cpu_to_le32(VIRTIO_GPU_EVENT_DISPLAY);
	queue_work(system_unbound_wq, &host->vgpu->config_changed);
	while (mock_host_waiting(host) < 2)
		schedule_timeout_uninterruptible(1);

	vgpu_device_stop(host->vgpu);
	KUNIT_EXPECT_EQ(test, busy, WORK_BUSY_RUNNING);
	KUNIT_EXPECT_EQ(test, work_busy(&host->vgpu->config_changed), 0);
	vgpu_cmd_put(cmd);
}

static struct kunit_case transport_cases[] = {
	KUNIT_CASE(window_changes),
	KUNIT_CASE(capsets_are_asked_for),
	KUNIT_CASE(sleep_and_wake),
	KUNIT_CASE(contexts_come_back),
	KUNIT_CASE(exporter_sleeps_on),
	KUNIT_CASE(window_changes_in_sleep),
	KUNIT_CASE(blob_is_refused),
	KUNIT_CASE(names_come_back),
	KUNIT_CASE(device_is_pulled_out),
	KUNIT_CASE(machine_goes_down),
	KUNIT_CASE(stop_ends_questions),
	{}
};

static struct kunit_suite transport_suite = {
	.name = "virtio_gpu_transport",
	.init = transport_test_init,
	.exit = transport_test_exit,
	.test_cases = transport_cases,
};

kunit_test_suite(transport_suite);
