// SPDX-License-Identifier: MIT
/* Fences that nobody signals: their owner closes, dies, or fails. */

#include <sys/socket.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "sw_sync.h"

#include "fences.h"

/* Whoever closes the device, or dies, leaves nobody waiting. */
static void test_file_close_signals(int vgem)
{
	int other = drm_reopen_driver(vgem);
	struct waiter w;
	struct fenced f;

	fenced_make(other, &f);
	vgem_fence_attach(other, &f.bo, VGEM_FENCE_WRITE);
	waiter_start_poll(&w, f.dmabuf, POLLIN);
	close(other);
	waiter_expect_woken(&w, POLLIN);
	igt_assert_eq(dmabuf_ready(f.dmabuf), POLLIN | POLLOUT);
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

		fenced_make(drm_reopen_driver(vgem), &f);
		vgem_fence_attach(f.fd, &f.bo, VGEM_FENCE_WRITE);
		send_fd(sk[1], f.dmabuf);
		pause();
	}
	dmabuf = receive_fd(sk[0]);
	igt_assert_eq(dmabuf_ready(dmabuf), 0);
	waiter_start_poll(&w, dmabuf, POLLOUT);
	igt_stop_helper(&proc);
	waiter_expect_woken(&w, POLLOUT);
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
	fenced_make(vgem, &f);
	timeline = sw_sync_timeline_create();
	fence = sw_sync_timeline_create_fence(timeline, 1);
	dmabuf_import_sync_file(f.dmabuf, DMA_BUF_SYNC_WRITE, fence);
	waiter_start_poll(&w, f.dmabuf, POLLIN);
	close(timeline);
	waiter_expect_woken(&w, POLLIN);
	igt_assert_lt(sync_fence_status(fence), 0);
	close(fence);
	fenced_unmake(&f);
}

const struct fence_test ending_tests[] = {
	{ "file-close-signals", "closing vgem signals its fences",
	  test_file_close_signals },
	{ "killed-signals", "a killed process leaves no pending fence",
	  test_killed_signals },
	{ "error-fence", "a fence that ends in an error wakes",
	  test_error_fence },
	{}
};
