/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_CMD_H_
#define _VIRTGPU_CMD_H_

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>

#include "virtgpu_req.h"

struct drm_gem_object;
struct vgpu_fence;
struct vgpu_queue;

struct vgpu_cmd;

/**
 * typedef vgpu_cmd_done - told once how a command went
 * @cmd: the command, whose response can be read if @result is 0
 * @result: 0, or a negative errno: -ENODEV if the host never saw it or was
 *	    reset, what vgpu_resp_check() said, or the transport's
 *
 * Runs in process context, and may hold a reservation lock: it must not wait.
 */
typedef void (*vgpu_cmd_done)(struct vgpu_cmd *cmd, int result);

/**
 * struct vgpu_cmd - one command, from its making until the host has answered
 *
 * Written by who makes it until it is queued, then by the queue.
 */
struct vgpu_cmd {
	/** @refs: the maker's, and the queue's while it is there */
	struct kref refs;

	/** @node: in one of the lists of the queue, under its lock */
	struct list_head node;

	/** @queue: where it was queued; set under the queue's lock */
	struct vgpu_queue *queue;

	/** @req: what the host reads */
	struct vgpu_req req;

	/** @data: what the host reads after that, or NULL; freed with kvfree() */
	void *data;

	/** @data_size: of @data, in bytes */
	size_t data_size;

	/** @data_sgt: the pages of @data */
	struct sg_table data_sgt;

	/** @resp: what the host writes; NULL on the cursor queue */
	void *resp;

	/** @resp_size: of @resp, in bytes */
	size_t resp_size;

	/** @resp_len: how much of it was written; set by the answer */
	size_t resp_len;

	/** @expected: type of the response if all went well */
	u32 expected;

	/** @seqno: number in its queue, for the tracepoints */
	u32 seqno;

	/** @queued: when, in jiffies */
	unsigned long queued;

	/** @fence: signals with the answer, or NULL; holds a reference */
	struct vgpu_fence *fence;

	/** @objects: what has to live until the answer; holds references */
	struct drm_gem_object **objects;

	/** @num_objects: how many */
	unsigned int num_objects;

	/** @writes_memory: the host writes to the memory of the one object */
	bool writes_memory;

	/** @one_object: room for one of @objects, as most commands need */
	struct drm_gem_object *one_object;

	/** @done: told of the end, or NULL */
	vgpu_cmd_done done;

	/**
	 * @release: called when the queue has no more to do with the command,
	 * or NULL. Holds no lock, and may take any.
	 */
	void (*release)(struct vgpu_cmd *cmd);

	/** @priv: for @done and @release */
	void *priv;

	/** @result: how it went; valid after @completion */
	int result;

	/** @completion: for who waits */
	struct completion completion;

	/** @small_resp: room for responses without data */
	struct virtio_gpu_ctrl_hdr small_resp;
};

struct vgpu_cmd *vgpu_cmd_create(void);
void vgpu_cmd_put(struct vgpu_cmd *cmd);
int vgpu_cmd_set_data(struct vgpu_cmd *cmd, void *data, size_t size);
int vgpu_cmd_expect(struct vgpu_cmd *cmd, u32 expected, size_t size);
void vgpu_cmd_set_fence(struct vgpu_cmd *cmd, struct vgpu_fence *fence);
void vgpu_cmd_add_object(struct vgpu_cmd *cmd, struct drm_gem_object *obj);
void vgpu_cmd_drop_objects(struct vgpu_cmd *cmd);
void vgpu_cmd_set_objects(struct vgpu_cmd *cmd, struct drm_gem_object **objects,
			  unsigned int count);

#endif
