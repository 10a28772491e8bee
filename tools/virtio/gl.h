/* SPDX-License-Identifier: GPL-2.0-only */
/* What the cases of gl are made of. */
#ifndef VIRTIO_GL_H
#define VIRTIO_GL_H

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <gbm.h>
#include <stdbool.h>
#include <stdint.h>

#define WIDTH  256
#define HEIGHT 192

/* A process's own way to the renderer. */
struct renderer {
	int fd;
	struct gbm_device *gbm;
	EGLDisplay display;
	EGLContext context;
};

/* What is rendered to. */
struct target {
	int width, height;
	struct gbm_bo *bo;
	GLuint texture, framebuffer;
};

_Noreturn void die(const char *what);
void fact(const char *name, const char *what, const char *format, ...);
void *egl_function(const char *name);
bool egl_has(const struct renderer *renderer, const char *extension);

/* Rendering: render.c */
void renderer_open(struct renderer *renderer, const char *card);
void renderer_close(struct renderer *renderer);
void target_plain(struct target *target);
void target_shared(const struct renderer *renderer, struct target *target,
		   int width, int height);
void target_import(const struct renderer *renderer, struct target *target,
		   int dmabuf, uint32_t pitch);
void draw(const struct target *target, int seed);
void draw_from(const struct target *target, const struct target *source);
int wrong_pixels(const struct target *target, int seed);
const char *judged(int wrong);

/* The cases */
void share_cases(const char *card);
void fence_cases(const struct renderer *renderer);

#endif
