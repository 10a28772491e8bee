// SPDX-License-Identifier: MIT
/* Buffers that are fenced, and threads that wait for them. */

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

#include "igt.h"

#include "../poll_for.h"
#include "fences.h"

void fenced_make(int vgem, struct fenced *f)
{
	*f = (struct fenced){
		.fd = vgem,
		.bo = { .width = 32, .height = 32, .bpp = 32 },
	};
	vgem_create(vgem, &f->bo);
	f->dmabuf = prime_handle_to_fd_for_mmap(vgem, f->bo.handle);
}

void fenced_unmake(struct fenced *f)
{
	close(f->dmabuf);
	gem_close(f->fd, f->bo.handle);
}

short dmabuf_ready(int dmabuf)
{
	return poll_for(dmabuf, POLLIN | POLLOUT, 0);
}

static void *wait_in_poll(void *data)
{
	struct waiter *w = data;

	w->tid = syscall(SYS_gettid);
	w->result = poll(&w->p, 1, WAKE_MS);
	w->done = true;
	return NULL;
}

static char thread_state(pid_t tid)
{
	char path[64], line[256] = {}, *after;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		line[0] = 0;
	if (fd >= 0)
		close(fd);
	after = strrchr(line, ')');
	return after ? after[2] : '?';
}

/* After tid is set the thread sleeps only in its one call. */
void waiter_until_asleep(struct waiter *w)
{
	while (!w->tid || thread_state(w->tid) != 'S') {
		igt_assert_f(!w->done, "the call did not wait for the fence\n");
		sched_yield();
	}
}

void waiter_start(struct waiter *w, void *(*wait)(void *data))
{
	do_or_die(pthread_create(&w->thread, NULL, wait, w));
	waiter_until_asleep(w);
}

void waiter_start_poll(struct waiter *w, int fd, short events)
{
	*w = (struct waiter){ .p = { .fd = fd, .events = events } };
	waiter_start(w, wait_in_poll);
}

void waiter_expect_woken(struct waiter *w, short events)
{
	pthread_join(w->thread, NULL);
	igt_assert_f(w->result == 1,
		     "poll slept on after the fence signalled\n");
	igt_assert_eq(w->p.revents, events);
}
