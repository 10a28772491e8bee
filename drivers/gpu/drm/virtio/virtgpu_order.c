// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu order among those who use a buffer
 *
 * The host works on what it is told in the order in which it is told, and knows
 * nothing of anybody else. Others have put fences on the buffers, above all on
 * imported ones, whose exporter may still draw. They are waited for here, until
 * a signal comes, and before any lock is taken. So are frames of ours that are in the
 * reservation object, and not yet in the queue. Whoever adds one after that comes
 * after our command.
 *
 * Memory that is synced (see virtgpu_memory.c) is another case: what the CPU has is
 * brought to the device as a whole, over what the host writes there. So our own
 * commands are waited for, too.
 *
 * Then the buffers are locked together, the memory that has moved since is told to
 * the host, the command is queued, and its fence given to all the buffers, for
 * others to wait for. Once it is queued, nothing can fail.
 *
 * Lifetime: the command holds the buffers until the host has answered, which may be
 * before they are unlocked; until then we hold them, too.
 *
 * Locking: buffers are locked together by drm_exec, any order of theirs will do.
 */

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_exec.h>
#include <drm/drm_gem.h>

#include "virtgpu_drv.h"
#include "virtgpu_object.h"
#include "virtgpu_order.h"

/**
 * vgpu_order_wait - wait for what our host does not know of
 * @vgpu: the device
 * @obj: a buffer that it is about to use
 * @write: to write to it, too
 *
 * Context: Process context, sleeps. No reservation lock should be held.
 * Return: 0, or a negative errno:
 *
 *	* -ERESTARTSYS: a signal arrived
 */
int vgpu_order_wait(struct vgpu_device *vgpu, struct drm_gem_object *obj,
		    bool write)
{
	const struct vgpu_object *vobj = to_vgpu_object(obj);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret = 0;

	dma_resv_iter_begin(&cursor, obj->resv, dma_resv_usage_rw(write));
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (vgpu_fence_is_ahead(fence, &vgpu->fences) &&
		    !READ_ONCE(vobj->synced))
			continue;
		ret = dma_fence_wait(fence, true);
		if (ret)
			break;
	}
	dma_resv_iter_end(&cursor);

	return ret;
}

static int lock_objects(struct drm_exec *exec, struct vgpu_cmd *cmd)
{
	int ret = 0;

	drm_exec_until_all_locked(exec) {
		ret = drm_exec_prepare_array(exec, cmd->objects,
					     cmd->num_objects, 1);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}
	return ret;
}

/*
 * Queue, and let the fence be seen. The command may be over when it is queued, and
 * have given its objects back.
 */
static int queue_locked(struct vgpu_device *vgpu, struct drm_exec *exec,
			struct vgpu_cmd *cmd)
{
	struct drm_gem_object *obj;
	int ret;

	/* memory that moved since is told to the host before it is used */
	drm_exec_for_each_locked_object(exec, obj) {
		ret = vgpu_object_attach_locked(to_vgpu_object(obj), NULL);
		if (ret)
			return ret;
		vgpu_object_sync(to_vgpu_object(obj), true);
	}

	vgpu_queue_add(&vgpu->ctrl, cmd);
	drm_exec_for_each_locked_object(exec, obj)
		dma_resv_add_fence(obj->resv, &cmd->fence->base,
				   DMA_RESV_USAGE_WRITE);
	return 0;
}

static int lock_and_queue(struct vgpu_device *vgpu, struct vgpu_cmd *cmd)
{
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT, cmd->num_objects);
	ret = lock_objects(&exec, cmd);
	if (!ret)
		ret = queue_locked(vgpu, &exec, cmd);
	drm_exec_fini(&exec);
	return ret;
}

/**
 * vgpu_order_queue - queue a command, and have others wait for it
 * @vgpu: the device
 * @cmd: the command, written; with a fence, if it has objects
 *
 * Context: Process context. Takes the reservation locks of the objects.
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -EALREADY: an object twice
 *	* -ERESTARTSYS: a signal arrived
 *	* what vgpu_object_attach_locked() said
 */
int vgpu_order_queue(struct vgpu_device *vgpu, struct vgpu_cmd *cmd)
{
	struct drm_gem_object *one, **kept = &one;
	unsigned int i, count = cmd->num_objects;
	int ret;

	if (!count) {
		vgpu_queue_add(&vgpu->ctrl, cmd);
		return 0;
	}

	/*
	 * The last reference takes a lock of its own, so it must not go while the
	 * others are unlocked one by one.
	 */
	if (count > 1)
		kept = kvmalloc_array(count, sizeof(*kept),
				      GFP_KERNEL | __GFP_NOWARN);
	if (!kept)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		kept[i] = cmd->objects[i];
		drm_gem_object_get(kept[i]);
	}

	ret = lock_and_queue(vgpu, cmd);

	for (i = 0; i < count; i++)
		drm_gem_object_put(kept[i]);
	if (kept != &one)
		kvfree(kept);

	/* a signal, in the words of mutexes */
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/**
 * vgpu_order_queue_one - queue a command that is about one object, with a fence
 * @cmd: the command, written; gets the object
 * @obj: the object
 * @write: the host writes to its memory, otherwise reads
 *
 * Waits for what others do with the memory, until a signal comes.
 *
 * Context: Process context. Takes the reservation lock.
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived
 *	* what vgpu_res_attach_locked() said
 */
int vgpu_order_queue_one(struct vgpu_cmd *cmd, struct drm_gem_object *obj,
			 bool write)
{
	struct vgpu_device *vgpu = to_vgpu(obj->dev);
	struct vgpu_fence *fence;
	int ret;

	ret = vgpu_order_wait(vgpu, obj, write);
	if (ret)
		return ret;

	fence = vgpu_fence_create(&vgpu->fences);
	if (!fence)
		return -ENOMEM;

	vgpu_cmd_set_fence(cmd, fence);
	vgpu_fence_put(fence);
	vgpu_cmd_add_object(cmd, obj);
	cmd->writes_memory = write;
	ret = vgpu_order_queue(vgpu, cmd);
	vgpu_queue_kick(&vgpu->ctrl);

	return ret;
}
