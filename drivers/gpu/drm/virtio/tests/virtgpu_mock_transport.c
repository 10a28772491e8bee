// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: a transport for tests
 *
 * What the virtio core asks of a bus: the configuration of the device, its status,
 * and virtqueues, which come from virtgpu_mock_host.c. So a device can be brought up,
 * stopped and brought up again by the driver's own functions.
 */

#include <kunit/test.h>
#include <linux/device/bus.h>
#include <linux/device/driver.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_mode_config.h>

#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_transport.h"

static struct mock_host *to_host(struct virtio_device *vdev)
{
	return container_of(vdev, struct mock_host, vdev);
}

static void transport_get(struct virtio_device *vdev, unsigned int offset,
			  void *buf, unsigned int len)
{
	memcpy(buf, (u8 *)&to_host(vdev)->config + offset, len);
}

static void transport_set(struct virtio_device *vdev, unsigned int offset,
			  const void *buf, unsigned int len)
{
	struct virtio_gpu_config *config = &to_host(vdev)->config;

	memcpy((u8 *)config + offset, buf, len);
	config->events_read &= ~config->events_clear;
	config->events_clear = 0;
}

static u8 transport_get_status(struct virtio_device *vdev)
{
	return to_host(vdev)->status;
}

static void transport_set_status(struct virtio_device *vdev, u8 status)
{
	to_host(vdev)->status = status;
}

static void transport_reset(struct virtio_device *vdev)
{
	to_host(vdev)->status = 0;
}

/* There is no cursor in these tests, and a queue that is NULL takes nothing. */
static int transport_find_vqs(struct virtio_device *vdev, unsigned int count,
			      struct virtqueue *vqs[],
			      struct virtqueue_info info[],
			      struct irq_affinity *affinity)
{
	struct mock_host *host = to_host(vdev);

	int ret = mock_host_make_ring(host);

	vqs[0] = host->vq;
	vqs[1] = NULL;
	return ret;
}

static void transport_del_vqs(struct virtio_device *vdev)
{
	struct mock_host *host = to_host(vdev);

	host->was_broken = virtqueue_is_broken(host->vq);
	mock_host_drop_ring(host);
}

static const struct virtio_config_ops transport = {
	.get = transport_get,
	.set = transport_set,
	.get_status = transport_get_status,
	.set_status = transport_set_status,
	.reset = transport_reset,
	.find_vqs = transport_find_vqs,
	.del_vqs = transport_del_vqs,
};

/* What the virtio core wants to know before it says which features there are. */
static const unsigned int known_features[] = {
	VIRTIO_GPU_F_VIRGL,	    VIRTIO_GPU_F_EDID,
	VIRTIO_GPU_F_RESOURCE_UUID, VIRTIO_GPU_F_RESOURCE_BLOB,
	VIRTIO_GPU_F_CONTEXT_INIT,  VIRTIO_GPU_F_BLOB_ALIGNMENT,
};

static const struct virtio_device_id no_ids[] = { {} };

static int take_nothing(struct virtio_device *vdev)
{
	return -ENODEV;
}

static struct virtio_driver driver = {
	.driver.name = "virtio-gpu-mock",
	.id_table = no_ids,
	.feature_table = known_features,
	.feature_table_size = ARRAY_SIZE(known_features),
	.probe = take_nothing,
	.config_changed = vgpu_config_changed,
};

/**
 * mock_transport_windows - a host that shows the first scanout alone
 * @host: the host, which says how large the window is
 * @req: the command
 *
 * Return: the answer.
 */
struct mock_answer mock_transport_windows(struct mock_host *host,
					  const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_display_info info;

	memset(&info, 0, sizeof(info));
	info.pmodes[0].r.width = cpu_to_le32(host->window.width);
	info.pmodes[0].r.height = cpu_to_le32(host->window.height);
	info.pmodes[0].enabled = cpu_to_le32(1);
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
			      VIRTIO_GPU_RESP_OK_DISPLAY_INFO, &info,
			      sizeof(info));
}

/**
 * mock_transport_create - make a device that the driver has yet to bring up
 * @test: the test
 *
 * Return: a host that answers by itself, and shows one window, of %MOCK_CLIENT_WIDTH
 * and %MOCK_CLIENT_HEIGHT.
 */
struct mock_host *mock_transport_create(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->window.width = MOCK_CLIENT_WIDTH;
	host->window.height = MOCK_CLIENT_HEIGHT;
	/* it finds another by itself, and the helper's would be lost under its own */
	mock_host_end(host);
	drm_mode_config_cleanup(host->vgpu->drm);
	host->auto_answer = mock_transport_windows;
	host->config.num_scanouts = cpu_to_le32(1);
	host->vdev.config = &transport;
	host->vdev.dev.driver = &driver.driver;
	return host;
}

/**
 * mock_transport_changes - say that the device has changed
 * @host: the host
 */
void mock_transport_changes(struct mock_host *host)
{
	/* as it is once a driver has probed */
	spin_lock_init(&host->vdev.config_lock);
	host->vdev.config_core_enabled = true;
	virtio_config_changed(&host->vdev);
	flush_work(&host->vgpu->config_changed);
}

/**
 * mock_transport_shutdown - have the bus do what it does when the machine goes down
 * @host: the host
 *
 * Return: 0, -EOPNOTSUPP if that is nothing in this kernel, or a negative errno.
 */
int mock_transport_shutdown(struct mock_host *host)
{
	void (*shutdown)(struct device *dev);
	/* so that the driver knows its bus */
	int ret = register_virtio_driver(&driver);

	if (ret)
		return ret;
	shutdown = driver.driver.bus->shutdown;
	if (shutdown)
		shutdown(&host->vdev.dev);
	unregister_virtio_driver(&driver);
	return shutdown ? 0 : -EOPNOTSUPP;
}
