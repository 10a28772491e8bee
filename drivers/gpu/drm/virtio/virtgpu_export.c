// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu exports
 *
 * Our storage is &struct drm_gem_storage, so any device can have it, and it moves if
 * one comes that is stricter. The host may have the pages then. If no scanout shows
 * the buffer, the host is told to let go, its answer is waited for, and the pages
 * move. If one does, the newcomer gets -EBUSY. Memory of the host does not move.
 *
 * Lifetime: a dma-buf holds its object. Locking: the reservation lock of the object,
 * which the dma-buf shares.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/virtio_dma_buf.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "virtgpu_drv.h"
#include "virtgpu_export.h"
#include "virtgpu_object.h"
#include "virtgpu_uuid.h"
#include "virtgpu_vram.h"

/* Nobody needs the pages where they are, but the host, which can let go. */
static bool only_host_pins(const struct vgpu_object *vobj)
{
	const struct drm_gem_storage *storage = &vobj->storage;

	if (!vobj->sgt || vobj->scanouts || storage->pin_count != 1 ||
	    storage->vmap_count)
		return false;
	/* made again, it would not be known by its UUID, nor have what was rendered */
	return vobj->res.kind != VGPU_RES_BLOB ||
	       (vobj->uuid_state == VGPU_UUID_NONE &&
		!to_vgpu(storage->base.dev)->has_virgl);
}

/*
 * Have the host let go, and wait for that. Who does not learn that it has leaves the
 * memory where it is, and the fence to be asked by the next.
 */
static int take_from_host(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_fence *end;
	long left = 1;
	int ret;

	if (vobj->res.attached) {
		ret = vgpu_res_need_end(vgpu, &vobj->res);
		if (ret)
			return ret;
	}

	end = vgpu_object_detach_locked(vobj);
	if (end)
		left = dma_fence_wait_timeout(&end->base, true,
					      VGPU_ANSWER_TIMEOUT);
	if (left < 0)
		return left;
	/* a host that failed may look at the memory still */
	if (vgpu_object_held_locked(vobj))
		return -EBUSY;

	vgpu_object_put_memory_locked(vobj);
	return 0;
}

static int dmabuf_constrain(struct dma_buf *dmabuf,
			    const struct dma_buf_constraints *c, bool move)
{
	struct vgpu_object *vobj = to_vgpu_object(dmabuf->priv);
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	int ret;

	ret = drm_gem_storage_dmabuf_constrain(dmabuf, c, false);
	if (ret != -EBUSY && ret != -EAGAIN)
		return ret;
	if (ret == -EBUSY && !only_host_pins(vobj))
		return ret;
	if (!move)
		return -EAGAIN;

	if (vobj->sgt) {
		ret = take_from_host(vobj);
		if (ret)
			return ret;
	}
	ret = drm_gem_storage_dmabuf_constrain(dmabuf, c, true);

	/* Contexts use it without saying so. If this fails, the next use tries. */
	if (vobj->res.created || vobj->res.kind == VGPU_RES_BLOB) {
		vgpu_object_attach_locked(vobj, NULL);
		vgpu_queue_kick(&vgpu->ctrl);
	}
	return ret;
}

static const struct virtio_dma_buf_ops storage_dmabuf_ops = {
	.ops = {
		.attach = virtio_dma_buf_attach,
		.detach = drm_gem_storage_dmabuf_detach,
		.map_pins = true,
		.pin = drm_gem_storage_dmabuf_pin,
		.unpin = drm_gem_storage_dmabuf_unpin,
		.constrain = dmabuf_constrain,
		.domains = DMA_BUF_DOMAIN_SYSTEM,
		.map_dma_buf = drm_gem_storage_map_dma_buf,
		.unmap_dma_buf = drm_gem_storage_unmap_dma_buf,
		.mmap = drm_gem_dmabuf_mmap,
		.vmap = drm_gem_dmabuf_vmap,
		.vunmap = drm_gem_dmabuf_vunmap,
		.storage_kind = drm_gem_storage_dmabuf_kind,
		.release = drm_gem_dmabuf_release,
	},
	.get_uuid = vgpu_uuid_get,
};

/* Memory of the host does not move. */
static const struct virtio_dma_buf_ops vram_dmabuf_ops = {
	.ops = {
		.attach = virtio_dma_buf_attach,
		.cache_sgt_mapping = true,
		.map_dma_buf = vgpu_vram_map_dma_buf,
		.unmap_dma_buf = vgpu_vram_unmap_dma_buf,
		.mmap = drm_gem_dmabuf_mmap,
		.release = drm_gem_dmabuf_release,
	},
	.get_uuid = vgpu_uuid_get,
};

static bool is_vram(const struct vgpu_object *vobj)
{
	return vobj->host_blob && !vobj->guest_blob;
}

/**
 * vgpu_prime_export - &drm_gem_object_funcs.export
 * @obj: an object of ours that was not imported
 * @flags: DRM_CLOEXEC and DRM_RDWR
 *
 * Return: a dma-buf or an error pointer:
 *
 *	* -ENOMEM: out of memory
 *	* what drm_gem_dmabuf_export() said
 */
struct dma_buf *vgpu_prime_export(struct drm_gem_object *obj, int flags)
{
	struct vgpu_object *vobj = to_vgpu_object(obj);
	struct vgpu_device *vgpu = to_vgpu(obj->dev);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	int ret;

	/* a blob was asked for one when it was made, or is to have none */
	if (vgpu->has_uuid && !vobj->guest_blob && !vobj->host_blob) {
		ret = vgpu_object_lock(vobj);
		if (ret)
			return ERR_PTR(ret);
		ret = vgpu_object_attach_locked(vobj, NULL);
		dma_resv_unlock(obj->resv);
		vgpu_queue_kick(&vgpu->ctrl);
		ret = ret ?: vgpu_uuid_ask(vobj);
		if (ret)
			return ERR_PTR(ret);
	}

	info.ops =
		is_vram(vobj) ? &vram_dmabuf_ops.ops : &storage_dmabuf_ops.ops;
	info.size = obj->size;
	info.flags = flags;
	info.priv = obj;
	info.resv = obj->resv;

	return drm_gem_dmabuf_export(obj->dev, &info);
}

/**
 * vgpu_prime_handle_to_fd - &drm_driver.prime_handle_to_fd
 * @drm: the device
 * @file: whose handle it is
 * @handle: of a buffer
 * @flags: DRM_CLOEXEC and DRM_RDWR
 * @fd: the descriptor
 *
 * A host that gives names is asked for one. Who makes that wish waits for room, as all
 * do, and before PRIME has its locks.
 *
 * Return: 0, or a negative errno: what vgpu_queue_throttle() or
 *	drm_gem_prime_handle_to_fd() said.
 */
int vgpu_prime_handle_to_fd(struct drm_device *drm, struct drm_file *file,
			    u32 handle, u32 flags, int *fd)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	int ret = 0;

	if (vgpu->has_uuid)
		ret = vgpu_queue_throttle(&vgpu->ctrl);
	return ret ?: drm_gem_prime_handle_to_fd(drm, file, handle, flags, fd);
}

/**
 * vgpu_prime_own - the object that a device has exported
 * @drm: the device
 * @dmabuf: any dma-buf
 *
 * Return: the object, whose reference is the dma-buf's, or NULL if it is not one
 * of @drm.
 */
struct drm_gem_object *vgpu_prime_own(struct drm_device *drm,
				      struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj;

	if (dmabuf->ops != &storage_dmabuf_ops.ops &&
	    dmabuf->ops != &vram_dmabuf_ops.ops)
		return NULL;
	obj = dmabuf->priv;
	return obj->dev == drm ? obj : NULL;
}
