/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_OBJECT_H_
#define _VIRTGPU_OBJECT_H_

#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uuid.h>

#include <drm/drm_gem_storage.h>
#include <drm/drm_mm.h>

#include "virtgpu_req.h"

struct device;
struct sg_table;
struct vgpu_cmd;
struct vgpu_device;
struct vgpu_fence;
struct vgpu_standin;

/**
 * enum vgpu_res_kind - how the host makes a resource
 * @VGPU_RES_NONE: not at all
 * @VGPU_RES_2D: pixels, copied from the guest's memory by transfers
 * @VGPU_RES_3D: anything that is rendered with, with transfers both ways
 * @VGPU_RES_BLOB: the guest's memory itself
 */
enum vgpu_res_kind {
	VGPU_RES_NONE,
	VGPU_RES_2D,
	VGPU_RES_3D,
	VGPU_RES_BLOB,
};

/**
 * struct vgpu_res - what the host has of an object
 *
 * An object has one of its own, and one more for each framebuffer that needs
 * another shape. Guarded by the reservation lock of the object, but for what
 * never changes.
 */
struct vgpu_res {
	/** @id: its number; never changes */
	u32 id;

	/** @kind: how it is made */
	enum vgpu_res_kind kind;

	/** @texture: what from, if it is no blob; never changes */
	struct vgpu_texture texture;

	/** @blob: what from, if it is one; never changes */
	struct vgpu_blob blob;

	/** @created: the host has it */
	bool created;

	/** @attached: it has the memory of the object */
	bool attached;

	/** @node: in &vgpu_object.resources while @created, or to be again */
	struct list_head node;

	/** @unref: the command that ends it, made before it begins */
	struct vgpu_cmd *unref;

	/** @detach: the command that takes its memory away, made before that */
	struct vgpu_cmd *detach;

	/**
	 * @end: of what takes its memory away, @detach or @unref. Made before that of
	 * views and imports, which may have to move when there is no memory for it.
	 */
	struct vgpu_fence *end;

	/** @taken: what was @end the last time, or NULL if that is over */
	struct vgpu_fence *taken;
};

/**
 * enum vgpu_uuid_state - where the name for other devices is
 * @VGPU_UUID_NONE: nobody has asked for it
 * @VGPU_UUID_ASKED: the host was asked
 * @VGPU_UUID_KNOWN: it is there
 * @VGPU_UUID_FAILED: there is none
 * @VGPU_UUID_LOST: there was one, or it was asked for, before the host was reset
 */
enum vgpu_uuid_state {
	VGPU_UUID_NONE,
	VGPU_UUID_ASKED,
	VGPU_UUID_KNOWN,
	VGPU_UUID_FAILED,
	VGPU_UUID_LOST,
};

/**
 * struct vgpu_user - a context that may use an object
 */
struct vgpu_user {
	/** @node: in &vgpu_object.contexts */
	struct list_head node;

	/** @ctx_id: the context */
	u32 ctx_id;

	/** @handles: how many the file of the context has */
	unsigned int handles;
};

/**
 * struct vgpu_object - a buffer
 *
 * What has no other lock is guarded by the reservation lock.
 */
struct vgpu_object {
	/** @storage: first, for &drm_gem_storage frees it */
	struct drm_gem_storage storage;

	/** @res: the resource of the object itself */
	struct vgpu_res res;

	/** @resources: those that the host has; &struct vgpu_res */
	struct list_head resources;

	/** @sgt: the memory, as the host has it, or NULL */
	struct sg_table *sgt;

	/**
	 * @sync_lock: keeps @sgt mapped while it is synced, which happens when the
	 * host answers, too, where no reservation lock can be taken. Innermost.
	 */
	struct mutex sync_lock;

	/** @synced: what the device sees is not always what the CPU does */
	bool synced;

	/** @dying: imported, given up, and the end of the host's resource is on its way */
	bool dying;

	/** @orphaned: the device has gone before it */
	bool orphaned;

	/** @contexts: &struct vgpu_user, those that may use the object's resource */
	struct list_head contexts;

	/**
	 * @standin: imported: for the fence that an exporter waits for, if there is no
	 * room for that. Made with @sgt, and used once.
	 */
	struct vgpu_standin *standin;

	/** @stale: memory that the exporter took back, to be unmapped */
	struct sg_table *stale;

	/** @ended: &struct vgpu_fence, what was &vgpu_res.taken of views that are gone */
	struct list_head ended;

	/** @scanouts: how often it is, or is about to be, on a scanout */
	unsigned int scanouts;

	/** @dumb: the CPU draws, a transfer shows; never changes */
	bool dumb;

	/** @guest_blob: its memory is the guest's; set before it is published */
	bool guest_blob;

	/** @host_blob: the host has a part in it; likewise */
	bool host_blob;

	/** @lost: what the host had of it is gone for good, the machine slept */
	bool lost;

	/** @uuid_state: see there; changes under &vgpu_device.objects_lock */
	enum vgpu_uuid_state uuid_state;

	/** @uuid: valid if @uuid_state says so */
	uuid_t uuid;

	/** @uuid_cmd: the last question, or NULL; likewise */
	struct vgpu_cmd *uuid_cmd;

	/** @window: where the CPU sees the host's memory */
	struct drm_mm_node window;

	/** @map_cmd: what put it there; set before it is published */
	struct vgpu_cmd *map_cmd;

	/** @node: in &vgpu_device.objects, under its lock */
	struct list_head node;
};

static inline struct vgpu_object *to_vgpu_object(struct drm_gem_object *obj)
{
	return container_of(obj, struct vgpu_object, storage.base);
}

/*
 * The reservation lock, for a system call: what a signal ends is called again.
 * dma_resv_lock_interruptible() has another errno for that.
 */
static inline int vgpu_object_lock(struct vgpu_object *vobj)
{
	int ret = dma_resv_lock_interruptible(vobj->storage.base.resv, NULL);

	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/* Resources of the host: virtgpu_res.c */
int vgpu_res_init(struct vgpu_device *vgpu, struct vgpu_res *res);
void vgpu_res_fini(struct vgpu_device *vgpu, struct vgpu_res *res);
int vgpu_res_send_locked(struct vgpu_object *vobj, struct vgpu_res *res,
			 struct vgpu_fence *fence, struct vgpu_cmd **sent);
int vgpu_res_attach_locked(struct vgpu_object *vobj, struct vgpu_res *res,
			   struct vgpu_fence *fence);
int vgpu_res_need_end(struct vgpu_device *vgpu, struct vgpu_res *res);
void vgpu_res_take_locked(struct vgpu_object *vobj, struct vgpu_res *res,
			  struct vgpu_cmd *cmd);
void vgpu_res_unref_locked(struct vgpu_device *vgpu, struct vgpu_res *res);
void vgpu_res_detach_locked(struct vgpu_device *vgpu, struct vgpu_res *res);
void vgpu_res_destroy(struct vgpu_object *vobj, struct vgpu_res *res);

/* The memory of objects: virtgpu_memory.c */
bool vgpu_needs_sync(struct device *dev, struct sg_table *sgt);
void vgpu_sync(struct device *dev, struct sg_table *sgt, bool for_device);
void vgpu_object_sync(struct vgpu_object *vobj, bool for_device);
int vgpu_object_get_memory_locked(struct vgpu_object *vobj);
void vgpu_object_put_memory_locked(struct vgpu_object *vobj);
int vgpu_object_attach_locked(struct vgpu_object *vobj,
			      struct vgpu_fence *fence);
struct vgpu_fence *vgpu_object_detach_locked(struct vgpu_object *vobj);
struct vgpu_fence *vgpu_object_held_locked(struct vgpu_object *vobj);
void vgpu_object_forget_locked(struct vgpu_object *vobj);

/* Objects: virtgpu_object.c */
struct vgpu_object *vgpu_object_create(struct vgpu_device *vgpu, u64 size);
void vgpu_object_publish(struct vgpu_object *vobj);
struct vgpu_object *vgpu_object_next(struct vgpu_device *vgpu,
				     struct vgpu_object *prev);
void vgpu_objects_orphan(struct vgpu_device *vgpu);
void vgpu_object_free(struct drm_gem_object *obj);

#endif
