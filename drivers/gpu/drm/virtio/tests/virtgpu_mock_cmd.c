// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: commands for tests
 *
 * A command that means nothing, with a fence, of which the test learns how it has ended. The
 * test's private pointer is the host, see virtgpu_mock_host.c.
 */

#include <kunit/test.h>
#include <linux/container_of.h>
#include <linux/dma-fence.h>

#include "virtgpu_mock_cmd.h"
#include "virtgpu_mock_host.h"

static void count_end(struct vgpu_cmd *cmd, int result)
{
	struct mock_end *ended = cmd->priv;

	ended->times++;
	ended->result = result;
	ended->resets =
		container_of(cmd->queue->vgpu->vdev, struct mock_host, vdev)
			->resets;
}

static void put_cmd(void *cmd)
{
	vgpu_cmd_put(cmd);
}

static void put_fence(void *fence)
{
	vgpu_fence_put(fence);
}

/**
 * mock_cmd_create - make a command
 * @test: the test, whose end is the command's, and that of its fence
 * @ended: gets a note of its end
 *
 * Return: the command, to be sent.
 */
struct vgpu_cmd *mock_cmd_create(struct kunit *test, struct mock_end *ended)
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

/**
 * mock_cmd_send - make a command, and send it to the control queue
 * @test: as of mock_cmd_create()
 * @ended: likewise
 *
 * Return: the command.
 */
struct vgpu_cmd *mock_cmd_send(struct kunit *test, struct mock_end *ended)
{
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd = mock_cmd_create(test, ended);

	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	return cmd;
}

/**
 * mock_cmd_status - what the fence of a command says
 * @cmd: the command
 *
 * Return: as dma_fence_get_status().
 */
int mock_cmd_status(const struct vgpu_cmd *cmd)
{
	return dma_fence_get_status(&cmd->fence->base);
}
