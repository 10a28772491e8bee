// SPDX-License-Identifier: GPL-2.0-only
/*
 * OpenGL ES on a card, without a window. What is drawn is a picture of stripes, whose
 * colours are multiples of a fifteenth, so that no renderer can round them to another.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "gl.h"

#include <GLES2/gl2ext.h>

#define STRIPE 16

static const char vertex_source[] =
	"attribute vec2 place;\n"
	"void main() { gl_Position = vec4(place, 0.0, 1.0); }\n";

/* a stripe of each of sixteen shades of red and green, in the seed's blue */
static const char stripes_source[] =
	"precision highp float;\n"
	"uniform float blue;\n"
	"void main() {\n"
	"  vec2 stripe = mod(floor(gl_FragCoord.xy / 16.0), 16.0);\n"
	"  gl_FragColor = vec4(stripe / 15.0, blue / 15.0, 1.0);\n"
	"}\n";

static const char copy_source[] =
	"precision highp float;\n"
	"uniform sampler2D source;\n"
	"uniform vec2 size;\n"
	"void main() { gl_FragColor = texture2D(source, gl_FragCoord.xy / size); }\n";

void *egl_function(const char *name)
{
	void *function = (void *)eglGetProcAddress(name);

	if (!function)
		die(name);
	return function;
}

bool egl_has(const struct renderer *renderer, const char *extension)
{
	const char *all = eglQueryString(renderer->display, EGL_EXTENSIONS);
	size_t length = strlen(extension);

	for (; all && (all = strstr(all, extension)); all += length)
		if (all[length] == ' ' || !all[length])
			return true;
	return false;
}

void renderer_open(struct renderer *renderer, const char *card)
{
	static const EGLint wanted[] = { EGL_CONTEXT_CLIENT_VERSION, 2,
					 EGL_NONE };
	PFNEGLGETPLATFORMDISPLAYEXTPROC get_display;

	renderer->fd = open(card, O_RDWR | O_CLOEXEC);
	if (renderer->fd < 0)
		die(card);
	/* the first has it; who shows something, asks for it */
	drmDropMaster(renderer->fd);
	renderer->gbm = gbm_create_device(renderer->fd);
	if (!renderer->gbm)
		die("gbm");
	get_display = egl_function("eglGetPlatformDisplayEXT");
	renderer->display = get_display(EGL_PLATFORM_GBM_KHR, renderer->gbm,
					NULL);
	if (!eglInitialize(renderer->display, NULL, NULL) ||
	    !eglBindAPI(EGL_OPENGL_ES_API))
		die("EGL");
	renderer->context = eglCreateContext(renderer->display,
					     EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT,
					     wanted);
	if (!eglMakeCurrent(renderer->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
			    renderer->context))
		die("a context");
}

void renderer_close(struct renderer *renderer)
{
	eglMakeCurrent(renderer->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
		       EGL_NO_CONTEXT);
	eglTerminate(renderer->display);
	gbm_device_destroy(renderer->gbm);
	close(renderer->fd);
}

static void make_texture(struct target *target)
{
	glGenTextures(1, &target->texture);
	glBindTexture(GL_TEXTURE_2D, target->texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
}

static void make_framebuffer(struct target *target)
{
	glGenFramebuffers(1, &target->framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, target->framebuffer);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
			       GL_TEXTURE_2D, target->texture, 0);
	if (glCheckFramebufferStatus(GL_FRAMEBUFFER) !=
	    GL_FRAMEBUFFER_COMPLETE)
		die("a framebuffer");
}

/* Something of the renderer's own. */
void target_plain(struct target *target)
{
	target->width = WIDTH;
	target->height = HEIGHT;
	make_texture(target);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, WIDTH, HEIGHT, 0, GL_RGBA,
		     GL_UNSIGNED_BYTE, NULL);
	make_framebuffer(target);
}

/* A buffer of somebody else, of the size that the target says. */
void target_import(const struct renderer *renderer, struct target *target,
		   int dmabuf, uint32_t pitch)
{
	const EGLint shape[] = {
		EGL_WIDTH, target->width,
		EGL_HEIGHT, target->height,
		EGL_LINUX_DRM_FOURCC_EXT, GBM_FORMAT_XRGB8888,
		EGL_DMA_BUF_PLANE0_FD_EXT, dmabuf,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, 0,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, (EGLint)pitch,
		EGL_NONE
	};
	PFNGLEGLIMAGETARGETTEXTURE2DOESPROC use_image;
	PFNEGLCREATEIMAGEKHRPROC create_image;
	EGLImageKHR image;

	create_image = egl_function("eglCreateImageKHR");
	use_image = egl_function("glEGLImageTargetTexture2DOES");
	image = create_image(renderer->display, EGL_NO_CONTEXT,
			     EGL_LINUX_DMA_BUF_EXT, NULL, shape);
	if (image == EGL_NO_IMAGE_KHR)
		die("import of a dma-buf");
	make_texture(target);
	use_image(GL_TEXTURE_2D, image);
	make_framebuffer(target);
}

/* A buffer that others can have, and a screen show. */
void target_shared(const struct renderer *renderer, struct target *target,
		   int width, int height)
{
	int dmabuf;

	target->width = width;
	target->height = height;
	target->bo = gbm_bo_create(renderer->gbm, width, height,
				   GBM_FORMAT_XRGB8888,
				   GBM_BO_USE_RENDERING | GBM_BO_USE_SCANOUT);
	if (!target->bo)
		die("a buffer of gbm");
	dmabuf = gbm_bo_get_fd(target->bo);
	if (dmabuf < 0)
		die("export");
	target_import(renderer, target, dmabuf, gbm_bo_get_stride(target->bo));
	close(dmabuf);
}

static GLuint compile(GLenum kind, const char *source)
{
	GLuint shader = glCreateShader(kind);
	GLint good = 0;

	glShaderSource(shader, 1, &source, NULL);
	glCompileShader(shader);
	glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
	if (!good)
		die("a shader");
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
	if (!good)
		die("a program");
	glUseProgram(program);
	return program;
}

/* One triangle covers all there is. */
static void cover(const struct target *target, GLuint program)
{
	static const GLfloat corners[] = { -1, -1, 3, -1, -1, 3 };

	glBindFramebuffer(GL_FRAMEBUFFER, target->framebuffer);
	glViewport(0, 0, target->width, target->height);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
	glEnableVertexAttribArray(0);
	glDrawArrays(GL_TRIANGLES, 0, 3);
	glDeleteProgram(program);
	if (glGetError() != GL_NO_ERROR)
		die("drawing");
}

void draw(const struct target *target, int seed)
{
	GLuint program = program_of(stripes_source);

	glUniform1f(glGetUniformLocation(program, "blue"), seed);
	cover(target, program);
}

void draw_from(const struct target *target, const struct target *source)
{
	GLuint program = program_of(copy_source);

	glUniform1i(glGetUniformLocation(program, "source"), 0);
	glUniform2f(glGetUniformLocation(program, "size"), target->width,
		    target->height);
	glActiveTexture(GL_TEXTURE0);
	glBindTexture(GL_TEXTURE_2D, source->texture);
	cover(target, program);
}

static bool is_shade(uint8_t got, int shade)
{
	return abs(got - shade * 17) <= 1;
}

/* How many pixels are not what draw() draws. */
int wrong_pixels(const struct target *target, int seed)
{
	size_t count = (size_t)target->width * target->height;
	uint8_t *pixels = calloc(count, 4);
	int wrong = 0;

	if (!pixels)
		die("memory for pixels");
	glBindFramebuffer(GL_FRAMEBUFFER, target->framebuffer);
	glReadPixels(0, 0, target->width, target->height, GL_RGBA,
		     GL_UNSIGNED_BYTE, pixels);
	for (size_t i = 0; i < count; i++) {
		int x = i % target->width, y = i / target->width;

		wrong += !is_shade(pixels[i * 4], x / STRIPE % 16) ||
			 !is_shade(pixels[i * 4 + 1], y / STRIPE % 16) ||
			 !is_shade(pixels[i * 4 + 2], seed);
	}
	free(pixels);
	return wrong;
}

const char *judged(int wrong)
{
	static char text[64];

	if (!wrong)
		return "every pixel as drawn";
	snprintf(text, sizeof(text), "%d pixels differ", wrong);
	return text;
}
