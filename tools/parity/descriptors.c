// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls by number, by the mode of the descriptor, and on files that are
 * something else.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"

/* All five with good arguments, side by side. */
static const char *all_ioctls(int fd)
{
	struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_RW,
						   .fd = -1 };
	struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf_sync sync = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	const struct {
		const char *name;
		unsigned long request;
		void *arg;
	} ioctls[] = {
		{ "SYNC", DMA_BUF_IOCTL_SYNC, &sync },
		{ "SET_NAME_A", DMA_BUF_SET_NAME_A, "a" },
		{ "SET_NAME_B", DMA_BUF_SET_NAME_B, "b" },
		{ "EXPORT_SYNC_FILE", DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export },
		{ "IMPORT_SYNC_FILE", DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import },
	};
	struct timeline t;
	struct list l = {};

	timeline_new(&t);
	import.fd = timeline_fence(&t);
	timeline_signal(&t);
	for (unsigned int i = 0; i < N(ioctls); i++) {
		long ret = try_ioctl(fd, ioctls[i].request, ioctls[i].arg);

		list_add(&l, ioctls[i].name, answer(ret));
	}
	if (export.fd >= 0)
		close(export.fd);
	close(import.fd);
	close(t.fd);
	return text("%s", l.text);
}

void run_kinds(struct buffer *b)
{
	(void)b;
	for (unsigned int i = 0; i < num_kinds; i++) {
		int fd = kinds[i].open();

		say(text("%s", kinds[i].name),
		    text("the five ioctls on: %s", kinds[i].name), "%s",
		    all_ioctls(fd));
		close(fd);
	}
}

/* Numbers of the dma-buf's type that no struct has to go with. */
static void say_every_number(struct buffer *b, const char *id, unsigned int dir,
			     unsigned int size)
{
	static const char *const names[] = { "none", "write", "read",
					     "read and write" };
	char *arg = page_new(PROT_READ | PROT_WRITE);
	struct ranges r = {};

	for (unsigned int nr = 0; nr < 256; nr++) {
		memset(arg, 0xff, PAGE);
		ranges_add(&r, nr,
			   answer(try_ioctl(b->fd,
					    _IOC(dir, DMA_BUF_BASE, nr, size),
					    arg)));
	}
	say(id,
	    text("each number, direction %s, %u bytes, argument all 0xff",
		 names[dir], size),
	    "%s", ranges_end(&r));
	munmap(arg, PAGE);
}

void run_numbers(struct buffer *b)
{
	struct dma_buf_sync sync = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	struct ranges r = {};
	int zero = 0, left = -1;

	say_every_number(b, "none-0", _IOC_NONE, 0);
	say_every_number(b, "write-4", _IOC_WRITE, 4);
	say_every_number(b, "write-8", _IOC_WRITE, 8);
	say_every_number(b, "read-8", _IOC_READ, 8);
	say_every_number(b, "both-8", _IOC_READ | _IOC_WRITE, 8);
	say_every_number(b, "both-16", _IOC_READ | _IOC_WRITE, 16);
	for (unsigned int type = 0; type < 256; type++)
		ranges_add(&r, type,
			   answer(try_ioctl(b->fd, _IOC(_IOC_WRITE, type, 0, 8),
					    &sync)));
	say("type", "the number of SYNC with each type", "%s", ranges_end(&r));
	say_ret("high-bits", "SYNC with bits above the 32 of the number",
		try_ioctl(b->fd, 0xffffffff00000000 | DMA_BUF_IOCTL_SYNC,
			  &sync));
	say_ret("FIONBIO", "FIONBIO", try_ioctl(b->fd, FIONBIO, &zero));
	say_ret("FIOASYNC", "FIOASYNC", try_ioctl(b->fd, FIOASYNC, &zero));
	say_ret("FIONREAD", "FIONREAD", try_ioctl(b->fd, FIONREAD, &left));
	say_ret("FIOQSIZE", "FIOQSIZE", try_ioctl(b->fd, 0x5460, &left));
	say_ret("FIGETBSZ", "FIGETBSZ", try_ioctl(b->fd, 2, &left));
	say_ret("FIOCLEX", "FIOCLEX", try_ioctl(b->fd, FIOCLEX, NULL));
}

static void say_mode(struct buffer *b, const char *id, const char *name)
{
	long flags = fcntl(b->fd, F_GETFL);

	say(id, text("a descriptor %s: the five ioctls", name), "%s",
	    all_ioctls(b->fd));
	say(text("%s-poll", id), "poll()", "%s",
	    poll_now(b->fd, POLLIN | POLLOUT));
	say(text("%s-getfl", id), "F_GETFL", "%#lo", flags);
}

void run_modes(struct buffer *b)
{
	static const struct {
		const char *id, *name;
		int mode;
	} modes[] = {
		{ "rdwr", "to read and write", O_RDWR },
		{ "rdonly", "to read", O_RDONLY },
		{ "wronly", "to write", O_WRONLY },
	};
	struct buffer other;
	int fd;

	for (unsigned int i = 0; i < N(modes); i++) {
		if (buffer_new(b->by, modes[i].mode, &other))
			continue;
		say_mode(&other, modes[i].id, modes[i].name);
		buffer_free(&other);
	}
	fd = path_fd(b->fd);
	say("O_PATH", "an O_PATH descriptor: the five ioctls", "%s",
	    all_ioctls(fd));
	say("O_PATH-poll", "poll()", "%s", poll_now(fd, POLLIN | POLLOUT));
	close(fd);
	buffer_free(b);
	say("alone", "the fds are closed: the five ioctls", "%s",
	    all_ioctls(closed_fd()));
}
