/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_ORDER_H_
#define _VIRTGPU_ORDER_H_

#include <linux/types.h>

struct drm_gem_object;
struct vgpu_cmd;
struct vgpu_device;

int vgpu_order_wait(struct vgpu_device *vgpu, struct drm_gem_object *obj,
		    bool write);
int vgpu_order_queue(struct vgpu_device *vgpu, struct vgpu_cmd *cmd);
int vgpu_order_queue_one(struct vgpu_cmd *cmd, struct drm_gem_object *obj,
			 bool write);

#endif
