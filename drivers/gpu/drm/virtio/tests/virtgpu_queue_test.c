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

#include "virtgpu_mock_cmd.h"
#include "virtgpu_mock_host.h"

static int queue_test_init(struct kunit *test)
{
	test->priv = mock_host_create(test);
	return 0;
}

static void queue_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

/* Succeeds if the host is told once of several commands, and not of none. */
static void queue_kicks_once(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct mock_end ended[2] = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(ended); i++)
		vgpu_queue_add(q, mock_cmd_create(test, &ended[i]));
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
	struct mock_end ended = {};
	struct vgpu_cmd *cmd = mock_cmd_send(test, &ended);

	KUNIT_EXPECT_EQ(test, host->kicks, 1);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 1);
	KUNIT_EXPECT_FALSE(test, vgpu_queue_idle(&host->vgpu->ctrl));
	mock_host_answer(host, MOCK_OK);
	KUNIT_EXPECT_EQ(test, ended.times, 0);

	mock_host_tell(host);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), 0);
	KUNIT_EXPECT_EQ(test, ended.times, 1);
	KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd), 1);
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
	struct mock_end ended;
	int i, status;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ended = (struct mock_end){};
		cmd = mock_cmd_send(test, &ended);
		mock_host_answer(host, cases[i].answer);
		mock_host_tell(host);
		KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), cases[i].result);
		status = cases[i].result ?: 1;
		KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd), status);
		KUNIT_EXPECT_EQ(test, ended.times, 1);
		/* more than there is room for it cannot have written */
		KUNIT_EXPECT_LE(test, cmd->resp_len, cmd->resp_size);
	}
}

/* Succeeds if commands without room wait, in order, and sending does not. */
static void queue_backlog(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_end ended[20] = {};
	struct vgpu_cmd *cmd[20];
	int i, done = 0;

	for (i = 0; i < ARRAY_SIZE(cmd); i++)
		cmd[i] = mock_cmd_send(test, &ended[i]);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), MOCK_HOST_RING / 2);
	KUNIT_EXPECT_EQ(test, host->vgpu->ctrl.num_backlog,
			ARRAY_SIZE(cmd) - MOCK_HOST_RING / 2);

	while (mock_host_waiting(host) && done < ARRAY_SIZE(cmd)) {
		mock_host_answer(host, MOCK_OK);
		mock_host_tell(host);
		KUNIT_EXPECT_EQ(test, ended[done].times, 1);
		KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd[done]), 1);
		done++;
	}
	KUNIT_EXPECT_EQ(test, done, ARRAY_SIZE(cmd));
	KUNIT_EXPECT_EQ(test, host->vgpu->ctrl.num_backlog, 0);
}

/* Succeeds if what is too long for the ring is refused, not kept for ever. */
static void queue_too_long(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_end ended = {};
	struct vgpu_cmd *cmd = mock_cmd_create(test, &ended);
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
	struct mock_end ended[7] = {};
	struct vgpu_cmd *cmd[7];
	int i;

	for (i = 0; i < ARRAY_SIZE(cmd) - 1; i++)
		cmd[i] = mock_cmd_send(test, &ended[i]);
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), 0);
	mock_host_end(host);
	cmd[i] = mock_cmd_send(test, &ended[i]);

	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd[i]), -ENODEV);
		KUNIT_EXPECT_EQ(test, ended[i].times, 1);
		KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd[i]), -ENODEV);
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
	struct mock_end *ended = cmd->priv;
	struct mock_end between = {}, after = {};

	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(host->vq));
	mock_cmd_send(test, &between);
	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd), -ENODEV);
	KUNIT_EXPECT_EQ(test, ended->times, 1);
	KUNIT_EXPECT_EQ(test, ended->resets, 1);
	KUNIT_EXPECT_EQ(test, between.times, 1);
	KUNIT_EXPECT_EQ(test, between.result, -ENODEV);
	KUNIT_EXPECT_EQ(test, between.resets, 1);
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(mock_cmd_send(test, &after)),
			-ENODEV);
	KUNIT_EXPECT_EQ(test, after.times, 1);
}

/* Succeeds if a command that is answered twice breaks the queue, no more. */
static void queue_answered_twice(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_end first = {}, second = {};
	struct vgpu_cmd *cmd;
	u32 id;

	mock_cmd_send(test, &first);
	cmd = mock_cmd_send(test, &second);
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
	struct mock_end ended = {};
	struct vgpu_cmd *cmd = mock_cmd_send(test, &ended);

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
	struct mock_end first = {}, second = {};
	struct vgpu_cmd *cmd = mock_cmd_send(test, &first), *late;

	cancel_delayed_work_sync(&host->vgpu->watchdog);
	kunit_activate_static_stub(test, vgpu_ring_add, no_room);
	late = mock_cmd_send(test, &second);
	cancel_delayed_work_sync(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, q->num_backlog, 1);

	/* between taking the answers and looking; the stub is of this thread */
	__virtqueue_break(host->vq);
	vgpu_queue_poll(q);
	kunit_deactivate_static_stub(test, vgpu_ring_add);
	KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd), -ENODEV);
	KUNIT_EXPECT_EQ(test, first.times, 1);
	KUNIT_EXPECT_EQ(test, first.resets, 1);
	KUNIT_EXPECT_EQ(test, mock_cmd_status(late), -ENODEV);
	KUNIT_EXPECT_EQ(test, second.times, 1);
	KUNIT_EXPECT_EQ(test, second.resets, 1);
	KUNIT_EXPECT_EQ(test, q->num_backlog, 0);
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
	struct mock_end first = {}, second = {};
	struct vgpu_cmd *poor, *rich;

	/* the stub is this thread's; nobody else may send */
	disable_delayed_work_sync(&host->vgpu->watchdog);
	kunit_activate_static_stub(test, vgpu_ring_add, no_memory);
	poor = mock_cmd_create(test, &first);
	vgpu_fence_put(poor->fence);
	poor->fence = NULL;
	vgpu_queue_send(q, poor);
	rich = mock_cmd_send(test, &second);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);
	KUNIT_EXPECT_EQ(test, q->num_backlog, 2);
	KUNIT_EXPECT_EQ(test, first.times, 0);

	/* nothing comes back that could be the memory, and it has had its time */
	poor->queued = jiffies - VGPU_ANSWER_TIMEOUT;
	mock_cmd_send(test, &second);
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

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_good),
	KUNIT_CASE(queue_kicks_once),
	KUNIT_CASE(queue_nonsense),
	KUNIT_CASE(queue_backlog),
	KUNIT_CASE(queue_too_long),
	KUNIT_CASE(queue_removed),
	KUNIT_CASE(queue_answered_twice),
	KUNIT_CASE(queue_answer_to_nothing),
	KUNIT_CASE(queue_no_memory),
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
