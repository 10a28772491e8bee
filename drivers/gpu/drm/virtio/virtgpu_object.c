// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu objects
 *
 * A buffer is two things here: memory of the guest, which is a &struct
 * drm_gem_storage or belongs to another driver, and a resource of the host,
 * &struct vgpu_res, which is told where the memory is. Both may change, see
 * virtgpu_memory.c.
 *
 * Lifetime: when the last reference is gone the host is told to end the
 * resource. The memory and the number are free when it has answered, or when
 * the device was reset. The command for that is made with the resource, too.
 *
 * Locking: the reservation lock of an object guards its resources and memory.
 * With it held nothing here waits for the host.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/overflow.h>

#include <drm/drm_gem.h>

#include "virtgpu_drv.h"
#include "virtgpu_object.h"
#include "virtgpu_vram.h"

/**
 * vgpu_object_create - make an object with storage, and a number
 * @vgpu: the device
 * @size: in bytes; rounded up to whole pages
 *
 * Return: an object that nobody knows of, or an error pointer, see
 * drm_gem_storage_create() and vgpu_res_init().
 */
struct vgpu_object *vgpu_object_create(struct vgpu_device *vgpu, u64 size)
{
	struct drm_gem_storage *storage;
	struct vgpu_object *vobj;
	int ret;

	if (overflows_type(size, size_t))
		return ERR_PTR(-EINVAL);

	storage = drm_gem_storage_create(vgpu->drm, size);
	if (IS_ERR(storage))
		return ERR_CAST(storage);

	vobj = to_vgpu_object(&storage->base);
	ret = vgpu_res_init(vgpu, &vobj->res);
	if (ret) {
		drm_gem_object_put(&storage->base);
		return ERR_PTR(ret);
	}

	return vobj;
}

/* Nobody reads the memory any more; the buffer may live on with others. */
static void object_orphan(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	struct vgpu_res *res;
	bool parts;

	dma_resv_lock(obj->resv, NULL);
	list_for_each_entry(res, &vobj->resources, node) {
		res->created = false;
		res->attached = false;
	}
	vobj->res.created = false;
	vgpu_object_put_memory_locked(vobj);
	/* unless a commit that came too late has it pinned for a moment */
	parts = obj->import_attach && !vobj->orphaned && !vobj->scanouts;
	vobj->orphaned = true;
	dma_resv_unlock(obj->resv);

	/* exporters keep mapped what we have given back */
	if (parts)
		dma_buf_detach_device(obj->import_attach);
}

/**
 * vgpu_object_publish - let what concerns all objects find this one
 * @vobj: an object that is complete
 */
void vgpu_object_publish(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);

	scoped_guard(spinlock, &vgpu->objects_lock)
		list_add_tail(&vobj->node, &vgpu->objects);
	/* vgpu_objects_orphan() may have looked before */
	if (READ_ONCE(vgpu->gone))
		object_orphan(vobj);
}

/**
 * vgpu_object_next - walk all objects, one reference at a time
 * @vgpu: the device
 * @prev: the one before, whose reference is given back, or NULL to begin
 *
 * Context: Process context. The last reference may go here.
 * Return: the next object, with a reference, or NULL at the end.
 */
struct vgpu_object *vgpu_object_next(struct vgpu_device *vgpu,
				     struct vgpu_object *prev)
{
	struct vgpu_object *vobj, *found = NULL;

	scoped_guard(spinlock, &vgpu->objects_lock) {
		vobj = list_prepare_entry(prev, &vgpu->objects, node);
		list_for_each_entry_continue(vobj, &vgpu->objects, node) {
			/* one that is about to go stays in the list until then */
			if (!kref_get_unless_zero(&vobj->storage.base.refcount))
				continue;
			found = vobj;
			break;
		}
	}
	if (prev)
		drm_gem_object_put(&prev->storage.base);

	return found;
}

/**
 * vgpu_objects_orphan - take from all objects what belongs to the device
 * @vgpu: a device that is stopped, and will not be started again
 *
 * A driver that goes leaves nothing mapped for DMA, and an exporter is not held up
 * by an importer that is gone.
 *
 * Context: Process context. Takes the reservation locks.
 */
void vgpu_objects_orphan(struct vgpu_device *vgpu)
{
	struct vgpu_object *vobj = NULL;

	/* whoever has the lock of an object before us is done when we have it */
	WRITE_ONCE(vgpu->gone, true);
	while ((vobj = vgpu_object_next(vgpu, vobj)))
		object_orphan(vobj);
}

/* The host has nothing of it any more. */
static void object_destroy(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	struct vgpu_device *vgpu = to_vgpu(obj->dev);

	vgpu_cmd_put(vobj->uuid_cmd);
	vgpu_res_fini(vgpu, &vobj->res);

	if (vobj->host_blob && !vobj->guest_blob) {
		vgpu_vram_destroy(vobj);
		return;
	}

	/* A dma-buf's lock is shared with others, ours is with nobody. */
	dma_resv_lock(obj->resv, NULL);
	vgpu_object_put_memory_locked(vobj);
	dma_resv_unlock(obj->resv);
	drm_gem_storage_free(obj);
}

static void object_ended(struct vgpu_cmd *cmd)
{
	object_destroy(cmd->priv);
}

static void send_unref(struct vgpu_object *vobj, struct vgpu_fence *fence)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_cmd *cmd = vobj->res.unref;

	list_del_init(&vobj->res.node);
	vobj->res.unref = NULL;
	vgpu_req_unref(&cmd->req, vobj->res.id);
	if (fence)
		vgpu_cmd_set_fence(cmd, fence);
	cmd->release = object_ended;
	cmd->priv = vobj;
	vgpu_queue_send(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
}

/*
 * The exporter may move the memory before the host has forgotten it. From here on
 * it is not helped with that, but gets the fence of the end, which was made before the
 * host had the memory: there may be none for one now.
 */
static void import_free(struct vgpu_object *vobj)
{
	struct dma_buf *dmabuf = vobj->storage.base.import_attach->dmabuf;
	bool created;

	/* the object may be gone when the command is sent, and the lock with it */
	get_dma_buf(dmabuf);

	dma_resv_lock(dmabuf->resv, NULL);
	created = vobj->res.created;
	vobj->dying = created;
	if (created) {
		vgpu_fence_put(vobj->res.taken);
		vobj->res.taken = vobj->res.end;
		vobj->res.end = NULL;
		send_unref(vobj, vobj->res.taken);
	}
	dma_resv_unlock(dmabuf->resv);

	if (!created)
		object_destroy(vobj);
	dma_buf_put(dmabuf);
}

/**
 * vgpu_object_free - &drm_gem_object_funcs.free
 * @obj: an object without references
 *
 * Context: Process context. Does not wait for the host.
 */
void vgpu_object_free(struct drm_gem_object *obj)
{
	struct vgpu_object *vobj = to_vgpu_object(obj);
	struct vgpu_device *vgpu = to_vgpu(obj->dev);

	scoped_guard(spinlock, &vgpu->objects_lock)
		list_del_init(&vobj->node);

	if (obj->import_attach) {
		import_free(vobj);
		return;
	}
	if (!vobj->res.created) {
		object_destroy(vobj);
		return;
	}

	vgpu_vram_unmap(vobj);
	send_unref(vobj, NULL);
}
