/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_PM_H_
#define _VIRTGPU_PM_H_

struct virtio_device;

int vgpu_freeze(struct virtio_device *vdev);
int vgpu_restore(struct virtio_device *vdev);

#endif
