// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgem's two ioctls: a fence attached to a buffer, and signalled.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem.h"
#include "parity.h"

static long attach(int drm, uint32_t handle, uint32_t flags, uint32_t pad,
		   uint32_t *fence)
{
	struct drm_vgem_fence_attach arg = {
		.handle = handle, .flags = flags, .out_fence = 0xbad, .pad = pad
	};
	long ret = try_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);

	*fence = arg.out_fence;
	return ret;
}

static long signal_fence(int drm, uint32_t fence, uint32_t flags)
{
	struct drm_vgem_fence_signal arg = { .fence = fence, .flags = flags };

	return try_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg);
}

static const char *ready(struct buffer *b)
{
	return poll_now(b->fd, POLLIN | POLLOUT);
}

static void say_fence(struct buffer *b, uint32_t flags, const char *name)
{
	int drm = b->by->ep.fd;
	uint32_t fence;
	long ret;

	ret = attach(drm, b->handle, flags, 0, &fence);
	say(text("%s", name), text("ATTACH of a %s's fence", name),
	    "%s, %s, poll %s", answer(ret), fence ? "a handle" : "0", ready(b));
	ret = signal_fence(drm, fence, 0);
	say(text("%s-signal", name), "SIGNAL", "%s, poll %s", answer(ret),
	    ready(b));
	say_ret(text("%s-twice", name), "SIGNAL a second time",
		signal_fence(drm, fence, 0));
}

/* Which fence may join which. */
static void say_conflicts(struct buffer *b)
{
	static const char *const names[] = { "reader", "writer" };
	int drm = b->by->ep.fd;
	uint32_t one, two;
	long ret;

	for (uint32_t first = 0; first < 2; first++) {
		for (uint32_t second = 0; second < 2; second++) {
			attach(drm, b->handle, first, 0, &one);
			ret = attach(drm, b->handle, second, 0, &two);
			say(text("%s-then-%s", names[first], names[second]),
			    text("a %s's fence beside a pending %s's",
				 names[second], names[first]),
			    "%s, poll %s", answer(ret), ready(b));
			signal_fence(drm, one, 0);
			if (!ret)
				signal_fence(drm, two, 0);
		}
	}
}

/* Numbers that fences get, one after the other, signalled in between or not. */
static void say_numbering(struct buffer *b)
{
	int drm = drm_again(b->by);
	uint32_t handle = prime_fd_to_handle(drm, b->fd), fence;
	struct list l = {};

	for (int i = 1; i <= 3; i++) {
		attach(drm, handle, 0, 0, &fence);
		list_add(&l, text("%d:", i), answer(fence));
	}
	signal_fence(drm, 2, 0);
	attach(drm, handle, 0, 0, &fence);
	list_add(&l, "4, when the second is signalled:", answer(fence));
	say("numbers", "the handles of a new file's first fences", "%s",
	    l.text);
	close(drm);
	say("closed", "the buffer when that file is closed", "poll %s",
	    ready(b));
}

static void say_bad_attach(struct buffer *b)
{
	int drm = b->by->ep.fd;
	struct ranges bits = {}, pads = {};
	uint32_t fence;
	long ret;

	for (int bit = 1; bit < 32; bit++) {
		ret = attach(drm, b->handle, 1u << bit | 1, 0, &fence);
		ranges_add(&bits, bit, text("%s, out %#x", answer(ret), fence));
	}
	say("attach-bits", "ATTACH with each unknown flag bit and WRITE", "%s",
	    ranges_end(&bits));
	for (int bit = 0; bit < 32; bit++) {
		ret = attach(drm, b->handle, 0, 1u << bit, &fence);
		ranges_add(&pads, bit, answer(ret));
	}
	say("attach-pad", "ATTACH with each bit of the pad", "%s",
	    ranges_end(&pads));
	say_ret("attach-handle-0", "ATTACH to handle 0",
		attach(drm, 0, 0, 0, &fence));
	say_ret("attach-handle-bad", "ATTACH to a handle that never was",
		attach(drm, 0x7fffffff, 0, 0, &fence));
	say("attach-unharmed", "the buffer after all these", "poll %s",
	    ready(b));
}

static void say_bad_signal(struct buffer *b)
{
	static const uint32_t bad[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff };
	int drm = b->by->ep.fd, other = drm_again(b->by);
	struct ranges bits = {};
	uint32_t fence;

	attach(drm, b->handle, VGEM_FENCE_WRITE, 0, &fence);
	for (int bit = 0; bit < 32; bit++)
		ranges_add(&bits, bit,
			   answer(signal_fence(drm, fence, 1u << bit)));
	say("signal-bits", "SIGNAL with each flag bit", "%s",
	    ranges_end(&bits));
	for (unsigned int i = 0; i < N(bad); i++)
		say_ret(text("signal-%x", bad[i]),
			text("SIGNAL of %#x", bad[i]),
			signal_fence(drm, bad[i], 0));
	say_ret("signal-other", "SIGNAL through another file",
		signal_fence(other, fence, 0));
	say("signal-unharmed", "the buffer after all these", "poll %s",
	    ready(b));
	say_ret("signal-after", "SIGNAL as it should be",
		signal_fence(drm, fence, 0));
	close(other);
}

/* How the fence is called where it is seen. */
static void say_names(struct buffer *b)
{
	struct dma_buf_export_sync_file sync = { .flags = DMA_BUF_SYNC_RW };
	struct sync_fence_info fence = {};
	struct sync_file_info info = { .num_fences = 1 };
	int drm = b->by->ep.fd;
	uint32_t handle;

	info.sync_fence_info = to_user_pointer(&fence);
	attach(drm, b->handle, VGEM_FENCE_WRITE, 0, &handle);
	try_ioctl(b->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &sync);
	signal_fence(drm, handle, 0);
	try_ioctl(sync.fd, SYNC_IOC_FILE_INFO, &info);
	say("names", "driver and timeline of a fence, and its status",
	    "%s, %s, %d", fence.driver_name, fence.obj_name, fence.status);
	close(sync.fd);
}

/* Many buffers, so that no reservation object gets long. */
static void say_most(struct buffer *b)
{
	int drm = drm_again(b->by);
	uint32_t handles[256], fence;
	unsigned int i;
	long ret = 0;

	for (i = 0; i < N(handles); i++) {
		struct vgem_bo bo = { .width = 1, .height = 1, .bpp = 32 };

		vgem_create(drm, &bo);
		handles[i] = bo.handle;
	}
	for (i = 0; i < 66000 && !ret; i++)
		ret = attach(drm, handles[i % N(handles)], 0, 0, &fence);
	say("most", "how many of 66000 fences one file may have pending",
	    "%u, then %s", ret ? i - 1 : i, answer(ret));
	close(drm);
}

/* Through an imported handle, and through the render node. */
static void say_elsewhere(struct buffer *b)
{
	int other = drm_again(b->by), render = drm_render(b->by);
	uint32_t handle, fence;
	long ret;

	handle = prime_fd_to_handle(other, b->fd);
	ret = attach(other, handle, VGEM_FENCE_WRITE, 0, &fence);
	say("import", "ATTACH through another file's handle", "%s, poll %s",
	    answer(ret), ready(b));
	say_ret("import-beside", "ATTACH through the own handle beside that",
		attach(b->by->ep.fd, b->handle, 0, 0, &handle));
	signal_fence(other, fence, 0);
	handle = prime_fd_to_handle(render, b->fd);
	ret = attach(render, handle, 0, 0, &fence);
	say("render", "ATTACH through the render node", "%s, poll %s",
	    answer(ret), ready(b));
	ret = signal_fence(render, fence, 0);
	say("render-signal", "SIGNAL through the render node", "%s, poll %s",
	    answer(ret), ready(b));
	close(other);
	close(render);
}

void run_vgem(struct buffer *b)
{
	struct drm_vgem_fence_attach good = { .handle = 0x7ffffff0 };
	struct drm_vgem_fence_signal fence = { .fence = 0x7ffffff0 };
	int drm = b->by->ep.fd;

	say_fence(b, 0, "reader");
	say_fence(b, VGEM_FENCE_WRITE, "writer");
	say_conflicts(b);
	say_numbering(b);
	say_bad_attach(b);
	say_bad_signal(b);
	say_elsewhere(b);
	say_names(b);
	if (!leave_out_timed)
		say_most(b);
	say_numbers(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &good);
	say_pointers(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &good);
	say_ret("signal-null", "SIGNAL with a null pointer",
		try_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, NULL));
	say_ret("signal-unknown", "SIGNAL of what never was",
		try_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &fence));
}

/* Nobody signals: poll() ends all the same, and SIGNAL says what happened. */
void run_vgem_expiry(struct buffer *b)
{
	struct dma_buf_export_sync_file sync = { .flags = DMA_BUF_SYNC_RW };
	struct pollfd p = { .fd = b->fd, .events = POLLOUT };
	uint32_t fences[300], last;
	struct ranges first = {}, again = {};
	int drm = b->by->ep.fd, ret;

	for (unsigned int i = 0; i < N(fences); i++)
		attach(drm, b->handle, 0, 0, &fences[i]);
	try_ioctl(b->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &sync);
	ret = poll(&p, 1, 60000);
	say("wait", "a sleeper for OUT, 300 fences that nobody signals",
	    "%d, %s", ret, events_text((unsigned short)p.revents));
	say("sync-file", "a sync file exported before", "%s",
	    poll_now(sync.fd, POLLIN));
	for (unsigned int i = 0; i < N(fences); i++)
		ranges_add(&first, i, answer(signal_fence(drm, fences[i], 0)));
	say("signal", "SIGNAL of each expired fence, the oldest first", "%s",
	    ranges_end(&first));
	for (unsigned int i = 0; i < N(fences); i++)
		ranges_add(&again, i, answer(signal_fence(drm, fences[i], 0)));
	say("signal-again", "SIGNAL of each a second time", "%s",
	    ranges_end(&again));
	say_ret("attach", "ATTACH of a writer's fence then",
		attach(drm, b->handle, VGEM_FENCE_WRITE, 0, &last));
	say_ret("attach-signal", "SIGNAL of that", signal_fence(drm, last, 0));
	close(sync.fd);
}
