// SPDX-License-Identifier: MIT
/* What is drawn and sampled, and whether the kernel is told when. */
#include <drm_fourcc.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#define SEED 9

static void check_told(uint64_t flags, const char *what)
{
	check(kernel_begun(flags), "the kernel was not told of %s", what);
	check(kernel_ended(), "the kernel was not told that %s ended", what);
}

/* A buffer, and a texture of it. */
static struct view shared(const struct renderer *renderer,
			  struct buffer *buffer, struct target *target,
			  bool read_only)
{
	struct view view;

	buffer_create(buffer, WIDTH, HEIGHT, read_only);
	view = view_of(buffer);
	target_import(renderer, target, buffer->dmabuf, &view,
		      DRM_FORMAT_ARGB8888);
	return view;
}

/* Succeeds if what is drawn to another's buffer is there when glFlush() returns. */
static void test_target(const struct renderer *renderer)
{
	struct target target, source;
	struct buffer buffer;
	struct view view;
	int wrong;

	view = shared(renderer, &buffer, &target, false);
	target_filled(&source, WIDTH, HEIGHT, SEED);
	kernel_watch(buffer.inode);
	target_draw(&target, &source);
	glFlush();
	check_told(DMA_BUF_SYNC_RW, "drawing");
	wrong = buffer_wrong(&buffer, &view, SEED);
	check(!wrong, "%d pixels are others", wrong);
}

/* Succeeds if a part that is drawn leaves the rest as it was. */
static void test_rest(const struct renderer *renderer)
{
	struct target target, source;
	struct buffer buffer;
	struct view view, upper;
	int wrong;

	view = shared(renderer, &buffer, &target, false);
	buffer_fill(&buffer, &view, SEED + 1);
	target_filled(&source, WIDTH, HEIGHT, SEED);
	glEnable(GL_SCISSOR_TEST);
	glScissor(0, HEIGHT / 2, WIDTH, HEIGHT / 2);
	target_draw(&target, &source);
	glFlush();
	upper = view;
	upper.height /= 2;
	wrong = buffer_wrong(&buffer, &upper, SEED + 1);
	check(!wrong, "%d pixels of the rest are others", wrong);
	check(buffer_wrong(&buffer, &view, SEED + 1) >=
		      (int)(WIDTH * HEIGHT / 2) - WIDTH,
	      "nothing was drawn");
}

/* Succeeds if drawing where it is not allowed does no harm. */
static void test_target_read_only(const struct renderer *renderer)
{
	struct target target, source;
	struct buffer buffer;
	struct view view;

	view = shared(renderer, &buffer, &target, true);
	buffer_fill(&buffer, &view, SEED + 1);
	target_filled(&source, WIDTH, HEIGHT, SEED);
	target_draw(&target, &source);
	glFinish();
	check(!buffer_wrong(&buffer, &view, SEED + 1),
	      "drawn to what is for reading only");
}

/* Succeeds if each frame of a producer is the one that is shown. */
static void test_frames(const struct renderer *renderer)
{
	struct target source, own;
	struct buffer buffer;
	struct view view;
	int begun, wrong;

	view = shared(renderer, &buffer, &source, false);
	target_plain(&own, WIDTH, HEIGHT);
	kernel_watch(buffer.inode);
	for (int frame = 0; frame < 3; frame++) {
		buffer_fill(&buffer, &view, SEED + frame);
		begun = kernel_begun(DMA_BUF_SYNC_READ);
		target_draw(&own, &source);
		glFlush();
		check_told(DMA_BUF_SYNC_READ, "sampling");
		check(kernel_begun(DMA_BUF_SYNC_READ) > begun,
		      "the kernel was not told of frame %d", frame);
		wrong = target_wrong(&own, SEED + frame);
		check(!wrong, "frame %d: %d pixels are others", frame, wrong);
	}
	check(!kernel_begun(DMA_BUF_SYNC_WRITE), "sampling is said to write");
}

/* Succeeds if reading and filling a texture are told as what they are. */
static void test_transfers(const struct renderer *renderer)
{
	static uint32_t pixels[WIDTH * HEIGHT];
	struct target target;
	struct buffer buffer;

	shared(renderer, &buffer, &target, false);
	kernel_watch(buffer.inode);
	target_read(&target, pixels);
	check_told(DMA_BUF_SYNC_READ, "glReadPixels()");
	glBindTexture(GL_TEXTURE_2D, target.texture);
	glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, WIDTH, HEIGHT, GL_RGBA,
			GL_UNSIGNED_BYTE, pixels);
	glFlush();
	check_told(DMA_BUF_SYNC_RW, "glTexSubImage2D()");
}

/* Succeeds if a request that is interrupted is made again. */
static void test_interrupted(const struct renderer *renderer)
{
	struct target source, own;
	struct buffer buffer;
	struct view view;

	view = shared(renderer, &buffer, &source, false);
	buffer_fill(&buffer, &view, SEED);
	target_plain(&own, WIDTH, HEIGHT);
	kernel_watch(buffer.inode);
	kernel_interrupt(3);
	target_draw(&own, &source);
	glFlush();
	check_told(DMA_BUF_SYNC_READ, "sampling");
	check(!target_wrong(&own, SEED), "pixels are others");
}

static struct gbm_bo *own_buffer(const struct renderer *renderer,
				 struct target *target)
{
	PFNEGLCREATEIMAGEKHRPROC create = egl_function("eglCreateImageKHR");
	struct gbm_bo *bo =
		gbm_bo_create(renderer->gbm, WIDTH, HEIGHT, GBM_FORMAT_ARGB8888,
			      GBM_BO_USE_RENDERING | GBM_BO_USE_LINEAR);
	EGLImageKHR image;

	check(bo, "no buffer of GBM");
	image = create(renderer->display, EGL_NO_CONTEXT, EGL_NATIVE_PIXMAP_KHR,
		       (EGLClientBuffer)bo, NULL);
	check(image != EGL_NO_IMAGE_KHR, "image: EGL error %#x", eglGetError());
	target_image(target, GL_TEXTURE_2D, image, WIDTH, HEIGHT);
	return bo;
}

static void sees(int dmabuf, uint32_t stride, int seed)
{
	uint8_t *map = mmap(NULL, HEIGHT * stride, PROT_READ | PROT_WRITE,
			    MAP_SHARED, dmabuf, 0);
	int wrong = 0;

	check(map != MAP_FAILED, "mmap of what was exported: %s",
	      strerror(errno));
	sync_cpu(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			wrong += ((uint32_t *)(map + y * stride))[x] !=
				 pixel_of(seed, x, y);
	sync_cpu(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap(map, HEIGHT * stride);
	check(!wrong, "%d pixels are others", wrong);
}

/* Succeeds if another process can see, and draw to, what is exported. */
static void test_export(const struct renderer *renderer)
{
	struct target target, first, second;
	struct gbm_bo *bo = own_buffer(renderer, &target);
	int dmabuf;

	target_filled(&first, WIDTH, HEIGHT, SEED);
	target_filled(&second, WIDTH, HEIGHT, SEED + 1);

	/* it is exported while it is drawn to */
	target_draw(&target, &first);
	dmabuf = gbm_bo_get_fd(bo);
	check(dmabuf >= 0, "gbm_bo_get_fd: %s", strerror(errno));
	kernel_watch(inode_of(dmabuf));
	glFlush();
	sees(dmabuf, gbm_bo_get_stride(bo), SEED);

	kernel_watch(inode_of(dmabuf));
	target_draw(&target, &second);
	glFlush();
	if (!renderer_has_fences(renderer))
		check_told(DMA_BUF_SYNC_RW, "drawing");
	sees(dmabuf, gbm_bo_get_stride(bo), SEED + 1);
}

/* Succeeds if what is exported has what was drawn before, and flushed. */
static void test_export_late(const struct renderer *renderer)
{
	struct target target, first;
	struct gbm_bo *bo = own_buffer(renderer, &target);
	int dmabuf;

	target_filled(&first, WIDTH, HEIGHT, SEED);
	target_draw(&target, &first);
	glFlush();
	dmabuf = gbm_bo_get_fd(bo);
	check(dmabuf >= 0, "gbm_bo_get_fd: %s", strerror(errno));
	sees(dmabuf, gbm_bo_get_stride(bo), SEED);
}

const struct test access_tests[] = {
	{ "access-target", test_target },
	{ "access-rest", test_rest },
	{ "access-target-read-only", test_target_read_only },
	{ "access-frames", test_frames },
	{ "access-transfers", test_transfers },
	{ "access-interrupted", test_interrupted },
	{ "access-export", test_export },
	{ "access-export-late", test_export_late },
	{}
};
