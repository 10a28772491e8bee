// SPDX-License-Identifier: MIT
/* A camera: vivid, which fills buffers of another device. */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"

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

void camera_fill(const struct buffer *buffers)
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
