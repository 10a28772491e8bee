// SPDX-License-Identifier: MIT
/*
 * Operations on fences: vgem's, sw_sync's, and those of sync files. Nobody
 * waits here; what is attached and not signalled makes the others wait, until
 * the file closes, the timeline ends, or the waiter is interrupted.
 */

#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <stdio.h>
#include <fcntl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "vgem_drm.h"
#include "stress.h"

/* sw_sync has no header: include/uapi does not know it. */
struct sw_sync_fence {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_CREATE	_IOWR('W', 0, struct sw_sync_fence)
#define SW_SYNC_ADVANCE _IOW('W', 1, uint32_t)

static int signal_fence(int file, uint32_t fence)
{
	struct drm_vgem_fence_signal arg = { .fence = fence };

	return stress_ioctl(file, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg);
}

static atomic_uint *fence_slot(struct stress_thread *t,
			       struct stress_file *file)
{
	return &file->fences[stress_random(t, STRESS_FENCES)];
}

/* The fence that was in the slot is signalled: few are pending at a time. */
static int op_attach(struct stress_thread *t)
{
	struct drm_vgem_fence_attach arg = {
		.flags = stress_random(t, 2) ? VGEM_FENCE_WRITE : 0,
	};
	struct stress_file *file = stress_use_fences(t);
	int ret = STRESS_IDLE;
	uint32_t old;

	if (!file)
		return STRESS_IDLE;
	arg.handle = stress_pick_handle(t, file);
	if (arg.handle)
		ret = stress_ioctl(file->fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);
	if (!ret) {
		old = atomic_exchange(fence_slot(t, file), arg.out_fence);
		if (old)
			signal_fence(file->fd, old);
	}
	stress_unuse(file);
	return ret;
}

static int op_signal(struct stress_thread *t)
{
	struct stress_file *file = stress_use_fences(t);
	int ret = STRESS_IDLE;
	uint32_t fence;

	if (!file)
		return STRESS_IDLE;
	fence = atomic_exchange(fence_slot(t, file), 0);
	if (fence)
		ret = signal_fence(file->fd, fence);
	stress_unuse(file);
	return ret;
}

static int op_export(struct stress_thread *t)
{
	struct dma_buf_export_sync_file arg = {
		.flags = 1 + stress_random(t, 3),
		.fd = -1,
	};
	int fd = stress_take_fd(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	ret = stress_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);
	close(fd);
	if (!ret)
		stress_put_sync(t, arg.fd);
	return ret;
}

static int op_import(struct stress_thread *t)
{
	struct dma_buf_import_sync_file arg = {
		.flags = 1 + stress_random(t, 3),
		.fd = stress_take_sync(t),
	};
	int fd = stress_take_fd(t), ret = STRESS_IDLE;

	if (fd >= 0 && arg.fd >= 0)
		ret = stress_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
	if (fd >= 0)
		close(fd);
	if (arg.fd >= 0)
		stress_put_sync(t, arg.fd);
	return ret;
}

static int op_merge(struct stress_thread *t)
{
	struct sync_merge_data arg = { .name = "stress" };
	int one = stress_take_sync(t), ret = STRESS_IDLE;

	arg.fd2 = stress_take_sync(t);
	if (one >= 0 && arg.fd2 >= 0)
		ret = stress_ioctl(one, SYNC_IOC_MERGE, &arg);
	if (one >= 0)
		stress_put_sync(t, one);
	if (arg.fd2 >= 0)
		close(arg.fd2);
	if (!ret)
		stress_put_sync(t, arg.fence);
	return ret;
}

static int op_info(struct stress_thread *t)
{
	struct sync_fence_info fences[4];
	struct sync_file_info arg = {};
	int fd = stress_take_sync(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	ret = stress_ioctl(fd, SYNC_IOC_FILE_INFO, &arg);
	if (!ret && arg.num_fences <= 4) {
		arg.sync_fence_info = (uintptr_t)fences;
		ret = stress_ioctl(fd, SYNC_IOC_FILE_INFO, &arg);
	}
	stress_put_sync(t, fd);
	return ret;
}

static int op_timeline(struct stress_thread *t)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/sync/sw_sync",
		 t->process->stress->debugfs);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	t->process->seqno = 0;
	stress_replace(&t->process->timeline, fd);
	return 0;
}

static int on_timeline(struct stress_thread *t, unsigned long request,
		       void *arg)
{
	struct stress_file *timeline = &t->process->timeline;
	int ret = STRESS_IDLE;

	pthread_rwlock_rdlock(&timeline->lock);
	if (timeline->fd >= 0)
		ret = stress_ioctl(timeline->fd, request, arg);
	stress_unuse(timeline);
	return ret;
}

static int op_timeline_fence(struct stress_thread *t)
{
	struct sw_sync_fence arg = {
		.value = t->process->seqno + stress_random(t, 4),
		.name = "stress",
	};
	int ret = on_timeline(t, SW_SYNC_CREATE, &arg);

	if (!ret)
		stress_put_sync(t, arg.fence);
	return ret;
}

static int op_timeline_advance(struct stress_thread *t)
{
	uint32_t by = 1;
	int ret = on_timeline(t, SW_SYNC_ADVANCE, &by);

	if (!ret)
		t->process->seqno++;
	return ret;
}

const struct stress_op stress_ops_fence[] = {
	STRESS_OP("vgem: attach a fence", op_attach, 10,
		  STRESS_ERRS(ENOENT, EBUSY, EINTR)),
	/* past its ten seconds; the slot makes sure that it is ours */
	STRESS_OP("vgem: signal it", op_signal, 10, STRESS_ERRS(ETIMEDOUT)),
	STRESS_OP("EXPORT_SYNC_FILE", op_export, 6),
	STRESS_OP("IMPORT_SYNC_FILE", op_import, 4),
	STRESS_OP("sync_file: merge", op_merge, 2),
	STRESS_OP("sync_file: info", op_info, 2),
	STRESS_OP("sw_sync: a new timeline", op_timeline, 1),
	STRESS_OP("sw_sync: make a fence", op_timeline_fence, 3),
	STRESS_OP("sw_sync: advance", op_timeline_advance, 4),
	{},
};
