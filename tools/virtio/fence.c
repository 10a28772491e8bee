// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences as descriptors: the one that rendering gives out, and one of a timeline that
 * this process advances, which rendering waits for.
 */
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gl.h"

#define EXTENSION "EGL_ANDROID_native_fence_sync"
#define SW_SYNC	  "/sys/kernel/debug/sync/sw_sync"
/* long for a fence, short for who waits for a test */
#define LIMIT_MS 20000

/* Of debugfs, and in no header. */
struct sw_sync_create {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_CREATE _IOWR('W', 0, struct sw_sync_create)
#define SW_SYNC_INC    _IOW('W', 1, uint32_t)

static EGLSyncKHR make_sync(const struct renderer *renderer, int fd)
{
	const EGLint from[] = { EGL_SYNC_NATIVE_FENCE_FD_ANDROID, fd,
				EGL_NONE };
	PFNEGLCREATESYNCKHRPROC create = egl_function("eglCreateSyncKHR");
	EGLSyncKHR sync;

	sync = create(renderer->display, EGL_SYNC_NATIVE_FENCE_ANDROID,
		      fd < 0 ? NULL : from);
	if (sync == EGL_NO_SYNC_KHR)
		die("eglCreateSync");
	return sync;
}

/* A fence for all that was drawn so far. */
static int out_fence(const struct renderer *renderer)
{
	PFNEGLDUPNATIVEFENCEFDANDROIDPROC dup_fd;
	PFNEGLDESTROYSYNCKHRPROC destroy;
	EGLSyncKHR sync = make_sync(renderer, -1);
	int fd;

	dup_fd = egl_function("eglDupNativeFenceFDANDROID");
	destroy = egl_function("eglDestroySyncKHR");
	glFlush();
	fd = dup_fd(renderer->display, sync);
	if (fd < 0)
		die("eglDupNativeFenceFD");
	destroy(renderer->display, sync);
	return fd;
}

static bool signals_within(int fence, int ms)
{
	struct pollfd poll_fd = { .fd = fence, .events = POLLIN };

	return poll(&poll_fd, 1, ms) == 1;
}

static void out_case(const struct renderer *renderer, struct target *target)
{
	struct sync_fence_info one = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&one,
	};
	int fence;

	draw(target, 5);
	fence = out_fence(renderer);
	fact("out-fence", "the fence of what was drawn", "%s",
	     signals_within(fence, LIMIT_MS) ? "signals" : "does not signal");
	if (ioctl(fence, SYNC_IOC_FILE_INFO, &info))
		die("SYNC_IOC_FILE_INFO");
	fact("out-fence-info", "its driver, and how it ended", "%s, %d",
	     one.driver_name, info.status);
	fact("out-fence-pixels", "the picture when it has signalled", "%s",
	     judged(wrong_pixels(target, 5)));
	close(fence);
}

/* What renders behind the fence, in a thread that the kernel may have wait. */
struct behind {
	const struct renderer *renderer;
	EGLContext context;
	int in;
	/* the thread, and that it is done; other threads look */
	_Atomic pid_t tid;
	_Atomic bool over;
	int wrong;
};

static void *render_behind(void *arg)
{
	struct behind *behind = arg;
	const struct renderer *renderer = behind->renderer;
	PFNEGLWAITSYNCKHRPROC wait = egl_function("eglWaitSyncKHR");
	struct target target = {};
	int out;

	if (!eglMakeCurrent(renderer->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
			    behind->context))
		die("the thread's context");
	target_plain(&target);
	glFinish();
	wait(renderer->display, make_sync(renderer, behind->in), 0);
	behind->tid = gettid();
	draw(&target, 9);
	out = out_fence(renderer);
	if (!signals_within(out, LIMIT_MS))
		die("the fence behind");
	behind->over = true;
	behind->wrong = wrong_pixels(&target, 9);
	close(out);
	return NULL;
}

/* Is the thread in an ioctl that does not return? */
static bool is_blocked(pid_t tid)
{
	char path[64], line[128] = "";
	long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		sscanf(line, "%ld", &number);
	fclose(file);
	return number == SYS_ioctl;
}

/* Until it has come to where it waits, or to the end. */
static bool waits(struct behind *behind)
{
	while (!behind->over)
		if (behind->tid && is_blocked(behind->tid))
			return true;
	return false;
}

/* A timeline with a fence at 1. */
static int make_timeline(int *fence)
{
	struct sw_sync_create create = { .value = 1, .name = "timeline" };
	int timeline = open(SW_SYNC, O_RDWR | O_CLOEXEC);

	if (timeline < 0 || ioctl(timeline, SW_SYNC_CREATE, &create))
		die(SW_SYNC);
	*fence = create.fence;
	return timeline;
}

static void in_case(const struct renderer *renderer)
{
	static const EGLint wanted[] = { EGL_CONTEXT_CLIENT_VERSION, 2,
					 EGL_NONE };
	struct behind behind = { .renderer = renderer };
	uint32_t one = 1;
	pthread_t thread;
	int timeline = make_timeline(&behind.in);

	behind.context = eglCreateContext(renderer->display, EGL_NO_CONFIG_KHR,
					  EGL_NO_CONTEXT, wanted);
	if (pthread_create(&thread, NULL, render_behind, &behind))
		die("pthread_create");
	fact("in-fence-waits", "drawing behind a fence that does not signal",
	     "%s", waits(&behind) ? "waits" : "does not wait");
	if (ioctl(timeline, SW_SYNC_INC, &one))
		die("SW_SYNC_INC");
	pthread_join(thread, NULL);
	fact("in-fence", "the same when the fence has signalled", "%s",
	     judged(behind.wrong));
	close(timeline);
}

void fence_cases(const struct renderer *renderer)
{
	struct target target = {};

	fact("fences", "is there " EXTENSION "?", "%s",
	     egl_has(renderer, EXTENSION) ? "yes" : "no");
	if (!egl_has(renderer, EXTENSION))
		return;
	target_plain(&target);
	out_case(renderer, &target);
	in_case(renderer);
}
