// SPDX-License-Identifier: MIT
/*
 * Where the kernel tells of a buffer: fstat(), fdinfo, bufinfo, the statistics in
 * sysfs, and poll().
 */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "igt.h"

#include "../poll_for.h"
#include "descriptor.h"

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

bool fdinfo_value(int fd, const char *key, char *buf, int size)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	igt_assert(f);
	while (!found && fgets(line, sizeof(line), f)) {
		size_t len = strlen(key);

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		found = true;
		line[strcspn(line, "\n")] = 0;
		snprintf(buf, size, "%s",
			 line + len + 1 + (line[len + 1] == '\t'));
	}
	fclose(f);
	return found;
}

static void stat_identity(struct endpoint_bo *bo)
{
	struct endpoint_bo other;
	struct stat st, st2;
	struct statfs fs;
	int copy = dup(bo->dmabuf);
	ino_t old;

	do_or_die(fstat(bo->dmabuf, &st));
	igt_assert_eq_u64(st.st_size, bo->size);
	igt_assert_eq_u64(st.st_blocks, bo->size / 512);
	do_or_die(fstat(copy, &st2));
	igt_assert_eq_u64(st.st_ino, st2.st_ino);
	igt_assert_eq_u64(st.st_dev, st2.st_dev);
	close(copy);
	do_or_die(fstatfs(bo->dmabuf, &fs));
	igt_assert_eq_u64(fs.f_type, DMA_BUF_MAGIC);

	/* Numbers are not given out twice, not even after a close. */
	old = st.st_ino;
	for (int i = 0; i < 3; i++) {
		endpoint_create(bo->ep, PAGE / 4, 1, &other);
		do_or_die(fstat(other.dmabuf, &st2));
		igt_assert(st2.st_ino > old);
		igt_assert_eq_u64(st2.st_size, other.size);
		old = st2.st_ino;
		endpoint_destroy(&other);
	}
}

static void fdinfo_contents(struct endpoint_bo *bo)
{
	char buf[64];
	long count;
	int copy;

	igt_assert(fdinfo_value(bo->dmabuf, "size", buf, sizeof(buf)));
	igt_assert_eq_u64(strtoull(buf, NULL, 10), bo->size);
	igt_assert(fdinfo_value(bo->dmabuf, "exp_name", buf, sizeof(buf)));
	igt_assert(buf[0]);
	/* Who leaves the export to the bridge is listed under its name. */
	if (strcmp(bo->ep->driver, "vgem") == 0)
		igt_assert_eq(strcmp(buf, "drm"), 0);
	igt_assert(fdinfo_value(bo->dmabuf, "count", buf, sizeof(buf)));
	count = strtol(buf, NULL, 10);
	copy = dup(bo->dmabuf);
	igt_assert(fdinfo_value(bo->dmabuf, "count", buf, sizeof(buf)));
	igt_assert_eq(strtol(buf, NULL, 10), count + 1);
	close(copy);
	igt_assert(fdinfo_value(bo->dmabuf, "count", buf, sizeof(buf)));
	igt_assert_eq(strtol(buf, NULL, 10), count);
}

struct bufinfo {
	bool found;
	unsigned long size, count;
	char exp_name[32], name[40];
	int attached;
	int total_objects; /* what the last line says */
	int listed; /* lines there were */
};

/* The line of debugfs dma_buf/bufinfo with this inode, and what follows it. */
static void read_bufinfo(ino_t inode, struct bufinfo *info)
{
	char path[128], line[512];
	bool inside = false;
	FILE *f;

	memset(info, 0, sizeof(*info));
	info->total_objects = -1;
	igt_require_f(igt_debugfs_mount(), "no debugfs\n");
	snprintf(path, sizeof(path), "%s/dma_buf/bufinfo", igt_debugfs_mount());
	f = fopen(path, "re");
	igt_require_f(f, "no bufinfo\n");
	while (fgets(line, sizeof(line), f)) {
		unsigned long size, count, ino;
		char exp_name[32], name[40] = "";

		if (sscanf(line, "%lu\t%*x\t%*x\t%lu\t%31s\t%lu\t%39[^\n]",
			   &size, &count, exp_name, &ino, name) >= 4) {
			info->listed++;
			inside = ino == inode;
			if (!inside)
				continue;
			info->found = true;
			info->size = size;
			info->count = count;
			strcpy(info->exp_name, exp_name);
			strcpy(info->name, name);
		}
		if (strncmp(line, "Total ", 6))
			continue;
		if (strstr(line, " objects, "))
			info->total_objects = atoi(line + 6);
		else if (inside)
			info->attached = atoi(line + 6);
	}
	fclose(f);
}

static void bufinfo_lists(struct endpoint_bo *bo)
{
	ino_t inode = dmabuf_inode(bo->dmabuf), other;
	struct endpoint_bo mine;
	struct bufinfo info;
	char buf[64];

	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME, (char *)"in-bufinfo");
	read_bufinfo(inode, &info);
	igt_assert(info.found);
	igt_assert_eq_u64(info.size, bo->size);
	igt_assert(info.count > 0);
	igt_assert_eq(strcmp(info.name, "in-bufinfo"), 0);
	igt_assert(fdinfo_value(bo->dmabuf, "exp_name", buf, sizeof(buf)));
	igt_assert_eq(strcmp(info.exp_name, buf), 0);
	igt_assert_eq(info.total_objects, info.listed);

	endpoint_create(bo->ep, PAGE / 4, 1, &mine);
	other = dmabuf_inode(mine.dmabuf);
	read_bufinfo(other, &info);
	igt_assert(info.found);
	/* Without a name the column is not empty. */
	igt_assert_eq(strcmp(info.name, "<none>"), 0);
	endpoint_destroy(&mine);
	read_bufinfo(other, &info);
	igt_assert(!info.found);
}

/* A driver may leave it to a worker to detach, as i915 does. */
static void expect_attached(ino_t inode, int number)
{
	struct bufinfo info;

	igt_set_timeout(60, "end of an attachment after its handle's");
	do
		read_bufinfo(inode, &info);
	while (info.attached > number);
	igt_reset_timeout();
	igt_assert_eq(info.attached, number);
}

/* Each importer is an attachment, for as long as it has the handle. */
static void bufinfo_attachments(struct endpoint_bo *bo)
{
	struct endpoint eps[MAX_ENDPOINTS];
	uint32_t handle[MAX_ENDPOINTS] = {};
	int num = endpoints_open_drm(eps, MAX_ENDPOINTS);
	ino_t inode = dmabuf_inode(bo->dmabuf);
	struct bufinfo info;
	int before, imported = 0;

	read_bufinfo(inode, &info);
	before = info.attached;
	igt_assert_eq(before, 0);
	for (int i = 0; i < num; i++) {
		if (!eps[i].imports || strcmp(eps[i].name, bo->ep->name) == 0)
			continue;
		if (__prime_fd_to_handle(eps[i].fd, bo->dmabuf, &handle[i]))
			continue;
		read_bufinfo(inode, &info);
		igt_assert_eq(info.attached, ++imported);
	}
	for (int i = 0; i < num; i++) {
		if (!handle[i])
			continue;
		gem_close(eps[i].fd, handle[i]);
		expect_attached(inode, --imported);
	}
	endpoints_close(eps, num);
}

static void read_stat(ino_t inode, const char *file, char *buf, int size)
{
	char path[128];
	int fd, len;

	snprintf(path, sizeof(path), "/sys/kernel/dmabuf/buffers/%lu/%s",
		 (unsigned long)inode, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	igt_assert_fd(fd);
	len = read(fd, buf, size - 1);
	igt_assert_lt(0, len);
	buf[len] = 0;
	buf[strcspn(buf, "\n")] = 0;
	close(fd);
}

static void sysfs_stats(struct endpoint_bo *bo)
{
	ino_t inode = dmabuf_inode(bo->dmabuf);
	struct endpoint_bo other;
	char buf[64], name[64];

	igt_require_f(!access("/sys/kernel/dmabuf/buffers", F_OK),
		      "no CONFIG_DMABUF_SYSFS_STATS\n");
	igt_assert_eq(dmabuf_alive(inode), 1);
	read_stat(inode, "size", buf, sizeof(buf));
	igt_assert_eq_u64(strtoull(buf, NULL, 10), bo->size);
	read_stat(inode, "exporter_name", buf, sizeof(buf));
	igt_assert(fdinfo_value(bo->dmabuf, "exp_name", name, sizeof(name)));
	igt_assert_eq(strcmp(buf, name), 0);

	endpoint_create(bo->ep, PAGE / 4, 1, &other);
	inode = dmabuf_inode(other.dmabuf);
	igt_assert_eq(dmabuf_alive(inode), 1);
	endpoint_destroy(&other);
	igt_assert_eq(dmabuf_alive(inode), 0);
}

static void poll_idle(struct endpoint_bo *bo)
{
	igt_assert_eq(poll_for(bo->dmabuf, POLLIN | POLLOUT, 0),
		      POLLIN | POLLOUT);
	igt_assert_eq(poll_for(bo->dmabuf, POLLIN, 0), POLLIN);
	igt_assert_eq(poll_for(bo->dmabuf, POLLOUT, 0), POLLOUT);
	/* Nothing asked, nothing told. */
	igt_assert_eq(poll_for(bo->dmabuf, POLLPRI, 0), 0);
}

const struct descriptor_test told_tests[] = {
	{ "stat", "fstat gives the size and a number that is never reused",
	  stat_identity },
	{ "fdinfo", "fdinfo has size, count and exporter", fdinfo_contents },
	{ "bufinfo", "bufinfo lists a buffer from export to release",
	  bufinfo_lists },
	{ "bufinfo-attachments", "bufinfo counts the importers",
	  bufinfo_attachments },
	{ "sysfs-stats", "the statistics directory lives as long as the buffer",
	  sysfs_stats },
	{ "poll-idle", "without fences poll is ready for what it was asked",
	  poll_idle },
	{}
};
