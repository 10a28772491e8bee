// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu system calls
 *
 * What user space asks for of buffers. Blobs, contexts, capability sets and rendering
 * have files of their own. Mesa and others know the answers of the original
 * driver, errors included, so these are the same.
 *
 * A system call checks its arguments first, then waits for room in the queue,
 * without locks, and then does its work. Errors of the host come too late for
 * most of them. They go to the log, and to the fence.
 *
 * Lifetime: a buffer has its handle last, when all that user space could touch
 * by it is complete.
 *
 * Locking: see &struct vgpu_file.
 */

#include <linux/dma-resv.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_blob.h"
#include "virtgpu_caps.h"
#include "virtgpu_context.h"
#include "virtgpu_drv.h"
#include "virtgpu_gem.h"
#include "virtgpu_ioctl.h"
#include "virtgpu_object.h"
#include "virtgpu_order.h"
#include "virtgpu_submit.h"

/* How long VIRTGPU_WAIT waits. */
#define WAIT_TIMEOUT (15 * HZ)

/* The only target of a 2D resource, as Gallium has it. */
#define TARGET_2D 2

static int map_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_virtgpu_map *args = data;

	return vgpu_map_offset(file, drm, args->handle, &args->offset);
}

static int getparam_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	const struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_virtgpu_getparam *args = data;
	int value;

	switch (args->param) {
	case VIRTGPU_PARAM_CAPSET_QUERY_FIX:
		value = 1;
		break;
	case VIRTGPU_PARAM_3D_FEATURES:
		value = vgpu->has_virgl;
		break;
	case VIRTGPU_PARAM_RESOURCE_BLOB:
		value = vgpu->has_blob;
		break;
	case VIRTGPU_PARAM_HOST_VISIBLE:
		value = vgpu->has_window;
		break;
	case VIRTGPU_PARAM_CROSS_DEVICE:
		value = vgpu->has_uuid;
		break;
	case VIRTGPU_PARAM_CONTEXT_INIT:
	case VIRTGPU_PARAM_EXPLICIT_DEBUG_NAME:
		value = vgpu->has_context_init;
		break;
	case VIRTGPU_PARAM_SUPPORTED_CAPSET_IDs:
		value = vgpu->capset_mask;
		break;
	case VIRTGPU_PARAM_BLOB_ALIGNMENT:
		if (!vgpu->has_blob_alignment)
			return -ENOENT;
		value = vgpu->blob_alignment;
		break;
	default:
		return -EINVAL;
	}

	/* an int, whatever the type of the member */
	return copy_to_user(u64_to_user_ptr(args->value), &value,
			    sizeof(value)) ?
		       -EFAULT :
		       0;
}

/* The fence lets VIRTGPU_WAIT know when the host has made the resource. */
static int attach_fenced(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	struct dma_resv *resv = vobj->storage.base.resv;
	struct vgpu_fence *fence;
	int ret;

	fence = vgpu_fence_create(&vgpu->fences);
	if (!fence)
		return -ENOMEM;

	ret = vgpu_object_lock(vobj);
	if (ret)
		goto out_put;
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		ret = vgpu_object_attach_locked(vobj, fence);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	vgpu_queue_kick(&vgpu->ctrl);
out_put:
	vgpu_fence_put(fence);
	return ret;
}

static bool is_plain_2d(const struct drm_virtgpu_resource_create *args)
{
	return args->target == TARGET_2D && args->depth <= 1 &&
	       args->nr_samples <= 1 && args->last_level <= 1 &&
	       args->array_size <= 1;
}

static int resource_create_ioctl(struct drm_device *drm, void *data,
				 struct drm_file *file)
{
	struct drm_virtgpu_resource_create *args = data;
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_object *vobj;
	int ret;

	if (!vgpu->has_virgl && !is_plain_2d(args))
		return -EINVAL;

	ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (!ret)
		ret = vgpu_file_need_context(vgpu, file);
	if (ret)
		return ret;

	vobj = vgpu_object_create(vgpu, args->size ?: PAGE_SIZE);
	if (IS_ERR(vobj))
		return PTR_ERR(vobj);

	vobj->res.kind = vgpu->has_virgl ? VGPU_RES_3D : VGPU_RES_2D;
	vobj->res.texture = (struct vgpu_texture){
		.format = args->format,
		.width = args->width,
		.height = args->height,
		.target = args->target,
		.bind = args->bind,
		.depth = args->depth,
		.array_size = args->array_size,
		.last_level = args->last_level,
		.nr_samples = args->nr_samples,
		.flags = args->flags,
	};
	ret = attach_fenced(vgpu, vobj);
	if (ret) {
		drm_gem_object_put(&vobj->storage.base);
		return ret;
	}

	return vgpu_gem_publish(vobj, file, &args->bo_handle,
				&args->res_handle);
}

static int resource_info_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	struct drm_virtgpu_resource_info *args = data;
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_gem_object *obj;
	struct vgpu_object *vobj;
	int ret = 0;

	obj = drm_gem_object_lookup(file, args->bo_handle);
	if (!obj)
		return -ENOENT;

	vobj = to_vgpu_object(obj);
	/* a renderer is better told now than by its host */
	if (vobj->res.kind == VGPU_RES_NONE && vgpu->has_virgl)
		ret = -EINVAL;
	args->size = obj->size;
	args->res_handle = vobj->res.kind == VGPU_RES_NONE ? 0 : vobj->res.id;
	/*
	 * What a client has not asked to be a blob is none of its business. But a
	 * renderer has to give an import a shape, if it is one.
	 */
	if ((!vobj->dumb || obj->import_attach) &&
	    (vobj->guest_blob || vobj->host_blob))
		args->blob_mem = vobj->res.blob.mem;
	drm_gem_object_put(obj);

	return ret;
}

/* What has to do with the CPU's copy, which a blob of the guest has not. */
static int check_transfer(const struct vgpu_object *vobj, bool render,
			  u32 stride, u32 layer_stride)
{
	if (vobj->res.kind == VGPU_RES_NONE ||
	    (vobj->guest_blob && !vobj->host_blob))
		return -EINVAL;
	/* of the others the host knows them */
	if (render && !vobj->host_blob && (stride || layer_stride))
		return -EINVAL;
	return 0;
}

static int transfer_3d(struct drm_device *drm, struct drm_file *file,
		       const struct drm_virtgpu_3d_transfer_to_host *args,
		       struct drm_gem_object *obj, bool to_host)
{
	struct vgpu_transfer transfer = {
		.offset = args->offset,
		.level = args->level,
		.stride = args->stride,
		.layer_stride = args->layer_stride,
	};
	struct vgpu_file *vfile = file->driver_priv;
	struct vgpu_cmd *cmd;
	int ret;

	ret = vgpu_file_need_context(to_vgpu(drm), file);
	if (ret)
		return ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;
	vgpu_req_transfer_3d(&cmd->req, to_host, vfile->ctx_id,
			     to_vgpu_object(obj)->res.id, &args->box,
			     &transfer);
	ret = vgpu_order_queue_one(cmd, obj, !to_host);
	vgpu_cmd_put(cmd);

	return ret;
}

static int transfer_2d(const struct drm_virtgpu_3d_transfer_to_host *args,
		       struct drm_gem_object *obj)
{
	struct vgpu_rect rect = {
		.x = args->box.x,
		.y = args->box.y,
		.width = args->box.w,
		.height = args->box.h,
	};
	struct vgpu_cmd *cmd;
	int ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;
	vgpu_req_transfer_2d(&cmd->req, to_vgpu_object(obj)->res.id, &rect,
			     args->offset);
	ret = vgpu_order_queue_one(cmd, obj, false);
	vgpu_cmd_put(cmd);

	return ret;
}

static int transfer(struct drm_device *drm, struct drm_file *file,
		    const struct drm_virtgpu_3d_transfer_to_host *args,
		    bool to_host)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct drm_gem_object *obj;
	int ret;

	obj = drm_gem_object_lookup(file, args->bo_handle);
	if (!obj)
		return -ENOENT;

	ret = check_transfer(to_vgpu_object(obj), vgpu->has_virgl, args->stride,
			     args->layer_stride);
	if (!ret)
		ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (!ret && vgpu->has_virgl)
		ret = transfer_3d(drm, file, args, obj, to_host);
	else if (!ret)
		ret = transfer_2d(args, obj);
	drm_gem_object_put(obj);

	return ret;
}

static int transfer_to_host_ioctl(struct drm_device *drm, void *data,
				  struct drm_file *file)
{
	return transfer(drm, file, data, true);
}

static int transfer_from_host_ioctl(struct drm_device *drm, void *data,
				    struct drm_file *file)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	int ret;

	static_assert(sizeof(struct drm_virtgpu_3d_transfer_from_host) ==
		      sizeof(struct drm_virtgpu_3d_transfer_to_host));

	if (!vgpu->has_virgl)
		return -ENOSYS;
	/* whatever the handle is: VIRTGPU_CONTEXT_INIT comes too late after this */
	ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (!ret)
		ret = vgpu_file_need_context(vgpu, file);
	return ret ?: transfer(drm, file, data, false);
}

static int wait_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_virtgpu_3d_wait *args = data;
	struct drm_gem_object *obj;
	long left;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	if (args->flags & VIRTGPU_WAIT_NOWAIT)
		left = dma_resv_test_signaled(obj->resv, DMA_RESV_USAGE_READ);
	else
		left = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_READ,
					     true, WAIT_TIMEOUT);
	drm_gem_object_put(obj);

	if (left < 0)
		return left;
	return left ? 0 : -EBUSY;
}

const struct drm_ioctl_desc vgpu_ioctls[VGPU_NUM_IOCTLS] = {
	DRM_IOCTL_DEF_DRV(VIRTGPU_MAP, map_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_EXECBUFFER, vgpu_execbuffer_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_GETPARAM, getparam_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_RESOURCE_CREATE, resource_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_RESOURCE_INFO, resource_info_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_TRANSFER_FROM_HOST, transfer_from_host_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_TRANSFER_TO_HOST, transfer_to_host_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_WAIT, wait_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_GET_CAPS, vgpu_get_caps_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_RESOURCE_CREATE_BLOB,
			  vgpu_resource_create_blob_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_CONTEXT_INIT, vgpu_context_init_ioctl,
			  DRM_RENDER_ALLOW),
};
