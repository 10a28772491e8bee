// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu memory of objects
 *
 * The host is told where the memory of a buffer is, and that may change. Storage moves
 * when a stricter device attaches, and so does the memory of an exporter. Then the host
 * lets go of the old pages before anybody else gets them, and is told of the new ones
 * with the next use.
 *
 * Three rules make that safe. Every command that has the host read or write the
 * memory carries a fence that is in the reservation object, so whoever moves the
 * memory waits for it. The command that takes the memory away is made when the
 * memory is given, so it cannot fail for want of memory. And the pages of
 * storage stay pinned for as long as the host has them.
 *
 * Several resources may have the same memory, and some of them end before the memory
 * moves. So each command that takes it from one has a fence of its own. They are of one
 * timeline, and signal in its order whatever the order of the answers is: to wait for
 * the last is to wait for all. What the host has said to each is looked at one by one,
 * though. For a fence also signals if the host refused, or if it has said nothing for too
 * long, and then it may look at the memory still. A resource that was given it once more
 * and lost it again has only the last of its fences: that is what the host did last.
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
 * Lifetime: see virtgpu_object.c.
 *
 * Locking: the reservation lock of the object.
 */

#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "virtgpu_drv.h"
#include "virtgpu_import.h"
#include "virtgpu_object.h"

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
	vgpu_object_forget_locked(vobj);
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

static void drop_ended(struct vgpu_fence *fence)
{
	list_del_init(&fence->ended);
	vgpu_fence_put(fence);
}

static struct vgpu_fence *later(struct vgpu_fence *a, struct vgpu_fence *b)
{
	return a && a->id > b->id ? a : b;
}

/* The later one of @last and what the resource is still waited for by. */
static struct vgpu_fence *held_by(struct vgpu_res *res, struct vgpu_fence *last)
{
	if (!res->taken)
		return last;
	if (!vgpu_fence_is_certain(res->taken))
		return later(last, res->taken);

	vgpu_fence_put(res->taken);
	res->taken = NULL;
	return last;
}

/*
 * There may be any number of views, one after the other. Of those whose end the host has
 * refused one is enough, for nothing will come of them any more.
 */
static struct vgpu_fence *held_by_ended(struct vgpu_object *vobj,
					struct vgpu_fence *last)
{
	struct vgpu_fence *fence, *next, *failed = NULL;

	list_for_each_entry_safe(fence, next, &vobj->ended, ended) {
		if (vgpu_fence_is_certain(fence)) {
			drop_ended(fence);
			continue;
		}
		if (vgpu_fence_is_over(fence)) {
			if (failed)
				drop_ended(failed);
			failed = fence;
		}
	}
	list_for_each_entry(fence, &vobj->ended, ended)
		last = later(last, fence);
	return last;
}

/**
 * vgpu_object_held_locked - may the host look at memory that was taken from it?
 * @vobj: the object
 *
 * Return: the last fence of those that the host has not said yes to, which signals
 * after the others, or NULL if the host has nothing, but for what is attached. The
 * fence is the object's.
 */
struct vgpu_fence *vgpu_object_held_locked(struct vgpu_object *vobj)
{
	struct vgpu_fence *last;
	struct vgpu_res *res;

	dma_resv_assert_held(vobj->storage.base.resv);

	/* a blob that was ended is in no list */
	last = held_by(&vobj->res, NULL);
	list_for_each_entry(res, &vobj->resources, node)
		last = held_by(res, last);
	return held_by_ended(vobj, last);
}

/**
 * vgpu_object_forget_locked - the host is known to have nothing that was taken from it
 * @vobj: the object
 */
void vgpu_object_forget_locked(struct vgpu_object *vobj)
{
	struct vgpu_fence *fence, *next;
	struct vgpu_res *res;

	list_for_each_entry(res, &vobj->resources, node) {
		vgpu_fence_put(res->taken);
		res->taken = NULL;
	}
	vgpu_fence_put(vobj->res.taken);
	vobj->res.taken = NULL;
	list_for_each_entry_safe(fence, next, &vobj->ended, ended)
		drop_ended(fence);
}

/**
 * vgpu_object_detach_locked - have the host let go of the memory
 * @vobj: the object, whose own resource has its fence made if that is to be waited for
 *
 * Context: Process context. The reservation lock must be held. The caller puts
 *	    the memory when nothing is held any more.
 * Return: as vgpu_object_held_locked().
 */
struct vgpu_fence *vgpu_object_detach_locked(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_res *res, *next;

	dma_resv_assert_held(vobj->storage.base.resv);

	list_for_each_entry_safe(res, next, &vobj->resources, node) {
		if (!res->attached)
			continue;
		if (res->kind == VGPU_RES_BLOB) {
			vgpu_res_take_locked(vobj, res, res->unref);
			vgpu_res_unref_locked(vgpu, res);
		} else {
			vgpu_res_take_locked(vobj, res, res->detach);
			vgpu_res_detach_locked(vgpu, res);
		}
	}
	vgpu_queue_kick(&vgpu->ctrl);

	return vgpu_object_held_locked(vobj);
}
