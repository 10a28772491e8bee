/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_COMMIT_H_
#define _VIRTGPU_COMMIT_H_

#include <linux/jiffies.h>
#include <linux/types.h>

struct drm_atomic_state;
struct drm_device;
struct vgpu_device;
struct work_struct;

/* How long a commit waits for room in the queue, and until the host has its frames. */
#define VGPU_FRAME_TIMEOUT msecs_to_jiffies(50)

/*
 * How long until what could not be shown is tried again, and how often: while a host that
 * does not answer is waited for at all.
 */
#define VGPU_REPAY_DELAY (HZ / 2)
#define VGPU_REPAY_TRIES (VGPU_FENCE_TIMEOUT / VGPU_REPAY_DELAY)

int vgpu_commit(struct drm_device *drm, struct drm_atomic_state *atomic,
		bool nonblock);
void vgpu_commit_owe(struct vgpu_device *vgpu);
void vgpu_commit_owe_later(struct vgpu_device *vgpu);
void vgpu_commit_look(struct vgpu_device *vgpu);
void vgpu_commit_repay(struct work_struct *work);

#endif
