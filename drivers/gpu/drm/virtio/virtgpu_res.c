// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu resources
 *
 * A resource is what the host has of a buffer, known by a number that the driver
 * gives it. It is made, gets memory, loses it when that moves, gets other memory,
 * and ends. Here are the commands for that, one resource at a time; what it means
 * for the buffer, virtgpu_object.c knows.
 *
 * Taking memory away, and ending, must not fail. The commands for both, and the fence
 * that others wait for, are made before the host gets the memory, and are part of the
 * resource until then.
 *
 * Lifetime: a resource is part of an object or of a framebuffer. Its number is
 * free when the host has answered that it is gone.
 *
 * Locking: the reservation lock of the object.
 */

#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "virtgpu_drv.h"
#include "virtgpu_gem.h"
#include "virtgpu_import.h"
#include "virtgpu_object.h"

static int vgpu_virglhack = 1;
module_param_named(virglhack, vgpu_virglhack, int, 0400);
MODULE_PARM_DESC(virglhack, "0: use numbers of resources again");

/* The last number that was given, if none is used again. */
static atomic_t vgpu_last_res = ATOMIC_INIT(0);

/**
 * vgpu_res_init - give a resource its number, and the command that ends it
 * @vgpu: the device
 * @res: zero, or with @kind and what belongs to that
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: there are too many resources
 */
int vgpu_res_init(struct vgpu_device *vgpu, struct vgpu_res *res)
{
	int id;

	INIT_LIST_HEAD(&res->node);
	res->unref = vgpu_cmd_create();
	if (!res->unref)
		return -ENOMEM;

	if (vgpu_virglhack) {
		id = atomic_inc_return(&vgpu_last_res);
	} else {
		id = ida_alloc(&vgpu->resources, GFP_KERNEL);
		if (id < 0) {
			vgpu_cmd_put(res->unref);
			res->unref = NULL;
			return id;
		}
	}
	res->id = id + 1;

	return 0;
}

/**
 * vgpu_res_fini - undo vgpu_res_init(), of a resource that the host has not
 * @vgpu: the device
 * @res: the resource
 */
void vgpu_res_fini(struct vgpu_device *vgpu, struct vgpu_res *res)
{
	if (res->id && !vgpu_virglhack)
		ida_free(&vgpu->resources, res->id - 1);
	res->id = 0;
	vgpu_cmd_put(res->unref);
	res->unref = NULL;
	vgpu_cmd_put(res->detach);
	res->detach = NULL;
	vgpu_fence_put(res->end);
	res->end = NULL;
	vgpu_fence_put(res->taken);
	res->taken = NULL;
}

static struct virtio_gpu_mem_entry *memory_entries(struct vgpu_object *vobj,
						   u32 *count)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	bool dma = vgpu->use_dma_api || vobj->storage.base.import_attach;
	struct virtio_gpu_mem_entry *entries;
	struct sg_table *sgt = vobj->sgt;
	struct scatterlist *sg;
	unsigned int i;

	*count = dma ? sgt->nents : sgt->orig_nents;
	entries = kvcalloc(*count, sizeof(*entries), GFP_KERNEL | __GFP_NOWARN);
	if (!entries)
		return NULL;

	for_each_sg(sgt->sgl, sg, *count, i) {
		entries[i].addr =
			cpu_to_le64(dma ? sg_dma_address(sg) : sg_phys(sg));
		entries[i].length =
			cpu_to_le32(dma ? sg_dma_len(sg) : sg->length);
	}

	return entries;
}

static struct vgpu_cmd *create_cmd(const struct vgpu_res *res)
{
	struct vgpu_cmd *cmd = vgpu_cmd_create();

	if (!cmd)
		return NULL;
	if (res->kind == VGPU_RES_2D)
		vgpu_req_create_2d(&cmd->req, res->id, &res->texture);
	else
		vgpu_req_create_3d(&cmd->req, res->id, &res->texture);
	return cmd;
}

/* The command that tells where the memory is. */
static int attach_cmd(struct vgpu_object *vobj, const struct vgpu_res *res,
		      struct vgpu_cmd **attach)
{
	struct virtio_gpu_mem_entry *entries;
	struct vgpu_cmd *cmd;
	u32 count;
	int ret;

	entries = memory_entries(vobj, &count);
	if (!entries)
		return -ENOMEM;

	cmd = vgpu_cmd_create();
	if (!cmd) {
		kvfree(entries);
		return -ENOMEM;
	}

	if (res->kind == VGPU_RES_BLOB)
		vgpu_req_create_blob(&cmd->req, res->id, &res->blob, count);
	else
		vgpu_req_attach(&cmd->req, res->id, count);
	ret = vgpu_cmd_set_data(cmd, entries,
				array_size(count, sizeof(*entries)));
	if (ret) {
		vgpu_cmd_put(cmd);
		return ret;
	}

	*attach = cmd;
	return 0;
}

/**
 * vgpu_res_need_end - have the fence that says when the memory is no more the host's
 * @vgpu: the device
 * @res: the resource; nothing happens if it has one
 *
 * A fence holds the module. What is on the screen of a console must not, so our own
 * memory has one only when it is to move.
 *
 * Return: 0, or -ENOMEM.
 */
int vgpu_res_need_end(struct vgpu_device *vgpu, struct vgpu_res *res)
{
	if (!res->end)
		res->end = vgpu_fence_create(&vgpu->fences);
	return res->end ? 0 : -ENOMEM;
}

/* What will be needed to undo it, while there is still somebody to say -ENOMEM. */
static int prepare_end(struct vgpu_object *vobj, struct vgpu_res *res)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	bool is_view = res != &vobj->res;

	if (!res->unref)
		res->unref = vgpu_cmd_create();
	if (!res->detach)
		res->detach = vgpu_cmd_create();
	if (!res->unref || !res->detach)
		return -ENOMEM;
	return is_view || vobj->storage.base.import_attach ?
		       vgpu_res_need_end(vgpu, res) :
		       0;
}

/**
 * vgpu_res_send_locked - have the host make a resource, with memory
 * @vobj: the object
 * @res: one of its resources; nothing happens if it has the memory already
 * @fence: signals when that is done, or NULL; not used if nothing happens
 * @sent: NULL, or gets what tells of the memory, for vgpu_cmd_put(); nothing if nothing
 *	happens
 *
 * The host is not told to begin; see vgpu_queue_kick().
 *
 * Context: Process context. The reservation lock must be held, with room for
 *	    nothing: @fence is added by the caller.
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -EIO: the machine has slept, and the host has forgotten what it had of it
 *	* -E2BIG: the memory is in more pieces than a command has room for
 *	* what vgpu_object_get_memory_locked() said
 */
int vgpu_res_send_locked(struct vgpu_object *vobj, struct vgpu_res *res,
			 struct vgpu_fence *fence, struct vgpu_cmd **sent)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_cmd *create = NULL, *attach, *cmd, *next;
	LIST_HEAD(contexts);
	int ret;

	dma_resv_assert_held(vobj->storage.base.resv);

	if (res->attached)
		return 0;
	if (vobj->lost)
		return -EIO;

	ret = vgpu_object_get_memory_locked(vobj);
	if (!ret)
		ret = prepare_end(vobj, res);
	if (ret)
		return ret;

	if (!res->created && res->kind != VGPU_RES_BLOB) {
		create = create_cmd(res);
		if (!create)
			return -ENOMEM;
	}
	if (!res->created && res == &vobj->res)
		ret = vgpu_gem_context_cmds(vobj, &contexts);
	if (!ret)
		ret = attach_cmd(vobj, res, &attach);
	if (ret) {
		vgpu_cmd_put(create);
		list_for_each_entry_safe(cmd, next, &contexts, node)
			vgpu_cmd_put(cmd);
		return ret;
	}

	if (create)
		vgpu_queue_add(&vgpu->ctrl, create);
	vgpu_cmd_set_fence(attach, fence);
	vgpu_queue_add(&vgpu->ctrl, attach);
	vgpu_cmd_put(create);
	if (sent)
		*sent = attach;
	else
		vgpu_cmd_put(attach);
	list_for_each_entry_safe(cmd, next, &contexts, node) {
		list_del_init(&cmd->node);
		vgpu_queue_add(&vgpu->ctrl, cmd);
		vgpu_cmd_put(cmd);
	}

	list_move_tail(&res->node, &vobj->resources);
	res->created = true;
	res->attached = true;
	return 0;
}

/**
 * vgpu_res_attach_locked - vgpu_res_send_locked() for who does not wait for the answer
 * @vobj: the object
 * @res: one of its resources
 * @fence: as there
 *
 * Return: as vgpu_res_send_locked().
 */
int vgpu_res_attach_locked(struct vgpu_object *vobj, struct vgpu_res *res,
			   struct vgpu_fence *fence)
{
	return vgpu_res_send_locked(vobj, res, fence, NULL);
}

/**
 * vgpu_res_take_locked - have a command say when the host has lost the memory
 * @vobj: the object
 * @res: one of its resources, which has the memory
 * @cmd: what takes it away; about to be sent
 */
void vgpu_res_take_locked(struct vgpu_object *vobj, struct vgpu_res *res,
			  struct vgpu_cmd *cmd)
{
	vgpu_cmd_set_fence(cmd, res->end);
	/* what the fence protects stays until it has signalled */
	vgpu_cmd_add_object(cmd, &vobj->storage.base);
	if (vobj->storage.base.import_attach)
		cmd->release = vgpu_import_let_go;
	vgpu_fence_put(res->taken);
	res->taken = res->end;
	res->end = NULL;
}

/**
 * vgpu_res_unref_locked - end a resource, which may be made again
 * @vgpu: the device
 * @res: a resource that the host has
 */
void vgpu_res_unref_locked(struct vgpu_device *vgpu, struct vgpu_res *res)
{
	struct vgpu_cmd *cmd = res->unref;

	res->unref = NULL;
	res->created = false;
	res->attached = false;
	list_del_init(&res->node);
	vgpu_req_unref(&cmd->req, res->id);
	vgpu_queue_add(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
}

/**
 * vgpu_res_detach_locked - take the memory away
 * @vgpu: the device
 * @res: a resource that has memory, and is no blob
 */
void vgpu_res_detach_locked(struct vgpu_device *vgpu, struct vgpu_res *res)
{
	struct vgpu_cmd *cmd = res->detach;

	res->detach = NULL;
	res->attached = false;
	vgpu_req_detach(&cmd->req, res->id);
	vgpu_queue_add(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
}

static void view_ended(struct vgpu_cmd *cmd)
{
	struct vgpu_device *vgpu = cmd->queue->vgpu;

	if (cmd->objects[0]->import_attach)
		vgpu_import_let_go(cmd);
	if (!vgpu_virglhack)
		ida_free(&vgpu->resources,
			 le32_to_cpu(cmd->req.unref.resource_id) - 1);
}

/**
 * vgpu_res_destroy - end a resource that is not the object's own
 * @vobj: the object, which lives until the host has answered
 * @res: the resource; can be freed afterwards
 *
 * Its memory is the host's until then, though no list says so any more. Who wants to
 * move that finds the fence.
 *
 * Context: Process context. Takes the reservation lock.
 */
void vgpu_res_destroy(struct vgpu_object *vobj, struct vgpu_res *res)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);

	dma_resv_lock(vobj->storage.base.resv, NULL);
	if (res->created) {
		if (res->attached)
			vgpu_res_take_locked(vobj, res, res->unref);
		else
			vgpu_cmd_add_object(res->unref, &vobj->storage.base);
		res->unref->release = view_ended;
		vgpu_res_unref_locked(vgpu, res);
		vgpu_queue_kick(&vgpu->ctrl);
		/* given back there */
		res->id = 0;
	}
	list_del_init(&res->node);
	if (res->taken) {
		list_add_tail(&res->taken->ended, &vobj->ended);
		res->taken = NULL;
		/* those of earlier views may be over */
		vgpu_object_held_locked(vobj);
	}
	dma_resv_unlock(vobj->storage.base.resv);

	vgpu_res_fini(vgpu, res);
}
