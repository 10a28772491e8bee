/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_BLOB_H_
#define _VIRTGPU_BLOB_H_

struct drm_device;
struct drm_file;

int vgpu_resource_create_blob_ioctl(struct drm_device *drm, void *data,
				    struct drm_file *file);

#endif
