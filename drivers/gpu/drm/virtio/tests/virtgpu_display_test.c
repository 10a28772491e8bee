// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu displays
 *
 * What the host says of its windows and monitors is looked at and offered to clients,
 * and a host that says nothing holds nobody up.
 */

#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include <drm/drm_connector.h>
#include <drm/drm_device.h>
#include <drm/drm_edid.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>

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

/**
 * struct window - what the host shows of an output
 * @name: of the case
 * @width: how large, in pixels
 * @height: the same
 * @closed: there is none
 * @preferred_width: what a client is to choose, none if 0
 * @preferred_height: the same
 */
struct window {
	const char *name;
	u32 width;
	u32 height;
	bool closed;
	int preferred_width;
	int preferred_height;
};

static const struct window windows[] = {
	{ "of a known size", 800, 600, false, 800, 600 },
	{ "of any size", 1234, 777, false, 1232, 777 },
	{ "without a size", 0, 0, false, 1024, 768 },
	{ "beyond all modes", 8193, 600, false, 0, 0 },
	{ "none", 800, 600, true, 0, 0 },
};

static void window_desc(const struct window *window, char *desc)
{
	strscpy(desc, window->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(window, windows, window_desc);

static const struct drm_display_mode *
preferred_mode(struct drm_connector *connector)
{
	const struct drm_display_mode *mode;

	list_for_each_entry(mode, &connector->modes, head) {
		if (mode->type & DRM_MODE_TYPE_PREFERRED)
			return mode;
	}
	return NULL;
}

/* Succeeds if clients are offered modes where there is a window, and best its own. */
static void modes_are_of_the_window(struct kunit *test)
{
	const struct window *window = test->param_value;
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	struct drm_connector *connector = &output->connector;
	const struct drm_display_mode *mode;
	int count;

	output->display.enabled = !window->closed;
	output->display.rect.width = window->width;
	output->display.rect.height = window->height;

	mutex_lock(&host->vgpu->drm->mode_config.mutex);
	count = connector->funcs->fill_modes(connector, 8192, 8192);
	mode = preferred_mode(connector);
	KUNIT_EXPECT_EQ(test, mode ? mode->hdisplay : 0,
			window->preferred_width);
	KUNIT_EXPECT_EQ(test, mode ? mode->vdisplay : 0,
			window->preferred_height);
	mutex_unlock(&host->vgpu->drm->mode_config.mutex);

	KUNIT_EXPECT_EQ(test, connector->status,
			window->closed ? connector_status_disconnected :
					 connector_status_connected);
	if (window->closed)
		KUNIT_EXPECT_EQ(test, count, 0);
	else
		KUNIT_EXPECT_GT(test, count, 1);
}

/* Succeeds if what a monitor likes best is not chosen for a window of another size. */
static void mode_of_another_window(struct kunit *test)
{
	static const struct drm_display_mode mode = {
		DRM_MODE("640x480", DRM_MODE_TYPE_PREFERRED, 25175, 640, 656,
			 752, 800, 0, 480, 490, 492, 525, 0, 0),
	};
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	const struct drm_connector_helper_funcs *funcs =
		output->connector.helper_private;
	struct drm_display_mode asked = mode;

	output->display.rect.width = 640;
	output->display.rect.height = 480;
	KUNIT_EXPECT_EQ(test, funcs->mode_valid(&output->connector, &asked),
			MODE_OK);
	output->display.rect.width = 800;
	KUNIT_EXPECT_EQ(test, funcs->mode_valid(&output->connector, &asked),
			MODE_BAD);
	/* who asks for it may have it */
	asked.type = DRM_MODE_TYPE_DRIVER;
	KUNIT_EXPECT_EQ(test, funcs->mode_valid(&output->connector, &asked),
			MODE_OK);
}

static struct kunit_case display_cases[] = {
	KUNIT_CASE_PARAM(edid_is_checked, monitor_gen_params),
	KUNIT_CASE(silent_host_is_waited_for_once),
	KUNIT_CASE_PARAM(modes_are_of_the_window, window_gen_params),
	KUNIT_CASE(mode_of_another_window),
	{}
};

static struct kunit_suite display_suite = {
	.name = "virtio_gpu_display",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = display_cases,
};

kunit_test_suite(display_suite);
