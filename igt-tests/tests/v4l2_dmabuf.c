// SPDX-License-Identifier: MIT
/*
 * Video devices and GEM buffers: a camera (vivid) that fills a buffer of a DRM
 * device, a camera's buffer imported on a DRM device, and a converter (vim2m)
 * that reads one dma-buf and writes another.
 *
 * vivid's test pattern without its text stands still, so a frame captured into
 * the driver's own memory is the reference for every other way.
 */

#include "igt.h"
#include "igt_vgem.h"

/* After igt.h, which must be the first to define what both define. */
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "cards.h"
#include "configured.h"
#include "declare.h"
#include "endpoint.h"
#include "video.h"

/**
 * TEST: V4L2 streaming to, from and between dma-bufs
 * Description: vivid fills buffers of DRM devices and exports its own to them,
 *	vim2m reads one dma-buf and writes another. What arrives is compared
 *	with a frame that the driver kept for itself.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: video
 *
 * SUBTEST: vivid-capture
 * Description: vivid captures into a dma-buf.
 *
 * SUBTEST: vivid-capture-closed
 * Description: vivid alone holds the buffer it fills.
 *
 * SUBTEST: vivid-capture-too-small
 * Description: A dma-buf that is too small is EINVAL.
 *
 * SUBTEST: vivid-export
 * Description: vivid's buffer imported on a DRM device.
 *
 * SUBTEST: vim2m-both-queues
 * Description: vim2m from one dma-buf to another.
 *
 * SUBTEST: vivid-contiguous
 * Description: vivid needs one piece of a scattered buffer.
 */

IGT_TEST_DESCRIPTION("V4L2 streaming to, from and between dma-bufs.");

#define WIDTH  320
#define HEIGHT 180

/* One-page buffers that make holes, for as many pages as a frame has, and more. */
#define LITTER 512

/* Loaded with allocators=0,1: the second needs memory in one piece. */
#define VIVID_CONTIGUOUS "platform:vivid-001"
/* All of them are of one. */
#define VIVID_DEVICE "vivid.*"

static const struct video_format camera = {
	.width = WIDTH,
	.height = HEIGHT,
	.fourcc = V4L2_PIX_FMT_XRGB32,
};

static const struct video_format converter = {
	.width = WIDTH,
	.height = HEIGHT,
	.fourcc = V4L2_PIX_FMT_RGB565,
};

static int open_vivid_on(const char *bus)
{
	return video_open_vivid(V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING,
				bus);
}

static int open_vivid(void)
{
	return open_vivid_on(NULL);
}

/* What a frame looks like: captured into the driver's own memory. */
static void *reference_frame(int fd, uint32_t *size)
{
	struct queue q;
	void *copy;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP,
		   &camera, 1);
	do_or_die(__queue_push(&q, 0, -1));
	queue_start(&q);
	queue_pop(&q);
	copy = malloc(q.size[0]);
	igt_assert(copy);
	memcpy(copy, q.map[0][0], q.size[0]);
	*size = q.size[0];
	queue_close(&q);
	/* A frame of one colour would prove nothing. */
	igt_assert(memcmp(copy, (char *)copy + *size / 2, 64) ||
		   memcmp(copy, (char *)copy + 4 * WIDTH / 2, 64));
	return copy;
}

static void expect_frame(const void *map, const void *frame, uint32_t size)
{
	const uint32_t *got = map, *expected = frame;

	for (uint32_t i = 0; i < size / 4; i++)
		igt_assert_f(got[i] == expected[i],
			     "pixel %u is %08x, not %08x\n", i, got[i],
			     expected[i]);
}

static void create_for(const struct endpoint *ep, uint32_t size,
		       struct endpoint_bo *bo)
{
	endpoint_create(ep, 1024, DIV_ROUND_UP(size, 4096), bo);
	igt_assert_lte_u64(size, bo->size);
}

/* The camera writes into the endpoint's buffer. */
static void capture(const struct endpoint *ep)
{
	struct endpoint_bo bo[2];
	int fd = open_vivid();
	uint32_t size;
	void *frame = reference_frame(fd, &size), *map;
	struct queue q;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &camera, 1);
	igt_assert_eq_u32(q.size[0], size);
	/* The second goes into the same slot: the first must be let go. */
	for (int i = 0; i < 2; i++) {
		create_for(ep, size, &bo[i]);
		map = dmabuf_mmap(bo[i].dmabuf, bo[i].size);
		memset(map, 0xee, bo[i].size);
		do_or_die(__queue_push(&q, 0, bo[i].dmabuf));
		if (i == 0)
			queue_start(&q);
		queue_pop(&q);
		prime_sync_start(bo[i].dmabuf, false);
		expect_frame(map, frame, size);
		prime_sync_end(bo[i].dmabuf, false);
		munmap(map, bo[i].size);
	}
	queue_close(&q);
	free(frame);
	close(fd);
	for (int i = 0; i < 2; i++) {
		ino_t inode = dmabuf_inode(bo[i].dmabuf);

		endpoint_destroy(&bo[i]);
		igt_assert_f(dmabuf_alive(inode) != 1,
			     "the video device still holds the buffer\n");
	}
}

/* Everybody but the video device has closed the buffer when it is filled. */
static void capture_closed(const struct endpoint *ep)
{
	struct endpoint_bo bo;
	int fd = open_vivid();
	uint32_t size;
	void *frame = reference_frame(fd, &size), *map;
	struct queue q;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &camera, 1);
	create_for(ep, size, &bo);
	map = dmabuf_mmap(bo.dmabuf, bo.size);
	memset(map, 0xee, bo.size);
	do_or_die(__queue_push(&q, 0, bo.dmabuf));
	endpoint_destroy(&bo);
	queue_start(&q);
	queue_pop(&q);
	expect_frame(map, frame, size);
	queue_close(&q);
	munmap(map, bo.size);
	free(frame);
	close(fd);
}

/* A buffer that is too small must be refused before a byte is written. */
static void capture_too_small(const struct endpoint *ep)
{
	int fd = open_vivid();
	struct endpoint_bo bo;
	struct queue q;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &camera, 1);
	endpoint_create(ep, 1024, q.size[0] / 4096 - 1, &bo);
	igt_assert_eq(__queue_push(&q, 0, bo.dmabuf), -EINVAL);
	igt_assert_eq(__queue_push(&q, 0, -1), -EINVAL);
	igt_assert_eq(__queue_push(&q, 0, fd), -EINVAL);
	endpoint_destroy(&bo);
	queue_close(&q);
	close(fd);
}

/* The camera's own buffer, imported by a DRM device. */
static void export(const struct endpoint *ep)
{
	int fd = open_vivid(), dmabuf, again;
	uint32_t size, handle;
	void *frame = reference_frame(fd, &size), *map;
	struct queue q;

	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP,
		   &camera, 1);
	memset(q.map[0][0], 0xee, q.size[0]);
	dmabuf = queue_export(&q, 0);
	handle = endpoint_import(ep, dmabuf);
	again = prime_handle_to_fd_for_mmap(ep->fd, handle);
	igt_assert(dmabuf_inode(again) == dmabuf_inode(dmabuf));
	close(dmabuf);

	do_or_die(__queue_push(&q, 0, -1));
	queue_start(&q);
	queue_pop(&q);
	map = dmabuf_mmap(again, q.size[0]);
	prime_sync_start(again, false);
	expect_frame(map, frame, size);
	prime_sync_end(again, false);
	expect_frame(q.map[0][0], frame, size);
	munmap(map, q.size[0]);
	close(again);
	gem_close(ep->fd, handle);
	queue_close(&q);
	free(frame);
	close(fd);
}

/* One dma-buf in, another out; vim2m copies lines when formats are equal. */
static void convert(const struct endpoint *ep)
{
	int fd = __find_video("vim2m", V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING,
			      NULL);
	struct endpoint_bo src, dst;
	struct queue out, cap;
	void *from, *to;

	igt_require_f(fd >= 0, "no vim2m device\n");
	queue_open(&out, fd, V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_MEMORY_DMABUF,
		   &converter, 1);
	queue_open(&cap, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &converter, 1);
	igt_assert_eq_u32(out.size[0], cap.size[0]);
	create_for(ep, out.size[0], &src);
	create_for(ep, cap.size[0], &dst);
	from = dmabuf_mmap(src.dmabuf, src.size);
	to = dmabuf_mmap(dst.dmabuf, dst.size);

	for (uint32_t seed = 1; seed < 3; seed++) {
		pattern_fill(from, src.size, seed);
		memset(to, 0xee, dst.size);
		do_or_die(__queue_push(&out, 0, src.dmabuf));
		do_or_die(__queue_push(&cap, 0, dst.dmabuf));
		if (seed == 1) {
			queue_start(&out);
			queue_start(&cap);
		}
		queue_pop(&out);
		queue_pop(&cap);
		igt_assert_f(memcmp(from, to, cap.size[0]) == 0,
			     "what went in did not come out\n");
		/* And nothing beyond the image was touched. */
		for (uint64_t i = cap.size[0]; i < dst.size; i++)
			igt_assert_eq(((uint8_t *)to)[i], 0xee);
	}
	queue_close(&out);
	queue_close(&cap);
	munmap(from, src.size);
	munmap(to, dst.size);
	endpoint_destroy(&src);
	endpoint_destroy(&dst);
	close(fd);
}

static void undeclare_at_exit(int sig)
{
	(void)sig;
	declare_nothing(VIVID_DEVICE);
	configured_remove("camera");
}

static void create_touched(int vgem, uint32_t pages, struct vgem_bo *bo)
{
	char *map;

	*bo = (struct vgem_bo){ .width = 1024, .height = pages, .bpp = 32 };
	vgem_create(vgem, bo);
	map = vgem_mmap(vgem, bo, PROT_READ | PROT_WRITE);
	for (uint64_t i = 0; i < bo->size; i += 4096)
		map[i] = 1;
	munmap(map, bo->size);
}

/*
 * The kernel takes a single page first from what is free in singles, and of those
 * what this CPU has freed last.  So let there be many, no two of them side by
 * side, where the buffer's pages will come from.
 */
static void create_scattered(int vgem, uint32_t size, struct vgem_bo *bo)
{
	struct vgem_bo litter[LITTER];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	do_or_die(sched_setaffinity(0, sizeof(one), &one));
	for (int i = 0; i < LITTER; i++)
		create_touched(vgem, 1, &litter[i]);
	for (int i = 0; i < LITTER; i += 2)
		gem_close(vgem, litter[i].handle);
	create_touched(vgem, DIV_ROUND_UP(size, 4096), bo);
	for (int i = 1; i < LITTER; i += 2)
		gem_close(vgem, litter[i].handle);
}

/*
 * A camera that needs its buffer in one piece, whose driver finds out when it is
 * too late.  It is refused, and when the administrator has said what it needs, the
 * same buffer is taken.
 */
static void capture_declared(void)
{
	/* below 4 GiB, as the camera's, which therefore changes nothing yet */
	int vgem = configured_device("camera", NULL, 0xffffffff);
	int fd = open_vivid_on(VIVID_CONTIGUOUS), dmabuf;
	uint32_t size;
	void *frame = reference_frame(fd, &size), *map;
	struct vgem_bo bo;
	struct queue q;

	create_scattered(vgem, size, &bo);
	dmabuf = prime_handle_to_fd_for_mmap(vgem, bo.handle);
	queue_open(&q, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_DMABUF,
		   &camera, 1);
	igt_assert_eq(__queue_push(&q, 0, dmabuf), -EFAULT);

	declare(VIVID_DEVICE, "segments=1");
	do_or_die(__queue_push(&q, 0, dmabuf));
	queue_start(&q);
	queue_pop(&q);
	map = dmabuf_mmap(dmabuf, bo.size);
	prime_sync_start(dmabuf, false);
	expect_frame(map, frame, size);
	prime_sync_end(dmabuf, false);

	munmap(map, bo.size);
	queue_close(&q);
	declare(VIVID_DEVICE, "-");
	free(frame);
	close(dmabuf);
	close(fd);
	gem_close(vgem, bo.handle);
	close(vgem);
	configured_remove("camera");
}

static const struct exporter_test tests[] = {
	{ "vivid-capture", "vivid captures into a dma-buf", capture },
	{ "vivid-capture-closed", "vivid alone holds the buffer it fills",
	  capture_closed },
	{ "vivid-capture-too-small", "a dma-buf that is too small is EINVAL",
	  capture_too_small },
	{ "vim2m-both-queues", "vim2m from one dma-buf to another", convert },
	{}
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open(eps, MAX_ENDPOINTS);
	}

	exporter_subtests(tests, eps, num);

	igt_describe("vivid's buffer imported on a DRM device");
	igt_subtest_with_dynamic("vivid-export") {
		for (int i = 0; i < num; i++) {
			if (!eps[i].imports)
				continue;
			igt_dynamic(eps[i].name)
				export(&eps[i]);
		}
	}

	igt_describe("vivid needs one piece of a scattered buffer");
	igt_subtest("vivid-contiguous") {
		declare_require();
		configured_require();
		igt_install_exit_handler(undeclare_at_exit);
		capture_declared();
	}

	igt_fixture
		endpoints_close(eps, num);
}
