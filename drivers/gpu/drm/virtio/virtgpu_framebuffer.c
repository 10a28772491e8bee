// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu framebuffers
 *
 * A framebuffer says how pixels lie in a buffer: where they begin, how long a row
 * is, how many there are. A 2D resource of the host has a shape of its own, which was
 * given to it with the buffer. Where the two differ the host would show something
 * else, and of an imported buffer it has nothing to show at all.
 *
 * So such a framebuffer has a resource of its own: a view. It is as wide as a row is
 * long, and the host is told of the same memory. Where the buffer's own resource does,
 * that is shown. Blobs need no view, for the host is told how pixels lie in them each
 * time it is to show one.
 *
 * Its first commit has the host make the resource, and a commit must not wait for room
 * in the queue. So who makes framebuffers waits for it, as all do who make the host
 * work.
 *
 * Lifetime: a framebuffer holds its object. A view ends with its framebuffer; the
 * command that ends it keeps the object until the host has answered.
 *
 * Locking: what a framebuffer says never changes. Its view is guarded by the
 * reservation lock of the object, like all resources, see &struct vgpu_res.
 */

#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_mode.h>
#include <drm/drm_modeset_helper.h>

#include "virtgpu_drv.h"
#include "virtgpu_framebuffer.h"
#include "virtgpu_object.h"
#include "virtgpu_plane.h"

static void framebuffer_destroy(struct drm_framebuffer *base)
{
	struct vgpu_framebuffer *fb = to_vgpu_framebuffer(base);

	if (fb->has_view)
		vgpu_res_destroy(to_vgpu_object(base->obj[0]), &fb->view);
	drm_gem_fb_destroy(base);
}

static const struct drm_framebuffer_funcs vgpu_framebuffer_funcs = {
	.create_handle = drm_gem_fb_create_handle,
	.destroy = framebuffer_destroy,
	.dirty = drm_atomic_helper_dirtyfb,
};

/**
 * vgpu_framebuffer_res - what the host has of a framebuffer
 * @fb: a framebuffer of ours
 *
 * Return: the resource that shows it.
 */
struct vgpu_res *vgpu_framebuffer_res(struct drm_framebuffer *fb)
{
	struct vgpu_framebuffer *vfb = to_vgpu_framebuffer(fb);

	return vfb->has_view ? &vfb->view : &to_vgpu_object(fb->obj[0])->res;
}

/*
 * What is copied line by line has to be there; the host checks the others. Nothing is
 * asked of what is behind the last line.
 */
static bool pixels_fit(const struct vgpu_object *vobj,
		       const struct drm_mode_fb_cmd2 *cmd)
{
	u64 end;

	if (!vobj->dumb)
		return true;
	return !check_mul_overflow((u64)cmd->pitches[0], cmd->height - 1,
				   &end) &&
	       !check_add_overflow(end, (u64)cmd->width * 4, &end) &&
	       !check_add_overflow(end, cmd->offsets[0], &end) &&
	       end <= vobj->storage.base.size;
}

static bool needs_view(const struct vgpu_object *vobj,
		       const struct drm_mode_fb_cmd2 *cmd)
{
	const struct vgpu_texture *own = &vobj->res.texture;

	switch (vobj->res.kind) {
	case VGPU_RES_NONE:
		return true;
	case VGPU_RES_2D:
		/* at an offset there may be one beside it that begins at none */
		return vobj->dumb && (cmd->offsets[0] ||
				      cmd->pitches[0] != own->width * 4 ||
				      cmd->height > own->height);
	default:
		return false;
	}
}

static int view_init(struct vgpu_device *vgpu, struct vgpu_framebuffer *fb,
		     const struct drm_mode_fb_cmd2 *cmd)
{
	struct vgpu_texture *texture = &fb->view.texture;
	int ret;

	if (cmd->pitches[0] % 4)
		return -EINVAL;

	fb->view.kind = VGPU_RES_2D;
	texture->format = vgpu_host_format(cmd->pixel_format);
	texture->width = cmd->pitches[0] / 4;
	texture->height = cmd->height;
	ret = vgpu_res_init(vgpu, &fb->view);
	fb->has_view = !ret;

	return ret;
}

static struct vgpu_framebuffer *
framebuffer_create(struct drm_device *drm, const struct drm_mode_fb_cmd2 *cmd,
		   struct drm_gem_object *obj)
{
	struct vgpu_object *vobj = to_vgpu_object(obj);
	struct vgpu_device *vgpu = to_vgpu(drm);
	struct vgpu_framebuffer *fb;
	int ret = 0;

	if (!pixels_fit(vobj, cmd))
		return ERR_PTR(-EINVAL);

	fb = kzalloc(sizeof(*fb), GFP_KERNEL);
	if (!fb)
		return ERR_PTR(-ENOMEM);

	if (needs_view(vobj, cmd))
		ret = view_init(vgpu, fb, cmd);
	if (ret)
		goto err_free;

	fb->base.obj[0] = obj;
	drm_helper_mode_fill_fb_struct(drm, &fb->base, cmd);
	ret = drm_framebuffer_init(drm, &fb->base, &vgpu_framebuffer_funcs);
	if (ret)
		goto err_view;
	return fb;

err_view:
	if (fb->has_view)
		vgpu_res_fini(vgpu, &fb->view);
err_free:
	kfree(fb);
	return ERR_PTR(ret);
}

/**
 * vgpu_framebuffer_create - &drm_mode_config_funcs.fb_create
 * @drm: the device
 * @file: the client
 * @cmd: how the pixels lie, and in which buffer
 *
 * Context: Process context. Waits for room in the queue, until a signal comes.
 * Return: the framebuffer, or an error pointer:
 *
 *	* -ENOENT: the host has no such format
 *	* -EINVAL: no such buffer, the pixels are not all in it, or rows are no
 *	  multiples of a pixel where that would have to be a view
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: there are too many resources
 *	* -ERESTARTSYS: a signal arrived while too many commands wait
 *	* -ENODEV: the device is gone
 */
struct drm_framebuffer *
vgpu_framebuffer_create(struct drm_device *drm, struct drm_file *file,
			const struct drm_mode_fb_cmd2 *cmd)
{
	struct vgpu_framebuffer *fb;
	struct drm_gem_object *obj;
	int ret;

	if (cmd->pixel_format != DRM_FORMAT_HOST_XRGB8888 &&
	    cmd->pixel_format != DRM_FORMAT_HOST_ARGB8888)
		return ERR_PTR(-ENOENT);

	obj = drm_gem_object_lookup(file, cmd->handles[0]);
	if (!obj)
		return ERR_PTR(-EINVAL);

	/* its first commit makes it a resource of the host, and cannot be held up */
	ret = vgpu_queue_throttle(&to_vgpu(drm)->ctrl);
	if (ret) {
		drm_gem_object_put(obj);
		return ERR_PTR(ret);
	}

	fb = framebuffer_create(drm, cmd, obj);
	if (IS_ERR(fb)) {
		drm_gem_object_put(obj);
		return ERR_CAST(fb);
	}

	return &fb->base;
}
