// SPDX-License-Identifier: MIT
/*
 * Queues that import. Their drivers are the CPU, too, and map each buffer in the
 * kernel. One picture is BY_VMAP. BY_STREAM is two rounds of all buffers, two of
 * them in the queue at a time, where the second round has each in another slot:
 * the queue must let go of the one that was there.
 */

#include "igt.h"

#include "matrix.h"

#define ROUNDS 2

/* Which buffer is the n-th, and where. */
static int slot_of(const struct cell *cell, int n)
{
	return n % cell->count;
}

static int buffer_of(const struct cell *cell, int n)
{
	return (n + n / cell->count) % cell->count;
}

static int pictures(const struct cell *cell)
{
	return cell->way == BY_VMAP ? 1 : ROUNDS * cell->count;
}

static void push(struct cell *cell, struct queue *q, const int *dmabuf, int n)
{
	int fd = dmabuf[buffer_of(cell, n)];

	do_or_die(__queue_push(q, slot_of(cell, n), fd));
}

/* What the camera sees at this moment, taken into memory of its own. */
static void reference(int fd, uint8_t *frame)
{
	struct queue q;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP,
		   &camera_format, 1);
	memset(q.map[0][0], 0xee, MATRIX_SIZE);
	do_or_die(__queue_push(&q, 0, -1));
	queue_start(&q);
	queue_pop(&q);
	memcpy(frame, q.map[0][0], MATRIX_SIZE);
	igt_assert_neq(frame[0], 0xee);
	queue_close(&q);
}

/* If it is not the last one there, it makes way for the next. */
static void expect_captured(struct cell *cell, const int *dmabuf, int i,
			    const uint8_t *frame, bool last)
{
	uint8_t *map = dmabuf_mmap(dmabuf[i], MATRIX_SIZE);

	prime_sync_start(dmabuf[i], true);
	picture_expect(map, frame, "what the camera wrote");
	if (!last)
		memset(map, 0xee, MATRIX_SIZE);
	memcpy(cell->left[i], map, MATRIX_SIZE);
	prime_sync_end(dmabuf[i], true);
	munmap(map, MATRIX_SIZE);
}

static void camera(struct cell *cell, const int *dmabuf)
{
	int fd = camera_open(camera_brightness(cell, 0)), end = pictures(cell);
	uint8_t *frame = malloc(MATRIX_SIZE);
	struct queue q;

	reference(fd, frame);
	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &camera_format, cell->count);
	push(cell, &q, dmabuf, 0);
	queue_start(&q);
	for (int n = 0; n < end; n++) {
		if (n + 1 < end)
			push(cell, &q, dmabuf, n + 1);
		igt_assert_eq(queue_pop(&q), slot_of(cell, n));
		expect_captured(cell, dmabuf, buffer_of(cell, n), frame,
				n >= end - cell->count);
	}
	picture_keep(cell, frame, true);
	queue_close(&q);
	close(fd);
	free(frame);
}

/* What the output was given is what somebody sees who is connected to it. */
static void output(struct cell *cell, const int *dmabuf)
{
	int fd = output_open(), end = pictures(cell);
	struct witness witness;
	struct queue q;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_MEMORY_DMABUF,
		   &camera_format, cell->count);
	witness_open(&witness);
	for (int n = 0; n < end; n++) {
		push(cell, &q, dmabuf, n);
		/* it shows one until it has the next */
		if (n == 0)
			queue_start(&q);
		else
			igt_assert_eq(queue_pop(&q), slot_of(cell, n - 1));
		witness_expect(&witness, cell->sees[buffer_of(cell, n)]);
	}
	picture_keep(cell, witness.queue.map[0][0],
		     cell->exporter->video == VIDEO_CAPTURE);
	witness_close(&witness);
	queue_close(&q);
	close(fd);
}

/* From what is imported into memory of its own. */
static void convert_from(struct cell *cell, const int *dmabuf)
{
	int fd = converter_open(), end = pictures(cell);
	struct queue from, to;

	queue_open(&from, fd, V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_MEMORY_DMABUF,
		   &converter_format, cell->count);
	queue_open(&to, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP,
		   &converter_format, 1);
	push(cell, &from, dmabuf, 0);
	queue_start(&from);
	queue_start(&to);
	for (int n = 0; n < end; n++) {
		memset(to.map[0][0], 0xee, MATRIX_SIZE);
		if (n + 1 < end)
			push(cell, &from, dmabuf, n + 1);
		do_or_die(__queue_push(&to, 0, -1));
		igt_assert_eq(queue_pop(&from), slot_of(cell, n));
		queue_pop(&to);
		picture_expect(to.map[0][0], cell->sees[buffer_of(cell, n)],
			       "what was converted");
	}
	picture_keep(cell, to.map[0][0], false);
	queue_close(&from);
	queue_close(&to);
	close(fd);
}

/* From memory of its own into what is imported. */
static void convert_into(struct cell *cell, const int *dmabuf)
{
	int fd = converter_open();
	uint8_t *map = dmabuf_mmap(dmabuf[0], MATRIX_SIZE);
	struct queue from, to;

	queue_open(&from, fd, V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_MEMORY_MMAP,
		   &converter_format, 1);
	queue_open(&to, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &converter_format, 1);
	picture_fill(cell->left[0], cell->seed + 100);
	memcpy(from.map[0][0], cell->left[0], MATRIX_SIZE);
	do_or_die(__queue_push(&from, 0, -1));
	do_or_die(__queue_push(&to, 0, dmabuf[0]));
	queue_start(&from);
	queue_start(&to);
	queue_pop(&from);
	queue_pop(&to);
	prime_sync_start(dmabuf[0], false);
	picture_expect(map, cell->left[0], "what the converter wrote");
	prime_sync_end(dmabuf[0], false);
	queue_close(&from);
	queue_close(&to);
	munmap(map, MATRIX_SIZE);
	close(fd);
}

void video_by_stream(struct cell *cell, const int *dmabuf)
{
	if (cell->importer->video == VIDEO_CAPTURE)
		camera(cell, dmabuf);
	else if (cell->importer->video == VIDEO_OUTPUT)
		output(cell, dmabuf);
	else
		convert_from(cell, dmabuf);
}

void video_by_vmap(struct cell *cell, const int *dmabuf)
{
	video_by_stream(cell, dmabuf);
	if (cell->importer->video == VIDEO_CONVERTER)
		convert_into(cell, dmabuf);
}
