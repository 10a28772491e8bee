// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll() and select() with the fences that user space can put into a buffer.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"

/* Longer than any wait that ends at all. */
#define HANG_MS 60000

static const struct {
	const char *name;
	short events;
} masks[] = {
	{ "0", 0 },
	{ "IN", POLLIN },
	{ "OUT", POLLOUT },
	{ "IN|OUT", POLLIN | POLLOUT },
	{ "RDNORM", POLLRDNORM },
	{ "WRNORM", POLLWRNORM },
	{ "PRI", POLLPRI },
	{ "RDHUP", POLLRDHUP },
	{ "everything", -1 },
};

static const char *each_mask(int fd)
{
	struct list l = {};

	for (unsigned int i = 0; i < N(masks); i++)
		list_add(&l, text("%s:", masks[i].name),
			 poll_now(fd, masks[i].events));
	return text("%s", l.text);
}

/* What is in the buffer, one letter a fence: r, w pending, R, W signalled. */
static const struct {
	const char *id, *name, *fences;
} situations[] = {
	{ "idle", "no fence", "" },
	{ "reader", "a reader's fence", "r" },
	{ "writer", "a writer's fence", "w" },
	{ "reader-writer", "a reader's and a writer's fence", "rw" },
	{ "readers", "fences of two readers", "rr" },
	{ "writers", "fences of two writers", "ww" },
	{ "reader-signalled", "a reader's signalled fence", "R" },
	{ "writer-signalled", "a writer's signalled fence", "W" },
	{ "signalled-reader", "a writer's signalled fence, a reader's pending",
	  "Wr" },
	{ "signalled-writer", "a reader's signalled fence, a writer's pending",
	  "Rw" },
};

static void make_busy(struct buffer *b, const char *fences, struct timeline *t)
{
	for (unsigned int i = 0; fences[i]; i++) {
		bool reads = strchr("rR", fences[i]);

		timeline_new(&t[i]);
		timeline_busy(&t[i], b->fd,
			      reads ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE);
		if (strchr("RW", fences[i]))
			timeline_signal(&t[i]);
	}
}

/* The fences signal one by one; what poll() says after each. */
static void say_situation(struct buffer *b, unsigned int s)
{
	unsigned int num = strlen(situations[s].fences);
	struct timeline t[4];
	struct list l = {};

	make_busy(b, situations[s].fences, t);
	say(situations[s].id, text("poll() with %s", situations[s].name), "%s",
	    each_mask(b->fd));
	for (unsigned int i = 0; i < num; i++) {
		timeline_signal(&t[i]);
		list_add(&l, text("%u:", i + 1),
			 poll_now(b->fd, POLLIN | POLLOUT));
		close(t[i].fd);
	}
	if (num)
		say(text("%s-signal", situations[s].id),
		    "IN|OUT as one fence after the other signals", "%s",
		    l.text);
}

/* A process that sleeps in poll(), and says into a pipe why it woke. */
static pid_t sleeper(int fd, short events, int *answer_fd)
{
	struct pollfd p = { .fd = fd, .events = events };
	int fds[2];
	pid_t pid;

	do_or_die(pipe(fds));
	pid = fork();
	igt_assert(pid >= 0);
	if (!pid) {
		short got = poll(&p, 1, HANG_MS) < 0 ? -1 : p.revents;

		_exit(write(fds[1], &got, sizeof(got)) != sizeof(got));
	}
	close(fds[1]);
	*answer_fd = fds[0];
	return pid;
}

static const char *wake_up(pid_t pid, int answer_fd)
{
	short got = 0;

	if (read(answer_fd, &got, sizeof(got)) != sizeof(got))
		got = -1;
	close(answer_fd);
	waitpid(pid, NULL, 0);
	return events_text((unsigned short)got);
}

static void say_wake(struct buffer *b, const char *id, const char *what,
		     uint32_t usage, short events, unsigned int count)
{
	struct list l = {};
	struct timeline t;
	pid_t pids[8];
	int fds[8];

	timeline_new(&t);
	timeline_busy(&t, b->fd, usage);
	for (unsigned int i = 0; i < count; i++)
		pids[i] = sleeper(b->fd, events, &fds[i]);
	timeline_signal(&t);
	for (unsigned int i = 0; i < count; i++)
		list_add(&l, text("%u:", i + 1), wake_up(pids[i], fds[i]));
	say(id, what, "%s", l.text);
	close(t.fd);
}

static void say_select(struct buffer *b)
{
	struct timeline t;

	timeline_new(&t);
	for (int busy = 0; busy < 2; busy++) {
		struct timeval now = {};
		fd_set in, out, except;
		int ret;

		if (busy)
			timeline_busy(&t, b->fd, DMA_BUF_SYNC_READ);
		FD_ZERO(&in);
		FD_SET(b->fd, &in);
		out = in;
		except = in;
		ret = select(b->fd + 1, &in, &out, &except, &now);
		say(busy ? "select-reader" : "select-idle",
		    busy ? "select() with a reader's fence" :
			   "select() with no fence",
		    "%d: to read %d, to write %d, exceptions %d", ret,
		    !!FD_ISSET(b->fd, &in), !!FD_ISSET(b->fd, &out),
		    !!FD_ISSET(b->fd, &except));
	}
	timeline_signal(&t);
	close(t.fd);
}

static long poll_forever(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int ret = poll(&p, 1, -1);

	return ret < 0 ? -errno : ret;
}

static void say_interrupted(struct buffer *b)
{
	struct timeline t;
	int fd;

	timeline_new(&t);
	timeline_busy(&t, b->fd, DMA_BUF_SYNC_WRITE);
	signals_start();
	say_ret("interrupted",
		"poll() without a limit and a writer's fence, signals arriving",
		poll_forever(b->fd));
	signals_stop();
	fd = dup(b->fd);
	close(fd);
	say("closed", "poll() on a closed descriptor", "%s",
	    poll_now(fd, POLLIN));
	fd = path_fd(b->fd);
	say("O_PATH", "poll() on an O_PATH descriptor", "%s",
	    poll_now(fd, POLLIN));
	close(fd);
	timeline_signal(&t);
	close(t.fd);
}

/* The pollers and the signaller are the last who know of the buffer. */
static void say_closed_meanwhile(struct buffer *b)
{
	struct timeline t;
	pid_t pid;
	int fd;

	timeline_new(&t);
	timeline_busy(&t, b->fd, DMA_BUF_SYNC_WRITE);
	pid = sleeper(b->fd, POLLIN, &fd);
	buffer_free(b);
	timeline_signal(&t);
	say("closed-meanwhile",
	    "a sleeper whose buffer everyone else has closed", "%s",
	    wake_up(pid, fd));
	close(t.fd);
}

void run_poll(struct buffer *b)
{
	for (unsigned int s = 0; s < N(situations); s++)
		say_situation(b, s);
	say_wake(b, "wake-reader", "a sleeper for OUT, a reader's fence",
		 DMA_BUF_SYNC_READ, POLLOUT, 1);
	say_wake(b, "wake-writer", "a sleeper for IN, a writer's fence",
		 DMA_BUF_SYNC_WRITE, POLLIN, 1);
	say_wake(b, "wake-both", "a sleeper for OUT, a writer's fence",
		 DMA_BUF_SYNC_WRITE, POLLOUT, 1);
	say_wake(b, "wake-many", "eight sleepers for OUT, one fence",
		 DMA_BUF_SYNC_WRITE, POLLOUT, 8);
	say_select(b);
	say_interrupted(b);
	say_closed_meanwhile(b);
}
