// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu without memory
 *
 * Every allocation of a system call fails once, alone and with all that follow. The
 * call gives -ENOMEM, or does without; made again it works, and the kernel's own
 * checks (KASAN, kmemleak) tell whether the first attempt has left anything.
 */

#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/virtgpu_drm.h>

#include "../../../../dma-buf/tests/dma_buf_fault.h"
#include "../virtgpu_caps.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_submit.h"
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
};

static struct mock_answer tells_capset(struct mock_host *host,
				       const struct vgpu_req *req)
{
	static const struct virtio_gpu_ctrl_hdr capset[2];

	return mock_host_says(req, VIRTIO_GPU_CMD_GET_CAPSET,
			      VIRTIO_GPU_RESP_OK_CAPSET, capset,
			      sizeof(capset));
}

static int fault_test_init(struct kunit *test)
{
	static struct vgpu_capset capset = {
		.id = CAPSET,
		.max_version = 1,
		.max_size = sizeof(struct virtio_gpu_ctrl_hdr),
	};
	struct fault_ctx *ctx;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->host = mock_host_create(test);
	ctx->host->auto_answer = tells_capset;
	ctx->host->vgpu->has_virgl = true;
	ctx->host->vgpu->capsets = &capset;
	ctx->host->vgpu->num_capsets = 1;
	ctx->file = mock_host_open(test, ctx->host);
	ctx->user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE,
				  PROT_READ | PROT_WRITE,
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

	if (ctx)
		mock_host_end(ctx->host);
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

	ret = vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE].func(ctx->host->vgpu->drm,
							    &args, ctx->file);
	ctx->handle = ret ? 0 : args.bo_handle;
	/* what DRM says without memory for a number */
	return ret == -ENOSPC ? -ENOMEM : ret;
}

static void end_buffer(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	drm_gem_handle_delete(ctx->file, ctx->handle);
	mock_host_settle(ctx->host);
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

	return vgpu_ioctls[DRM_VIRTGPU_TRANSFER_TO_HOST].func(ctx->host->vgpu->drm,
							      &args, ctx->file);
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

static const struct fault_op ops[] = {
	{
		.name = "virtio-gpu create",
		.run = create,
		.good = end_buffer,
		.least = 5,
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

static struct kunit_case fault_cases[] = {
	KUNIT_CASE_PARAM(out_of_memory, op_gen_params),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "virtio_gpu_fault",
	.init = fault_test_init,
	.exit = fault_test_exit,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
