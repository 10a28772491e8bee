// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA_BUF_IOCTL_SYNC: what it takes, and what it waits for.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"

static const char *const access_names[] = { "nothing", "READ", "WRITE",
					    "READ|WRITE" };

static long sync_flags(int fd, uint64_t flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return try_ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg);
}

static const char *each_access(int fd, uint64_t flags)
{
	struct list l = {};

	for (uint64_t rw = 0; rw <= DMA_BUF_SYNC_RW; rw++)
		list_add(&l, access_names[rw],
			 answer(sync_flags(fd, flags | rw)));
	return text("%s", l.text);
}

void run_sync(struct buffer *b)
{
	struct dma_buf_sync good = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	struct ranges with = {}, alone = {};

	say("end-first", "END without a START, by what it names", "%s",
	    each_access(b->fd, DMA_BUF_SYNC_END));
	say("start", "START, by what it names", "%s",
	    each_access(b->fd, DMA_BUF_SYNC_START));
	say("start-again", "START once more", "%s",
	    each_access(b->fd, DMA_BUF_SYNC_START));
	say("end", "END, by what it names", "%s",
	    each_access(b->fd, DMA_BUF_SYNC_END));
	for (int bit = 3; bit < 64; bit++) {
		ranges_add(&with, bit,
			   answer(sync_flags(b->fd,
					     1ull << bit | DMA_BUF_SYNC_RW)));
		ranges_add(&alone, bit, answer(sync_flags(b->fd, 1ull << bit)));
	}
	say("unknown-bits", "each unknown bit with READ|WRITE", "%s",
	    ranges_end(&with));
	say("unknown-bits-alone", "each unknown bit alone", "%s",
	    ranges_end(&alone));
	say_ret("all-bits", "all bits", sync_flags(b->fd, ~0ull));
	say_pointers(b->fd, DMA_BUF_IOCTL_SYNC, &good);
	say_numbers(b->fd, DMA_BUF_IOCTL_SYNC, &good);
}

/* What a buffer can be busy with, as user space can make it so. */
static const struct {
	const char *id, *name;
	uint32_t usage;
} fences[] = {
	{ "reader", "a reader's fence", DMA_BUF_SYNC_READ },
	{ "writer", "a writer's fence", DMA_BUF_SYNC_WRITE },
	{ "both", "a fence imported for both", DMA_BUF_SYNC_RW },
};

static const char *each_access_with_signals(int fd, uint64_t flags)
{
	struct list l = {};

	for (uint64_t rw = 1; rw <= DMA_BUF_SYNC_RW; rw++) {
		signals_start();
		list_add(&l, access_names[rw],
			 answer(sync_flags(fd, flags | rw)));
		signals_stop();
	}
	return text("%s", l.text);
}

static void wait_for(struct buffer *b, unsigned int f)
{
	struct timeline t;
	int fd = dup(b->fd);

	timeline_new(&t);
	timeline_busy(&t, b->fd, fences[f].usage);
	say(text("%s-start", fences[f].id),
	    text("START while %s is pending, signals arriving", fences[f].name),
	    "%s", each_access_with_signals(b->fd, DMA_BUF_SYNC_START));
	say(text("%s-end", fences[f].id),
	    text("END while %s is pending, signals arriving", fences[f].name),
	    "%s", each_access_with_signals(b->fd, DMA_BUF_SYNC_END));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	say(text("%s-nonblock", fences[f].id),
	    text("START with O_NONBLOCK while %s is pending, signals arriving",
		 fences[f].name),
	    "%s", each_access_with_signals(fd, DMA_BUF_SYNC_START));
	fcntl(fd, F_SETFL, 0);
	signals_start_restart(&t);
	say_ret(text("%s-restart", fences[f].id),
		text("%s is pending; a signal arrives, whose handler ends it",
		     fences[f].name),
		sync_flags(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	signals_stop();
	say(text("%s-signalled", fences[f].id),
	    text("START when %s has signalled, signals arriving",
		 fences[f].name),
	    "%s", each_access_with_signals(b->fd, DMA_BUF_SYNC_START));
	close(t.fd);
	close(fd);
}

/* A fence that ends in an error ends a wait all the same. */
static void wait_for_error(struct buffer *b)
{
	struct timeline t;

	timeline_new(&t);
	timeline_busy(&t, b->fd, DMA_BUF_SYNC_WRITE);
	close(t.fd);
	say("error", "START when a writer's fence has ended in an error", "%s",
	    each_access(b->fd, DMA_BUF_SYNC_START));
}

void run_sync_wait(struct buffer *b)
{
	say("idle", "START without fences, signals arriving", "%s",
	    each_access_with_signals(b->fd, DMA_BUF_SYNC_START));
	for (unsigned int f = 0; f < N(fences); f++)
		wait_for(b, f);
	wait_for_error(b);
}
