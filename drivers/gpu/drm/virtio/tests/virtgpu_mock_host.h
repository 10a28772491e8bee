/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_HOST_H_
#define _VIRTGPU_MOCK_HOST_H_

#include <kunit/test.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <uapi/linux/virtio_ring.h>

#include "../virtgpu_drv.h"

/* Room for four commands of two pieces, or two of three. */
#define MOCK_HOST_RING 8

/**
 * struct mock_host - the other side of the control queue
 *
 * It reads what the driver has put into the ring, as a host would, and answers
 * when the test says so, with what the test says.
 */
struct mock_host {
	/** @vdev: what the ring belongs to; never registered */
	struct virtio_device vdev;

	/** @vgpu: the device that is tested */
	struct vgpu_device *vgpu;

	/** @vq: its control queue */
	struct virtqueue *vq;

	/** @ring: the same, as the host sees it */
	struct vring ring;

	/** @next: the next command to be read */
	u16 next;

	/** @kicks: how often the driver has said that there is something */
	unsigned int kicks;
};

/**
 * struct mock_answer - what the host says
 * @type: of the answer
 * @len: how many bytes it claims to have written
 */
struct mock_answer {
	u32 type;
	u32 len;
};

/* The most that was ever right. */
#define MOCK_OK                                            \
	((struct mock_answer){                             \
		.type = VIRTIO_GPU_RESP_OK_NODATA,         \
		.len = sizeof(struct virtio_gpu_ctrl_hdr), \
	})

struct mock_host *mock_host_create(struct kunit *test);
void mock_host_end(struct mock_host *host);
unsigned int mock_host_waiting(struct mock_host *host);
u32 mock_host_answer(struct mock_host *host, struct mock_answer answer);
void mock_host_use(struct mock_host *host, u32 id, u32 len);
void mock_host_tell(struct mock_host *host);

#endif
