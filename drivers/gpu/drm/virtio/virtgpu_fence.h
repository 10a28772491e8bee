/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_FENCE_H_
#define _VIRTGPU_FENCE_H_

#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_resv;
struct drm_device;
struct drm_file;
struct vgpu_fence_event;

/**
 * struct vgpu_fences - the fences of one device that have not signalled
 */
struct vgpu_fences {
	/**
	 * @lock: guards @list, @emitted and @answered, and orders signals.
	 * Taken inside the lock of the control queue, so that numbers are in the
	 * order of the queue; outside the locks of fences.
	 */
	spinlock_t lock;

	/** @list: &struct vgpu_fence, in the order of their numbers */
	struct list_head list;

	/** @emitted: number of the last fence that was queued */
	u64 emitted;

	/** @answered: number of the last fence that the host has answered */
	u64 answered;

	/** @context: the timeline of all that is not on a ring */
	u64 context;
};

/**
 * struct vgpu_fence - what somebody waits for while the host works
 */
struct vgpu_fence {
	/** @base: the fence that others see */
	struct dma_fence base;

	/** @lock: the lock of @base, which may outlive the device */
	spinlock_t lock;

	/** @fences: where it is listed, while it is; valid with the device */
	struct vgpu_fences *fences;

	/** @node: in &vgpu_fences.list, with a reference; under its lock */
	struct list_head node;

	/** @ended: in &vgpu_object.ended, with a reference; the reservation lock of that */
	struct list_head ended;

	/** @id: number for the host, 0 until it is emitted; likewise */
	u64 id;

	/** @answered: the host is done, with earlier ones perhaps not; likewise */
	bool answered;

	/** @over: it was not only given up; changed likewise */
	bool over;

	/** @certain: and the host has done it, or was reset; changed likewise */
	bool certain;

	/** @error: what @base will have signalled with; likewise */
	int error;

	/** @alone: @base is all of its timeline; never changes */
	bool alone;

	/** @on_ring: the host has to be told @ring; never changes */
	bool on_ring;

	/** @ring: timeline of the context; never changes */
	u8 ring;

	/** @drm: whose event @event is; valid while that is set */
	struct drm_device *drm;

	/**
	 * @event: what the file gets to read, or NULL. Changed by who makes the
	 * fence before it is emitted, then under the lock of @fences.
	 */
	struct vgpu_fence_event *event;
};

bool vgpu_fence_is_ahead(struct dma_fence *base,
			 const struct vgpu_fences *fences);
void vgpu_fences_init(struct vgpu_fences *fences);
struct vgpu_fence *vgpu_fence_create(struct vgpu_fences *fences);
struct vgpu_fence *vgpu_fence_create_early(struct vgpu_fences *fences);
struct vgpu_fence *vgpu_fence_create_on_ring(struct vgpu_fences *fences,
					     u64 base_context, u8 ring);
int vgpu_fence_add_event(struct vgpu_fence *fence, struct drm_device *drm,
			 struct drm_file *file);
void vgpu_fence_cancel_event(struct vgpu_fence *fence);
u64 vgpu_fence_emit(struct vgpu_fence *fence);
void vgpu_fence_answer(struct vgpu_fence *fence, int error);
void vgpu_fence_abandon(struct vgpu_fence *fence, int error);
bool vgpu_fence_is_over(const struct vgpu_fence *fence);
bool vgpu_fence_is_certain(const struct vgpu_fence *fence);
void vgpu_fence_forget_locked(struct vgpu_fence *fence, struct dma_resv *resv);
void vgpu_fence_put(struct vgpu_fence *fence);
void vgpu_fence_put_module(void);
void vgpu_fence_module_exit(void);

#endif
