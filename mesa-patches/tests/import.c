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

/* --- pictures in planes ------------------------------------------------------------ */

/* Of half the buffers' height, so that all planes fit in one. */
#define PLANES	   3
#define PLANE_ROWS (HEIGHT / 2)
/* Brightness grows from left to right; the colour is one, and no grey. */
#define DARKEST 16
#define BLUE	90
#define RED	150

struct plane {
	struct buffer *buffer;
	/* of the buffer */
	uint32_t row;
};

static uint8_t *plane_row(const struct plane *plane, uint32_t y)
{
	return plane->buffer->map + (plane->row + y) * plane->buffer->stride;
}

static void fill_brightness(const struct plane *plane)
{
	for (uint32_t y = 0; y < PLANE_ROWS; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			plane_row(plane, y)[x] = DARKEST + x;
}

/* Each other byte from the first, or all. */
static void fill_colour(const struct plane *plane, uint32_t first,
			uint32_t step, uint32_t width, uint8_t value)
{
	for (uint32_t y = 0; y < PLANE_ROWS / 2; y++)
		for (uint32_t x = first; x < width; x += step)
			plane_row(plane, y)[x] = value;
}

static EGLImageKHR import_planes(const struct renderer *renderer,
				 uint32_t fourcc, const struct plane *planes,
				 int count)
{
	PFNEGLCREATEIMAGEKHRPROC create = egl_function("eglCreateImageKHR");
	EGLint shape[6 + 6 * PLANES + 1] = {
		EGL_WIDTH, WIDTH,
		EGL_HEIGHT, PLANE_ROWS,
		EGL_LINUX_DRM_FOURCC_EXT, (EGLint)fourcc,
	};
	EGLint *next = shape + 6;

	for (int i = 0; i < count; i++) {
		const struct buffer *buffer = planes[i].buffer;

		/* those of the next plane follow those of this one */
		*next++ = EGL_DMA_BUF_PLANE0_FD_EXT + 3 * i;
		*next++ = buffer->dmabuf;
		*next++ = EGL_DMA_BUF_PLANE0_OFFSET_EXT + 3 * i;
		*next++ = (EGLint)(planes[i].row * buffer->stride);
		*next++ = EGL_DMA_BUF_PLANE0_PITCH_EXT + 3 * i;
		*next++ = (EGLint)buffer->stride;
	}
	*next = EGL_NONE;
	return create(renderer->display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT,
		      NULL, shape);
}

static int channel(double value)
{
	return value < 0 ? 0 : value > 255 ? 255 : (int)(value + 0.5);
}

/* As BT.601 has it, in a narrow range. */
static uint32_t colour_of(int brightness)
{
	double grey = (brightness - 16) * 255.0 / 219;
	double blue = (BLUE - 128) * 255.0 / 224;
	double red = (RED - 128) * 255.0 / 224;

	return (uint32_t)channel(grey + 1.402 * red) << 16 |
	       (uint32_t)channel(grey - 0.344 * blue - 0.714 * red) << 8 |
	       (uint32_t)channel(grey + 1.772 * blue);
}

static int channels_wrong(const uint32_t *pixels)
{
	int wrong = 0;

	for (uint32_t i = 0; i < WIDTH * PLANE_ROWS; i++) {
		uint32_t wanted = colour_of(DARKEST + i % WIDTH);

		for (int shift = 0; shift < 24; shift += 8)
			wrong += abs((int)(pixels[i] >> shift & 0xff) -
				     (int)(wanted >> shift & 0xff)) > 3;
	}
	return wrong;
}

static void shows_planes(const struct renderer *renderer, uint32_t fourcc,
			 const struct plane *planes, int count)
{
	EGLImageKHR image = import_planes(renderer, fourcc, planes, count);
	uint32_t pixels[WIDTH * PLANE_ROWS];
	struct target source, own;
	int wrong;

	check(image != EGL_NO_IMAGE_KHR, "import: EGL error %#x",
	      eglGetError());
	target_image(&source, GL_TEXTURE_EXTERNAL_OES, image, WIDTH,
		     PLANE_ROWS);
	target_plain(&own, WIDTH, PLANE_ROWS);
	target_draw(&own, &source);
	target_read(&own, pixels);
	wrong = channels_wrong(pixels);
	check(!wrong, "%d values are others, the first pixels are %08x %08x %08x",
	      wrong, pixels[0], pixels[WIDTH / 2], pixels[WIDTH - 1]);
}

static void shows_nv12(const struct renderer *renderer,
		       const struct plane *planes)
{
	fill_brightness(&planes[0]);
	fill_colour(&planes[1], 0, 2, WIDTH, BLUE);
	fill_colour(&planes[1], 1, 2, WIDTH, RED);
	shows_planes(renderer, DRM_FORMAT_NV12, planes, 2);
}

/* Succeeds if two planes in one buffer, the second at an offset, are one picture. */
static void test_planes(const struct renderer *renderer)
{
	struct buffer buffer;
	const struct plane planes[] = { { &buffer, 0 },
					{ &buffer, PLANE_ROWS } };

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	memset(buffer.map, 0x55, buffer.size);
	shows_nv12(renderer, planes);
}

/* Succeeds if two planes, each in a buffer of its own, are one picture. */
static void test_planes_two_buffers(const struct renderer *renderer)
{
	struct buffer first, second;
	/* not at its beginning: then it would not matter which of them is used */
	const struct plane planes[] = { { &first, 0 },
					{ &second, PLANE_ROWS / 2 } };

	buffer_create(&first, WIDTH, HEIGHT, false);
	buffer_create(&second, WIDTH, HEIGHT, false);
	memset(first.map, 0x55, first.size);
	memset(second.map, 0xaa, second.size);
	shows_nv12(renderer, planes);
}

/* Succeeds if three planes are one picture, and none is taken for another. */
static void test_planes_three(const struct renderer *renderer)
{
	struct buffer buffer;
	const struct plane planes[] = { { &buffer, 0 },
					{ &buffer, PLANE_ROWS },
					{ &buffer, PLANE_ROWS * 3 / 2 } };

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	memset(buffer.map, 0x55, buffer.size);
	fill_brightness(&planes[0]);
	fill_colour(&planes[1], 0, 1, WIDTH / 2, BLUE);
	fill_colour(&planes[2], 0, 1, WIDTH / 2, RED);
	shows_planes(renderer, DRM_FORMAT_YUV420, planes, 3);
}

/* --- layouts ----------------------------------------------------------------------- */

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
	{ "import-planes-two-buffers", test_planes_two_buffers },
	{ "import-planes-three", test_planes_three },
	{ "import-modifiers", test_modifiers },
	{}
};
