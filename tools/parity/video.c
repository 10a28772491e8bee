// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of video devices: a queue's own memory, exported one by one.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parity.h"
#include "proc.h"

/* What one group needs, and it opens the device anew. */
#define QUEUE_BUFFERS 16

/* The queue whose buffers an application would export. */
static uint32_t queue_of(const struct v4l2_capability *cap)
{
	if (!strcmp((const char *)cap->driver, "vim2m"))
		return V4L2_BUF_TYPE_VIDEO_OUTPUT;
	if (!strcmp((const char *)cap->driver, "vivid") &&
	    cap->device_caps & V4L2_CAP_VIDEO_CAPTURE)
		return V4L2_BUF_TYPE_VIDEO_CAPTURE;
	return 0;
}

static bool queue_fill(struct exporter *by)
{
	struct v4l2_format f = { .type = by->type };
	struct v4l2_requestbuffers req = {
		.count = QUEUE_BUFFERS,
		.type = by->type,
		.memory = V4L2_MEMORY_MMAP,
	};

	if (ioctl(by->ep.fd, VIDIOC_G_FMT, &f))
		return false;
	f.fmt.pix.width = 128;
	f.fmt.pix.height = 32;
	f.fmt.pix.field = V4L2_FIELD_NONE;
	if (ioctl(by->ep.fd, VIDIOC_S_FMT, &f) ||
	    ioctl(by->ep.fd, VIDIOC_REQBUFS, &req))
		return false;
	return req.count >= QUEUE_BUFFERS;
}

int video_open(struct exporter *all, int num, int max)
{
	int before = num;

	for (int i = 0; i < 32 && num < max; i++) {
		struct exporter *by = &all[num];
		struct v4l2_capability cap = {};
		bool known = false;
		char path[32];

		*by = (struct exporter){ .video = true };
		snprintf(path, sizeof(path), "/dev/video%d", i);
		by->ep.fd = open(path, O_RDWR | O_CLOEXEC);
		if (by->ep.fd < 0)
			continue;
		if (ioctl(by->ep.fd, VIDIOC_QUERYCAP, &cap) == 0)
			by->type = queue_of(&cap);
		snprintf(by->name, sizeof(by->name), "%s", cap.driver);
		for (int j = before; j < num; j++)
			known |= strcmp(all[j].name, by->name) == 0;
		if (by->type && !known && queue_fill(by))
			num++;
		else
			close(by->ep.fd);
	}
	return num;
}

int video_export(struct exporter *by, int flags)
{
	struct v4l2_exportbuffer arg = {
		.type = by->type,
		.index = by->used++,
		.flags = flags,
	};

	if (ioctl(by->ep.fd, VIDIOC_EXPBUF, &arg))
		return -1;
	return arg.fd;
}

static long queue(const struct exporter *into, int dmabuf)
{
	struct v4l2_buffer buf = {
		.type = into->type,
		.memory = V4L2_MEMORY_DMABUF,
		.field = V4L2_FIELD_NONE,
		.m.fd = dmabuf,
	};

	return try_ioctl(into->ep.fd, VIDIOC_QBUF, &buf);
}

/* The queue, emptied: what it has taken must be let go. */
static long queue_reset(const struct exporter *into, unsigned int count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = into->type,
		.memory = V4L2_MEMORY_DMABUF,
	};

	try_ioctl(into->ep.fd, VIDIOC_STREAMOFF, (void *)&into->type);
	return try_ioctl(into->ep.fd, VIDIOC_REQBUFS, &req);
}

static void say_import(struct buffer *b, const struct exporter *into)
{
	struct buffer other;
	const char *count;

	say_ret(text("%s-queue", into->name),
		text("%s: REQBUFS for dma-bufs", into->name),
		queue_reset(into, 4));
	count = proc_fdinfo(b->fd, "count");
	say_ret(text("%s-take", into->name), "QBUF", queue(into, b->fd));
	say_ret(text("%s-again", into->name), "QBUF a second time",
		queue(into, b->fd));
	say_ret(text("%s-closed", into->name), "QBUF of a closed descriptor",
		queue(into, closed_fd()));
	queue_reset(into, 4);
	if (!buffer_new(b->by, O_RDONLY, &other)) {
		say_ret(text("%s-rdonly", into->name),
			"QBUF of a read-only descriptor",
			queue(into, other.fd));
		queue_reset(into, 0);
		buffer_free(&other);
	}
	queue_reset(into, 0);
	say(text("%s-left", into->name), "count in fdinfo before and after",
	    "%s, %s", count, proc_fdinfo(b->fd, "count"));
}

void run_video_import(struct buffer *b)
{
	struct exporter all[8];
	int num = video_open(all, 0, N(all));

	for (int i = 0; i < num; i++) {
		/* its own queue is full of the buffers it has exported */
		if (strcmp(all[i].name, b->by->name))
			say_import(b, &all[i]);
		close(all[i].ep.fd);
	}
}
