// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are no dma-buf, where one is asked for.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "parity.h"

static int open_file(void)
{
	char path[] = "/tmp/parity.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static int open_directory(void)
{
	return open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int open_pipe(void)
{
	int fds[2];

	return pipe(fds) ? -1 : fds[0];
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_memfd(void)
{
	return memfd_create("parity", MFD_CLOEXEC);
}

static int open_eventfd(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

static int open_epoll(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int open_timerfd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
}

static int open_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int open_inotify(void)
{
	return inotify_init1(IN_CLOEXEC);
}

static int open_pidfd(void)
{
	return syscall(SYS_pidfd_open, getpid(), 0);
}

static int open_sync_file(void)
{
	struct timeline t;

	timeline_new(&t);
	return timeline_fence(&t);
}

static int open_timeline(void)
{
	struct timeline t;

	timeline_new(&t);
	return t.fd;
}

static int open_heap(void)
{
	return open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
}

static int open_udmabuf(void)
{
	return open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
}

static int open_card(void)
{
	return open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
}

static int open_video(void)
{
	return open("/dev/video0", O_RDWR | O_CLOEXEC);
}

int closed_fd(void)
{
	int fd = open_null();

	close(fd);
	return fd;
}

static int minus_one(void)
{
	return -1;
}

static int beyond(void)
{
	return 1 << 20;
}

const struct kind kinds[] = {
	{ "-1", minus_one },
	{ "beyond the table", beyond },
	{ "closed", closed_fd },
	{ "file", open_file },
	{ "directory", open_directory },
	{ "/dev/null", open_null },
	{ "pipe", open_pipe },
	{ "socket", open_socket },
	{ "memfd", open_memfd },
	{ "eventfd", open_eventfd },
	{ "epoll", open_epoll },
	{ "timerfd", open_timerfd },
	{ "signalfd", open_signalfd },
	{ "inotify", open_inotify },
	{ "pidfd", open_pidfd },
	{ "sync file", open_sync_file },
	{ "sw_sync timeline", open_timeline },
	{ "dma heap", open_heap },
	{ "udmabuf device", open_udmabuf },
	{ "DRM card", open_card },
	{ "video device", open_video },
};

const unsigned int num_kinds = N(kinds);

int path_fd(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_PATH | O_CLOEXEC);
}

unsigned int open_files(void)
{
	return count_open_fds();
}
