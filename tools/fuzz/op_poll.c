// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for files: poll and epoll.
 *
 * a: which file   b: which events   c: which other file
 */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "argument.h"
#include "objects.h"
#include "operations.h"

static uint32_t events_of(const struct step *step)
{
	return CHOOSE_BITS(step, step->b, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLET,
			   EPOLLONESHOT, EPOLLEXCLUSIVE);
}

/* Two files at once; c odd waits for a moment */
long op_poll(const struct step *step)
{
	struct pollfd files[2] = {
		{ .fd = file_find(KIND_DMABUF, step->a).fd,
		  .events = events_of(step) },
		{ .fd = file_find(KIND_ANY, step->c).fd,
		  .events = POLLIN | POLLOUT },
	};

	if (step->c & 1)
		return CALL_BLOCKING(poll(files, 2, -1));
	return CALL(poll(files, 2, 0));
}

long op_epoll_add(const struct step *step)
{
	int epoll = file_find(KIND_EPOLL, step->c).fd;
	int fd = file_find(KIND_DMABUF, step->a).fd;
	struct epoll_event event = { .events = events_of(step) };

	return CALL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

/* value: modify or delete */
long op_epoll_change(const struct step *step)
{
	int epoll = file_find(KIND_EPOLL, step->c).fd;
	int fd = file_find(KIND_DMABUF, step->a).fd;
	int change = step->value & 1 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	struct epoll_event event = { .events = events_of(step) };

	return CALL(epoll_ctl(epoll, change, fd, &event));
}

/* b odd waits for a moment */
long op_epoll_wait(const struct step *step)
{
	struct epoll_event events[8];
	int epoll = file_find(KIND_EPOLL, step->a).fd;

	if (step->b & 1)
		return CALL_BLOCKING(epoll_wait(epoll, events, 8, -1));
	return CALL(epoll_wait(epoll, events, 8, 0));
}
