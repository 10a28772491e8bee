// SPDX-License-Identifier: MIT
/*
 * The exporter's half of a cell: it makes buffers, puts pictures into them by its
 * own means, and looks at what has become of them.
 */

#include "igt.h"
#include "igt_vgem.h"

#include "matrix.h"

static void open_endpoint(struct exporter *e)
{
	e->ep = e->end->ep;
	e->ep.fd = drm_reopen_driver(e->end->ep.fd);
	for (int i = 0; i < e->count; i++) {
		struct endpoint_bo *bo = &e->bo[i];
		struct vgem_bo dumb = { .size = MATRIX_SIZE };

		endpoint_create(&e->ep, MATRIX_WIDTH, MATRIX_HEIGHT, bo);
		igt_assert_eq_u32(bo->pitch, MATRIX_PITCH);
		e->dmabuf[i] = bo->dmabuf;
		dumb.handle = bo->handle;
		if (e->ep.type == ENDPOINT_DRM)
			e->map[i] = vgem_mmap(e->ep.fd, &dumb,
					      PROT_READ | PROT_WRITE);
		else if (e->ep.type == ENDPOINT_UDMABUF)
			e->map[i] =
				mmap(NULL, MATRIX_SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED, bo->memfd, 0);
		else
			e->map[i] = dmabuf_mmap(bo->dmabuf, MATRIX_SIZE);
		igt_assert(e->map[i] != MAP_FAILED);
	}
}

static void open_video(struct exporter *e)
{
	static const uint32_t type[] = {
		[VIDEO_CAPTURE] = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		[VIDEO_OUTPUT] = V4L2_BUF_TYPE_VIDEO_OUTPUT,
		/* it reads another queue, and writes this one */
		[VIDEO_CONVERTER] = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	};
	enum video_kind kind = e->end->video;
	int fd;

	if (kind == VIDEO_CAPTURE)
		fd = camera_open(128);
	else
		fd = kind == VIDEO_OUTPUT ? output_open() : converter_open();
	queue_open(&e->queue, fd, type[kind], V4L2_MEMORY_MMAP,
		   kind == VIDEO_CONVERTER ? &converter_format : &camera_format,
		   e->count);
	igt_assert_eq_u32(e->queue.size[0], MATRIX_SIZE);
	for (int i = 0; i < e->count; i++) {
		e->dmabuf[i] = queue_export(&e->queue, i);
		e->map[i] = e->queue.map[i][0];
	}
}

void exporter_open(struct exporter *e, const struct end *end, int count)
{
	*e = (struct exporter){ .end = end, .count = count };
	if (end->video)
		open_video(e);
	else
		open_endpoint(e);
}

/* The camera takes a picture of its own, of a brightness of the cell's. */
static void capture(struct exporter *e, struct cell *cell)
{
	for (int i = 0; i < e->count; i++) {
		memset(e->map[i], 0xee, MATRIX_SIZE);
		video_set_control(e->queue.fd, "Brightness",
				  camera_brightness(cell, i));
		do_or_die(__queue_push(&e->queue, i, -1));
		if (i == 0)
			queue_start(&e->queue);
		igt_assert_eq(queue_pop(&e->queue), i);
		memcpy(cell->sees[i], e->map[i], MATRIX_SIZE);
		/* other bars than the ones before, and no bar what was there */
		igt_assert_neq(e->map[i][0], 0xee);
		igt_assert(i == 0 || memcmp(cell->sees[i], cell->sees[i - 1],
					    MATRIX_SIZE));
	}
}

/* The pictures come through the converter, which is as good as a copy. */
static void convert(struct exporter *e, struct cell *cell)
{
	struct queue from;

	queue_open(&from, e->queue.fd, V4L2_BUF_TYPE_VIDEO_OUTPUT,
		   V4L2_MEMORY_MMAP, &converter_format, 1);
	for (int i = 0; i < e->count; i++) {
		picture_fill(cell->sees[i], cell->seed + i);
		memcpy(from.map[0][0], cell->sees[i], MATRIX_SIZE);
		memset(e->map[i], 0xee, MATRIX_SIZE);
		do_or_die(__queue_push(&from, 0, -1));
		do_or_die(__queue_push(&e->queue, i, -1));
		if (i == 0) {
			queue_start(&from);
			queue_start(&e->queue);
		}
		queue_pop(&from);
		igt_assert_eq(queue_pop(&e->queue), i);
	}
	queue_close(&from);
}

/* What is written to a dma-buf directly is written between start and end. */
static bool needs_sync(const struct exporter *e)
{
	return !e->end->video && e->ep.type == ENDPOINT_HEAP;
}

static void draw(struct exporter *e, struct cell *cell)
{
	for (int i = 0; i < e->count; i++) {
		picture_fill(cell->sees[i], cell->seed + i);
		if (needs_sync(e))
			prime_sync_start(e->dmabuf[i], true);
		memcpy(e->map[i], cell->sees[i], MATRIX_SIZE);
		if (needs_sync(e))
			prime_sync_end(e->dmabuf[i], true);
	}
}

void exporter_fill(struct exporter *e, struct cell *cell)
{
	enum video_kind kind =
		cell->way == BY_STREAM ? e->end->video : NO_VIDEO;

	if (kind == VIDEO_CAPTURE)
		capture(e, cell);
	else if (kind == VIDEO_CONVERTER)
		convert(e, cell);
	else
		draw(e, cell);
	memcpy(cell->left, cell->sees, sizeof(cell->left));
}

/* The output shows what the importer has drawn. */
static void show(struct exporter *e, struct cell *cell)
{
	struct witness witness;

	witness_open(&witness);
	for (int i = 0; i < e->count; i++) {
		do_or_die(__queue_push(&e->queue, i, -1));
		if (i == 0)
			queue_start(&e->queue);
		else
			igt_assert_eq(queue_pop(&e->queue), i - 1);
		witness_expect(&witness, cell->left[i]);
	}
	witness_close(&witness);
}

void exporter_check(struct exporter *e, struct cell *cell)
{
	for (int i = 0; i < e->count; i++) {
		if (needs_sync(e))
			prime_sync_start(e->dmabuf[i], false);
		picture_expect(e->map[i], cell->left[i],
			       "what the importer has left");
		if (needs_sync(e))
			prime_sync_end(e->dmabuf[i], false);
	}
	if (cell->way == BY_STREAM && e->end->video == VIDEO_OUTPUT)
		show(e, cell);
}

void exporter_close(struct exporter *e)
{
	for (int i = 0; i < e->count; i++) {
		if (e->end->video) {
			close(e->dmabuf[i]);
		} else {
			munmap(e->map[i], MATRIX_SIZE);
			endpoint_destroy(&e->bo[i]);
		}
	}
	if (e->end->video)
		queue_close(&e->queue);
	close(e->end->video ? e->queue.fd : e->ep.fd);
}
