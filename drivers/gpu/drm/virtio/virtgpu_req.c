// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu requests
 *
 * The host and the guest talk in little-endian structures. Here those of the
 * guest are written, those of the host are read in virtgpu_resp.c, and nothing
 * else happens: no queue, no memory, no device. So it can be tested on any
 * machine.
 *
 * Lifetime and locking: there are no objects here.
 */

#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/string.h>

#include <asm/byteorder.h>

#include <drm/virtgpu_drm.h>

#include "virtgpu_req.h"
#include "virtgpu_resp.h"

/* The host cannot tell what is not written from what is meant. */
static void start(struct vgpu_req *req, u32 type, size_t size)
{
	memset(req, 0, sizeof(*req));
	req->hdr.type = cpu_to_le32(type);
	req->size = size;
}

static void put_rect(struct virtio_gpu_rect *to, const struct vgpu_rect *from)
{
	to->x = cpu_to_le32(from->x);
	to->y = cpu_to_le32(from->y);
	to->width = cpu_to_le32(from->width);
	to->height = cpu_to_le32(from->height);
}

/**
 * vgpu_req_create_2d - a resource that the CPU fills and a scanout shows
 * @req: the command, written whole
 * @res: its number, from the driver
 * @texture: format, width and height
 */
void vgpu_req_create_2d(struct vgpu_req *req, u32 res,
			const struct vgpu_texture *texture)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, sizeof(req->create_2d));
	req->create_2d.resource_id = cpu_to_le32(res);
	req->create_2d.format = cpu_to_le32(texture->format);
	req->create_2d.width = cpu_to_le32(texture->width);
	req->create_2d.height = cpu_to_le32(texture->height);
}

/**
 * vgpu_req_create_3d - a resource that a rendering context uses
 * @req: the command, written whole
 * @res: its number, from the driver
 * @texture: all of it
 */
void vgpu_req_create_3d(struct vgpu_req *req, u32 res,
			const struct vgpu_texture *texture)
{
	struct virtio_gpu_resource_create_3d *c = &req->create_3d;

	start(req, VIRTIO_GPU_CMD_RESOURCE_CREATE_3D, sizeof(req->create_3d));
	c->resource_id = cpu_to_le32(res);
	c->target = cpu_to_le32(texture->target);
	c->format = cpu_to_le32(texture->format);
	c->bind = cpu_to_le32(texture->bind);
	c->width = cpu_to_le32(texture->width);
	c->height = cpu_to_le32(texture->height);
	c->depth = cpu_to_le32(texture->depth);
	c->array_size = cpu_to_le32(texture->array_size);
	c->last_level = cpu_to_le32(texture->last_level);
	c->nr_samples = cpu_to_le32(texture->nr_samples);
	c->flags = cpu_to_le32(texture->flags);
}

/**
 * vgpu_req_create_blob - a resource that is bytes only
 * @req: the command, written whole
 * @res: its number, from the driver
 * @blob: what it is made from
 * @entries: how many &struct virtio_gpu_mem_entry follow
 */
void vgpu_req_create_blob(struct vgpu_req *req, u32 res,
			  const struct vgpu_blob *blob, u32 entries)
{
	struct virtio_gpu_resource_create_blob *c = &req->create_blob;

	start(req, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
	      sizeof(req->create_blob));
	c->hdr.ctx_id = cpu_to_le32(blob->ctx_id);
	c->resource_id = cpu_to_le32(res);
	c->blob_mem = cpu_to_le32(blob->mem);
	c->blob_flags = cpu_to_le32(blob->flags);
	c->nr_entries = cpu_to_le32(entries);
	c->blob_id = cpu_to_le64(blob->id);
	c->size = cpu_to_le64(blob->size);
}

/**
 * vgpu_req_unref - end a resource
 * @req: the command, written whole
 * @res: its number
 */
void vgpu_req_unref(struct vgpu_req *req, u32 res)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_UNREF, sizeof(req->unref));
	req->unref.resource_id = cpu_to_le32(res);
}

/**
 * vgpu_req_attach - give a resource memory of the guest
 * @req: the command, written whole
 * @res: its number
 * @entries: how many &struct virtio_gpu_mem_entry follow
 */
void vgpu_req_attach(struct vgpu_req *req, u32 res, u32 entries)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, sizeof(req->attach));
	req->attach.resource_id = cpu_to_le32(res);
	req->attach.nr_entries = cpu_to_le32(entries);
}

/**
 * vgpu_req_detach - take the memory away
 * @req: the command, written whole
 * @res: its number
 */
void vgpu_req_detach(struct vgpu_req *req, u32 res)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, sizeof(req->detach));
	req->detach.resource_id = cpu_to_le32(res);
}

/**
 * vgpu_req_flush - show what has changed
 * @req: the command, written whole
 * @res: a resource on a scanout
 * @rect: where
 */
void vgpu_req_flush(struct vgpu_req *req, u32 res, const struct vgpu_rect *rect)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_FLUSH, sizeof(req->flush));
	req->flush.resource_id = cpu_to_le32(res);
	put_rect(&req->flush.r, rect);
}

/**
 * vgpu_req_assign_uuid - ask for a name that other virtio devices know
 * @req: the command, written whole
 * @res: the resource
 */
void vgpu_req_assign_uuid(struct vgpu_req *req, u32 res)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
	      sizeof(req->assign_uuid));
	req->assign_uuid.resource_id = cpu_to_le32(res);
}

/**
 * vgpu_req_map_blob - have memory of the host appear in the window
 * @req: the command, written whole
 * @res: a blob
 * @offset: where in the window, in bytes
 */
void vgpu_req_map_blob(struct vgpu_req *req, u32 res, u64 offset)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB, sizeof(req->map_blob));
	req->map_blob.resource_id = cpu_to_le32(res);
	req->map_blob.offset = cpu_to_le64(offset);
}

/**
 * vgpu_req_unmap_blob - undo vgpu_req_map_blob()
 * @req: the command, written whole
 * @res: the blob
 */
void vgpu_req_unmap_blob(struct vgpu_req *req, u32 res)
{
	start(req, VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB, sizeof(req->unmap_blob));
	req->unmap_blob.resource_id = cpu_to_le32(res);
}

/**
 * vgpu_req_scanout - what an output shows
 * @req: the command, written whole
 * @scanout: the output
 * @res: the resource, 0 for none
 * @rect: which part of it
 */
void vgpu_req_scanout(struct vgpu_req *req, u32 scanout, u32 res,
		      const struct vgpu_rect *rect)
{
	start(req, VIRTIO_GPU_CMD_SET_SCANOUT, sizeof(req->scanout));
	req->scanout.scanout_id = cpu_to_le32(scanout);
	req->scanout.resource_id = cpu_to_le32(res);
	put_rect(&req->scanout.r, rect);
}

/**
 * vgpu_req_scanout_blob - what an output shows, if that is a blob
 * @req: the command, written whole
 * @scanout: the output
 * @res: the blob
 * @rect: which part of it
 * @layout: how to read it
 */
void vgpu_req_scanout_blob(struct vgpu_req *req, u32 scanout, u32 res,
			   const struct vgpu_rect *rect,
			   const struct vgpu_scanout_layout *layout)
{
	struct virtio_gpu_set_scanout_blob *s = &req->scanout_blob;
	unsigned int i;

	start(req, VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, sizeof(req->scanout_blob));
	put_rect(&s->r, rect);
	s->scanout_id = cpu_to_le32(scanout);
	s->resource_id = cpu_to_le32(res);
	s->width = cpu_to_le32(layout->width);
	s->height = cpu_to_le32(layout->height);
	s->format = cpu_to_le32(layout->format);
	for (i = 0; i < ARRAY_SIZE(s->strides); i++) {
		s->strides[i] = cpu_to_le32(layout->strides[i]);
		s->offsets[i] = cpu_to_le32(layout->offsets[i]);
	}
}

/**
 * vgpu_req_transfer_2d - have the host read pixels from the guest's memory
 * @req: the command, written whole
 * @res: a 2D resource
 * @rect: which pixels
 * @offset: of the first of them in the memory, in bytes
 */
void vgpu_req_transfer_2d(struct vgpu_req *req, u32 res,
			  const struct vgpu_rect *rect, u64 offset)
{
	start(req, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
	      sizeof(req->transfer_2d));
	req->transfer_2d.resource_id = cpu_to_le32(res);
	req->transfer_2d.offset = cpu_to_le64(offset);
	put_rect(&req->transfer_2d.r, rect);
}

/**
 * vgpu_req_transfer_3d - have the host read or write the guest's memory
 * @req: the command, written whole
 * @to_host: read, otherwise write
 * @ctx: context of the client
 * @res: a 3D resource
 * @box: which part of the resource
 * @transfer: which part of the memory
 */
void vgpu_req_transfer_3d(struct vgpu_req *req, bool to_host, u32 ctx, u32 res,
			  const struct drm_virtgpu_3d_box *box,
			  const struct vgpu_transfer *transfer)
{
	struct virtio_gpu_transfer_host_3d *t = &req->transfer_3d;

	start(req,
	      to_host ? VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D :
			VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
	      sizeof(req->transfer_3d));
	t->hdr.ctx_id = cpu_to_le32(ctx);
	t->resource_id = cpu_to_le32(res);
	t->box.x = cpu_to_le32(box->x);
	t->box.y = cpu_to_le32(box->y);
	t->box.z = cpu_to_le32(box->z);
	t->box.w = cpu_to_le32(box->w);
	t->box.h = cpu_to_le32(box->h);
	t->box.d = cpu_to_le32(box->d);
	t->offset = cpu_to_le64(transfer->offset);
	t->level = cpu_to_le32(transfer->level);
	t->stride = cpu_to_le32(transfer->stride);
	t->layer_stride = cpu_to_le32(transfer->layer_stride);
}

/**
 * vgpu_req_ctx_create - a place to render in
 * @req: the command, written whole
 * @ctx: its number, from the driver
 * @init: VIRTIO_GPU_CONTEXT_INIT bits
 * @name: for people who debug the host; cut if it is long
 */
void vgpu_req_ctx_create(struct vgpu_req *req, u32 ctx, u32 init,
			 const char *name)
{
	struct virtio_gpu_ctx_create *c = &req->ctx_create;
	size_t len = strnlen(name, sizeof(c->debug_name) - 1);

	start(req, VIRTIO_GPU_CMD_CTX_CREATE, sizeof(req->ctx_create));
	c->hdr.ctx_id = cpu_to_le32(ctx);
	c->context_init = cpu_to_le32(init);
	c->nlen = cpu_to_le32(len);
	memcpy(c->debug_name, name, len);
}

/**
 * vgpu_req_ctx_destroy - end a context
 * @req: the command, written whole
 * @ctx: its number
 */
void vgpu_req_ctx_destroy(struct vgpu_req *req, u32 ctx)
{
	start(req, VIRTIO_GPU_CMD_CTX_DESTROY, sizeof(req->ctx_destroy));
	req->ctx_destroy.hdr.ctx_id = cpu_to_le32(ctx);
}

/**
 * vgpu_req_ctx_resource - let a context use a resource, or no more
 * @req: the command, written whole
 * @attach: let it, otherwise no more
 * @ctx: the context
 * @res: the resource
 */
void vgpu_req_ctx_resource(struct vgpu_req *req, bool attach, u32 ctx, u32 res)
{
	start(req,
	      attach ? VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE :
		       VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE,
	      sizeof(req->ctx_resource));
	req->ctx_resource.hdr.ctx_id = cpu_to_le32(ctx);
	req->ctx_resource.resource_id = cpu_to_le32(res);
}

/**
 * vgpu_req_submit - have a context render
 * @req: the command, written whole
 * @ctx: the context
 * @size: of what follows, in bytes
 */
void vgpu_req_submit(struct vgpu_req *req, u32 ctx, u32 size)
{
	start(req, VIRTIO_GPU_CMD_SUBMIT_3D, sizeof(req->submit));
	req->submit.hdr.ctx_id = cpu_to_le32(ctx);
	req->submit.size = cpu_to_le32(size);
}

/**
 * vgpu_req_display_info - ask which outputs there are
 * @req: the command, written whole
 */
void vgpu_req_display_info(struct vgpu_req *req)
{
	start(req, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, sizeof(req->hdr));
}

/**
 * vgpu_req_capset_info - ask about a capability set
 * @req: the command, written whole
 * @index: from 0
 */
void vgpu_req_capset_info(struct vgpu_req *req, u32 index)
{
	start(req, VIRTIO_GPU_CMD_GET_CAPSET_INFO, sizeof(req->capset_info));
	req->capset_info.capset_index = cpu_to_le32(index);
}

/**
 * vgpu_req_capset - ask for a capability set
 * @req: the command, written whole
 * @id: from vgpu_resp_capset_info()
 * @version: not above what that said
 */
void vgpu_req_capset(struct vgpu_req *req, u32 id, u32 version)
{
	start(req, VIRTIO_GPU_CMD_GET_CAPSET, sizeof(req->capset));
	req->capset.capset_id = cpu_to_le32(id);
	req->capset.capset_version = cpu_to_le32(version);
}

/**
 * vgpu_req_edid - ask what the monitor of an output says of itself
 * @req: the command, written whole
 * @scanout: the output
 */
void vgpu_req_edid(struct vgpu_req *req, u32 scanout)
{
	start(req, VIRTIO_GPU_CMD_GET_EDID, sizeof(req->edid));
	req->edid.scanout = cpu_to_le32(scanout);
}

static void put_position(struct vgpu_req *req, u32 scanout,
			 const struct vgpu_rect *pos)
{
	req->cursor.pos.scanout_id = cpu_to_le32(scanout);
	req->cursor.pos.x = cpu_to_le32(pos->x);
	req->cursor.pos.y = cpu_to_le32(pos->y);
}

static void put_cursor(struct vgpu_req *req, u32 scanout, u32 res,
		       const struct vgpu_rect *pos, u32 hot_x, u32 hot_y)
{
	put_position(req, scanout, pos);
	req->cursor.resource_id = cpu_to_le32(res);
	req->cursor.hot_x = cpu_to_le32(hot_x);
	req->cursor.hot_y = cpu_to_le32(hot_y);
}

/**
 * vgpu_req_cursor - give the cursor another picture
 * @req: the command, written whole
 * @scanout: the output
 * @res: the picture, 0 for none
 * @pos: where; width and height do not matter
 * @hot_x: column of the picture that points
 * @hot_y: row of the picture that points
 */
void vgpu_req_cursor(struct vgpu_req *req, u32 scanout, u32 res,
		     const struct vgpu_rect *pos, u32 hot_x, u32 hot_y)
{
	start(req, VIRTIO_GPU_CMD_UPDATE_CURSOR, sizeof(req->cursor));
	put_cursor(req, scanout, res, pos, hot_x, hot_y);
}

/**
 * vgpu_req_cursor_move - put the cursor elsewhere
 * @req: the command, written whole
 * @scanout: the output
 * @res: the picture that it has; QEMU hides a cursor that is moved without
 * @pos: where; width and height do not matter
 * @hot_x: column of the picture that points
 * @hot_y: row of the picture that points
 */
void vgpu_req_cursor_move(struct vgpu_req *req, u32 scanout, u32 res,
			  const struct vgpu_rect *pos, u32 hot_x, u32 hot_y)
{
	start(req, VIRTIO_GPU_CMD_MOVE_CURSOR, sizeof(req->cursor));
	put_cursor(req, scanout, res, pos, hot_x, hot_y);
}

/**
 * vgpu_req_fence - ask for the answer when the work is done, not when it begins
 * @req: a command that is written
 * @id: number of the fence
 * @on_ring: the fence is on a timeline of the context
 * @ring: on which
 */
void vgpu_req_fence(struct vgpu_req *req, u64 id, bool on_ring, u8 ring)
{
	req->hdr.flags |= cpu_to_le32(VIRTIO_GPU_FLAG_FENCE);
	req->hdr.fence_id = cpu_to_le64(id);
	if (on_ring) {
		req->hdr.flags |= cpu_to_le32(VIRTIO_GPU_FLAG_INFO_RING_IDX);
		req->hdr.ring_idx = ring;
	}
}
