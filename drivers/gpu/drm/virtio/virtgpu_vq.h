/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_VQ_H_
#define _VIRTGPU_VQ_H_

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "virtgpu_cmd.h"

struct scatterlist;
struct vgpu_cmd;
struct vgpu_device;
struct virtqueue;

/* How long a task waits for the host's answer. */
#define VGPU_ANSWER_TIMEOUT (5 * HZ)

/* After this a fence signals, answered or not; see the DOC section of virtgpu_answer.c. */
#define VGPU_FENCE_TIMEOUT (60 * HZ)

/* How many commands wait for room before those who make more of them wait. */
#define VGPU_BACKLOG_LIMIT 256

/**
 * struct vgpu_queue - commands on their way
 */
struct vgpu_queue {
	/** @vgpu: the device */
	struct vgpu_device *vgpu;

	/**
	 * @lock: guards all of the queue, the virtqueue included. Innermost but
	 * for the lock of fences. Not taken by interrupts.
	 */
	spinlock_t lock;

	/** @vq: the virtqueue, NULL without one */
	struct virtqueue *vq;

	/** @alive: commands are taken */
	bool alive;

	/** @backlog: commands without room, first come first */
	struct list_head backlog;

	/** @num_backlog: how many */
	unsigned int num_backlog;

	/** @pending: commands that the host has, first come first */
	struct list_head pending;

	/** @seqno: of the last command */
	u32 seqno;

	/** @heard: when the host has last answered, in jiffies */
	unsigned long heard;

	/** @kick: something was added since the host was last told */
	bool kick;

	/** @room: woken when the backlog shrinks, or the queue dies */
	wait_queue_head_t room;

	/** @answers: takes what the host has answered */
	struct work_struct answers;
};

/* The life of a queue: virtgpu_vq.c */
void vgpu_queue_init(struct vgpu_queue *q, struct vgpu_device *vgpu);
void vgpu_queue_start(struct vgpu_queue *q, struct virtqueue *vq);
void vgpu_queue_stop(struct vgpu_queue *q);
void vgpu_queue_reclaim(struct vgpu_queue *q);
bool vgpu_queue_idle(struct vgpu_queue *q);

/* Sending and waiting: there, too */
int vgpu_ring_add(struct vgpu_queue *q, struct scatterlist **sgs,
		  unsigned int out, unsigned int in, struct vgpu_cmd *cmd);
void vgpu_queue_add(struct vgpu_queue *q, struct vgpu_cmd *cmd);
void vgpu_queue_kick(struct vgpu_queue *q);
void vgpu_queue_send_now(struct vgpu_queue *q, struct vgpu_cmd **cmds,
			 unsigned int count);
void vgpu_queue_send(struct vgpu_queue *q, struct vgpu_cmd *cmd);
int vgpu_queue_ask(struct vgpu_queue *q, struct vgpu_cmd *cmd);
int vgpu_cmd_wait(struct vgpu_cmd *cmd);
int vgpu_cmd_wait_until(struct vgpu_cmd *cmd, unsigned long deadline);
bool vgpu_queue_has_room(struct vgpu_queue *q);
int vgpu_queue_throttle(struct vgpu_queue *q);
void vgpu_queue_drain_locked(struct vgpu_queue *q, struct list_head *ended);
void vgpu_queue_end_all(struct vgpu_queue *q, struct list_head *ended);

/* Taking answers: virtgpu_answer.c */
void vgpu_queue_interrupt(struct vgpu_queue *q);
void vgpu_queue_work(struct work_struct *work);
void vgpu_queue_poll(struct vgpu_queue *q);
bool vgpu_queue_is_silent(struct vgpu_queue *q);

#endif
