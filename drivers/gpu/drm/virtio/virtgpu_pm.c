// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu suspend and resume
 *
 * Suspending resets the device, and the host forgets all: resources, contexts,
 * what was on the screens. The guest's memory is still there. So when the device
 * comes back, each resource that the host had is made again, under the number
 * that user space knows, with the memory that it had, and the screens show what
 * they showed. Clients are told if the host's windows have changed meanwhile.
 *
 * An exporter may have moved a buffer while the machine slept, and may sleep still. It
 * is not waited for: such a buffer is told to the host with its next use.
 *
 * What was in the host's memory alone is lost: the state of rendering contexts,
 * what was rendered and not transferred back, and blobs of the host. Contexts
 * come back empty, resources without content; their clients see what they see
 * after a reset of a GPU. Who uses a blob of the host gets -EIO. If the picture that was
 * on a screen cannot be shown any more, whatever the reason, the screens stay dark until
 * somebody shows something else, and the log says so.
 *
 * Lifetime: objects stay as they are. Views of framebuffers come back, too.
 *
 * Locking: user space is frozen, but kernel threads may give up references, so
 * objects are walked with a reference, and changed with their lock.
 */

#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include <drm/drm_device.h>
#include <drm/drm_edid.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "virtgpu_context.h"
#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_import.h"
#include "virtgpu_object.h"
#include "virtgpu_pm.h"
#include "virtgpu_uuid.h"
#include "virtgpu_window.h"

/* The host has none of them. Which there were, the list still says. */
static void forget_resources(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	struct vgpu_res *res;

	dma_resv_lock(vobj->storage.base.resv, NULL);
	list_for_each_entry(res, &vobj->resources, node) {
		res->created = false;
		res->attached = false;
	}
	/* of a blob of the host, which is in no list, nothing can come back */
	vobj->res.created = false;
	vobj->res.attached = false;
	vobj->lost |= vobj->host_blob;
	vgpu_object_forget_locked(vobj);
	vgpu_import_unmap_stale_locked(vobj);
	dma_resv_unlock(vobj->storage.base.resv);

	scoped_guard(spinlock, &vgpu->objects_lock) {
		if (vobj->uuid_state != VGPU_UUID_NONE)
			vobj->uuid_state = VGPU_UUID_LOST;
	}
}

static void restore_resources(struct vgpu_device *vgpu,
			      struct vgpu_object *vobj)
{
	struct vgpu_res *res, *next;
	unsigned int failed = 0;

	dma_resv_lock(vobj->storage.base.resv, NULL);
	list_for_each_entry_safe(res, next, &vobj->resources, node) {
		if (vobj->lost)
			break;
		/* moved meanwhile; the next use has it mapped, when its exporter is awake */
		if (vobj->storage.base.import_attach && !vobj->sgt)
			break;
		/* it goes to the end of the list, behind what is left to do */
		if (!res->created && vgpu_res_attach_locked(vobj, res, NULL))
			failed++;
	}
	dma_resv_unlock(vobj->storage.base.resv);
	if (failed)
		drm_err(vgpu->drm, "buffer %u: %u resources do not come back\n",
			vobj->res.id, failed);
	vgpu_uuid_ask_again(vobj);
}

/* Those of clients in the kernel, too, which DRM has in a list of their own. */
static void with_files(struct vgpu_device *vgpu,
		       void (*do_one)(struct vgpu_device *vgpu,
				      struct vgpu_file *vfile))
{
	struct drm_device *drm = vgpu->drm;
	struct drm_file *file;

	guard(mutex)(&drm->filelist_mutex);
	list_for_each_entry(file, &drm->filelist, lhead)
		do_one(vgpu, file->driver_priv);
	list_for_each_entry(file, &drm->filelist_internal, lhead)
		do_one(vgpu, file->driver_priv);
}

static void forget_context(struct vgpu_device *vgpu, struct vgpu_file *vfile)
{
	guard(mutex)(&vfile->lock);
	vfile->lost |= vfile->created;
	vfile->created = false;
}

static void restore_context(struct vgpu_device *vgpu, struct vgpu_file *vfile)
{
	guard(mutex)(&vfile->lock);
	/* who has none yet says which kind it wants, later */
	if (!vgpu->has_virgl || !vfile->lost)
		return;

	vfile->lost = false;
	if (vgpu_file_create_context(vgpu, vfile))
		drm_err(vgpu->drm, "context %u does not come back\n",
			vfile->ctx_id);
}

/**
 * struct windows - what the host has said of the outputs
 */
struct windows {
	/** @displays: of each */
	struct vgpu_display displays[VIRTIO_GPU_MAX_SCANOUTS];

	/** @edids: copies for drm_edid_free(), or NULL */
	const struct drm_edid *edids[VIRTIO_GPU_MAX_SCANOUTS];
};

static void windows_note(struct vgpu_device *vgpu, struct windows *windows)
{
	u32 i;

	guard(mutex)(&vgpu->output_lock);
	for (i = 0; i < vgpu->num_outputs; i++) {
		windows->displays[i] = vgpu->outputs[i].display;
		windows->edids[i] = drm_edid_dup(vgpu->outputs[i].edid);
	}
}

static void windows_forget(struct windows *windows)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(windows->edids); i++)
		drm_edid_free(windows->edids[i]);
}

static bool same_edid(const struct drm_edid *a, const struct drm_edid *b)
{
	const struct edid *raw_a = drm_edid_raw(a), *raw_b = drm_edid_raw(b);

	if (!raw_a || !raw_b)
		return raw_a == raw_b;
	return raw_a->extensions == raw_b->extensions &&
	       !memcmp(raw_a, raw_b, (raw_a->extensions + 1) * EDID_LENGTH);
}

static bool windows_are(struct vgpu_device *vgpu, const struct windows *windows)
{
	const struct vgpu_output *output;
	u32 i;

	guard(mutex)(&vgpu->output_lock);
	for (i = 0; i < vgpu->num_outputs; i++) {
		output = &vgpu->outputs[i];
		if (output->display.enabled != windows->displays[i].enabled ||
		    memcmp(&output->display.rect, &windows->displays[i].rect,
			   sizeof(output->display.rect)) ||
		    !same_edid(output->edid, windows->edids[i]))
			return false;
	}
	return true;
}

/* Somebody may have opened, closed or resized them while nobody could be told. */
static void restore_display(struct vgpu_device *vgpu)
{
	struct windows before = {};
	int ret;

	windows_note(vgpu, &before);
	vgpu_windows_query(vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	ret = drm_mode_config_helper_resume(vgpu->drm);
	/* which is no reason to lose the device */
	if (ret)
		drm_err(vgpu->drm, "the screens stay dark: %d\n", ret);
	if (!windows_are(vgpu, &before))
		drm_kms_helper_hotplug_event(vgpu->drm);
	windows_forget(&before);
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
	with_files(vgpu, forget_context);

	return 0;
}

/**
 * vgpu_restore - &virtio_driver.restore
 * @vdev: the device, reset, and with the features that it had
 *
 * Return: 0, or a negative errno of the transport.
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

	/* which are told of the resources */
	with_files(vgpu, restore_context);
	while ((vobj = vgpu_object_next(vgpu, vobj)))
		restore_resources(vgpu, vobj);
	vgpu_queue_kick(&vgpu->ctrl);

	if (vgpu->num_outputs)
		restore_display(vgpu);
	return 0;
}
