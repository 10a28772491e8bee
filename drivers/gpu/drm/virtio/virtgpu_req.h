/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_REQ_H_
#define _VIRTGPU_REQ_H_

#include <linux/types.h>
#include <linux/virtio_gpu.h>

struct drm_virtgpu_3d_box;

/**
 * struct vgpu_req - a command in the words of the host
 */
struct vgpu_req {
	/* private: what virtgpu_req.c writes, each member a command */
	union {
		struct virtio_gpu_ctrl_hdr hdr;
		struct virtio_gpu_resource_create_2d create_2d;
		struct virtio_gpu_resource_create_3d create_3d;
		struct virtio_gpu_resource_create_blob create_blob;
		struct virtio_gpu_resource_unref unref;
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_resource_detach_backing detach;
		struct virtio_gpu_resource_flush flush;
		struct virtio_gpu_resource_assign_uuid assign_uuid;
		struct virtio_gpu_resource_map_blob map_blob;
		struct virtio_gpu_resource_unmap_blob unmap_blob;
		struct virtio_gpu_set_scanout scanout;
		struct virtio_gpu_set_scanout_blob scanout_blob;
		struct virtio_gpu_transfer_to_host_2d transfer_2d;
		struct virtio_gpu_transfer_host_3d transfer_3d;
		struct virtio_gpu_ctx_create ctx_create;
		struct virtio_gpu_ctx_destroy ctx_destroy;
		struct virtio_gpu_ctx_resource ctx_resource;
		struct virtio_gpu_cmd_submit submit;
		struct virtio_gpu_get_capset_info capset_info;
		struct virtio_gpu_get_capset capset;
		struct virtio_gpu_cmd_get_edid edid;
		struct virtio_gpu_update_cursor cursor;
	};

	/* public: */

	/** @size: how many bytes of the union the host gets */
	size_t size;
};

/**
 * struct vgpu_rect - a rectangle in pixels
 * @x: first column
 * @y: first row
 * @width: columns
 * @height: rows
 */
struct vgpu_rect {
	u32 x;
	u32 y;
	u32 width;
	u32 height;
};

/**
 * struct vgpu_texture - what a resource of the classic kinds is made from
 * @format: of a pixel, as the host calls it
 * @width: in pixels
 * @height: in pixels
 * @target: kind of texture, as Gallium has it
 * @bind: what it is used for, likewise
 * @depth: in pixels
 * @array_size: how many layers
 * @last_level: the smallest of its mipmaps
 * @nr_samples: for each pixel
 * @flags: VIRTIO_GPU_RESOURCE_FLAG bits
 *
 * A 2D resource has format, width and height only.
 */
struct vgpu_texture {
	u32 format;
	u32 width;
	u32 height;
	u32 target;
	u32 bind;
	u32 depth;
	u32 array_size;
	u32 last_level;
	u32 nr_samples;
	u32 flags;
};

/**
 * struct vgpu_blob - what a blob is made from
 * @ctx_id: context whose @id it is
 * @mem: VIRTIO_GPU_BLOB_MEM, where its memory is
 * @flags: VIRTIO_GPU_BLOB_FLAG bits
 * @id: what the host's renderer calls it
 * @size: in bytes
 */
struct vgpu_blob {
	u32 ctx_id;
	u32 mem;
	u32 flags;
	u64 id;
	u64 size;
};

/**
 * struct vgpu_transfer - what part of a 3D resource goes where
 * @offset: where the memory begins, in bytes
 * @level: which mipmap
 * @stride: bytes between rows, 0 for what the resource has
 * @layer_stride: bytes between layers, likewise
 */
struct vgpu_transfer {
	u64 offset;
	u32 level;
	u32 stride;
	u32 layer_stride;
};

/**
 * struct vgpu_scanout_layout - how the pixels lie in a blob
 * @width: of the whole picture, in pixels
 * @height: likewise
 * @format: of a pixel, as the host calls it
 * @strides: bytes between rows, a number for each plane of colours
 * @offsets: where the plane begins, in bytes
 */
struct vgpu_scanout_layout {
	u32 width;
	u32 height;
	u32 format;
	u32 strides[4];
	u32 offsets[4];
};

void vgpu_req_create_2d(struct vgpu_req *req, u32 res,
			const struct vgpu_texture *texture);
void vgpu_req_create_3d(struct vgpu_req *req, u32 res,
			const struct vgpu_texture *texture);
void vgpu_req_create_blob(struct vgpu_req *req, u32 res,
			  const struct vgpu_blob *blob, u32 entries);
void vgpu_req_unref(struct vgpu_req *req, u32 res);
void vgpu_req_attach(struct vgpu_req *req, u32 res, u32 entries);
void vgpu_req_detach(struct vgpu_req *req, u32 res);
void vgpu_req_flush(struct vgpu_req *req, u32 res,
		    const struct vgpu_rect *rect);
void vgpu_req_assign_uuid(struct vgpu_req *req, u32 res);
void vgpu_req_map_blob(struct vgpu_req *req, u32 res, u64 offset);
void vgpu_req_unmap_blob(struct vgpu_req *req, u32 res);
void vgpu_req_scanout(struct vgpu_req *req, u32 scanout, u32 res,
		      const struct vgpu_rect *rect);
void vgpu_req_scanout_blob(struct vgpu_req *req, u32 scanout, u32 res,
			   const struct vgpu_rect *rect,
			   const struct vgpu_scanout_layout *layout);
void vgpu_req_transfer_2d(struct vgpu_req *req, u32 res,
			  const struct vgpu_rect *rect, u64 offset);
void vgpu_req_transfer_3d(struct vgpu_req *req, bool to_host, u32 ctx, u32 res,
			  const struct drm_virtgpu_3d_box *box,
			  const struct vgpu_transfer *transfer);
void vgpu_req_ctx_create(struct vgpu_req *req, u32 ctx, u32 init,
			 const char *name);
void vgpu_req_ctx_destroy(struct vgpu_req *req, u32 ctx);
void vgpu_req_ctx_resource(struct vgpu_req *req, bool attach, u32 ctx, u32 res);
void vgpu_req_submit(struct vgpu_req *req, u32 ctx, u32 size);
void vgpu_req_display_info(struct vgpu_req *req);
void vgpu_req_capset_info(struct vgpu_req *req, u32 index);
void vgpu_req_capset(struct vgpu_req *req, u32 id, u32 version);
void vgpu_req_edid(struct vgpu_req *req, u32 scanout);
void vgpu_req_cursor(struct vgpu_req *req, u32 scanout, u32 res,
		     const struct vgpu_rect *pos, u32 hot_x, u32 hot_y);
void vgpu_req_cursor_move(struct vgpu_req *req, u32 scanout, u32 res,
			  const struct vgpu_rect *pos, u32 hot_x, u32 hot_y);
void vgpu_req_fence(struct vgpu_req *req, u64 id, bool on_ring, u8 ring);

#endif
