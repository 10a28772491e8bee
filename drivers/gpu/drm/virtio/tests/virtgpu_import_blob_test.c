// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu imports as blobs
 *
 * A host that takes blobs gets the pages of imported buffers as such. It may refuse, be
 * slow, or say nothing, and the pages may move.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/string.h>

#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_mode_config.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_display.h"
#include "../virtgpu_framebuffer.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

static int import_blob_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	test->priv = host;
	return 0;
}

static void import_blob_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
	flush_delayed_fput();
}

/* The commands of the host, in order. */
static struct {
	u32 types[16];
	unsigned int count;
} heard;

static struct mock_answer notes_commands(struct mock_host *host,
					 const struct vgpu_req *req)
{
	if (heard.count < ARRAY_SIZE(heard.types))
		heard.types[heard.count++] = le32_to_cpu(req->hdr.type);
	return MOCK_OK;
}

/*
 * Succeeds if a context can use a blob whose memory has moved: the host made it
 * anew, and is told of the context before the work that is about it. Once for all
 * handles of a file.
 */
static void moved_blob_is_known(struct kunit *test)
{
	static const u32 wanted[] = {
		VIRTIO_GPU_CMD_RESOURCE_UNREF,
		VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
		VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE,
		VIRTIO_GPU_CMD_SUBMIT_3D,
	};
	struct drm_virtgpu_execbuffer args = { .num_bo_handles = 1 };
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;
	struct drm_file *file;
	u32 handle = 0, other = 0;

	host->vgpu->has_blob = true;
	host->vgpu->has_virgl = true;
	file = mock_host_open(test, host);
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(file, obj, &handle), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(file, obj, &other), 0);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE],
			1);

	memset(&heard, 0, sizeof(heard));
	host->auto_answer = notes_commands;
	mock_move(dmabuf);
	mock_host_settle(host);
	args.bo_handles = mock_client_copy(test, &handle, sizeof(handle));
	KUNIT_EXPECT_EQ(test, mock_client_execbuffer(test, file, &args), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, heard.count, ARRAY_SIZE(wanted));
	KUNIT_EXPECT_MEMEQ(test, heard.types, wanted, sizeof(wanted));

	drm_gem_handle_delete(file, other);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, heard.count, ARRAY_SIZE(wanted));
	drm_gem_handle_delete(file, handle);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE],
			1);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/*
 * Succeeds if a client learns that an import is a blob, which has no shape until a
 * renderer gives it one. Broken by telling only of blobs that a client has made.
 */
static void client_is_told(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;
	struct drm_file *file;
	u32 handle = 0;

	host->vgpu->has_blob = true;
	file = mock_host_open(test, host);
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(file, obj, &handle), 0);
	drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, mock_client_blob_mem(test, file, handle),
			VIRTGPU_BLOB_MEM_GUEST);
	drm_gem_handle_delete(file, handle);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Succeeds if a host that takes blobs gets the pages as one, if the size is right. */
static void import_is_a_blob(struct kunit *test)
{
	struct mock_host *host = test->priv;
	unsigned int *made = &host->seen[VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB];
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;

	host->vgpu->has_blob = true;
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_TRUE(test, to_vgpu_object(obj)->guest_blob);
	KUNIT_EXPECT_EQ(test, to_vgpu_object(obj)->res.kind, VGPU_RES_BLOB);
	KUNIT_EXPECT_EQ(test, *made, 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_UNREF], 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);

	/* and not as what the host would refuse */
	host->vgpu->blob_alignment = 2 * PAGE_SIZE;
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_FALSE(test, to_vgpu_object(obj)->guest_blob);
	KUNIT_EXPECT_EQ(test, *made, 1);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Succeeds if a signal ends the wait for the host's word, and nothing stays mapped. */
static void blob_is_interrupted(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct drm_gem_object *obj;

	host->vgpu->has_blob = true;
	host->auto_answer = NULL;
	mock_signal(true);
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	mock_signal(false);
	KUNIT_EXPECT_PTR_EQ(test, obj, ERR_PTR(-ERESTARTSYS));
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	/* it is asked, and told that it is not needed */
	KUNIT_ASSERT_EQ(test, mock_host_waiting(host), 2);
	mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
	flush_work(&host->vgpu->release);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 1);
	mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
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

	/* DRM's helper has made one that has no framebuffers */
	drm_mode_config_cleanup(drm);
	host->vgpu->num_outputs = 1;
	KUNIT_ASSERT_EQ(test, vgpu_display_init(host->vgpu), 0);
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
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);

	KUNIT_EXPECT_EQ(test, drm_gem_handle_create(file, obj, &cmd.handles[0]),
			0);
	drm_gem_object_put(obj);
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	view = to_vgpu_framebuffer(fb)->has_view;
	KUNIT_EXPECT_TRUE(test, view);
	drm_framebuffer_put(fb);
	drm_gem_handle_delete(file, cmd.handles[0]);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* A command that the host has read, and does not answer yet. */
static struct vgpu_cmd *send_unanswered(struct kunit *test,
					struct vgpu_fence *fence)
{
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd = vgpu_cmd_create();

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	vgpu_req_unref(&cmd->req, 1);
	vgpu_cmd_set_fence(cmd, fence);
	host->auto_answer = NULL;
	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	KUNIT_ASSERT_EQ(test, mock_host_waiting(host), 1);
	host->next++;
	return cmd;
}

/* The first of a ring that was empty is the first descriptor. */
static void answer_after_all(struct mock_host *host)
{
	host->auto_answer = mock_host_obeys;
	mock_host_use(host, 0, 0);
	/* what it was told of before */
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
}

/*
 * Succeeds if the host's word on a blob is not waited for behind work that takes its
 * time, nor taken for a refusal then. Broken by waiting for a fence.
 */
static void blob_while_host_works(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_fence *work = vgpu_fence_create(&host->vgpu->fences);
	struct drm_gem_object *obj;

	KUNIT_ASSERT_NOT_NULL(test, work);
	host->vgpu->has_blob = true;
	vgpu_cmd_put(send_unanswered(test, work));
	host->auto_answer = mock_host_obeys;
	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_TRUE(test, to_vgpu_object(obj)->guest_blob);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&work->base));

	answer_after_all(host);
	vgpu_fence_put(work);
	drm_gem_object_put(obj);
	mock_host_settle(host);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/*
 * Succeeds if a host that has not answered to others for so long is not waited for once
 * more, and that is no refusal. Broken by asking it.
 */
static void blob_of_silent_host(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_exporter exporter = {};
	struct dma_buf *dmabuf = mock_export(test, &exporter);
	struct vgpu_cmd *cmd = send_unanswered(test, NULL);

	host->vgpu->has_blob = true;
	cmd->queued = jiffies - VGPU_ANSWER_TIMEOUT;
	host->vgpu->ctrl.heard = jiffies - VGPU_ANSWER_TIMEOUT;
	KUNIT_EXPECT_PTR_EQ(test, vgpu_prime_import(host->vgpu->drm, dmabuf),
			    ERR_PTR(-ETIMEDOUT));
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);
	KUNIT_EXPECT_EQ(test, exporter.mapped, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&dmabuf->attachments));

	answer_after_all(host);
	vgpu_cmd_put(cmd);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

static struct kunit_case import_blob_cases[] = {
	KUNIT_CASE(moved_blob_is_known), KUNIT_CASE(client_is_told),
	KUNIT_CASE(import_is_a_blob),	 KUNIT_CASE(blob_is_interrupted),
	KUNIT_CASE(blob_is_refused),	 KUNIT_CASE(blob_while_host_works),
	KUNIT_CASE(blob_of_silent_host), {}
};

static struct kunit_suite import_blob_suite = {
	.name = "virtio_gpu_import_blob",
	.init = import_blob_test_init,
	.exit = import_blob_test_exit,
	.test_cases = import_blob_cases,
};

kunit_test_suite(import_blob_suite);
