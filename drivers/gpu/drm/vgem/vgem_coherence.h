/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VGEM_COHERENCE_H_
#define _VGEM_COHERENCE_H_

#include <linux/container_of.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/drm_gem_storage.h>

/**
 * enum vgem_mistake - what a process can do wrong with a buffer
 * @VGEM_READS_OUTSIDE: reads while no bracket is open
 * @VGEM_WRITES_OUTSIDE: writes while no bracket for writing is open
 * @VGEM_ENDS_TWICE: ends a bracket that nobody has begun
 */
enum vgem_mistake {
	VGEM_READS_OUTSIDE,
	VGEM_WRITES_OUTSIDE,
	VGEM_ENDS_TWICE,
};

/**
 * struct vgem_views - what the CPU has of a buffer, beside the device
 *
 * See the DOC section of vgem_views.c.
 */
struct vgem_views {
	/**
	 * @lock: guards every member, and the copying between the views, so that
	 * no page becomes writable in the middle of it. A fault takes it with the
	 * mmap lock held, so nothing that waits for a device or a process is done
	 * under it. Nests inside the reservation lock.
	 */
	struct mutex lock;

	/** @count: pages of the buffer; never changes */
	unsigned long count;

	/** @cpu: what the CPU sees; NULL before it has looked for the first time */
	u8 *cpu;

	/**
	 * @fetched: what the device had when a bracket was begun last, or, of pages
	 * that were written to outside of any, what the CPU saw before; in the same
	 * allocation as @cpu
	 */
	u8 *fetched;

	/**
	 * @written: a bit for each page that the CPU may write to now. Of these,
	 * the bytes of @cpu that are not those of @fetched are yet to be flushed.
	 */
	unsigned long *written;

	/** @readers: brackets that are open for reading only */
	unsigned int readers;

	/** @writers: brackets that are open for writing, or for both */
	unsigned int writers;

	/** @told: a bit for each &enum vgem_mistake that the log has already */
	unsigned long told;
};

/**
 * struct vgem_noncoherent - a buffer of a device that is not coherent
 */
struct vgem_noncoherent {
	/** @storage: the device's view; first, for it frees the object */
	struct drm_gem_storage storage;

	/** @views: the CPU's; of an imported buffer not used */
	struct vgem_views views;
};

static inline struct vgem_noncoherent *
to_vgem_noncoherent(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_storage(obj), struct vgem_noncoherent,
			    storage);
}

/* vgem_views.c */
void vgem_views_init(struct vgem_views *views, unsigned long count);
void vgem_views_fini(struct vgem_views *views);
int vgem_views_alloc_locked(struct vgem_views *views);
void vgem_views_write_page_locked(struct vgem_views *views, unsigned long page);
void vgem_views_forget_locked(struct vgem_views *views);
void vgem_views_fetch_locked(struct vgem_views *views, const u8 *device,
			     bool read);
void vgem_views_flush_locked(struct vgem_views *views, u8 *device);

/* vgem_coherence.c */
struct drm_gem_object *vgem_noncoherent_create_object(size_t size);
struct drm_gem_object *vgem_prime_import(struct drm_device *drm,
					 struct dma_buf *dmabuf);

#endif
