// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu suspend and resume
 *
 * Suspending resets the device, and the host forgets all: resources, contexts,
 * what was on the screens. The guest's memory is still there. So when the device
 * comes back, each resource that the host had is made again, under the number
 * that user space knows, with the memory that it had, and the screens show what
 * they showed.
 *
 * What was in the host's memory alone is lost: the state of rendering contexts,
 * what was rendered and not transferred back, and blobs of the host. Contexts
 * come back empty, resources without content; their clients see what they see
 * after a reset of a GPU.
 *
 * Lifetime: objects stay as they are. Views of framebuffers come back, too.
 *
 * Locking: user space is frozen, but kernel threads may give up references, so
 * objects are walked with a reference, and changed with their lock.
 */

#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/virtio_config.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_print.h>

#include "virtgpu_context.h"
#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_gem.h"
#include "virtgpu_object.h"
#include "virtgpu_pm.h"

/* The host has none of them. Which there were, the list still says. */
static void forget_resources(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	struct vgpu_res *res;

	dma_resv_lock(vobj->storage.base.resv, NULL);
	list_for_each_entry(res, &vobj->resources, node) {
		res->created = false;
		res->attached = false;
	}
	/* of a blob of the host, nothing can come back */
	vobj->res.created = false;
	dma_resv_unlock(vobj->storage.base.resv);

	scoped_guard(spinlock, &vgpu->objects_lock) {
		if (vobj->uuid_state != VGPU_UUID_NONE)
			vobj->uuid_state = VGPU_UUID_FAILED;
	}
}

static void restore_resources(struct vgpu_device *vgpu,
			      struct vgpu_object *vobj)
{
	struct vgpu_res *res, *next;
	int ret = 0;

	dma_resv_lock(vobj->storage.base.resv, NULL);
	list_for_each_entry_safe(res, next, &vobj->resources, node) {
		/* it goes to the end of the list, behind what is left to do */
		if (res->created)
			break;
		ret = vgpu_res_attach_locked(vobj, res, NULL);
		if (ret)
			break;
	}
	dma_resv_unlock(vobj->storage.base.resv);
	if (ret)
		drm_err(vgpu->drm, "resource %u does not come back, error %d\n",
			vobj->res.id, ret);
}

static void forget_contexts(struct vgpu_device *vgpu)
{
	struct vgpu_file *vfile;
	struct drm_file *file;

	guard(mutex)(&vgpu->drm->filelist_mutex);
	list_for_each_entry(file, &vgpu->drm->filelist, lhead) {
		vfile = file->driver_priv;
		guard(mutex)(&vfile->lock);
		vfile->created = false;
	}
}

/* What the file has a handle of, the context may use. */
static void restore_handles(struct vgpu_device *vgpu, struct drm_file *file)
{
	struct drm_gem_object *obj;
	struct vgpu_object *vobj;
	int id;

	for (id = 0;; id++) {
		scoped_guard(spinlock, &file->table_lock) {
			obj = idr_get_next(&file->object_idr, &id);
			if (obj)
				drm_gem_object_get(obj);
		}
		if (!obj)
			break;
		vobj = to_vgpu_object(obj);
		if (vobj->res.kind != VGPU_RES_NONE)
			vgpu_gem_tell_context(vgpu, file->driver_priv, vobj,
					      true);
		drm_gem_object_put(obj);
	}
}

static void restore_contexts(struct vgpu_device *vgpu)
{
	struct vgpu_file *vfile;
	struct drm_file *file;

	if (!vgpu->has_virgl)
		return;

	guard(mutex)(&vgpu->drm->filelist_mutex);
	list_for_each_entry(file, &vgpu->drm->filelist, lhead) {
		vfile = file->driver_priv;
		scoped_guard(mutex, &vfile->lock) {
			if (vgpu_file_create_context(vgpu, vfile))
				continue;
		}
		restore_handles(vgpu, file);
	}
}

/**
 * vgpu_freeze - &virtio_driver.freeze
 * @vdev: the device
 *
 * Return: 0, or a negative errno of mode setting, with the device as it was.
 */
int vgpu_freeze(struct virtio_device *vdev)
{
	struct vgpu_device *vgpu = vdev->priv;
	struct vgpu_object *vobj = NULL;
	int ret;

	if (vgpu->num_outputs) {
		ret = drm_mode_config_helper_suspend(vgpu->drm);
		if (ret)
			return ret;
	}

	vgpu_device_stop(vgpu);
	while ((vobj = vgpu_object_next(vgpu, vobj)))
		forget_resources(vgpu, vobj);
	forget_contexts(vgpu);

	return 0;
}

/**
 * vgpu_restore - &virtio_driver.restore
 * @vdev: the device, reset, and with the features that it had
 *
 * Return: 0, or a negative errno of the transport, or of mode setting.
 */
int vgpu_restore(struct virtio_device *vdev)
{
	struct vgpu_device *vgpu = vdev->priv;
	struct vgpu_object *vobj = NULL;
	int ret;

	ret = vgpu_find_queues(vgpu);
	if (ret)
		return ret;
	virtio_device_ready(vdev);

	while ((vobj = vgpu_object_next(vgpu, vobj)))
		restore_resources(vgpu, vobj);
	restore_contexts(vgpu);
	vgpu_queue_kick(&vgpu->ctrl);

	if (!vgpu->num_outputs)
		return 0;
	vgpu_display_query(vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	return drm_mode_config_helper_resume(vgpu->drm);
}
