// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu
 *
 * A virtual machine has the GPU that its host lends it: outputs, which the host
 * shows in windows, and, if it can, rendering. Guest and host speak in commands
 * over two virtqueues. The host never sees the guest's buffers as such. It has
 * resources of its own, and reads or writes the guest's memory when told to.
 *
 * This file joins the virtio device and the DRM device: probe, removal, and what
 * outlives removal. The others have one concern each; virtgpu_vq.c is the place
 * to begin.
 *
 * Lifetime: the DRM device is made in probe, and stays until the last open file,
 * buffer and dma-buf is gone. The virtio device may go before. From then on the
 * queues take no commands: each ends at once with -ENODEV, so nobody has to ask
 * first whether the device is there. What a command holds is given back by
 * a workqueue of the module, with a reference on the DRM device, hence unloading
 * waits for it.
 *
 * A machine that goes down asks no driver of virtio: the bus breaks the virtqueues
 * and resets the device. To the driver that is a host that has gone wrong, see
 * virtgpu_answer.c, and whoever draws until the end waits for nothing.
 *
 * Locking: see &struct vgpu_device.
 */

#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/virtio_ids.h>

#include <drm/drm_aperture.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_fbdev_ttm.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "virtgpu_caps.h"
#include "virtgpu_commit.h"
#include "virtgpu_context.h"
#include "virtgpu_debugfs.h"
#include "virtgpu_drv.h"
#include "virtgpu_gem.h"
#include "virtgpu_export.h"
#include "virtgpu_import.h"
#include "virtgpu_ioctl.h"
#include "virtgpu_object.h"
#include "virtgpu_pm.h"

static int vgpu_modeset = -1;
module_param_named(modeset, vgpu_modeset, int, 0400);
MODULE_PARM_DESC(modeset, "0: leave devices alone, 1: take them in any case");

/* Whatever may have to wait for a lock when a command is over. */
static struct workqueue_struct *vgpu_release_wq;

/**
 * vgpu_device_watch - see to it that no answer is missed
 * @vgpu: a device with a command under way
 *
 * Context: Any, with a queue that is alive, and its lock.
 */
void vgpu_device_watch(struct vgpu_device *vgpu)
{
	queue_delayed_work(vgpu->answers, &vgpu->watchdog, HZ);
}

static void vgpu_watchdog(struct work_struct *work)
{
	struct vgpu_device *vgpu = container_of(to_delayed_work(work),
						struct vgpu_device, watchdog);

	vgpu_queue_poll(&vgpu->ctrl);
	vgpu_queue_poll(&vgpu->cursor);
	if (!vgpu_queue_idle(&vgpu->ctrl) || !vgpu_queue_idle(&vgpu->cursor))
		vgpu_device_watch(vgpu);
}

static void forget_fence(struct vgpu_cmd *cmd)
{
	struct dma_resv *resv;
	unsigned int i;

	if (!cmd->fence || !cmd->fence->alone)
		return;

	for (i = 0; i < cmd->num_objects; i++) {
		resv = cmd->objects[i]->resv;
		dma_resv_lock(resv, NULL);
		vgpu_fence_forget_locked(cmd->fence, resv);
		dma_resv_unlock(resv);
	}
}

static void vgpu_release(struct work_struct *work)
{
	struct vgpu_device *vgpu =
		container_of(work, struct vgpu_device, release);
	struct drm_device *drm = vgpu->drm;
	struct vgpu_cmd *cmd, *next;
	LIST_HEAD(list);

	scoped_guard(spinlock, &vgpu->release_lock)
		list_splice_init(&vgpu->released, &list);

	list_for_each_entry_safe(cmd, next, &list, node) {
		list_del_init(&cmd->node);
		if (cmd->release)
			cmd->release(cmd);
		forget_fence(cmd);
		/* not with the command, which an object may hold in turn */
		vgpu_cmd_drop_objects(cmd);
		vgpu_cmd_put(cmd);
	}
	/* the device may end here, and the work with it */
	drm_dev_put(drm);
}

/**
 * vgpu_device_release_cmd - give back the queue's reference, and what is held
 * @vgpu: the device
 * @cmd: a command that is over
 *
 * The reference on the device is not the command's: a run takes all commands it
 * finds, those that had the next run queued as well, and that one needs a device.
 *
 * Context: Any that may take a spinlock.
 */
void vgpu_device_release_cmd(struct vgpu_device *vgpu, struct vgpu_cmd *cmd)
{
	/* a run that begins meanwhile waits for the lock first */
	scoped_guard(spinlock, &vgpu->release_lock) {
		list_add_tail(&cmd->node, &vgpu->released);
		if (queue_work(vgpu_release_wq, &vgpu->release))
			drm_dev_get(vgpu->drm);
	}
}

static void vgpu_destroy(struct drm_device *drm, void *data)
{
	struct vgpu_device *vgpu = data;

	if (vgpu->answers)
		destroy_workqueue(vgpu->answers);
	ida_destroy(&vgpu->contexts);
	ida_destroy(&vgpu->resources);
}

/**
 * vgpu_device_setup - make a device that has queues, which take nothing yet
 * @drm: the DRM device
 * @vdev: the virtio device
 *
 * Return: a device that lives as long as @drm, or an error pointer:
 *
 *	* -ENOMEM: out of memory
 */
struct vgpu_device *vgpu_device_setup(struct drm_device *drm,
				      struct virtio_device *vdev)
{
	struct vgpu_device *vgpu;
	int ret;

	vgpu = drmm_kzalloc(drm, sizeof(*vgpu), GFP_KERNEL);
	if (!vgpu)
		return ERR_PTR(-ENOMEM);

	vgpu->drm = drm;
	vgpu->vdev = vdev;
	vgpu->blob_alignment = 1;
	drm->dev_private = vgpu;
	spin_lock_init(&vgpu->release_lock);
	INIT_LIST_HEAD(&vgpu->released);
	INIT_WORK(&vgpu->release, vgpu_release);
	INIT_DELAYED_WORK(&vgpu->watchdog, vgpu_watchdog);
	INIT_DELAYED_WORK(&vgpu->repay, vgpu_commit_repay);
	ida_init(&vgpu->contexts);
	ida_init(&vgpu->resources);
	vgpu_fences_init(&vgpu->fences);
	vgpu_queue_init(&vgpu->ctrl, vgpu);
	vgpu_queue_init(&vgpu->cursor, vgpu);

	spin_lock_init(&vgpu->objects_lock);
	INIT_LIST_HEAD(&vgpu->objects);
	INIT_LIST_HEAD(&vgpu->caps);

	ret = drmm_add_action_or_reset(drm, vgpu_destroy, vgpu);
	if (!ret)
		ret = drmm_mutex_init(drm, &vgpu->window_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &vgpu->caps_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &vgpu->output_lock);
	if (ret)
		return ERR_PTR(ret);

	vgpu->answers = alloc_ordered_workqueue("virtio-gpu", WQ_MEM_RECLAIM);
	return vgpu->answers ? vgpu : ERR_PTR(-ENOMEM);
}

static struct vgpu_device *vgpu_create(struct virtio_device *vdev,
				       const struct drm_driver *driver)
{
	struct vgpu_device *vgpu;
	struct drm_device *drm;

	/* The virtio device has no DMA of its own; its parent is the device. */
	drm = drm_dev_alloc(driver, vdev->dev.parent);
	if (IS_ERR(drm))
		return ERR_CAST(drm);

	vgpu = vgpu_device_setup(drm, vdev);
	if (IS_ERR(vgpu))
		drm_dev_put(drm);
	return vgpu;
}

static int vgpu_take_over_display(struct drm_device *drm,
				  const struct drm_driver *driver)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(drm->dev))
		return 0;

	pdev = to_pci_dev(drm->dev);
	drm_info(drm, "%s at %s\n",
		 pci_is_vga(pdev) ? "virtio-vga" : "virtio-gpu-pci",
		 pci_name(pdev));
	if (!pci_is_vga(pdev))
		return 0;

	return drm_aperture_remove_conflicting_pci_framebuffers(pdev, driver);
}

DEFINE_DRM_GEM_FOPS(vgpu_file_ops);

/* Name, date and version are what clients of the original driver look for. */
static const struct drm_driver vgpu_drm_driver = {
	.driver_features = DRIVER_MODESET | DRIVER_GEM | DRIVER_RENDER |
			   DRIVER_ATOMIC | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE | DRIVER_CURSOR_HOTSPOT,
	.fops = &vgpu_file_ops,
	.open = vgpu_file_open,
	.postclose = vgpu_file_close,
	.dumb_create = vgpu_dumb_create,
	.dumb_map_offset = vgpu_map_offset,
	.gem_create_object = vgpu_gem_create_object,
	.prime_handle_to_fd = vgpu_prime_handle_to_fd,
	.prime_fd_to_handle = vgpu_prime_fd_to_handle,
	.gem_prime_import = vgpu_prime_import,
	.ioctls = vgpu_ioctls,
	.num_ioctls = VGPU_NUM_IOCTLS,
	.name = "virtio_gpu",
	.desc = "virtio GPU",
	.date = "0",
	.major = 0,
	.minor = 1,
	.patchlevel = 0,
};

static int vgpu_probe(struct virtio_device *vdev)
{
	struct vgpu_device *vgpu;
	struct drm_device *drm;
	int ret;

	if (!vgpu_modeset ||
	    (drm_firmware_drivers_only() && vgpu_modeset == -1))
		return -EINVAL;

	vgpu = vgpu_create(vdev, &vgpu_drm_driver);
	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	drm = vgpu->drm;
	vdev->priv = vgpu;

	ret = vgpu_take_over_display(drm, &vgpu_drm_driver);
	if (ret)
		goto err_put;

	dma_set_max_seg_size(drm->dev,
			     dma_max_mapping_size(drm->dev) ?: UINT_MAX);
	ret = vgpu_device_init(vgpu);
	if (ret)
		goto err_put;
	vgpu_device_start(vgpu);
	vgpu_debugfs_init(vgpu);

	ret = drm_dev_register(drm, 0);
	if (ret)
		goto err_stop;

	drm_fbdev_ttm_setup(drm, 32);
	return 0;

err_stop:
	vgpu_device_stop(vgpu);
	vgpu_caps_forget(vgpu);
err_put:
	drm_dev_put(drm);
	return ret;
}

static void vgpu_remove(struct virtio_device *vdev)
{
	struct vgpu_device *vgpu = vdev->priv;
	struct drm_device *drm = vgpu->drm;

	drm_dev_unplug(drm);
	if (vgpu->num_outputs)
		drm_atomic_helper_shutdown(drm);
	vgpu_device_stop(vgpu);
	vgpu_objects_orphan(vgpu);
	vgpu_caps_forget(vgpu);
	drm_dev_put(drm);
}

/**
 * vgpu_config_changed - &virtio_driver.config_changed
 * @vdev: the device
 *
 * Context: Interrupt.
 */
void vgpu_config_changed(struct virtio_device *vdev)
{
	struct vgpu_device *vgpu = vdev->priv;

	queue_work(system_unbound_wq, &vgpu->config_changed);
}

static const struct virtio_device_id vgpu_ids[] = { { VIRTIO_ID_GPU,
						      VIRTIO_DEV_ANY_ID },
						    {} };
MODULE_DEVICE_TABLE(virtio, vgpu_ids);

static const unsigned int vgpu_features[] = {
#ifdef __LITTLE_ENDIAN
	/* Commands to render are in the guest's byte order, not in virtio's. */
	VIRTIO_GPU_F_VIRGL,
#endif
	VIRTIO_GPU_F_EDID,	    VIRTIO_GPU_F_RESOURCE_UUID,
	VIRTIO_GPU_F_RESOURCE_BLOB, VIRTIO_GPU_F_CONTEXT_INIT,
	VIRTIO_GPU_F_BLOB_ALIGNMENT,
};

static struct virtio_driver vgpu_driver = {
	.driver.name = KBUILD_MODNAME,
	.id_table = vgpu_ids,
	.feature_table = vgpu_features,
	.feature_table_size = ARRAY_SIZE(vgpu_features),
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.config_changed = vgpu_config_changed,
	.freeze = pm_sleep_ptr(vgpu_freeze),
	.restore = pm_sleep_ptr(vgpu_restore),
};

static int __init vgpu_init(void)
{
	int ret;

	vgpu_release_wq = alloc_workqueue("virtio-gpu-release", WQ_UNBOUND, 0);
	if (!vgpu_release_wq)
		return -ENOMEM;

	ret = register_virtio_driver(&vgpu_driver);
	if (ret)
		destroy_workqueue(vgpu_release_wq);
	return ret;
}

static void __exit vgpu_exit(void)
{
	unregister_virtio_driver(&vgpu_driver);
	destroy_workqueue(vgpu_release_wq);
	vgpu_fence_module_exit();
}

module_init(vgpu_init);
module_exit(vgpu_exit);

MODULE_IMPORT_NS(DMA_BUF);
MODULE_DESCRIPTION("GPU of virtual machines");
MODULE_LICENSE("GPL");
