// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu queues
 *
 * Whatever the host does, every command ends once, whoever waits for it is told
 * how, its fence signals, and nothing is written where it should not be.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/virtio.h>

#include "virtgpu_mock_host.h"

/**
 * struct ended - how often a command has ended
 * @times: how often
 * @result: how, the last time
 * @resets: how often the host had been reset then
 */
struct ended {
	int times;
	int result;
	unsigned int resets;
};

static void count_end(struct vgpu_cmd *cmd, int result)
{
	struct ended *ended = cmd->priv;

	ended->times++;
	ended->result = result;
	ended->resets =
		container_of(cmd->queue->vgpu->vdev, struct mock_host, vdev)
			->resets;
}

static int queue_test_init(struct kunit *test)
{
	test->priv = mock_host_create(test);
	return 0;
}

static void queue_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

static void put_cmd(void *cmd)
{
	vgpu_cmd_put(cmd);
}

static void put_fence(void *fence)
{
	vgpu_fence_put(fence);
}

/* A command with a fence, which go with the test, and a note of its end. */
static struct vgpu_cmd *make_cmd(struct kunit *test, struct ended *ended)
{
	struct mock_host *host = test->priv;
	struct vgpu_fence *fence;
	struct vgpu_cmd *cmd;

	cmd = vgpu_cmd_create();
	KUNIT_ASSERT_NOT_NULL(test, cmd);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_cmd, cmd), 0);
	fence = vgpu_fence_create(&host->vgpu->fences);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_fence, fence),
			0);

	vgpu_req_unref(&cmd->req, 1);
	vgpu_cmd_set_fence(cmd, fence);
	cmd->done = count_end;
	cmd->priv = ended;
	return cmd;
}

static struct vgpu_cmd *send_cmd(struct kunit *test, struct ended *ended)
{
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd = make_cmd(test, ended);

	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	return cmd;
}

static int status(const struct vgpu_cmd *cmd)
{
	return dma_fence_get_status(&cmd->fence->base);
}

/* Succeeds if the host is told once of several commands, and not of none. */
static void queue_kicks_once(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct ended ended[2] = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(ended); i++)
		vgpu_queue_add(q, make_cmd(test, &ended[i]));
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 2);
	KUNIT_EXPECT_EQ(test, host->kicks, 0);
	vgpu_queue_kick(q);
	KUNIT_EXPECT_EQ(test, host->kicks, 1);
	vgpu_queue_kick(q);
	KUNIT_EXPECT_EQ(test, host->kicks, 1);

	/* the host gives the commands back */
	for (i = 0; i < ARRAY_SIZE(ended); i++)
		mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
}

/* Succeeds if a host that does what it should is understood. */
static void queue_good(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended = {};
	struct vgpu_cmd *cmd = send_cmd(test, &ended);

	KUNIT_EXPECT_EQ(test, host->kicks, 1);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 1);
	KUNIT_EXPECT_FALSE(test, vgpu_queue_idle(&host->vgpu->ctrl));
	mock_host_answer(host, MOCK_OK);
	KUNIT_EXPECT_EQ(test, ended.times, 0);

	mock_host_tell(host);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), 0);
	KUNIT_EXPECT_EQ(test, ended.times, 1);
	KUNIT_EXPECT_EQ(test, status(cmd), 1);
	KUNIT_EXPECT_TRUE(test, vgpu_queue_idle(&host->vgpu->ctrl));
}

/* Succeeds if answers that make no sense are errors, and no more than that. */
static void queue_nonsense(struct kunit *test)
{
	static const struct {
		struct mock_answer answer;
		int result;
	} cases[] = {
		{ { VIRTIO_GPU_RESP_OK_NODATA, 0 }, -EPROTO },
		{ { VIRTIO_GPU_RESP_OK_NODATA, 23 }, -EPROTO },
		{ { VIRTIO_GPU_RESP_OK_NODATA, 24 }, 0 },
		{ { VIRTIO_GPU_RESP_OK_NODATA, U32_MAX }, 0 },
		{ { VIRTIO_GPU_RESP_OK_EDID, 24 }, -EPROTO },
		{ { VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, 24 }, -ENOMEM },
		{ { VIRTIO_GPU_RESP_ERR_UNSPEC, 24 }, -EIO },
		{ { 0xffffffff, 24 }, -EPROTO },
	};
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd;
	struct ended ended;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ended = (struct ended){};
		cmd = send_cmd(test, &ended);
		mock_host_answer(host, cases[i].answer);
		mock_host_tell(host);
		KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), cases[i].result);
		KUNIT_EXPECT_EQ(test, status(cmd), cases[i].result ?: 1);
		KUNIT_EXPECT_EQ(test, ended.times, 1);
		/* more than there is room for it cannot have written */
		KUNIT_EXPECT_LE(test, cmd->resp_len, cmd->resp_size);
	}
}

/* Succeeds if an answer is found that no interrupt has spoken of. */
static void queue_lost_interrupt(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended = {};
	struct vgpu_cmd *cmd = send_cmd(test, &ended);

	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&host->vgpu->watchdog));
	mock_host_answer(host, MOCK_OK);
	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, ended.times, 1);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), 0);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&host->vgpu->watchdog));
}

/* Succeeds if commands without room wait, in order, and sending does not. */
static void queue_backlog(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended[20] = {};
	struct vgpu_cmd *cmd[20];
	int i, done = 0;

	for (i = 0; i < ARRAY_SIZE(cmd); i++)
		cmd[i] = send_cmd(test, &ended[i]);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), MOCK_HOST_RING / 2);
	KUNIT_EXPECT_EQ(test, host->vgpu->ctrl.num_backlog,
			ARRAY_SIZE(cmd) - MOCK_HOST_RING / 2);

	while (mock_host_waiting(host) && done < ARRAY_SIZE(cmd)) {
		mock_host_answer(host, MOCK_OK);
		mock_host_tell(host);
		KUNIT_EXPECT_EQ(test, ended[done].times, 1);
		KUNIT_EXPECT_EQ(test, status(cmd[done]), 1);
		done++;
	}
	KUNIT_EXPECT_EQ(test, done, ARRAY_SIZE(cmd));
	KUNIT_EXPECT_EQ(test, host->vgpu->ctrl.num_backlog, 0);
}

/* Succeeds if what is too long for the ring is refused, not kept for ever. */
static void queue_too_long(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended = {};
	struct vgpu_cmd *cmd = make_cmd(test, &ended);
	struct scatterlist *sg;
	unsigned int i;
	void *data;
	int ret;

	data = kvzalloc(PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test, vgpu_cmd_set_data(cmd, data, PAGE_SIZE), 0);
	/* one piece more than there is room for, as of memory in bits */
	sg_free_table(&cmd->data_sgt);
	ret = sg_alloc_table(&cmd->data_sgt, MOCK_HOST_RING - 1, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for_each_sgtable_sg(&cmd->data_sgt, sg, i)
		sg_set_buf(sg, data, 64);

	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), -E2BIG);
	KUNIT_EXPECT_EQ(test, ended.times, 1);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);
}

/* Succeeds if removal ends all commands, wherever they are, and new ones. */
static void queue_removed(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended[7] = {};
	struct vgpu_cmd *cmd[7];
	int i;

	for (i = 0; i < ARRAY_SIZE(cmd) - 1; i++)
		cmd[i] = send_cmd(test, &ended[i]);
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), 0);
	mock_host_end(host);
	cmd[i] = send_cmd(test, &ended[i]);

	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd[i]), -ENODEV);
		KUNIT_EXPECT_EQ(test, ended[i].times, 1);
		KUNIT_EXPECT_EQ(test, status(cmd[i]), -ENODEV);
	}
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&host->vgpu->watchdog));
}

/*
 * What comes between the break and its discovery ends no earlier than the rest: the
 * host may be at work still.
 */
static void expect_broken(struct kunit *test, struct vgpu_cmd *cmd)
{
	struct mock_host *host = test->priv;
	struct ended *ended = cmd->priv;
	struct ended between = {}, after = {};

	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(host->vq));
	send_cmd(test, &between);
	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, status(cmd), -ENODEV);
	KUNIT_EXPECT_EQ(test, ended->times, 1);
	KUNIT_EXPECT_EQ(test, ended->resets, 1);
	KUNIT_EXPECT_EQ(test, between.times, 1);
	KUNIT_EXPECT_EQ(test, between.result, -ENODEV);
	KUNIT_EXPECT_EQ(test, between.resets, 1);
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(send_cmd(test, &after)), -ENODEV);
	KUNIT_EXPECT_EQ(test, after.times, 1);
}

/* Succeeds if a command that is answered twice breaks the queue, no more. */
static void queue_answered_twice(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended first = {}, second = {};
	struct vgpu_cmd *cmd;
	u32 id;

	send_cmd(test, &first);
	cmd = send_cmd(test, &second);
	id = mock_host_answer(host, MOCK_OK);
	mock_host_use(host, id, 24);
	mock_host_tell(host);
	KUNIT_EXPECT_EQ(test, first.times, 1);
	KUNIT_EXPECT_EQ(test, second.times, 0);
	expect_broken(test, cmd);
	KUNIT_EXPECT_EQ(test, first.times, 1);
}

/* Succeeds if an answer to what was never asked does the same. */
static void queue_answer_to_nothing(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended = {};
	struct vgpu_cmd *cmd = send_cmd(test, &ended);

	mock_host_use(host, U32_MAX, 24);
	mock_host_tell(host);
	KUNIT_EXPECT_EQ(test, ended.times, 0);
	expect_broken(test, cmd);
}

static int no_room(struct vgpu_queue *q, struct scatterlist **sgs,
		   unsigned int out, unsigned int in, struct vgpu_cmd *cmd)
{
	return -ENOSPC;
}

/* Succeeds if what has no room when the queue breaks, and never will, ends. */
static void queue_breaks_with_backlog(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct ended first = {}, second = {};
	struct vgpu_cmd *cmd = send_cmd(test, &first), *late;

	cancel_delayed_work_sync(&host->vgpu->watchdog);
	kunit_activate_static_stub(test, vgpu_ring_add, no_room);
	late = send_cmd(test, &second);
	cancel_delayed_work_sync(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, q->num_backlog, 1);

	/* between taking the answers and looking; the stub is of this thread */
	__virtqueue_break(host->vq);
	vgpu_queue_poll(q);
	kunit_deactivate_static_stub(test, vgpu_ring_add);
	KUNIT_EXPECT_EQ(test, status(cmd), -ENODEV);
	KUNIT_EXPECT_EQ(test, first.times, 1);
	KUNIT_EXPECT_EQ(test, first.resets, 1);
	KUNIT_EXPECT_EQ(test, status(late), -ENODEV);
	KUNIT_EXPECT_EQ(test, second.times, 1);
	KUNIT_EXPECT_EQ(test, second.resets, 1);
	KUNIT_EXPECT_EQ(test, q->num_backlog, 0);
}

/* Succeeds if a fence does not wait for a silent host for ever. */
static void queue_silent_host(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct ended ended[5] = {};
	struct vgpu_cmd *cmd[5];
	int i;

	/* one more than the ring has room for */
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		cmd[i] = send_cmd(test, &ended[i]);
		cmd[i]->queued = jiffies - VGPU_FENCE_TIMEOUT;
	}
	flush_delayed_work(&host->vgpu->watchdog);
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		KUNIT_EXPECT_EQ(test, status(cmd[i]), -ETIMEDOUT);
		KUNIT_EXPECT_EQ(test, ended[i].times, 0);
	}

	/* it was only slow */
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		mock_host_answer(host, MOCK_OK);
		mock_host_tell(host);
		KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd[i]), 0);
		KUNIT_EXPECT_EQ(test, status(cmd[i]), -ETIMEDOUT);
	}
}

/* No memory for a command without a fence. */
static int no_memory(struct vgpu_queue *q, struct scatterlist **sgs,
		     unsigned int out, unsigned int in, struct vgpu_cmd *cmd)
{
	if (!cmd->fence)
		return -ENOMEM;
	return virtqueue_add_sgs(q->vq, sgs, out, in, cmd, GFP_ATOMIC);
}

/*
 * Succeeds if a command that lacks memory is tried again, with others behind it,
 * and not for ever, though it is the only one.
 */
static void queue_no_memory(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct ended first = {}, second = {};
	struct vgpu_cmd *poor, *rich;

	/* the stub is this thread's; nobody else may send */
	disable_delayed_work_sync(&host->vgpu->watchdog);
	kunit_activate_static_stub(test, vgpu_ring_add, no_memory);
	poor = make_cmd(test, &first);
	vgpu_fence_put(poor->fence);
	poor->fence = NULL;
	vgpu_queue_send(q, poor);
	rich = send_cmd(test, &second);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);
	KUNIT_EXPECT_EQ(test, q->num_backlog, 2);
	KUNIT_EXPECT_EQ(test, first.times, 0);

	/* nothing comes back that could be the memory, and it has had its time */
	poor->queued = jiffies - VGPU_ANSWER_TIMEOUT;
	send_cmd(test, &second);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(poor), -ENOMEM);
	KUNIT_EXPECT_EQ(test, first.times, 1);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 2);
	kunit_deactivate_static_stub(test, vgpu_ring_add);

	mock_host_answer(host, MOCK_OK);
	mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(rich), 0);
	KUNIT_EXPECT_EQ(test, second.times, 2);
}

/**
 * struct work - what a command has the host do
 * @type: of the command
 * @on_ring: on a ring of a context
 * @may_last: as long as it takes
 */
struct work {
	u32 type;
	bool on_ring;
	bool may_last;
};

static const struct work works[] = {
	{ VIRTIO_GPU_CMD_RESOURCE_UNREF, true, true },
	{ VIRTIO_GPU_CMD_RESOURCE_UNREF, false, false },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, false, false },
	{ VIRTIO_GPU_CMD_SUBMIT_3D, false, true },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, false, true },
	{ VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, false, true },
};

static void work_desc(const struct work *work, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "command %#x%s", work->type,
		 work->on_ring ? " on a ring" : "");
}

KUNIT_ARRAY_PARAM(work, works, work_desc);

/* Succeeds if work of a program takes its time while the host answers others. */
static void queue_long_work(struct kunit *test)
{
	const struct work *work = test->param_value;
	struct mock_host *host = test->priv;
	struct vgpu_fence *ring;
	struct ended ended = {};
	struct vgpu_cmd *cmd;

	cmd = make_cmd(test, &ended);
	cmd->req.hdr.type = cpu_to_le32(work->type);
	if (work->on_ring) {
		ring = vgpu_fence_create_on_ring(&host->vgpu->fences,
						 dma_fence_context_alloc(1), 0);
		KUNIT_ASSERT_NOT_NULL(test, ring);
		vgpu_fence_put(cmd->fence);
		cmd->fence = ring;
	}
	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	cmd->queued = jiffies - VGPU_FENCE_TIMEOUT;

	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, status(cmd), work->may_last ? 0 : -ETIMEDOUT);

	host->vgpu->ctrl.heard = jiffies - VGPU_FENCE_TIMEOUT;
	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, status(cmd), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, ended.times, 0);
	mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_good),
	KUNIT_CASE(queue_kicks_once),
	KUNIT_CASE(queue_nonsense),
	KUNIT_CASE(queue_lost_interrupt),
	KUNIT_CASE(queue_backlog),
	KUNIT_CASE(queue_too_long),
	KUNIT_CASE(queue_removed),
	KUNIT_CASE(queue_answered_twice),
	KUNIT_CASE(queue_silent_host),
	KUNIT_CASE(queue_answer_to_nothing),
	KUNIT_CASE(queue_no_memory),
	KUNIT_CASE_PARAM(queue_long_work, work_gen_params),
	KUNIT_CASE(queue_breaks_with_backlog),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "virtio_gpu_queue",
	.init = queue_test_init,
	.exit = queue_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
