// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: a host for tests
 *
 * A real ring of virtio, in memory of the test, and the part of the host played
 * by the test: so what is tested is all that stands between the driver and a
 * host that errs, the virtio core included. Nothing happens by itself. The test
 * has the host answer, and then has the driver look.
 *
 * Lifetime: that of a test case. Locking: a test is one thread.
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/virtio_ring.h>

#include <drm/drm_device.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_print.h>

#include "virtgpu_mock_host.h"

static bool mock_notify(struct virtqueue *vq)
{
	struct mock_host *host = container_of(vq->vdev, struct mock_host, vdev);

	host->kicks++;
	return true;
}

static void mock_callback(struct virtqueue *vq)
{
}

static void make_ring(struct kunit *test, struct mock_host *host)
{
	size_t size = vring_size(MOCK_HOST_RING, PAGE_SIZE);
	void *pages = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	INIT_LIST_HEAD(&host->vdev.vqs);
	spin_lock_init(&host->vdev.vqs_list_lock);
	/* addresses are those of memory, as no feature says otherwise */
	host->vdev.features = BIT_ULL(VIRTIO_F_VERSION_1);
	vring_init(&host->ring, MOCK_HOST_RING, pages, PAGE_SIZE);
	host->vq = vring_new_virtqueue(0, MOCK_HOST_RING, PAGE_SIZE,
				       &host->vdev, false, false, pages,
				       mock_notify, mock_callback, "control");
	KUNIT_ASSERT_NOT_NULL(test, host->vq);
}

/**
 * mock_host_create - make a device with a control queue, and its host
 * @test: the test
 *
 * Return: a host for mock_host_end().
 */
struct mock_host *mock_host_create(struct kunit *test)
{
	struct mock_host *host;
	struct drm_device *drm;
	struct device *dev;

	host = kunit_kzalloc(test, sizeof(*host), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, host);

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*drm), 0,
						  DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	host->vgpu = vgpu_device_setup(drm, &host->vdev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, host->vgpu);
	host->vdev.dev.parent = dev;
	host->vdev.priv = host->vgpu;

	make_ring(test, host);
	vgpu_queue_start(&host->vgpu->ctrl, host->vq);
	return host;
}

/**
 * mock_host_end - take the device from the driver, as removal does
 * @host: the host
 */
void mock_host_end(struct mock_host *host)
{
	struct vgpu_device *vgpu = host->vgpu;

	vgpu_queue_stop(&vgpu->ctrl);
	cancel_delayed_work_sync(&vgpu->watchdog);
	vgpu_queue_reclaim(&vgpu->ctrl);
	flush_work(&vgpu->release);
	if (host->vq)
		vring_del_virtqueue(host->vq);
	host->vq = NULL;
}

/**
 * mock_host_waiting - how many commands the host has not yet read
 * @host: the host
 *
 * Return: a number.
 */
unsigned int mock_host_waiting(struct mock_host *host)
{
	u16 there = virtio16_to_cpu(&host->vdev, host->ring.avail->idx);

	return (u16)(there - host->next);
}

/**
 * mock_host_use - put an entry into the ring of what is used
 * @host: the host
 * @id: of which descriptor
 * @len: how many bytes are claimed to be written there
 */
void mock_host_use(struct mock_host *host, u32 id, u32 len)
{
	struct virtio_device *vdev = &host->vdev;
	u16 idx = virtio16_to_cpu(vdev, host->ring.used->idx);
	struct vring_used_elem *used =
		&host->ring.used->ring[idx % MOCK_HOST_RING];

	used->id = cpu_to_virtio32(vdev, id);
	used->len = cpu_to_virtio32(vdev, len);
	/* the entry before the number, as a host does */
	smp_wmb();
	host->ring.used->idx = cpu_to_virtio16(vdev, idx + 1);
}

/* Write the answer to the pieces of a command that are there for that. */
static void write_answer(struct mock_host *host, u32 id,
			 const struct mock_answer *answer)
{
	struct virtio_device *vdev = &host->vdev;
	struct virtio_gpu_ctrl_hdr *hdr;
	struct vring_desc *desc;
	u16 flags;

	do {
		desc = &host->ring.desc[id];
		flags = virtio16_to_cpu(vdev, desc->flags);
		hdr = phys_to_virt(virtio64_to_cpu(vdev, desc->addr));
		if (flags & VRING_DESC_F_WRITE)
			hdr->type = cpu_to_le32(answer->type);
		id = virtio16_to_cpu(vdev, desc->next);
	} while (flags & VRING_DESC_F_NEXT);
}

/**
 * mock_host_answer - read the next command and answer it
 * @host: the host; there must be a command
 * @answer: what to say
 *
 * Return: the descriptor of the command.
 */
u32 mock_host_answer(struct mock_host *host, struct mock_answer answer)
{
	u16 slot = host->next++ % MOCK_HOST_RING;
	u32 id = virtio16_to_cpu(&host->vdev, host->ring.avail->ring[slot]);

	write_answer(host, id, &answer);
	mock_host_use(host, id, answer.len);
	return id;
}

/**
 * mock_host_tell - have the driver look for answers, as after an interrupt
 * @host: the host
 */
void mock_host_tell(struct mock_host *host)
{
	vgpu_queue_interrupt(&host->vgpu->ctrl);
	flush_work(&host->vgpu->ctrl.answers);
}
