// SPDX-License-Identifier: MIT
/*
 * A camera (vivid) whose picture has two planes, brightness and colours: in two
 * dma-bufs, and both in one. Needs a vivid that was loaded with multiplanar=2, as
 * one of its devices.
 */

#include "igt.h"

/* After igt.h, which must be the first to define what both define. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

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
#define PLANES	2
#define WAIT_MS 60000
#define CAPTURE V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE

/* One buffer in the queue, of so many planes. */
struct planes {
	int fd, num;
	uint32_t memory;
	uint32_t size[PLANES];
};

static int open_camera(void)
{
	uint32_t caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;
	int fd = __find_video("vivid", caps, NULL), input = 0;

	igt_require_f(fd >= 0, "no vivid with multiplanar=2\n");
	do_or_die(ioctl(fd, VIDIOC_S_INPUT, &input));
	video_set_menu(fd, "Test Pattern", "75% Colorbar");
	video_set_menu(fd, "OSD Text Mode", "None");
	return fd;
}

static void request(struct planes *q, uint32_t count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = CAPTURE,
		.memory = q->memory,
	};

	do_or_die(ioctl(q->fd, VIDIOC_REQBUFS, &req));
}

static void planes_open(struct planes *q, int fd, uint32_t fourcc,
			uint32_t memory)
{
	struct v4l2_format f = { .type = CAPTURE };
	struct v4l2_pix_format_mplane *pix = &f.fmt.pix_mp;

	pix->width = WIDTH;
	pix->height = HEIGHT;
	pix->pixelformat = fourcc;
	pix->field = V4L2_FIELD_NONE;
	do_or_die(ioctl(fd, VIDIOC_S_FMT, &f));
	igt_assert_eq_u32(pix->pixelformat, fourcc);
	igt_assert_lte(pix->num_planes, PLANES);
	*q = (struct planes){
		.fd = fd,
		.num = pix->num_planes,
		.memory = memory,
	};
	for (int i = 0; i < q->num; i++)
		q->size[i] = pix->plane_fmt[i].sizeimage;
	request(q, 1);
}

static void planes_close(struct planes *q)
{
	int type = CAPTURE;

	do_or_die(ioctl(q->fd, VIDIOC_STREAMOFF, &type));
	request(q, 0);
}

/* What the driver says of the planes of its buffer, or what it is told. */
static struct v4l2_buffer buffer_of(const struct planes *q,
				    struct v4l2_plane *plane)
{
	return (struct v4l2_buffer){
		.type = CAPTURE,
		.memory = q->memory,
		.m.planes = plane,
		.length = q->num,
	};
}

static int __push(struct planes *q, const int *dmabuf)
{
	struct v4l2_plane plane[PLANES] = {};
	struct v4l2_buffer buf = buffer_of(q, plane);

	for (int i = 0; dmabuf && i < q->num; i++)
		plane[i].m.fd = dmabuf[i];
	return ioctl(q->fd, VIDIOC_QBUF, &buf) ? -errno : 0;
}

static void pop(struct planes *q)
{
	struct v4l2_plane plane[PLANES] = {};
	struct v4l2_buffer buf = buffer_of(q, plane);
	struct pollfd p = { .fd = q->fd, .events = POLLIN };

	igt_assert_eq(poll(&p, 1, WAIT_MS), 1);
	do_or_die(ioctl(q->fd, VIDIOC_DQBUF, &buf));
	igt_assert(!(buf.flags & V4L2_BUF_FLAG_ERROR));
	for (int i = 0; i < q->num; i++)
		igt_assert_eq_u32(plane[i].bytesused, q->size[i]);
}

static void start(struct planes *q)
{
	int type = CAPTURE;

	do_or_die(ioctl(q->fd, VIDIOC_STREAMON, &type));
}

/* What each plane looks like, captured into the driver's own memory. */
static void reference(int fd, uint32_t fourcc, void **frame)
{
	struct v4l2_plane plane[PLANES] = {};
	struct v4l2_buffer buf;
	struct planes q;

	planes_open(&q, fd, fourcc, V4L2_MEMORY_MMAP);
	buf = buffer_of(&q, plane);
	do_or_die(ioctl(fd, VIDIOC_QUERYBUF, &buf));
	do_or_die(__push(&q, NULL));
	start(&q);
	pop(&q);
	for (int i = 0; i < q.num; i++) {
		uint8_t *map = mmap(NULL, plane[i].length, PROT_READ,
				    MAP_SHARED, fd, plane[i].m.mem_offset);

		igt_assert(map != MAP_FAILED);
		frame[i] = malloc(q.size[i]);
		memcpy(frame[i], map, q.size[i]);
		/* bars, and no plane is all of one colour */
		igt_assert(memcmp(map, map + WIDTH / 2, 16));
		munmap(map, plane[i].length);
	}
	planes_close(&q);
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
	struct planes q;

	reference(fd, fourcc, frame);
	planes_open(&q, fd, fourcc, V4L2_MEMORY_DMABUF);
	igt_assert_eq(q.num, buffers);
	for (int i = 0; i < q.num; i++) {
		endpoint_create(ep, 1024, DIV_ROUND_UP(q.size[i], 4096),
				&bo[i]);
		dmabuf[i] = bo[i].dmabuf;
		map = dmabuf_mmap(bo[i].dmabuf, bo[i].size);
		memset(map, 0xee, bo[i].size);
		munmap(map, bo[i].size);
	}
	do_or_die(__push(&q, dmabuf));
	start(&q);
	pop(&q);
	for (int i = 0; i < q.num; i++)
		expect_plane(&bo[i], q.size[i], frame[i], i);
	planes_close(&q);
	close(fd);
	for (int i = 0; i < q.num; i++) {
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
	struct planes q;
	ino_t inode;

	planes_open(&q, fd, V4L2_PIX_FMT_NV16M, V4L2_MEMORY_DMABUF);
	endpoint_create(ep, 1024, DIV_ROUND_UP(q.size[0], 4096), &large);
	endpoint_create(ep, 16, 16, &small);
	dmabuf[0] = large.dmabuf;
	dmabuf[1] = small.dmabuf;
	igt_assert_eq(__push(&q, dmabuf), -EINVAL);
	inode = dmabuf_inode(large.dmabuf);
	endpoint_destroy(&large);
	endpoint_destroy(&small);
	planes_close(&q);
	close(fd);
	igt_assert_neq(dmabuf_alive(inode), 1);
}

static const struct {
	const char *name, *describe;
	void (*run)(const struct endpoint *ep);
} tests[] = {
	{ "two-buffers", "a dma-buf for each plane", two_buffers },
	{ "one-buffer", "both planes in one dma-buf, one after the other",
	  one_buffer },
	{ "second-too-small", "all planes are taken, or none",
	  second_too_small },
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

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name)
					tests[t].run(&eps[i]);
			}
		}
	}

	igt_fixture {
		endpoints_close(eps, num);
	}
}
