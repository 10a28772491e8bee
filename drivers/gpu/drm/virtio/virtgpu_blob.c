// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu making blobs
 *
 * A blob is memory and nothing more: the host is not told of pixels or textures, but
 * where the memory is, in the guest, at the host, or in both, and what it will be used
 * for. If the host has a part in it, its renderer knows the memory by a number, which
 * commands of the client's context give it; they go before, in the same system call.
 *
 * Lifetime: as all buffers, see virtgpu_object.c. It has its handle last.
 *
 * Locking: see &struct vgpu_file.
 */

#include <linux/align.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_blob.h"
#include "virtgpu_context.h"
#include "virtgpu_drv.h"
#include "virtgpu_gem.h"
#include "virtgpu_object.h"
#include "virtgpu_uuid.h"
#include "virtgpu_vram.h"

static bool blob_has_host(u32 mem)
{
	return mem == VIRTGPU_BLOB_MEM_HOST3D ||
	       mem == VIRTGPU_BLOB_MEM_HOST3D_GUEST;
}

static bool blob_has_guest(u32 mem)
{
	return mem == VIRTGPU_BLOB_MEM_GUEST ||
	       mem == VIRTGPU_BLOB_MEM_HOST3D_GUEST;
}

static int check_blob(const struct vgpu_device *vgpu,
		      const struct drm_virtgpu_resource_create_blob *args)
{
	bool host = blob_has_host(args->blob_mem);
	const u32 flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE |
			  VIRTGPU_BLOB_FLAG_USE_SHAREABLE |
			  VIRTGPU_BLOB_FLAG_USE_CROSS_DEVICE;

	if (!vgpu->has_blob || args->blob_flags & ~flags ||
	    !IS_ALIGNED(args->size, vgpu->blob_alignment))
		return -EINVAL;
	if (args->blob_flags & VIRTGPU_BLOB_FLAG_USE_CROSS_DEVICE &&
	    !vgpu->has_uuid)
		return -EINVAL;
	if (!host && !blob_has_guest(args->blob_mem))
		return -EINVAL;
	if (host)
		return vgpu->has_virgl && !(args->cmd_size % 4) ? 0 : -EINVAL;
	/* memory of the guest is not made by a command of a context */
	return args->blob_id || args->cmd_size ? -EINVAL : 0;
}

/* What tells the host's renderer which memory the blob is to be. */
static int submit_blob_commands(struct vgpu_device *vgpu,
				struct vgpu_file *vfile, u64 addr, u32 size)
{
	struct vgpu_cmd *cmd;
	void *buf;
	int ret;

	if (!size)
		return 0;

	if (size > INT_MAX)
		return -ENOMEM;
	buf = vmemdup_user(u64_to_user_ptr(addr), size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	cmd = vgpu_cmd_create();
	if (!cmd) {
		kvfree(buf);
		return -ENOMEM;
	}

	vgpu_req_submit(&cmd->req, vfile->ctx_id, size);
	ret = vgpu_cmd_set_data(cmd, buf, size);
	if (!ret)
		vgpu_queue_add(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);

	return ret;
}

static struct vgpu_object *create_blob(struct vgpu_device *vgpu,
				       const struct vgpu_blob *blob)
{
	struct vgpu_object *vobj;
	int ret;

	/* to the original driver too large for whole pages is the same as nothing */
	if (!PAGE_ALIGN(blob->size))
		return ERR_PTR(-ENOSPC);
	if (!blob_has_guest(blob->mem))
		return vgpu_vram_create(vgpu, blob);

	vobj = vgpu_object_create(vgpu, blob->size);
	if (IS_ERR(vobj))
		return vobj;
	vobj->guest_blob = true;
	vobj->host_blob = blob_has_host(blob->mem);
	vobj->res.kind = VGPU_RES_BLOB;
	vobj->res.blob = *blob;
	vobj->res.blob.size = vobj->storage.base.size;

	ret = vgpu_object_lock(vobj);
	if (!ret) {
		ret = vgpu_object_attach_locked(vobj, NULL);
		dma_resv_unlock(vobj->storage.base.resv);
	}
	if (ret) {
		drm_gem_object_put(&vobj->storage.base);
		return ERR_PTR(ret);
	}
	return vobj;
}

/**
 * vgpu_resource_create_blob_ioctl - VIRTGPU_RESOURCE_CREATE_BLOB
 * @drm: the device
 * @data: &struct drm_virtgpu_resource_create_blob
 * @file: the client
 *
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: the host takes no blobs, or none of that size, place and use
 *	* -EFAULT: an address that is none
 *	* -E2BIG: more than the host takes in one command
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: its size is 0, or nothing of the size has an offset to map it by; the
 *	  window to the host's memory is full, or there are too many resources
 *	* -ERESTARTSYS: a signal arrived
 *	* -ENODEV: the device is gone
 */
int vgpu_resource_create_blob_ioctl(struct drm_device *drm, void *data,
				    struct drm_file *file)
{
	struct drm_virtgpu_resource_create_blob *args = data;
	struct vgpu_file *vfile = file->driver_priv;
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_blob blob = {
		.mem = args->blob_mem,
		.flags = args->blob_flags,
		.size = args->size,
	};
	struct vgpu_object *vobj;
	int ret;

	ret = check_blob(vgpu, args);
	if (!ret)
		ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (!ret)
		ret = vgpu_file_need_context(vgpu, file);
	if (!ret)
		ret = submit_blob_commands(vgpu, vfile, args->cmd,
					   args->cmd_size);
	if (ret)
		return ret;

	if (blob_has_host(args->blob_mem)) {
		blob.ctx_id = vfile->ctx_id;
		blob.id = args->blob_id;
	}
	vobj = create_blob(vgpu, &blob);
	/* of what the context was told, too, if there is no blob */
	vgpu_queue_kick(&vgpu->ctrl);
	if (IS_ERR(vobj))
		return PTR_ERR(vobj);

	if (blob.flags & VIRTGPU_BLOB_FLAG_USE_CROSS_DEVICE) {
		ret = vgpu_uuid_ask(vobj);
		if (ret) {
			drm_gem_object_put(&vobj->storage.base);
			return ret;
		}
	}

	return vgpu_gem_publish(vobj, file, &args->bo_handle,
				&args->res_handle);
}
