// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu bring-up
 *
 * What the host offers is known by its features, its configuration space and
 * the answers to a few questions. Here it is asked, once when the device is
 * probed, and again for the outputs when the host says that something has
 * changed. A question that is not answered costs its feature, not the device: a
 * host may be slow, or wrong, and a screen is better than none.
 *
 * Lifetime: vgpu_device_init() and vgpu_device_start() make a device that takes
 * commands, vgpu_device_stop() ends that, though the device may have been pulled out.
 *
 * Locking: see &struct vgpu_device.
 */

#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/virtio_dma_buf.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_ring.h>
#include <xen/xen.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_resp.h"
#include "virtgpu_vram.h"
#include "virtgpu_window.h"

static void config_changed(struct work_struct *work)
{
	struct vgpu_device *vgpu =
		container_of(work, struct vgpu_device, config_changed);
	u32 events = 0;

	virtio_cread_le(vgpu->vdev, struct virtio_gpu_config, events_read,
			&events);
	if (!(events & VIRTIO_GPU_EVENT_DISPLAY))
		return;

	/* first, for what changes from here on is another event */
	events = VIRTIO_GPU_EVENT_DISPLAY;
	virtio_cwrite_le(vgpu->vdev, struct virtio_gpu_config, events_clear,
			 &events);
	if (!vgpu->num_outputs)
		return;

	vgpu_windows_query(vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	drm_kms_helper_hotplug_event(vgpu->drm);
}

/**
 * vgpu_is_in_xen - is this a guest of Xen, where others see its memory elsewhere?
 * @vgpu: the device
 *
 * Return: true if so.
 */
bool vgpu_is_in_xen(struct vgpu_device *vgpu)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_is_in_xen, vgpu);
	return xen_domain();
}

static void find_features(struct vgpu_device *vgpu)
{
	struct virtio_device *vdev = vgpu->vdev;

	vgpu->has_virgl = virtio_has_feature(vdev, VIRTIO_GPU_F_VIRGL);
	vgpu->has_edid = virtio_has_feature(vdev, VIRTIO_GPU_F_EDID);
	vgpu->has_indirect =
		virtio_has_feature(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	vgpu->has_uuid = virtio_has_feature(vdev, VIRTIO_GPU_F_RESOURCE_UUID);
	vgpu->has_blob = virtio_has_feature(vdev, VIRTIO_GPU_F_RESOURCE_BLOB);
	vgpu->has_context_init =
		virtio_has_feature(vdev, VIRTIO_GPU_F_CONTEXT_INIT);
	/* the transport goes by the same rule for its rings */
	vgpu->use_dma_api = !virtio_has_dma_quirk(vdev) || vgpu_is_in_xen(vgpu);
}

/* Behind what the header knows of the configuration. */
static void find_blob_alignment(struct vgpu_device *vgpu)
{
	__le32 raw = 0;
	u32 value;

	if (!vgpu->has_blob ||
	    !virtio_has_feature(vgpu->vdev, VIRTIO_GPU_F_BLOB_ALIGNMENT))
		return;

	virtio_cread_bytes(vgpu->vdev, sizeof(struct virtio_gpu_config), &raw,
			   sizeof(raw));
	value = le32_to_cpu(raw);
	if (!is_power_of_2(value)) {
		drm_err(vgpu->drm, "blobs are multiples of %u bytes?\n", value);
		return;
	}
	vgpu->has_blob_alignment = true;
	vgpu->blob_alignment = value;
}

static void window_fini(struct drm_device *drm, void *data)
{
	drm_mm_takedown(data);
}

static int find_window(struct vgpu_device *vgpu)
{
	struct virtio_shm_region *window = &vgpu->window;
	struct device *dev = &vgpu->vdev->dev;

	if (!virtio_get_shm_region(vgpu->vdev, window,
				   VIRTIO_GPU_SHM_ID_HOST_VISIBLE))
		return 0;

	if (!devm_request_mem_region(dev, window->addr, window->len,
				     dev_name(dev))) {
		drm_err(vgpu->drm, "the host's memory is taken\n");
		return -EBUSY;
	}

	drm_info(vgpu->drm, "window to the host's memory: %#llx +%#llx\n",
		 window->addr, window->len);
	if (!vgpu_vram_init_window(vgpu)) {
		drm_err(vgpu->drm, "which is at no multiple of %#x bytes\n",
			vgpu->blob_alignment);
		return 0;
	}

	return drmm_add_action_or_reset(vgpu->drm, window_fini,
					&vgpu->window_mm);
}

static void find_outputs(struct vgpu_device *vgpu)
{
	u32 count = 0;

	virtio_cread_le(vgpu->vdev, struct virtio_gpu_config, num_scanouts,
			&count);
	vgpu->num_outputs = min_t(u32, count, VIRTIO_GPU_MAX_SCANOUTS);
	if (IS_ENABLED(CONFIG_DRM_VIRTIO_GPU_KMS) && count)
		return;

	drm_info(vgpu->drm, "no displays\n");
	vgpu->num_outputs = 0;
	vgpu->has_edid = false;
	vgpu->drm->driver_features &= ~(DRIVER_MODESET | DRIVER_ATOMIC);
}

static void ctrl_interrupt(struct virtqueue *vq)
{
	struct vgpu_device *vgpu = vq->vdev->priv;

	vgpu_queue_interrupt(&vgpu->ctrl);
}

static void cursor_interrupt(struct virtqueue *vq)
{
	struct vgpu_device *vgpu = vq->vdev->priv;

	vgpu_queue_interrupt(&vgpu->cursor);
}

/**
 * vgpu_find_queues - have virtqueues, and take commands
 * @vgpu: a device without queues
 *
 * Return: 0, or a negative errno of the transport.
 */
int vgpu_find_queues(struct vgpu_device *vgpu)
{
	struct virtqueue_info info[] = {
		{ "control", ctrl_interrupt },
		{ "cursor", cursor_interrupt },
	};
	struct virtqueue *vqs[ARRAY_SIZE(info)];
	int ret;

	ret = virtio_find_vqs(vgpu->vdev, ARRAY_SIZE(info), vqs, info, NULL);
	if (ret) {
		drm_err(vgpu->drm, "no virtqueues, error %d\n", ret);
		return ret;
	}

	vgpu_queue_start(&vgpu->ctrl, vqs[0]);
	vgpu_queue_start(&vgpu->cursor, vqs[1]);
	return 0;
}

static char sign(bool has)
{
	return has ? '+' : '-';
}

/**
 * vgpu_device_init - all that needs no answer of the host
 * @vgpu: a device that is zero but for its queues and fences
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENODEV: the host speaks virtio as it was before 1.0
 *	* -EBUSY: somebody has the window to the host's memory
 *	* -ENOMEM: out of memory
 *	* what the transport or mode setting said
 */
int vgpu_device_init(struct vgpu_device *vgpu)
{
	struct drm_device *drm = vgpu->drm;
	int ret;

	if (!virtio_has_feature(vgpu->vdev, VIRTIO_F_VERSION_1))
		return -ENODEV;

	INIT_WORK(&vgpu->config_changed, config_changed);
	find_features(vgpu);
	find_blob_alignment(vgpu);
	ret = find_window(vgpu);
	if (ret)
		return ret;
	find_outputs(vgpu);
	drm_info(drm,
		 "features: %cvirgl %cedid %cresource_blob %chost_visible\n",
		 sign(vgpu->has_virgl), sign(vgpu->has_edid),
		 sign(vgpu->has_blob), sign(vgpu->has_window));
	drm_info(drm, "features: %ccontext_init\n",
		 sign(vgpu->has_context_init));

	ret = vgpu_display_init(vgpu);
	if (ret)
		return ret;

	return vgpu_find_queues(vgpu);
}

static int query_capset(struct vgpu_device *vgpu, u32 index,
			struct vgpu_capset *capset, unsigned long deadline)
{
	struct vgpu_cmd *cmd;
	int ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;

	vgpu_req_capset_info(&cmd->req, index);
	ret = vgpu_cmd_expect(cmd, VIRTIO_GPU_RESP_OK_CAPSET_INFO,
			      sizeof(struct virtio_gpu_resp_capset_info));
	if (!ret) {
		vgpu_queue_send(&vgpu->ctrl, cmd);
		ret = vgpu_cmd_wait_until(cmd, deadline);
	}
	if (!ret)
		ret = vgpu_resp_capset_info(cmd->resp, cmd->resp_len, capset);
	vgpu_cmd_put(cmd);

	return ret;
}

/* All or none: a client that sees one of them expects it to be right. */
static void query_capsets(struct vgpu_device *vgpu, unsigned long deadline)
{
	struct vgpu_capset *capset;
	u32 count = 0, i;
	u64 mask = 0;
	int ret;

	virtio_cread_le(vgpu->vdev, struct virtio_gpu_config, num_capsets,
			&count);
	/* each has a number of its own */
	count = min_t(u32, count, VGPU_CAPSET_MAX_ID);
	if (!count)
		return;

	vgpu->capsets = drmm_kcalloc(vgpu->drm, count, sizeof(*vgpu->capsets),
				     GFP_KERNEL);
	if (!vgpu->capsets)
		return;

	for (i = 0; i < count; i++) {
		capset = &vgpu->capsets[i];
		ret = query_capset(vgpu, i, capset, deadline);
		if (ret) {
			drm_err(vgpu->drm, "cap set %u: error %d\n", i, ret);
			return;
		}
		/* slow, but it answers */
		deadline = jiffies + VGPU_ANSWER_TIMEOUT;
		mask |= BIT_ULL(capset->id);
		drm_info(vgpu->drm, "cap set %u: id %u, version %u, %u bytes\n",
			 i, capset->id, capset->max_version, capset->max_size);
	}

	vgpu->capset_mask = mask;
	vgpu->num_capsets = count;
}

/**
 * vgpu_device_start - ask the host what there is
 * @vgpu: the device
 *
 * Context: Process context, waits for the host, for %VGPU_ANSWER_TIMEOUT in all, or for
 *	    each answer if there is one.
 */
void vgpu_device_start(struct vgpu_device *vgpu)
{
	unsigned long deadline = jiffies + VGPU_ANSWER_TIMEOUT;

	virtio_device_ready(vgpu->vdev);
	if (vgpu->num_outputs)
		vgpu_windows_query(vgpu, deadline);
	if (time_before(jiffies, deadline))
		deadline = jiffies + VGPU_ANSWER_TIMEOUT;
	query_capsets(vgpu, deadline);
}

/**
 * vgpu_device_is_absent - was the device pulled out?
 * @vgpu: the device
 *
 * Return: true if nothing answers on the bus any more.
 */
bool vgpu_device_is_absent(struct vgpu_device *vgpu)
{
	struct device *dev = vgpu->vdev->dev.parent;

	KUNIT_STATIC_STUB_REDIRECT(vgpu_device_is_absent, vgpu);
	return dev_is_pci(dev) && !pci_device_is_present(to_pci_dev(dev));
}

/* The host writes nothing to the guest's memory from here on. */
static void reset_host(struct vgpu_device *vgpu)
{
	struct virtio_device *vdev = vgpu->vdev;

	if (!vgpu_device_is_absent(vgpu)) {
		virtio_reset_device(vdev);
		return;
	}
	/*
	 * Whoever asks it for its status reads ones, and a reset is over when they
	 * are zeros, hence never.
	 */
	virtio_break_device(vdev);
	virtio_synchronize_cbs(vdev);
}

/**
 * vgpu_device_give_up - end all commands of a device with a broken virtqueue
 * @vgpu: the device
 *
 * vgpu_device_stop() is still to be called, and by then nothing is left to do for it
 * but to part with the virtqueues.
 *
 * Context: Process context, in the workqueue that takes answers.
 */
void vgpu_device_give_up(struct vgpu_device *vgpu)
{
	/* so that what is added waits, of the other queue, too, see virtgpu_vq.c */
	virtio_break_device(vgpu->vdev);
	reset_host(vgpu);
	vgpu_queue_stop(&vgpu->ctrl);
	vgpu_queue_stop(&vgpu->cursor);
	vgpu_queue_reclaim(&vgpu->ctrl);
	vgpu_queue_reclaim(&vgpu->cursor);
}

/**
 * vgpu_device_stop - end all commands, and take no more
 * @vgpu: the device
 *
 * The host has nothing of the guest's memory afterwards. vgpu_find_queues()
 * begins anew.
 *
 * Context: Process context. Waits for work of the driver, not for the host.
 */
void vgpu_device_stop(struct vgpu_device *vgpu)
{
	/* first, for commands end at once when a queue has stopped */
	reset_host(vgpu);
	vgpu_queue_stop(&vgpu->ctrl);
	vgpu_queue_stop(&vgpu->cursor);

	cancel_delayed_work_sync(&vgpu->watchdog);
	cancel_work_sync(&vgpu->ctrl.answers);
	cancel_work_sync(&vgpu->cursor.answers);

	vgpu_queue_reclaim(&vgpu->ctrl);
	vgpu_queue_reclaim(&vgpu->cursor);
	/* not before: it may wait for an answer */
	cancel_work_sync(&vgpu->config_changed);
	cancel_delayed_work_sync(&vgpu->repay);
	flush_work(&vgpu->release);
	vgpu->vdev->config->del_vqs(vgpu->vdev);
}
