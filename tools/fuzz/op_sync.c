// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences that user space makes and signals, and the files they come in.
 *
 * a, b: which timeline or sync file   value: a sequence number
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "argument.h"
#include "objects.h"
#include "operations.h"

/* The interface of debugfs' sw_sync, which no header of user space has. */
struct sw_sync_fence {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_CREATE _IOWR('W', 0, struct sw_sync_fence)
#define SW_SYNC_INC    _IOW('W', 1, __u32)

/* The same for sync files in newer kernels than the headers are of. */
struct sync_deadline {
	__u64 deadline_ns;
	__u64 pad;
};

#define SYNC_SET_DEADLINE _IOW('>', 5, struct sync_deadline)

static int timeline_new(void)
{
	return open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
}

static int fence_new(int timeline)
{
	struct sw_sync_fence fence = { .value = 1, .name = "fuzz" };

	return ioctl(timeline, SW_SYNC_CREATE, &fence) ? -1 : fence.fence;
}

/* For who needs one and has none. */
void timeline_make(bool with_fence)
{
	int timeline = file_add(timeline_new(), KIND_TIMELINE);

	if (with_fence && timeline >= 0)
		file_add(fence_new(timeline), KIND_SYNC);
}

/*
 * Left out: to close a timeline with fences that are pending.  Stock sw_sync then
 * signals them under its lock and holds no reference: if the callback drops the
 * last one, the fence's end waits for that lock for ever.  See README.md.
 */
void timeline_end(int timeline)
{
	__u32 all = INT32_MAX;

	ioctl(timeline, SW_SYNC_INC, &all);
}

long op_timeline_open(const struct step *step)
{
	(void)step;
	return file_add(CALL(timeline_new()), KIND_TIMELINE);
}

long op_timeline_fence(const struct step *step)
{
	struct sw_sync_fence fence = { .value = number(step->value),
				       .name = "fuzz",
				       .fence = -1 };
	long result = call_ioctl(file_find(KIND_TIMELINE, step->a).fd,
				 SW_SYNC_CREATE, &fence, sizeof(fence));

	if (result >= 0)
		file_add(fence.fence, KIND_SYNC);
	return result;
}

/* b beyond 0xe0: by any number, else by a few */
long op_timeline_inc(const struct step *step)
{
	__u32 by = step->b >= 0xe0 ? number(step->value) : step->b % 8;

	return call_ioctl(file_find(KIND_TIMELINE, step->a).fd, SW_SYNC_INC,
			  &by, sizeof(by));
}

long op_sync_merge(const struct step *step)
{
	struct sync_merge_data merge = {
		.name = "both",
		.fd2 = file_find(KIND_SYNC, step->b).fd,
		.fence = -1,
		.flags = step->c >= 0xf0 ? step->value : 0,
	};
	long result = call_ioctl(file_find(KIND_SYNC, step->a).fd,
				 SYNC_IOC_MERGE, &merge, sizeof(merge));

	if (result >= 0)
		file_add(merge.fence, KIND_SYNC);
	return result;
}

/* b: how many fences there is room for */
long op_sync_info(const struct step *step)
{
	static __thread struct sync_fence_info fences[8];
	struct sync_file_info info = {
		.num_fences = step->b % 9,
		.sync_fence_info = step->b % 9 ? (uintptr_t)fences : 0,
		.flags = step->c >= 0xf0 ? step->value : 0,
	};

	return call_ioctl(file_find(KIND_SYNC, step->a).fd, SYNC_IOC_FILE_INFO,
			  &info, sizeof(info));
}

long op_sync_deadline(const struct step *step)
{
	struct sync_deadline deadline = {
		.deadline_ns = number(step->value),
		.pad = step->c >= 0xf0,
	};

	return call_ioctl(file_find(KIND_SYNC, step->a).fd, SYNC_SET_DEADLINE,
			  &deadline, sizeof(deadline));
}
