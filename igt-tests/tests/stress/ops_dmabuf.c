// SPDX-License-Identifier: MIT
/* Operations on dma-bufs: descriptors, mappings, brackets, poll, names. */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stress.h"

#define EPOLL_WAIT_MSEC 2

static int op_dup(struct stress_thread *t)
{
	int fd = stress_take_fd(t);

	if (fd < 0)
		return STRESS_IDLE;
	stress_put_fd(t, fd);
	return 0;
}

static int op_close(struct stress_thread *t)
{
	stress_put_fd(t, -1);
	return 0;
}

static int op_stat(struct stress_thread *t)
{
	int fd = stress_take_fd(t), ret = 0;
	struct stat st;

	if (fd < 0)
		return STRESS_IDLE;
	if (fstat(fd, &st))
		ret = -errno;
	else if (lseek(fd, 0, SEEK_END) != st.st_size)
		stress_fail(t->process->stress,
			    "lseek and fstat tell two sizes of one dma-buf");
	close(fd);
	return ret;
}

static int map_whole(struct stress_thread *t, int fd, struct stress_map *map)
{
	int prot = PROT_READ;

	map->size = lseek(fd, 0, SEEK_END);
	map->writable = stress_random(t, 2);
	if (map->writable)
		prot |= PROT_WRITE;
	map->at = mmap(NULL, map->size, prot, MAP_SHARED, fd, 0);
	if (map->at == MAP_FAILED) {
		*map = (struct stress_map){};
		return -errno;
	}
	return 0;
}

/* The mapping stays until the slot is wanted again. */
static int op_mmap(struct stress_thread *t)
{
	struct stress_map *map = &t->maps[stress_random(t, STRESS_MAPS)];
	int fd = stress_take_fd(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	stress_map_drop(map);
	ret = map_whole(t, fd, map);
	if (!ret && stress_content_check(t, map) &&
	    stress_content_same(t, fd, map))
		stress_map_scribble(t, map);
	close(fd);
	return ret;
}

static int op_touch(struct stress_thread *t)
{
	struct stress_map *map = &t->maps[stress_random(t, STRESS_MAPS)];

	if (!map->at)
		return STRESS_IDLE;
	if (stress_content_check(t, map))
		stress_map_scribble(t, map);
	return 0;
}

static int op_munmap(struct stress_thread *t)
{
	struct stress_map *map = &t->maps[stress_random(t, STRESS_MAPS)];

	if (!map->at)
		return STRESS_IDLE;
	stress_map_drop(map);
	return 0;
}

static int bracket(struct stress_thread *t, int fd)
{
	struct dma_buf_sync arg = {
		.flags = DMA_BUF_SYNC_START | (1 + stress_random(t, 3)),
	};
	int ret = stress_ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg);

	if (ret)
		return ret;
	arg.flags |= DMA_BUF_SYNC_END;
	return stress_ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg);
}

static int op_sync(struct stress_thread *t)
{
	int fd = stress_take_fd(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	ret = bracket(t, fd);
	close(fd);
	return ret;
}

/* The last descriptor may be closed while this waits. */
static int op_sync_racing(struct stress_thread *t)
{
	int fd = stress_glance_fd(t);

	return fd < 0 ? STRESS_IDLE : bracket(t, fd);
}

static int op_poll(struct stress_thread *t)
{
	static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT };
	struct pollfd pollfd = {
		.fd = stress_random(t, 4) ? stress_take_fd(t) :
					    stress_glance_fd(t),
		.events = events[stress_random(t, 3)],
	};
	int ret = 0;

	if (pollfd.fd < 0)
		return STRESS_IDLE;
	if (poll(&pollfd, 1, stress_random(t, 5)) < 0)
		ret = -errno;
	if (!t->met_stranger)
		close(pollfd.fd);
	return ret;
}

static struct stress_file *use_epoll(struct stress_thread *t)
{
	struct stress_file *epoll = &t->process->epoll;

	pthread_rwlock_rdlock(&epoll->lock);
	if (epoll->fd >= 0)
		return epoll;
	stress_unuse(epoll);
	return NULL;
}

static int epoll_change(struct stress_thread *t, int what)
{
	struct epoll_event event = {
		.events = EPOLLIN << 0 | (stress_random(t, 2) ? EPOLLOUT : 0) |
			  (stress_random(t, 2) ? EPOLLET : 0),
	};
	struct stress_file *epoll = use_epoll(t);
	int fd = stress_glance_fd(t), ret = STRESS_IDLE;

	if (!epoll)
		return STRESS_IDLE;
	if (fd >= 0)
		ret = epoll_ctl(epoll->fd, what, fd, &event) ? -errno : 0;
	stress_unuse(epoll);
	return ret;
}

/* A dma-buf that has other descriptors stays after the one here is closed. */
static int op_epoll_add(struct stress_thread *t)
{
	return epoll_change(t, EPOLL_CTL_ADD);
}

static int op_epoll_mod(struct stress_thread *t)
{
	return epoll_change(t, EPOLL_CTL_MOD);
}

static int op_epoll_del(struct stress_thread *t)
{
	return epoll_change(t, EPOLL_CTL_DEL);
}

static int op_epoll_wait(struct stress_thread *t)
{
	struct stress_file *epoll = use_epoll(t);
	struct epoll_event events[4];
	int ret = 0;

	if (!epoll)
		return STRESS_IDLE;
	if (epoll_wait(epoll->fd, events, 4, stress_random(t, 3)) < 0)
		ret = -errno;
	stress_unuse(epoll);
	return ret;
}

static int op_epoll_new(struct stress_thread *t)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	stress_replace(&t->process->epoll, fd);
	return 0;
}

static int op_name(struct stress_thread *t)
{
	int fd = stress_take_fd(t), ret;
	char name[DMA_BUF_NAME_LEN];

	if (fd < 0)
		return STRESS_IDLE;
	snprintf(name, sizeof(name), "%0*x",
		 1 + (int)stress_random(t, DMA_BUF_NAME_LEN - 1),
		 stress_random(t, 256));
	ret = stress_ioctl(fd, DMA_BUF_SET_NAME_B, name);
	close(fd);
	return ret;
}

static int op_name_bad(struct stress_thread *t)
{
	char name[2 * DMA_BUF_NAME_LEN];
	int fd = stress_take_fd(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	memset(name, 'x', sizeof(name));
	ret = stress_ioctl(fd, DMA_BUF_SET_NAME_B,
			   stress_random(t, 2) ? name : NULL);
	close(fd);
	if (!ret)
		stress_fail(t->process->stress, "a bad name was taken");
	return ret;
}

/* The exporter whose brackets do something. */
static int op_heap(struct stress_thread *t)
{
	struct stress *s = t->process->stress;
	struct dma_heap_allocation_data arg = {
		.len = (2 + stress_random(t, 3)) * STRESS_PAGE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	void *map;
	int ret;

	if (s->heap < 0)
		return STRESS_IDLE;
	ret = stress_ioctl(s->heap, DMA_HEAP_IOCTL_ALLOC, &arg);
	if (ret)
		return ret;
	map = mmap(NULL, arg.len, PROT_READ | PROT_WRITE, MAP_SHARED, arg.fd,
		   0);
	if (map == MAP_FAILED) {
		ret = -errno;
		close(arg.fd);
		return ret;
	}
	stress_content_fill(t, map, arg.len);
	munmap(map, arg.len);
	stress_put_fd(t, arg.fd);
	return 0;
}

const struct stress_op stress_ops_dmabuf[] = {
	STRESS_OP("allocate from a heap", op_heap, 2),
	STRESS_OP("dup", op_dup, 12),
	STRESS_OP("close", op_close, 8),
	STRESS_OP("fstat and lseek", op_stat, 2),
	/* only the first export decides whether it may be written */
	STRESS_OP("mmap", op_mmap, 10, STRESS_ERRS(EACCES)),
	STRESS_OP("touch", op_touch, 10),
	STRESS_OP("munmap", op_munmap, 5),
	STRESS_OP("SYNC", op_sync, 8, STRESS_ERRS(EINTR)),
	STRESS_OP("SYNC, racing", op_sync_racing, 2, STRESS_ERRS(EINTR)),
	STRESS_OP("poll", op_poll, 10, STRESS_ERRS(EINTR)),
	STRESS_OP("epoll: add", op_epoll_add, 5,
		  STRESS_ERRS(EEXIST, EPERM, ELOOP)),
	STRESS_OP("epoll: change", op_epoll_mod, 2, STRESS_ERRS(ENOENT, EPERM)),
	STRESS_OP("epoll: delete", op_epoll_del, 4, STRESS_ERRS(ENOENT, EPERM)),
	STRESS_OP("epoll: wait", op_epoll_wait, 8, STRESS_ERRS(EINTR)),
	STRESS_OP("epoll: begin anew", op_epoll_new, 1),
	STRESS_OP("SET_NAME", op_name, 5),
	STRESS_OP("SET_NAME, bad", op_name_bad, 1, STRESS_ERRS(EINVAL, EFAULT)),
	{},
};
