// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu taking answers
 *
 * Nobody waits for ever for a host that says nothing, or for an interrupt that is lost, and
 * a program of a client may take the time that it takes.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/virtio_gpu.h>

#include "virtgpu_mock_cmd.h"
#include "virtgpu_mock_host.h"

static int answer_test_init(struct kunit *test)
{
	test->priv = mock_host_create(test);
	return 0;
}

static void answer_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

/* Succeeds if an answer is found that no interrupt has spoken of. */
static void lost_interrupt(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_end ended = {};
	struct vgpu_cmd *cmd = mock_cmd_send(test, &ended);

	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&host->vgpu->watchdog));
	mock_host_answer(host, MOCK_OK);
	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, ended.times, 1);
	KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd), 0);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&host->vgpu->watchdog));
}

/*
 * Succeeds if a fence does not wait for a silent host for ever, and is known to be over
 * when that has answered after all. Broken by forgetting a fence that was given up.
 */
static void silent_host(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct mock_end ended[5] = {};
	struct vgpu_cmd *cmd[5];
	int i;

	/* one more than the ring has room for */
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		cmd[i] = mock_cmd_send(test, &ended[i]);
		cmd[i]->queued = jiffies - VGPU_FENCE_TIMEOUT;
	}
	flush_delayed_work(&host->vgpu->watchdog);
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd[i]), -ETIMEDOUT);
		KUNIT_EXPECT_EQ(test, ended[i].times, 0);
		KUNIT_EXPECT_FALSE(test, vgpu_fence_is_over(cmd[i]->fence));
	}

	/* it was only slow */
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		mock_host_answer(host, MOCK_OK);
		mock_host_tell(host);
		KUNIT_EXPECT_EQ(test, vgpu_cmd_wait(cmd[i]), 0);
		KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd[i]), -ETIMEDOUT);
		KUNIT_EXPECT_TRUE(test, vgpu_fence_is_certain(cmd[i]->fence));
	}
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
static void long_work(struct kunit *test)
{
	const struct work *work = test->param_value;
	struct mock_host *host = test->priv;
	struct vgpu_fence *ring;
	struct mock_end ended = {};
	struct vgpu_cmd *cmd;

	cmd = mock_cmd_create(test, &ended);
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
	KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd),
			work->may_last ? 0 : -ETIMEDOUT);

	host->vgpu->ctrl.heard = jiffies - VGPU_FENCE_TIMEOUT;
	flush_delayed_work(&host->vgpu->watchdog);
	KUNIT_EXPECT_EQ(test, mock_cmd_status(cmd), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, ended.times, 0);
	mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
}

static struct kunit_case answer_cases[] = {
	KUNIT_CASE(lost_interrupt),
	KUNIT_CASE(silent_host),
	KUNIT_CASE_PARAM(long_work, work_gen_params),
	{}
};

static struct kunit_suite answer_suite = {
	.name = "virtio_gpu_answer",
	.init = answer_test_init,
	.exit = answer_test_exit,
	.test_cases = answer_cases,
};

kunit_test_suite(answer_suite);
