// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu without memory
 *
 * The system calls of a client; other files have what the bridge, mode setting and the
 * transport call.
 *
 * Every allocation of a system call fails once, alone and with all that follow. The
 * call gives -ENOMEM, or does without; made again it works, and the kernel's own
 * checks (KASAN, kmemleak) tell whether the first attempt has left anything.
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mm.h>
#include <drm/virtgpu_drm.h>

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "../virtgpu_caps.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_resp.h"
#include "../virtgpu_submit.h"
#include "../virtgpu_vram.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

#define CAPSET 1

/**
 * struct fault_ctx - what the attempts work on
 */
struct fault_ctx {
	/** @host: of the device */
	struct mock_host *host;

	/** @file: the client */
	struct drm_file *file;

	/** @handle: of the buffer that was made last, 0 for none */
	u32 handle;

	/** @user: memory of the client */
	u64 user;

	/** @addr: what it has mapped, or an errno */
	unsigned long addr;

	/** @newcomer: another client, without a context */
	struct drm_file *newcomer;
};

static struct mock_answer answers(struct mock_host *host,
				  const struct vgpu_req *req)
{
	static const struct virtio_gpu_ctrl_hdr capset[2];
	static const struct virtio_gpu_resp_resource_uuid uuid;
	static const struct virtio_gpu_resp_map_info info = {
		.map_info = VIRTIO_GPU_MAP_CACHE_CACHED,
	};

	switch (le32_to_cpu(req->hdr.type)) {
	case VIRTIO_GPU_CMD_GET_CAPSET:
		return mock_host_says(req, VIRTIO_GPU_CMD_GET_CAPSET,
				      VIRTIO_GPU_RESP_OK_CAPSET, capset,
				      sizeof(capset));
	case VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID:
		return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
				      VIRTIO_GPU_RESP_OK_RESOURCE_UUID, &uuid,
				      sizeof(uuid));
	default:
		return mock_host_says(req, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB,
				      VIRTIO_GPU_RESP_OK_MAP_INFO, &info,
				      sizeof(info));
	}
}

/* A window to the host's memory that is a page of ours. */
static void make_window(struct kunit *test, struct vgpu_device *vgpu)
{
	vgpu->window.addr = page_to_phys(mock_page(test));
	vgpu->window.len = PAGE_SIZE;
	KUNIT_ASSERT_TRUE(test, vgpu_vram_init_window(vgpu));
}

static int fault_test_init(struct kunit *test)
{
	static struct vgpu_capset capset = {
		.id = CAPSET,
		.max_version = 1,
		.max_size = sizeof(struct virtio_gpu_ctrl_hdr),
	};
	struct vgpu_device *vgpu;
	struct fault_ctx *ctx;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->host = mock_host_create(test);
	ctx->host->auto_answer = answers;
	vgpu = ctx->host->vgpu;
	vgpu->has_virgl = true;
	vgpu->has_blob = true;
	vgpu->has_uuid = true;
	vgpu->has_context_init = true;
	vgpu->capsets = &capset;
	vgpu->num_capsets = 1;
	vgpu->capset_mask = BIT_ULL(CAPSET);
	make_window(test, vgpu);
	ctx->file = mock_host_open(test, ctx->host);
	ctx->user =
		kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_NE(test, ctx->user, 0);
	/* the page is there from now on */
	KUNIT_ASSERT_EQ(test, clear_user(u64_to_user_ptr(ctx->user), 64), 0);
	test->priv = ctx;
	return 0;
}

static void fault_test_exit(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	if (!ctx)
		return;
	mock_host_end(ctx->host);
	drm_mm_takedown(&ctx->host->vgpu->window_mm);
}

static int call(struct fault_ctx *ctx, unsigned int nr, void *args,
		struct drm_file *file)
{
	return vgpu_ioctls[nr].func(ctx->host->vgpu->drm, args, file);
}

static int create(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct drm_virtgpu_resource_create args = {
		.target = 2,
		.width = 16,
		.height = 16,
		.size = PAGE_SIZE,
	};
	int ret;

	ret = call(ctx, DRM_VIRTGPU_RESOURCE_CREATE, &args, ctx->file);
	ctx->handle = ret ? 0 : args.bo_handle;
	/* what DRM says without memory for a number */
	return ret == -ENOSPC ? -ENOMEM : ret;
}

/* Nobody has a buffer, or a place in the window. */
static void expect_nothing(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct vgpu_device *vgpu = ctx->host->vgpu;

	mock_host_settle(ctx->host);
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->file->object_idr));
	KUNIT_EXPECT_TRUE(test, list_empty(&vgpu->objects));
	KUNIT_EXPECT_TRUE(test, drm_mm_clean(&vgpu->window_mm));
}

static void end_buffer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	drm_gem_handle_delete(ctx->file, ctx->handle);
	expect_nothing(test);
}

static void have_buffer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, create(test), 0);
	mock_host_settle(ctx->host);
	KUNIT_ASSERT_EQ(test, 0,
			put_user(ctx->handle,
				 (u32 __user *)u64_to_user_ptr(ctx->user)));
}

static int execbuffer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct drm_virtgpu_execbuffer args = {
		.command = ctx->user,
		.size = sizeof(u32),
		.num_bo_handles = 1,
		.bo_handles = ctx->user,
	};
	int ret;

	ret = vgpu_execbuffer_ioctl(ctx->host->vgpu->drm, &args, ctx->file);
	/* what a client of the original driver gets for its list of buffers */
	return ret == -ENOENT ? -ENOMEM : ret;
}

static int transfer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct drm_virtgpu_3d_transfer_to_host args = {
		.bo_handle = ctx->handle,
	};

	return call(ctx, DRM_VIRTGPU_TRANSFER_TO_HOST, &args, ctx->file);
}

static int get_caps(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct drm_virtgpu_get_caps args = {
		.cap_set_id = CAPSET,
		.cap_set_ver = 1,
		.addr = ctx->user,
		.size = 16,
	};

	return vgpu_get_caps_ioctl(ctx->host->vgpu->drm, &args, ctx->file);
}

static void forget_caps(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	mock_host_settle(ctx->host);
	vgpu_caps_forget(ctx->host->vgpu);
}

static int create_blob(struct kunit *test, u32 mem, u32 cmd_size)
{
	struct fault_ctx *ctx = test->priv;
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = mem,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE |
			      VIRTGPU_BLOB_FLAG_USE_CROSS_DEVICE,
		.size = PAGE_SIZE,
		.cmd = ctx->user,
		.cmd_size = cmd_size,
	};
	int ret;

	ret = call(ctx, DRM_VIRTGPU_RESOURCE_CREATE_BLOB, &args, ctx->file);
	ctx->handle = ret ? 0 : args.bo_handle;
	return ret == -ENOSPC ? -ENOMEM : ret;
}

static int create_guest_blob(struct kunit *test)
{
	return create_blob(test, VIRTGPU_BLOB_MEM_GUEST, 0);
}

static int create_host_blob(struct kunit *test)
{
	return create_blob(test, VIRTGPU_BLOB_MEM_HOST3D, sizeof(u32));
}

static void have_host_blob(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, create_host_blob(test), 0);
	mock_host_settle(ctx->host);
}

static int map(struct kunit *test)
{
	struct drm_virtgpu_map args = {};
	struct fault_ctx *ctx = test->priv;
	u32 value = 0;
	int ret;

	args.handle = ctx->handle;
	ctx->addr = -ENOMEM;
	ret = call(ctx, DRM_VIRTGPU_MAP, &args, ctx->file);
	if (ret)
		return ret;
	ctx->addr = vm_mmap(ctx->file->filp, 0, PAGE_SIZE,
			    PROT_READ | PROT_WRITE, MAP_SHARED, args.offset);
	if (IS_ERR_VALUE(ctx->addr))
		return ctx->addr;
	/* the page is entered by a fault, which has no errno */
	ret = get_user(value, (u32 __user *)ctx->addr);
	KUNIT_EXPECT_EQ(test, value, 0);
	return ret ? -ENOMEM : 0;
}

static void end_map(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	if (!IS_ERR_VALUE(ctx->addr))
		KUNIT_EXPECT_EQ(test, vm_munmap(ctx->addr, PAGE_SIZE), 0);
}

static const struct drm_virtgpu_context_set_param wishes[] = {
	{ VIRTGPU_CONTEXT_PARAM_CAPSET_ID, CAPSET },
	{ VIRTGPU_CONTEXT_PARAM_NUM_RINGS, 2 },
	{ VIRTGPU_CONTEXT_PARAM_POLL_RINGS_MASK, 2 },
};

static void have_newcomer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct file *filp;

	filp = mock_drm_getfile(ctx->host->vgpu->drm->primary, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	ctx->newcomer = filp->private_data;
	KUNIT_EXPECT_EQ(test, 0,
			copy_to_user(u64_to_user_ptr(ctx->user), wishes,
				     sizeof(wishes)));
}

static int init_context(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct drm_virtgpu_context_init args = {
		.num_params = ARRAY_SIZE(wishes),
		.ctx_set_params = ctx->user,
	};

	return call(ctx, DRM_VIRTGPU_CONTEXT_INIT, &args, ctx->newcomer);
}

/* What a client wants it may say again, as nothing of it was done. */
static void init_context_again(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, init_context(test), 0);
}

static void end_newcomer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	__fput_sync(ctx->newcomer->filp);
	mock_host_settle(ctx->host);
}

static const struct fault_op ops[] = {
	{
		.name = "virtio-gpu create",
		.run = create,
		.good = end_buffer,
		.refused = expect_nothing,
		.least = 5,
	},
	{
		.name = "virtio-gpu guest blob",
		.run = create_guest_blob,
		.good = end_buffer,
		.refused = expect_nothing,
		.least = 8,
	},
	{
		.name = "virtio-gpu host blob",
		.run = create_host_blob,
		.good = end_buffer,
		.refused = expect_nothing,
		.least = 8,
	},
	{
		.name = "virtio-gpu map of a host blob",
		.prepare = have_host_blob,
		.run = map,
		.good = end_map,
		.refused = end_map,
		.finish = end_buffer,
		.least = 1,
	},
	{
		.name = "virtio-gpu context",
		.prepare = have_newcomer,
		.run = init_context,
		.refused = init_context_again,
		.finish = end_newcomer,
		.least = 1,
	},
	{
		.name = "virtio-gpu execbuffer",
		.prepare = have_buffer,
		.run = execbuffer,
		.finish = end_buffer,
		.least = 4,
	},
	{
		.name = "virtio-gpu transfer",
		.prepare = have_buffer,
		.run = transfer,
		.finish = end_buffer,
		.least = 2,
	},
	{
		.name = "virtio-gpu capset",
		.run = get_caps,
		.finish = forget_caps,
		.least = 4,
	},
};

static void op_desc(const struct fault_op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, ops, op_desc);

/* Succeeds if every allocation can fail. */
static void out_of_memory(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case fault_cases[] = { KUNIT_CASE_PARAM(out_of_memory,
							    op_gen_params),
					   {} };

static struct kunit_suite fault_suite = {
	.name = "virtio_gpu_fault",
	.init = fault_test_init,
	.exit = fault_test_exit,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
