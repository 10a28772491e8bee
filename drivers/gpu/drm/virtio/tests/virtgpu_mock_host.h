/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_HOST_H_
#define _VIRTGPU_MOCK_HOST_H_

#include <kunit/test.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_ring.h>

#include "../virtgpu_drv.h"

/* Room for four commands of two pieces, or two of three. */
#define MOCK_HOST_RING 8

struct drm_driver;
struct drm_file;
struct drm_gem_object;
struct mock_answer;

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

	/** @resets: how often it was reset, by who does without virtgpu_mock_transport.c */
	unsigned int resets;

	/** @kicks: how often the driver has said that there is something */
	unsigned int kicks;

	/** @req: the command that was read last */
	struct vgpu_req req;

	/** @seen: how many commands of each type were read */
	unsigned int seen[VIRTIO_GPU_CMD_MOVE_CURSOR + 1];

	/**
	 * @auto_answer: what the host says as soon as it is told of a command,
	 * or NULL. Called with the lock of the queue.
	 */
	struct mock_answer (*auto_answer)(struct mock_host *host,
					  const struct vgpu_req *req);

	/** @late: see mock_host_answer_late() */
	struct delayed_work late;

	/** @config: what a transport that has one shows of the device */
	struct virtio_gpu_config config;

	/** @status: of the device, for that transport */
	u8 status;

	/** @was_broken: whether the queue that was taken away last was */
	bool was_broken;

	/** @names: how many UUIDs it has given */
	u8 names;

	/** @window: how large mock_transport_windows() says the first scanout is */
	struct vgpu_rect window;

	/** @priv: the test's */
	void *priv;
};

/**
 * struct mock_answer - what the host says
 * @type: of the answer
 * @len: how many bytes it claims to have written
 * @data: what else there is, header included, or NULL
 * @size: of @data, in bytes
 */
struct mock_answer {
	u32 type;
	u32 len;
	const void *data;
	size_t size;
};

/* The most that was ever right. */
#define MOCK_OK                                            \
	((struct mock_answer){                             \
		.type = VIRTIO_GPU_RESP_OK_NODATA,         \
		.len = sizeof(struct virtio_gpu_ctrl_hdr), \
	})

extern const struct drm_driver mock_host_driver;

struct mock_host *mock_host_create(struct kunit *test);
int mock_host_make_ring(struct mock_host *host);
void mock_host_drop_ring(struct mock_host *host);
void mock_host_end(struct mock_host *host);
unsigned int mock_host_waiting(struct mock_host *host);
u32 mock_host_answer(struct mock_host *host, struct mock_answer answer);
void mock_host_answer_late(struct mock_host *host);
void mock_host_use(struct mock_host *host, u32 id, u32 len);
void mock_host_tell(struct mock_host *host);
struct mock_answer mock_host_obeys(struct mock_host *host,
				   const struct vgpu_req *req);
const void *mock_host_data(struct mock_host *host, size_t *size);
struct mock_answer mock_host_says(const struct vgpu_req *req, u32 command,
				  u32 type, const void *data, size_t size);
void mock_host_settle(struct mock_host *host);
struct drm_file *mock_host_open(struct kunit *test, struct mock_host *host);
void mock_host_close(struct kunit *test, struct drm_file *file);
void mock_signal(bool arrive);

#endif
