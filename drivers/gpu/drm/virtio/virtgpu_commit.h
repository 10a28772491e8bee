/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_COMMIT_H_
#define _VIRTGPU_COMMIT_H_

#include <linux/jiffies.h>
#include <linux/types.h>

struct drm_atomic_state;
struct drm_device;

/* How long a commit waits until the host has its frames. */
#define VGPU_FRAME_TIMEOUT msecs_to_jiffies(50)

int vgpu_commit(struct drm_device *drm, struct drm_atomic_state *atomic,
		bool nonblock);

#endif
