// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu displays
 *
 * What the host says of its windows and monitors is looked at, and a host that says
 * nothing holds nobody up.
 */

#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#include <drm/drm_connector.h>
#include <drm/drm_edid.h>

#include "../virtgpu_display.h"
#include "../virtgpu_window.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

/**
 * struct monitor - what the host says of one
 * @name: of the case
 * @size: how long the EDID is said to be
 * @extensions: how many blocks the first says come after it
 * @spoiled: a byte is not what the sum says
 * @good: there is to be an EDID
 */
struct monitor {
	const char *name;
	u32 size;
	u8 extensions;
	bool spoiled;
	bool good;
};

static const struct monitor monitors[] = {
	{ "as it should be", EDID_LENGTH, 0, false, true },
	{ "a wrong sum", EDID_LENGTH, 0, true, false },
	{ "a block that is not there", EDID_LENGTH, 1, false, false },
	{ "many blocks that are not there", EDID_LENGTH, 255, false, false },
	{ "half a block", EDID_LENGTH / 2, 0, false, false },
	{ "nothing", 0, 0, false, false },
	{ "more than there is room for", 1025, 0, false, false },
};

static void monitor_desc(const struct monitor *monitor, char *desc)
{
	strscpy(desc, monitor->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(monitor, monitors, monitor_desc);

static struct mock_answer describes(struct mock_host *host,
				    const struct vgpu_req *req)
{
	return mock_host_says(req, VIRTIO_GPU_CMD_GET_EDID,
			      VIRTIO_GPU_RESP_OK_EDID, host->priv,
			      sizeof(struct virtio_gpu_resp_edid));
}

/* Succeeds if a monitor is what its EDID says, if that can be. */
static void edid_is_checked(struct kunit *test)
{
	const struct monitor *monitor = test->param_value;
	struct mock_host *host = test->priv;
	struct virtio_gpu_resp_edid *resp;

	resp = kunit_kzalloc(test, sizeof(*resp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resp);
	mock_screen_edid(resp->edid, monitor->extensions);
	resp->edid[EDID_LENGTH - 1] += monitor->spoiled;
	resp->size = cpu_to_le32(monitor->size);
	host->priv = resp;
	host->auto_answer = describes;
	host->vgpu->has_edid = true;
	drm_connector_attach_edid_property(&host->vgpu->outputs[0].connector);

	vgpu_windows_query(host->vgpu, jiffies + VGPU_ANSWER_TIMEOUT);
	KUNIT_EXPECT_EQ(test, !!host->vgpu->outputs[0].edid, monitor->good);
	/* nobody has probed */
	KUNIT_EXPECT_EQ(test,
			!!host->vgpu->outputs[0].connector.edid_blob_ptr,
			monitor->good);
}

/* Succeeds if a silent host is asked of all monitors, and waited for once. */
static void silent_host_is_waited_for_once(struct kunit *test)
{
	struct mock_host *host = test->priv;
	unsigned long begun = jiffies;

	host->auto_answer = NULL;
	host->vgpu->has_edid = true;
	/* no time at all, of which each monitor has its share */
	vgpu_windows_query(host->vgpu, begun);
	KUNIT_EXPECT_TRUE(test,
			  time_before(jiffies, begun + 2 * VGPU_ANSWER_TIMEOUT));
	KUNIT_EXPECT_EQ(test,
			mock_host_waiting(host) + host->vgpu->ctrl.num_backlog,
			VIRTIO_GPU_MAX_SCANOUTS + 1);
}

static struct kunit_case display_cases[] = {
	KUNIT_CASE_PARAM(edid_is_checked, monitor_gen_params),
	KUNIT_CASE(silent_host_is_waited_for_once),
	{}
};

static struct kunit_suite display_suite = {
	.name = "virtio_gpu_display",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = display_cases,
};

kunit_test_suite(display_suite);
