// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences that this program signals, and signals that interrupt it.
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "parity.h"
#include "sw_sync.h"

/* How often a signal arrives.  No result depends on it. */
#define SIGNAL_NANOSECONDS 20000000

void timeline_new(struct timeline *t)
{
	t->fd = sw_sync_timeline_create();
	t->last = 0;
}

int timeline_fence(struct timeline *t)
{
	return sw_sync_timeline_create_fence(t->fd, ++t->last);
}

void timeline_signal(struct timeline *t)
{
	sw_sync_timeline_inc(t->fd, 1);
}

void timeline_busy(struct timeline *t, int dmabuf, uint32_t usage)
{
	int fence = timeline_fence(t);

	dmabuf_import_sync_file(dmabuf, usage, fence);
	close(fence);
}

const char *events_text(unsigned int events)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} bits[] = {
		{ POLLIN, "IN" },	  { POLLPRI, "PRI" },
		{ POLLOUT, "OUT" },	  { POLLERR, "ERR" },
		{ POLLHUP, "HUP" },	  { POLLNVAL, "NVAL" },
		{ POLLRDNORM, "RDNORM" }, { POLLRDBAND, "RDBAND" },
		{ POLLWRNORM, "WRNORM" }, { POLLWRBAND, "WRBAND" },
		{ POLLMSG, "MSG" },	  { POLLRDHUP, "RDHUP" },
	};
	char all[128] = "";

	for (unsigned int i = 0; i < N(bits); i++) {
		if (!(events & bits[i].bit))
			continue;
		strcat(all, all[0] ? "|" : "");
		strcat(all, bits[i].name);
	}
	return text("%s", all[0] ? all : "nothing");
}

const char *poll_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int ret = poll(&p, 1, 0);

	return ret < 0 ? answer(-errno) :
			 events_text((unsigned short)p.revents);
}

static timer_t timer;
static int timer_timeline = -1;

static void on_signal(int sig)
{
	uint32_t one = 1;

	(void)sig;
	/* Once is enough; ioctl() is as good as any call in a handler. */
	if (timer_timeline >= 0)
		ioctl(timer_timeline, _IOW('W', 1, uint32_t), &one);
	timer_timeline = -1;
}

static void start(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1 };
	struct itimerspec every = {
		.it_interval.tv_nsec = SIGNAL_NANOSECONDS,
		.it_value.tv_nsec = SIGNAL_NANOSECONDS,
	};

	do_or_die(sigaction(SIGUSR1, &sa, NULL));
	do_or_die(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	do_or_die(timer_settime(timer, 0, &every, NULL));
}

void signals_start(void)
{
	start(0);
}

void signals_start_restart(struct timeline *t)
{
	timer_timeline = t->fd;
	start(SA_RESTART);
}

void signals_stop(void)
{
	do_or_die(timer_delete(timer));
	timer_timeline = -1;
}
