// SPDX-License-Identifier: MIT
/*
 * Buffers that devices use as well: what a camera has filled is sampled, and a display
 * shows what is drawn. Where a device does not see the CPU's caches, nor the CPU the
 * device's writes, both are right only if the kernel is told of each access.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "test.h"

/* Both the camera and the display can have it. */
#define DEVICE_WIDTH  640
#define DEVICE_HEIGHT 480
/* How many a camera wants before it begins. */
#define QUEUED 2
#define BEFORE 31
#define AFTER  32

/* --- a camera: vivid --------------------------------------------------------------- */

static void video(int fd, unsigned long request, void *arg, const char *what)
{
	check(!ioctl(fd, request, arg), "%s: %s", what, strerror(errno));
}

static void camera_shape(int fd, const struct buffer *buffer)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = buffer->width,
			.height = buffer->height,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
			.bytesperline = buffer->stride,
		},
	};

	video(fd, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
	if (format.fmt.pix.width != buffer->width ||
	    format.fmt.pix.height != buffer->height ||
	    format.fmt.pix.bytesperline != buffer->stride)
		die("the camera makes pictures of another shape");
}

static void camera_queue(int fd, uint32_t index, const struct buffer *buffer)
{
	struct v4l2_buffer queued = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.index = index,
		.m.fd = buffer->dmabuf,
		.length = buffer->size,
	};

	video(fd, VIDIOC_QBUF, &queued, "VIDIOC_QBUF");
}

/* One picture, in the first of the buffers. */
static void camera_fill(struct buffer *buffers)
{
	struct v4l2_requestbuffers request = {
		.count = QUEUED,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	struct v4l2_buffer filled = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	int fd = open("/dev/video0", O_RDWR | O_CLOEXEC);

	check(fd >= 0, "no camera: %s", strerror(errno));
	camera_shape(fd, &buffers[0]);
	video(fd, VIDIOC_REQBUFS, &request, "VIDIOC_REQBUFS");
	for (unsigned int i = 0; i < QUEUED; i++)
		camera_queue(fd, i, &buffers[i]);
	video(fd, VIDIOC_STREAMON, &type, "VIDIOC_STREAMON");
	do {
		video(fd, VIDIOC_DQBUF, &filled, "VIDIOC_DQBUF");
	} while (filled.index);
	video(fd, VIDIOC_STREAMOFF, &type, "VIDIOC_STREAMOFF");
	close(fd);
}

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
