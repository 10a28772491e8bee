// SPDX-License-Identifier: MIT
/* See video.h. */

#include "igt.h"

/* After igt.h, which must be the first to define what both define. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "video.h"

#define WAIT_MS 60000

int __find_video(const char *driver, uint32_t caps, const char *bus)
{
	for (int i = 0; i < 64; i++) {
		struct v4l2_capability cap = {};
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (ioctl(fd, VIDIOC_QUERYCAP, &cap) == 0 &&
		    strcmp((const char *)cap.driver, driver) == 0 &&
		    (cap.device_caps & caps) == caps &&
		    (!bus || strcmp((const char *)cap.bus_info, bus) == 0))
			return fd;
		close(fd);
	}
	return -1;
}

static bool find_control(int fd, const char *name, struct v4l2_queryctrl *ctrl)
{
	*ctrl = (struct v4l2_queryctrl){ .id = V4L2_CTRL_FLAG_NEXT_CTRL };
	for (; ioctl(fd, VIDIOC_QUERYCTRL, ctrl) == 0;
	     ctrl->id |= V4L2_CTRL_FLAG_NEXT_CTRL)
		if (strcmp((const char *)ctrl->name, name) == 0)
			return true;
	return false;
}

void video_set_menu(int fd, const char *name, const char *entry)
{
	struct v4l2_queryctrl ctrl;

	igt_require_f(find_control(fd, name, &ctrl), "no control '%s'\n", name);
	for (int i = ctrl.minimum; i <= ctrl.maximum; i++) {
		struct v4l2_querymenu menu = { .id = ctrl.id, .index = i };
		struct v4l2_control set = { ctrl.id, i };

		if (ioctl(fd, VIDIOC_QUERYMENU, &menu) == 0 &&
		    strcmp((const char *)menu.name, entry) == 0) {
			do_or_die(ioctl(fd, VIDIOC_S_CTRL, &set));
			return;
		}
	}
	igt_skip("no '%s' for control '%s'\n", entry, name);
}

void video_set_control(int fd, const char *name, int above_least)
{
	struct v4l2_queryctrl ctrl;
	struct v4l2_control set = {};

	igt_require_f(find_control(fd, name, &ctrl), "no control '%s'\n", name);
	set.id = ctrl.id;
	set.value = ctrl.minimum + above_least;
	do_or_die(ioctl(fd, VIDIOC_S_CTRL, &set));
}

static uint32_t set_format(int fd, uint32_t type,
			   const struct video_format *format)
{
	struct v4l2_format f = { .type = type };
	bool taken;

	f.fmt.pix.width = format->width;
	f.fmt.pix.height = format->height;
	f.fmt.pix.pixelformat = format->fourcc;
	f.fmt.pix.field = V4L2_FIELD_NONE;
	f.fmt.pix.bytesperline = format->pitch;
	do_or_die(ioctl(fd, VIDIOC_S_FMT, &f));
	taken = f.fmt.pix.pixelformat == format->fourcc &&
		f.fmt.pix.width >= 16 &&
		(!format->pitch || f.fmt.pix.bytesperline == format->pitch);
	igt_require_f(taken, "the device does not take the format\n");
	igt_assert_lt(0, f.fmt.pix.sizeimage);
	return f.fmt.pix.sizeimage;
}

static void map_buffer(struct queue *q, int index)
{
	struct v4l2_buffer buf = {
		.type = q->type,
		.memory = q->memory,
		.index = index,
	};

	do_or_die(ioctl(q->fd, VIDIOC_QUERYBUF, &buf));
	q->map[index] = mmap(NULL, buf.length, PROT_READ | PROT_WRITE,
			     MAP_SHARED, q->fd, buf.m.offset);
	igt_assert(q->map[index] != MAP_FAILED);
}

void queue_open(struct queue *q, int fd, uint32_t type, uint32_t memory,
		const struct video_format *format, int count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = type,
		.memory = memory,
	};
	bool has;

	igt_assert_lte(count, QUEUE_BUFFERS);
	*q = (struct queue){
		.fd = fd,
		.type = type,
		.memory = memory,
		.count = count,
	};
	q->size = set_format(fd, type, format);
	has = ioctl(fd, VIDIOC_REQBUFS, &req) == 0 && (int)req.count >= count;
	igt_require_f(has, "the device has no such memory mode\n");
	for (int i = 0; i < count && memory == V4L2_MEMORY_MMAP; i++)
		map_buffer(q, i);
}

void queue_close(struct queue *q)
{
	struct v4l2_requestbuffers req = { .type = q->type,
					   .memory = q->memory };

	do_or_die(ioctl(q->fd, VIDIOC_STREAMOFF, &q->type));
	for (int i = 0; i < q->count; i++)
		if (q->map[i])
			munmap(q->map[i], q->size);
	do_or_die(ioctl(q->fd, VIDIOC_REQBUFS, &req));
}

int __queue_push(struct queue *q, int index, int dmabuf)
{
	struct v4l2_buffer buf = {
		.type = q->type,
		.memory = q->memory,
		.index = index,
		.bytesused = q->size,
		.field = V4L2_FIELD_NONE,
	};

	if (q->memory == V4L2_MEMORY_DMABUF)
		buf.m.fd = dmabuf;
	return ioctl(q->fd, VIDIOC_QBUF, &buf) ? -errno : 0;
}

void queue_start(struct queue *q)
{
	do_or_die(ioctl(q->fd, VIDIOC_STREAMON, &q->type));
}

int queue_pop(struct queue *q)
{
	bool out = q->type == V4L2_BUF_TYPE_VIDEO_OUTPUT;
	struct pollfd p = { .fd = q->fd, .events = out ? POLLOUT : POLLIN };
	struct v4l2_buffer buf = { .type = q->type, .memory = q->memory };

	igt_assert_eq(poll(&p, 1, WAIT_MS), 1);
	do_or_die(ioctl(q->fd, VIDIOC_DQBUF, &buf));
	igt_assert(!(buf.flags & V4L2_BUF_FLAG_ERROR));
	igt_assert_eq_u32(buf.bytesused, q->size);
	return buf.index;
}

int queue_export(struct queue *q, int index)
{
	struct v4l2_exportbuffer exp = {
		.type = q->type,
		.index = index,
		.flags = O_CLOEXEC | O_RDWR,
	};

	do_or_die(ioctl(q->fd, VIDIOC_EXPBUF, &exp));
	return exp.fd;
}
