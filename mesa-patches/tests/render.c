// SPDX-License-Identifier: MIT
/* OpenGL ES 2 on a card: textures, images from dma-bufs, a rectangle that is drawn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* From the first row to the last, in memory as on what is drawn to. */
static const char *const vertex_source =
	"attribute vec2 place;\n"
	"varying vec2 at;\n"
	"void main() {\n"
	"	at = place;\n"
	"	gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);\n"
	"}\n";

static const char *const fragment_source =
	"precision highp float;\n"
	"uniform sampler2D picture;\n"
	"varying vec2 at;\n"
	"void main() { gl_FragColor = texture2D(picture, at); }\n";

static const char *const external_source =
	"#extension GL_OES_EGL_image_external : require\n"
	"precision highp float;\n"
	"uniform samplerExternalOES picture;\n"
	"varying vec2 at;\n"
	"void main() { gl_FragColor = texture2D(picture, at); }\n";

#define DEVICES 16
#define CONFIGS 64

const char *renderer_driver = "vkms";

void *egl_function(const char *name)
{
	void *function = (void *)eglGetProcAddress(name);

	check(function, "no %s", name);
	return function;
}

static void display_of_gbm(struct renderer *renderer, const char *driver,
			   bool render)
{
	PFNEGLGETPLATFORMDISPLAYEXTPROC get_display;

	renderer->fd = card_open(driver, render);
	renderer->gbm = gbm_create_device(renderer->fd);
	check(renderer->gbm, "no GBM for %s", driver);
	get_display = egl_function("eglGetPlatformDisplayEXT");
	renderer->display =
		get_display(EGL_PLATFORM_GBM_KHR, renderer->gbm, NULL);
}

/* EGL names the nodes of the devices it knows. */
static void display_of_device(struct renderer *renderer, const char *driver)
{
	PFNEGLGETPLATFORMDISPLAYEXTPROC get_display;
	PFNEGLQUERYDEVICESTRINGEXTPROC query_string;
	PFNEGLQUERYDEVICESEXTPROC query;
	EGLDeviceEXT devices[DEVICES];
	EGLint count = 0;

	get_display = egl_function("eglGetPlatformDisplayEXT");
	query_string = egl_function("eglQueryDeviceStringEXT");
	query = egl_function("eglQueryDevicesEXT");
	check(query(DEVICES, devices, &count), "eglQueryDevicesEXT");
	for (EGLint i = 0; i < count; i++) {
		const char *path =
			query_string(devices[i], EGL_DRM_RENDER_NODE_FILE_EXT);

		renderer->fd = path ? node_open(path, driver) : -1;
		if (renderer->fd < 0)
			continue;
		renderer->display = get_display(EGL_PLATFORM_DEVICE_EXT,
						devices[i], NULL);
		return;
	}
	die("none of %d devices of EGL is %s", count, driver);
}

bool renderer_has_fences(const struct renderer *renderer)
{
	const char *extensions =
		eglQueryString(renderer->display, EGL_EXTENSIONS);

	return strstr(extensions, "EGL_ANDROID_native_fence_sync");
}

void renderer_open(struct renderer *renderer)
{
	static const EGLint wanted[] = { EGL_CONTEXT_CLIENT_VERSION, 2,
					 EGL_NONE };
	const char *node = strchr(renderer_driver, ':');
	char driver[32];

	snprintf(driver, sizeof(driver), "%.*s",
		 (int)strcspn(renderer_driver, ":"), renderer_driver);
	memset(renderer, 0, sizeof(*renderer));
	if (node && !strcmp(node, ":device"))
		display_of_device(renderer, driver);
	else
		display_of_gbm(renderer, driver,
			       node && !strcmp(node, ":render"));
	check(eglInitialize(renderer->display, NULL, NULL), "EGL: %#x",
	      eglGetError());
	check(eglBindAPI(EGL_OPENGL_ES_API), "no OpenGL ES");
	renderer->context = eglCreateContext(renderer->display,
					     EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT,
					     wanted);
	check(eglMakeCurrent(renderer->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
			     renderer->context),
	      "context: %#x", eglGetError());
}

/* EGL_NO_IMAGE_KHR if it is refused. */
EGLImageKHR image_import(const struct renderer *renderer, int dmabuf,
			 const struct view *view, uint32_t fourcc)
{
	const EGLint shape[] = {
		EGL_WIDTH, (EGLint)view->width,
		EGL_HEIGHT, (EGLint)view->height,
		EGL_LINUX_DRM_FOURCC_EXT, (EGLint)fourcc,
		EGL_DMA_BUF_PLANE0_FD_EXT, dmabuf,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, (EGLint)view->offset,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, (EGLint)view->stride,
		EGL_NONE
	};
	PFNEGLCREATEIMAGEKHRPROC create = egl_function("eglCreateImageKHR");

	return create(renderer->display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT,
		      NULL, shape);
}

static void make_texture(struct target *target, GLenum kind, uint32_t width,
			 uint32_t height)
{
	target->kind = kind;
	target->width = width;
	target->height = height;
	target->framebuffer = 0;
	target->window = false;
	glGenTextures(1, &target->texture);
	glBindTexture(kind, target->texture);
	glTexParameteri(kind, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexParameteri(kind, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	glTexParameteri(kind, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
	glTexParameteri(kind, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
}

void target_image(struct target *target, GLenum kind, EGLImageKHR image,
		  uint32_t width, uint32_t height)
{
	PFNGLEGLIMAGETARGETTEXTURE2DOESPROC use_image;

	use_image = egl_function("glEGLImageTargetTexture2DOES");
	target->image = image;
	make_texture(target, kind, width, height);
	use_image(kind, image);
	check(!glGetError(), "a texture of an image");
}

void target_import(const struct renderer *renderer, struct target *target,
		   int dmabuf, const struct view *view, uint32_t fourcc)
{
	EGLImageKHR image = image_import(renderer, dmabuf, view, fourcc);

	check(image != EGL_NO_IMAGE_KHR, "import: EGL error %#x",
	      eglGetError());
	target_image(target, GL_TEXTURE_2D, image, view->width, view->height);
}

/* Of the renderer's own. */
void target_plain(struct target *target, uint32_t width, uint32_t height)
{
	make_texture(target, GL_TEXTURE_2D, width, height);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, width, height, 0, GL_RGBA,
		     GL_UNSIGNED_BYTE, NULL);
}

static uint32_t swapped(uint32_t pixel)
{
	return (pixel & 0xff00ff00) | (pixel & 0xff) << 16 |
	       (pixel >> 16 & 0xff);
}

void target_filled(struct target *target, uint32_t width, uint32_t height,
		   int seed)
{
	uint32_t *pixels = calloc(width * height, sizeof(*pixels));

	for (uint32_t i = 0; i < width * height; i++)
		pixels[i] = swapped(pixel_of(seed, i % width, i / width));
	target_plain(target, width, height);
	glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, width, height, GL_RGBA,
			GL_UNSIGNED_BYTE, pixels);
	free(pixels);
}

static GLuint compile(GLenum kind, const char *source)
{
	GLuint shader = glCreateShader(kind);
	GLint good = 0;

	glShaderSource(shader, 1, &source, NULL);
	glCompileShader(shader);
	glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
	check(good, "a shader");
	return shader;
}

static GLuint program_of(const char *source)
{
	GLuint program = glCreateProgram();
	GLint good = 0;

	glAttachShader(program, compile(GL_VERTEX_SHADER, vertex_source));
	glAttachShader(program, compile(GL_FRAGMENT_SHADER, source));
	glBindAttribLocation(program, 0, "place");
	glLinkProgram(program);
	glGetProgramiv(program, GL_LINK_STATUS, &good);
	check(good, "a program");
	return program;
}

/* Of the pixels that GBM's surface wants. */
static EGLConfig config_of(const struct renderer *renderer, EGLint visual)
{
	static const EGLint wanted[] = { EGL_SURFACE_TYPE, EGL_WINDOW_BIT,
					 EGL_RENDERABLE_TYPE,
					 EGL_OPENGL_ES2_BIT, EGL_NONE };
	EGLConfig configs[CONFIGS];
	EGLint count = 0, found;

	check(eglChooseConfig(renderer->display, wanted, configs, CONFIGS,
			      &count),
	      "configurations: %#x", eglGetError());
	for (EGLint i = 0; i < count; i++)
		if (eglGetConfigAttrib(renderer->display, configs[i],
				       EGL_NATIVE_VISUAL_ID, &found) &&
		    found == visual)
			return configs[i];
	die("none of %d configurations is of GBM's pixels", count);
}

struct gbm_surface *target_window(const struct renderer *renderer,
				  struct target *target, uint32_t width,
				  uint32_t height)
{
	PFNEGLCREATEPLATFORMWINDOWSURFACEEXTPROC create;
	struct gbm_surface *window;
	EGLSurface surface;

	create = egl_function("eglCreatePlatformWindowSurfaceEXT");
	window = gbm_surface_create(renderer->gbm, width, height,
				    GBM_FORMAT_ARGB8888,
				    GBM_BO_USE_RENDERING | GBM_BO_USE_LINEAR);
	check(window, "no surface of GBM");
	surface =
		create(renderer->display,
		       config_of(renderer, GBM_FORMAT_ARGB8888), window, NULL);
	check(surface != EGL_NO_SURFACE, "surface: %#x", eglGetError());
	check(eglMakeCurrent(renderer->display, surface, surface,
			     renderer->context),
	      "current: %#x", eglGetError());
	memset(target, 0, sizeof(*target));
	target->window = true;
	target->width = width;
	target->height = height;
	return window;
}

void target_swap(const struct renderer *renderer)
{
	EGLSurface surface = eglGetCurrentSurface(EGL_DRAW);

	check(eglSwapBuffers(renderer->display, surface), "swap: %#x",
	      eglGetError());
}

static void bind_texture(struct target *target)
{
	if (!target->framebuffer)
		glGenFramebuffers(1, &target->framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, target->framebuffer);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
			       GL_TEXTURE_2D, target->texture, 0);
	check(glCheckFramebufferStatus(GL_FRAMEBUFFER) ==
		      GL_FRAMEBUFFER_COMPLETE,
	      "a framebuffer");
}

static void target_bind(struct target *target)
{
	if (target->window)
		glBindFramebuffer(GL_FRAMEBUFFER, 0);
	else
		bind_texture(target);
	glViewport(0, 0, target->width, target->height);
}

/* Pixel by pixel, if both are of one size. */
void target_draw(struct target *target, const struct target *source)
{
	static const GLfloat square[] = { 0, 0, 1, 0, 0, 1, 1, 1 };
	static GLuint programs[2];
	bool external = source->kind == GL_TEXTURE_EXTERNAL_OES;
	GLuint *program = &programs[external];

	if (!*program)
		*program = program_of(external ? external_source :
						 fragment_source);
	target_bind(target);
	glUseProgram(*program);
	glBindTexture(source->kind, source->texture);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, square);
	glEnableVertexAttribArray(0);
	glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
	check(!glGetError(), "drawing");
}

void target_read(struct target *target, uint32_t *pixels)
{
	target_bind(target);
	glReadPixels(0, 0, target->width, target->height, GL_RGBA,
		     GL_UNSIGNED_BYTE, pixels);
	check(!glGetError(), "glReadPixels");
	for (uint32_t i = 0; i < target->width * target->height; i++)
		pixels[i] = swapped(pixels[i]);
}

int target_wrong(struct target *target, int seed)
{
	uint32_t count = target->width * target->height;
	uint32_t *pixels = calloc(count, sizeof(*pixels));
	int wrong = 0;

	target_read(target, pixels);
	for (uint32_t i = 0; i < count; i++)
		wrong += pixels[i] !=
			 pixel_of(seed, i % target->width, i / target->width);
	free(pixels);
	return wrong;
}
