/* SPDX-License-Identifier: MIT */
/*
 * virtio-gpu's ioctls that the header of libdrm 2.4.114 is too old for, which is what
 * Debian 12 has; its linux-libc-dev has no headers of DRM. The names are not the
 * kernel's, so that a newer libdrm does not get into the way.
 */
#ifndef VIRTGPU_UAPI_H
#define VIRTGPU_UAPI_H

#include <drm.h>
#include <virtgpu_drm.h>

/* Either way; libdrm's has no strides. */
struct virtgpu_transfer {
	__u32 bo_handle;
	struct drm_virtgpu_3d_box box;
	__u32 level;
	__u32 offset; /* in the buffer's memory, bytes */
	__u32 stride; /* 0: rows without a gap */
	__u32 layer_stride;
};

#define VIRTGPU_MEM_GUEST     1
#define VIRTGPU_USE_MAPPABLE  1
#define VIRTGPU_USE_SHAREABLE 2

struct virtgpu_create_blob {
	__u32 blob_mem; /* VIRTGPU_MEM_GUEST, or the host's */
	__u32 blob_flags; /* VIRTGPU_USE_... */
	__u32 bo_handle; /* out */
	__u32 res_handle; /* out */
	__u64 size;
	__u32 pad;
	__u32 cmd_size;
	__u64 cmd;
	__u64 blob_id;
};

struct virtgpu_context_param {
	__u64 param;
	__u64 value;
};

struct virtgpu_context_init {
	__u32 num_params;
	__u32 pad;
	__u64 params; /* an array of struct virtgpu_context_param */
};

/* Of DRM_IOCTL_VIRTGPU_GETPARAM: whether there are blobs. */
#define VIRTGPU_HAS_BLOBS 3

#define VIRTGPU_TRANSFER_FROM_HOST \
	DRM_IOWR(DRM_COMMAND_BASE + 0x6, struct virtgpu_transfer)
#define VIRTGPU_TRANSFER_TO_HOST \
	DRM_IOWR(DRM_COMMAND_BASE + 0x7, struct virtgpu_transfer)
#define VIRTGPU_CREATE_BLOB \
	DRM_IOWR(DRM_COMMAND_BASE + 0xa, struct virtgpu_create_blob)
#define VIRTGPU_CONTEXT_INIT \
	DRM_IOWR(DRM_COMMAND_BASE + 0xb, struct virtgpu_context_init)

#endif
