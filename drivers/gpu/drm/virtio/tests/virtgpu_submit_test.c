// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu submission
 *
 * What a client asks for begins when what others do with the buffers is over,
 * waits where a signal ends it, and has changed nothing if it fails.
 */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/math.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mm.h>
#include <drm/drm_mode.h>
#include <drm/drm_syncobj.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_caps.h"
#include "../virtgpu_context.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_object.h"
#include "../virtgpu_submit.h"
#include "../virtgpu_vram.h"
#include "virtgpu_mock_host.h"

#define CAPSET 2

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

/* A buffer that a context renders with, and that the file has. */
static struct vgpu_object *make_object(struct kunit *test,
				       struct drm_file *file, u32 *handle)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vobj->res.kind = VGPU_RES_3D;
	vgpu_object_publish(vobj);
	ret = drm_gem_handle_create(file, &vobj->storage.base, handle);
	drm_gem_object_put(&vobj->storage.base);
	KUNIT_ASSERT_EQ(test, ret, 0);
	mock_host_settle(host);
	return vobj;
}

/* What a process would have at the address that is returned. */
static u64 user_copy(struct kunit *test, const void *data, size_t size)
{
	unsigned long addr, left;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	left = copy_to_user((void __user *)addr, data, size);
	KUNIT_ASSERT_EQ(test, left, 0);
	return addr;
}

static int execbuffer(struct kunit *test, struct drm_file *file,
		      struct drm_virtgpu_execbuffer *args)
{
	struct mock_host *host = test->priv;
	const u32 nothing = 0;

	args->command = user_copy(test, &nothing, sizeof(nothing));
	args->size = args->size ?: sizeof(nothing);
	return vgpu_execbuffer_ioctl(host->vgpu->drm, args, file);
}

static int transfer(struct kunit *test, struct drm_file *file, u32 handle,
		    bool to_host)
{
	struct drm_virtgpu_3d_transfer_to_host args = { .bo_handle = handle };
	struct mock_host *host = test->priv;
	const struct drm_ioctl_desc *desc;

	desc = &vgpu_ioctls[to_host ? DRM_VIRTGPU_TRANSFER_TO_HOST :
				      DRM_VIRTGPU_TRANSFER_FROM_HOST];
	return desc->func(host->vgpu->drm, &args, file);
}

static int use(struct kunit *test, struct drm_file *file, u32 handle, u32 type)
{
	struct drm_virtgpu_execbuffer args = { .num_bo_handles = 1 };

	if (type != VIRTIO_GPU_CMD_SUBMIT_3D)
		return transfer(test, file, handle,
				type == VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D);
	args.bo_handles = user_copy(test, &handle, sizeof(handle));
	return execbuffer(test, file, &args);
}

/**
 * struct foreign - what somebody else does with a buffer, and what we do
 * @type: our command
 * @usage: of the buffer by the other
 * @waits: whether ours has to wait
 */
struct foreign {
	u32 type;
	enum dma_resv_usage usage;
	bool waits;
};

static const struct foreign foreigners[] = {
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, DMA_RESV_USAGE_KERNEL, true },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, DMA_RESV_USAGE_WRITE, true },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, DMA_RESV_USAGE_READ, false },
	{ VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, DMA_RESV_USAGE_WRITE, true },
	{ VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, DMA_RESV_USAGE_READ, true },
	{ VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, DMA_RESV_USAGE_BOOKKEEP,
	  false },
	{ VIRTIO_GPU_CMD_SUBMIT_3D, DMA_RESV_USAGE_WRITE, true },
	{ VIRTIO_GPU_CMD_SUBMIT_3D, DMA_RESV_USAGE_READ, true },
};

static void foreign_desc(const struct foreign *foreign, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "command %#x usage %d",
		 foreign->type, foreign->usage);
}

KUNIT_ARRAY_PARAM(foreign, foreigners, foreign_desc);

/**
 * struct count - commands of a type that the host has seen
 * @host: the host
 * @type: the type
 */
struct count {
	struct mock_host *host;
	u32 type;
};

/* The host is told at once, so it would have seen what was sent too early. */
static int count_seen(void *arg)
{
	struct count *count = arg;

	return count->host->seen[count->type];
}

/* Succeeds if the host begins when others are done, and no later. */
static void waits_for_others(struct kunit *test)
{
	const struct foreign *foreign = test->param_value;
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_fence *fence = mock_fence_create(test);
	struct count count = { host, foreign->type };
	struct vgpu_object *vobj;
	u32 handle;

	vobj = make_object(test, file, &handle);
	fence->look = count_seen;
	fence->arg = &count;
	fence->seen = -1;
	mock_fence_add(test, fence, &vobj->storage.base, foreign->usage);

	KUNIT_EXPECT_EQ(test, use(test, file, handle, foreign->type), 0);
	KUNIT_EXPECT_EQ(test, fence->waits, foreign->waits);
	KUNIT_EXPECT_EQ(test, fence->seen, foreign->waits ? 0 : -1);
	KUNIT_EXPECT_EQ(test, count_seen(&count), 1);
	mock_host_settle(host);
}

/* Succeeds if a signal ends that wait, and nothing was sent. */
static void wait_for_others_ends(struct kunit *test)
{
	const struct foreign *foreign = test->param_value;
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct mock_fence *fence = mock_fence_create(test);
	struct vgpu_object *vobj;
	u32 handle;

	if (!foreign->waits)
		kunit_skip(test, "there is nothing to wait for");
	vobj = make_object(test, file, &handle);
	fence->stays = true;
	mock_fence_add(test, fence, &vobj->storage.base, foreign->usage);

	mock_signal(true);
	KUNIT_EXPECT_EQ(test, use(test, file, handle, foreign->type),
			-ERESTARTSYS);
	mock_signal(false);
	KUNIT_EXPECT_EQ(test, fence->waits, 1);
	KUNIT_EXPECT_EQ(test, host->seen[foreign->type], 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_trylock(vobj->storage.base.resv));
	dma_resv_unlock(vobj->storage.base.resv);
}

/**
 * struct holder - a thread that has a reservation lock until it is told to end
 * @resv: the lock
 * @has: completed when it has it
 * @end: completed when it may give it back
 */
struct holder {
	struct dma_resv *resv;
	struct completion has;
	struct completion end;
};

static int hold(void *data)
{
	struct holder *holder = data;

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->has);
	wait_for_completion(&holder->end);
	dma_resv_unlock(holder->resv);
	return 0;
}

/* Succeeds if a signal ends the wait for a lock that others have, and nothing was sent. */
static void wait_for_lock_ends(struct kunit *test)
{
	const struct foreign *foreign = test->param_value;
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct holder holder = {};
	struct task_struct *thread;
	struct vgpu_object *vobj;
	u32 handle;

	vobj = make_object(test, file, &handle);
	holder.resv = vobj->storage.base.resv;
	init_completion(&holder.has);
	init_completion(&holder.end);
	thread = kthread_run(hold, &holder, "holder");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	get_task_struct(thread);
	wait_for_completion(&holder.has);

	mock_signal(true);
	KUNIT_EXPECT_EQ(test, use(test, file, handle, foreign->type),
			-ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, vgpu_object_lock(vobj), -ERESTARTSYS);
	mock_signal(false);
	complete(&holder.end);
	kthread_stop(thread);
	put_task_struct(thread);
	KUNIT_EXPECT_EQ(test, host->seen[foreign->type], 0);
	KUNIT_EXPECT_EQ(test, use(test, file, handle, foreign->type), 0);
	mock_host_settle(host);
}

/* Succeeds if what the host itself is at is not waited for: it has the order. */
static void own_work_is_not_waited_for(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_object *vobj;
	u32 handle;

	vobj = make_object(test, file, &handle);
	host->auto_answer = NULL;
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, true), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(vobj->storage.base.resv,
							DMA_RESV_USAGE_WRITE));
	/* a wait would end in an error */
	mock_signal(true);
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, false), 0);
	mock_signal(false);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 2);

	mock_host_answer(host, MOCK_OK);
	mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
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

	args.in_syncobjs = user_copy(test, &in, sizeof(in));
	/* the fence to wait for is looked at after the syncobjs */
	KUNIT_EXPECT_EQ(test, execbuffer(test, file, &args), -EINVAL);
	KUNIT_EXPECT_TRUE(test, has_fence(syncobj));

	args.flags = 0;
	KUNIT_EXPECT_EQ(test, execbuffer(test, file, &args), 0);
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

	KUNIT_EXPECT_EQ(test, execbuffer(test, file, &args), -ENOMEM);
	args.size = 0;
	args.num_bo_handles = 1u << 29;
	args.bo_handles = user_copy(test, &args, sizeof(args));
	KUNIT_EXPECT_EQ(test, execbuffer(test, file, &args), -ENOMEM);

	host->vgpu->has_blob = true;
	blob.cmd = args.bo_handles;
	KUNIT_EXPECT_EQ(test, create->func(host->vgpu->drm, &blob, file),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_SUBMIT_3D], 0);
	mock_host_settle(host);
}

/**
 * struct watched_page - one of a process, that tells who holds what
 */
struct watched_page {
	/** @page: the page */
	struct page *page;

	/** @lock: somebody's, who should not hold it when the page is touched */
	struct mutex *lock;

	/** @touched: how often the page was */
	int touched;

	/** @locked: how often the lock was held then */
	int locked;
};

static vm_fault_t watched_fault(struct vm_fault *vmf)
{
	struct watched_page *watched = vmf->vma->vm_private_data;

	watched->touched++;
	watched->locked += mutex_is_locked(watched->lock);
	get_page(watched->page);
	vmf->page = watched->page;
	return 0;
}

static const struct vm_operations_struct watched_vm_ops = {
	.fault = watched_fault,
};

static int watched_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &watched_vm_ops;
	return 0;
}

static const struct file_operations watched_fops = {
	.owner = THIS_MODULE,
	.mmap = watched_mmap,
};

static struct mock_answer tells_capset(struct mock_host *host,
				       const struct vgpu_req *req)
{
	static const struct {
		struct virtio_gpu_ctrl_hdr hdr;
		u8 data[16];
	} capset = { .data = "all that it can" };

	return mock_host_says(req, VIRTIO_GPU_CMD_GET_CAPSET,
			      VIRTIO_GPU_RESP_OK_CAPSET, &capset,
			      sizeof(capset));
}

static void have_capset(struct mock_host *host)
{
	static struct vgpu_capset capset = {
		.id = CAPSET,
		.max_version = 1,
		.max_size = 16,
	};

	host->vgpu->capsets = &capset;
	host->vgpu->num_capsets = 1;
	host->auto_answer = tells_capset;
}

static void put_watched(void *page)
{
	put_page(page);
}

/* Succeeds if a client that takes its time with its memory holds up no other. */
static void caps_are_written_unlocked(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_virtgpu_get_caps args = {
		.cap_set_id = CAPSET,
		.cap_set_ver = 1,
		.size = 16,
	};
	struct watched_page watched = { .lock = &host->vgpu->caps_lock };
	unsigned long left;
	struct file *filp;
	char data[16] = "";

	watched.page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, watched.page);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, put_watched,
						  watched.page));
	filp = anon_inode_getfile("watched", &watched_fops, &watched, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	args.addr = kunit_vm_mmap(test, filp, 0, PAGE_SIZE,
				  PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(filp);
	KUNIT_ASSERT_NE(test, args.addr, 0);
	have_capset(host);

	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(host->vgpu->drm, &args, file),
			0);
	KUNIT_EXPECT_EQ(test, watched.touched, 1);
	KUNIT_EXPECT_EQ(test, watched.locked, 0);
	left = copy_from_user(data, u64_to_user_ptr(args.addr), sizeof(data));
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_STREQ(test, data, "all that it can");

	KUNIT_EXPECT_EQ(test, vm_munmap(args.addr, PAGE_SIZE), 0);
	vgpu_caps_forget(host->vgpu);
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
	int ret;

	vobj = make_object(test, file, &handle);
	vgpu->has_context_init = true;
	mock_signal(true);

	/* what is in the way of all is not there, so only the signal ends it */
	vgpu->ctrl.num_backlog += VGPU_BACKLOG_LIMIT;
	ret = drm_gem_handle_create(other, &vobj->storage.base, &again);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	ret = vgpu_context_init_ioctl(vgpu->drm, &init, other);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 1);

	/* with room there is no wait for the signal to end */
	vgpu->ctrl.num_backlog -= VGPU_BACKLOG_LIMIT;
	ret = vgpu_context_init_ioctl(vgpu->drm, &init, other);
	KUNIT_EXPECT_EQ(test, ret, 0);
	ret = drm_gem_handle_create(other, &vobj->storage.base, &again);
	KUNIT_EXPECT_EQ(test, ret, 0);
	mock_signal(false);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 2);
	mock_host_settle(host);
}

/* Two blobs of a page in a window that has room for both; how far apart? */
static u64 distance_in_window(struct kunit *test)
{
	const struct vgpu_blob blob = {
		.mem = VIRTGPU_BLOB_MEM_HOST3D,
		.flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.size = PAGE_SIZE,
	};
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	struct vgpu_object *one, *two;
	u64 distance;

	vgpu->has_window = true;
	drm_mm_init(&vgpu->window_mm, 0, SZ_64K);
	one = vgpu_vram_create(vgpu, &blob);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	two = vgpu_vram_create(vgpu, &blob);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two);
	distance = abs_diff(one->window.start, two->window.start);
	drm_gem_object_put(&one->storage.base);
	drm_gem_object_put(&two->storage.base);
	mock_host_settle(host);
	drm_mm_takedown(&vgpu->window_mm);
	return distance;
}

/* Succeeds if blobs are multiples of what the host says, and lie at multiples. */
static void blobs_are_aligned(struct kunit *test)
{
	struct drm_virtgpu_resource_create_blob args = {
		.blob_mem = VIRTGPU_BLOB_MEM_GUEST,
		.size = SZ_4K,
	};
	struct drm_mode_create_dumb dumb = {
		.width = 1,
		.height = 1,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	const struct drm_ioctl_desc *create =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE_BLOB];
	const struct drm_ioctl_desc *get = &vgpu_ioctls[DRM_VIRTGPU_GETPARAM];
	struct drm_virtgpu_getparam param = {
		.param = VIRTGPU_PARAM_BLOB_ALIGNMENT,
	};
	int value = 0;

	param.value = user_copy(test, &value, sizeof(value));
	host->vgpu->has_blob = true;
	KUNIT_EXPECT_EQ(test, get->func(drm, &param, file), -ENOENT);
	KUNIT_EXPECT_EQ(test, create->func(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, distance_in_window(test), SZ_4K);

	host->vgpu->has_blob_alignment = true;
	host->vgpu->blob_alignment = SZ_16K;
	KUNIT_EXPECT_EQ(test, get->func(drm, &param, file), 0);
	KUNIT_EXPECT_EQ(test, 0,
			get_user(value, (int __user *)u64_to_user_ptr(param.value)));
	KUNIT_EXPECT_EQ(test, value, SZ_16K);
	KUNIT_EXPECT_EQ(test, create->func(drm, &args, file), -EINVAL);
	args.size = SZ_16K;
	KUNIT_EXPECT_EQ(test, create->func(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, distance_in_window(test), SZ_16K);
	KUNIT_EXPECT_EQ(test, vgpu_dumb_create(file, drm, &dumb), 0);
	KUNIT_EXPECT_EQ(test, dumb.size, SZ_16K);
	mock_host_settle(host);
}

static struct kunit_case submit_cases[] = {
	KUNIT_CASE_PARAM(waits_for_others, foreign_gen_params),
	KUNIT_CASE_PARAM(wait_for_others_ends, foreign_gen_params),
	KUNIT_CASE_PARAM(wait_for_lock_ends, foreign_gen_params),
	KUNIT_CASE(own_work_is_not_waited_for),
	KUNIT_CASE(syncobjs_are_reset_last),
	KUNIT_CASE(sizes_are_too_large),
	KUNIT_CASE(caps_are_written_unlocked),
	KUNIT_CASE(makers_wait_for_room),
	KUNIT_CASE(blobs_are_aligned),
	{}
};

static struct kunit_suite submit_suite = {
	.name = "virtio_gpu_submit",
	.init = submit_test_init,
	.exit = submit_test_exit,
	.test_cases = submit_cases,
};

kunit_test_suite(submit_suite);
