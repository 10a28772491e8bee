// SPDX-License-Identifier: MIT
/*
 * What the renderer asks the kernel of one dma-buf. libdrm and Mesa call the
 * ioctl() of this program, for the dynamic linker finds it first.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define REQUESTS 4096

/* Guards all of this: a renderer may have threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ino_t watched;
static uint64_t requests[REQUESTS];
static int count;
static int interruptions, left;
static atomic_bool inside;

void kernel_watch(ino_t inode)
{
	pthread_mutex_lock(&lock);
	watched = inode;
	count = 0;
	pthread_mutex_unlock(&lock);
}

void kernel_interrupt(int times)
{
	pthread_mutex_lock(&lock);
	interruptions = times;
	left = times;
	pthread_mutex_unlock(&lock);
}

/* What is not done comes as EINTR and as EAGAIN in turn. */
static bool interrupted(void)
{
	if (!left) {
		left = interruptions;
		return false;
	}
	errno = left-- % 2 ? EINTR : EAGAIN;
	return true;
}

/* Whether the kernel is to see it. */
static bool record(const struct dma_buf_sync *sync)
{
	bool goes_on;

	pthread_mutex_lock(&lock);
	goes_on = !interrupted();
	if (goes_on) {
		check(count < REQUESTS, "too many requests");
		requests[count++] = sync->flags;
	}
	pthread_mutex_unlock(&lock);
	return goes_on;
}

static bool is_watched(int fd)
{
	struct stat st;

	return watched && !fstat(fd, &st) && st.st_ino == watched;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	long ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	if (request != DMA_BUF_IOCTL_SYNC || !is_watched(fd))
		return syscall(SYS_ioctl, fd, request, arg);
	if (!record(arg))
		return -1;
	inside = true;
	ret = syscall(SYS_ioctl, fd, request, arg);
	inside = false;
	return ret;
}

int kernel_begun(uint64_t flags)
{
	int found = 0;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < count; i++)
		found += !(requests[i] & DMA_BUF_SYNC_END) &&
			 (requests[i] & flags) == flags;
	pthread_mutex_unlock(&lock);
	return found;
}

bool kernel_ended(void)
{
	uint64_t open = 0;
	bool good = true;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < count && good; i++) {
		uint64_t access = requests[i] & DMA_BUF_SYNC_RW;

		if (requests[i] & DMA_BUF_SYNC_END) {
			good = open == access;
			open = 0;
		} else {
			good = !open;
			open = access;
		}
	}
	pthread_mutex_unlock(&lock);
	return good && !open;
}

bool kernel_waits(pid_t thread)
{
	char path[64], state = 0;
	FILE *file;

	if (!inside)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S' && inside;
}
