// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu GEM objects
 *
 * What DRM asks of a buffer: handles, mappings, and buffers that the CPU draws
 * in. Memory comes with the first use, as &struct drm_gem_storage has it, and the
 * host hears of a dumb buffer when it is first shown, since many never are.
 *
 * A handle of a file means that the host's context of the file may use the
 * resource. A resource that is made again, since its memory has moved or the machine
 * has slept, is a new one for the host, and all those contexts are told of it before
 * anything that could use it. An object without a resource, as an imported one may
 * be, has nothing that a context could use.
 *
 * Lifetime: see virtgpu_object.c. Locking: &vgpu_file.lock before the reservation
 * lock, which guards the list of contexts; for the rest see virtgpu_object.c.
 */

#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem.h>
#include <drm/drm_mode.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_context.h"
#include "virtgpu_drv.h"
#include "virtgpu_export.h"
#include "virtgpu_gem.h"
#include "virtgpu_object.h"
#include "virtgpu_plane.h"

static void vgpu_gem_print_info(struct drm_printer *p, unsigned int indent,
				const struct drm_gem_object *obj)
{
	const struct vgpu_object *vobj =
		container_of_const(obj, struct vgpu_object, storage.base);

	drm_printf_indent(p, indent, "resource=%u kind=%d attached=%d\n",
			  vobj->res.id, vobj->res.kind, vobj->res.attached);
	drm_gem_storage_print_info(p, indent, obj);
}

const struct drm_gem_object_funcs vgpu_gem_funcs = {
	.free = vgpu_object_free,
	.open = vgpu_gem_open,
	.close = vgpu_gem_close,
	.print_info = vgpu_gem_print_info,
	.export = vgpu_prime_export,
	.pin = drm_gem_storage_pin,
	.unpin = drm_gem_storage_unpin,
	.get_sg_table = drm_gem_storage_get_sg_table,
	.vmap = drm_gem_storage_vmap,
	.vunmap = drm_gem_storage_vunmap,
	.mmap = drm_gem_storage_mmap,
	.vm_ops = &drm_gem_storage_vm_ops,
};

/**
 * vgpu_object_init - what all objects begin with
 * @vobj: zero
 */
void vgpu_object_init(struct vgpu_object *vobj)
{
	INIT_LIST_HEAD(&vobj->resources);
	INIT_LIST_HEAD(&vobj->ended);
	INIT_LIST_HEAD(&vobj->contexts);
	INIT_LIST_HEAD(&vobj->node);
	INIT_LIST_HEAD(&vobj->res.node);
	mutex_init(&vobj->sync_lock);
}

/**
 * vgpu_gem_create_object - &drm_driver.gem_create_object
 * @drm: the device
 * @size: in bytes; not used, the caller initialises the rest
 *
 * Return: an object, or -ENOMEM.
 */
struct drm_gem_object *vgpu_gem_create_object(struct drm_device *drm,
					      size_t size)
{
	struct vgpu_object *vobj = kzalloc(sizeof(*vobj), GFP_KERNEL);

	if (!vobj)
		return ERR_PTR(-ENOMEM);

	vgpu_object_init(vobj);
	vobj->storage.base.funcs = &vgpu_gem_funcs;
	return &vobj->storage.base;
}

static struct vgpu_cmd *context_cmd(struct vgpu_object *vobj, u32 ctx_id,
				    bool attach)
{
	struct vgpu_cmd *cmd = vgpu_cmd_create();

	if (!cmd)
		return NULL;

	vgpu_req_ctx_resource(&cmd->req, attach, ctx_id, vobj->res.id);
	vgpu_cmd_add_object(cmd, &vobj->storage.base);
	return cmd;
}

/**
 * vgpu_gem_context_cmds - let the contexts of all files that have a handle use it
 * @vobj: an object, whose resource the host is about to make
 * @cmds: gets the commands, to be queued behind that one, each with a reference
 *
 * Context: The reservation lock must be held.
 * Return: 0, or -ENOMEM.
 */
int vgpu_gem_context_cmds(struct vgpu_object *vobj, struct list_head *cmds)
{
	struct vgpu_user *user;
	struct vgpu_cmd *cmd;

	dma_resv_assert_held(vobj->storage.base.resv);

	list_for_each_entry(user, &vobj->contexts, node) {
		cmd = context_cmd(vobj, user->ctx_id, true);
		if (!cmd)
			return -ENOMEM;
		list_add_tail(&cmd->node, cmds);
	}
	return 0;
}

static struct vgpu_user *context_of(struct vgpu_object *vobj, u32 ctx_id)
{
	struct vgpu_user *user;

	list_for_each_entry(user, &vobj->contexts, node) {
		if (user->ctx_id == ctx_id)
			return user;
	}
	return NULL;
}

/* The host has the resource. */
static int add_user_locked(struct vgpu_object *vobj, u32 ctx_id)
{
	struct vgpu_user *user = context_of(vobj, ctx_id);
	struct vgpu_cmd *cmd;

	if (user) {
		user->handles++;
		return 0;
	}

	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return -ENOMEM;
	cmd = context_cmd(vobj, ctx_id, true);
	if (!cmd) {
		kfree(user);
		return -ENOMEM;
	}
	user->ctx_id = ctx_id;
	user->handles = 1;
	list_add_tail(&user->node, &vobj->contexts);
	vgpu_queue_add(&to_vgpu(vobj->storage.base.dev)->ctrl, cmd);
	vgpu_cmd_put(cmd);
	return 0;
}

static void remove_user_locked(struct vgpu_object *vobj, u32 ctx_id)
{
	struct vgpu_user *user = context_of(vobj, ctx_id);
	struct vgpu_cmd *cmd;

	if (WARN_ON_ONCE(!user) || --user->handles)
		return;

	list_del(&user->node);
	kfree(user);
	/* of a resource that was ended, it has forgotten that */
	if (!vobj->res.created)
		return;
	cmd = context_cmd(vobj, ctx_id, false);
	if (!cmd)
		return;
	vgpu_queue_add(&to_vgpu(vobj->storage.base.dev)->ctrl, cmd);
	vgpu_cmd_put(cmd);
}

/**
 * vgpu_gem_open - &drm_gem_object_funcs.open
 * @obj: the object
 * @file: a file that gets a handle of it
 *
 * Waits while too many commands wait, until a signal comes. What ends does not
 * wait, here or elsewhere: of that there is never more than of what has begun.
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -ERESTARTSYS: a signal arrived
 *	* -ENODEV: the device is gone
 *	* what vgpu_res_attach_locked() said
 */
int vgpu_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct vgpu_object *vobj = to_vgpu_object(obj);
	struct vgpu_device *vgpu = to_vgpu(obj->dev);
	struct vgpu_file *vfile = file->driver_priv;
	int ret;

	if (!vgpu->has_virgl || vobj->res.kind == VGPU_RES_NONE)
		return 0;

	ret = vgpu_queue_throttle(&vgpu->ctrl);
	if (ret)
		return ret;

	scoped_guard(mutex, &vfile->lock)
		ret = vgpu_file_create_context(vgpu, vfile);
	/* dumb buffers, too: the context may render to what is shown */
	ret = ret ?: vgpu_object_lock(vobj);
	if (ret)
		return ret;
	ret = vobj->res.created ? 0 : vgpu_object_attach_locked(vobj, NULL);
	ret = ret ?: add_user_locked(vobj, vfile->ctx_id);
	dma_resv_unlock(obj->resv);
	vgpu_queue_kick(&vgpu->ctrl);
	return ret;
}

/**
 * vgpu_gem_close - &drm_gem_object_funcs.close
 * @obj: the object
 * @file: a file that had a handle of it
 */
void vgpu_gem_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct vgpu_object *vobj = to_vgpu_object(obj);
	struct vgpu_device *vgpu = to_vgpu(obj->dev);
	struct vgpu_file *vfile = file->driver_priv;

	if (!vgpu->has_virgl || vobj->res.kind == VGPU_RES_NONE)
		return;

	dma_resv_lock(obj->resv, NULL);
	remove_user_locked(vobj, vfile->ctx_id);
	dma_resv_unlock(obj->resv);
	vgpu_queue_kick(&vgpu->ctrl);
}

/**
 * vgpu_handle_create - drm_gem_handle_create(), for whose end a test can wait
 * @file: the client
 * @obj: the object
 * @handle: gets the handle
 *
 * Return: as drm_gem_handle_create().
 */
int vgpu_handle_create(struct drm_file *file, struct drm_gem_object *obj,
		       u32 *handle)
{
	KUNIT_STATIC_STUB_REDIRECT(vgpu_handle_create, file, obj, handle);
	return drm_gem_handle_create(file, obj, handle);
}

/**
 * vgpu_gem_publish - give a client a handle, and the caller's reference up
 * @vobj: an object that is complete
 * @file: the client
 * @handle: gets the handle
 * @res: gets the number of its resource, or NULL
 *
 * Another thread of the client may close the handle before this returns, so
 * nothing of @vobj is to be looked at any more, errors included.
 *
 * Return: as drm_gem_handle_create().
 */
int vgpu_gem_publish(struct vgpu_object *vobj, struct drm_file *file,
		     u32 *handle, u32 *res)
{
	int ret;

	/* while nobody else can end it */
	if (res)
		*res = vobj->res.id;
	vgpu_object_publish(vobj);
	ret = vgpu_handle_create(file, &vobj->storage.base, handle);
	drm_gem_object_put(&vobj->storage.base);

	return ret;
}

static void dumb_resource(struct vgpu_device *vgpu, struct vgpu_object *vobj,
			  const struct drm_mode_create_dumb *args)
{
	struct vgpu_res *res = &vobj->res;

	vobj->dumb = true;
	/* what is rendered with is not a blob on hosts that do both */
	if (vgpu->has_blob && !vgpu->has_virgl) {
		res->kind = VGPU_RES_BLOB;
		res->blob.mem = VIRTGPU_BLOB_MEM_GUEST;
		res->blob.flags = VIRTGPU_BLOB_FLAG_USE_SHAREABLE;
		res->blob.size = vobj->storage.base.size;
		vobj->guest_blob = true;
		return;
	}

	res->kind = VGPU_RES_2D;
	res->texture.format = vgpu_host_format(DRM_FORMAT_HOST_XRGB8888);
	res->texture.width = args->width;
	res->texture.height = args->height;
}

/**
 * vgpu_dumb_create - &drm_driver.dumb_create
 * @file: the client
 * @drm: the device
 * @args: width, height and bits per pixel; gets pitch, size and handle
 *
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: not 32 bits per pixel, or too large
 *	* -ENOMEM: out of memory
 *	* what vgpu_object_create() and drm_gem_handle_create() said
 */
int vgpu_dumb_create(struct drm_file *file, struct drm_device *drm,
		     struct drm_mode_create_dumb *args)
{
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_object *vobj;
	u32 pitch, size, unit = max_t(u32, PAGE_SIZE, vgpu->blob_alignment);

	if (args->bpp != 32 || check_mul_overflow(args->width, 4u, &pitch) ||
	    check_mul_overflow(pitch, args->height, &size) ||
	    check_add_overflow(size, unit - 1, &size))
		return -EINVAL;

	args->pitch = pitch;
	args->size = size & ~(unit - 1);
	vobj = vgpu_object_create(vgpu, args->size);
	if (IS_ERR(vobj))
		return PTR_ERR(vobj);

	dumb_resource(vgpu, vobj, args);
	return vgpu_gem_publish(vobj, file, &args->handle, NULL);
}

/**
 * vgpu_map_offset - &drm_driver.dumb_map_offset, for buffers of any kind
 * @file: the client
 * @drm: the device
 * @handle: the buffer
 * @offset: gets what to mmap() the file at
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOENT: there is no such handle
 *	* -ENOSPC: the device has no room for one more offset
 */
int vgpu_map_offset(struct drm_file *file, struct drm_device *drm, u32 handle,
		    u64 *offset)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	int ret;

	if (!obj)
		return -ENOENT;

	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		*offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}
