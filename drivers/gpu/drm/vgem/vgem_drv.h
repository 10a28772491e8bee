/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VGEM_DRV_H_
#define _VGEM_DRV_H_

#include <linux/container_of.h>
#include <linux/dma-buf-constraints.h>
#include <linux/list.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>

#include <uapi/drm/vgem_drm.h>

struct dma_resv;
struct drm_file;
struct drm_gem_object;
struct platform_device;
struct sg_table;

/* A fence nobody signals expires after this many jiffies. */
#define VGEM_FENCE_TIMEOUT (10 * HZ)

/* The most fences of one open file that are neither signalled nor expired. */
#define VGEM_FENCE_MAX_PENDING 65536

/* Expired handles one open file remembers, to answer them with -ETIMEDOUT. */
#define VGEM_FENCE_EXPIRED_KEPT 256

/* No kernel promises memory below this to anyone. */
#define VGEM_SMALLEST_DMA_MASK DMA_BIT_MASK(24)

/**
 * struct vgem_device_config - what one vgem device can reach
 *
 * Filled in before the device is made and never changed while it exists.
 */
struct vgem_device_config {
	/**
	 * @dma_mask: the addresses the device reaches, as for dma_set_mask(), or
	 * by way of a bus that is as narrow
	 */
	u64 dma_mask;

	/** @needs: what it declares besides of the memory of imported buffers */
	struct dma_buf_constraints needs;

	/**
	 * @noncoherent: the CPU sees what devices write to its buffers, and devices
	 * what the CPU writes, by way of dma_buf_begin_cpu_access() and
	 * dma_buf_end_cpu_access() only
	 */
	bool noncoherent;
};

/**
 * struct vgem_device - one vgem device
 *
 * Lives as long as the last reference to @drm: open files, buffers and
 * exported dma-bufs keep it after vgem_device_destroy().
 */
struct vgem_device {
	/** @drm: the DRM device */
	struct drm_device drm;

	/** @platform: the parent, on which @drm holds a reference */
	struct platform_device *platform;

	/** @config: the constraints this device was made with */
	struct vgem_device_config config;

	/** @index: its place among all vgem devices, part of the parent's name */
	unsigned int index;

	/** @loaded: its place among the devices made at load, if it is one */
	struct list_head loaded;
};

static inline struct vgem_device *drm_to_vgem(struct drm_device *drm)
{
	return container_of(drm, struct vgem_device, drm);
}

/**
 * struct vgem_fence_table - the fences one open file answers for
 *
 * The lock inside @fences guards every member and is what decides between a
 * client that signals and the timer that expires: the one who takes the entry
 * out under the lock has the fence. The timer takes it too, so it is taken
 * with bottom halves off. Lock order: the reservation lock of the buffer, this
 * lock, the lock of the fence.
 */
struct vgem_fence_table {
	/** @fences: struct vgem_fence by handle; holds one reference each */
	struct xarray fences;

	/** @pending: the same fences, in the order in which they expire */
	struct list_head pending;

	/** @expiry: runs when the first of @pending is due */
	struct timer_list expiry;

	/** @timeout: life of a fence in jiffies, VGEM_FENCE_TIMEOUT but in tests */
	unsigned long timeout;

	/** @max_pending: how many entries @fences may have */
	unsigned int max_pending;

	/** @num_pending: entries of @fences, those of attaches under way included */
	unsigned int num_pending;

	/** @next_handle: where to look for the next free handle */
	u32 next_handle;

	/** @expired: the handles that expired last, 0 where there is none */
	u32 expired[VGEM_FENCE_EXPIRED_KEPT];

	/** @next_expired: the slot of @expired that is overwritten next */
	unsigned int next_expired;
};

/**
 * struct vgem_file - one open file of a vgem device
 */
struct vgem_file {
	/** @fences: the fences attached through this file */
	struct vgem_fence_table fences;
};

/* vgem_drv.c */
void vgem_device_config_init(struct vgem_device_config *config);
struct vgem_device *vgem_device_create(const struct vgem_device_config *config);
void vgem_device_destroy(struct vgem_device *vgem);

/* vgem_gem.c */
struct drm_gem_object *vgem_gem_create_object(struct drm_device *drm,
					      size_t size);

/* vgem_fence.c */
void vgem_fence_table_init(struct vgem_fence_table *table,
			   unsigned long timeout, unsigned int max_pending);
void vgem_fence_table_fini(struct vgem_fence_table *table);
int vgem_fence_attach(struct vgem_fence_table *table, struct dma_resv *resv,
		      bool write, u32 *handle);
int vgem_fence_signal(struct vgem_fence_table *table, u32 handle);
int vgem_fence_attach_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int vgem_fence_signal_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
void vgem_fence_module_exit(void);

/* vgem_config.c */
#ifdef CONFIG_DRM_VGEM_CONFIGFS
int vgem_configfs_register(void);
void vgem_configfs_unregister(void);
#else
static inline int vgem_configfs_register(void)
{
	return 0;
}

static inline void vgem_configfs_unregister(void)
{
}
#endif

/* vgem_verify.c */
#ifdef CONFIG_DEBUG_FS
const char *vgem_verify_table(const struct vgem_device *vgem,
			      const struct sg_table *sgt, u64 size);
void vgem_verify_init(struct vgem_device *vgem);
#else
static inline void vgem_verify_init(struct vgem_device *vgem)
{
}
#endif

#endif
