// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu panics
 *
 * When the kernel panics, DRM draws a last message into what is on the screen, and
 * asks to have it shown. Nothing can be waited for then: other CPUs have stopped
 * where they were, with whatever locks they had. So the two commands that it takes
 * are made with the output, the lock of the queue is tried once, the ring does
 * without memory if there is none at once, and the host is told; whether it shows
 * the message, nobody is there to see.
 *
 * What the CPU can draw in is memory of our own that the host copies from. An
 * imported buffer has pages that are its exporter's business, one that is rendered
 * has none that anybody shows: there the old picture stays.
 *
 * Lifetime: the commands are the output's. On a system that goes on, as after the
 * test that debugfs offers, the queue gives them back, and they serve again.
 *
 * Locking: the caller has the lock of panics, so the state of the plane stays.
 */

#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_panic.h>
#include <drm/drm_plane.h>

#include "virtgpu_display.h"
#include "virtgpu_drv.h"
#include "virtgpu_framebuffer.h"
#include "virtgpu_object.h"
#include "virtgpu_panic.h"

/* Pixels come in their order, mostly: the search goes on where the last one ended. */
static bool find_piece(struct vgpu_panic *panic, size_t at)
{
	if (!panic->sg || at < panic->start) {
		panic->sg = to_vgpu_object(panic->fb->obj[0])->sgt->sgl;
		panic->start = 0;
	}
	while (panic->sg && at - panic->start >= panic->sg->length) {
		panic->start += panic->sg->length;
		panic->sg = sg_next(panic->sg);
	}
	return panic->sg;
}

/*
 * There is no room for a pointer of the driver's in what DRM hands back, but for
 * that to a mapping, of which nothing is read where there is a function for pixels.
 */
static void put_pixel(struct drm_scanout_buffer *sb, unsigned int x,
		      unsigned int y, u32 color)
{
	struct vgpu_panic *panic = sb->map[0].vaddr;
	struct drm_framebuffer *fb = panic->fb;
	size_t at = fb->offsets[0] + (size_t)y * fb->pitches[0] +
		    (size_t)x * fb->format->cpp[0];
	void *page;

	if (!find_piece(panic, at))
		return;
	at -= panic->start;
	page = kmap_local_page(nth_page(sg_page(panic->sg), at >> PAGE_SHIFT));
	*(u32 *)(page + offset_in_page(at)) = color;
	kunmap_local(page);
}

/**
 * vgpu_panic_get_scanout - &drm_plane_helper_funcs.get_scanout_buffer
 * @plane: a primary plane
 * @sb: told what can be drawn in
 *
 * Context: A panic: no locks of ours, no memory but what virtio tries to have at once,
 *	    no waiting.
 * Return: 0, or -ENODEV if nothing is shown, or nothing that the CPU can draw in.
 */
int vgpu_panic_get_scanout(struct drm_plane *plane,
			   struct drm_scanout_buffer *sb)
{
	struct drm_framebuffer *fb;
	struct vgpu_object *vobj;
	struct vgpu_panic *panic;

	/* there the lock of the queue is a mutex, which cannot be tried now */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -ENODEV;
	if (!plane->state || !plane->state->fb || !plane->state->visible)
		return -ENODEV;

	fb = plane->state->fb;
	vobj = to_vgpu_object(fb->obj[0]);
	if (!vobj->dumb || !vobj->sgt || vobj->storage.base.import_attach)
		return -ENODEV;

	sb->format = fb->format;
	sb->width = fb->width;
	sb->height = fb->height;
	sb->pitch[0] = fb->pitches[0];
	sb->set_pixel = put_pixel;
	panic = &crtc_to_output(plane->state->crtc)->panic;
	panic->fb = fb;
	panic->sg = NULL;
	iosys_map_set_vaddr(&sb->map[0], panic);
	return 0;
}

/**
 * vgpu_panic_flush - &drm_plane_helper_funcs.panic_flush
 * @plane: a plane that vgpu_panic_get_scanout() was called for
 *
 * Context: As there.
 */
void vgpu_panic_flush(struct drm_plane *plane)
{
	struct drm_plane_state *state = plane->state;
	struct vgpu_output *output = crtc_to_output(state->crtc);
	struct vgpu_device *vgpu = to_vgpu(plane->dev);
	struct drm_framebuffer *fb = state->fb;
	struct vgpu_res *res = vgpu_framebuffer_res(fb);
	const struct vgpu_rect all = {
		.width = fb->width,
		.height = fb->height,
	};
	struct vgpu_cmd *cmds[2];
	unsigned int count = 0;

	/* from the last time, with a host that has not answered */
	if (!list_empty(&output->panic_transfer->node) ||
	    !list_empty(&output->panic_flush->node))
		return;

	/* without its lock: a panic leaves nobody who could take the table away */
	if (to_vgpu_object(fb->obj[0])->synced)
		vgpu_sync(vgpu->drm->dev, to_vgpu_object(fb->obj[0])->sgt, true);
	if (res->kind == VGPU_RES_2D) {
		vgpu_req_transfer_2d(&output->panic_transfer->req, res->id,
				     &all, fb->offsets[0]);
		cmds[count++] = output->panic_transfer;
	}
	vgpu_req_flush(&output->panic_flush->req, res->id, &all);
	cmds[count++] = output->panic_flush;
	vgpu_queue_send_now(&vgpu->ctrl, cmds, count);
}
