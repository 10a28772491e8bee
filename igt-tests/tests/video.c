// SPDX-License-Identifier: MIT
/* See video.h. */

#include "igt.h"

/* After igt.h, which must be the first to define what both define. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "poll_for.h"
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

int video_open_vivid(uint32_t caps, const char *bus)
{
	bool planes = caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE;
	int fd = __find_video("vivid", caps, bus), input = 0;

	igt_require_f(fd >= 0, "no vivid %s device%s%s\n",
		      planes ? "multi-planar capture" : "capture",
		      bus ? " on " : "", bus ?: "");
	do_or_die(ioctl(fd, VIDIOC_S_INPUT, &input));
	video_set_menu(fd, "Test Pattern", "75% Colorbar");
	video_set_menu(fd, "OSD Text Mode", "None");
	return fd;
}

static void set_format(struct queue *q, const struct video_format *format)
{
	struct v4l2_format f = { .type = q->type };
	bool taken;

	f.fmt.pix.width = format->width;
	f.fmt.pix.height = format->height;
	f.fmt.pix.pixelformat = format->fourcc;
	f.fmt.pix.field = V4L2_FIELD_NONE;
	f.fmt.pix.bytesperline = format->pitch;
	do_or_die(ioctl(q->fd, VIDIOC_S_FMT, &f));
	taken = f.fmt.pix.pixelformat == format->fourcc &&
		f.fmt.pix.width >= 16 &&
		(!format->pitch || f.fmt.pix.bytesperline == format->pitch);
	igt_require_f(taken, "the device does not take the format\n");
	igt_assert_lt(0, f.fmt.pix.sizeimage);
	q->planes = 1;
	q->size[0] = f.fmt.pix.sizeimage;
}

static void set_format_of_planes(struct queue *q,
				 const struct video_format *format)
{
	struct v4l2_format f = { .type = q->type };
	struct v4l2_pix_format_mplane *pix = &f.fmt.pix_mp;

	pix->width = format->width;
	pix->height = format->height;
	pix->pixelformat = format->fourcc;
	pix->field = V4L2_FIELD_NONE;
	do_or_die(ioctl(q->fd, VIDIOC_S_FMT, &f));
	igt_require_f(pix->pixelformat == format->fourcc,
		      "the device does not take the format\n");
	igt_assert_lte(pix->num_planes, QUEUE_PLANES);
	q->planes = pix->num_planes;
	for (int i = 0; i < q->planes; i++)
		q->size[i] = pix->plane_fmt[i].sizeimage;
}

/* What any call says of a buffer; @plane is there for those that have several. */
static struct v4l2_buffer buffer_of(const struct queue *q, int index,
				    struct v4l2_plane *plane)
{
	struct v4l2_buffer buf = {
		.type = q->type,
		.memory = q->memory,
		.index = index,
	};

	if (V4L2_TYPE_IS_MULTIPLANAR(q->type)) {
		buf.m.planes = plane;
		buf.length = q->planes;
	}
	return buf;
}

static void map_buffer(struct queue *q, int index)
{
	struct v4l2_plane plane[QUEUE_PLANES] = {};
	struct v4l2_buffer buf = buffer_of(q, index, plane);

	do_or_die(ioctl(q->fd, VIDIOC_QUERYBUF, &buf));
	if (!V4L2_TYPE_IS_MULTIPLANAR(q->type))
		plane[0].m.mem_offset = buf.m.offset;
	for (int i = 0; i < q->planes; i++) {
		q->map[index][i] =
			mmap(NULL, q->size[i], PROT_READ | PROT_WRITE,
			     MAP_SHARED, q->fd, plane[i].m.mem_offset);
		igt_assert(q->map[index][i] != MAP_FAILED);
	}
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
	if (V4L2_TYPE_IS_MULTIPLANAR(type))
		set_format_of_planes(q, format);
	else
		set_format(q, format);
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
		for (int p = 0; p < q->planes && q->map[i][p]; p++)
			munmap(q->map[i][p], q->size[p]);
	do_or_die(ioctl(q->fd, VIDIOC_REQBUFS, &req));
}

int __queue_push(struct queue *q, int index, int dmabuf)
{
	return __queue_push_planes(q, index, &dmabuf);
}

int __queue_push_planes(struct queue *q, int index, const int *dmabuf)
{
	struct v4l2_plane plane[QUEUE_PLANES] = {};
	struct v4l2_buffer buf = buffer_of(q, index, plane);
	bool imports = q->memory == V4L2_MEMORY_DMABUF;

	buf.field = V4L2_FIELD_NONE;
	if (!V4L2_TYPE_IS_MULTIPLANAR(q->type)) {
		buf.bytesused = q->size[0];
		if (imports)
			buf.m.fd = dmabuf[0];
	}
	for (int i = 0; imports && i < q->planes; i++)
		plane[i].m.fd = dmabuf[i];
	return ioctl(q->fd, VIDIOC_QBUF, &buf) ? -errno : 0;
}

void queue_start(struct queue *q)
{
	do_or_die(ioctl(q->fd, VIDIOC_STREAMON, &q->type));
}

int queue_pop(struct queue *q)
{
	short event = V4L2_TYPE_IS_OUTPUT(q->type) ? POLLOUT : POLLIN;
	struct v4l2_plane plane[QUEUE_PLANES] = {};
	struct v4l2_buffer buf = buffer_of(q, 0, plane);

	igt_assert(poll_for(q->fd, event, WAIT_MS) & event);
	do_or_die(ioctl(q->fd, VIDIOC_DQBUF, &buf));
	igt_assert(!(buf.flags & V4L2_BUF_FLAG_ERROR));
	if (!V4L2_TYPE_IS_MULTIPLANAR(q->type))
		plane[0].bytesused = buf.bytesused;
	for (int i = 0; i < q->planes; i++)
		igt_assert_eq_u32(plane[i].bytesused, q->size[i]);
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
