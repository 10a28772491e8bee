// SPDX-License-Identifier: MIT
/* The CPU, which DMA_BUF_IOCTL_SYNC has wait for fences. */

#include <linux/dma-buf.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "dmabuf_sync_file.h"
#include "igt.h"

#include "fences.h"

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
	waiter_start(w, wait_in_sync);
}

/* The CPU is one more user: it waits for what conflicts, and for that only. */
static void test_cpu_access_waits(int vgem)
{
	struct waiter w;
	struct fenced f;
	uint32_t fence;

	fenced_make(vgem, &f);
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
	fenced_unmake(&f);
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

	fenced_make(vgem, &f);
	do_or_die(sigaction(SIGUSR1, &sa, &old));
	fence = vgem_fence_attach(vgem, &f.bo, VGEM_FENCE_WRITE);
	start_sync(&w, f.dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	pthread_kill(w.thread, SIGUSR1);
	pthread_join(w.thread, NULL);
	igt_assert_eq(w.result, -EINTR);
	igt_assert(dmabuf_busy(f.dmabuf, DMA_BUF_SYNC_READ));
	vgem_fence_signal(vgem, fence);
	do_or_die(sigaction(SIGUSR1, &old, NULL));
	fenced_unmake(&f);
}

const struct fence_test cpu_access_tests[] = {
	{ "cpu-access-waits", "SYNC start waits for fences that conflict",
	  test_cpu_access_waits },
	{ "cpu-access-interrupted", "a signal ends the wait of SYNC start",
	  test_cpu_access_interrupted },
	{}
};
