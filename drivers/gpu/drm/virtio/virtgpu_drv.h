/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_DRV_H_
#define _VIRTGPU_DRV_H_

#include <linux/atomic.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_mm.h>

#include "virtgpu_cmd.h"
#include "virtgpu_fence.h"
#include "virtgpu_vq.h"

struct drm_file;
struct vgpu_capset;
struct vgpu_output;

/* Of headers that are newer than those of 6.12. */
#ifndef VIRTIO_GPU_F_BLOB_ALIGNMENT
#define VIRTIO_GPU_F_BLOB_ALIGNMENT 5
#endif
#ifndef VIRTGPU_PARAM_BLOB_ALIGNMENT
#define VIRTGPU_PARAM_BLOB_ALIGNMENT 9
#endif

/* Rings of a context, each with a timeline of its own. */
#define VGPU_MAX_RINGS 64

/**
 * struct vgpu_device - one virtio GPU
 *
 * Lives as long as @drm, which open files, buffers and dma-bufs keep after the
 * virtio device is gone. What is not said to have a lock is set up before
 * user space sees the device, and does not change.
 */
struct vgpu_device {
	/** @drm: the DRM device */
	struct drm_device *drm;

	/** @vdev: the virtio device; not to be used once the queues are dead */
	struct virtio_device *vdev;

	/** @ctrl: commands */
	struct vgpu_queue ctrl;

	/** @cursor: moves of the cursor */
	struct vgpu_queue cursor;

	/** @fences: those of @ctrl */
	struct vgpu_fences fences;

	/** @answers: takes answers from both queues, one at a time */
	struct workqueue_struct *answers;

	/** @watchdog: looks after the queues each second while they are used */
	struct delayed_work watchdog;

	/** @release_lock: guards @released, and that a run of @release has a device */
	spinlock_t release_lock;

	/** @released: commands that are over, with the queue's reference */
	struct list_head released;

	/** @release: gives back what @released holds */
	struct work_struct release;

	/** @has_virgl: the host renders */
	bool has_virgl;

	/** @has_edid: the host describes monitors */
	bool has_edid;

	/** @has_indirect: the queues take long commands */
	bool has_indirect;

	/** @has_uuid: resources can have names that other devices know */
	bool has_uuid;

	/** @has_blob: the host takes blobs */
	bool has_blob;

	/** @has_blob_alignment: the host says what its blobs are multiples of */
	bool has_blob_alignment;

	/**
	 * @blob_alignment: a power of two, in bytes, that sizes of blobs are
	 * multiples of, and their places in the window; 1 if the host does not say
	 */
	u32 blob_alignment;

	/** @has_context_init: contexts come in kinds */
	bool has_context_init;

	/** @has_window: memory of the host can be mapped */
	bool has_window;

	/** @use_dma_api: the host goes by DMA addresses */
	bool use_dma_api;

	/** @gone: objects have no memory that the device could use, for ever */
	bool gone;

	/** @window: where memory of the host appears */
	struct virtio_shm_region window;

	/** @window_lock: guards @window_mm; innermost, but for allocations */
	struct mutex window_lock;

	/** @window_mm: which parts of @window are in use, by address */
	struct drm_mm window_mm;

	/** @contexts: numbers of contexts, less 1 */
	struct ida contexts;

	/** @resources: numbers of resources, less 1, if they are used again */
	struct ida resources;

	/** @capsets: what the host can render, or NULL */
	struct vgpu_capset *capsets;

	/** @num_capsets: how many */
	u32 num_capsets;

	/** @capset_mask: a bit for each number of a capset */
	u64 capset_mask;

	/**
	 * @caps_lock: guards @caps, and has a second client wait for the answer
	 * that the first has asked for. Outermost of ours.
	 */
	struct mutex caps_lock;

	/** @caps: &struct vgpu_caps, capsets that somebody has asked for */
	struct list_head caps;

	/** @outputs: the scanouts */
	struct vgpu_output *outputs;

	/** @num_outputs: how many, 0 without displays */
	u32 num_outputs;

	/**
	 * @output_lock: guards what the host has said of @outputs. Taken inside
	 * the locks of mode setting.
	 */
	struct mutex output_lock;

	/** @config_changed: asks the host what is new */
	struct work_struct config_changed;

	/** @owes: an output was spared a frame, and nobody has seen to that yet */
	atomic_t owes;

	/** @repay: shows such frames, and cursors */
	struct delayed_work repay;

	/** @repay_tries: how often that was put off, since all was shown */
	atomic_t repay_tries;

	/** @objects_lock: guards @objects, nothing else is taken inside */
	spinlock_t objects_lock;

	/** @objects: every &struct vgpu_object that the host may know */
	struct list_head objects;
};

static inline struct vgpu_device *to_vgpu(struct drm_device *drm)
{
	return drm->dev_private;
}

/**
 * struct vgpu_file - one open file
 */
struct vgpu_file {
	/** @lock: guards the rest; taken before anything of the device */
	struct mutex lock;

	/** @ctx_id: number of the context, 0 if the host does not render */
	u32 ctx_id;

	/** @created: the host knows the context; until the machine sleeps */
	bool created;

	/** @lost: it did, before the machine slept */
	bool lost;

	/** @init: which kind of context */
	u32 init;

	/** @num_rings: how many timelines */
	u32 num_rings;

	/** @ring_context: fence context of the first ring, 0 until user space has asked */
	u64 ring_context;

	/** @poll_rings: a bit for each ring whose fences are told to the file */
	u64 poll_rings;

	/** @named: @name comes from user space */
	bool named;

	/** @name: for people who debug the host */
	char name[64];
};

/* virtgpu_drv.c */
struct vgpu_device *vgpu_device_setup(struct drm_device *drm,
				      struct virtio_device *vdev);
void vgpu_device_watch(struct vgpu_device *vgpu);
void vgpu_device_release_cmd(struct vgpu_device *vgpu, struct vgpu_cmd *cmd);
void vgpu_config_changed(struct virtio_device *vdev);

/* virtgpu_kms.c */
bool vgpu_is_in_xen(struct vgpu_device *vgpu);
int vgpu_device_init(struct vgpu_device *vgpu);
void vgpu_device_start(struct vgpu_device *vgpu);
bool vgpu_device_is_absent(struct vgpu_device *vgpu);
void vgpu_device_give_up(struct vgpu_device *vgpu);
void vgpu_device_stop(struct vgpu_device *vgpu);
int vgpu_find_queues(struct vgpu_device *vgpu);

#endif
