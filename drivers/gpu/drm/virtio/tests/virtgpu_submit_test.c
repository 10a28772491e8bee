// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu submission
 *
 * What a client asks for has changed nothing if it fails, and waits where a signal
 * ends it.
 */

#include <kunit/test.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_syncobj.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_context.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_export.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

static int submit_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->has_virgl = true;
	test->priv = host;
	return 0;
}

static void submit_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

static struct drm_syncobj *make_syncobj(struct kunit *test,
					struct drm_file *file, u32 *handle)
{
	struct drm_syncobj *syncobj = NULL;
	int ret;

	ret = drm_syncobj_create(&syncobj, DRM_SYNCOBJ_CREATE_SIGNALED, NULL);
	KUNIT_ASSERT_EQ(test, ret, 0);
	ret = drm_syncobj_get_handle(file, syncobj, handle);
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* the file has the other reference */
	drm_syncobj_put(syncobj);
	return syncobj;
}

static bool has_fence(struct drm_syncobj *syncobj)
{
	struct dma_fence *fence = drm_syncobj_fence_get(syncobj);

	dma_fence_put(fence);
	return fence;
}

/* Succeeds if syncobjs are reset by a submission, not by one that fails. */
static void syncobjs_are_reset_last(struct kunit *test)
{
	struct drm_virtgpu_execbuffer_syncobj in = {
		.flags = VIRTGPU_EXECBUF_SYNCOBJ_RESET,
	};
	struct drm_virtgpu_execbuffer args = {
		.flags = VIRTGPU_EXECBUF_FENCE_FD_IN,
		.fence_fd = -1,
		.syncobj_stride = sizeof(in),
		.num_in_syncobjs = 1,
	};
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_syncobj *syncobj = make_syncobj(test, file, &in.handle);

	args.in_syncobjs = mock_client_copy(test, &in, sizeof(in));
	/* the fence to wait for is looked at after the syncobjs */
	KUNIT_EXPECT_EQ(test, mock_client_execbuffer(test, file, &args),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, has_fence(syncobj));

	args.flags = 0;
	KUNIT_EXPECT_EQ(test, mock_client_execbuffer(test, file, &args), 0);
	KUNIT_EXPECT_FALSE(test, has_fence(syncobj));
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SUBMIT_3D], 1);
	mock_host_settle(host);
}

/*
 * Succeeds if sizes of 2 GiB and more are refused before somebody asks the
 * allocator for as much, which would warn.
 */
static void sizes_are_too_large(struct kunit *test)
{
	struct drm_virtgpu_resource_create_blob blob = {
		.blob_mem = VIRTGPU_BLOB_MEM_HOST3D,
		.cmd_size = 1u << 31,
		.size = PAGE_SIZE,
	};
	struct drm_virtgpu_execbuffer args = { .size = 1u << 31 };
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	const struct drm_ioctl_desc *create =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE_BLOB];

	KUNIT_EXPECT_EQ(test, mock_client_execbuffer(test, file, &args),
			-ENOMEM);
	args.size = 0;
	args.num_bo_handles = 1u << 29;
	args.bo_handles = mock_client_copy(test, &args, sizeof(args));
	KUNIT_EXPECT_EQ(test, mock_client_execbuffer(test, file, &args),
			-ENOMEM);

	host->vgpu->has_blob = true;
	blob.cmd = args.bo_handles;
	KUNIT_EXPECT_EQ(test, create->func(host->vgpu->drm, &blob, file),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SUBMIT_3D], 0);
	mock_host_settle(host);
}

/* Succeeds if all that makes commands waits for room, where a signal ends it. */
static void makers_wait_for_room(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct drm_virtgpu_context_init init = {};
	struct drm_file *file = mock_host_open(test, host);
	struct drm_file *other = mock_host_open(test, host);
	struct vgpu_object *vobj;
	u32 handle, again = 0;
	int ret, fd;

	vobj = mock_client_object(test, file, &handle);
	vgpu->has_context_init = true;
	mock_signal(true);

	/* what is in the way of all is not there, so only the signal ends it */
	vgpu->ctrl.num_backlog += VGPU_BACKLOG_LIMIT;
	ret = drm_gem_handle_create(other, &vobj->storage.base, &again);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	ret = vgpu_context_init_ioctl(vgpu->drm, &init, other);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 1);
	vgpu->has_uuid = true;
	vgpu->has_blob = true;
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS,
			vgpu_prime_handle_to_fd(vgpu->drm, file, 0, 0, &fd));
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS,
			vgpu_prime_fd_to_handle(vgpu->drm, file, -1, &again));

	/* with room there is no wait for the signal to end */
	vgpu->ctrl.num_backlog -= VGPU_BACKLOG_LIMIT;
	KUNIT_EXPECT_EQ(test, -ENOENT,
			vgpu_prime_handle_to_fd(vgpu->drm, file, 0, 0, &fd));
	KUNIT_EXPECT_EQ(test, -EBADF,
			vgpu_prime_fd_to_handle(vgpu->drm, file, -1, &again));
	vgpu->has_uuid = false;
	vgpu->has_blob = false;
	ret = vgpu_context_init_ioctl(vgpu->drm, &init, other);
	KUNIT_EXPECT_EQ(test, ret, 0);
	ret = drm_gem_handle_create(other, &vobj->storage.base, &again);
	KUNIT_EXPECT_EQ(test, ret, 0);
	mock_signal(false);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 2);
	mock_host_settle(host);
}

static struct kunit_case submit_cases[] = { KUNIT_CASE(syncobjs_are_reset_last),
					    KUNIT_CASE(sizes_are_too_large),
					    KUNIT_CASE(makers_wait_for_room),
					    {} };

static struct kunit_suite submit_suite = {
	.name = "virtio_gpu_submit",
	.init = submit_test_init,
	.exit = submit_test_exit,
	.test_cases = submit_cases,
};

kunit_test_suite(submit_suite);
