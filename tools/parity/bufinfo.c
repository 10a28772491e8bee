// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists of all buffers: debugfs bufinfo and the statistics in sysfs.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"
#include "proc.h"

#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"
#define BUFFERS "/sys/kernel/dmabuf/buffers"

/*
 * From a line of bufinfo on: what belongs to the buffer, up to its total, as
 * one text.  How scattered memory is differs between runs, so that number goes.
 */
static const char *devices_text(const char *at)
{
	char all[1024] = "";

	for (; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		char line[256];
		char *entries;

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"),
			 at);
		entries = strstr(line, "sg entries ");
		if (entries)
			strcpy(entries, "sg entries N");
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
			 all[0] ? "\n" : "", line);
		if (!strncmp(line, "Total ", 6))
			break;
	}
	return text("%s", all);
}

/* The columns of a buffer's line; its number and size are told by fstat(). */
static const char *columns(const char *line, const struct stat *st,
			   const char **end)
{
	char flags[16], mode[16], count[32], exp_name[64], name[64] = "";
	unsigned long long size, ino;
	int len = 0;

	*end = NULL;
	if (sscanf(line, "%llu\t%15[^\t]\t%15[^\t]\t%31[^\t]\t%63[^\t]\t%llu%n",
		   &size, flags, mode, count, exp_name, &ino, &len) < 6)
		return NULL;
	if (ino != st->st_ino || line[len++] != '\t')
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + len, "\n"),
		 line + len);
	*end = strchr(line + len, '\n');
	return text("size %s, flags %s, mode %s, count %s, exp_name %s, name '%s'",
		    told_by(size, st->st_size), flags, mode, count, exp_name,
		    name);
}

static void say_bufinfo(struct buffer *b, const char *id, const char *what)
{
	const char *line = read_file(BUFINFO), *end;
	struct stat st;

	do_or_die(fstat(b->fd, &st));
	while (line && *line) {
		const char *found = columns(line, &st, &end);

		if (found) {
			say(id, what, "%s", found);
			say(text("%s-more", id), "and the lines that follow",
			    "%s", devices_text(end ? end + 1 : ""));
			return;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	say(id, what, "absent");
}

/* Counted once, and again with one buffer more. */
static void totals(unsigned long *objects, unsigned long long *bytes)
{
	const char *all = read_file(BUFINFO), *at = all, *last = NULL;

	while (at && (at = strstr(at, "\nTotal ")))
		last = at++;
	if (!last || sscanf(last, "\nTotal %lu objects, %llu bytes", objects,
			    bytes) != 2)
		*objects = 0;
}

static void say_totals(struct buffer *b)
{
	unsigned long objects, more;
	unsigned long long bytes, larger;
	struct buffer other;

	totals(&objects, &bytes);
	igt_assert_eq(buffer_new(b->by, O_RDWR, &other), 0);
	totals(&more, &larger);
	say("total", "what one buffer adds to the last line", "%lu, %s",
	    more - objects, told_by(larger - bytes, other.size));
	buffer_free(&other);
	totals(&more, &larger);
	say("total-after", "and when it is freed", "%ld, %lld",
	    (long)(more - objects), (long long)(larger - bytes));
}

static void say_head(void)
{
	const char *all = read_file(BUFINFO);
	struct stat st;

	igt_assert(all);
	do_or_die(stat(BUFINFO, &st));
	say("file-mode", "the file's mode", "%#o", st.st_mode);
	say("head", "the first lines", "%.*s",
	    (int)(strstr(all, "name\n") - all + 4), all);
}

/* Devices that attach: vgem and vkms, whoever exports. */
static void say_importers(struct buffer *b)
{
	struct exporter all[MAX_ENDPOINTS];
	int num = exporters_open(all, MAX_ENDPOINTS);
	uint32_t handle;

	for (int i = 0; i < num; i++) {
		if (all[i].video || !all[i].ep.imports ||
		    !strcmp(all[i].name, b->by->name) ||
		    __prime_fd_to_handle(all[i].ep.fd, b->fd, &handle))
			continue;
		say_bufinfo(b, text("import-%s", all[i].name),
			    text("imported by %s as well", all[i].name));
	}
	for (int i = 0; i < num; i++)
		close(all[i].ep.fd);
	say_bufinfo(b, "closed", "when the importers have closed");
}

void run_bufinfo(struct buffer *b)
{
	struct timeline r, w;
	int copy;

	timeline_new(&r);
	timeline_new(&w);
	say_head();
	say_bufinfo(b, "new", "a new buffer");
	try_ioctl(b->fd, DMA_BUF_SET_NAME_B, "named");
	copy = dup(b->fd);
	say_bufinfo(b, "named", "with a name and a second descriptor");
	close(copy);
	try_ioctl(b->fd, DMA_BUF_SET_NAME_B, "");
	say_bufinfo(b, "nameless", "with an empty name");
	timeline_busy(&r, b->fd, DMA_BUF_SYNC_READ);
	timeline_busy(&w, b->fd, DMA_BUF_SYNC_WRITE);
	say_bufinfo(b, "fences", "with a reader's and a writer's fence");
	timeline_signal(&r);
	timeline_signal(&w);
	say_bufinfo(b, "signalled", "when both have signalled");
	say_importers(b);
	say_totals(b);
	close(r.fd);
	close(w.fd);
}

static const char *entries(const char *path)
{
	struct dirent **list;
	char all[512] = "";
	int num = scandir(path, &list, NULL, alphasort);

	if (num < 0)
		return answer(-errno);
	for (int i = 0; i < num; i++) {
		char file[512];
		struct stat st;

		if (list[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path,
				 list[i]->d_name);
			do_or_die(stat(file, &st));
			snprintf(all + strlen(all), sizeof(all) - strlen(all),
				 "%s%s %#o", all[0] ? ", " : "",
				 list[i]->d_name, st.st_mode);
		}
		free(list[i]);
	}
	free(list);
	return text("%s", all);
}

static int count_entries(void)
{
	struct dirent *entry;
	DIR *dir = opendir(BUFFERS);
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static const char *without_newline(const char *s)
{
	return s ? text("%.*s", (int)strcspn(s, "\n"), s) : "absent";
}

void run_sysfs(struct buffer *b)
{
	int before, fd;
	char path[128];
	struct buffer other;
	struct stat st;
	void *map;

	do_or_die(fstat(b->fd, &st));
	snprintf(path, sizeof(path), BUFFERS "/%llu",
		 (unsigned long long)st.st_ino);
	say("files", "the files of a buffer", "%s", entries(path));
	say("exporter_name", "exporter_name", "%s",
	    without_newline(read_file(text("%s/exporter_name", path))));
	say("size", "size", "%s",
	    told_by(strtoull(read_file(text("%s/size", path)) ?: "", NULL, 10),
		    st.st_size));
	fd = open(text("%s/size", path), O_WRONLY | O_CLOEXEC);
	say_ret("write", "size, opened to write", fd < 0 ? -errno : 0);
	close(fd);
	before = count_entries();
	igt_assert_eq(buffer_new(b->by, O_RDWR, &other), 0);
	say("more", "directories that one buffer adds", "%d",
	    count_entries() - before);
	do_or_die(fstat(other.fd, &st));
	map = dmabuf_mmap(other.fd, other.size);
	buffer_free(&other);
	say("mapped", "whether a buffer that is only mapped has one", "%d",
	    dmabuf_alive(st.st_ino));
	munmap(map, st.st_size);
	say("freed", "and when it is gone", "%d", dmabuf_alive(st.st_ino));
	say("left", "directories that are left of it", "%d",
	    count_entries() - before);
}
