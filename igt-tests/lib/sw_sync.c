// SPDX-License-Identifier: MIT
/* Fences that user space signals. */

#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "drmtest.h"
#include "igt_debugfs.h"
#include "ioctl_wrappers.h"
#include "sw_sync.h"

/* The kernel keeps these to itself: sw_sync is a debugging aid. */
struct sw_sync_fence_arg {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_CREATE_FENCE _IOWR('W', 0, struct sw_sync_fence_arg)
#define SW_SYNC_INC	     _IOW('W', 1, uint32_t)

static int open_sw_sync(void)
{
	const char *root = igt_debugfs_mount();
	char path[128];

	if (!root)
		return -1;
	snprintf(path, sizeof(path), "%s/sync/sw_sync", root);
	return open(path, O_RDWR | O_CLOEXEC);
}

void igt_require_sw_sync(void)
{
	int fd = open_sw_sync();

	igt_require_f(fd >= 0, "sw_sync is not there (CONFIG_SW_SYNC, root)\n");
	close(fd);
}

int sw_sync_timeline_create(void)
{
	int fd = open_sw_sync();

	igt_assert_fd(fd);
	return fd;
}

void sw_sync_timeline_inc(int timeline, uint32_t count)
{
	do_ioctl(timeline, SW_SYNC_INC, &count);
}

int sw_sync_timeline_create_fence(int timeline, uint32_t seqno)
{
	struct sw_sync_fence_arg arg = { .value = seqno, .fence = -1 };

	do_ioctl(timeline, SW_SYNC_CREATE_FENCE, &arg);
	igt_assert_fd(arg.fence);
	return arg.fence;
}

int sync_fence_merge(int fence1, int fence2)
{
	struct sync_merge_data arg = { .name = "merged", .fd2 = fence2 };

	if (ioctl(fence1, SYNC_IOC_MERGE, &arg))
		return -errno;
	return arg.fence;
}

int sync_fence_wait(int fence, int timeout)
{
	struct pollfd p = { .fd = fence, .events = POLLIN };
	int ret = poll(&p, 1, timeout);

	if (ret < 0)
		return -errno;
	if (ret == 0)
		return -ETIME;
	return p.revents & (POLLERR | POLLNVAL) ? -EINVAL : 0;
}

static int fence_info(int fence, struct sync_file_info *info)
{
	memset(info, 0, sizeof(*info));
	return ioctl(fence, SYNC_IOC_FILE_INFO, info) ? -errno : 0;
}

int sync_fence_status(int fence)
{
	struct sync_file_info info;

	return fence_info(fence, &info) ?: info.status;
}

int sync_fence_count(int fence)
{
	struct sync_file_info info;

	return fence_info(fence, &info) ?: (int)info.num_fences;
}
