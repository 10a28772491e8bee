/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of drm_gem_storage share. */
#ifndef DRM_GEM_STORAGE_INTERNAL_H_
#define DRM_GEM_STORAGE_INTERNAL_H_

#include <linux/dma-direction.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/types.h>

#include <drm/drm_gem_storage.h>

struct device;
struct page;
struct storage_table;

/**
 * struct drm_gem_storage_backing - the pages of an object, at one place
 *
 * Outlives a move as long as a table that describes it is with an importer,
 * so that nobody unmaps, or still reads, what belongs to somebody else by then.
 */
struct drm_gem_storage_backing {
	/** @kind: how the pages were allocated, not NONE */
	enum drm_gem_storage_kind kind;

	/** @refs: the object and the tables; guarded by its reservation lock */
	unsigned int refs;

	/** @pages: in the order of the content */
	struct page **pages;

	/** @count: how many */
	unsigned long count;

	/** @dma_dev: device they were allocated for, NULL if for none */
	struct device *dma_dev;

	/** @dma_addr: what @dma_dev calls the first, for the way back */
	dma_addr_t dma_addr;

	/** @wc: the kernel's own mapping of them was made write-combined */
	bool wc;

	/** @detached: a move took the content, what is in them is old */
	bool detached;

	/**
	 * @idle: nobody uses them, see drm_gem_storage_idle.c. Changed by who has
	 * the reservation lock.
	 */
	bool idle;

	/**
	 * @listed: they are on a list of that file, as all that are @idle, and some
	 * that were
	 */
	bool listed;

	/** @idle_since: in jiffies, while @idle */
	unsigned long idle_since;

	/** @listed_at: in jiffies, since when their place in that list is right */
	unsigned long listed_at;

	/** @idle_node: in that list */
	struct list_head idle_node;

	/** @storage: the object, while @listed */
	struct drm_gem_storage *storage;

	/**
	 * @spare: a table that describes them and is not mapped, for the next
	 * who wants one, or NULL
	 */
	struct storage_table *spare;
};

/* drm_gem_storage_kind.c */
unsigned long drm_gem_storage_node_end(int nid);
bool drm_gem_storage_run_fits(const struct dma_buf_constraints *c, u64 address,
			      u64 length);
u64 drm_gem_storage_last_address(void);

/* drm_gem_storage_pages.c */
struct drm_gem_storage_backing *
drm_gem_storage_backing_alloc(struct drm_gem_storage *storage,
			      enum drm_gem_storage_kind kind,
			      const struct dma_buf_constraints *c, bool zero);
void drm_gem_storage_backing_free(struct drm_gem_storage *storage,
				  struct drm_gem_storage_backing *backing);
bool drm_gem_storage_backing_fits(const struct drm_gem_storage_backing *backing,
				  const struct dma_buf_constraints *c);
void drm_gem_storage_backing_sync(struct drm_gem_storage *storage,
				  struct drm_gem_storage_backing *backing);
unsigned long
drm_gem_storage_backing_run(const struct drm_gem_storage_backing *backing,
			    unsigned long first);
void drm_gem_storage_count_pages(const struct drm_gem_storage_backing *backing,
				 bool used);

/**
 * drm_gem_storage_backing_put - drop a reference
 * @storage: the object
 * @backing: its pages, given back with the last reference
 *
 * Context: Process context, may sleep. The reservation lock must be held, but
 * by who frees the object.
 */
static inline void
drm_gem_storage_backing_put(struct drm_gem_storage *storage,
			    struct drm_gem_storage_backing *backing)
{
	if (!--backing->refs)
		drm_gem_storage_backing_free(storage, backing);
}

/* drm_gem_storage_move.c */
int drm_gem_storage_stay_within_locked(struct drm_gem_storage *storage);

/* drm_gem_storage_idle.c */
#if IS_ENABLED(CONFIG_KUNIT)
extern unsigned int drm_gem_storage_idle_ms;
#endif
void drm_gem_storage_idle_begin_locked(struct drm_gem_storage *storage);
void drm_gem_storage_idle_end_locked(struct drm_gem_storage *storage);
void drm_gem_storage_idle_drop(struct drm_gem_storage_backing *backing);
void drm_gem_storage_idle_later(struct drm_gem_storage *storage);
void drm_gem_storage_idle_forget(struct drm_gem_storage *storage);
void drm_gem_storage_idle_leave(struct drm_gem_storage *storage);
unsigned long drm_gem_storage_shrink(unsigned long pages);

/* drm_gem_storage_table.c */
void drm_gem_storage_drop_spare(struct drm_gem_storage_backing *backing);
void drm_gem_storage_drop_tables_locked(struct drm_gem_storage *storage);

/* drm_gem_storage_range.c */
#ifdef CONFIG_CONTIG_ALLOC
unsigned long
drm_gem_storage_range_scattered(struct page **pages, unsigned long count,
				const struct dma_buf_constraints *c);
int drm_gem_storage_range_contiguous(struct page **pages, unsigned long count,
				     const struct dma_buf_constraints *c);
#else
static inline unsigned long
drm_gem_storage_range_scattered(struct page **pages, unsigned long count,
				const struct dma_buf_constraints *c)
{
	return 0;
}

static inline int
drm_gem_storage_range_contiguous(struct page **pages, unsigned long count,
				 const struct dma_buf_constraints *c)
{
	return -ENOMEM;
}
#endif

/* drm_gem_storage.c */
void drm_gem_storage_ask_device_locked(struct drm_gem_storage *storage);
int drm_gem_storage_use_first_locked(struct drm_gem_storage *storage);
bool drm_gem_storage_is_unused_locked(struct drm_gem_storage *storage);
void drm_gem_storage_settle_locked(struct drm_gem_storage *storage);
int drm_gem_storage_pin_locked(struct drm_gem_storage *storage);
void drm_gem_storage_unpin_locked(struct drm_gem_storage *storage);
struct drm_gem_storage *drm_gem_storage_create_private(struct drm_device *drm,
						       size_t size);

/**
 * drm_gem_storage_use_locked - have pages
 * @storage: the object
 *
 * The caller makes itself known by a count, or calls
 * drm_gem_storage_settle_locked() when it is done.
 *
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: no memory of this machine could ever suit all devices, or the
 *	  object was imported
 *	* what drm_gem_storage_backing_alloc() said
 */
static inline int drm_gem_storage_use_locked(struct drm_gem_storage *storage)
{
	dma_resv_assert_held(storage->base.resv);

	if (storage->backing && !storage->backing->idle)
		return 0;

	return drm_gem_storage_use_first_locked(storage);
}

#endif /* DRM_GEM_STORAGE_INTERNAL_H_ */
