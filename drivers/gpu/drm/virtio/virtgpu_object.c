// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu objects
 *
 * A buffer is two things here: memory of the guest, which is a &struct
 * drm_gem_storage or belongs to another driver, and a resource of the host,
 * &struct vgpu_res, which is told where the memory is. Both may change. Storage
 * moves when a stricter device attaches, and so does the memory of an exporter.
 * Then the host lets go of the old pages before anybody else gets them, and is
 * told of the new ones with the next use.
 *
 * Three rules make that safe. Every command that has the host read or write the
 * memory carries a fence that is in the reservation object, so whoever moves the
 * memory waits for it. The command that takes the memory away is made when the
 * memory is given, so it cannot fail for want of memory. And the pages of
 * storage stay pinned for as long as the host has them.
 *
 * With the DMA API the device may see a copy of the memory (swiotlb), or the CPU what
 * is in its cache. Then our own memory is synced before each transfer to the host and
 * each frame, and after each transfer from the host, before the fence signals. What
 * rendering commands do with the memory of a blob, nobody knows. An exporter does that
 * for its memory.
 *
 * A blob cannot change its memory. It is ended, and made again under the same
 * number.
 *
 * Lifetime: when the last reference is gone the host is told to end the
 * resource. The memory and the number are free when it has answered, or when
 * the device was reset. The command for that is made with the resource, too.
 *
 * Locking: the reservation lock of an object guards its resources and memory.
 * With it held nothing here waits for the host, but for the want of memory that
 * virtgpu_import.c tells of, which has an end.
 */

#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "virtgpu_drv.h"
#include "virtgpu_gem.h"
#include "virtgpu_import.h"
#include "virtgpu_object.h"
#include "virtgpu_vram.h"

/**
 * vgpu_needs_sync - does a device see other memory than the CPU?
 * @dev: the device
 * @sgt: a table that is mapped for it
 *
 * Return: true if there is a piece of which it does.
 */
bool vgpu_needs_sync(struct device *dev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_STATIC_STUB_REDIRECT(vgpu_needs_sync, dev, sgt);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	}
	return false;
}

/**
 * vgpu_sync - have a device see what the CPU has written, or the other way
 * @dev: the device
 * @sgt: a table that is mapped for it
 * @for_device: which
 */
void vgpu_sync(struct device *dev, struct sg_table *sgt, bool for_device)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_sync, dev, sgt, for_device);
	if (for_device)
		dma_sync_sgtable_for_device(dev, sgt, DMA_BIDIRECTIONAL);
	else
		dma_sync_sgtable_for_cpu(dev, sgt, DMA_BIDIRECTIONAL);
}

/**
 * vgpu_object_sync - the same for the memory of an object, if it is needed
 * @vobj: an object; nothing happens without memory, or if it was imported
 * @for_device: before the host looks, otherwise after it has written
 *
 * Context: Process context. Takes &vgpu_object.sync_lock.
 */
void vgpu_object_sync(struct vgpu_object *vobj, bool for_device)
{
	if (!READ_ONCE(vobj->synced))
		return;

	guard(mutex)(&vobj->sync_lock);
	if (vobj->synced)
		vgpu_sync(vobj->storage.base.dev->dev, vobj->sgt, for_device);
}

static int own_get_memory(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	struct sg_table *sgt;
	int ret;

	ret = drm_gem_storage_pin(obj);
	if (ret)
		return ret;

	sgt = drm_gem_storage_get_sg_table(obj);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto err_unpin;
	}

	if (vgpu->use_dma_api) {
		/*
		 * Others have the same pages mapped, so the DMA API must not
		 * take them for ours alone.
		 */
		ret = dma_map_sgtable(vgpu->drm->dev, sgt, DMA_BIDIRECTIONAL,
				      DMA_ATTR_SKIP_CPU_SYNC);
		if (ret)
			goto err_table;
		vgpu_sync(vgpu->drm->dev, sgt, true);
	}

	vobj->sgt = sgt;
	WRITE_ONCE(vobj->synced,
		   vgpu->use_dma_api && vgpu_needs_sync(vgpu->drm->dev, sgt));
	return 0;

err_table:
	sg_free_table(sgt);
	kfree(sgt);
err_unpin:
	drm_gem_storage_unpin(obj);
	return ret;
}

static void own_put_memory(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	/* whoever syncs is done then */
	scoped_guard(mutex, &vobj->sync_lock)
		WRITE_ONCE(vobj->synced, false);

	/* what the host wrote is there, and the CPU may have written since */
	if (vgpu->use_dma_api)
		dma_unmap_sgtable(vgpu->drm->dev, vobj->sgt, DMA_BIDIRECTIONAL,
				  DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(vobj->sgt);
	kfree(vobj->sgt);
	vobj->sgt = NULL;
	drm_gem_storage_unpin(&vobj->storage.base);
}

/**
 * vgpu_object_get_memory_locked - have pages, and know where they are
 * @vobj: an object with memory of the guest
 *
 * Return: 0, or a negative errno of &drm_gem_storage, or of the exporter; -ENODEV
 * if the device is gone.
 */
int vgpu_object_get_memory_locked(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;

	dma_resv_assert_held(obj->resv);

	if (READ_ONCE(to_vgpu(obj->dev)->gone))
		return -ENODEV;
	if (vobj->sgt)
		return 0;
	if (obj->import_attach)
		return vgpu_import_map_locked(vobj);
	return own_get_memory(to_vgpu(obj->dev), vobj);
}

/**
 * vgpu_object_put_memory_locked - undo vgpu_object_get_memory_locked()
 * @vobj: an object whose memory the host does not have
 */
void vgpu_object_put_memory_locked(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;

	dma_resv_assert_held(obj->resv);

	if (obj->import_attach)
		vgpu_import_unmap_locked(vobj);
	else if (vobj->sgt)
		own_put_memory(to_vgpu(obj->dev), vobj);
	vgpu_object_let_go_locked(vobj, NULL);
}

/**
 * vgpu_object_let_go_locked - note what is to be waited for before memory moves
 * @vobj: the object
 * @fence: of the default timeline, behind all that there were; a reference is taken.
 *	NULL if the host is known to have nothing
 */
void vgpu_object_let_go_locked(struct vgpu_object *vobj,
			       struct vgpu_fence *fence)
{
	if (fence)
		dma_fence_get(&fence->base);
	vgpu_fence_put(vobj->let_go);
	vobj->let_go = fence;
}

/**
 * vgpu_object_attach_locked - have the host make the object's own resource
 * @vobj: an object; nothing happens if it has no resource, or has its memory
 * @fence: as for vgpu_res_attach_locked()
 *
 * Return: as vgpu_res_attach_locked().
 */
int vgpu_object_attach_locked(struct vgpu_object *vobj,
			      struct vgpu_fence *fence)
{
	if (vobj->res.kind == VGPU_RES_NONE)
		return 0;
	return vgpu_res_attach_locked(vobj, &vobj->res, fence);
}

static struct vgpu_res *last_attached(struct vgpu_object *vobj)
{
	struct vgpu_res *res;

	list_for_each_entry_reverse(res, &vobj->resources, node) {
		if (res->attached)
			return res;
	}
	return NULL;
}

/* The command that tells the host of the end of the memory, if it is a blob too. */
static struct vgpu_cmd *end_of_memory(const struct vgpu_res *res)
{
	return res->kind == VGPU_RES_BLOB ? res->unref : res->detach;
}

/**
 * vgpu_object_detach_locked - have the host let go of the memory
 * @vobj: the object
 * @fence: signals when it has, or NULL; emitted in any case
 *
 * Context: Process context. The reservation lock must be held. The caller puts
 *	    the memory when what is returned has signalled.
 * Return: @fence if the host had it. If it did not, the fence of what took the memory
 * from it before, which nobody has seen done yet, or NULL. Both are the object's.
 */
struct vgpu_fence *vgpu_object_detach_locked(struct vgpu_object *vobj,
					     struct vgpu_fence *fence)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_res *res, *next, *last = last_attached(vobj);
	struct vgpu_cmd *cmd;

	dma_resv_assert_held(vobj->storage.base.resv);

	if (last) {
		cmd = end_of_memory(last);
		vgpu_cmd_set_fence(cmd, fence);
		/* what the fence protects stays until it has signalled */
		vgpu_cmd_add_object(cmd, &vobj->storage.base);
		if (vobj->storage.base.import_attach)
			cmd->release = vgpu_import_let_go;
		vgpu_object_let_go_locked(vobj, fence);
	}
	list_for_each_entry_safe(res, next, &vobj->resources, node) {
		if (!res->attached)
			continue;
		if (res->kind == VGPU_RES_BLOB)
			vgpu_res_unref_locked(vgpu, res);
		else
			vgpu_res_detach_locked(vgpu, res);
	}
	vgpu_fence_abandon(fence, 0);
	vgpu_queue_kick(&vgpu->ctrl);

	return vobj->let_go;
}

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
 * it is not helped with that, but gets the fence of the end, which was made with the
 * mapping: there may be no memory for one now.
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
	if (created)
		send_unref(vobj, vobj->end);
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
