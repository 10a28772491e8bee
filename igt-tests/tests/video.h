/* SPDX-License-Identifier: MIT */
/* Queues of V4L2 devices. Include it after igt.h. */
#ifndef VIDEO_H
#define VIDEO_H

#include <linux/videodev2.h>
#include <stdbool.h>
#include <stdint.h>

#define QUEUE_BUFFERS 3
#define QUEUE_PLANES  2

struct video_format {
	uint32_t width, height; /* pixels */
	uint32_t fourcc;
	uint32_t pitch; /* bytes, or 0 for the device's choice */
};

/* One queue of a video device. */
struct queue {
	int fd;
	uint32_t type;
	uint32_t memory;
	int planes; /* of a picture: one, but for types of several */
	uint32_t size[QUEUE_PLANES]; /* bytes */
	int count;
	void *map[QUEUE_BUFFERS][QUEUE_PLANES]; /* V4L2_MEMORY_MMAP only */
};

/* The first of @driver with all @caps and, if not NULL, on @bus; or -1. */
int __find_video(const char *driver, uint32_t caps, const char *bus);

/*
 * A vivid with all @caps, on @bus if that is not NULL, which looks at a picture
 * that stands still; or skips.
 */
int video_open_vivid(uint32_t caps, const char *bus);

/* Sets a control by its name, a menu by the text of its entry; or skips. */
void video_set_menu(int fd, const char *name, const char *entry);
/* The least value of a control may depend on the input. */
void video_set_control(int fd, const char *name, int above_least);

/* Skips where the device does not take the format or the kind of memory. */
void queue_open(struct queue *q, int fd, uint32_t type, uint32_t memory,
		const struct video_format *format, int count);
/* Streams no more; its buffers are let go. */
void queue_close(struct queue *q);

/* @dmabuf counts for V4L2_MEMORY_DMABUF only. Returns -errno. */
int __queue_push(struct queue *q, int index, int dmabuf);
/* The same with one for each plane. */
int __queue_push_planes(struct queue *q, int index, const int *dmabuf);
void queue_start(struct queue *q);
/* Waits for a whole picture; returns the index of its buffer. */
int queue_pop(struct queue *q);
/* A dma-buf of a buffer of V4L2_MEMORY_MMAP. */
int queue_export(struct queue *q, int index);

#endif
