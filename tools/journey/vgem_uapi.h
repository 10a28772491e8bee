/* SPDX-License-Identifier: MIT */
/*
 * The ioctls of vgem, which neither libdrm nor Debian's linux-libc-dev brings:
 * they drop the kernel's vgem_drm.h.
 */
#ifndef JOURNEY_VGEM_UAPI_H
#define JOURNEY_VGEM_UAPI_H

#include <drm.h>

/* Puts a fence on the buffer @handle; the fence expires after 10 seconds. */
struct vgem_attach {
	__u32 handle;
	__u32 flags;
	__u32 fence; /* out */
	__u32 zero;
};

/* Signals the @fence of an earlier attach, and forgets it. */
struct vgem_signal {
	__u32 fence;
	__u32 flags;
};

/* A flag of attach: the buffer is being written, not only read. */
#define VGEM_WRITE 1

#define VGEM_IOCTL_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_attach)
#define VGEM_IOCTL_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_signal)

#endif
