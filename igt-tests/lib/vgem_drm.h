/* SPDX-License-Identifier: MIT */
/* vgem's two ioctls, which libdrm has no header for. */
#ifndef VGEM_DRM_H
#define VGEM_DRM_H

#include <drm.h>

#define VGEM_FENCE_WRITE 0x1

struct drm_vgem_fence_attach {
	__u32 handle; /* in: the GEM object */
	__u32 flags; /* in: 0 or VGEM_FENCE_WRITE */
	__u32 out_fence; /* out: never 0 */
	__u32 pad; /* must be 0 */
};

struct drm_vgem_fence_signal {
	__u32 fence; /* in: what attach gave */
	__u32 flags; /* must be 0 */
};

#define DRM_VGEM_FENCE_ATTACH 0x1
#define DRM_VGEM_FENCE_SIGNAL 0x2
#define DRM_IOCTL_VGEM_FENCE_ATTACH                        \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VGEM_FENCE_ATTACH, \
		 struct drm_vgem_fence_attach)
#define DRM_IOCTL_VGEM_FENCE_SIGNAL                       \
	DRM_IOW(DRM_COMMAND_BASE + DRM_VGEM_FENCE_SIGNAL, \
		struct drm_vgem_fence_signal)

#endif
