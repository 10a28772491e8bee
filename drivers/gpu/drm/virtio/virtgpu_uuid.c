// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu names for other devices
 *
 * Other virtio devices of the same host need no pages of a buffer, but the name by
 * which the host knows the resource: a UUID, see virtio_dma_buf_get_uuid(). The host
 * is asked for it once, when the buffer is exported, or when a blob is made for that,
 * and whoever wants to know it waits for the answer. A host that was reset, since the
 * machine slept, has forgotten it, and is asked for another.
 *
 * Lifetime: the question is kept with the object, for its answer.
 *
 * Locking: &vgpu_device.objects_lock guards what is known.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/uuid.h>

#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "virtgpu_drv.h"
#include "virtgpu_object.h"
#include "virtgpu_resp.h"
#include "virtgpu_uuid.h"

static void uuid_answered(struct vgpu_cmd *cmd, int result)
{
	struct vgpu_object *vobj = cmd->priv;
	struct vgpu_device *vgpu = cmd->queue->vgpu;
	uuid_t uuid;

	if (!result)
		result = vgpu_resp_uuid(cmd->resp, cmd->resp_len, &uuid);

	scoped_guard(spinlock, &vgpu->objects_lock) {
		if (!result)
			vobj->uuid = uuid;
		vobj->uuid_state = result ? VGPU_UUID_FAILED : VGPU_UUID_KNOWN;
	}
}

/**
 * vgpu_uuid_ask - ask the host for a name of a resource, if it gives any
 * @vobj: an object whose resource the host has
 *
 * Return: 0, or -ENOMEM.
 */
int vgpu_uuid_ask(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	struct vgpu_device *vgpu = to_vgpu(obj->dev);
	struct vgpu_cmd *cmd;
	bool first = false;
	int ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;
	ret = vgpu_cmd_expect(cmd, VIRTIO_GPU_RESP_OK_RESOURCE_UUID,
			      sizeof(struct virtio_gpu_resp_resource_uuid));
	if (ret)
		goto out;

	vgpu_req_assign_uuid(&cmd->req, vobj->res.id);
	vgpu_cmd_add_object(cmd, obj);
	cmd->done = uuid_answered;
	cmd->priv = vobj;
	scoped_guard(spinlock, &vgpu->objects_lock) {
		first = vobj->uuid_state == VGPU_UUID_NONE;
		if (first) {
			vobj->uuid_state = VGPU_UUID_ASKED;
			vobj->uuid_cmd = cmd;
			kref_get(&cmd->refs);
		}
	}
	if (first)
		vgpu_queue_send(&vgpu->ctrl, cmd);
out:
	vgpu_cmd_put(cmd);
	return ret;
}

/**
 * vgpu_uuid_ask_again - have a name after the host was reset, if there was one
 * @vobj: the object
 */
void vgpu_uuid_ask_again(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_cmd *before = NULL;
	bool there;

	dma_resv_lock(vobj->storage.base.resv, NULL);
	there = vobj->res.created;
	dma_resv_unlock(vobj->storage.base.resv);

	scoped_guard(spinlock, &vgpu->objects_lock) {
		if (vobj->uuid_state != VGPU_UUID_LOST)
			return;
		vobj->uuid_state = there ? VGPU_UUID_NONE : VGPU_UUID_FAILED;
		swap(vobj->uuid_cmd, before);
	}
	vgpu_cmd_put(before);
	if (there && vgpu_uuid_ask(vobj))
		drm_err(vgpu->drm, "buffer %u has no name any more\n",
			vobj->res.id);
}

/**
 * vgpu_uuid_get - &virtio_dma_buf_ops.get_uuid
 * @dmabuf: of one of our objects
 * @uuid: gets the name
 *
 * Context: Process context, waits for the host.
 * Return: 0, or a negative errno:
 *
 *	* -ENODEV: there is no name
 *	* -ERESTARTSYS: the task is killed
 */
int vgpu_uuid_get(struct dma_buf *dmabuf, uuid_t *uuid)
{
	struct drm_gem_object *obj = dmabuf->priv;
	struct vgpu_object *vobj = to_vgpu_object(obj);
	struct vgpu_device *vgpu = to_vgpu(obj->dev);
	struct vgpu_cmd *cmd;
	bool known;
	int ret;

	scoped_guard(spinlock, &vgpu->objects_lock) {
		cmd = vobj->uuid_cmd;
		if (cmd)
			kref_get(&cmd->refs);
	}
	if (!cmd)
		return -ENODEV;

	ret = vgpu_cmd_wait(cmd);
	vgpu_cmd_put(cmd);
	if (ret == -ERESTARTSYS)
		return ret;

	scoped_guard(spinlock, &vgpu->objects_lock) {
		known = vobj->uuid_state == VGPU_UUID_KNOWN;
		if (known)
			*uuid = vobj->uuid;
	}
	return known ? 0 : -ENODEV;
}
