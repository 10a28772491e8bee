// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu imports
 *
 * Any dma-buf will do. A host that takes blobs gets its pages as one. Of the others
 * each framebuffer that is made of the buffer gets a 2D resource, for width, height
 * and pitch are not known before, and the pages as its backing (see
 * virtgpu_framebuffer.c). What a rendering context would do with bytes that have no
 * shape, no host can tell, so without blobs it gets nothing.
 *
 * An imported buffer is mapped for the first use. The exporter may move it after
 * that. It tells us with its lock held, and then we must not wait for the host:
 * the commands to let go carry fences, and the last one goes into the reservation object
 * (if a view that had the memory has just gone, that of the command that ends it),
 * where the exporter waits before it moves. Room for it is made with the mapping. If
 * others have taken that, and there is no memory for more, it shares the place of one of
 * theirs (virtgpu_standin.c).
 *
 * The mapping ends when the host has answered; the next use waits for that, until a signal
 * comes. A host that answers with an error, or not in time, keeps the mapping until it is
 * reset or answers after all, and the buffer has no next use before. A scanout pins.
 *
 * One that was given up may still move until the host has forgotten it. Then the
 * exporter gets the fence of the command that ends it.
 *
 * Lifetime: an imported object holds its attachment and the dma-buf until the
 * host has answered that the resources are gone.
 *
 * Locking: the reservation lock of the dma-buf is the one of the object.
 */

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-resv.h>
#include <linux/iommu-dma.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_drv.h"
#include "virtgpu_export.h"
#include "virtgpu_gem.h"
#include "virtgpu_import.h"
#include "virtgpu_object.h"
#include "virtgpu_standin.h"

/**
 * vgpu_import_unmap_stale_locked - give back what the exporter took, if there is any
 * @vobj: an imported object; the host has let go of that, or was reset
 */
void vgpu_import_unmap_stale_locked(struct vgpu_object *vobj)
{
	if (vobj->stale)
		dma_buf_unmap_attachment(vobj->storage.base.import_attach,
					 vobj->stale, DMA_BIDIRECTIONAL);
	vobj->stale = NULL;
}

static int wait_for_stale_locked(struct vgpu_object *vobj)
{
	struct vgpu_fence *held;
	int ret;

	if (!vobj->stale)
		return 0;
	held = vgpu_object_held_locked(vobj);
	if (held) {
		ret = dma_fence_wait(&held->base, true);
		if (ret)
			return ret;
	}
	if (vgpu_object_held_locked(vobj))
		return -EBUSY;
	vgpu_import_unmap_stale_locked(vobj);
	return 0;
}

/**
 * vgpu_import_map_locked - have the pages of an imported object
 * @vobj: an imported object without
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -EBUSY: the host has not said that it let go of the pages there were before
 *	* -ERESTARTSYS: a signal arrived while the host lets go of the pages there were
 *	  before, or the exporter prepares the memory
 *	* what dma_buf_map_attachment() said
 */
int vgpu_import_map_locked(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	struct sg_table *sgt;
	long ret;

	ret = wait_for_stale_locked(vobj);
	if (ret)
		return ret;

	/* a move that is still going on, as dynamic importers have to know */
	ret = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_KERNEL, true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	/* the room that is made here may be there still when it moves, or somebody is */
	ret = dma_resv_reserve_fences(obj->resv, 1);
	if (ret)
		return ret;
	if (!vobj->standin)
		vobj->standin = vgpu_standin_create();
	if (!vobj->standin)
		return -ENOMEM;
	sgt = dma_buf_map_attachment(obj->import_attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	vobj->sgt = sgt;
	return 0;
}

/**
 * vgpu_import_unmap_locked - give back the pages of an imported object
 * @vobj: an imported object that the host has no pages of
 */
void vgpu_import_unmap_locked(struct vgpu_object *vobj)
{
	vgpu_import_unmap_stale_locked(vobj);
	vobj->stale = vobj->sgt;
	vobj->sgt = NULL;
	vgpu_import_unmap_stale_locked(vobj);
	vgpu_standin_put(vobj->standin);
	vobj->standin = NULL;
}

/**
 * vgpu_import_let_go - &vgpu_cmd.release of what takes memory from the host
 * @cmd: the command, with the imported object
 *
 * Context: Process context. Takes the reservation lock.
 */
void vgpu_import_let_go(struct vgpu_cmd *cmd)
{
	struct drm_gem_object *obj = cmd->objects[0];
	struct vgpu_object *vobj = to_vgpu_object(obj);

	dma_resv_lock(obj->resv, NULL);
	/* others may have it still, or it was used and has moved once more since */
	if (vobj->stale && !vgpu_object_held_locked(vobj))
		vgpu_import_unmap_stale_locked(vobj);
	dma_resv_unlock(obj->resv);
}

/**
 * vgpu_import_reserve_locked - dma_resv_reserve_fences(), which a test can refuse
 * @resv: of an exporter
 *
 * Return: 0, or -ENOMEM.
 */
int vgpu_import_reserve_locked(struct dma_resv *resv)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_import_reserve_locked, resv);
	return dma_resv_reserve_fences(resv, 1);
}

/**
 * vgpu_import_hold_back - wait in an exporter's stead, which a test can look at
 * @end: what for; it may be behind work of contexts, which takes any time
 *
 * Return: as dma_fence_wait_timeout().
 */
long vgpu_import_hold_back(struct dma_fence *end)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_import_hold_back, end);
	return dma_fence_wait_timeout(end, false, VGPU_FENCE_TIMEOUT);
}

static void show_end_locked(struct vgpu_object *vobj, struct dma_resv *resv,
			    struct vgpu_fence *end)
{
	dma_fence_enable_sw_signaling(&end->base);
	if (!vgpu_import_reserve_locked(resv)) {
		dma_resv_add_fence(resv, &end->base, DMA_RESV_USAGE_BOOKKEEP);
		return;
	}

	/* without, it was shown the last time, and waits there for the same */
	if (!vobj->standin)
		return;
	if (vgpu_standin_show_locked(vobj->standin, resv, &end->base)) {
		vgpu_standin_put(vobj->standin);
		vobj->standin = NULL;
		return;
	}
	/*
	 * Neither room nor a fence, which no kernel comes to that is not made to find
	 * out who forgets to make room. There what would be freed under the host is
	 * held back here.
	 */
	vgpu_import_hold_back(&end->base);
}

static void import_moved(struct vgpu_object *vobj)
{
	struct vgpu_fence *end;

	/* it was waited for when there was memory again */
	WARN_ON_ONCE(vobj->stale);
	vobj->stale = vobj->sgt;
	vobj->sgt = NULL;
	/* perhaps that of a view that is about to end, with nothing attached any more */
	end = vgpu_object_detach_locked(vobj);
	if (end)
		show_end_locked(vobj, vobj->storage.base.resv, end);
	else
		vgpu_import_unmap_stale_locked(vobj);
}

static void import_move_notify(struct dma_buf_attachment *attach)
{
	struct vgpu_object *vobj = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!vobj->sgt)
		return;
	if (!vobj->dying)
		import_moved(vobj);
	else if (vobj->res.taken)
		show_end_locked(vobj, attach->dmabuf->resv, vobj->res.taken);
}

static const struct dma_buf_attach_ops import_attach_ops = {
	.move_notify = import_move_notify,
};

/*
 * What counts is the answer. A fence would signal behind the work of all contexts, and
 * the client has a lock here that all its threads want.
 */
static int ask_for_blob(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_cmd *cmd;
	long left;
	int ret;

	if (vgpu_queue_is_silent(&vgpu->ctrl))
		return -ETIMEDOUT;
	ret = vgpu_object_lock(vobj);
	if (ret)
		return ret;
	ret = vgpu_res_send_locked(vobj, &vobj->res, NULL, &cmd);
	dma_resv_unlock(vobj->storage.base.resv);
	if (ret)
		return ret;

	vgpu_queue_kick(&vgpu->ctrl);
	left = wait_for_completion_interruptible_timeout(&cmd->completion,
							 VGPU_ANSWER_TIMEOUT);
	if (left > 0)
		vobj->guest_blob = !cmd->result;
	vgpu_cmd_put(cmd);
	if (left > 0)
		return 0;
	return left ?: -ETIMEDOUT;
}

/* The host says whether it can have the pages as a blob; it may refuse. */
static int try_blob(struct vgpu_object *vobj)
{
	struct drm_gem_object *obj = &vobj->storage.base;
	int ret;

	vobj->res.kind = VGPU_RES_BLOB;
	vobj->res.blob.mem = VIRTGPU_BLOB_MEM_GUEST;
	vobj->res.blob.flags = VIRTGPU_BLOB_FLAG_USE_SHAREABLE;
	vobj->res.blob.size = obj->size;
	ret = ask_for_blob(vobj);
	if (vobj->guest_blob)
		return 0;

	dma_resv_lock(obj->resv, NULL);
	if (vobj->sgt)
		import_moved(vobj);
	vobj->res.kind = VGPU_RES_NONE;
	dma_resv_unlock(obj->resv);
	return ret;
}

static struct vgpu_object *import_create(struct vgpu_device *vgpu,
					 struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj;
	struct vgpu_object *vobj;
	int ret;

	vobj = kzalloc(sizeof(*vobj), GFP_KERNEL);
	if (!vobj)
		return ERR_PTR(-ENOMEM);

	vgpu_object_init(vobj);
	vobj->dumb = true;
	obj = &vobj->storage.base;
	obj->funcs = &vgpu_gem_funcs;
	obj->resv = dmabuf->resv;
	drm_gem_private_object_init(vgpu->drm, obj, PAGE_ALIGN(dmabuf->size));

	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		ret = vgpu_res_init(vgpu, &vobj->res);
	if (ret) {
		drm_gem_object_release(obj);
		kfree(vobj);
		return ERR_PTR(ret);
	}

	return vobj;
}

/**
 * vgpu_is_translated - does the DMA API give other addresses than the CPU has?
 * @dev: the device
 *
 * Return: true if something stands between the device and memory.
 */
bool vgpu_is_translated(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_is_translated, dev);
	return use_dma_iommu(dev) || get_dma_ops(dev);
}

/**
 * vgpu_prime_import - &drm_driver.gem_prime_import
 * @drm: the device that imports
 * @dmabuf: any dma-buf
 *
 * Takes pages only if the host takes blobs.
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 * Return: the object itself if it is one of @drm, else one made of the dma-buf,
 * or an error pointer:
 *
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: the device has no room for one more offset or resource
 *	* -ENODEV: the host wants addresses as the CPU sees them, and the DMA API
 *	  has others
 *	* -ERESTARTSYS: a signal arrived
 *	* -ETIMEDOUT: the host does not say whether it takes the pages
 *	* what dma_buf_dynamic_attach() and dma_buf_map_attachment() said
 */
struct drm_gem_object *vgpu_prime_import(struct drm_device *drm,
					 struct dma_buf *dmabuf)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct dma_buf_attachment *attach;
	struct drm_gem_object *obj;
	struct vgpu_object *vobj;
	int ret;

	obj = vgpu_prime_own(drm, dmabuf);
	if (obj) {
		drm_gem_object_get(obj);
		return obj;
	}

	/* a table has addresses of the DMA API, and nothing may look behind them */
	if (!vgpu->use_dma_api && vgpu_is_translated(drm->dev))
		return ERR_PTR(-ENODEV);

	vobj = import_create(vgpu, dmabuf);
	if (IS_ERR(vobj))
		return ERR_CAST(vobj);
	obj = &vobj->storage.base;

	attach = dma_buf_dynamic_attach(dmabuf, drm->dev, &import_attach_ops,
					vobj);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		/* the object is not the buffer's, nor is its lock */
		obj->resv = &obj->_resv;
		goto err_put;
	}
	get_dma_buf(dmabuf);
	obj->import_attach = attach;

	if (vgpu->has_blob && IS_ALIGNED(obj->size, vgpu->blob_alignment)) {
		ret = try_blob(vobj);
		if (ret)
			goto err_put;
	}
	vgpu_object_publish(vobj);

	return obj;

err_put:
	drm_gem_object_put(obj);
	return ERR_PTR(ret);
}

/**
 * vgpu_prime_fd_to_handle - &drm_driver.prime_fd_to_handle
 * @drm: the device
 * @file: who gets the handle
 * @fd: a dma-buf
 * @handle: the handle
 *
 * A host that knows blobs is asked for one of the buffer. Who makes that wish waits for
 * room, as all do, and before PRIME has its locks.
 *
 * Return: 0, or a negative errno: what vgpu_queue_throttle() or
 *	drm_gem_prime_fd_to_handle() said.
 */
int vgpu_prime_fd_to_handle(struct drm_device *drm, struct drm_file *file,
			    int fd, u32 *handle)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	int ret = 0;

	if (vgpu->has_blob)
		ret = vgpu_queue_throttle(&vgpu->ctrl);
	return ret ?: drm_gem_prime_fd_to_handle(drm, file, fd, handle);
}
