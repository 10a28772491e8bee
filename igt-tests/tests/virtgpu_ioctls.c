// SPDX-License-Identifier: MIT
/*
 * The ioctls of virtio-gpu as a client without a renderer meets them: a resource that
 * is drawn by the CPU and shown by the host, and the answers to all that needs more.
 * Where the host renders, the answers are other ones, and are not asked for here.
 */

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <virtgpu_drm.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "sw_sync.h"

#include "cards.h"
#include "endpoint.h"

/**
 * TEST: The ioctls of virtio-gpu on a host without 3D
 * Description: Resources, mappings, transfers and waiting as a client without
 *	a renderer meets them, and the refusal of all that needs more.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: virtio-gpu
 *
 * SUBTEST: params
 * Description: GETPARAM knows its parameters, and no others.
 *
 * SUBTEST: resource-create
 * Description: Plain resources are made, and no others.
 *
 * SUBTEST: resource-info
 * Description: RESOURCE_INFO tells what was made.
 *
 * SUBTEST: map
 * Description: MAP gives the memory that the dma-buf has.
 *
 * SUBTEST: transfer
 * Description: The host takes the picture, and gives none back.
 *
 * SUBTEST: wait
 * Description: WAIT sees fences of others.
 *
 * SUBTEST: framebuffer-fits
 * Description: Pixels that are not in the buffer are refused.
 *
 * SUBTEST: needs-3d
 * Description: Contexts and commands are refused.
 *
 * SUBTEST: needs-blobs
 * Description: Blobs that the host cannot have are refused.
 */

IGT_TEST_DESCRIPTION("The ioctls of virtio-gpu, on a host without 3D.");

#define WIDTH  64
#define HEIGHT 32
#define SIZE   (WIDTH * HEIGHT * 4)
/* The only target without 3D, and B8G8R8X8. */
#define TARGET_2D 2
#define FORMAT	  2

/* What libdrm's header does not have yet, in names that it will not take. */
#define PARAM_BLOB  3
#define BLOB_GUEST  1
#define BLOB_HOST3D 2

struct blob {
	uint32_t mem, flags, handle, res_handle;
	uint64_t size;
	uint32_t pad, cmd_size;
	uint64_t cmd, id;
};

struct context {
	uint32_t num_params, pad;
	uint64_t params;
};

#define CREATE_BLOB  DRM_IOWR(DRM_COMMAND_BASE + 0xa, struct blob)
#define CONTEXT_INIT DRM_IOWR(DRM_COMMAND_BASE + 0xb, struct context)

static int answer(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg) ? -errno : 0;

	errno = 0;
	return ret;
}

static int __getparam(int fd, uint64_t param, int *value)
{
	struct drm_virtgpu_getparam arg = {
		.param = param,
		.value = to_user_pointer(value),
	};

	return answer(fd, DRM_IOCTL_VIRTGPU_GETPARAM, &arg);
}

static struct drm_virtgpu_resource_create plain_resource(void)
{
	return (struct drm_virtgpu_resource_create){
		.target = TARGET_2D,
		.format = FORMAT,
		.width = WIDTH,
		.height = HEIGHT,
		.array_size = 1,
		.depth = 1,
		.size = SIZE,
	};
}

static struct drm_virtgpu_resource_create make_resource(int fd)
{
	struct drm_virtgpu_resource_create arg = plain_resource();

	do_ioctl(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &arg);
	igt_assert_neq(arg.bo_handle, 0);
	igt_assert_neq(arg.res_handle, 0);
	return arg;
}

static int wait_for(int fd, uint32_t handle, uint32_t flags)
{
	struct drm_virtgpu_3d_wait arg = { .handle = handle, .flags = flags };

	return answer(fd, DRM_IOCTL_VIRTGPU_WAIT, &arg);
}

static int transfer(int fd, unsigned long request, uint32_t handle)
{
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = handle,
		.box = { .w = WIDTH, .h = HEIGHT, .d = 1 },
	};

	return answer(fd, request, &arg);
}

static void params(int fd)
{
	int value = -1;

	do_or_die(__getparam(fd, VIRTGPU_PARAM_CAPSET_QUERY_FIX, &value));
	igt_assert_eq(value, 1);
	do_or_die(__getparam(fd, VIRTGPU_PARAM_3D_FEATURES, &value));
	igt_assert_eq(value, 0);
	igt_assert_eq(__getparam(fd, 1000, &value), -EINVAL);
	igt_assert_eq(__getparam(fd, VIRTGPU_PARAM_3D_FEATURES, NULL), -EFAULT);
}

static void resource_create(int fd)
{
	struct drm_virtgpu_resource_create first = make_resource(fd),
					   second = make_resource(fd), bad;

	igt_assert_neq_u32(first.bo_handle, second.bo_handle);
	igt_assert_neq_u32(first.res_handle, second.res_handle);
	gem_close(fd, first.bo_handle);
	gem_close(fd, second.bo_handle);

	bad = plain_resource();
	bad.target = TARGET_2D + 1;
	igt_assert_eq(answer(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &bad),
		      -EINVAL);
	bad = plain_resource();
	bad.depth = 2;
	igt_assert_eq(answer(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &bad),
		      -EINVAL);
	bad = plain_resource();
	bad.nr_samples = 2;
	igt_assert_eq(answer(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &bad),
		      -EINVAL);
}

static void resource_info(int fd)
{
	struct drm_virtgpu_resource_create made = make_resource(fd);
	struct drm_virtgpu_resource_info arg = { .bo_handle = made.bo_handle };

	do_ioctl(fd, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &arg);
	igt_assert_eq_u32(arg.res_handle, made.res_handle);
	igt_assert_eq_u32(arg.size, SIZE);
	gem_close(fd, made.bo_handle);
	igt_assert_eq(answer(fd, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &arg),
		      -ENOENT);
}

/* What is written by this mapping is what the dma-buf has. */
static void map(int fd)
{
	struct drm_virtgpu_resource_create made = make_resource(fd);
	struct drm_virtgpu_map arg = { .handle = made.bo_handle };
	int dmabuf = prime_handle_to_fd_for_mmap(fd, made.bo_handle);
	void *by_dmabuf = dmabuf_mmap(dmabuf, SIZE), *by_offset;

	do_ioctl(fd, DRM_IOCTL_VIRTGPU_MAP, &arg);
	by_offset = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 arg.offset);
	igt_assert(by_offset != MAP_FAILED);
	pattern_fill(by_offset, SIZE, 1);
	pattern_check(by_dmabuf, SIZE, 1);
	munmap(by_offset, SIZE);
	munmap(by_dmabuf, SIZE);
	close(dmabuf);
	gem_close(fd, made.bo_handle);
	igt_assert_eq(answer(fd, DRM_IOCTL_VIRTGPU_MAP, &arg), -ENOENT);
}

static void transfers(int fd)
{
	uint32_t handle = make_resource(fd).bo_handle;
	int err;

	do_or_die(transfer(fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, handle));
	do_or_die(wait_for(fd, handle, 0));
	do_or_die(wait_for(fd, handle, VIRTGPU_WAIT_NOWAIT));
	/* to read back is for who renders */
	err = transfer(fd, DRM_IOCTL_VIRTGPU_TRANSFER_FROM_HOST, handle);
	igt_assert_eq(err, -ENOSYS);
	gem_close(fd, handle);
	igt_assert_eq(transfer(fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, handle),
		      -ENOENT);
}

/* Whoever's fence it is. */
static void wait_sees_fences(int fd)
{
	uint32_t handle = make_resource(fd).bo_handle;
	int dmabuf = prime_handle_to_fd_for_mmap(fd, handle);
	int timeline = sw_sync_timeline_create();
	int fence = sw_sync_timeline_create_fence(timeline, 1);

	do_or_die(wait_for(fd, handle, 0));
	dmabuf_import_sync_file(dmabuf, DMA_BUF_SYNC_WRITE, fence);
	igt_assert_eq(wait_for(fd, handle, VIRTGPU_WAIT_NOWAIT), -EBUSY);
	sw_sync_timeline_inc(timeline, 1);
	do_or_die(wait_for(fd, handle, VIRTGPU_WAIT_NOWAIT));
	do_or_die(wait_for(fd, handle, 0));
	close(fence);
	close(timeline);
	close(dmabuf);
	gem_close(fd, handle);
	igt_assert_eq(wait_for(fd, handle, 0), -ENOENT);
}

static void needs_3d(int fd)
{
	struct drm_virtgpu_execbuffer exec = {};
	struct context context = {};

	igt_assert_eq(answer(fd, CONTEXT_INIT, &context), -EINVAL);
	igt_assert_eq(answer(fd, DRM_IOCTL_VIRTGPU_EXECBUFFER, &exec), -ENOSYS);
}

static void needs_blobs(int fd)
{
	struct blob blob = { .mem = BLOB_GUEST, .size = SIZE };
	int has_blob = 0;

	do_or_die(__getparam(fd, PARAM_BLOB, &has_blob));
	igt_assert_eq(answer(fd, CREATE_BLOB, &blob), has_blob ? 0 : -EINVAL);
	blob.mem = 0;
	igt_assert_eq(answer(fd, CREATE_BLOB, &blob), -EINVAL);
	blob.mem = BLOB_HOST3D;
	igt_assert_eq(answer(fd, CREATE_BLOB, &blob), -EINVAL);
}

static int __addfb(int fd, struct drm_mode_fb_cmd2 *fb)
{
	return answer(fd, DRM_IOCTL_MODE_ADDFB2, fb);
}

/*
 * Of a buffer that the CPU draws in, so that its shape is no secret of a renderer.
 * Drivers whose framebuffers GEM makes say -EINVAL, and kms_addfb_basic expects that;
 * stock's driver leaves it to the host, which refuses each frame.
 */
static void framebuffer_fits(int fd)
{
	struct drm_mode_create_dumb dumb = {
		.width = WIDTH, .height = HEIGHT, .bpp = 32
	};
	struct drm_mode_fb_cmd2 fb = {
		.width = WIDTH, .pixel_format = DRM_FORMAT_XRGB8888
	};

	do_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	fb.handles[0] = dumb.handle;
	fb.pitches[0] = dumb.pitch;
	fb.height = dumb.size / dumb.pitch;
	do_or_die(__addfb(fd, &fb));
	do_ioctl(fd, DRM_IOCTL_MODE_RMFB, &fb.fb_id);

	fb.height++;
	igt_assert_eq(__addfb(fd, &fb), -EINVAL);
	fb.height--;
	fb.offsets[0] = 4;
	igt_assert_eq(__addfb(fd, &fb), -EINVAL);
	gem_close(fd, dumb.handle);
}

static const struct {
	const char *name, *describe;
	void (*run)(int fd);
} tests[] = {
	{ "params", "GETPARAM knows its parameters, and no others", params },
	{ "resource-create", "plain resources are made, and no others",
	  resource_create },
	{ "resource-info", "RESOURCE_INFO tells what was made", resource_info },
	{ "map", "MAP gives the memory that the dma-buf has", map },
	{ "transfer", "the host takes the picture, and gives none back",
	  transfers },
	{ "wait", "WAIT sees fences of others", wait_sees_fences },
	{ "framebuffer-fits", "pixels that are not in the buffer are refused",
	  framebuffer_fits },
	{ "needs-3d", "contexts and commands are refused", needs_3d },
	{ "needs-blobs", "blobs that the host cannot have are refused",
	  needs_blobs },
};

igt_main
{
	int fd = -1, has_3d = 0;

	igt_fixture {
		fd = card_open("virtio_gpu");
		igt_require_sw_sync();
		do_or_die(__getparam(fd, VIRTGPU_PARAM_3D_FEATURES, &has_3d));
		igt_require_f(!has_3d, "this host renders\n");
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name)
			tests[i].run(fd);
	}

	igt_fixture
		close(fd);
}
