// SPDX-License-Identifier: MIT
/* See kms.h. */

#include <fcntl.h>

#include "igt.h"
#include "igt_device_scan.h"
#include "igt_kms.h"

#include "kms.h"

#define REFRESH 60

/* Where the host draws the cursor, who is not told of its hotspot sees no plane. */
#ifndef DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT
#define DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT 6
#endif

/* What a subtest that has failed leaves behind, for the next to close. */
static int open_fd = -1;

static bool is_virtual(const struct endpoint *ep)
{
	return strcmp(ep->driver, "vkms") == 0 ||
	       strcmp(ep->driver, "virtio-gpu") == 0;
}

bool kms_may_use(const struct endpoint *ep)
{
	if (ep->type != ENDPOINT_DRM || strcmp(ep->driver, "vgem") == 0)
		return false;
	return is_virtual(ep) || igt_device_filter_count();
}

static drmModeModeInfo small_mode(uint32_t width, uint32_t height)
{
	drmModeModeInfo mode = {
		.hdisplay = width,
		.hsync_start = width + 8,
		.hsync_end = width + 16,
		.htotal = width + 34,
		.vdisplay = height,
		.vsync_start = height + 4,
		.vsync_end = height + 8,
		.vtotal = height + 20,
		.vrefresh = REFRESH,
		.name = "igt",
	};

	mode.clock = mode.htotal * mode.vtotal * REFRESH / 1000;
	return mode;
}

static bool take_connector(struct kms *kms, uint32_t id)
{
	drmModeConnectorPtr c = drmModeGetConnector(kms->ep.fd, id);
	bool take;

	igt_assert(c);
	take = c->connection == DRM_MODE_CONNECTED && c->count_modes &&
	       c->connector_type != DRM_MODE_CONNECTOR_WRITEBACK;
	if (take) {
		kms->connector = id;
		kms->mode = c->modes[0];
	}
	drmModeFreeConnector(c);
	return take;
}

static void find_output(struct kms *kms)
{
	drmModeResPtr res = drmModeGetResources(kms->ep.fd);

	igt_require_f(res && res->count_crtcs, "%s is no display\n",
		      kms->ep.name);
	kms->crtc = res->crtcs[0];
	for (int i = 0; i < res->count_connectors; i++)
		if (take_connector(kms, res->connectors[i]))
			break;
	drmModeFreeResources(res);
	igt_require_f(kms->connector, "%s has no screen\n", kms->ep.name);
}

void kms_open(struct kms *kms, const struct endpoint *ep, uint32_t width,
	      uint32_t height)
{
	size_t size;

	if (open_fd >= 0)
		close(open_fd);
	open_fd = drm_reopen_driver(ep->fd);
	*kms = (struct kms){ .ep = *ep };
	kms->ep.fd = open_fd;
	igt_require_f(drmSetMaster(kms->ep.fd) == 0,
		      "somebody else is master of %s\n", ep->name);
	do_or_die(drmSetClientCap(kms->ep.fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES,
				  1));
	igt_require(drmSetClientCap(kms->ep.fd, DRM_CLIENT_CAP_ATOMIC, 1) == 0);
	drmSetClientCap(kms->ep.fd, DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT, 1);
	find_output(kms);
	if (is_virtual(ep))
		kms->mode = small_mode(width, height);
	kms->width = kms->mode.hdisplay;
	kms->height = kms->mode.vdisplay;
	size = sizeof(kms->mode);
	do_or_die(drmModeCreatePropertyBlob(open_fd, &kms->mode, size,
					    &kms->mode_blob));
}

void kms_close(struct kms *kms)
{
	do_or_die(close(kms->ep.fd));
	open_fd = -1;
	kms->ep.fd = -1;
}

static bool is_plane(const struct kms *kms, uint32_t id, uint64_t wanted)
{
	drmModePlanePtr plane = drmModeGetPlane(kms->ep.fd, id);
	uint64_t type = ~0ull;
	bool usable;

	igt_assert(plane);
	/* the CRTC is the first */
	usable = plane->possible_crtcs & 1;
	drmModeFreePlane(plane);
	return usable &&
	       kmstest_get_property(kms->ep.fd, id, DRM_MODE_OBJECT_PLANE,
				    "type", NULL, &type, NULL) &&
	       type == wanted;
}

uint32_t kms_plane(const struct kms *kms, uint64_t type)
{
	drmModePlaneResPtr planes = drmModeGetPlaneResources(kms->ep.fd);
	uint32_t found = 0;

	igt_assert(planes);
	for (uint32_t i = 0; i < planes->count_planes && !found; i++)
		if (is_plane(kms, planes->planes[i], type))
			found = planes->planes[i];
	drmModeFreePlaneResources(planes);
	return found;
}

static void set(const struct kms *kms, drmModeAtomicReqPtr req, uint32_t object,
		uint32_t type, const char *name, uint64_t value)
{
	uint32_t id = 0;

	kmstest_get_property(kms->ep.fd, object, type, name, &id, NULL, NULL);
	igt_require_f(id, "%s has no property %s\n", kms->ep.name, name);
	igt_assert_lte(0, drmModeAtomicAddProperty(req, object, id, value));
}

static void set_layer(const struct kms *kms, drmModeAtomicReqPtr req,
		      const struct kms_layer *layer)
{
	const struct {
		const char *name;
		uint64_t value;
	} properties[] = {
		{ "FB_ID", layer->fb },
		{ "CRTC_ID", layer->fb ? kms->crtc : 0 },
		{ "SRC_X", 0 },
		{ "SRC_Y", 0 },
		{ "SRC_W", (uint64_t)layer->width << 16 },
		{ "SRC_H", (uint64_t)layer->height << 16 },
		{ "CRTC_X", layer->x },
		{ "CRTC_Y", layer->y },
		{ "CRTC_W", layer->width },
		{ "CRTC_H", layer->height },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(properties); i++)
		set(kms, req, layer->plane, DRM_MODE_OBJECT_PLANE,
		    properties[i].name, properties[i].value);
}

int __kms_show(const struct kms *kms, const struct kms_layer *layers, int num,
	       const struct kms_fences *fences, uint32_t flags)
{
	drmModeAtomicReqPtr req = drmModeAtomicAlloc();
	int err;

	for (int i = 0; i < num; i++)
		set_layer(kms, req, &layers[i]);
	set(kms, req, kms->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1);
	set(kms, req, kms->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID",
	    kms->mode_blob);
	set(kms, req, kms->connector, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID",
	    kms->crtc);
	if (fences && fences->in >= 0)
		set(kms, req, layers[0].plane, DRM_MODE_OBJECT_PLANE,
		    "IN_FENCE_FD", fences->in);
	if (fences && fences->out)
		set(kms, req, kms->crtc, DRM_MODE_OBJECT_CRTC, "OUT_FENCE_PTR",
		    to_user_pointer(fences->out));
	err = drmModeAtomicCommit(kms->ep.fd, req,
				  flags | DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
	drmModeAtomicFree(req);
	return err;
}

void kms_show(const struct kms *kms, uint32_t fb)
{
	struct kms_layer layer = {
		.plane = kms_plane(kms, DRM_PLANE_TYPE_PRIMARY),
		.fb = fb,
		.width = kms->width,
		.height = kms->height,
	};

	do_or_die(__kms_show(kms, &layer, 1, NULL, 0));
}

bool kms_crc(int fd, uint32_t *crc)
{
	int dir = igt_debugfs_dir(fd), control, data;
	char line[64] = {};

	igt_require_f(dir >= 0, "no debugfs\n");
	control = openat(dir, "crtc-0/crc/control", O_WRONLY | O_CLOEXEC);
	if (control < 0) {
		close(dir);
		return false;
	}
	igt_assert_eq(write(control, "auto", 4), 4);
	close(control);
	data = openat(dir, "crtc-0/crc/data", O_RDONLY | O_CLOEXEC);
	igt_assert_fd(data);
	igt_set_timeout(60, "checksum of a frame");
	/* The first may be of a frame that was under way. */
	for (int i = 0; i < 2; i++)
		igt_assert_lt(0, read(data, line, sizeof(line) - 1));
	igt_reset_timeout();
	/* "frame crc" */
	igt_assert(strchr(line, ' '));
	*crc = strtoul(strchr(line, ' '), NULL, 16);
	close(data);
	close(dir);
	return true;
}
