// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu and the transport
 *
 * The transport tells of a device that has changed, that is pulled out, or that goes
 * down with the machine.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>

#include "../virtgpu_display.h"
#include "../virtgpu_resp.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"
#include "virtgpu_mock_transport.h"

#define WIDTH MOCK_CLIENT_WIDTH

static int transport_test_init(struct kunit *test)
{
	struct mock_host *host = mock_transport_create(test);

	KUNIT_ASSERT_EQ(test, vgpu_device_init(host->vgpu), 0);
	vgpu_device_start(host->vgpu);
	test->priv = host;
	return 0;
}

static void transport_test_exit(struct kunit *test)
{
	struct mock_host *host = test->priv;

	if (!host)
		return;
	drm_atomic_helper_shutdown(host->vgpu->drm);
	mock_host_end(host);
}

static struct vgpu_output *first_output(struct mock_host *host)
{
	return &host->vgpu->outputs[0];
}

/* Succeeds if the driver asks anew when it is told to, and tells the host so. */
static void window_changes(struct kunit *test)
{
	struct mock_host *host = test->priv;
	unsigned int *asked = &host->seen[VIRTIO_GPU_CMD_GET_DISPLAY_INFO];

	KUNIT_EXPECT_EQ(test, *asked, 1);
	KUNIT_EXPECT_EQ(test, first_output(host)->display.rect.width, WIDTH);

	/* something else has changed, if anything */
	mock_transport_changes(host);
	KUNIT_EXPECT_EQ(test, *asked, 1);

	host->window.width = 2 * WIDTH;
	host->config.events_read = cpu_to_le32(VIRTIO_GPU_EVENT_DISPLAY);
	mock_transport_changes(host);
	KUNIT_EXPECT_EQ(test, *asked, 2);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(host->config.events_read), 0);
	KUNIT_EXPECT_EQ(test, first_output(host)->display.rect.width,
			2 * WIDTH);
	KUNIT_EXPECT_TRUE(test, first_output(host)->display.enabled);
}

/* Numbers of the sets are 1 and what @priv says. */
static struct mock_answer tells_capsets(struct mock_host *host,
					const struct vgpu_req *req)
{
	static struct virtio_gpu_resp_capset_info info;
	const u32 *second = host->priv;
	bool is_first = !req->capset_info.capset_index;

	memset(&info, 0, sizeof(info));
	info.capset_id = cpu_to_le32(is_first ? 1 : *second);
	info.capset_max_version = cpu_to_le32(1);
	info.capset_max_size = cpu_to_le32(16);
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_CAPSET_INFO,
			      VIRTIO_GPU_RESP_OK_CAPSET_INFO, &info,
			      sizeof(info));
}

/* As it is when the device is new to the driver. */
static void start_again(struct mock_host *host)
{
	host->status = 0;
	vgpu_device_start(host->vgpu);
}

/* Succeeds if there are all sets that the host has, or none if one is none. */
static void capsets_are_asked_for(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_device *vgpu = host->vgpu;
	u32 second = VGPU_CAPSET_MAX_ID + 1;

	host->config.num_capsets = cpu_to_le32(2);
	host->auto_answer = tells_capsets;
	host->priv = &second;
	start_again(host);
	KUNIT_EXPECT_EQ(test, vgpu->num_capsets, 0);
	KUNIT_EXPECT_EQ(test, vgpu->capset_mask, 0);

	second = 5;
	start_again(host);
	KUNIT_EXPECT_EQ(test, vgpu->num_capsets, 2);
	KUNIT_EXPECT_EQ(test, vgpu->capset_mask, BIT_ULL(1) | BIT_ULL(5));
	KUNIT_EXPECT_EQ(test, vgpu->capsets[1].max_size, 16);
	host->auto_answer = mock_transport_windows;
}

/* By when the answer to each question was wanted, in jiffies. */
static struct {
	unsigned long deadlines[3];
	unsigned int count;
} asked;

/* A host that takes its time, though not too long for a question. */
static int answered_later(struct vgpu_cmd *cmd, unsigned long deadline)
{
	unsigned long begun = jiffies;

	if (asked.count < ARRAY_SIZE(asked.deadlines))
		asked.deadlines[asked.count] = deadline;
	asked.count++;
	wait_for_completion(&cmd->completion);
	while (time_before_eq(jiffies, begun))
		schedule_timeout_uninterruptible(1);
	return cmd->result;
}

/*
 * Succeeds if a host that is slow, but answers, has the whole time for each question.
 * Broken by one deadline for the windows and the sets, or for all of the sets.
 */
static void slow_host_has_time(struct kunit *test)
{
	struct mock_host *host = test->priv;
	u32 second = 5;
	int i;

	host->config.num_capsets = cpu_to_le32(2);
	host->auto_answer = tells_capsets;
	host->priv = &second;
	memset(&asked, 0, sizeof(asked));
	kunit_activate_static_stub(test, vgpu_cmd_wait_until, answered_later);
	start_again(host);
	kunit_deactivate_static_stub(test, vgpu_cmd_wait_until);
	/* the windows, and each of the sets */
	KUNIT_EXPECT_EQ(test, asked.count, 3);
	for (i = 1; i < ARRAY_SIZE(asked.deadlines); i++)
		KUNIT_EXPECT_TRUE_MSG(test,
				      time_after(asked.deadlines[i],
						 asked.deadlines[i - 1]),
				      "question %d", i);
	host->auto_answer = mock_transport_windows;
}

static bool pulled_out(struct vgpu_device *vgpu)
{
	return true;
}

/* Succeeds if a device is not asked for a reset that it can never say it has made. */
static void device_is_pulled_out(struct kunit *test)
{
	struct mock_host *host = test->priv;

	vgpu_device_stop(host->vgpu);
	KUNIT_EXPECT_EQ(test, host->status, 0);
	KUNIT_EXPECT_FALSE(test, host->was_broken);
	KUNIT_ASSERT_EQ(test, vgpu_find_queues(host->vgpu), 0);

	kunit_activate_static_stub(test, vgpu_device_is_absent, pulled_out);
	/* as all reads then are */
	host->status = 0xff;
	vgpu_device_stop(host->vgpu);
	KUNIT_EXPECT_EQ(test, host->status, 0xff);
	KUNIT_EXPECT_TRUE(test, host->was_broken);
	KUNIT_EXPECT_NULL(test, host->vq);
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	kunit_deactivate_static_stub(test, vgpu_device_is_absent);
}

/* The watchdog would, a second later. */
static void look_after_queues(struct mock_host *host)
{
	struct vgpu_device *vgpu = host->vgpu;

	mod_delayed_work(vgpu->answers, &vgpu->watchdog, 0);
	flush_delayed_work(&vgpu->watchdog);
}

/*
 * Succeeds if nobody waits for a device that the bus has taken away since the machine
 * goes down, and nothing gets to the host, though somebody draws until the end.
 */
static void machine_goes_down(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_framebuffer *shown = mock_client_fb(test, file);
	struct drm_framebuffer *next = mock_client_fb(test, file);
	struct dma_resv *resv = next->obj[0]->resv;
	unsigned int kicks;
	int ret;

	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, shown), 0);
	mock_host_settle(host);
	/* a frame that the host has not answered to yet */
	host->auto_answer = NULL;
	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, next), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv,
							DMA_RESV_USAGE_READ));
	ret = mock_transport_shutdown(host);
	if (ret == -EOPNOTSUPP)
		kunit_skip(test, "this kernel leaves devices as they are");
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, host->status, 0);
	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(host->vq));

	kicks = host->kicks;
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, shown), 0);
	look_after_queues(host);
	KUNIT_EXPECT_TRUE(test,
			  dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));
	KUNIT_EXPECT_EQ(test, vgpu_queue_throttle(&host->vgpu->ctrl), -ENODEV);
	KUNIT_EXPECT_EQ(test, mock_screen_show_fb(host, next), 0);
	KUNIT_EXPECT_EQ(test, host->kicks, kicks);
	/* what it had not read was taken back */
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);
}

static void look_at_question(struct vgpu_cmd *cmd, int result)
{
	unsigned int *busy = cmd->priv;

	*busy = work_busy(&cmd->queue->vgpu->config_changed);
}

/* Succeeds if a question that is not answered ends before who asks is waited for. */
static void stop_ends_questions(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_cmd *cmd = vgpu_cmd_create();
	unsigned int busy = 0;

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	host->auto_answer = NULL;
	vgpu_req_unref(&cmd->req, 1);
	cmd->done = look_at_question;
	cmd->priv = &busy;
	/* it is the first to end */
	vgpu_queue_send(&host->vgpu->ctrl, cmd);
	host->config.events_read = cpu_to_le32(VIRTIO_GPU_EVENT_DISPLAY);
	queue_work(system_unbound_wq, &host->vgpu->config_changed);
	while (mock_host_waiting(host) < 2)
		schedule_timeout_uninterruptible(1);

	vgpu_device_stop(host->vgpu);
	KUNIT_EXPECT_EQ(test, busy, WORK_BUSY_RUNNING);
	KUNIT_EXPECT_EQ(test, work_busy(&host->vgpu->config_changed), 0);
	vgpu_cmd_put(cmd);
}

static struct kunit_case transport_cases[] = {
	KUNIT_CASE(window_changes),
	KUNIT_CASE(capsets_are_asked_for),
	KUNIT_CASE(slow_host_has_time),
	KUNIT_CASE(device_is_pulled_out),
	KUNIT_CASE(machine_goes_down),
	KUNIT_CASE(stop_ends_questions),
	{}
};

static struct kunit_suite transport_suite = {
	.name = "virtio_gpu_transport",
	.init = transport_test_init,
	.exit = transport_test_exit,
	.test_cases = transport_cases,
};

kunit_test_suite(transport_suite);
