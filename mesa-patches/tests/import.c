// SPDX-License-Identifier: MIT
/* Buffers of another device as textures, in all the ways they can be described. */
#include <drm_fourcc.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "test.h"

#define SEED 5

static void shows(const struct renderer *renderer, struct buffer *buffer,
		  const struct view *view)
{
	struct target source, own;
	int wrong;

	buffer_fill(buffer, view, SEED);
	target_import(renderer, &source, buffer->dmabuf, view,
		      DRM_FORMAT_XRGB8888);
	target_plain(&own, view->width, view->height);
	target_draw(&own, &source);
	wrong = target_wrong(&own, SEED);
	check(!wrong, "%d pixels are others", wrong);
}

/* Succeeds if a texture of a buffer shows what is in it. */
static void test_texture(const struct renderer *renderer)
{
	struct buffer buffer;
	struct view view;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	shows(renderer, &buffer, &view);
}

/* Succeeds if one that can only be read is as good a texture. */
static void test_read_only(const struct renderer *renderer)
{
	struct buffer buffer;
	struct view view;

	buffer_create(&buffer, WIDTH, HEIGHT, true);
	view = view_of(&buffer);
	shows(renderer, &buffer, &view);
}

/* Succeeds if the last quarter of a buffer, to its last byte, is a texture. */
static void test_part(const struct renderer *renderer)
{
	struct buffer buffer;
	struct view view, part;

	/* as many pages as pixels: nothing follows the last row */
	buffer_create(&buffer, WIDTH, HEIGHT, false);
	check(buffer.size == buffer.stride * HEIGHT, "there is room behind");
	view = view_of(&buffer);
	buffer_fill(&buffer, &view, SEED + 1);
	part = (struct view){
		.offset = HEIGHT / 2 * buffer.stride + WIDTH / 2 * 4,
		.stride = buffer.stride,
		.width = WIDTH / 2,
		.height = HEIGHT / 2,
	};
	shows(renderer, &buffer, &part);
}

/* Succeeds if a buffer that is a texture can be another one as well. */
static void test_two_views(const struct renderer *renderer)
{
	struct buffer buffer;
	struct target first;
	struct view view, rows;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	target_import(renderer, &first, buffer.dmabuf, &view,
		      DRM_FORMAT_XRGB8888);
	rows = view;
	rows.stride *= 2;
	rows.height /= 2;
	shows(renderer, &buffer, &rows);
}

/* Succeeds if what lies outside the buffer is refused. */
static void test_outside(const struct renderer *renderer)
{
	struct buffer buffer;
	struct view view;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	view.offset = 4;
	check(image_import(renderer, buffer.dmabuf, &view,
			   DRM_FORMAT_XRGB8888) == EGL_NO_IMAGE_KHR,
	      "imported beyond the end");
	view.offset = -4;
	check(image_import(renderer, buffer.dmabuf, &view,
			   DRM_FORMAT_XRGB8888) == EGL_NO_IMAGE_KHR,
	      "imported from the end of the address space");
}

/* Succeeds if a buffer that cannot be mapped is refused, and the next one is not. */
static void test_unmappable(const struct renderer *renderer)
{
	struct rlimit limit, small;
	struct buffer large, buffer;
	struct view view;
	EGLImageKHR image;

	buffer_create(&large, 4096, 4096, false);
	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&large);

	check(!getrlimit(RLIMIT_AS, &limit), "getrlimit: %s", strerror(errno));
	small = limit;
	/* less than there is already: nothing can be mapped */
	small.rlim_cur = 1 << 20;
	check(!setrlimit(RLIMIT_AS, &small), "setrlimit: %s", strerror(errno));
	image = image_import(renderer, large.dmabuf, &view,
			     DRM_FORMAT_XRGB8888);
	check(!setrlimit(RLIMIT_AS, &limit), "setrlimit: %s", strerror(errno));

	check(image == EGL_NO_IMAGE_KHR, "an import that cannot be mapped");
	view = view_of(&buffer);
	shows(renderer, &buffer, &view);
}

/* Brightness at the beginning, colour behind it: a grey ramp. */
static void fill_nv12(struct buffer *buffer)
{
	uint32_t rows = HEIGHT / 2;

	memset(buffer->map, 0x55, buffer->size);
	for (uint32_t y = 0; y < rows; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			buffer->map[y * buffer->stride + x] = 16 + x;
	for (uint32_t y = 0; y < rows / 2; y++)
		memset(buffer->map + (rows + y) * buffer->stride, 128, WIDTH);
}

static EGLImageKHR import_nv12(const struct renderer *renderer,
			       const struct buffer *buffer)
{
	PFNEGLCREATEIMAGEKHRPROC create = egl_function("eglCreateImageKHR");
	EGLint stride = buffer->stride;
	const EGLint shape[] = {
		EGL_WIDTH, WIDTH,
		EGL_HEIGHT, HEIGHT / 2,
		EGL_LINUX_DRM_FOURCC_EXT, DRM_FORMAT_NV12,
		EGL_DMA_BUF_PLANE0_FD_EXT, buffer->dmabuf,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, 0,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, stride,
		EGL_DMA_BUF_PLANE1_FD_EXT, buffer->dmabuf,
		EGL_DMA_BUF_PLANE1_OFFSET_EXT, HEIGHT / 2 * stride,
		EGL_DMA_BUF_PLANE1_PITCH_EXT, stride,
		EGL_NONE
	};

	return create(renderer->display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT,
		      NULL, shape);
}

/* Succeeds if two planes in one buffer, the second at an offset, are one picture. */
static void test_planes(const struct renderer *renderer)
{
	uint32_t rows = HEIGHT / 2, pixels[WIDTH * HEIGHT / 2];
	struct target source, own;
	struct buffer buffer;
	EGLImageKHR image;
	int wrong = 0;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	fill_nv12(&buffer);
	image = import_nv12(renderer, &buffer);
	check(image != EGL_NO_IMAGE_KHR, "import: EGL error %#x",
	      eglGetError());
	target_image(&source, GL_TEXTURE_EXTERNAL_OES, image, WIDTH, rows);
	target_plain(&own, WIDTH, rows);
	target_draw(&own, &source);
	target_read(&own, pixels);
	for (uint32_t i = 0; i < WIDTH * rows; i++) {
		int grey = i % WIDTH * 255 / 219;

		for (int shift = 0; shift < 24; shift += 8)
			wrong += abs((int)(pixels[i] >> shift & 0xff) - grey) >
				 3;
	}
	check(!wrong, "%d values are others, the first pixels are %08x %08x %08x",
	      wrong, pixels[0], pixels[WIDTH / 2], pixels[WIDTH - 1]);
}

static EGLImageKHR import_modifier(const struct renderer *renderer,
				   const struct buffer *buffer,
				   uint64_t modifier)
{
	PFNEGLCREATEIMAGEKHRPROC create = egl_function("eglCreateImageKHR");
	const EGLint shape[] = {
		EGL_WIDTH, WIDTH,
		EGL_HEIGHT, HEIGHT,
		EGL_LINUX_DRM_FOURCC_EXT, DRM_FORMAT_XRGB8888,
		EGL_DMA_BUF_PLANE0_FD_EXT, buffer->dmabuf,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, 0,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, (EGLint)buffer->stride,
		EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT, (EGLint)modifier,
		EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT, (EGLint)(modifier >> 32),
		EGL_NONE
	};

	return create(renderer->display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT,
		      NULL, shape);
}

/* Succeeds if LINEAR is all that is offered and imported. */
static void test_modifiers(const struct renderer *renderer)
{
	PFNEGLQUERYDMABUFMODIFIERSEXTPROC query;
	EGLuint64KHR modifiers[8] = {};
	EGLBoolean external[8] = {};
	struct buffer buffer;
	EGLint count = 0;

	query = egl_function("eglQueryDmaBufModifiersEXT");
	check(query(renderer->display, DRM_FORMAT_XRGB8888, 8, modifiers,
		    external, &count),
	      "eglQueryDmaBufModifiersEXT");
	check(count == 1 && modifiers[0] == DRM_FORMAT_MOD_LINEAR && !external[0],
	      "%d modifiers, the first %#llx", count,
	      (unsigned long long)modifiers[0]);

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	check(import_modifier(renderer, &buffer, DRM_FORMAT_MOD_LINEAR) !=
		      EGL_NO_IMAGE_KHR,
	      "LINEAR is refused");
	check(import_modifier(renderer, &buffer, I915_FORMAT_MOD_X_TILED) ==
		      EGL_NO_IMAGE_KHR,
	      "a tiled one is not refused");
}

const struct test import_tests[] = {
	{ "import-texture", test_texture },
	{ "import-read-only", test_read_only },
	{ "import-part", test_part },
	{ "import-two-views", test_two_views },
	{ "import-outside", test_outside },
	{ "import-unmappable", test_unmappable },
	{ "import-planes", test_planes },
	{ "import-modifiers", test_modifiers },
	{}
};
