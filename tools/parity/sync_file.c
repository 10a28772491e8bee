// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA_BUF_IOCTL_EXPORT_SYNC_FILE and DMA_BUF_IOCTL_IMPORT_SYNC_FILE: what they
 * take, and which fences go where.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"
#include "sw_sync.h"

static const char *const usage_names[] = { "nothing", "READ", "WRITE",
					   "READ|WRITE" };

static long export_flags(int fd, uint32_t flags, int *sync_file)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -7 };
	long ret = try_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	*sync_file = arg.fd;
	return ret;
}

static long import_flags(int fd, uint32_t flags, int sync_file)
{
	struct dma_buf_import_sync_file arg = { .flags = flags,
						.fd = sync_file };

	return try_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

/* How many fences a sync file has, and how they are. */
static const char *sync_file_text(int fd)
{
	int count = sync_fence_count(fd), status = sync_fence_status(fd);
	const char *state = status < 0 ? answer(status) :
			    status     ? "signalled" :
					 "pending";

	return text("%d %s", count, state);
}

static const char *exported(int fd, uint32_t flags)
{
	const char *result;
	int sync_file;
	long ret = export_flags(fd, flags, &sync_file);

	if (ret)
		return answer(ret);
	result = sync_file_text(sync_file);
	close(sync_file);
	return result;
}

static const char *each_export(int fd)
{
	struct list l = {};

	for (uint32_t flags = 1; flags <= DMA_BUF_SYNC_RW; flags++)
		list_add(&l, usage_names[flags], exported(fd, flags));
	return text("%s", l.text);
}

static void say_export_flags(struct buffer *b)
{
	struct ranges with = {}, alone = {};
	unsigned int files = open_files();
	int fd;
	long ret;

	ret = export_flags(b->fd, 0, &fd);
	say("no-flags", "no flags", "%s, fd %d", answer(ret), fd);
	for (int bit = 2; bit < 32; bit++) {
		ret = export_flags(b->fd, 1u << bit | DMA_BUF_SYNC_RW, &fd);
		ranges_add(&with, bit, text("%s, fd %d", answer(ret), fd));
		ret = export_flags(b->fd, 1u << bit, &fd);
		ranges_add(&alone, bit, text("%s, fd %d", answer(ret), fd));
	}
	say("unknown-bits", "each unknown bit with READ|WRITE", "%s",
	    ranges_end(&with));
	say("unknown-bits-alone", "each unknown bit alone", "%s",
	    ranges_end(&alone));
	say("refused-files", "descriptors that these calls have left", "%u",
	    open_files() - files);
	igt_assert_eq(export_flags(b->fd, DMA_BUF_SYNC_RW, &fd), 0);
	say("cloexec", "the new descriptor's FD_CLOEXEC", "%d",
	    fcntl(fd, F_GETFD));
	say("poll", "the new descriptor in poll(), buffer idle", "%s",
	    poll_now(fd, POLLIN | POLLOUT));
	close(fd);
}

static void say_export_full(struct buffer *b)
{
	struct rlimit old, none;
	long ret;
	int fd;

	do_or_die(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	do_or_die(setrlimit(RLIMIT_NOFILE, &none));
	ret = export_flags(b->fd, DMA_BUF_SYNC_RW, &fd);
	do_or_die(setrlimit(RLIMIT_NOFILE, &old));
	say("table-full", "no room in the table of descriptors", "%s, fd %d",
	    answer(ret), fd);
}

/* Fences from one timeline merge into one, from two they stay two. */
static void say_export_fences(struct buffer *b)
{
	struct timeline r, w;
	int early;

	timeline_new(&r);
	timeline_new(&w);
	say("fences-none", "fences exported from an idle buffer", "%s",
	    each_export(b->fd));
	timeline_busy(&r, b->fd, DMA_BUF_SYNC_READ);
	say("fences-reader", "with a reader's fence", "%s", each_export(b->fd));
	timeline_busy(&r, b->fd, DMA_BUF_SYNC_READ);
	say("fences-readers", "with a later fence of that timeline", "%s",
	    each_export(b->fd));
	timeline_busy(&w, b->fd, DMA_BUF_SYNC_WRITE);
	say("fences-both", "with a writer's fence as well", "%s",
	    each_export(b->fd));
	igt_assert_eq(export_flags(b->fd, DMA_BUF_SYNC_RW, &early), 0);
	sw_sync_timeline_inc(r.fd, 2);
	say("fences-left", "when the readers have signalled", "%s",
	    each_export(b->fd));
	say("early", "what was exported before that", "%s",
	    sync_file_text(early));
	timeline_signal(&w);
	say("fences-gone", "when all have signalled", "%s", each_export(b->fd));
	say("early-gone", "what was exported before all that", "%s",
	    sync_file_text(early));
	close(early);
	timeline_busy(&w, b->fd, DMA_BUF_SYNC_WRITE);
	igt_assert_eq(export_flags(b->fd, DMA_BUF_SYNC_RW, &early), 0);
	close(w.fd);
	say("fences-error", "when a writer's fence has ended in an error", "%s",
	    each_export(b->fd));
	say("early-error", "what was exported before that", "%s",
	    sync_file_text(early));
	close(early);
	close(r.fd);
}

void run_export_sync_file(struct buffer *b)
{
	struct dma_buf_export_sync_file good = { .flags = DMA_BUF_SYNC_READ };

	say_export_flags(b);
	say_export_full(b);
	say_export_fences(b);
	say_pointers(b->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &good);
	say_numbers(b->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &good);
}

static void say_import_flags(struct buffer *b, int fence)
{
	struct ranges with = {}, alone = {};

	say_ret("no-flags", "no flags", import_flags(b->fd, 0, fence));
	for (int bit = 2; bit < 32; bit++) {
		uint32_t flag = 1u << bit;

		ranges_add(&with, bit,
			   answer(import_flags(b->fd, flag | DMA_BUF_SYNC_RW,
					       fence)));
		ranges_add(&alone, bit,
			   answer(import_flags(b->fd, flag, fence)));
	}
	say("unknown-bits", "each unknown bit with READ|WRITE", "%s",
	    ranges_end(&with));
	say("unknown-bits-alone", "each unknown bit alone", "%s",
	    ranges_end(&alone));
}

static void say_import_kinds(struct buffer *b, int fence)
{
	int path = path_fd(fence);

	for (unsigned int i = 0; i < num_kinds; i++) {
		int fd;

		if (!strcmp(kinds[i].name, "sync file"))
			continue;
		fd = kinds[i].open();
		say_ret(text("fd-%s", kinds[i].name),
			text("a descriptor that is no sync file: %s",
			     kinds[i].name),
			import_flags(b->fd, DMA_BUF_SYNC_WRITE, fd));
		close(fd);
	}
	say_ret("fd-itself", "the dma-buf's own descriptor",
		import_flags(b->fd, DMA_BUF_SYNC_WRITE, b->fd));
	say_ret("fd-O_PATH", "an O_PATH descriptor of a sync file",
		import_flags(b->fd, DMA_BUF_SYNC_WRITE, path));
	close(path);
}

/* What the buffer's users see after an import. */
static const char *busy_text(int fd)
{
	return text("poll IN %s, OUT %s; export READ %s, WRITE %s",
		    poll_now(fd, POLLIN), poll_now(fd, POLLOUT),
		    exported(fd, DMA_BUF_SYNC_READ),
		    exported(fd, DMA_BUF_SYNC_WRITE));
}

static void say_import_effect(struct buffer *b, uint32_t usage)
{
	const char *name = usage_names[usage];
	struct timeline t, u;
	int one, two, both;
	long ret;

	timeline_new(&t);
	timeline_new(&u);
	one = timeline_fence(&t);
	ret = import_flags(b->fd, usage, one);
	say(text("pending-%u", usage), text("a pending fence for %s", name),
	    "%s: %s", answer(ret), busy_text(b->fd));
	timeline_signal(&t);
	say(text("signalled-%u", usage), "and when it has signalled", "%s",
	    busy_text(b->fd));
	ret = import_flags(b->fd, usage, one);
	say(text("idle-%u", usage), text("a signalled fence for %s", name),
	    "%s: %s", answer(ret), busy_text(b->fd));
	close(one);
	one = timeline_fence(&t);
	two = timeline_fence(&u);
	both = sync_fence_merge(one, two);
	ret = import_flags(b->fd, usage, both);
	say(text("merged-%u", usage), text("two fences merged, for %s", name),
	    "%s: %s", answer(ret), busy_text(b->fd));
	timeline_signal(&t);
	say(text("merged-half-%u", usage), "and when one has signalled", "%s",
	    busy_text(b->fd));
	timeline_signal(&u);
	say(text("merged-done-%u", usage), "and when both have", "%s",
	    busy_text(b->fd));
	close(one);
	close(two);
	close(both);
	close(t.fd);
	close(u.fd);
}

/* Once read and once written by one fence; and its own fences given back. */
static void say_import_again(struct buffer *b)
{
	struct timeline t;
	int fence, own;

	timeline_new(&t);
	fence = timeline_fence(&t);
	import_flags(b->fd, DMA_BUF_SYNC_READ, fence);
	say_ret("again", "the same fence for READ, then for WRITE",
		import_flags(b->fd, DMA_BUF_SYNC_WRITE, fence));
	say("again-seen", "what is seen then", "%s", busy_text(b->fd));
	igt_assert_eq(export_flags(b->fd, DMA_BUF_SYNC_RW, &own), 0);
	say_ret("own", "the buffer's own fences, for READ",
		import_flags(b->fd, DMA_BUF_SYNC_READ, own));
	say("own-seen", "what is seen then", "%s", busy_text(b->fd));
	timeline_signal(&t);
	say("own-signalled", "and when it has signalled", "%s",
	    busy_text(b->fd));
	close(own);
	close(fence);
	close(t.fd);
}

void run_import_sync_file(struct buffer *b)
{
	struct dma_buf_import_sync_file good = { .flags = DMA_BUF_SYNC_READ };
	struct timeline t;

	timeline_new(&t);
	good.fd = timeline_fence(&t);
	timeline_signal(&t);
	say_import_flags(b, good.fd);
	say_import_kinds(b, good.fd);
	for (uint32_t usage = 1; usage <= DMA_BUF_SYNC_RW; usage++)
		say_import_effect(b, usage);
	say_import_again(b);
	say_pointers(b->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &good);
	say_numbers(b->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &good);
	close(good.fd);
	close(t.fd);
}
