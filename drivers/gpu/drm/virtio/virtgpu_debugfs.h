/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_DEBUGFS_H_
#define _VIRTGPU_DEBUGFS_H_

struct vgpu_device;

#ifdef CONFIG_DEBUG_FS
void vgpu_debugfs_init(struct vgpu_device *vgpu);
#else
static inline void vgpu_debugfs_init(struct vgpu_device *vgpu)
{
}
#endif

#endif
