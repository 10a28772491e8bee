/* SPDX-License-Identifier: MIT */
/*
 * What dmabuf_sync_fences is made of:
 *
 *	fenced.c	buffers that the test fences, threads that wait for them
 *	poll.c		poll() and epoll
 *	sync_file.c	fences that leave one buffer, and come into another
 *	cpu_access.c	SYNC waits as well
 *	endings.c	fences that end without their owner
 */
#ifndef FENCES_H
#define FENCES_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "igt_vgem.h"

#include "../endpoint.h"

/* A wake-up that never comes is seen by who runs the tests. */
#define WAKE_MS -1

/* A subtest; the last of a list has no name. */
struct fence_test {
	const char *name, *describe;
	void (*run)(int vgem);
};

/* One for each exporter. */
struct fence_pair_test {
	const char *name, *describe;
	void (*run)(int vgem, const struct endpoint *ep);
};

extern const struct fence_test poll_tests[];
extern const struct fence_test sync_file_tests[];
extern const struct fence_test cpu_access_tests[];
extern const struct fence_test ending_tests[];
extern const struct fence_pair_test sync_file_pair_tests[];

/* A buffer of vgem, and its dma-buf */
struct fenced {
	int fd; /* vgem */
	struct vgem_bo bo;
	int dmabuf;
};

void fenced_make(int vgem, struct fenced *f);
void fenced_unmake(struct fenced *f);

/* What poll() says at once, of POLLIN and POLLOUT. */
short dmabuf_ready(int dmabuf);

/* A thread in one call */
struct waiter {
	struct pollfd p;
	uint64_t sync_flags; /* for DMA_BUF_IOCTL_SYNC instead of poll() */
	int result;
	volatile pid_t tid;
	volatile bool done;
	pthread_t thread;
};

/* These return when the thread sleeps in its call. */
void waiter_start(struct waiter *w, void *(*wait)(void *data));
void waiter_start_poll(struct waiter *w, int fd, short events);
void waiter_until_asleep(struct waiter *w);
/* Waits for the thread; its poll() must have been woken for these. */
void waiter_expect_woken(struct waiter *w, short events);

#endif
