// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu capability sets
 *
 * What a renderer of the host can do stands in a capability set, which is of no
 * concern to the kernel: Mesa reads it, and the host has written it. Every client
 * asks for the same ones when it starts, so the host is asked once, and a second
 * client that comes meanwhile waits for the answer to the first.
 *
 * Lifetime: an answer is kept as long as the device.
 *
 * Locking: see &vgpu_device.caps_lock. Waiting for it ends with a signal.
 */

#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_caps.h"
#include "virtgpu_drv.h"
#include "virtgpu_resp.h"

/**
 * struct vgpu_caps - a capability set that somebody has asked for
 */
struct vgpu_caps {
	/** @node: in &vgpu_device.caps, under its lock */
	struct list_head node;

	/** @id: which set */
	u32 id;

	/** @version: of the set */
	u32 version;

	/** @data: what the host has said, as long as it says the set is */
	void *data;
};

static struct vgpu_caps *caps_find_locked(struct vgpu_device *vgpu, u32 id,
					  u32 version)
{
	struct vgpu_caps *caps;

	list_for_each_entry(caps, &vgpu->caps, node) {
		if (caps->id == id && caps->version == version)
			return caps;
	}
	return NULL;
}

static int caps_query(struct vgpu_device *vgpu, struct vgpu_caps *caps,
		      u32 size)
{
	struct vgpu_cmd *cmd;
	const void *answer;
	size_t len;
	int ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;

	vgpu_req_capset(&cmd->req, caps->id, caps->version);
	ret = vgpu_cmd_expect(cmd, VIRTIO_GPU_RESP_OK_CAPSET,
			      sizeof(struct virtio_gpu_resp_capset) + size);
	if (!ret)
		ret = vgpu_queue_ask(&vgpu->ctrl, cmd);
	if (!ret)
		ret = vgpu_resp_capset(cmd->resp, cmd->resp_len, &answer, &len);
	/* what it does not say is zero */
	if (!ret)
		memcpy(caps->data, answer, min_t(size_t, len, size));
	vgpu_cmd_put(cmd);

	/* as if nobody had answered: nobody has, to the question */
	return ret == -ETIMEDOUT || ret == -EPROTO ? -EBUSY : ret;
}

static struct vgpu_caps *caps_get_locked(struct vgpu_device *vgpu, u32 id,
					 u32 version, u32 size)
{
	struct vgpu_caps *caps = caps_find_locked(vgpu, id, version);
	int ret;

	if (caps)
		return caps;

	caps = kzalloc(sizeof(*caps), GFP_KERNEL);
	if (!caps)
		return ERR_PTR(-ENOMEM);
	caps->id = id;
	caps->version = version;
	caps->data = kvzalloc(size, GFP_KERNEL);
	ret = caps->data ? caps_query(vgpu, caps, size) : -ENOMEM;
	if (ret) {
		kvfree(caps->data);
		kfree(caps);
		return ERR_PTR(ret);
	}
	list_add(&caps->node, &vgpu->caps);

	return caps;
}

/**
 * vgpu_caps_forget - free what was kept of the host's answers
 * @vgpu: a device that is not asked any more
 */
void vgpu_caps_forget(struct vgpu_device *vgpu)
{
	struct vgpu_caps *caps, *next;

	guard(mutex)(&vgpu->caps_lock);
	list_for_each_entry_safe(caps, next, &vgpu->caps, node) {
		list_del(&caps->node);
		kvfree(caps->data);
		kfree(caps);
	}
}

static const struct vgpu_capset *find_capset(const struct vgpu_device *vgpu,
					     u32 id, u32 version)
{
	u32 i;

	for (i = 0; i < vgpu->num_capsets; i++) {
		if (vgpu->capsets[i].id == id &&
		    vgpu->capsets[i].max_version >= version)
			return &vgpu->capsets[i];
	}
	return NULL;
}

/**
 * vgpu_get_caps_ioctl - VIRTGPU_GET_CAPS
 * @drm: the device
 * @data: &struct drm_virtgpu_get_caps
 * @file: the client
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOSYS: the host has no capability sets
 *	* -EINVAL: not this one, or not in this version; or no room for it
 *	* -EBUSY: the host does not answer, or not to the question
 *	* -EFAULT: an address that is none
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived
 *	* what vgpu_cmd_wait() said
 */
int vgpu_get_caps_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_virtgpu_get_caps *args = data;
	const struct vgpu_capset *capset;
	struct vgpu_caps *caps;
	void *copy = NULL;
	u32 size;
	int ret;

	if (!vgpu->num_capsets)
		return -ENOSYS;
	capset = find_capset(vgpu, args->cap_set_id, args->cap_set_ver);
	if (!args->size || !capset)
		return -EINVAL;

	ret = mutex_lock_interruptible(&vgpu->caps_lock);
	if (ret)
		return -ERESTARTSYS;
	caps = caps_get_locked(vgpu, capset->id, args->cap_set_ver,
			       capset->max_size);
	size = min(args->size, capset->max_size);
	if (!IS_ERR(caps))
		copy = kvmemdup(caps->data, size, GFP_KERNEL);
	mutex_unlock(&vgpu->caps_lock);
	if (IS_ERR(caps))
		return PTR_ERR(caps);
	if (!copy)
		return -ENOMEM;

	/* user space may take its time, so without the lock */
	if (copy_to_user(u64_to_user_ptr(args->addr), copy, size))
		ret = -EFAULT;
	kvfree(copy);

	return ret;
}
