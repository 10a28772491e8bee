// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu blobs
 *
 * Buffers that the host takes as they are, and what there is to know about them:
 * where their memory is, and their names.
 */

#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/virtio_dma_buf.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mode.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_export.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

static int blob_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->has_virgl = true;
	test->priv = host;
	return 0;
}

static void blob_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

static const u8 name[16] = "a name of sixtee";

static struct mock_answer gives_names(struct mock_host *host,
				      const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_resource_uuid uuid;

	memcpy(uuid.uuid, name, sizeof(name));
	return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
			      VIRTIO_GPU_RESP_OK_RESOURCE_UUID, &uuid,
			      sizeof(uuid));
}

static struct dma_buf *export(struct kunit *test, struct drm_gem_object *obj)
{
	struct dma_buf *dmabuf;

	dmabuf = vgpu_prime_export(obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	return dmabuf;
}

static void end_export(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Succeeds if a buffer has the name by which other devices of the host know it. */
static void export_has_a_name(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_object *vobj;
	struct dma_buf *dmabuf;
	uuid_t uuid = {};
	u32 handle;

	vobj = mock_client_object(test, file, &handle);
	dmabuf = export(test, &vobj->storage.base);
	KUNIT_EXPECT_TRUE(test, is_virtio_dma_buf(dmabuf));
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), -ENODEV);
	end_export(dmabuf);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID],
			0);

	host->vgpu->has_uuid = true;
	host->auto_answer = gives_names;
	dmabuf = export(test, &vobj->storage.base);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), 0);
	KUNIT_EXPECT_MEMEQ(test, uuid.b, name, sizeof(name));
	end_export(dmabuf);
	/* it keeps the name that it has */
	dmabuf = export(test, &vobj->storage.base);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), 0);
	end_export(dmabuf);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID],
			1);
	mock_host_settle(host);
}

/* Succeeds if a host that gives no name is no reason not to export. */
static void name_is_refused(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_object *vobj;
	struct dma_buf *dmabuf;
	uuid_t uuid = {};
	u32 handle;

	vobj = mock_client_object(test, file, &handle);
	host->vgpu->has_uuid = true;
	dmabuf = export(test, &vobj->storage.base);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), -ENODEV);
	end_export(dmabuf);
	mock_host_settle(host);
}

/* Succeeds if a blob for other devices gets a name when it is made, and no other. */
static void blob_has_a_name(struct kunit *test)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = VIRTGPU_BLOB_MEM_GUEST,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_CROSS_DEVICE,
	};
	struct mock_host *host = test->priv;
	unsigned int *asked = &host->seen[VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID];
	struct drm_file *file = mock_host_open(test, host);
	struct drm_gem_object *obj;
	struct dma_buf *dmabuf;
	uuid_t uuid = {};

	host->vgpu->has_blob = true;
	host->auto_answer = gives_names;
	KUNIT_EXPECT_EQ(test, mock_client_create_blob(test, file, &args),
			-EINVAL);
	host->vgpu->has_uuid = true;
	KUNIT_ASSERT_EQ(test, mock_client_create_blob(test, file, &args), 0);
	KUNIT_EXPECT_EQ(test, *asked, 1);
	obj = drm_gem_object_lookup(file, args.bo_handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	dmabuf = export(test, obj);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), 0);
	KUNIT_EXPECT_MEMEQ(test, uuid.b, name, sizeof(name));
	end_export(dmabuf);
	drm_gem_object_put(obj);

	args.blob_flags = 0;
	KUNIT_ASSERT_EQ(test, mock_client_create_blob(test, file, &args), 0);
	obj = drm_gem_object_lookup(file, args.bo_handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	dmabuf = export(test, obj);
	KUNIT_EXPECT_EQ(test, virtio_dma_buf_get_uuid(dmabuf, &uuid), -ENODEV);
	end_export(dmabuf);
	drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, *asked, 1);
	mock_host_settle(host);
}

/*
 * Succeeds if a client is told where the memory of its blobs is, and of no blob that it
 * has not asked for. Broken by telling it of none, or of all.
 */
static void memory_of_blobs_is_told(struct kunit *test)
{
	static const u32 mems[] = {
		VIRTGPU_BLOB_MEM_GUEST,
		VIRTGPU_BLOB_MEM_HOST3D,
		VIRTGPU_BLOB_MEM_HOST3D_GUEST,
	};
	struct drm_virtgpu_resource_create_blob args = {};
	struct drm_mode_create_dumb dumb = {
		.width = 1,
		.height = 1,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	u32 handle, mem;
	int i;

	host->vgpu->has_blob = true;
	for (i = 0; i < ARRAY_SIZE(mems); i++) {
		args.blob_mem = mems[i];
		KUNIT_ASSERT_EQ(test,
				mock_client_create_blob(test, file, &args), 0);
		mem = mock_client_blob_mem(test, file, args.bo_handle);
		KUNIT_EXPECT_EQ(test, mem, mems[i]);
	}
	mock_client_object(test, file, &handle);
	KUNIT_EXPECT_EQ(test, mock_client_blob_mem(test, file, handle), 0);

	/* one for the host, as it does not render */
	host->vgpu->has_virgl = false;
	KUNIT_ASSERT_EQ(test, vgpu_dumb_create(file, host->vgpu->drm, &dumb),
			0);
	KUNIT_EXPECT_EQ(test, mock_client_blob_mem(test, file, dumb.handle), 0);
	drm_gem_handle_delete(file, dumb.handle);
	host->vgpu->has_virgl = true;
	mock_host_settle(host);
}

/**
 * struct no_size - a blob that has no place to map it by
 * @name: of the case
 * @mem: where it would be
 * @size: of it, in bytes
 */
struct no_size {
	const char *name;
	u32 mem;
	u64 size;
};

static const struct no_size no_sizes[] = {
	{ "guest, nothing", VIRTGPU_BLOB_MEM_GUEST, 0 },
	{ "guest, too much for pages", VIRTGPU_BLOB_MEM_GUEST, U64_MAX },
	{ "guest, too much for offsets", VIRTGPU_BLOB_MEM_GUEST, BIT_ULL(60) },
	{ "host, nothing", VIRTGPU_BLOB_MEM_HOST3D, 0 },
	{ "host, too much for pages", VIRTGPU_BLOB_MEM_HOST3D, U64_MAX },
	{ "host, too much for offsets", VIRTGPU_BLOB_MEM_HOST3D, BIT_ULL(63) },
	{ "both, nothing", VIRTGPU_BLOB_MEM_HOST3D_GUEST, 0 },
	{ "both, too much for pages", VIRTGPU_BLOB_MEM_HOST3D_GUEST, U64_MAX },
};

static void no_size_desc(const struct no_size *no_size, char *desc)
{
	strscpy(desc, no_size->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(no_size, no_sizes, no_size_desc);

/*
 * Succeeds if a size that no blob has gets the errno that stock's driver has for it, and
 * the host hears of no blob. Broken by calling it a bad argument.
 */
static void blob_has_a_size(struct kunit *test)
{
	const struct no_size *no_size = test->param_value;
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = no_size->mem,
		.size = no_size->size,
	};
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	const struct drm_ioctl_desc *create =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE_BLOB];

	host->vgpu->has_blob = true;
	KUNIT_EXPECT_EQ(test, create->func(host->vgpu->drm, &args, file),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, args.bo_handle, 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB],
			0);
}

static struct kunit_case blob_cases[] = { KUNIT_CASE(export_has_a_name),
					  KUNIT_CASE(name_is_refused),
					  KUNIT_CASE(blob_has_a_name),
					  KUNIT_CASE(memory_of_blobs_is_told),
					  KUNIT_CASE_PARAM(blob_has_a_size,
							   no_size_gen_params),
					  {} };

static struct kunit_suite blob_suite = {
	.name = "virtio_gpu_blob",
	.init = blob_test_init,
	.exit = blob_test_exit,
	.test_cases = blob_cases,
};

kunit_test_suite(blob_suite);
