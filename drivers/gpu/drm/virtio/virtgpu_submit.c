// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu submission
 *
 * VIRTGPU_EXECBUFFER has a context of the host render. Between it and the rest
 * of the system stand fences: those to wait for first, from a sync file or from
 * syncobjs, and the one that the work will signal, for a sync file, syncobjs,
 * the buffers, and the file's own events.
 *
 * The host knows none of the fences of others, so a submission waits for them
 * itself, until a signal comes. Those of its own timeline the host has in order.
 * The same goes for fences on the buffers, see virtgpu_order.c.
 *
 * A submission is gathered into &struct submission, a step at a time, and each
 * step may fail. Then come the locks of all buffers. Behind that point nothing
 * can fail: the command is queued, and what was prepared is given out. One
 * function frees whatever there is, however far it came.
 *
 * Lifetime: the command holds the buffers until the host has answered. A name
 * that user space could use, a file descriptor above all, is the last thing that
 * it gets.
 *
 * Locking: that of the file while its context is made; else see virtgpu_order.c.
 */

#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_syncobj.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_context.h"
#include "virtgpu_drv.h"
#include "virtgpu_order.h"
#include "virtgpu_submit.h"

/**
 * struct out_sync - a syncobj that gets the fence
 */
struct out_sync {
	/** @syncobj: with a reference */
	struct drm_syncobj *syncobj;

	/** @chain: link for a timeline, or NULL */
	struct dma_fence_chain *chain;

	/** @point: of the timeline */
	u64 point;
};

/**
 * struct submission - one call of VIRTGPU_EXECBUFFER
 */
struct submission {
	/** @vgpu: the device */
	struct vgpu_device *vgpu;

	/** @file: the client */
	struct drm_file *file;

	/** @vfile: likewise */
	struct vgpu_file *vfile;

	/** @args: what it wants */
	struct drm_virtgpu_execbuffer *args;

	/** @context: fence context of the timeline it is on */
	u64 context;

	/** @cmd: what the host gets; has the buffers */
	struct vgpu_cmd *cmd;

	/** @fence: what it signals, or NULL if nobody asks */
	struct vgpu_fence *fence;

	/** @sync_file: for the fence, or NULL */
	struct sync_file *sync_file;

	/** @fd: for @sync_file, or negative */
	int fd;

	/** @resets: syncobjs to be reset, NULL where there is none */
	struct drm_syncobj **resets;

	/** @num_resets: how many places */
	u32 num_resets;

	/** @outs: syncobjs that get the fence */
	struct out_sync *outs;

	/** @num_outs: how many */
	u32 num_outs;
};

/* What the host has in the right order anyway needs no waiting. */
static int wait_for_foreign(struct submission *sub, struct dma_fence *fence)
{
	struct dma_fence_unwrap iter;
	struct dma_fence *one;
	int ret;

	dma_fence_unwrap_for_each(one, &iter, fence) {
		if (dma_fence_match_context(one, sub->context))
			continue;
		ret = dma_fence_wait(one, true);
		if (ret) {
			dma_fence_put(iter.chain);
			return ret;
		}
	}
	return 0;
}

static int wait_for_sync_file(struct submission *sub)
{
	struct dma_fence *fence;
	int ret;

	if (!(sub->args->flags & VIRTGPU_EXECBUF_FENCE_FD_IN))
		return 0;

	fence = sync_file_get_fence(sub->args->fence_fd);
	if (!fence)
		return -EINVAL;
	ret = wait_for_foreign(sub, fence);
	dma_fence_put(fence);

	return ret;
}

/* Entry @i of an array in which each may be longer, or shorter, than ours. */
static int read_syncobj(const struct submission *sub, u64 array, u32 i,
			struct drm_virtgpu_execbuffer_syncobj *entry)
{
	size_t stride = sub->args->syncobj_stride;

	memset(entry, 0, sizeof(*entry));
	return copy_from_user(entry, u64_to_user_ptr(array + (u64)i * stride),
			      min(stride, sizeof(*entry))) ?
		       -EFAULT :
		       0;
}

static int wait_for_syncobj(struct submission *sub, u32 i)
{
	struct drm_virtgpu_execbuffer_syncobj entry;
	struct dma_fence *fence;
	int ret;

	ret = read_syncobj(sub, sub->args->in_syncobjs, i, &entry);
	if (ret)
		return ret;
	if (entry.flags & ~VIRTGPU_EXECBUF_SYNCOBJ_FLAGS)
		return -EINVAL;

	ret = drm_syncobj_find_fence(sub->file, entry.handle, entry.point, 0,
				     &fence);
	if (ret)
		return ret;
	ret = wait_for_foreign(sub, fence);
	dma_fence_put(fence);
	if (ret || !(entry.flags & VIRTGPU_EXECBUF_SYNCOBJ_RESET))
		return ret;

	sub->resets[i] = drm_syncobj_find(sub->file, entry.handle);
	return sub->resets[i] ? 0 : -EINVAL;
}

static int wait_for_syncobjs(struct submission *sub)
{
	u32 i, count = sub->args->num_in_syncobjs;
	int ret = 0;

	if (!count)
		return 0;

	sub->resets = kvcalloc(count, sizeof(*sub->resets),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!sub->resets)
		return -ENOMEM;
	sub->num_resets = count;

	for (i = 0; i < count && !ret; i++)
		ret = wait_for_syncobj(sub, i);
	return ret;
}

static int find_out(struct submission *sub, u32 i)
{
	struct drm_virtgpu_execbuffer_syncobj entry;
	struct out_sync *out = &sub->outs[i];
	int ret;

	ret = read_syncobj(sub, sub->args->out_syncobjs, i, &entry);
	if (ret)
		return ret;
	if (entry.flags)
		return -EINVAL;

	out->point = entry.point;
	if (entry.point) {
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return -ENOMEM;
	}
	out->syncobj = drm_syncobj_find(sub->file, entry.handle);
	return out->syncobj ? 0 : -EINVAL;
}

static int find_outs(struct submission *sub)
{
	u32 i, count = sub->args->num_out_syncobjs;
	int ret = 0;

	if (!count)
		return 0;

	sub->outs =
		kvcalloc(count, sizeof(*sub->outs), GFP_KERNEL | __GFP_NOWARN);
	if (!sub->outs)
		return -ENOMEM;
	sub->num_outs = count;

	for (i = 0; i < count && !ret; i++)
		ret = find_out(sub, i);
	return ret;
}

static int find_objects(struct submission *sub)
{
	u32 i, count = sub->args->num_bo_handles;
	struct drm_gem_object **objects;
	u32 *handles;
	int ret = 0;

	if (!count)
		return 0;

	if (count > INT_MAX / sizeof(*handles))
		return -ENOMEM;
	handles = vmemdup_array_user(u64_to_user_ptr(sub->args->bo_handles),
				     count, sizeof(*handles));
	if (IS_ERR(handles))
		return PTR_ERR(handles);
	objects = kvcalloc(count, sizeof(*objects), GFP_KERNEL | __GFP_NOWARN);
	if (!objects) {
		kvfree(handles);
		return -ENOENT;
	}

	for (i = 0; i < count && !ret; i++) {
		objects[i] = drm_gem_object_lookup(sub->file, handles[i]);
		if (!objects[i])
			ret = -ENOENT;
	}
	kvfree(handles);
	vgpu_cmd_set_objects(sub->cmd, objects, ret ? i - 1 : i);

	return ret;
}

static bool tells_file(const struct submission *sub)
{
	return sub->args->flags & VIRTGPU_EXECBUF_RING_IDX &&
	       sub->vfile->poll_rings & BIT_ULL(sub->args->ring_idx);
}

static int make_fence(struct submission *sub)
{
	const struct drm_virtgpu_execbuffer *args = sub->args;
	struct vgpu_fences *fences = &sub->vgpu->fences;
	u64 rings = sub->vfile->ring_context;

	if (!(args->flags & VIRTGPU_EXECBUF_FENCE_FD_OUT) &&
	    !args->num_out_syncobjs && !args->num_bo_handles &&
	    !tells_file(sub))
		return 0;

	if (args->flags & VIRTGPU_EXECBUF_RING_IDX)
		sub->fence = vgpu_fence_create_on_ring(fences, rings,
						       args->ring_idx);
	else
		sub->fence = vgpu_fence_create(fences);
	if (!sub->fence)
		return -ENOMEM;

	if (tells_file(sub))
		return vgpu_fence_add_event(sub->fence, sub->vgpu->drm,
					    sub->file);
	return 0;
}

static int make_command(struct submission *sub)
{
	const struct drm_virtgpu_execbuffer *args = sub->args;
	void *buf;

	if (args->size > INT_MAX)
		return -ENOMEM;
	buf = vmemdup_user(u64_to_user_ptr(args->command), args->size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	vgpu_req_submit(&sub->cmd->req, sub->vfile->ctx_id, args->size);
	return vgpu_cmd_set_data(sub->cmd, buf, args->size);
}

static int make_sync_file(struct submission *sub)
{
	if (!(sub->args->flags & VIRTGPU_EXECBUF_FENCE_FD_OUT))
		return 0;

	sub->fd = get_unused_fd_flags(O_CLOEXEC);
	if (sub->fd < 0)
		return sub->fd;
	sub->sync_file = sync_file_create(&sub->fence->base);
	return sub->sync_file ? 0 : -ENOMEM;
}

/* Which buffers it only reads, a stream of commands does not tell. */
static int wait_for_buffers(struct submission *sub)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < sub->cmd->num_objects && !ret; i++)
		ret = vgpu_order_wait(sub->vgpu, sub->cmd->objects[i], true);
	return ret;
}

static int prepare(struct submission *sub)
{
	int ret;

	ret = make_fence(sub);
	if (!ret)
		ret = find_objects(sub);
	if (!ret)
		ret = make_command(sub);
	if (!ret)
		ret = make_sync_file(sub);
	if (!ret)
		ret = find_outs(sub);
	if (!ret)
		ret = wait_for_syncobjs(sub);
	if (!ret)
		ret = wait_for_sync_file(sub);
	if (!ret)
		ret = wait_for_buffers(sub);
	return ret;
}

static void give_out(struct submission *sub)
{
	struct out_sync *out;
	struct file *file;
	int fd;
	u32 i;

	for (i = 0; i < sub->num_outs; i++) {
		out = &sub->outs[i];
		if (out->chain)
			drm_syncobj_add_point(out->syncobj, out->chain,
					      &sub->fence->base, out->point);
		else
			drm_syncobj_replace_fence(out->syncobj,
						  &sub->fence->base);
		out->chain = NULL;
	}

	if (!sub->sync_file)
		return;
	file = sub->sync_file->file;
	fd = sub->fd;
	sub->sync_file = NULL;
	sub->fd = -1;
	sub->args->fence_fd = fd;
	fd_install(fd, file);
}

/* A call that a signal ends is made again, with the same syncobjs. */
static void reset_syncobjs(struct submission *sub)
{
	u32 i;

	for (i = 0; i < sub->num_resets; i++)
		if (sub->resets[i])
			drm_syncobj_replace_fence(sub->resets[i], NULL);
}

static void cleanup(struct submission *sub)
{
	u32 i;

	for (i = 0; i < sub->num_resets; i++)
		if (sub->resets[i])
			drm_syncobj_put(sub->resets[i]);
	kvfree(sub->resets);

	for (i = 0; i < sub->num_outs; i++) {
		kfree(sub->outs[i].chain);
		if (sub->outs[i].syncobj)
			drm_syncobj_put(sub->outs[i].syncobj);
	}
	kvfree(sub->outs);

	if (sub->sync_file)
		fput(sub->sync_file->file);
	if (sub->fd >= 0)
		put_unused_fd(sub->fd);
	vgpu_cmd_put(sub->cmd);
	vgpu_fence_put(sub->fence);
}

static int submission_init(struct submission *sub, struct drm_device *drm,
			   struct drm_file *file,
			   struct drm_virtgpu_execbuffer *args)
{
	struct vgpu_file *vfile = file->driver_priv;

	*sub = (struct submission){
		.vgpu = to_vgpu(drm),
		.file = file,
		.vfile = vfile,
		.args = args,
		.fd = -1,
		.context = to_vgpu(drm)->fences.context,
	};
	if (args->flags & VIRTGPU_EXECBUF_RING_IDX) {
		if (args->ring_idx >= vfile->num_rings || !vfile->ring_context)
			return -EINVAL;
		sub->context = vfile->ring_context + args->ring_idx;
	}

	sub->cmd = vgpu_cmd_create();
	return sub->cmd ? 0 : -ENOMEM;
}

/**
 * vgpu_execbuffer_ioctl - VIRTGPU_EXECBUFFER
 * @drm: the device
 * @data: &struct drm_virtgpu_execbuffer
 * @file: the client
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOSYS: the host does not render
 *	* -EINVAL: unknown flags, no such ring or syncobj, no sync file
 *	* -ENOENT: no such buffer, or no fence in a syncobj
 *	* -EALREADY: a buffer twice
 *	* -EFAULT: an address that is none
 *	* -E2BIG: more than the host takes in one command
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived
 *	* -ENODEV: the device is gone
 */
int vgpu_execbuffer_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct drm_virtgpu_execbuffer *args = data;
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct submission sub;
	int ret;

	if (!vgpu->has_virgl)
		return -ENOSYS;
	if (args->flags & ~VIRTGPU_EXECBUF_FLAGS)
		return -EINVAL;

	ret = submission_init(&sub, drm, file, args);
	if (ret)
		return ret;

	ret = vgpu_file_need_context(vgpu, file);
	if (!ret)
		ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (!ret)
		ret = prepare(&sub);
	if (!ret) {
		vgpu_cmd_set_fence(sub.cmd, sub.fence);
		ret = vgpu_order_queue(vgpu, sub.cmd);
	}
	/* on errors there may be memory that the host was told of */
	vgpu_queue_kick(&vgpu->ctrl);
	if (!ret) {
		reset_syncobjs(&sub);
		give_out(&sub);
	} else if (sub.fence) {
		vgpu_fence_cancel_event(sub.fence);
	}
	cleanup(&sub);

	return ret;
}
