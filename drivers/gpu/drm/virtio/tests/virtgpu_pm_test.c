// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu suspend and resume
 *
 * The transport takes the virtqueues away and gives others when the machine sleeps and
 * wakes. What the host had before, it has afterwards.
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
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_buf.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_client.h>
#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_mode.h>
#include <drm/drm_mode_config.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_cmd.h"
#include "../virtgpu_context.h"
#include "../virtgpu_export.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "../virtgpu_pm.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_fence.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"
#include "virtgpu_mock_transport.h"

#define WIDTH	MOCK_CLIENT_WIDTH
#define PATTERN 0x5ca1ab1e

static int pm_test_init(struct kunit *test)
{
	struct mock_host *host = mock_transport_create(test);

	KUNIT_ASSERT_EQ(test, vgpu_device_init(host->vgpu), 0);
	vgpu_device_start(host->vgpu);
	test->priv = host;
	return 0;
}

static void pm_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;

	if (!host)
		return;
	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_end(host);
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

	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, hidden), 0);
	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, shown), 0);
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

/*
 * Succeeds if a file has its context afterwards, with the name and the buffer it had,
 * and one that had none can still say which kind it wants.
 */
static void contexts_come_back(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_file *file, *other, *kernel;
	struct vgpu_file *vfile;
	u32 handle = 0;

	vgpu->has_virgl = true;
	kernel = mock_host_open(test, host);
	list_add(&kernel->lhead, &vgpu->drm->filelist_internal);
	vfile = kernel->driver_priv;
	scoped_guard(mutex, &vfile->lock)
		KUNIT_EXPECT_EQ(test, vgpu_file_create_context(vgpu, vfile), 0);
	other = mock_host_open(test, host);
	list_add(&other->lhead, &vgpu->drm->filelist);
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
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 2);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE],
			1);
	KUNIT_EXPECT_STREQ(test, vfile->name, "whose it is");
	vfile = other->driver_priv;
	KUNIT_EXPECT_FALSE(test, vfile->created);
	list_del_init(&file->lhead);
	list_del_init(&other->lhead);
	list_del_init(&kernel->lhead);
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

static u32 make_blob(struct kunit *test, struct drm_file *file, u32 mem)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = mem,
		.size = WIDTH * MOCK_CLIENT_HEIGHT * 4,
	};

	KUNIT_ASSERT_EQ(test, mock_client_create_blob(test, file, &args), 0);
	mock_host_settle(test->priv);
	return args.bo_handle;
}

static void render_hosts(struct mock_host *host)
{
	host->vgpu->has_virgl = true;
	host->vgpu->has_blob = true;
}

static int render_with(struct kunit *test, struct drm_file *file, u32 handle)
{
	struct drm_virtgpu_execbuffer args = { .num_bo_handles = 1 };
	struct mock_host *host = test->priv;
	int ret;

	args.bo_handles = mock_client_copy(test, &handle, sizeof(handle));
	ret = mock_client_execbuffer(test, file, &args);
	mock_host_settle(host);
	return ret;
}

/**
 * struct memory - where a blob is, and if it is there after the machine has slept
 * @name: of the case
 * @mem: where
 * @result: of using it
 */
struct memory {
	const char *name;
	u32 mem;
	int result;
};

static const struct memory memories[] = {
	{ "guest", VIRTGPU_BLOB_MEM_GUEST, 0 },
	{ "host", VIRTGPU_BLOB_MEM_HOST3D, -EIO },
	{ "both", VIRTGPU_BLOB_MEM_HOST3D_GUEST, -EIO },
};

static void memory_desc(const struct memory *memory, char *desc)
{
	strscpy(desc, memory->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(memory, memories, memory_desc);

/*
 * Succeeds if a blob of the host is an error to who uses it after the machine has slept,
 * and none that the host is asked for. Broken by not noting that it is lost, and by
 * taking it for one that the host still has.
 */
static void blobs_of_the_host_are_lost(struct kunit *test)
{
	const struct memory *memory = test->param_value;
	struct mock_host *host = test->priv;
	unsigned int *made = &host->seen[VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB];
	unsigned int *submitted = &host->seen[VIRTIO_GPU_CMD_SUBMIT_3D];
	struct drm_file *file;
	u32 handle;

	render_hosts(host);
	file = mock_host_open(test, host);
	handle = make_blob(test, file, memory->mem);
	KUNIT_EXPECT_EQ(test, render_with(test, file, handle), 0);
	KUNIT_EXPECT_EQ(test, *submitted, 1);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	memset(host->seen, 0, sizeof(host->seen));
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, render_with(test, file, handle), memory->result);
	KUNIT_EXPECT_EQ(test, *submitted, !memory->result);
	KUNIT_EXPECT_EQ(test, *made, !memory->result);
	drm_gem_handle_delete(file, handle);
	mock_host_settle(host);
}

/*
 * Succeeds if a device wakes whose screen has shown a blob of the host, which is lost,
 * and shows something else. Broken by giving the device up for that picture.
 */
static void picture_is_lost(struct kunit *test)
{
	struct drm_mode_fb_cmd2 cmd = {
		.width = WIDTH,
		.height = MOCK_CLIENT_HEIGHT,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
		.pitches = { WIDTH * 4 },
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_framebuffer *lost, *other;
	struct drm_file *file;

	render_hosts(host);
	file = mock_host_open(test, host);
	cmd.handles[0] = make_blob(test, file, VIRTGPU_BLOB_MEM_HOST3D);
	lost = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lost);
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, lost), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SET_SCANOUT_BLOB], 1);

	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	memset(host->seen, 0, sizeof(host->seen));
	KUNIT_ASSERT_EQ(test, vgpu_restore(&host->vdev), 0);
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, lost), -EIO);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SET_SCANOUT_BLOB], 0);
	other = mock_client_fb(test, file);
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, other), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SET_SCANOUT], 1);

	drm_framebuffer_put(lost);
	drm_gem_handle_delete(file, cmd.handles[0]);
	mock_host_settle(host);
}

/* There is none for what a commit takes, which comes after the host was asked. */
static struct vgpu_cmd *has_no_memory(void)
{
	struct kunit *test = kunit_get_current_test();
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd;

	if (host->seen[VIRTIO_GPU_CMD_GET_DISPLAY_INFO])
		return NULL;
	kunit_deactivate_static_stub(test, vgpu_cmd_create);
	cmd = vgpu_cmd_create();
	kunit_activate_static_stub(test, vgpu_cmd_create, has_no_memory);
	return cmd;
}

/*
 * Succeeds if a picture that cannot be shown again for want of memory is all that is
 * lost. Broken by having the result of that be the result of waking.
 */
static void picture_has_no_memory(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *fb = mock_client_fb(test, file);

	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, fb), 0);
	mock_host_settle(host);
	KUNIT_ASSERT_EQ(test, vgpu_freeze(&host->vdev), 0);
	memset(host->seen, 0, sizeof(host->seen));
	kunit_activate_static_stub(test, vgpu_cmd_create, has_no_memory);
	KUNIT_EXPECT_EQ(test, vgpu_restore(&host->vdev), 0);
	kunit_deactivate_static_stub(test, vgpu_cmd_create);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SET_SCANOUT], 0);

	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, fb), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SET_SCANOUT], 1);
}

static struct kunit_case pm_cases[] = {
	KUNIT_CASE(sleep_and_wake),
	KUNIT_CASE(contexts_come_back),
	KUNIT_CASE(exporter_sleeps_on),
	KUNIT_CASE(window_changes_in_sleep),
	KUNIT_CASE(names_come_back),
	KUNIT_CASE_PARAM(blobs_of_the_host_are_lost, memory_gen_params),
	KUNIT_CASE(picture_is_lost),
	KUNIT_CASE(picture_has_no_memory),
	{}
};

static struct kunit_suite pm_suite = {
	.name = "virtio_gpu_pm",
	.init = pm_test_init,
	.exit = pm_test_exit,
	.test_cases = pm_cases,
};

kunit_test_suite(pm_suite);
