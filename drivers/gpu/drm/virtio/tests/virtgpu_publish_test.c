// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu handles that are lost at once
 *
 * A handle is a small number, so another thread can close it before the system call
 * that makes it has returned. Here one always does, at the first moment at which it
 * can. The call must not look at the buffer after that: what it tells of it, it has
 * read before.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/string.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mode.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_gem.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_host.h"

/* What a resource is called once it is too late to ask. */
#define LATE 0xdead

/**
 * struct publish_ctx - what the host and the other thread see
 * @made: the resource that the host was told to make, or 0
 * @refs: references on the buffer when the handle was closed
 */
struct publish_ctx {
	u32 made;
	unsigned int refs;
};

static struct mock_answer notes_resource(struct mock_host *host,
					 const struct vgpu_req *req)
{
	struct publish_ctx *ctx = host->priv;

	switch (le32_to_cpu(req->hdr.type)) {
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
		ctx->made = le32_to_cpu(req->create_2d.resource_id);
		break;
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		ctx->made = le32_to_cpu(req->create_blob.resource_id);
		break;
	}
	return MOCK_OK;
}

static int publish_test_init(struct kunit *test)
{
	struct publish_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_host *host = mock_host_create(test);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	host->auto_answer = notes_resource;
	host->priv = ctx;
	host->vgpu->has_blob = true;
	test->priv = host;
	return 0;
}

static void publish_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

static int create_and_close(struct drm_file *file, struct drm_gem_object *obj,
			    u32 *handle)
{
	struct kunit *test = kunit_get_current_test();
	struct mock_host *host = test->priv;
	struct publish_ctx *ctx = host->priv;
	int ret = drm_gem_handle_create(file, obj, handle);

	if (ret)
		return ret;
	mock_host_settle(host);
	drm_gem_handle_delete(file, *handle);
	ctx->refs = kref_read(&obj->refcount);
	to_vgpu_object(obj)->res.id = LATE;
	return 0;
}

static int create_dumb(struct kunit *test, struct drm_file *file, u32 *res)
{
	struct drm_mode_create_dumb args = {
		.width = 16,
		.height = 16,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	int ret = vgpu_dumb_create(file, host->vgpu->drm, &args);

	KUNIT_EXPECT_EQ(test, args.size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, args.pitch, 16 * 4);
	return ret;
}

static int create_texture(struct kunit *test, struct drm_file *file, u32 *res)
{
	struct drm_virtgpu_resource_create args = {
		.target = 2,
		.width = 16,
		.height = 16,
		.size = PAGE_SIZE,
	};
	struct mock_host *host = test->priv;
	int ret;

	ret = vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE].func(host->vgpu->drm,
							    &args, file);
	*res = args.res_handle;
	return ret;
}

static int create_blob(struct kunit *test, struct drm_file *file, u32 *res)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = VIRTGPU_BLOB_MEM_GUEST,
		.size = PAGE_SIZE,
	};
	struct mock_host *host = test->priv;
	const struct drm_ioctl_desc *desc =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE_BLOB];
	int ret = desc->func(host->vgpu->drm, &args, file);

	*res = args.res_handle;
	return ret;
}

/**
 * struct way - how a client gets a buffer
 * @name: of the case
 * @create: makes one, and says which resource it is, if the call tells
 */
struct way {
	const char *name;
	int (*create)(struct kunit *test, struct drm_file *file, u32 *res);
};

static const struct way ways[] = {
	{ "dumb", create_dumb },
	{ "texture", create_texture },
	{ "blob", create_blob },
};

static void way_desc(const struct way *way, char *desc)
{
	strscpy(desc, way->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(way, ways, way_desc);

/* Succeeds if a handle that is closed at once is the last thing that a call makes. */
static void handle_is_closed_at_once(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct mock_host *host = test->priv;
	struct publish_ctx *ctx = host->priv;
	struct drm_file *file = mock_host_open(test, host);
	u32 res = 0;

	kunit_activate_static_stub(test, vgpu_handle_create, create_and_close);
	KUNIT_EXPECT_EQ(test, way->create(test, file, &res), 0);
	kunit_deactivate_static_stub(test, vgpu_handle_create);

	/* that of the call, which it gives up when it is done */
	KUNIT_EXPECT_EQ(test, ctx->refs, 1);
	KUNIT_EXPECT_EQ(test, res, ctx->made);
	mock_host_settle(host);
	KUNIT_EXPECT_TRUE(test, list_empty(&host->vgpu->objects));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&file->object_idr));
}

static struct kunit_case publish_cases[] = {
	KUNIT_CASE_PARAM(handle_is_closed_at_once, way_gen_params),
	{}
};

static struct kunit_suite publish_suite = {
	.name = "virtio_gpu_publish",
	.init = publish_test_init,
	.exit = publish_test_exit,
	.test_cases = publish_cases,
};

kunit_test_suite(publish_suite);
