// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu windows
 *
 * People open, close and resize the windows of the host, which tells of that by an event
 * and nothing more. So the driver asks each time for all of it: which windows are open,
 * how large, and the EDID of each. What the host says is looked at before it is believed
 * (virtgpu_resp.c), and an answer that makes no sense leaves the output as it was.
 *
 * Lifetime: see virtgpu_display.c.
 *
 * Locking: &vgpu_device.output_lock guards what the host has said.
 */

#include <linux/array_size.h>
#include <linux/cleanup.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include <drm/drm_device.h>
#include <drm/drm_edid.h>
#include <drm/drm_print.h>

#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_resp.h"
#include "virtgpu_window.h"

/* Ask, without waiting; NULL if there is no memory to do so. */
static struct vgpu_cmd *ask_edid(struct vgpu_device *vgpu, u32 index)
{
	struct vgpu_cmd *cmd;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return NULL;

	vgpu_req_edid(&cmd->req, index);
	if (vgpu_cmd_expect(cmd, VIRTIO_GPU_RESP_OK_EDID,
			    sizeof(struct virtio_gpu_resp_edid))) {
		vgpu_cmd_put(cmd);
		return NULL;
	}
	vgpu_queue_add(&vgpu->ctrl, cmd);
	return cmd;
}

/* DRM checks sums and numbers of blocks, and asks for no more than there is. */
static int edid_block(void *context, u8 *buf, unsigned int block, size_t len)
{
	const struct vgpu_cmd *cmd = context;
	size_t size, start = array_size(block, EDID_LENGTH);
	const void *data;
	int ret;

	ret = vgpu_resp_edid(cmd->resp, cmd->resp_len, &data, &size);
	if (ret)
		return ret;
	if (start > size || len > size - start)
		return -EINVAL;

	memcpy(buf, data + start, len);
	return 0;
}

static void take_edid(struct vgpu_output *output, struct vgpu_cmd *cmd)
{
	struct vgpu_device *vgpu = to_vgpu(output->connector.dev);
	const struct drm_edid *edid;

	edid = drm_edid_read_custom(&output->connector, edid_block, cmd);
	if (!edid)
		return;

	/* sysfs and the property show it before anybody probes */
	guard(mutex)(&vgpu->drm->mode_config.mutex);
	drm_edid_connector_update(&output->connector, edid);
	scoped_guard(mutex, &vgpu->output_lock)
		swap(output->edid, edid);
	drm_edid_free(edid);
}

static void take_display_info(struct vgpu_device *vgpu,
			      const struct vgpu_cmd *cmd)
{
	struct vgpu_display display;
	u32 i;

	guard(mutex)(&vgpu->output_lock);
	for (i = 0; i < vgpu->num_outputs; i++) {
		if (!vgpu_resp_display_info(cmd->resp, cmd->resp_len, i,
					    &display))
			vgpu->outputs[i].display = display;
	}
}

static void query_windows(struct vgpu_device *vgpu, unsigned long deadline)
{
	struct vgpu_cmd *cmd;
	int ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return;

	vgpu_req_display_info(&cmd->req);
	ret = vgpu_cmd_expect(cmd, VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
			      sizeof(struct virtio_gpu_resp_display_info));
	if (!ret) {
		vgpu_queue_send(&vgpu->ctrl, cmd);
		ret = vgpu_cmd_wait_until(cmd, deadline);
	}
	if (ret)
		drm_err(vgpu->drm,
			"the host does not tell of its windows, error %d\n",
			ret);
	else
		take_display_info(vgpu, cmd);
	vgpu_cmd_put(cmd);
}

/**
 * vgpu_windows_query - ask the host what its windows are like
 * @vgpu: the device
 * @deadline: when to give up, in jiffies
 *
 * Context: Process context, waits for the host.
 */
void vgpu_windows_query(struct vgpu_device *vgpu, unsigned long deadline)
{
	struct vgpu_cmd *edids[VIRTIO_GPU_MAX_SCANOUTS] = {};
	u32 i;

	/* all at once, so that a silent host is waited for once */
	for (i = 0; vgpu->has_edid && i < vgpu->num_outputs; i++)
		edids[i] = ask_edid(vgpu, i);
	query_windows(vgpu, deadline);

	for (i = 0; i < ARRAY_SIZE(edids); i++) {
		if (edids[i] && !vgpu_cmd_wait_until(edids[i], deadline))
			take_edid(&vgpu->outputs[i], edids[i]);
		vgpu_cmd_put(edids[i]);
	}
}
