/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_WINDOW_H_
#define _VIRTGPU_WINDOW_H_

struct vgpu_device;

void vgpu_windows_query(struct vgpu_device *vgpu, unsigned long deadline);

#endif
