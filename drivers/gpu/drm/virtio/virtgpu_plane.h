/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_PLANE_H_
#define _VIRTGPU_PLANE_H_

#include <linux/types.h>

#include <drm/drm_plane.h>

struct vgpu_device;

u32 vgpu_host_format(u32 fourcc);
struct drm_plane *vgpu_plane_create(struct vgpu_device *vgpu,
				    enum drm_plane_type type, u32 index);

#endif
