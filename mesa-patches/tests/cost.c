// SPDX-License-Identifier: MIT
/* What a frame costs: nanoseconds, which are instructions where the clock counts those. */
#include <drm_fourcc.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "test.h"

#define FRAMES 64
/* Shaders are compiled, and buffers filled, before it counts. */
#define BEFORE 4

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void frames(struct target *target, const struct target *source,
		   int count)
{
	for (int i = 0; i < count; i++) {
		target_draw(target, source);
		glFlush();
		glFinish();
	}
}

static void measure(const char *what, struct target *target,
		    const struct target *source)
{
	int64_t begin;

	frames(target, source, BEFORE);
	begin = now();
	frames(target, source, FRAMES);
	printf("cost\t%s\t%lld\n", what, (long long)(now() - begin) / FRAMES);
}

void cost(const struct renderer *renderer)
{
	struct target own, filled, shared;
	struct buffer buffer;
	struct view view;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	target_import(renderer, &shared, buffer.dmabuf, &view,
		      DRM_FORMAT_ARGB8888);
	target_plain(&own, WIDTH, HEIGHT);
	target_filled(&filled, WIDTH, HEIGHT, 1);
	measure("own", &own, &filled);
	measure("sample", &own, &shared);
	measure("draw", &shared, &filled);
}
