// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the file system tells of a buffer: numbers, sizes, the /proc link,
 * fdinfo.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"
#include "proc.h"

const char *proc_link(int fd)
{
	char path[64], link[256];
	int len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return answer(-errno);
	link[len] = 0;
	return text("'%s'", link);
}

const char *read_file(const char *path)
{
	static char all[256 * 1024];
	size_t len = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	while (len < sizeof(all) - 1 &&
	       (got = read(fd, all + len, sizeof(all) - 1 - len)) > 0)
		len += got;
	close(fd);
	all[len] = 0;
	return all;
}

static const char *trimmed(const char *s, int len)
{
	while (len && s[len - 1] == ' ')
		len--;
	return text("%.*s", len, s);
}

const char *proc_value(const char *all, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = all; line && *line;) {
		const char *end = strchr(line, '\n');

		if (!strncmp(line, key, len) && line[len] == ':') {
			line += len + 1;
			line += strspn(line, "\t ");
			return trimmed(line, strcspn(line, "\n"));
		}
		line = end ? end + 1 : NULL;
	}
	return "absent";
}

const char *proc_fdinfo(int fd, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return proc_value(read_file(path), key);
}

static const char *keys_of(int fd)
{
	char path[64], keys[256] = "";
	const char *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	for (line = read_file(path); line && *line;) {
		const char *end = strchr(line, '\n');

		snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys),
			 "%s%.*s", keys[0] ? " " : "",
			 (int)strcspn(line, ":\n"), line);
		line = end ? end + 1 : NULL;
	}
	return text("%s", keys);
}

static void say_count(struct buffer *b)
{
	long base = strtol(proc_fdinfo(b->fd, "count"), NULL, 10);
	int copy = dup(b->fd), path;
	void *map;

	say("count-dup", "how far dup() raises the count", "%ld",
	    strtol(proc_fdinfo(b->fd, "count"), NULL, 10) - base);
	close(copy);
	path = path_fd(b->fd);
	say("count-path", "how far O_PATH raises the count", "%ld",
	    strtol(proc_fdinfo(b->fd, "count"), NULL, 10) - base);
	close(path);
	map = mmap(NULL, b->size, PROT_READ, MAP_SHARED, b->fd, 0);
	say("count-mmap", "how far mmap() raises the count", "%ld",
	    strtol(proc_fdinfo(b->fd, "count"), NULL, 10) - base);
	if (map != MAP_FAILED)
		munmap(map, b->size);
	say("count-after", "and when both are gone", "%ld",
	    strtol(proc_fdinfo(b->fd, "count"), NULL, 10) - base);
}

void run_proc(struct buffer *b)
{
	struct stat st;

	do_or_die(fstat(b->fd, &st));
	say("link", "the link below /proc/self/fd", "%s", proc_link(b->fd));
	say("keys", "the lines of fdinfo, without a name", "%s",
	    keys_of(b->fd));
	try_ioctl(b->fd, DMA_BUF_SET_NAME_B, "named");
	say("keys-named", "the lines of fdinfo, with a name", "%s",
	    keys_of(b->fd));
	say("pos", "pos in fdinfo", "%s", proc_fdinfo(b->fd, "pos"));
	say("flags", "flags in fdinfo", "%s", proc_fdinfo(b->fd, "flags"));
	say("ino", "ino in fdinfo", "%s",
	    strtoull(proc_fdinfo(b->fd, "ino"), NULL, 10) == st.st_ino ?
		    "as fstat has it" :
		    "another number");
	say("size", "size in fdinfo", "%s",
	    told_by(strtoull(proc_fdinfo(b->fd, "size"), NULL, 10), b->size));
	say("exp_name", "exp_name in fdinfo", "%s",
	    proc_fdinfo(b->fd, "exp_name"));
	say("count", "count in fdinfo", "%s", proc_fdinfo(b->fd, "count"));
	say_count(b);
	buffer_forget(b);
	say("count-alone", "count when the exporter's client has let go", "%s",
	    proc_fdinfo(b->fd, "count"));
}

static void say_numbers_of_many(struct buffer *b, const struct stat *first)
{
	struct buffer more[6];
	struct stat st[N(more)];
	bool differ = true, rise = true;

	for (unsigned int i = 0; i < N(more); i++) {
		igt_assert_eq(buffer_new(b->by, O_RDWR, &more[i]), 0);
		do_or_die(fstat(more[i].fd, &st[i]));
		rise &= st[i].st_ino > (i ? st[i - 1] : *first).st_ino;
		for (unsigned int j = 0; j < i; j++)
			differ &= st[i].st_ino != st[j].st_ino;
	}
	say("ino-differ", "st_ino of seven buffers", "%s, %s",
	    differ ? "all differ" : "some are alike",
	    rise ? "rising" : "in no order");
	for (unsigned int i = 0; i < N(more); i++)
		buffer_free(&more[i]);
	igt_assert_eq(buffer_new(b->by, O_RDWR, &more[0]), 0);
	do_or_die(fstat(more[0].fd, &st[0]));
	say("ino-again", "st_ino of a buffer made after six were freed", "%s",
	    st[0].st_ino > st[N(more) - 1].st_ino ? "a new number" :
						    "an old number");
	buffer_free(&more[0]);
}

void run_stat(struct buffer *b)
{
	struct stat st, other;
	struct statfs fs;
	int copy = dup(b->fd);

	do_or_die(fstat(b->fd, &st));
	say("mode", "st_mode", "%#o", st.st_mode);
	say("nlink", "st_nlink", "%lu", (unsigned long)st.st_nlink);
	say("owner", "st_uid and st_gid", "%u, %u", st.st_uid, st.st_gid);
	say("size", "st_size", "%s", told_by(st.st_size, b->size));
	say("blocks", "st_blocks", "%s", told_by(st.st_blocks, b->size));
	say("blksize", "st_blksize", "%ld", (long)st.st_blksize);
	say("rdev", "st_rdev", "%lu", (unsigned long)st.st_rdev);
	say("dev", "the major number of st_dev", "%u", major(st.st_dev));
	say("ino", "st_ino", "%s", st.st_ino ? "not 0" : "0");
	do_or_die(fstat(copy, &other));
	say("ino-dup", "st_ino and st_dev of a duplicate", "%s",
	    st.st_ino == other.st_ino && st.st_dev == other.st_dev ?
		    "the same" :
		    "others");
	close(copy);
	say("times", "st_atime, st_mtime, st_ctime", "%s",
	    st.st_atime && st.st_atime == st.st_mtime &&
			    st.st_mtime == st.st_ctime ?
		    "the time of the export" :
		    "something else");
	say_numbers_of_many(b, &st);
	do_or_die(fstatfs(b->fd, &fs));
	say("fs-type", "fstatfs: f_type", "%#lx", (unsigned long)fs.f_type);
	say("fs-bsize", "fstatfs: f_bsize", "%lu", (unsigned long)fs.f_bsize);
	say("fs-namelen", "fstatfs: f_namelen", "%lu",
	    (unsigned long)fs.f_namelen);
	say("fs-blocks", "fstatfs: f_blocks, f_bfree, f_files", "%lu, %lu, %lu",
	    (unsigned long)fs.f_blocks, (unsigned long)fs.f_bfree,
	    (unsigned long)fs.f_files);
	say("fs-flags", "fstatfs: f_flags", "%#lx", (unsigned long)fs.f_flags);
}
