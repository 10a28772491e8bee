// SPDX-License-Identifier: MIT
/* Buffers that somebody still draws to, or reads: a renderer waits for them. */
#include <drm_fourcc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define BEFORE 21
#define AFTER  22
/* So much that it is not drawn by the time it has been asked for. */
#define OFTEN 16

/* Another device: it goes on when the renderer waits, or has not waited at all. */
struct device {
	struct buffer buffer;
	struct view view;
	uint32_t fence;
	pid_t renderer;
	atomic_bool over;
	bool draws, early;
	pthread_t thread;
};

static void draw_rows(struct device *device, uint32_t from, uint32_t to)
{
	for (uint32_t y = from; y < to; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			((uint32_t *)(device->buffer.map +
				      y * device->view.stride))[x] =
				pixel_of(AFTER, x, y);
}

static void *run(void *data)
{
	struct device *device = data;

	while (!kernel_waits(device->renderer) && !device->over)
		sched_yield();
	if (device->draws)
		draw_rows(device, HEIGHT / 2, HEIGHT);
	else
		/* what is there now is what it read */
		device->early = *(uint32_t *)device->buffer.map !=
				pixel_of(BEFORE, 0, 0);
	buffer_signal(&device->buffer, device->fence);
	return NULL;
}

static void device_start(const struct renderer *renderer, struct device *device,
			 struct target *target, bool draws)
{
	buffer_create(&device->buffer, WIDTH, HEIGHT, false);
	device->view = view_of(&device->buffer);
	buffer_fill(&device->buffer, &device->view, BEFORE);
	target_import(renderer, target, device->buffer.dmabuf, &device->view,
		      DRM_FORMAT_ARGB8888);
	device->draws = draws;
	device->renderer = syscall(SYS_gettid);
	kernel_watch(device->buffer.inode);
	device->fence = buffer_fence(&device->buffer, draws);
	/* whoever does not wait shows half of one picture and half of another */
	if (draws)
		draw_rows(device, 0, HEIGHT / 2);
	check(!pthread_create(&device->thread, NULL, run, device), "a thread");
}

static void device_end(struct device *device)
{
	device->over = true;
	pthread_join(device->thread, NULL);
}

/* Succeeds if a picture is sampled when it is complete. */
static void test_sample(const struct renderer *renderer)
{
	struct device device = {};
	struct target source, own;
	int wrong;

	target_plain(&own, WIDTH, HEIGHT);
	device_start(renderer, &device, &source, true);
	target_draw(&own, &source);
	glFlush();
	wrong = target_wrong(&own, AFTER);
	device_end(&device);
	check(!wrong, "torn: %d of %d pixels are of before the fence", wrong,
	      WIDTH * HEIGHT);
}

/* Succeeds if what others still read is not drawn to. */
static void test_draw(const struct renderer *renderer)
{
	struct device device = {};
	struct target target, source;

	target_filled(&source, WIDTH, HEIGHT, AFTER);
	device_start(renderer, &device, &target, false);
	target_draw(&target, &source);
	glFlush();
	device_end(&device);
	check(!device.early, "drawn to before the fence");
	check(!buffer_wrong(&device.buffer, &device.view, AFTER),
	      "not drawn to after the fence");
}

/* Succeeds if sampling does not wait for others who read. */
static void test_readers(const struct renderer *renderer)
{
	struct target source, own;
	struct buffer buffer;
	struct view view;
	uint32_t fence;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	buffer_fill(&buffer, &view, BEFORE);
	target_import(renderer, &source, buffer.dmabuf, &view,
		      DRM_FORMAT_ARGB8888);
	target_plain(&own, WIDTH, HEIGHT);
	fence = buffer_fence(&buffer, false);
	target_draw(&own, &source);
	glFlush();
	check(!target_wrong(&own, BEFORE), "pixels are others");
	/* refused if it has timed out in the meantime */
	buffer_signal(&buffer, fence);
}

static void draw_for_long(struct target *target)
{
	struct target before, after;

	target_filled(&before, WIDTH, HEIGHT, BEFORE);
	target_filled(&after, WIDTH, HEIGHT, AFTER);
	for (int i = 0; i < OFTEN; i++)
		target_draw(target, &before);
	target_draw(target, &after);
}

/* Succeeds if poll() tells another process when what is drawn to is complete. */
static void test_poll(const struct renderer *renderer)
{
	struct viewer viewer;
	struct target target;
	struct buffer buffer;
	struct view view;

	viewer_start(&viewer);
	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	buffer_fill(&buffer, &view, BEFORE);
	target_import(renderer, &target, buffer.dmabuf, &view,
		      DRM_FORMAT_ARGB8888);
	draw_for_long(&target);
	glFlush();
	viewer_sees(&viewer, buffer.dmabuf,
		    (struct picture){ .stride = view.stride, .seed = AFTER });
}

/* Succeeds if it does so of the renderer's own buffer, after eglSwapBuffers(). */
static void test_poll_swap(const struct renderer *renderer)
{
	struct gbm_surface *window;
	struct picture picture = { .seed = AFTER, .flipped = true };
	struct viewer viewer;
	struct target target;
	struct gbm_bo *front;

	viewer_start(&viewer);
	window = target_window(renderer, &target, WIDTH, HEIGHT);
	draw_for_long(&target);
	target_swap(renderer);
	front = gbm_surface_lock_front_buffer(window);
	check(front, "no buffer was drawn to");
	picture.stride = gbm_bo_get_stride(front);
	viewer_sees(&viewer, gbm_bo_get_fd(front), picture);
}

const struct test fence_tests[] = {
	{ "fence-sample", test_sample },
	{ "fence-draw", test_draw },
	{ "fence-readers", test_readers },
	{ "fence-poll", test_poll },
	{ "fence-poll-swap", test_poll_swap },
	{}
};
