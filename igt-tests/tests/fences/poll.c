// SPDX-License-Identifier: MIT
/* Fences as poll() and epoll show them, and what is closed meanwhile. */

#include <sched.h>
#include <sys/epoll.h>

#include "igt.h"

#include "../poll_for.h"
#include "fences.h"

static void test_poll_read(int vgem)
{
	struct fenced f;
	uint32_t fence;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, 0);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN | POLLOUT);
	fenced_unmake(&f);
}

static void test_poll_write(int vgem)
{
	struct fenced f;
	uint32_t fence;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(dmabuf_ready(f.dmabuf), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN | POLLOUT);
	fenced_unmake(&f);
}

/* All readers must be done before a writer may start. */
static void test_poll_many_readers(int vgem)
{
	uint32_t fence[8];
	struct fenced f;

	fenced_make(vgem, &f);
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++)
		fence[i] = vgem_fence_attach(vgem, &f.bo, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(fence); i++) {
		igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN);
		vgem_fence_signal(vgem, fence[i * 3 % ARRAY_SIZE(fence)]);
	}
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN | POLLOUT);
	fenced_unmake(&f);
}

static void test_poll_timeout(int vgem)
{
	struct timespec start = {};
	struct fenced f;
	uint32_t fence;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	igt_nsec_elapsed(&start);
	igt_assert_eq(poll_for(f.dmabuf, POLLIN | POLLOUT, 30), 0);
	igt_assert(igt_nsec_elapsed(&start) >= 30 * 1000000ull);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN | POLLOUT);
	fenced_unmake(&f);
}

static void test_poll_wakes(int vgem)
{
	static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT };
	struct waiter w;
	struct fenced f;
	uint32_t fence;

	fenced_make(vgem, &f);
	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++) {
		fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
		waiter_start_poll(&w, f.dmabuf, events[i]);
		vgem_fence_signal(vgem, fence);
		waiter_expect_woken(&w, events[i]);
	}
	fenced_unmake(&f);
}

/* There is one callback a buffer and direction, and any number of pollers. */
static void test_poll_many_waiters(int vgem)
{
	struct waiter w[6];
	struct fenced f;
	uint32_t fence;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	for (unsigned int i = 0; i < ARRAY_SIZE(w); i++)
		waiter_start_poll(&w[i], f.dmabuf, i % 2 ? POLLIN : POLLOUT);
	vgem_fence_signal(vgem, fence);
	for (unsigned int i = 0; i < ARRAY_SIZE(w); i++)
		waiter_expect_woken(&w[i], i % 2 ? POLLIN : POLLOUT);
	fenced_unmake(&f);
}

/* The writer waits for both readers, however the first wake-up comes. */
static void test_poll_second_fence(int vgem)
{
	struct waiter w;
	struct fenced f;
	uint32_t a, b;

	fenced_make(vgem, &f);
	a = vgem_fence_attach(vgem, &f.bo, 0);
	b = vgem_fence_attach(vgem, &f.bo, 0);
	waiter_start_poll(&w, f.dmabuf, POLLOUT);
	vgem_fence_signal(vgem, a);
	waiter_until_asleep(&w);
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN);
	vgem_fence_signal(vgem, b);
	waiter_expect_woken(&w, POLLOUT);
	fenced_unmake(&f);
}

/* The descriptor goes while a thread sleeps in poll and a callback is armed. */
static void test_close_while_polled(int vgem)
{
	struct waiter w;
	struct fenced f;
	uint32_t fence;
	ino_t inode;

	fenced_make(vgem, &f);
	inode = dmabuf_inode(f.dmabuf);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	waiter_start_poll(&w, f.dmabuf, POLLIN);
	fenced_unmake(&f);
	igt_assert_neq(dmabuf_alive(inode), 0);
	vgem_fence_signal(vgem, fence);
	/* poll() looks the descriptor up again when it wakes. */
	waiter_expect_woken(&w, POLLNVAL);
}

/* As above, but nobody sleeps: only the armed callback holds the buffer. */
static void test_close_while_armed(int vgem)
{
	struct fenced f;
	uint32_t fence;
	ino_t inode;

	fenced_make(vgem, &f);
	inode = dmabuf_inode(f.dmabuf);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	igt_assert_eq(dmabuf_ready(f.dmabuf), 0);
	fenced_unmake(&f);
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

	fenced_make(vgem, &f);
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
	fenced_unmake(&f);
}

static void test_epoll_edge(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLET);
	igt_assert_eq(epoll_get(ep, 0), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(epoll_get(ep, WAKE_MS), EPOLLIN);
	close(ep);
	fenced_unmake(&f);
}

/* One edge is one event: looking at an idle buffer must not make another. */
static void test_epoll_edge_once(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLET);
	igt_assert_eq(epoll_get(ep, 0), 0);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(epoll_get(ep, WAKE_MS), EPOLLIN);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(epoll_get(ep, 0), 0);
	close(ep);
	fenced_unmake(&f);
}

static void test_epoll_close(int vgem)
{
	struct fenced f;
	uint32_t fence;
	int ep;

	/* First the epoll descriptor, then the dma-buf. */
	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLOUT);
	igt_assert_eq(epoll_get(ep, 0), 0);
	close(ep);
	vgem_fence_signal(vgem, fence);
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN | POLLOUT);
	fenced_unmake(&f);

	/* The other way round. */
	fenced_make(vgem, &f);
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	ep = epoll_on(f.dmabuf, EPOLLIN | EPOLLOUT);
	igt_assert_eq(epoll_get(ep, 0), 0);
	fenced_unmake(&f);
	vgem_fence_signal(vgem, fence);
	close(ep);
}

const struct fence_test poll_tests[] = {
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
	{}
};
