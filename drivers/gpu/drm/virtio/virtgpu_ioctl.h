/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_IOCTL_H_
#define _VIRTGPU_IOCTL_H_

#include <drm/drm_ioctl.h>

/* One more than there are, for they count from 1. */
#define VGPU_NUM_IOCTLS 12

extern const struct drm_ioctl_desc vgpu_ioctls[VGPU_NUM_IOCTLS];

#endif
