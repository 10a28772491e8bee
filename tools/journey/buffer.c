// SPDX-License-Identifier: MIT
/*
 * What a dma-buf's descriptor can be asked, by anyone who holds it: identity,
 * size, who is attached, its memory, and whether it is still being written.
 */
#include <errno.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "util.h"

#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"

__u64 buffer_inode(const char *where, int fd)
{
	struct stat info;

	if (fstat(fd, &info))
		die_errno(where, "fstat of the dma-buf");
	return info.st_ino;
}

size_t buffer_size(const char *where, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		die_errno(where, "lseek to the end of the dma-buf");
	return size;
}

/*
 * Calls @visit for every line that bufinfo has on the buffer @inode: first its
 * size, flags, mode, count, exporter, inode and name, then fences and devices.
 */
static void read_bufinfo(const char *where, __u64 inode,
			 void (*visit)(const char *line, void *arg), void *arg)
{
	FILE *bufinfo = fopen(BUFINFO, "re");
	bool ours = false;
	bool found = false;
	__u64 number;
	char line[256];

	if (!bufinfo)
		die_errno(where, "open " BUFINFO);
	while (fgets(line, sizeof(line), bufinfo)) {
		if (sscanf(line, "%*u %*x %*x %*d %*s %llu", &number) == 1)
			ours = number == inode;
		if (ours)
			visit(line, arg);
		found |= ours;
	}
	fclose(bufinfo);
	if (!found)
		die("%s: " BUFINFO " does not list inode %llu", where, inode);
}

static void find_total(const char *line, void *arg)
{
	__s64 *total = arg;

	/* A line on all buffers together, at the end, begins with "Total" too. */
	if (*total < 0)
		sscanf(line, " Total %lld devices attached", total);
}

__u32 buffer_attachments(const char *where, __u64 inode)
{
	__s64 total = -1;

	read_bufinfo(where, inode, find_total, &total);
	if (total < 0)
		die("%s: " BUFINFO " does not count the devices of inode %llu",
		    where, inode);
	return total;
}

struct importer {
	const char *name;
	__s64 sg_entries;
	bool found;
};

static void find_sg_entries(const char *line, void *arg)
{
	struct importer *importer = arg;
	const char *entries;
	char name[64];

	/* What is known of a device is indented below its name. */
	if (strncmp(line, "\t\t", 2)) {
		importer->found = sscanf(line, "\t%63s", name) == 1 &&
				  !strcmp(name, importer->name);
		return;
	}

	entries = strstr(line, "sg entries ");
	if (importer->found && entries)
		sscanf(entries, "sg entries %lld", &importer->sg_entries);
}

/*
 * Entries of the scatter table that the device @importer got, or -1: only our
 * kernels tell "sg entries N" of a device.
 */
__s64 buffer_sg_entries(const char *where, __u64 inode, const char *importer)
{
	struct importer wanted = { .name = importer, .sg_entries = -1 };

	read_bufinfo(where, inode, find_sg_entries, &wanted);
	return wanted.sg_entries;
}

void *buffer_map(const char *where, int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die_errno(where, "mmap of the dma-buf");
	return map;
}

/* @flags: DMA_BUF_SYNC_START or _END, and _READ, _WRITE or _RW. */
void buffer_sync(const char *where, int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };
	int ret;

	do {
		ret = ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret && (errno == EINTR || errno == EAGAIN));

	if (ret)
		die_errno(where, flags & DMA_BUF_SYNC_END ?
					 "DMA_BUF_IOCTL_SYNC end" :
					 "DMA_BUF_IOCTL_SYNC start");
}

static bool poll_for(const char *where, const char *what, int fd, short event,
		     int timeout_ms)
{
	struct pollfd poller = { .fd = fd, .events = event };
	int ret;

	do {
		ret = poll(&poller, 1, timeout_ms);
	} while (ret < 0 && errno == EINTR);

	if (ret < 0)
		die_errno(where, what);
	if (ret && !(poller.revents & event))
		die("%s: %s: unexpected events %#x", where, what,
		    poller.revents);
	return ret;
}

/* True when all writers are done, false if one is not after @timeout_ms. */
bool buffer_ready(const char *where, int fd, int timeout_ms)
{
	return poll_for(where, "poll of the dma-buf", fd, POLLIN, timeout_ms);
}

/* Returns when nobody writes to the buffer, nor reads it, any more. */
void buffer_wait_idle(const char *where, int fd)
{
	if (!poll_for(where, "poll of the dma-buf", fd, POLLOUT, LONG_WAIT_MS))
		die("%s: the buffer is in use for more than %d s", where,
		    LONG_WAIT_MS / 1000);
}

/* A sync_file of those who write the buffer now; close() it. */
int buffer_export_fence(const char *where, int fd)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_READ };

	if (ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg))
		die_errno(where, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
	return arg.fd;
}

/* True when the sync_file @fd is signalled. A fence with an error ends us. */
bool fence_done(const char *where, int fd, int timeout_ms)
{
	struct sync_file_info info = { .num_fences = 0 };

	if (!poll_for(where, "poll of a fence", fd, POLLIN, timeout_ms))
		return false;
	if (ioctl(fd, SYNC_IOC_FILE_INFO, &info))
		die_errno(where, "SYNC_IOC_FILE_INFO");
	if (info.status != 1)
		die("%s: a fence was signalled with status %d", where,
		    info.status);
	return true;
}
