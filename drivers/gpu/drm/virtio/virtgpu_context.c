// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu contexts
 *
 * A context is the place of the host that a client renders in. Each file has one.
 * It begins with the first need for it, since most files that are opened render
 * nothing, or with VIRTGPU_CONTEXT_INIT, by which a client says which kind it
 * wants, how many timelines, and of which it wants to be told.
 *
 * Lifetime: the context ends with the file. Its number is free when the host has
 * answered to that, and not before, lest another file gets what is left of it.
 *
 * Locking: see &struct vgpu_file.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_context.h"
#include "virtgpu_drv.h"
#include "virtgpu_resp.h"

/**
 * vgpu_file_open - &drm_driver.open
 * @drm: the device
 * @file: the new file
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: there are too many contexts
 */
int vgpu_file_open(struct drm_device *drm, struct drm_file *file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_file *vfile;
	int id;

	vfile = kzalloc(sizeof(*vfile), GFP_KERNEL);
	if (!vfile)
		return -ENOMEM;

	if (vgpu->has_virgl) {
		id = ida_alloc(&vgpu->contexts, GFP_KERNEL);
		if (id < 0) {
			kfree(vfile);
			return id;
		}
		vfile->ctx_id = id + 1;
	}
	mutex_init(&vfile->lock);
	file->driver_priv = vfile;

	return 0;
}

/* The number is free when the host has forgotten it. */
static void context_destroyed(struct vgpu_cmd *cmd)
{
	struct vgpu_device *vgpu = cmd->queue->vgpu;

	ida_free(&vgpu->contexts, le32_to_cpu(cmd->req.hdr.ctx_id) - 1);
}

static void context_destroy(struct vgpu_device *vgpu, u32 ctx_id)
{
	struct vgpu_cmd *cmd = vgpu_cmd_create();

	/* The number stays taken, for the host still has the context. */
	if (!cmd)
		return;

	vgpu_req_ctx_destroy(&cmd->req, ctx_id);
	cmd->release = context_destroyed;
	vgpu_queue_send(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
}

/**
 * vgpu_file_close - &drm_driver.postclose
 * @drm: the device
 * @file: the file
 */
void vgpu_file_close(struct drm_device *drm, struct drm_file *file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_file *vfile = file->driver_priv;

	if (vfile->created)
		context_destroy(vgpu, vfile->ctx_id);
	else if (vfile->ctx_id)
		ida_free(&vgpu->contexts, vfile->ctx_id - 1);

	mutex_destroy(&vfile->lock);
	kfree(vfile);
}

static void send_create(struct vgpu_device *vgpu, struct vgpu_file *vfile,
			struct vgpu_cmd *cmd)
{
	char comm[TASK_COMM_LEN];

	/* made again after the machine has slept, it keeps the name it had */
	if (!vfile->named && !vfile->name[0]) {
		get_task_comm(comm, current);
		strscpy(vfile->name, comm);
	}
	vgpu_req_ctx_create(&cmd->req, vfile->ctx_id, vfile->init, vfile->name);
	vgpu_queue_send(&vgpu->ctrl, cmd);
	vfile->created = true;
}

/**
 * vgpu_file_create_context - have the host make the context of a file
 * @vgpu: a device whose host renders
 * @vfile: the file, locked; nothing happens if it has its context
 *
 * Return: 0, or -ENOMEM.
 */
int vgpu_file_create_context(struct vgpu_device *vgpu, struct vgpu_file *vfile)
{
	struct vgpu_cmd *cmd;

	lockdep_assert_held(&vfile->lock);

	if (vfile->created)
		return 0;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;

	send_create(vgpu, vfile, cmd);
	vgpu_cmd_put(cmd);

	return 0;
}

/**
 * vgpu_file_need_context - have a context if there can be one
 * @vgpu: the device; nothing happens if its host does not render
 * @file: the client
 *
 * Return: as vgpu_file_create_context().
 */
int vgpu_file_need_context(struct vgpu_device *vgpu, struct drm_file *file)
{
	struct vgpu_file *vfile = file->driver_priv;

	if (!vgpu->has_virgl)
		return 0;

	guard(mutex)(&vfile->lock);
	return vgpu_file_create_context(vgpu, vfile);
}

static int set_context_name(struct vgpu_file *vfile, u64 addr)
{
	long len;

	if (vfile->named)
		return -EINVAL;

	memset(vfile->name, 0, sizeof(vfile->name));
	len = strncpy_from_user(vfile->name, u64_to_user_ptr(addr),
				sizeof(vfile->name) - 1);
	if (len < 0)
		return len;
	vfile->named = true;
	return 0;
}

static int set_context_param(struct vgpu_device *vgpu, struct vgpu_file *vfile,
			     u64 param, u64 value)
{
	switch (param) {
	case VIRTGPU_CONTEXT_PARAM_CAPSET_ID:
		if (value > VGPU_CAPSET_MAX_ID || vfile->init ||
		    !(vgpu->capset_mask & BIT_ULL(value)))
			return -EINVAL;
		vfile->init = value;
		return 0;
	case VIRTGPU_CONTEXT_PARAM_NUM_RINGS:
		if (value > VGPU_MAX_RINGS || vfile->ring_context)
			return -EINVAL;
		/* none is a number, too, to the original driver, whose kernel warns */
		vfile->ring_context = dma_fence_context_alloc(value ?: 1);
		vfile->num_rings = value;
		return 0;
	case VIRTGPU_CONTEXT_PARAM_POLL_RINGS_MASK:
		if (vfile->poll_rings)
			return -EINVAL;
		vfile->poll_rings = value;
		return 0;
	case VIRTGPU_CONTEXT_PARAM_DEBUG_NAME:
		return set_context_name(vfile, value);
	default:
		return -EINVAL;
	}
}

static bool rings_exist(const struct vgpu_file *vfile)
{
	/* all bits if there are 64 */
	u64 rings = vfile->num_rings ? GENMASK_ULL(vfile->num_rings - 1, 0) : 0;

	return !(vfile->poll_rings & ~rings);
}

static int init_context(struct vgpu_device *vgpu, struct vgpu_file *vfile,
			const struct drm_virtgpu_context_set_param *params,
			u32 count, struct vgpu_cmd *cmd)
{
	int ret;
	u32 i;

	guard(mutex)(&vfile->lock);
	if (vfile->created)
		return -EEXIST;

	for (i = 0; i < count; i++) {
		ret = set_context_param(vgpu, vfile, params[i].param,
					params[i].value);
		if (ret)
			return ret;
	}
	if (!rings_exist(vfile))
		return -EINVAL;

	send_create(vgpu, vfile, cmd);
	return 0;
}

/**
 * vgpu_context_init_ioctl - VIRTGPU_CONTEXT_INIT
 * @drm: the device
 * @data: &struct drm_virtgpu_context_init
 * @file: the client
 *
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: the host has one kind of context only, or a parameter is
 *	  unknown, there twice, or not possible
 *	* -EEXIST: the file has its context
 *	* -EFAULT: an address that is none
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived while too many commands wait
 *	* -ENODEV: the device is gone
 */
int vgpu_context_init_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_virtgpu_context_init *args = data;
	struct drm_virtgpu_context_set_param params[4];
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_cmd *cmd;
	int ret;

	if (!vgpu->has_context_init || !vgpu->has_virgl)
		return -EINVAL;
	if (args->num_params > ARRAY_SIZE(params))
		return -EINVAL;
	if (copy_from_user(params, u64_to_user_ptr(args->ctx_set_params),
			   args->num_params * sizeof(*params)))
		return -EFAULT;

	/* first, for a parameter that is set cannot be set again */
	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;
	ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (!ret)
		ret = init_context(vgpu, file->driver_priv, params,
				   args->num_params, cmd);
	vgpu_cmd_put(cmd);

	return ret;
}
