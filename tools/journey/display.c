// SPDX-License-Identifier: MIT
/*
 * Atomic modesetting on the first CRTC of a device: a framebuffer goes on its
 * primary plane, and what the CRTC made of it comes back through a writeback
 * connector.
 *
 * The writeback connector is the only one that the CRTC drives. Both it and the
 * screen would need encoders that are possible clones of each other, which
 * those of vkms are not. The mode is still the one the screen prefers.
 */
#include <drm_fourcc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display.h"
#include "util.h"

/*
 * Id and value of a property. Every KMS object has its own set, and ids are
 * not fixed, so they are looked up where they are used.
 */
static __u32 find_prop(const struct device *dev, __u32 object, __u32 type,
		       const char *name, __u64 *value)
{
	drmModeObjectPropertiesPtr props;
	__u32 id = 0;
	__u32 i;

	props = drmModeObjectGetProperties(dev->fd, object, type);
	if (!props)
		die_errno(dev->name, "OBJ_GETPROPERTIES");
	for (i = 0; i < props->count_props && !id; i++) {
		drmModePropertyPtr prop;

		prop = drmModeGetProperty(dev->fd, props->props[i]);
		if (!prop)
			die_errno(dev->name, "GETPROPERTY");
		if (!strcmp(prop->name, name)) {
			id = prop->prop_id;
			if (value)
				*value = props->prop_values[i];
		}
		drmModeFreeProperty(prop);
	}
	drmModeFreeObjectProperties(props);
	if (!id)
		die("%s: object %u has no property %s", dev->name, object,
		    name);
	return id;
}

static void set(const struct display *display, drmModeAtomicReqPtr request,
		__u32 object, __u32 type, const char *name, __u64 value)
{
	__u32 id = find_prop(display->dev, object, type, name, NULL);

	if (drmModeAtomicAddProperty(request, object, id, value) < 0)
		die("out of memory for an atomic request");
}

static const drmModeModeInfo *preferred_mode(const drmModeConnector *connector)
{
	int i;

	for (i = 0; i < connector->count_modes; i++)
		if (connector->modes[i].type & DRM_MODE_TYPE_PREFERRED)
			return &connector->modes[i];
	return connector->count_modes ? connector->modes : NULL;
}

/* Sets @display's mode and writeback connector. */
static void pick_connectors(struct display *display, const drmModeRes *res)
{
	const drmModeModeInfo *mode;
	int i;

	for (i = 0; i < res->count_connectors; i++) {
		drmModeConnectorPtr connector;

		connector = drmModeGetConnector(display->dev->fd,
						res->connectors[i]);
		if (!connector)
			die_errno(display->dev->name, "GETCONNECTOR");
		mode = preferred_mode(connector);
		if (connector->connector_type == DRM_MODE_CONNECTOR_WRITEBACK) {
			display->writeback = connector->connector_id;
		} else if (!display->mode.hdisplay && mode &&
			   connector->connection == DRM_MODE_CONNECTED) {
			display->mode = *mode;
		}
		drmModeFreeConnector(connector);
	}
	if (!display->mode.hdisplay)
		die("%s: no connected connector with a mode",
		    display->dev->name);
	if (!display->writeback)
		die("%s: no writeback connector: module parameter enable_writeback=0?",
		    display->dev->name);
}

/* The primary plane of the CRTC with index 0. */
static void pick_plane(struct display *display)
{
	const struct device *dev = display->dev;
	drmModePlaneResPtr planes = drmModeGetPlaneResources(dev->fd);
	__u32 i;

	if (!planes)
		die_errno(dev->name, "GETPLANERESOURCES");
	for (i = 0; i < planes->count_planes && !display->plane; i++) {
		__u64 type;
		drmModePlanePtr plane;

		plane = drmModeGetPlane(dev->fd, planes->planes[i]);
		if (!plane)
			die_errno(dev->name, "GETPLANE");
		find_prop(dev, plane->plane_id, DRM_MODE_OBJECT_PLANE, "type",
			  &type);
		if (type == DRM_PLANE_TYPE_PRIMARY && plane->possible_crtcs & 1)
			display->plane = plane->plane_id;
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	if (!display->plane)
		die("%s: CRTC 0 has no primary plane", dev->name);
}

void display_open(struct display *display, const struct device *dev)
{
	drmModeResPtr res;

	memset(display, 0, sizeof(*display));
	display->dev = dev;

	if (drmSetClientCap(dev->fd, DRM_CLIENT_CAP_ATOMIC, 1))
		die_errno(dev->name, "SET_CLIENT_CAP atomic");
	if (drmSetClientCap(dev->fd, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1))
		die_errno(dev->name, "SET_CLIENT_CAP writeback connectors");

	res = drmModeGetResources(dev->fd);
	if (!res)
		die_errno(dev->name, "GETRESOURCES");
	if (!res->count_crtcs)
		die("%s: no CRTC", dev->name);
	display->crtc = res->crtcs[0];
	pick_connectors(display, res);
	pick_plane(display);
	drmModeFreeResources(res);

	if (drmModeCreatePropertyBlob(dev->fd, &display->mode,
				      sizeof(display->mode),
				      &display->mode_blob))
		die_errno(dev->name, "CREATEPROPBLOB");
}

/* A framebuffer of the screen's size. */
__u32 display_add_fb(const struct display *display, __u32 handle, __u32 pitch)
{
	const __u32 handles[4] = { handle };
	const __u32 pitches[4] = { pitch };
	const __u32 offsets[4] = { 0 };
	__u32 fb;

	if (drmModeAddFB2(display->dev->fd, display->mode.hdisplay,
			  display->mode.vdisplay, DRM_FORMAT_XRGB8888, handles,
			  pitches, offsets, &fb, 0))
		die_errno(display->dev->name, "ADDFB2");
	return fb;
}

static void set_screen(const struct display *display,
		       drmModeAtomicReqPtr request)
{
	const __u32 width = display->mode.hdisplay;
	const __u32 height = display->mode.vdisplay;
	const __u32 plane = display->plane;

	set(display, request, display->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID",
	    display->mode_blob);
	set(display, request, display->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1);
	set(display, request, display->writeback, DRM_MODE_OBJECT_CONNECTOR,
	    "CRTC_ID", display->crtc);

	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "CRTC_ID",
	    display->crtc);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "CRTC_X", 0);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "CRTC_Y", 0);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "CRTC_W", width);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "CRTC_H", height);
	/* Source coordinates are 16.16 fixed point. */
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "SRC_X", 0);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "SRC_Y", 0);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "SRC_W",
	    (__u64)width << 16);
	set(display, request, plane, DRM_MODE_OBJECT_PLANE, "SRC_H",
	    (__u64)height << 16);
}

/* Returns the fence of the capture and frees @request. */
static int commit(const struct display *display, drmModeAtomicReqPtr request,
		  __u32 fb, __u32 capture_fb, __u32 flags)
{
	__s32 out_fence = -1;

	set(display, request, display->plane, DRM_MODE_OBJECT_PLANE, "FB_ID",
	    fb);
	set(display, request, display->writeback, DRM_MODE_OBJECT_CONNECTOR,
	    "WRITEBACK_FB_ID", capture_fb);
	set(display, request, display->writeback, DRM_MODE_OBJECT_CONNECTOR,
	    "WRITEBACK_OUT_FENCE_PTR", (uintptr_t)&out_fence);

	if (drmModeAtomicCommit(display->dev->fd, request, flags, NULL))
		die_errno(display->dev->name, "ATOMIC");
	drmModeAtomicFree(request);
	if (out_fence < 0)
		die("%s: ATOMIC gave no writeback fence", display->dev->name);
	return out_fence;
}

static drmModeAtomicReqPtr new_request(void)
{
	drmModeAtomicReqPtr request = drmModeAtomicAlloc();

	if (!request)
		die("out of memory for an atomic request");
	return request;
}

/* Turns the screen on with @fb. Returns the fence of the capture. */
int display_light(const struct display *display, __u32 fb, __u32 capture_fb)
{
	drmModeAtomicReqPtr request = new_request();

	set_screen(display, request);
	return commit(display, request, fb, capture_fb,
		      DRM_MODE_ATOMIC_ALLOW_MODESET);
}

/* Waits until the screen was refreshed @count times. */
void display_wait_refreshes(const struct display *display, unsigned int count)
{
	drmVBlank wait = {
		.request = {
			.type = DRM_VBLANK_RELATIVE,
			.sequence = count,
		},
	};

	if (drmWaitVBlank(display->dev->fd, &wait))
		die_errno(display->dev->name, "WAIT_VBLANK");
}

/*
 * Queues @fb for when @in_fence is signalled, and returns at once with the
 * fence of the capture.
 */
int display_flip(const struct display *display, __u32 fb, __u32 capture_fb,
		 int in_fence)
{
	drmModeAtomicReqPtr request = new_request();

	set(display, request, display->plane, DRM_MODE_OBJECT_PLANE,
	    "IN_FENCE_FD", in_fence);
	return commit(display, request, fb, capture_fb,
		      DRM_MODE_ATOMIC_NONBLOCK);
}
