// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu queues
 *
 * A ring of the host has room for a few commands, and the host takes its time.
 * A driver that waits for room where it wants to send makes whoever holds a
 * lock at that moment wait for the host, and a host may be stopped, broken or
 * gone. So sending never waits here and never fails: a command without room
 * goes to a backlog, in order, and follows when the host has answered others.
 * Who makes commands at the wish of user space calls vgpu_queue_throttle()
 * first, without locks, and waits there, until a signal comes.
 *
 * Every command ends once, with one of these:
 *
 * - The host answers.
 * - The device is reset, since it goes, or since a virtqueue says that it is broken
 *   (see virtgpu_answer.c), the queue stopped, and vgpu_queue_reclaim() takes back
 *   what the host had.
 *
 * The end signals the fence, calls &vgpu_cmd.done, wakes those who wait, and has
 * the references on objects given back by somebody else: the last one may take
 * a reservation lock whose holder waits for the next answer.
 *
 * Lifetime: a command has one reference from vgpu_cmd_create() and one of the
 * queue, from vgpu_queue_add() to the end. So a task that is killed while it
 * waits leaves without a trace: the response has a place to go to.
 *
 * Locking: see &vgpu_queue.lock.
 */

#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/sched/signal.h>
#include <linux/virtio.h>

#include "virtgpu_drv.h"
#include "virtgpu_object.h"
#include "virtgpu_trace.h"

/* The end of a command, and of the queue's reference. */
static void cmd_end(struct vgpu_queue *q, struct vgpu_cmd *cmd, int result)
{
	cmd->result = result;
	if (!result && cmd->writes_memory)
		vgpu_object_sync(to_vgpu_object(cmd->objects[0]), false);
	if (cmd->fence)
		vgpu_fence_answer(cmd->fence, result);
	if (cmd->done)
		cmd->done(cmd, result);
	complete_all(&cmd->completion);
	vgpu_device_release_cmd(q->vgpu, cmd);
}

/**
 * vgpu_queue_init - a queue that takes nothing yet
 * @q: the queue
 * @vgpu: its device
 */
void vgpu_queue_init(struct vgpu_queue *q, struct vgpu_device *vgpu)
{
	q->vgpu = vgpu;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->backlog);
	INIT_LIST_HEAD(&q->pending);
	init_waitqueue_head(&q->room);
	INIT_WORK(&q->answers, vgpu_queue_work);
}

/**
 * vgpu_queue_start - take commands from now on
 * @q: the queue
 * @vq: its virtqueue
 */
void vgpu_queue_start(struct vgpu_queue *q, struct virtqueue *vq)
{
	scoped_guard(spinlock, &q->lock) {
		q->vq = vq;
		q->alive = true;
		q->heard = jiffies;
	}
}

/**
 * vgpu_queue_stop - take no more commands
 * @q: the queue
 *
 * What the host has stays with it until the device is reset and
 * vgpu_queue_reclaim() is called. Those who wait for room are woken.
 */
void vgpu_queue_stop(struct vgpu_queue *q)
{
	scoped_guard(spinlock, &q->lock)
		q->alive = false;
	wake_up_all(&q->room);
}

/**
 * vgpu_queue_reclaim - end all commands, answered or not
 * @q: a queue that was stopped, of a device that does not run
 *
 * Context: Process context.
 */
void vgpu_queue_reclaim(struct vgpu_queue *q)
{
	struct vgpu_cmd *cmd, *next;
	LIST_HEAD(ended);

	scoped_guard(spinlock, &q->lock) {
		while (q->vq && virtqueue_detach_unused_buf(q->vq))
			;
		q->vq = NULL;
		list_splice_tail_init(&q->pending, &ended);
		list_splice_tail_init(&q->backlog, &ended);
		q->num_backlog = 0;
	}

	list_for_each_entry_safe(cmd, next, &ended, node) {
		list_del_init(&cmd->node);
		cmd_end(q, cmd, -ENODEV);
	}
}

/**
 * vgpu_ring_add - virtqueue_add_sgs(), in whose place a test can put another
 * @q: the queue
 * @sgs: what the host reads, and what it writes
 * @out: how many of the former
 * @in: how many of the latter
 * @cmd: the command
 *
 * Return: as virtqueue_add_sgs().
 */
int vgpu_ring_add(struct vgpu_queue *q, struct scatterlist **sgs,
		  unsigned int out, unsigned int in, struct vgpu_cmd *cmd)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_ring_add, q, sgs, out, in, cmd);
	return virtqueue_add_sgs(q->vq, sgs, out, in, cmd, GFP_ATOMIC);
}

/*
 * Returns 0 if the host can have the command, -ENOSPC if there is no room now,
 * or the virtqueue's errno if there never will be.
 */
static int add_to_ring_locked(struct vgpu_queue *q, struct vgpu_cmd *cmd)
{
	struct scatterlist head, tail, *sgs[3];
	unsigned int out = 0, in = 0;
	int ret;

	sg_init_one(&head, &cmd->req, cmd->req.size);
	sgs[out++] = &head;
	if (cmd->data_size)
		sgs[out++] = cmd->data_sgt.sgl;
	if (cmd->resp) {
		sg_init_one(&tail, cmd->resp, cmd->resp_size);
		sgs[out + in++] = &tail;
	}

	/* without tables of descriptors it takes as many as there are pieces */
	if (!q->vgpu->has_indirect &&
	    cmd->data_sgt.nents + 2 > virtqueue_get_vring_size(q->vq))
		return -E2BIG;

	ret = vgpu_ring_add(q, sgs, out, in, cmd);
	/*
	 * Memory for descriptors comes back, too. Not so what the DMA API can never
	 * map, which says the same: that must not be in the way of all others.
	 */
	if (ret == -ENOMEM &&
	    (!list_empty(&q->pending) ||
	     time_before(jiffies, cmd->queued + VGPU_ANSWER_TIMEOUT)))
		return -ENOSPC;
	if (ret)
		return ret;

	trace_virtio_gpu_cmd_queue(q->vq, &cmd->req.hdr, cmd->seqno);
	list_move_tail(&cmd->node, &q->pending);
	q->kick = true;
	return 0;
}

/**
 * vgpu_queue_drain_locked - from the backlog to the ring, as many as have room
 * @q: the queue
 * @ended: gets those that never will have, for vgpu_queue_end_all()
 *
 * Context: Process context, with the lock of the queue. The host is not told.
 */
void vgpu_queue_drain_locked(struct vgpu_queue *q, struct list_head *ended)
{
	struct vgpu_cmd *cmd, *next;
	int ret;

	if (!q->vq || !q->alive)
		return;

	list_for_each_entry_safe(cmd, next, &q->backlog, node) {
		ret = add_to_ring_locked(q, cmd);
		if (ret == -ENOSPC)
			break;
		/* they end when the host was reset, and looks at no memory */
		if (ret == -EIO && virtqueue_is_broken(q->vq)) {
			mod_delayed_work(q->vgpu->answers, &q->vgpu->watchdog,
					 0);
			break;
		}
		q->num_backlog--;
		if (ret) {
			cmd->result = ret;
			list_move_tail(&cmd->node, ended);
		}
	}
}

/**
 * vgpu_queue_end_all - end commands with the result that they have
 * @q: the queue, which does not list them any more
 * @ended: the commands, with the references of the queue
 *
 * Context: Process context, without the lock of the queue.
 */
void vgpu_queue_end_all(struct vgpu_queue *q, struct list_head *ended)
{
	struct vgpu_cmd *cmd, *next;

	list_for_each_entry_safe(cmd, next, ended, node) {
		list_del_init(&cmd->node);
		cmd_end(q, cmd, cmd->result);
	}
}

/**
 * vgpu_queue_add - send a command, without telling the host yet
 * @q: the queue
 * @cmd: the command, written; the queue takes a reference
 *
 * The command ends, with &vgpu_cmd.done, before this returns if the device is
 * not there any more.
 *
 * Context: Process context. Does not wait for anything.
 */
void vgpu_queue_add(struct vgpu_queue *q, struct vgpu_cmd *cmd)
{
	LIST_HEAD(ended);
	u64 id;

	kref_get(&cmd->refs);
	scoped_guard(spinlock, &q->lock) {
		cmd->queue = q;
		cmd->seqno = ++q->seqno;
		cmd->queued = jiffies;
		if (cmd->fence) {
			id = vgpu_fence_emit(cmd->fence);
			vgpu_req_fence(&cmd->req, id, cmd->fence->on_ring,
				       cmd->fence->ring);
		}

		if (q->alive) {
			list_add_tail(&cmd->node, &q->backlog);
			q->num_backlog++;
			vgpu_queue_drain_locked(q, &ended);
			vgpu_device_watch(q->vgpu);
		} else {
			cmd->result = -ENODEV;
			list_add_tail(&cmd->node, &ended);
		}
	}

	vgpu_queue_end_all(q, &ended);
}

/**
 * vgpu_queue_kick - tell the host of what was added
 * @q: the queue
 *
 * Context: Process context.
 */
void vgpu_queue_kick(struct vgpu_queue *q)
{
	bool tell = false;

	scoped_guard(spinlock, &q->lock) {
		if (q->kick && q->vq && q->alive)
			tell = virtqueue_kick_prepare(q->vq);
		q->kick = false;
		/* it leaves the guest, but the lock keeps the queue there */
		if (tell)
			virtqueue_notify(q->vq);
	}
}

/**
 * vgpu_queue_send - vgpu_queue_add() and vgpu_queue_kick()
 * @q: the queue
 * @cmd: the command, written; the queue takes a reference
 */
void vgpu_queue_send(struct vgpu_queue *q, struct vgpu_cmd *cmd)
{
	vgpu_queue_add(q, cmd);
	vgpu_queue_kick(q);
}

/**
 * vgpu_queue_send_now - send commands at once, or not at all
 * @q: the queue
 * @cmds: commands without fence and data, which the caller keeps a reference of
 * @count: how many
 *
 * For a panic, in which nothing can be waited for, and nobody is left who would
 * drain the backlog. A command for which there is no room is dropped.
 *
 * Context: Any.
 */
void vgpu_queue_send_now(struct vgpu_queue *q, struct vgpu_cmd **cmds,
			 unsigned int count)
{
	unsigned int i;

	/* somebody was in the middle of it, and may have stopped there */
	if (!spin_trylock(&q->lock))
		return;

	for (i = 0; i < count && q->alive && q->vq; i++) {
		kref_get(&cmds[i]->refs);
		reinit_completion(&cmds[i]->completion);
		cmds[i]->queue = q;
		cmds[i]->seqno = ++q->seqno;
		cmds[i]->queued = jiffies;
		if (add_to_ring_locked(q, cmds[i]))
			vgpu_cmd_put(cmds[i]);
	}
	if (q->kick && q->vq && virtqueue_kick_prepare(q->vq))
		virtqueue_notify(q->vq);
	q->kick = false;
	spin_unlock(&q->lock);
}

/**
 * vgpu_cmd_wait_until - wait for the end of a command, not beyond some moment
 * @cmd: a command that was sent
 * @deadline: when to give up, in jiffies
 *
 * Several commands that are sent before the first of them is waited for can have
 * one deadline, so that a silent host costs its time once.
 *
 * Context: Process context, sleeps. No reservation lock should be held.
 * Return: as vgpu_cmd_wait().
 */
int vgpu_cmd_wait_until(struct vgpu_cmd *cmd, unsigned long deadline)
{
	long left;

	KUNIT_STATIC_STUB_REDIRECT(vgpu_cmd_wait_until, cmd, deadline);
	left = max_t(long, deadline - jiffies, 0);
	left = wait_for_completion_killable_timeout(&cmd->completion, left);
	if (left < 0)
		return left;
	return left ? cmd->result : -ETIMEDOUT;
}

/**
 * vgpu_cmd_wait - wait for the end of a command
 * @cmd: a command that was sent
 *
 * Context: Process context, sleeps. No reservation lock should be held.
 * Return: 0, and the response can be read; or a negative errno:
 *
 *	* -ERESTARTSYS: the task is killed
 *	* -ETIMEDOUT: no answer for %VGPU_ANSWER_TIMEOUT
 *	* -ENODEV: the device is gone
 *	* what vgpu_resp_check() said
 */
int vgpu_cmd_wait(struct vgpu_cmd *cmd)
{
	return vgpu_cmd_wait_until(cmd, jiffies + VGPU_ANSWER_TIMEOUT);
}

/**
 * vgpu_queue_ask - send a command and wait for its end
 * @q: the queue
 * @cmd: the command, written
 *
 * Context: Process context, sleeps. No reservation lock should be held.
 * Return: as vgpu_cmd_wait().
 */
int vgpu_queue_ask(struct vgpu_queue *q, struct vgpu_cmd *cmd)
{
	vgpu_queue_send(q, cmd);
	return vgpu_cmd_wait(cmd);
}

/**
 * vgpu_queue_has_room - may more commands be made?
 * @q: the queue
 *
 * Return: true if few wait, or none ever will, as the device is gone.
 */
bool vgpu_queue_has_room(struct vgpu_queue *q)
{
	return !READ_ONCE(q->alive) ||
	       READ_ONCE(q->num_backlog) < VGPU_BACKLOG_LIMIT;
}

/**
 * vgpu_queue_throttle - wait while too many commands wait
 * @q: the queue
 *
 * For system calls, before they take locks.
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative errno:
 *
 *	* -ENODEV: the device is gone
 *	* -ERESTARTSYS: a signal arrived
 */
int vgpu_queue_throttle(struct vgpu_queue *q)
{
	int ret = wait_event_interruptible(q->room, vgpu_queue_has_room(q));

	if (ret)
		return ret;
	return READ_ONCE(q->alive) ? 0 : -ENODEV;
}

/**
 * vgpu_queue_idle - is nothing under way?
 * @q: the queue
 *
 * Return: true if so.
 */
bool vgpu_queue_idle(struct vgpu_queue *q)
{
	bool idle;

	scoped_guard(spinlock, &q->lock)
		idle = !q->alive ||
		       (list_empty(&q->pending) && list_empty(&q->backlog));
	return idle;
}
