/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_COMMIT_H_
#define _VIRTGPU_COMMIT_H_

#include <linux/types.h>

struct drm_atomic_state;
struct drm_device;

int vgpu_commit(struct drm_device *drm, struct drm_atomic_state *atomic,
		bool nonblock);

#endif
