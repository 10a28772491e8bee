// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that are not of a DRM device: udmabuf, heaps, video.
 *
 * vim2m both exports its buffers and imports others', and maps what it imports
 * into the kernel.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>

#include "argument.h"
#include "objects.h"
#include "operations.h"

#define PAGE	   4096UL
#define MEMFD_SIZE (16 * PAGE)

int memfd_make(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, MEMFD_SIZE) ||
			fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))) {
		close(fd);
		return -1;
	}
	return fd;
}

long op_memfd(const struct step *step)
{
	(void)step;
	return file_add(memfd_make(), KIND_MEMFD);
}

static int open_once(const char *path)
{
	return open(path, O_RDWR | O_CLOEXEC);
}

/* b: pages, c: first page, c & 0x80: an odd offset or size by value */
long op_udmabuf(const struct step *step)
{
	int device = open_once("/dev/udmabuf");
	struct udmabuf_create create = {
		.memfd = file_find(KIND_MEMFD, step->a).fd,
		.flags = step->b & 0x80 ? 0 : UDMABUF_FLAGS_CLOEXEC,
		.offset = step->c % 8 * PAGE,
		.size = (1 + step->b % 8) * PAGE,
	};
	long result;

	if (step->c & 0x80)
		create.offset = number(step->value);
	if (step->c & 0x40)
		create.size = number(step->value);
	result = call_ioctl(device, UDMABUF_CREATE, &create, sizeof(create));
	close(device);
	return new_fd(result, KIND_DMABUF);
}

/* b: how many entries; c: says there are more than there are */
long op_udmabuf_list(const struct step *step)
{
	int device = open_once("/dev/udmabuf");
	struct {
		struct udmabuf_create_list head;
		struct udmabuf_create_item items[4];
	} create = {
		.head = {
			.flags = UDMABUF_FLAGS_CLOEXEC,
			.count = step->c & 0x80 ? number(step->value) : step->b % 5,
		},
	};
	unsigned int i;
	long result;

	for (i = 0; i < 4; i++)
		create.items[i] = (struct udmabuf_create_item){
			.memfd = file_find(KIND_MEMFD, step->a + i).fd,
			.offset = i * PAGE,
			.size = (step->c & 0x40 ? number(step->value) : 1) *
				PAGE,
		};
	result = call_ioctl(device, UDMABUF_CREATE_LIST, &create,
			    sizeof(create));
	close(device);
	return new_fd(result, KIND_DMABUF);
}

/* a: which heap, b: pages, c: flags */
long op_heap(const struct step *step)
{
	static const char *const heaps[] = { "/dev/dma_heap/system",
					     "/dev/dma_heap/reserved" };
	int heap = open_once(heaps[step->a % 2]);
	struct dma_heap_allocation_data data = {
		.len = step->b >= 0xe0 ? number(step->value) % SIZE_LIMIT :
					 (1 + step->b % 8) * PAGE,
		.fd_flags = CHOOSE_BITS(step, step->c ^ 3, O_CLOEXEC, O_RDWR,
					O_NONBLOCK),
	};
	long result;

	if (heap < 0)
		return NOT_DONE;
	result = call_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data, sizeof(data));
	if (result >= 0)
		file_add(data.fd, KIND_DMABUF);
	close(heap);
	return result;
}

/* --- video ---------------------------------------------------------------- */

static int video(const struct step *step)
{
	return file_find(KIND_VIDEO, step->a).fd;
}

/* b odd: what is written to the device; else what comes out of it */
static uint32_t direction(const struct step *step)
{
	return step->b & 1 ? V4L2_BUF_TYPE_VIDEO_OUTPUT :
			     V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

/* b & 2: buffers of the device's own */
static uint32_t memory(const struct step *step)
{
	return step->b & 2 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF;
}

long op_video_open(const struct step *step)
{
	int flags = O_RDWR | O_NONBLOCK | O_CLOEXEC;

	flags |= step->b & 1 ? O_SYNC : 0;
	return file_add(CALL(open("/dev/video0", flags)), KIND_VIDEO);
}

/* c: how many buffers; makes the picture small first, so that a page holds it */
long op_video_buffers(const struct step *step)
{
	int fd = video(step);
	struct v4l2_format format = {
		.type = direction(step),
		.fmt.pix = { .width = 32,
			     .height = 32,
			     .pixelformat = V4L2_PIX_FMT_RGB565 },
	};
	struct v4l2_requestbuffers request = {
		.count = step->c % 8,
		.type = direction(step),
		.memory = memory(step),
	};

	if (!(step->b & 4))
		ioctl(fd, VIDIOC_S_FMT, &format);
	return call_ioctl(fd, VIDIOC_REQBUFS, &request, sizeof(request));
}

/* c: which dma-buf, value: which of the video's buffers */
long op_video_queue(const struct step *step)
{
	struct v4l2_buffer buffer = {
		.index = step->value % 4,
		.type = direction(step),
		.memory = memory(step),
		.length = step->b & 8 ? number(step->value) : 0,
		.bytesused = step->b & 16 ? number(step->value) : 2048,
		.field = V4L2_FIELD_NONE,
	};

	if (buffer.memory == V4L2_MEMORY_DMABUF)
		buffer.m.fd = file_find(KIND_DMABUF, step->c).fd;
	return call_ioctl_blocking(video(step), VIDIOC_QBUF, &buffer,
				   sizeof(buffer));
}

long op_video_dequeue(const struct step *step)
{
	struct v4l2_buffer buffer = { .type = direction(step),
				      .memory = memory(step) };

	return call_ioctl_blocking(video(step), VIDIOC_DQBUF, &buffer,
				   sizeof(buffer));
}

long op_video_export(const struct step *step)
{
	struct v4l2_exportbuffer export = {
		.type = direction(step),
		.index = step->value % 4,
		.flags = CHOOSE_BITS(step, step->c ^ 3, O_CLOEXEC, O_RDWR),
	};
	long result =
		call_ioctl(video(step), VIDIOC_EXPBUF, &export, sizeof(export));

	if (result >= 0)
		file_add(export.fd, KIND_DMABUF);
	return result;
}

/* c odd: off */
long op_video_stream(const struct step *step)
{
	unsigned long cmd = step->c & 1 ? VIDIOC_STREAMOFF : VIDIOC_STREAMON;
	uint32_t type = direction(step);

	return call_ioctl_blocking(video(step), cmd, &type, sizeof(type));
}
