// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu taking answers
 *
 * A host answers when it likes, to what it likes, or does not. Whatever it does, who
 * waits for a command, or for its fence, must not wait for ever, and nothing of what it
 * says is believed that was not looked at, see vgpu_resp_check().
 *
 * Interrupts get lost, and hosts fall silent. While commands are under way the
 * device's watchdog calls vgpu_queue_poll() each second, which takes answers
 * without being told of them. A fence that has waited VGPU_FENCE_TIMEOUT for its
 * answer signals with -ETIMEDOUT, since others wait for it in places where no
 * signal ends the wait. The command itself stays until the host gives it back,
 * for the host may still write there. Work of a context, and the transfers of what it
 * renders with, may take their time, as a program wants it: there it is not the age of
 * a command that counts, but for how long the host has answered to nothing.
 *
 * A virtqueue that is broken gives nothing back any more, but the host may go on with
 * what it has. vgpu_queue_poll() finds out, and has the device reset before anything
 * ends, so that nobody gets memory back under the host.
 *
 * Lifetime: see virtgpu_vq.c.
 *
 * Locking: answers are taken by one thread at a time, &vgpu_device.answers, with
 * &vgpu_queue.lock for what is in the lists. Commands end without it.
 */

#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>

#include <drm/drm_print.h>

#include "virtgpu_commit.h"
#include "virtgpu_drv.h"
#include "virtgpu_resp.h"
#include "virtgpu_trace.h"

/* What the ring gives back is ours only if it is in our list. */
static bool is_pending_locked(struct vgpu_queue *q, const struct vgpu_cmd *cmd)
{
	return cmd->queue == q && !list_empty(&cmd->node);
}

static void collect_locked(struct vgpu_queue *q, struct list_head *answered)
{
	struct vgpu_cmd *cmd;
	unsigned int len;

	if (!q->vq)
		return;

	do {
		virtqueue_disable_cb(q->vq);
		while ((cmd = virtqueue_get_buf(q->vq, &len))) {
			if (WARN_ON_ONCE(!is_pending_locked(q, cmd)))
				continue;
			/* the host says so, but there is not more */
			cmd->resp_len = min_t(size_t, len, cmd->resp_size);
			list_move_tail(&cmd->node, answered);
			q->heard = jiffies;
		}
	} while (!virtqueue_enable_cb(q->vq) && !virtqueue_is_broken(q->vq));
}

static void judge(struct vgpu_queue *q, struct vgpu_cmd *cmd)
{
	struct virtio_gpu_ctrl_hdr *hdr = cmd->resp;

	if (!cmd->resp) {
		cmd->result = 0;
		return;
	}

	cmd->result = vgpu_resp_check(hdr, cmd->resp_len, cmd->expected);
	if (cmd->result)
		drm_err_ratelimited(q->vgpu->drm,
				    "command %#x: answer %#x, error %d\n",
				    le32_to_cpu(cmd->req.hdr.type),
				    le32_to_cpu(hdr->type), cmd->result);
}

/* Holds the lock, so that the virtqueue is there to be named. */
static void trace_locked(struct vgpu_queue *q, struct list_head *answered)
{
	const struct virtio_gpu_ctrl_hdr *hdr;
	struct vgpu_cmd *cmd;

	list_for_each_entry(cmd, answered, node) {
		hdr = cmd->resp ?: &cmd->small_resp;
		trace_virtio_gpu_cmd_response(q->vq, hdr, cmd->seqno);
	}
}

/* A broken virtqueue gives nothing back, and takes nothing. */
static void give_up_if_broken(struct vgpu_queue *q)
{
	scoped_guard(spinlock, &q->lock) {
		if (!q->vq || !q->alive || !virtqueue_is_broken(q->vq))
			return;
	}
	drm_err(q->vgpu->drm, "a virtqueue is broken\n");
	vgpu_device_give_up(q->vgpu);
}

/* A program says how long it takes. */
static bool takes_its_time(const struct vgpu_cmd *cmd)
{
	switch (le32_to_cpu(cmd->req.hdr.type)) {
	case VIRTIO_GPU_CMD_SUBMIT_3D:
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D:
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D:
		return true;
	default:
		return cmd->fence->on_ring;
	}
}

/* Under the lock of the queue nobody ends a command, so the fence is there. */
static void expire_locked(const struct vgpu_queue *q,
			  const struct list_head *cmds)
{
	bool silent = time_after_eq(jiffies, q->heard + VGPU_FENCE_TIMEOUT);
	struct vgpu_cmd *cmd;

	list_for_each_entry(cmd, cmds, node) {
		if (time_before(jiffies, cmd->queued + VGPU_FENCE_TIMEOUT))
			break;
		if (cmd->fence && (silent || !takes_its_time(cmd)))
			vgpu_fence_answer(cmd->fence, -ETIMEDOUT);
	}
}

static void expire_fences(struct vgpu_queue *q)
{
	scoped_guard(spinlock, &q->lock) {
		expire_locked(q, &q->pending);
		expire_locked(q, &q->backlog);
	}
}

static bool waits_in_vain_locked(const struct list_head *cmds,
				 unsigned long since)
{
	struct vgpu_cmd *cmd;

	list_for_each_entry(cmd, cmds, node) {
		if (time_after(cmd->queued, since))
			break;
		/* fences wait for work, of which there may be much */
		if (!cmd->fence)
			return true;
	}
	return false;
}

/**
 * vgpu_queue_is_silent - would one more who waits for an answer wait in vain?
 * @q: the queue
 *
 * For who waits with a lock that others want.
 *
 * Return: true if the host has said nothing for %VGPU_ANSWER_TIMEOUT, though it should.
 */
bool vgpu_queue_is_silent(struct vgpu_queue *q)
{
	unsigned long since = jiffies - VGPU_ANSWER_TIMEOUT;
	bool vain;

	scoped_guard(spinlock, &q->lock)
		vain = time_before_eq(q->heard, since) &&
		       (waits_in_vain_locked(&q->pending, since) ||
			waits_in_vain_locked(&q->backlog, since));
	return vain;
}

static void take_answers(struct vgpu_queue *q)
{
	struct vgpu_cmd *cmd;
	LIST_HEAD(answered);
	LIST_HEAD(ended);

	scoped_guard(spinlock, &q->lock) {
		collect_locked(q, &answered);
		trace_locked(q, &answered);
		vgpu_queue_drain_locked(q, &ended);
	}
	vgpu_queue_kick(q);

	list_for_each_entry(cmd, &answered, node)
		judge(q, cmd);
	vgpu_queue_end_all(q, &answered);
	vgpu_queue_end_all(q, &ended);
	wake_up(&q->room);
	vgpu_commit_look(q->vgpu);
}

/**
 * vgpu_queue_interrupt - the host has said that there are answers
 * @q: the queue
 *
 * Context: Interrupt.
 */
void vgpu_queue_interrupt(struct vgpu_queue *q)
{
	queue_work(q->vgpu->answers, &q->answers);
}

/**
 * vgpu_queue_poll - take answers that nobody has spoken of, and give up others
 * @q: the queue
 *
 * Context: Process context, in the same workqueue as &vgpu_queue.answers.
 */
void vgpu_queue_poll(struct vgpu_queue *q)
{
	take_answers(q);
	give_up_if_broken(q);
	expire_fences(q);
}

/**
 * vgpu_queue_work - &vgpu_queue.answers
 * @work: in the queue
 *
 * Context: Process context.
 */
void vgpu_queue_work(struct work_struct *work)
{
	take_answers(container_of(work, struct vgpu_queue, answers));
}
