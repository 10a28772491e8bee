// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu order
 *
 * What a client asks for begins when what others do with the buffers is over, and
 * waits where a signal ends it.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_ioctl.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_fence.h"
#include "virtgpu_mock_host.h"

static int order_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->has_virgl = true;
	test->priv = host;
	return 0;
}

static void order_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
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
	args.bo_handles = mock_client_copy(test, &handle, sizeof(handle));
	return mock_client_execbuffer(test, file, &args);
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

	vobj = mock_client_object(test, file, &handle);
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
	vobj = mock_client_object(test, file, &handle);
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

	vobj = mock_client_object(test, file, &handle);
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

	vobj = mock_client_object(test, file, &handle);
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

/* Succeeds if a frame is waited for that the host was not told of yet. */
static void own_work_to_come_is_waited_for(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_fence *frame;
	struct vgpu_object *vobj;
	struct dma_resv *resv;
	u32 handle;

	vobj = mock_client_object(test, file, &handle);
	resv = vobj->storage.base.resv;
	frame = vgpu_fence_create_early(&host->vgpu->fences);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &frame->base, DMA_RESV_USAGE_READ);
	dma_resv_unlock(resv);

	mock_signal(true);
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, false),
			-ERESTARTSYS);
	vgpu_fence_emit(frame);
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, false), 0);
	mock_signal(false);
	vgpu_fence_answer(frame, 0);
	vgpu_fence_put(frame);
	mock_host_settle(host);
}

/* What was synced, and what was to be seen at that moment. */
static struct {
	struct mock_host *host;
	struct dma_resv *resv;
	int for_device;
	int for_cpu;
	unsigned int waiting;
	bool signaled;
} synced;

static bool always_synced(struct device *dev, struct sg_table *sgt)
{
	return true;
}

static void note_sync(struct device *dev, struct sg_table *sgt, bool for_device)
{
	if (for_device) {
		synced.for_device++;
		synced.waiting = mock_host_waiting(synced.host);
	} else {
		synced.for_cpu++;
		synced.signaled = !synced.resv ||
				  dma_resv_test_signaled(synced.resv,
							 DMA_RESV_USAGE_WRITE);
	}
}

/* The host answers, and this thread, which the stubs are of, takes the answer. */
static void answer_here(struct mock_host *host)
{
	cancel_delayed_work_sync(&host->vgpu->watchdog);
	mock_host_answer(host, MOCK_OK);
	vgpu_queue_poll(&host->vgpu->ctrl);
}

/*
 * Succeeds if the host sees what the CPU has written by then, and the CPU what the
 * host has, when the fence says so; and if neither is overwritten.
 */
static void memory_is_synced(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_object *vobj;
	u32 handle;

	kunit_activate_static_stub(test, vgpu_needs_sync, always_synced);
	kunit_activate_static_stub(test, vgpu_sync, note_sync);
	memset(&synced, 0, sizeof(synced));
	synced.host = host;
	host->vgpu->use_dma_api = true;
	vobj = mock_client_object(test, file, &handle);
	synced.resv = vobj->storage.base.resv;
	KUNIT_EXPECT_EQ(test, synced.for_device, 1);

	host->auto_answer = NULL;
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, true), 0);
	KUNIT_EXPECT_EQ(test, synced.for_device, 2);
	KUNIT_EXPECT_EQ(test, synced.waiting, 0);
	answer_here(host);
	KUNIT_EXPECT_EQ(test, synced.for_cpu, 0);

	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, false), 0);
	mock_signal(true);
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, true), -ERESTARTSYS);
	mock_signal(false);
	KUNIT_EXPECT_EQ(test, synced.for_cpu, 0);
	answer_here(host);
	KUNIT_EXPECT_EQ(test, synced.for_cpu, 1);
	KUNIT_EXPECT_FALSE(test, synced.signaled);

	host->auto_answer = mock_host_obeys;
	KUNIT_EXPECT_EQ(test, transfer(test, file, handle, true), 0);
	mock_host_settle(host);

	/* nor what the CPU has written, by the end of the mapping */
	dma_resv_lock(synced.resv, NULL);
	vgpu_object_detach_locked(vobj);
	dma_resv_unlock(synced.resv);
	mock_host_settle(host);
	dma_resv_lock(synced.resv, NULL);
	vgpu_object_put_memory_locked(vobj);
	dma_resv_unlock(synced.resv);
	KUNIT_EXPECT_NULL(test, vobj->sgt);
	KUNIT_EXPECT_EQ(test, synced.for_cpu, 1);
	synced.resv = NULL;
}

static struct kunit_case order_cases[] = {
	KUNIT_CASE_PARAM(waits_for_others, foreign_gen_params),
	KUNIT_CASE_PARAM(wait_for_others_ends, foreign_gen_params),
	KUNIT_CASE_PARAM(wait_for_lock_ends, foreign_gen_params),
	KUNIT_CASE(own_work_is_not_waited_for),
	KUNIT_CASE(own_work_to_come_is_waited_for),
	KUNIT_CASE(memory_is_synced),
	{}
};

static struct kunit_suite order_suite = {
	.name = "virtio_gpu_order",
	.init = order_test_init,
	.exit = order_test_exit,
	.test_cases = order_cases,
};

kunit_test_suite(order_suite);
