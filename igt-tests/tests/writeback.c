// SPDX-License-Identifier: MIT
/* See writeback.h. */

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sched.h>
#include <xf86drmMode.h>

#include "igt.h"
#include "igt_kms.h"
#include "sw_sync.h"

#include "cards.h"
#include "writeback.h"

#define WAIT_MS 60000

static void find_connectors(struct writeback *wb, drmModeResPtr res)
{
	for (int i = 0; i < res->count_connectors; i++) {
		drmModeConnectorPtr c;

		c = drmModeGetConnector(wb->fd, res->connectors[i]);
		igt_assert(c);
		if (c->connector_type == DRM_MODE_CONNECTOR_WRITEBACK)
			wb->writeback = c->connector_id;
		else if (!wb->connector)
			wb->connector = c->connector_id;
		drmModeFreeConnector(c);
	}
}

static void find_primary_plane(struct writeback *wb)
{
	drmModePlaneResPtr planes = drmModeGetPlaneResources(wb->fd);
	uint64_t type;

	igt_assert(planes);
	for (uint32_t i = 0; i < planes->count_planes && !wb->plane; i++)
		if (kmstest_get_property(wb->fd, planes->planes[i],
					 DRM_MODE_OBJECT_PLANE, "type", NULL,
					 &type, NULL) &&
		    type == DRM_PLANE_TYPE_PRIMARY)
			wb->plane = planes->planes[i];
	drmModeFreePlaneResources(planes);
}

static void find_properties(struct writeback *wb)
{
	const struct {
		uint32_t object, type;
		const char *name;
	} where[NUM_PROPS] = {
		[PLANE_FB] = { wb->plane, DRM_MODE_OBJECT_PLANE, "FB_ID" },
		[PLANE_CRTC] = { wb->plane, DRM_MODE_OBJECT_PLANE, "CRTC_ID" },
		[PLANE_SRC_W] = { wb->plane, DRM_MODE_OBJECT_PLANE, "SRC_W" },
		[PLANE_SRC_H] = { wb->plane, DRM_MODE_OBJECT_PLANE, "SRC_H" },
		[PLANE_CRTC_W] = { wb->plane, DRM_MODE_OBJECT_PLANE, "CRTC_W" },
		[PLANE_CRTC_H] = { wb->plane, DRM_MODE_OBJECT_PLANE, "CRTC_H" },
		[PLANE_IN_FENCE] = { wb->plane, DRM_MODE_OBJECT_PLANE,
				     "IN_FENCE_FD" },
		[CRTC_ACTIVE] = { wb->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE" },
		[CRTC_MODE] = { wb->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID" },
		[CONN_CRTC] = { wb->connector, DRM_MODE_OBJECT_CONNECTOR,
				"CRTC_ID" },
		[WB_CRTC] = { wb->writeback, DRM_MODE_OBJECT_CONNECTOR,
			      "CRTC_ID" },
		[WB_FB] = { wb->writeback, DRM_MODE_OBJECT_CONNECTOR,
			    "WRITEBACK_FB_ID" },
		[WB_OUT_FENCE] = { wb->writeback, DRM_MODE_OBJECT_CONNECTOR,
				   "WRITEBACK_OUT_FENCE_PTR" },
	};

	for (int i = 0; i < NUM_PROPS; i++) {
		bool found = kmstest_get_property(wb->fd, where[i].object,
						  where[i].type, where[i].name,
						  &wb->prop[i], NULL, NULL);

		igt_require_f(found, "no property %s\n", where[i].name);
	}
}

static void set_mode(struct writeback *wb, uint32_t refresh)
{
	struct drm_mode_modeinfo mode = {
		.hdisplay = wb->width,
		.hsync_start = wb->width + 8,
		.hsync_end = wb->width + 16,
		.htotal = wb->width + 34,
		.vdisplay = wb->height,
		.vsync_start = wb->height + 4,
		.vsync_end = wb->height + 8,
		.vtotal = wb->height + 20,
		.vrefresh = refresh,
		.name = "igt",
	};

	mode.clock = mode.htotal * mode.vtotal * refresh / 1000;
	do_or_die(drmModeCreatePropertyBlob(wb->fd, &mode, sizeof(mode),
					    &wb->mode_blob));
}

void writeback_open(struct writeback *wb, uint32_t width, uint32_t height,
		    uint32_t refresh)
{
	drmModeResPtr res;

	*wb = (struct writeback){ .width = width, .height = height };
	wb->fd = card_open_master("vkms");
	do_or_die(drmSetClientCap(wb->fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1));
	do_or_die(drmSetClientCap(wb->fd, DRM_CLIENT_CAP_ATOMIC, 1));
	igt_require(drmSetClientCap(wb->fd, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
				    1) == 0);
	res = drmModeGetResources(wb->fd);
	igt_require(res && res->count_crtcs);
	wb->crtc = res->crtcs[0];
	find_connectors(wb, res);
	drmModeFreeResources(res);
	igt_require_f(wb->writeback, "vkms without a writeback connector\n");
	find_primary_plane(wb);
	find_properties(wb);
	set_mode(wb, refresh);
}

void writeback_close(struct writeback *wb)
{
	close(wb->fd);
	wb->fd = -1;
}

int __writeback_add_fb(const struct writeback *wb, uint32_t handle,
		       uint32_t height, uint32_t pitch, uint32_t *fb)
{
	uint32_t strides[4] = { pitch }, offsets[4] = {};

	return __kms_addfb(wb->fd, handle, wb->width, height,
			   DRM_FORMAT_XRGB8888, 0, strides, offsets, 1, 0, fb);
}

static void add(const struct writeback *wb, drmModeAtomicReqPtr req,
		uint32_t object, int prop, uint64_t value)
{
	igt_assert_lte(0, drmModeAtomicAddProperty(req, object, wb->prop[prop],
						   value));
}

int __writeback_commit(const struct writeback *wb,
		       const struct writeback_frame *frame, uint32_t flags)
{
	drmModeAtomicReqPtr req = drmModeAtomicAlloc();
	int err;

	add(wb, req, wb->plane, PLANE_FB, frame->fb);
	add(wb, req, wb->plane, PLANE_CRTC, wb->crtc);
	add(wb, req, wb->plane, PLANE_SRC_W, (uint64_t)wb->width << 16);
	add(wb, req, wb->plane, PLANE_SRC_H, (uint64_t)wb->height << 16);
	add(wb, req, wb->plane, PLANE_CRTC_W, wb->width);
	add(wb, req, wb->plane, PLANE_CRTC_H, wb->height);
	if (frame->in_fence >= 0)
		add(wb, req, wb->plane, PLANE_IN_FENCE, frame->in_fence);
	add(wb, req, wb->crtc, CRTC_ACTIVE, 1);
	add(wb, req, wb->crtc, CRTC_MODE, wb->mode_blob);
	/* Alone: vkms does not clone the writeback connector to another. */
	add(wb, req, wb->connector, CONN_CRTC, 0);
	add(wb, req, wb->writeback, WB_CRTC, wb->crtc);
	if (frame->capture_fb) {
		add(wb, req, wb->writeback, WB_FB, frame->capture_fb);
		add(wb, req, wb->writeback, WB_OUT_FENCE,
		    to_user_pointer(frame->captured));
	}
	err = drmModeAtomicCommit(wb->fd, req,
				  flags | DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
	drmModeAtomicFree(req);
	return err;
}

void writeback_off(const struct writeback *wb)
{
	drmModeAtomicReqPtr req = drmModeAtomicAlloc();

	add(wb, req, wb->plane, PLANE_FB, 0);
	add(wb, req, wb->plane, PLANE_CRTC, 0);
	add(wb, req, wb->crtc, CRTC_ACTIVE, 0);
	add(wb, req, wb->crtc, CRTC_MODE, 0);
	add(wb, req, wb->writeback, WB_CRTC, 0);
	do_or_die(drmModeAtomicCommit(wb->fd, req,
				      DRM_MODE_ATOMIC_ALLOW_MODESET, NULL));
	drmModeAtomicFree(req);
}

int writeback_references(const struct writeback *wb, uint32_t fb)
{
	int dir = igt_debugfs_dir(wb->fd), fd, found = 0, count = -1;
	char line[256], mark[32];
	FILE *f;

	igt_require_f(dir >= 0, "no debugfs\n");
	fd = openat(dir, "framebuffer", O_RDONLY | O_CLOEXEC);
	close(dir);
	igt_assert_fd(fd);
	f = fdopen(fd, "r");
	snprintf(mark, sizeof(mark), "framebuffer[%u]:", fb);
	while (count < 0 && fgets(line, sizeof(line), f)) {
		if (strncmp(line, mark, strlen(mark)) == 0)
			found = 1;
		else if (found && strstr(line, "refcount="))
			count = atoi(strchr(line, '=') + 1);
	}
	fclose(f);
	igt_assert_lte(1, count);
	return count;
}

/*
 * vkms signals the capture's fence first and ends the job afterwards, and by
 * ending it turns off whatever capture has been committed in between. So the
 * next may only be committed when the job has let go of its framebuffer.
 */
void writeback_wait(const struct writeback *wb, int captured,
		    uint32_t capture_fb, int references)
{
	igt_assert_fd(captured);
	igt_assert_eq(sync_fence_wait(captured, WAIT_MS), 0);
	close(captured);
	igt_set_timeout(60, "end of the writeback job");
	while (writeback_references(wb, capture_fb) > references)
		sched_yield();
	igt_reset_timeout();
}

void writeback_show(const struct writeback *wb, uint32_t fb,
		    uint32_t capture_fb)
{
	int references = writeback_references(wb, capture_fb), captured = -1;
	struct writeback_frame shown = { fb, 0, -1, NULL };
	struct writeback_frame frame = { fb, capture_fb, -1, &captured };

	/*
	 * vkms has the frame before make the capture, if its timer comes in the
	 * middle of the commit: let that be the same one.
	 */
	do_or_die(__writeback_commit(wb, &shown, 0));
	do_or_die(__writeback_commit(wb, &frame, 0));
	writeback_wait(wb, captured, capture_fb, references);
}
