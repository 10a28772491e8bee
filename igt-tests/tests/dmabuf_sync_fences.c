// SPDX-License-Identifier: MIT
/*
 * Fences on a dma-buf: as poll() and epoll show them, as sync_file carries them
 * out of one buffer and into another, and who sees whose.
 *
 * The fences are vgem's, signalled by the test, so everything happens when the
 * test says so. Where a thread must block first, the test waits until the kernel
 * says that it sleeps; no time is guessed.
 */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"
#include "sw_sync.h"

#include "endpoint.h"

IGT_TEST_DESCRIPTION("Fences of a dma-buf by poll, epoll and sync_file.");

/* A wake-up that never comes is seen by who runs the tests. */
#define WAKE_MS -1

struct fenced {
	int fd; /* vgem */
	struct vgem_bo bo;
	int dmabuf;
};

static void make(int fd, struct fenced *f)
{
	*f = (struct fenced){
		.fd = fd,
		.bo = { .width = 32, .height = 32, .bpp = 32 },
	};
	vgem_create(fd, &f->bo);
	f->dmabuf = prime_handle_to_fd_for_mmap(fd, f->bo.handle);
}

static void unmake(struct fenced *f)
{
	close(f->dmabuf);
	gem_close(f->fd, f->bo.handle);
}

static short ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	int n = poll(&p, 1, 0);

	igt_assert_lte(0, n);
	return n ? p.revents : 0;
}

static void test_poll_read(int vgem)
{
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, 0);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(ready(f.dmabuf), POLLIN);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(ready(f.dmabuf), POLLIN | POLLOUT);
	unmake(&f);
}

static void test_poll_write(int vgem)
{
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(ready(f.dmabuf), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(ready(f.dmabuf), POLLIN | POLLOUT);
	unmake(&f);
}

/* All readers must be done before a writer may start. */
static void test_poll_many_readers(int vgem)
{
	uint32_t fence[8];
	struct fenced f;

	make(vgem, &f);
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++)
		fence[i] = vgem_fence_attach(vgem, &f.bo, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++) {
		igt_assert_eq(ready(f.dmabuf), POLLIN);
		vgem_fence_signal(vgem, fence[i * 3 % ARRAY_SIZE(fence)]);
	}
	igt_assert_eq(ready(f.dmabuf), POLLIN | POLLOUT);
	unmake(&f);
}

static void test_poll_timeout(int vgem)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	struct timespec start = {};
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	p.fd = f.dmabuf;
	igt_nsec_elapsed(&start);
	igt_assert_eq(poll(&p, 1, 30), 0);
	igt_assert(igt_nsec_elapsed(&start) >= 30 * 1000000ull);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(poll(&p, 1, 0), 1);
	unmake(&f);
}

struct waiter {
	struct pollfd p;
	uint64_t sync_flags; /* for DMA_BUF_IOCTL_SYNC instead of poll() */
	int result;
	volatile pid_t tid;
	volatile bool done;
	pthread_t thread;
};

static void *wait_in_poll(void *data)
{
	struct waiter *w = data;

	w->tid = syscall(SYS_gettid);
	w->result = poll(&w->p, 1, WAKE_MS);
	w->done = true;
	return NULL;
}

static char thread_state(pid_t tid)
{
	char path[64], line[256] = {}, *after;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		line[0] = 0;
	if (fd >= 0)
		close(fd);
	after = strrchr(line, ')');
	return after ? after[2] : '?';
}

/* After tid is set the thread sleeps only in its one call. */
static void wait_until_asleep(struct waiter *w)
{
	while (!w->tid || thread_state(w->tid) != 'S') {
		igt_assert_f(!w->done, "the call did not wait for the fence\n");
		sched_yield();
	}
}

static void start_thread(struct waiter *w, void *(*wait)(void *data))
{
	do_or_die(pthread_create(&w->thread, NULL, wait, w));
	wait_until_asleep(w);
}

static void start_waiter(struct waiter *w, int fd, short events)
{
	*w = (struct waiter){ .p = { .fd = fd, .events = events } };
	start_thread(w, wait_in_poll);
}

static void expect_woken(struct waiter *w, short events)
{
	pthread_join(w->thread, NULL);
	igt_assert_f(w->result == 1,
		     "poll slept on after the fence signalled\n");
	igt_assert_eq(w->p.revents, events);
}

static void test_poll_wakes(int vgem)
{
	static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT };
	struct waiter w;
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++) {
		fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
		start_waiter(&w, f.dmabuf, events[i]);
		vgem_fence_signal(vgem, fence);
		expect_woken(&w, events[i]);
	}
	unmake(&f);
}

/* There is one callback a buffer and direction, and any number of pollers. */
static void test_poll_many_waiters(int vgem)
{
	struct waiter w[6];
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	for (unsigned int i = 0; i < ARRAY_SIZE(w); i++)
		start_waiter(&w[i], f.dmabuf, i % 2 ? POLLIN : POLLOUT);
	vgem_fence_signal(vgem, fence);
	for (unsigned int i = 0; i < ARRAY_SIZE(w); i++)
		expect_woken(&w[i], i % 2 ? POLLIN : POLLOUT);
	unmake(&f);
}

/* The writer waits for both readers, however the first wake-up comes. */
static void test_poll_second_fence(int vgem)
{
	struct waiter w;
	struct fenced f;
	uint32_t a, b;

	make(vgem, &f);
	a = vgem_fence_attach(vgem, &f.bo, 0);
	b = vgem_fence_attach(vgem, &f.bo, 0);
	start_waiter(&w, f.dmabuf, POLLOUT);
	vgem_fence_signal(vgem, a);
	wait_until_asleep(&w);
	igt_assert_eq(ready(f.dmabuf), POLLIN);
	vgem_fence_signal(vgem, b);
	expect_woken(&w, POLLOUT);
	unmake(&f);
}

/* The descriptor goes while a thread sleeps in poll and a callback is armed. */
static void test_close_while_polled(int vgem)
{
	struct waiter w;
	struct fenced f;
	uint32_t fence;
	ino_t inode;

	make(vgem, &f);
	inode = dmabuf_inode(f.dmabuf);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	start_waiter(&w, f.dmabuf, POLLIN);
	unmake(&f);
	igt_assert_neq(dmabuf_alive(inode), 0);
	vgem_fence_signal(vgem, fence);
	/* poll() looks the descriptor up again when it wakes. */
	expect_woken(&w, POLLNVAL);
}

/* As above, but nobody sleeps: only the armed callback holds the buffer. */
static void test_close_while_armed(int vgem)
{
	struct fenced f;
	uint32_t fence;
	ino_t inode;

	make(vgem, &f);
	inode = dmabuf_inode(f.dmabuf);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	igt_assert_eq(ready(f.dmabuf), 0);
	unmake(&f);
	vgem_fence_signal(vgem, fence);
	/* The last reference may go by a work item: bounded, and no sleep. */
	igt_set_timeout(60, "release of the dma-buf after its fence signalled");
	while (dmabuf_alive(inode) == 1)
		sched_yield();
	igt_reset_timeout();
}

static int epoll_on(int dmabuf, uint32_t events)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	igt_assert_fd(ep);
	do_or_die(epoll_ctl(ep, EPOLL_CTL_ADD, dmabuf, &ev));
	return ep;
}

/* The events that are ready within the time, 0 if none. */
static uint32_t epoll_get(int ep, int timeout_ms)
{
	struct epoll_event ev = {};
	int n = epoll_wait(ep, &ev, 1, timeout_ms);

	igt_assert_lte(0, n);
	return n ? ev.events : 0;
}

static void test_epoll_level(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	make(vgem, &f);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLOUT);
	igt_assert_eq(epoll_get(ep, 0), EPOLLIN | EPOLLOUT);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	igt_assert_eq(epoll_get(ep, 0), 0);
	vgem_fence_signal(vgem, fence);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(epoll_get(ep, WAKE_MS), EPOLLIN | EPOLLOUT);
	fence = vgem_fence_attach(vgem, &f.bo, 0);
	igt_assert_eq(epoll_get(ep, 0), EPOLLIN);
	vgem_fence_signal(vgem, fence);
	close(ep);
	unmake(&f);
}

static void test_epoll_edge(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLET);
	igt_assert_eq(epoll_get(ep, 0), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(epoll_get(ep, WAKE_MS), EPOLLIN);
	close(ep);
	unmake(&f);
}

/* One edge is one event: looking at an idle buffer must not make another. */
static void test_epoll_edge_once(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLET);
	igt_assert_eq(epoll_get(ep, 0), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(epoll_get(ep, WAKE_MS), EPOLLIN);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(epoll_get(ep, 0), 0);
	close(ep);
	unmake(&f);
}

static void test_epoll_close(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	/* First the epoll descriptor, then the dma-buf. */
	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLOUT);
	igt_assert_eq(epoll_get(ep, 0), 0);
	close(ep);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(ready(f.dmabuf), POLLIN | POLLOUT);
	unmake(&f);

	/* The other way round. */
	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLOUT);
	igt_assert_eq(epoll_get(ep, 0), 0);
	unmake(&f);
	vgem_fence_signal(vgem, fence);
	close(ep);
}

static void test_sync_file_export(int vgem)
{
	struct fenced f;
	int rd, wr, rw;
	uint32_t fence;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, 0);
	/* Who only reads need not wait for a reader. */
	rd = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_READ);
	wr = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	rw = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_RW);
	igt_assert(!sync_file_busy(rd));
	igt_assert(sync_file_busy(wr));
	igt_assert(sync_file_busy(rw));
	vgem_fence_signal(vgem, fence);
	igt_assert(!sync_file_busy(wr));
	igt_assert(!sync_file_busy(rw));
	close(rd);
	close(wr);
	close(rw);

	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	rd = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_READ);
	wr = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	igt_assert(sync_file_busy(rd));
	igt_assert(sync_file_busy(wr));
	vgem_fence_signal(vgem, fence);
	igt_assert(!sync_file_busy(rd));
	igt_assert(!sync_file_busy(wr));
	igt_assert_eq(sync_fence_status(wr), SW_SYNC_FENCE_STATUS_SIGNALED);
	close(rd);
	close(wr);
	unmake(&f);
}

/* A sync_file is what was pending when it was made, and outlives the buffer. */
static void test_sync_file_snapshot(int vgem)
{
	uint32_t first, second;
	struct fenced f;
	int sync;

	make(vgem, &f);
	first = vgem_fence_attach(vgem, &f.bo, 0);
	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	second = vgem_fence_attach(vgem, &f.bo, 0);
	igt_assert(sync_file_busy(sync));
	vgem_fence_signal(vgem, first);
	igt_assert(!sync_file_busy(sync));
	igt_assert(dmabuf_busy(f.dmabuf, DMA_BUF_SYNC_WRITE));
	close(sync);

	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	unmake(&f);
	igt_assert(sync_file_busy(sync));
	vgem_fence_signal(vgem, second);
	igt_assert(!sync_file_busy(sync));
	close(sync);
}

/* Several fences leave as one sync_file that signals with the last. */
static void test_sync_file_array(int vgem)
{
	uint32_t fence[4];
	struct fenced f;
	int sync;

	make(vgem, &f);
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++)
		fence[i] = vgem_fence_attach(vgem, &f.bo, 0);
	sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE);
	igt_assert_eq(sync_fence_count(sync), ARRAY_SIZE(fence));
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++) {
		igt_assert(sync_file_busy(sync));
		vgem_fence_signal(vgem, fence[i]);
	}
	igt_assert_eq(sync_fence_wait(sync, WAKE_MS), 0);
	close(sync);
	unmake(&f);
}

/* The fence of a vgem buffer carried into a buffer of another exporter. */
static void test_sync_file_import(int vgem, const struct endpoint *to)
{
	struct endpoint_bo bo;
	struct fenced f;
	uint32_t fence;
	int sync;

	endpoint_create(to, 32, 32, &bo);
	make(vgem, &f);
	for (uint32_t use = DMA_BUF_SYNC_READ; use <= DMA_BUF_SYNC_RW; use++) {
		bool write = use & DMA_BUF_SYNC_WRITE, busy;

		fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
		sync = dmabuf_export_sync_file(f.dmabuf, DMA_BUF_SYNC_RW);
		igt_assert_eq(ready(bo.dmabuf), POLLIN | POLLOUT);
		dmabuf_import_sync_file(bo.dmabuf, use, sync);
		close(sync);
		igt_assert_eq(ready(bo.dmabuf), write ? 0 : POLLIN);
		busy = dmabuf_sync_file_busy(bo.dmabuf, DMA_BUF_SYNC_READ);
		igt_assert_eq(busy, write);
		busy = dmabuf_sync_file_busy(bo.dmabuf, DMA_BUF_SYNC_WRITE);
		igt_assert(busy);
		vgem_fence_signal(vgem, fence);
		igt_assert_eq(ready(bo.dmabuf), POLLIN | POLLOUT);
	}
	unmake(&f);
	endpoint_destroy(&bo);
}

/* A merged sync_file brings each of its fences. */
static void test_sync_file_import_merged(int vgem, const struct endpoint *to)
{
	int sync_a, sync_b, merged;
	struct endpoint_bo bo;
	struct fenced a, b;
	uint32_t fa, fb;

	endpoint_create(to, 32, 32, &bo);
	make(vgem, &a);
	make(vgem, &b);
	fa = vgem_fence_attach(vgem, &a.bo, VGEM_FENCE_WRITE);
	fb = vgem_fence_attach(vgem, &b.bo, VGEM_FENCE_WRITE);
	sync_a = dmabuf_export_sync_file(a.dmabuf, DMA_BUF_SYNC_RW);
	sync_b = dmabuf_export_sync_file(b.dmabuf, DMA_BUF_SYNC_RW);
	merged = sync_fence_merge(sync_a, sync_b);
	igt_assert_fd(merged);
	dmabuf_import_sync_file(bo.dmabuf, DMA_BUF_SYNC_WRITE, merged);
	close(sync_a);
	close(sync_b);
	close(merged);

	igt_assert_eq(ready(bo.dmabuf), 0);
	vgem_fence_signal(vgem, fb);
	igt_assert_eq(ready(bo.dmabuf), 0);
	vgem_fence_signal(vgem, fa);
	igt_assert_eq(ready(bo.dmabuf), POLLIN | POLLOUT);
	unmake(&a);
	unmake(&b);
	endpoint_destroy(&bo);
}

/* vgem's own conflict test must see a fence that came by sync_file. */
static void test_sync_file_makes_busy(int vgem)
{
	struct drm_vgem_fence_attach arg = { .flags = VGEM_FENCE_WRITE };
	struct fenced a, b;
	uint32_t fence;
	int sync;

	make(vgem, &a);
	make(vgem, &b);
	fence = vgem_fence_attach(vgem, &a.bo, VGEM_FENCE_WRITE);
	sync = dmabuf_export_sync_file(a.dmabuf, DMA_BUF_SYNC_RW);
	dmabuf_import_sync_file(b.dmabuf, DMA_BUF_SYNC_WRITE, sync);
	close(sync);
	arg.handle = b.bo.handle;
	do_ioctl_err(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg, EBUSY);
	vgem_fence_signal(vgem, fence);
	do_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);
	vgem_fence_signal(vgem, arg.out_fence);
	unmake(&a);
	unmake(&b);
}

/* Fences belong to the memory: vgem can fence what another device exported. */
static void test_fence_on_import(int vgem, const struct endpoint *from)
{
	struct endpoint_bo bo;
	struct vgem_bo mine;
	uint32_t fence;

	endpoint_create(from, 32, 32, &bo);
	mine.handle = prime_fd_to_handle(vgem, bo.dmabuf);
	fence = vgem_fence_attach(vgem, &mine, VGEM_FENCE_WRITE);
	igt_assert_eq(ready(bo.dmabuf), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(ready(bo.dmabuf), POLLIN | POLLOUT);

	/* The fence stays when the importer's handle goes. */
	fence = vgem_fence_attach(vgem, &mine, 0);
	gem_close(vgem, mine.handle);
	igt_assert_eq(ready(bo.dmabuf), POLLIN);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(ready(bo.dmabuf), POLLIN | POLLOUT);
	endpoint_destroy(&bo);
}

static void *wait_in_sync(void *data)
{
	struct waiter *w = data;
	struct dma_buf_sync arg = { .flags = w->sync_flags };

	w->tid = syscall(SYS_gettid);
	w->result = ioctl(w->p.fd, DMA_BUF_IOCTL_SYNC, &arg) ? -errno : 0;
	w->done = true;
	return NULL;
}

static void start_sync(struct waiter *w, int fd, uint64_t flags)
{
	*w = (struct waiter){ .p = { .fd = fd }, .sync_flags = flags };
	start_thread(w, wait_in_sync);
}

/* The CPU is one more user: it waits for what conflicts, and for that only. */
static void test_cpu_access_waits(int vgem)
{
	struct waiter w;
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	start_sync(&w, f.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	vgem_fence_signal(vgem, fence);
	pthread_join(w.thread, NULL);
	igt_assert_eq(w.result, 0);

	fence = vgem_fence_attach(vgem, &f.bo, 0);
	prime_sync_start(f.dmabuf, false);
	prime_sync_end(f.dmabuf, false);
	start_sync(&w, f.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	vgem_fence_signal(vgem, fence);
	pthread_join(w.thread, NULL);
	igt_assert_eq(w.result, 0);
	unmake(&f);
}

static void do_nothing(int sig)
{
	(void)sig;
}

static void test_cpu_access_interrupted(int vgem)
{
	struct sigaction sa = { .sa_handler = do_nothing }, old;
	struct waiter w;
	struct fenced f;
	uint32_t fence;

	make(vgem, &f);
	do_or_die(sigaction(SIGUSR1, &sa, &old));
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	start_sync(&w, f.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	pthread_kill(w.thread, SIGUSR1);
	pthread_join(w.thread, NULL);
	igt_assert_eq(w.result, -EINTR);
	igt_assert(dmabuf_busy(f.dmabuf, DMA_BUF_SYNC_READ));
	vgem_fence_signal(vgem, fence);
	do_or_die(sigaction(SIGUSR1, &old, NULL));
	unmake(&f);
}

/* Whoever closes the device, or dies, leaves nobody waiting. */
static void test_file_close_signals(int vgem)
{
	int other = drm_reopen_driver(vgem);
	struct waiter w;
	struct fenced f;

	make(other, &f);
	vgem_fence_attach(other, &f.bo, VGEM_FENCE_WRITE);
	start_waiter(&w, f.dmabuf, POLLIN);
	close(other);
	expect_woken(&w, POLLIN);
	igt_assert_eq(ready(f.dmabuf), POLLIN | POLLOUT);
	close(f.dmabuf);
}

static void test_killed_signals(int vgem)
{
	struct igt_helper_process proc = { .use_SIGKILL = true };
	struct waiter w;
	int dmabuf, sk[2];

	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	igt_fork_helper(&proc) {
		struct fenced f;

		make(drm_reopen_driver(vgem), &f);
		vgem_fence_attach(f.fd, &f.bo, VGEM_FENCE_WRITE);
		send_fd(sk[1], f.dmabuf);
		pause();
	}
	dmabuf = receive_fd(sk[0]);
	igt_assert_eq(ready(dmabuf), 0);
	start_waiter(&w, dmabuf, POLLOUT);
	igt_stop_helper(&proc);
	expect_woken(&w, POLLOUT);
	close(dmabuf);
	close(sk[0]);
	close(sk[1]);
}

/* A fence that ends in an error has ended: it wakes as well. */
static void test_error_fence(int vgem)
{
	struct waiter w;
	struct fenced f;
	int timeline, fence;

	igt_require_sw_sync();
	make(vgem, &f);
	timeline = sw_sync_timeline_create();
	fence = sw_sync_timeline_create_fence(timeline, 1);
	dmabuf_import_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE, fence);
	start_waiter(&w, f.dmabuf, POLLIN);
	close(timeline);
	expect_woken(&w, POLLIN);
	igt_assert_lt(sync_fence_status(fence), 0);
	close(fence);
	unmake(&f);
}

static const struct {
	const char *name, *describe;
	void (*run)(int vgem);
} tests[] = {
	{ "poll-read-fence", "a reader's fence stops writers only",
	  test_poll_read },
	{ "poll-write-fence", "a writer's fence stops everybody",
	  test_poll_write },
	{ "poll-many-readers", "a writer waits for the last reader",
	  test_poll_many_readers },
	{ "poll-timeout", "poll keeps its time limit", test_poll_timeout },
	{ "poll-wakes", "a sleeping poll wakes when the fence signals",
	  test_poll_wakes },
	{ "poll-many-waiters", "one fence wakes every poller",
	  test_poll_many_waiters },
	{ "poll-second-fence", "a wake-up for one of two fences is not the end",
	  test_poll_second_fence },
	{ "close-while-polled", "the descriptor is closed under a poller",
	  test_close_while_polled },
	{ "close-while-armed", "the buffer goes when its last callback has run",
	  test_close_while_armed },
	{ "epoll-level", "epoll by level", test_epoll_level },
	{ "epoll-edge", "epoll by edge", test_epoll_edge },
	{ "epoll-edge-once", "one signalled fence is one edge",
	  test_epoll_edge_once },
	{ "epoll-close", "epoll and dma-buf closed in both orders",
	  test_epoll_close },
	{ "sync-file-export", "readers' and writers' fences as sync_file",
	  test_sync_file_export },
	{ "sync-file-snapshot", "a sync_file holds what was pending, no more",
	  test_sync_file_snapshot },
	{ "sync-file-array", "several fences leave as one",
	  test_sync_file_array },
	{ "sync-file-makes-busy", "an imported fence makes vgem say EBUSY",
	  test_sync_file_makes_busy },
	{ "cpu-access-waits", "SYNC start waits for fences that conflict",
	  test_cpu_access_waits },
	{ "cpu-access-interrupted", "a signal ends the wait of SYNC start",
	  test_cpu_access_interrupted },
	{ "file-close-signals", "closing vgem signals its fences",
	  test_file_close_signals },
	{ "killed-signals", "a killed process leaves no pending fence",
	  test_killed_signals },
	{ "error-fence", "a fence that ends in an error wakes",
	  test_error_fence },
};

static const struct {
	const char *name, *describe;
	void (*run)(int vgem, const struct endpoint *ep);
} pair_tests[] = {
	{ "sync-file-import", "a vgem fence carried into another buffer",
	  test_sync_file_import },
	{ "sync-file-import-merged", "a merged sync_file brings all its fences",
	  test_sync_file_import_merged },
	{ "fence-on-import", "vgem fences a buffer that it imported",
	  test_fence_on_import },
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int vgem = -1, num = 0;

	igt_fixture {
		vgem = drm_open_driver(DRIVER_VGEM);
		igt_require(vgem_has_fences(vgem));
		drm_load_module(DRIVER_VKMS);
		num = endpoints_open(eps, MAX_ENDPOINTS);
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest(tests[t].name)
			tests[t].run(vgem);
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(pair_tests); t++) {
		igt_describe(pair_tests[t].describe);
		igt_subtest_with_dynamic(pair_tests[t].name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name)
					pair_tests[t].run(vgem, &eps[i]);
			}
		}
	}

	igt_fixture {
		endpoints_close(eps, num);
		close(vgem);
	}
}
