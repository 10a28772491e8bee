// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: a host for tests
 *
 * A real ring of virtio, in memory of the test, and the part of the host played
 * by the test: so what is tested is all that stands between the driver and a
 * host that errs, the virtio core included. Nothing happens by itself. The test
 * has the host answer, and then has the driver look; or it has a host that
 * answers each command when it is told of it, as the test says for its type.
 *
 * Lifetime: that of a test case. Locking: a test is one thread.
 */

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_print.h>

#include "../virtgpu_context.h"
#include "../virtgpu_gem.h"
#include "../virtgpu_import.h"
#include "virtgpu_mock_host.h"

static u32 next_id(struct mock_host *host)
{
	u16 slot = host->next % MOCK_HOST_RING;

	return virtio16_to_cpu(&host->vdev, host->ring.avail->ring[slot]);
}

/* The command as the driver has written it, as far as the host understands. */
static void read_request(struct mock_host *host, u32 id)
{
	struct vring_desc *desc = &host->ring.desc[id];
	u64 addr = virtio64_to_cpu(&host->vdev, desc->addr);

	memset(&host->req, 0, sizeof(host->req));
	memcpy(&host->req, phys_to_virt(addr),
	       min_t(size_t, virtio32_to_cpu(&host->vdev, desc->len),
		     offsetof(struct vgpu_req, size)));
}

static bool mock_notify(struct virtqueue *vq)
{
	struct mock_host *host = container_of(vq->vdev, struct mock_host, vdev);

	host->kicks++;
	if (!host->auto_answer)
		return true;

	/* the lock of the queue is held, so the driver looks later */
	while (mock_host_waiting(host)) {
		read_request(host, next_id(host));
		mock_host_answer(host, host->auto_answer(host, &host->req));
	}
	vgpu_queue_interrupt(&host->vgpu->ctrl);
	return true;
}

static void mock_callback(struct virtqueue *vq)
{
}

static size_t ring_bytes(void)
{
	return vring_size(MOCK_HOST_RING, PAGE_SIZE);
}

/**
 * mock_host_make_ring - make the control queue, as a transport does
 * @host: a host without one; &mock_host.vq is set
 *
 * Return: 0, or -ENOMEM.
 */
int mock_host_make_ring(struct mock_host *host)
{
	void *pages = alloc_pages_exact(ring_bytes(), GFP_KERNEL | __GFP_ZERO);

	if (!pages)
		return -ENOMEM;

	host->next = 0;
	INIT_LIST_HEAD(&host->vdev.vqs);
	spin_lock_init(&host->vdev.vqs_list_lock);
	/* addresses are those of memory, as no feature says otherwise */
	host->vdev.features = BIT_ULL(VIRTIO_F_VERSION_1);
	vring_init(&host->ring, MOCK_HOST_RING, pages, PAGE_SIZE);
	host->vq = vring_new_virtqueue(0, MOCK_HOST_RING, PAGE_SIZE,
				       &host->vdev, false, false, pages,
				       mock_notify, mock_callback, "control");
	if (host->vq)
		return 0;
	free_pages_exact(pages, ring_bytes());
	return -ENOMEM;
}

/**
 * mock_host_drop_ring - undo mock_host_make_ring()
 * @host: the host; nothing happens without a queue
 */
void mock_host_drop_ring(struct mock_host *host)
{
	if (!host->vq)
		return;
	vring_del_virtqueue(host->vq);
	host->vq = NULL;
	free_pages_exact(host->ring.desc, ring_bytes());
}

/* What a host that is slow needs for an answer. */
#define LATE (HZ / 20)

static void answer_late(struct work_struct *work)
{
	struct mock_host *host =
		container_of(to_delayed_work(work), struct mock_host, late);

	if (!mock_host_waiting(host)) {
		schedule_delayed_work(&host->late, LATE);
		return;
	}
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
}

static void mock_reset(struct virtio_device *vdev)
{
	container_of(vdev, struct mock_host, vdev)->resets++;
}

/* All that a device which is never brought up needs of its bus. */
static const struct virtio_config_ops mock_config = {
	.reset = mock_reset,
};

DEFINE_DRM_GEM_FOPS(mock_fops);

/* What the real one has, but for its name. */
const struct drm_driver mock_host_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC |
			   DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE |
			   DRIVER_CURSOR_HOTSPOT,
	.fops = &mock_fops,
	.open = vgpu_file_open,
	.postclose = vgpu_file_close,
	.gem_create_object = vgpu_gem_create_object,
	.gem_prime_import = vgpu_prime_import,
	.name = "virtio-gpu-mock",
	.desc = "virtio GPU without a host",
	.date = "0",
};

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
	KUNIT_ASSERT_EQ(test, dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
	drm = __drm_kunit_helper_alloc_drm_device_with_driver(test, dev,
							      sizeof(*drm), 0,
							      &mock_host_driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	host->vgpu = vgpu_device_setup(drm, &host->vdev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, host->vgpu);
	INIT_DELAYED_WORK(&host->late, answer_late);
	host->vdev.dev.parent = dev;
	host->vdev.priv = host->vgpu;
	host->vdev.config = &mock_config;

	KUNIT_ASSERT_EQ(test, mock_host_make_ring(host), 0);
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

	cancel_delayed_work_sync(&host->late);
	vgpu_queue_stop(&vgpu->ctrl);
	vgpu_queue_stop(&vgpu->cursor);
	cancel_delayed_work_sync(&vgpu->watchdog);
	cancel_work_sync(&vgpu->ctrl.answers);
	cancel_delayed_work_sync(&vgpu->repay);
	vgpu_queue_reclaim(&vgpu->ctrl);
	vgpu_queue_reclaim(&vgpu->cursor);
	flush_work(&vgpu->release);
	mock_host_drop_ring(host);
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
		if (flags & VRING_DESC_F_WRITE) {
			memcpy(hdr, answer->data,
			       min_t(size_t, answer->size,
				     virtio32_to_cpu(vdev, desc->len)));
			hdr->type = cpu_to_le32(answer->type);
		}
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
	u32 type, id = next_id(host);

	read_request(host, id);
	host->next++;
	type = le32_to_cpu(host->req.hdr.type);
	if (type < ARRAY_SIZE(host->seen))
		host->seen[type]++;
	write_answer(host, id, &answer);
	mock_host_use(host, id, answer.len);
	return id;
}

/**
 * mock_host_answer_late - have a thread of the host's answer some time from now
 * @host: a host that does not answer by itself
 *
 * To what it has been told by then, or else to what it is told first. Who waits for
 * that has waited when this has happened, however long it took.
 */
void mock_host_answer_late(struct mock_host *host)
{
	schedule_delayed_work(&host->late, LATE);
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

/**
 * mock_host_obeys - a host that answers well to all that has no data
 * @host: the host
 * @req: the command
 *
 * Return: the answer.
 */
struct mock_answer mock_host_obeys(struct mock_host *host,
				   const struct vgpu_req *req)
{
	return MOCK_OK;
}

/**
 * mock_host_data - what follows the command that is to be answered
 * @host: the host, in &mock_host.auto_answer
 * @size: gets how much that is, in bytes
 *
 * Return: the first piece of it, or NULL if nothing follows.
 */
const void *mock_host_data(struct mock_host *host, size_t *size)
{
	struct virtio_device *vdev = &host->vdev;
	struct vring_desc *desc = &host->ring.desc[next_id(host)];

	if (!(virtio16_to_cpu(vdev, desc->flags) & VRING_DESC_F_NEXT))
		return NULL;
	desc = &host->ring.desc[virtio16_to_cpu(vdev, desc->next)];
	if (virtio16_to_cpu(vdev, desc->flags) & VRING_DESC_F_WRITE)
		return NULL;
	*size = virtio32_to_cpu(vdev, desc->len);
	return phys_to_virt(virtio64_to_cpu(vdev, desc->addr));
}

/**
 * mock_host_says - an answer with data to one kind of command, MOCK_OK to others
 * @req: the command
 * @command: the kind
 * @type: of the answer
 * @data: the answer, header included
 * @size: of @data, in bytes
 *
 * Return: the answer.
 */
struct mock_answer mock_host_says(const struct vgpu_req *req, u32 command,
				  u32 type, const void *data, size_t size)
{
	if (le32_to_cpu(req->hdr.type) != command)
		return MOCK_OK;
	return (struct mock_answer){
		.type = type,
		.len = size,
		.data = data,
		.size = size,
	};
}

/**
 * mock_host_settle - wait until the host has answered all that it was told of
 * @host: a host that answers by itself
 */
void mock_host_settle(struct mock_host *host)
{
	struct vgpu_queue *q = &host->vgpu->ctrl;
	bool idle;
	u32 seqno;

	/*
	 * Others take answers, too. Of an idle queue all are taken, but not yet given
	 * back, and what is given back may send more: until nothing was sent while
	 * all of that was waited for.
	 */
	do {
		seqno = READ_ONCE(q->seqno);
		mock_host_tell(host);
		idle = vgpu_queue_idle(q);
		flush_workqueue(host->vgpu->answers);
		flush_work(&host->vgpu->release);
	} while (!idle || seqno != READ_ONCE(q->seqno));
}

static void close_file(void *filp)
{
	__fput_sync(filp);
}

/**
 * mock_host_open - open a file on the device
 * @test: closes it in the end
 * @host: the host of the device
 *
 * Return: the file.
 */
struct drm_file *mock_host_open(struct kunit *test, struct mock_host *host)
{
	struct file *filp;

	filp = mock_drm_getfile(host->vgpu->drm->primary, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, close_file, filp),
			0);
	return filp->private_data;
}

/**
 * mock_host_close - close it before the test ends
 * @test: the test
 * @file: from mock_host_open()
 */
void mock_host_close(struct kunit *test, struct drm_file *file)
{
	kunit_release_action(test, close_file, file->filp);
}

/**
 * mock_signal - have a signal arrive at the test, or forget it
 * @arrive: which
 */
void mock_signal(bool arrive)
{
	if (arrive) {
		allow_signal(SIGUSR1);
		send_sig(SIGUSR1, current, 1);
		return;
	}
	flush_signals(current);
	disallow_signal(SIGUSR1);
}
