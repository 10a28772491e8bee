// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll: level- and edge-triggered, one-shot, exclusive.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"

#define BOTH (EPOLLIN | EPOLLOUT)

static long control(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, op, fd, &e) ? -errno : 0;
}

static int watching(int fd, uint32_t events)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	igt_assert_fd(ep);
	igt_assert_eq(control(ep, EPOLL_CTL_ADD, fd, events), 0);
	return ep;
}

/* Three looks, each of which does not wait. */
static const char *looks(int ep)
{
	struct list l = {};

	for (int i = 1; i <= 3; i++) {
		struct epoll_event e = {};
		int ret = epoll_wait(ep, &e, 1, 0);

		list_add(&l, text("%d:", i),
			 ret < 0 ? answer(-errno) :
			 ret	 ? events_text(e.events) :
				   "nothing");
	}
	return text("%s", l.text);
}

/* Idle, a reader comes, a writer comes, both go. */
static void say_history(struct buffer *b, const char *id, const char *name,
			uint32_t events)
{
	int ep = watching(b->fd, events);
	struct timeline r, w;

	timeline_new(&r);
	timeline_new(&w);
	say(id, text("%s: three looks, no fence", name), "%s", looks(ep));
	timeline_busy(&r, b->fd, DMA_BUF_SYNC_READ);
	say(text("%s-reader", id), "then, a reader's fence", "%s", looks(ep));
	timeline_busy(&w, b->fd, DMA_BUF_SYNC_WRITE);
	say(text("%s-both", id), "then, a writer's fence, too", "%s",
	    looks(ep));
	timeline_signal(&w);
	say(text("%s-written", id), "then, the writer's fence signals", "%s",
	    looks(ep));
	timeline_signal(&r);
	say(text("%s-read", id), "then, the reader's fence signals", "%s",
	    looks(ep));
	say_ret(text("%s-mod", id), "then, EPOLL_CTL_MOD with the same events",
		control(ep, EPOLL_CTL_MOD, b->fd, events));
	say(text("%s-again", id), "then", "%s", looks(ep));
	close(ep);
	close(r.fd);
	close(w.fd);
}

/* Added while the fence is pending: nothing to see until it signals. */
static void say_pending(struct buffer *b, const char *id, const char *name,
			uint32_t events)
{
	struct timeline t;
	int ep;

	timeline_new(&t);
	timeline_busy(&t, b->fd, DMA_BUF_SYNC_WRITE);
	ep = watching(b->fd, events);
	say(text("%s-busy", id), text("%s: added to a busy buffer", name), "%s",
	    looks(ep));
	timeline_signal(&t);
	say(text("%s-ready", id), "then, the fence signals", "%s", looks(ep));
	close(ep);
	close(t.fd);
}

static void say_two(struct buffer *b)
{
	int one, two, outer;
	struct timeline t;

	timeline_new(&t);
	timeline_busy(&t, b->fd, DMA_BUF_SYNC_WRITE);
	one = watching(b->fd, EPOLLIN | EPOLLET);
	two = watching(b->fd, EPOLLOUT);
	outer = watching(one, EPOLLIN);
	say("two-first", "two sets and a set of the first, buffer busy: first",
	    "%s", looks(one));
	say("two-second", "the second", "%s", looks(two));
	say("two-outer", "the set of the first", "%s", looks(outer));
	timeline_signal(&t);
	say("two-ready-outer", "when it is ready: the set of the first", "%s",
	    looks(outer));
	say("two-ready-second", "the second", "%s", looks(two));
	say("two-ready-first", "the first", "%s", looks(one));
	close(outer);
	close(one);
	close(two);
	close(t.fd);
}

static void say_control(struct buffer *b)
{
	int ep = watching(b->fd, EPOLLIN), path = path_fd(b->fd);
	int copy = dup(b->fd), closed = closed_fd();

	say_ret("add-twice", "EPOLL_CTL_ADD a second time",
		control(ep, EPOLL_CTL_ADD, b->fd, EPOLLIN));
	say_ret("add-dup", "EPOLL_CTL_ADD of a duplicate",
		control(ep, EPOLL_CTL_ADD, copy, EPOLLIN));
	say_ret("add-path", "EPOLL_CTL_ADD of an O_PATH descriptor",
		control(ep, EPOLL_CTL_ADD, path, EPOLLIN));
	say_ret("add-closed", "EPOLL_CTL_ADD of a closed descriptor",
		control(ep, EPOLL_CTL_ADD, closed, EPOLLIN));
	say_ret("del", "EPOLL_CTL_DEL", control(ep, EPOLL_CTL_DEL, b->fd, 0));
	say_ret("del-twice", "EPOLL_CTL_DEL a second time",
		control(ep, EPOLL_CTL_DEL, b->fd, 0));
	say_ret("mod-absent", "EPOLL_CTL_MOD of what is not there",
		control(ep, EPOLL_CTL_MOD, b->fd, EPOLLIN));
	say_ret("exclusive", "EPOLL_CTL_ADD with EPOLLEXCLUSIVE",
		control(ep, EPOLL_CTL_ADD, b->fd, EPOLLIN | EPOLLEXCLUSIVE));
	close(copy);
	close(path);
	close(ep);
}

/* The buffer goes while a set still has it. */
static void say_closed(struct buffer *b)
{
	struct buffer other;
	struct timeline t;
	int ep;

	timeline_new(&t);
	igt_assert_eq(buffer_new(b->by, O_RDWR, &other), 0);
	ep = watching(other.fd, BOTH);
	buffer_free(&other);
	say("closed-idle", "the buffer is closed, idle", "%s", looks(ep));
	close(ep);
	igt_assert_eq(buffer_new(b->by, O_RDWR, &other), 0);
	timeline_busy(&t, other.fd, DMA_BUF_SYNC_WRITE);
	ep = watching(other.fd, BOTH);
	looks(ep);
	buffer_free(&other);
	say("closed-busy", "the buffer is closed, a fence pending", "%s",
	    looks(ep));
	timeline_signal(&t);
	say("closed-signalled", "then, the fence signals", "%s", looks(ep));
	close(ep);
	close(t.fd);
}

void run_epoll(struct buffer *b)
{
	static const struct {
		const char *id, *name;
		uint32_t flags;
	} triggers[] = {
		{ "level", "level-triggered", 0 },
		{ "edge", "edge-triggered", EPOLLET },
		{ "once", "one-shot", EPOLLONESHOT },
		{ "edge-once", "edge-triggered and one-shot",
		  EPOLLET | EPOLLONESHOT },
	};

	for (unsigned int i = 0; i < N(triggers); i++) {
		say_history(b, triggers[i].id, triggers[i].name,
			    BOTH | triggers[i].flags);
		say_pending(b, triggers[i].id, triggers[i].name,
			    BOTH | triggers[i].flags);
	}
	say_two(b);
	say_control(b);
	say_closed(b);
}
