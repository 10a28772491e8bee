// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program that renders sees of a virtio GPU, a line a fact, for
 * tools/parity/table.py.
 *
 *	gl SUBJECT CARD		sharing, fences, pixels
 *	gl SUBJECT CARD show	then a rendered buffer on the screen, until stdin ends
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "gl.h"

static const char *subject;

void die(const char *what)
{
	fprintf(stderr, "gl: %s: %s (EGL %#x, GL %#x)\n", what, strerror(errno),
		eglGetError(), glGetError());
	exit(1);
}

void fact(const char *name, const char *what, const char *format, ...)
{
	va_list args;

	printf("gl\t%s\t%s\t%s\t", subject, name, what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/* Who renders, without the host's part of the name. */
static void renderer_case(void)
{
	const char *name = (const char *)glGetString(GL_RENDERER);

	fact("renderer", "GL_RENDERER", "%.*s", (int)strcspn(name, " "), name);
}

static void pixel_case(void)
{
	struct target target = {};

	target_plain(&target);
	draw(&target, 7);
	fact("pixels", "what OpenGL ES 2 draws, read back", "%s",
	     judged(wrong_pixels(&target, 7)));
}

/* The first connector that is there, and any CRTC of its. */
static uint32_t crtc_of(int fd, uint32_t *connector, drmModeModeInfo *mode)
{
	drmModeRes *resources = drmModeGetResources(fd);
	drmModeConnector *one;

	if (!resources || !resources->count_crtcs)
		die("a display");
	for (int i = 0; i < resources->count_connectors; i++) {
		one = drmModeGetConnector(fd, resources->connectors[i]);
		if (one && one->connection == DRM_MODE_CONNECTED) {
			*connector = one->connector_id;
			*mode = one->modes[0];
			return resources->crtcs[0];
		}
		drmModeFreeConnector(one);
	}
	die("a monitor");
}

static void show(const struct renderer *renderer)
{
	uint32_t connector, crtc, fb;
	struct target target = {};
	drmModeModeInfo mode;
	int ret;

	if (drmSetMaster(renderer->fd))
		die("drmSetMaster");
	crtc = crtc_of(renderer->fd, &connector, &mode);
	target_shared(renderer, &target, mode.hdisplay, mode.vdisplay);
	draw(&target, 13);
	fact("screen-pixels", "a buffer for the screen, read back", "%s",
	     judged(wrong_pixels(&target, 13)));

	if (drmModeAddFB(renderer->fd, mode.hdisplay, mode.vdisplay, 24, 32,
			 gbm_bo_get_stride(target.bo),
			 gbm_bo_get_handle(target.bo).u32, &fb))
		die("AddFB");
	ret = drmModeSetCrtc(renderer->fd, crtc, fb, 0, 0, &connector, 1,
			     &mode);
	fact("screen", "the same on the screen", "%s",
	     ret ? strerror(errno) : "0");
	/* until whoever takes a picture has it */
	getchar();
}

int main(int argc, char **argv)
{
	struct renderer renderer;

	if (argc < 3)
		return 2;
	subject = argv[1];
	share_cases(argv[2]);
	renderer_open(&renderer, argv[2]);
	renderer_case();
	pixel_case();
	fence_cases(&renderer);
	if (argc > 3)
		show(&renderer);
	return 0;
}
