// SPDX-License-Identifier: MIT
/*
 * Buffers that devices use as well: what a camera has filled is sampled, and a display
 * shows what is drawn. Where a device does not see the CPU's caches, nor the CPU the
 * device's writes, both are right only if the kernel is told of each access.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "test.h"

#define BEFORE 31
#define AFTER  32

/* --- a camera ---------------------------------------------------------------------- */

/* How many pixels are not those of the buffer, but for what nobody uses of them. */
static int differ(struct buffer *buffer, const uint32_t *pixels)
{
	struct view view = view_of(buffer);
	uint32_t *there = calloc(buffer->width * buffer->height, 4);
	int wrong = 0;

	buffer_read(buffer, &view, there);
	for (uint32_t i = 0; i < buffer->width * buffer->height; i++)
		wrong += (there[i] ^ pixels[i]) & 0xffffff ? 1 : 0;
	free(there);
	return wrong;
}

/* Succeeds if a camera's picture is sampled, though another was before. */
static void test_camera(const struct renderer *renderer)
{
	uint32_t *pixels = calloc(DEVICE_WIDTH * DEVICE_HEIGHT, 4);
	struct buffer buffers[QUEUED];
	struct target source, own;
	struct view view;
	int wrong;

	for (int i = 0; i < QUEUED; i++)
		buffer_create(&buffers[i], DEVICE_WIDTH, DEVICE_HEIGHT, false);
	view = view_of(&buffers[0]);
	buffer_fill(&buffers[0], &view, BEFORE);
	target_import(renderer, &source, buffers[0].dmabuf, &view,
		      DRM_FORMAT_XRGB8888);
	target_plain(&own, DEVICE_WIDTH, DEVICE_HEIGHT);
	target_draw(&own, &source);
	glFlush();
	check(!target_wrong(&own, BEFORE), "what was drawn before is others");

	camera_fill(buffers);
	target_draw(&own, &source);
	target_read(&own, pixels);
	picture_write("sampled", DEVICE_WIDTH, DEVICE_HEIGHT, pixels);
	wrong = buffer_wrong(&buffers[0], &view, BEFORE);
	check(wrong, "the camera did nothing");
	wrong = differ(&buffers[0], pixels);
	check(!wrong, "%d pixels are others", wrong);
}

/* --- a display --------------------------------------------------------------------- */

struct display {
	int fd;
	uint32_t fb;
};

static void display_show(struct display *display, const struct buffer *buffer)
{
	drmModeConnector *connector = NULL;
	drmModeRes *resources;
	uint32_t handle;
	int mode = 0;

	check(!drmPrimeFDToHandle(display->fd, buffer->dmabuf, &handle),
	      "the display's import: %s", strerror(errno));
	check(!drmModeAddFB(display->fd, buffer->width, buffer->height, 24, 32,
			    buffer->stride, handle, &display->fb),
	      "ADDFB: %s", strerror(errno));
	resources = drmModeGetResources(display->fd);
	check(resources && resources->count_connectors, "no display");
	connector = drmModeGetConnector(display->fd, resources->connectors[0]);
	while (mode < connector->count_modes &&
	       (connector->modes[mode].hdisplay != buffer->width ||
		connector->modes[mode].vdisplay != buffer->height))
		mode++;
	check(mode < connector->count_modes, "the display is of another size");
	check(!drmModeSetCrtc(display->fd, resources->crtcs[0], display->fb, 0,
			      0, &connector->connector_id, 1,
			      &connector->modes[mode]),
	      "SETCRTC: %s", strerror(errno));
	drmModeFreeConnector(connector);
	drmModeFreeResources(resources);
}

/* Draws to a buffer that a virtio GPU shows, says "shown", and stays. */
void show(const struct renderer *renderer)
{
	struct display display = { .fd = card_open("virtio_gpu", false) };
	struct target target, source;
	struct buffer buffer;
	struct view view;

	buffer_create(&buffer, DEVICE_WIDTH, DEVICE_HEIGHT, false);
	view = view_of(&buffer);
	buffer_fill(&buffer, &view, BEFORE);
	display_show(&display, &buffer);
	target_import(renderer, &target, buffer.dmabuf, &view,
		      DRM_FORMAT_XRGB8888);
	/* each pixel of it as large as five by five */
	target_filled(&source, WIDTH, HEIGHT, AFTER);
	target_draw(&target, &source);
	glFlush();
	check(!drmModeDirtyFB(display.fd, display.fb, NULL, 0), "DIRTYFB: %s",
	      strerror(errno));
	puts("shown");
	fflush(stdout);
	pause();
}

const struct test device_tests[] = {
	{ "device-camera", test_camera },
	{}
};
