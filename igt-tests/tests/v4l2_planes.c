// SPDX-License-Identifier: MIT
/*
 * A camera (vivid) whose picture has two planes, brightness and colours: in two
 * dma-bufs, and both in one. Needs a vivid that was loaded with multiplanar=2, as
 * one of its devices.
 */

#include "igt.h"

#include "cards.h"
#include "endpoint.h"
#include "video.h"

/**
 * TEST: Pictures of two planes in dma-bufs
 * Description: vivid captures brightness and colours into one dma-buf and into two
 *	of every exporter.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: two-buffers
 * Description: A dma-buf for each plane.
 *
 * SUBTEST: one-buffer
 * Description: Both planes in one dma-buf, one after the other.
 *
 * SUBTEST: second-too-small
 * Description: All planes are taken, or none.
 */

IGT_TEST_DESCRIPTION("V4L2 pictures of two planes in dma-bufs.");

#define WIDTH	320
#define HEIGHT	180
#define PLANES	QUEUE_PLANES
#define CAPTURE V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE

static int open_camera(void)
{
	uint32_t caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;

	return video_open_vivid(caps, NULL);
}

static void camera_queue(struct queue *q, int fd, uint32_t fourcc,
			 uint32_t memory)
{
	struct video_format format = {
		.width = WIDTH,
		.height = HEIGHT,
		.fourcc = fourcc,
	};

	queue_open(q, fd, CAPTURE, memory, &format, 1);
}

/* What each plane looks like, captured into the driver's own memory. */
static void reference(int fd, uint32_t fourcc, void **frame)
{
	struct queue q;

	camera_queue(&q, fd, fourcc, V4L2_MEMORY_MMAP);
	do_or_die(__queue_push(&q, 0, -1));
	queue_start(&q);
	queue_pop(&q);
	for (int i = 0; i < q.planes; i++) {
		const uint8_t *map = q.map[0][i];

		frame[i] = malloc(q.size[i]);
		memcpy(frame[i], map, q.size[i]);
		/* bars, and no plane is all of one colour */
		igt_assert(memcmp(map, map + WIDTH / 2, 16));
	}
	queue_close(&q);
}

static void expect_plane(const struct endpoint_bo *bo, uint32_t size,
			 const uint8_t *frame, int plane)
{
	uint8_t *map = dmabuf_mmap(bo->dmabuf, bo->size);

	prime_sync_start(bo->dmabuf, false);
	for (uint32_t i = 0; i < size; i++)
		igt_assert_f(map[i] == frame[i],
			     "plane %d, byte %u is %02x, not %02x\n", plane, i,
			     map[i], frame[i]);
	prime_sync_end(bo->dmabuf, false);
	munmap(map, bo->size);
}

static void capture(const struct endpoint *ep, uint32_t fourcc, int buffers)
{
	struct endpoint_bo bo[PLANES];
	void *frame[PLANES] = {}, *map;
	int fd = open_camera(), dmabuf[PLANES];
	struct queue q;

	reference(fd, fourcc, frame);
	camera_queue(&q, fd, fourcc, V4L2_MEMORY_DMABUF);
	igt_assert_eq(q.planes, buffers);
	for (int i = 0; i < q.planes; i++) {
		endpoint_create(ep, 1024, DIV_ROUND_UP(q.size[i], 4096),
				&bo[i]);
		dmabuf[i] = bo[i].dmabuf;
		map = dmabuf_mmap(bo[i].dmabuf, bo[i].size);
		memset(map, 0xee, bo[i].size);
		munmap(map, bo[i].size);
	}
	do_or_die(__queue_push_planes(&q, 0, dmabuf));
	queue_start(&q);
	queue_pop(&q);
	for (int i = 0; i < q.planes; i++)
		expect_plane(&bo[i], q.size[i], frame[i], i);
	queue_close(&q);
	close(fd);
	for (int i = 0; i < q.planes; i++) {
		ino_t inode = dmabuf_inode(bo[i].dmabuf);

		endpoint_destroy(&bo[i]);
		igt_assert_f(dmabuf_alive(inode) != 1,
			     "vivid has kept the dma-buf of plane %d\n", i);
		free(frame[i]);
	}
}

static void two_buffers(const struct endpoint *ep)
{
	capture(ep, V4L2_PIX_FMT_NV16M, 2);
}

static void one_buffer(const struct endpoint *ep)
{
	capture(ep, V4L2_PIX_FMT_NV12, 1);
}

/* A plane that does not fit must not leave the other one attached. */
static void second_too_small(const struct endpoint *ep)
{
	struct endpoint_bo large, small;
	int fd = open_camera(), dmabuf[PLANES];
	struct queue q;
	ino_t inode;

	camera_queue(&q, fd, V4L2_PIX_FMT_NV16M, V4L2_MEMORY_DMABUF);
	endpoint_create(ep, 1024, DIV_ROUND_UP(q.size[0], 4096), &large);
	endpoint_create(ep, 16, 16, &small);
	dmabuf[0] = large.dmabuf;
	dmabuf[1] = small.dmabuf;
	igt_assert_eq(__queue_push_planes(&q, 0, dmabuf), -EINVAL);
	inode = dmabuf_inode(large.dmabuf);
	endpoint_destroy(&large);
	endpoint_destroy(&small);
	queue_close(&q);
	close(fd);
	igt_assert_neq(dmabuf_alive(inode), 1);
}

static const struct exporter_test tests[] = {
	{ "two-buffers", "a dma-buf for each plane", two_buffers },
	{ "one-buffer", "both planes in one dma-buf, one after the other",
	  one_buffer },
	{ "second-too-small", "all planes are taken, or none",
	  second_too_small },
	{}
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open(eps, MAX_ENDPOINTS);
		igt_require_f(num, "no exporter\n");
	}

	exporter_subtests(tests, eps, num);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
