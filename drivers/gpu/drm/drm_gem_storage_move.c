// SPDX-License-Identifier: GPL-2.0
/*
 * Content that changes its place.
 */

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>

#include <drm/drm_device.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_storage_internal.h"
#include "drm_gem_storage_trace.h"

/**
 * DOC: moving storage
 *
 * A device that is stricter than all before it may come when a buffer is long
 * in use. Then its content goes to other pages, and nobody notices:
 *
 * 1. Whoever needs the pages where they are is asked for first: the answer is
 *    -EBUSY, and nothing has happened.
 * 2. Devices that are at work are waited for, by their fences.
 * 3. New pages are taken. If there are none, nothing has happened either.
 * 4. Mappings into processes lose their entries, all of them, whichever file
 *    they were made by. A process that touches one now faults, and its fault
 *    waits for the reservation lock.
 * 5. The content is copied, page by page.
 * 6. The object has the new pages. Faults go on, and find them.
 * 7. The old pages are free once no table that lists them is with an importer.
 *
 * All of it happens in one hold of the reservation lock, so there is no state
 * in between for anybody to meet. Importers that were told of the move, see
 * dma_buf_move_notify(), may still hold the table of the old pages, which stay
 * their own until it comes back.
 */

static bool storage_can_move(const struct drm_gem_storage *storage)
{
	return !storage->pin_count && !storage->vmap_count;
}

/*
 * Devices come and go, and as a rule make no difference to storage that exists:
 * neither a kind need be chosen for that, nor a page looked at. Which kinds of
 * memory they take besides is none to these.
 */
static bool storage_met_more(const struct drm_gem_storage *storage,
			     const struct dma_buf_constraints *c)
{
	struct dma_buf_constraints met = storage->constraints;

	met.domains = DMA_BUF_DOMAIN_SYSTEM;

	return storage->kind != DRM_GEM_STORAGE_NONE &&
	       dma_buf_constraints_subset(&met, c);
}

static bool storage_fits(const struct drm_gem_storage *storage,
			 const struct dma_buf_constraints *c, int kind)
{
	if (storage->kind == DRM_GEM_STORAGE_NONE)
		return true;
	/* From swap it may come back anywhere. */
	if (storage->kind == DRM_GEM_STORAGE_SHMEM)
		return kind == DRM_GEM_STORAGE_SHMEM;

	return drm_gem_storage_backing_fits(storage->backing, c);
}

static int storage_wait_idle(struct drm_gem_object *obj)
{
	long ret;

	ret = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_BOOKKEEP, true,
				    MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

static void storage_copy_content(struct drm_gem_storage *storage,
				 struct drm_gem_storage_backing *to,
				 struct drm_gem_storage_backing *from)
{
	unsigned long i;

	drm_gem_storage_backing_sync(storage, from);
	for (i = 0; i < to->count; i++) {
		copy_highpage(to->pages[i], from->pages[i]);
		cond_resched();
	}
	drm_gem_storage_backing_sync(storage, to);

	storage->moves++;
	storage->moved_bytes += storage->base.size;
}

/* The file keeps what it has got until somebody says that it is not wanted. */
static void storage_drop_old(struct drm_gem_storage *storage,
			     struct drm_gem_storage_backing *old)
{
	bool shmem = old->kind == DRM_GEM_STORAGE_SHMEM;

	old->detached = true;
	/* others may have tables of them for longer than there is the object */
	drm_gem_storage_idle_drop(old);
	drm_gem_storage_backing_put(storage, old);
	if (shmem)
		shmem_truncate_range(file_inode(storage->base.filp), 0,
				     (loff_t)-1);
}

/* For pages that nobody relies on. They stay if there are no others. */
static int storage_replace(struct drm_gem_storage *storage,
			   enum drm_gem_storage_kind kind,
			   const struct dma_buf_constraints *c)
{
	struct drm_gem_object *obj = &storage->base;
	struct drm_gem_storage_backing *old, *new;

	old = storage->backing;
	new = drm_gem_storage_backing_alloc(storage, kind, c, false);
	if (IS_ERR(new))
		return PTR_ERR(new);

	drm_gem_storage_drop_tables_locked(storage);
	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
	storage_copy_content(storage, new, old);

	storage->backing = new;
	storage->kind = kind;
	storage->constraints = *c;
	storage_drop_old(storage, old);

	return 0;
}

static int storage_move_idle(struct drm_gem_storage *storage,
			     enum drm_gem_storage_kind kind,
			     const struct dma_buf_constraints *c)
{
	int ret;

	/* From swap, if need be. */
	ret = drm_gem_storage_use_locked(storage);
	if (ret)
		return ret;

	ret = storage_replace(storage, kind, c);
	drm_gem_storage_settle_locked(storage);

	return ret;
}

/**
 * drm_gem_storage_stay_within_locked - shmem in a machine that has grown
 * @storage: the object, which has just got its pages
 *
 * Pages of shmem were chosen because devices reached all memory there was. Where
 * memory is added while the machine runs, they may come back from swap beyond
 * that, and then go on to other pages at once, as nobody has these yet.
 *
 * Return: 0, or a negative errno, without pages then, see
 * drm_gem_storage_use_locked().
 */
int drm_gem_storage_stay_within_locked(struct drm_gem_storage *storage)
{
	const struct dma_buf_constraints c = storage->constraints;
	int kind, ret;

	/* most devices reach whatever there will be */
	if (c.dma_mask == U64_MAX || storage->kind != DRM_GEM_STORAGE_SHMEM ||
	    c.dma_mask >= drm_gem_storage_last_address() ||
	    drm_gem_storage_backing_fits(storage->backing, &c))
		return 0;

	kind = drm_gem_storage_choose(&c, storage->base.size,
				      drm_gem_storage_last_address());
	ret = kind < 0 ? kind : storage_replace(storage, kind, &c);
	trace_drm_gem_storage_move(storage, DRM_GEM_STORAGE_SHMEM,
				   max(kind, DRM_GEM_STORAGE_NONE), ret);
	if (ret) {
		struct drm_gem_storage_backing *beyond = storage->backing;

		storage->backing = NULL;
		drm_gem_storage_backing_put(storage, beyond);
	}

	return ret;
}

static int storage_move(struct drm_gem_storage *storage,
			enum drm_gem_storage_kind kind,
			const struct dma_buf_constraints *c, unsigned int flags)
{
	int ret;

	if (!storage_can_move(storage))
		return -EBUSY;
	if (flags & DRM_GEM_STORAGE_STAY)
		return -EAGAIN;

	ret = flags & DRM_GEM_STORAGE_IDLE ? 0 :
					     storage_wait_idle(&storage->base);
	if (ret)
		return ret;

	return storage_move_idle(storage, kind, c);
}

/* The pages stay, and what tables are to be like may change. */
static void storage_restate(struct drm_gem_storage *storage,
			    const struct dma_buf_constraints *c)
{
	if (dma_buf_constraints_equal(c, &storage->constraints))
		return;

	storage->constraints = *c;
	drm_gem_storage_drop_tables_locked(storage);
	drm_gem_storage_settle_locked(storage);
}

/**
 * drm_gem_storage_constrain - make storage suit all devices
 * @obj: an object that was not imported
 * @c: what suits all of them, in place of what did so far; physical addresses
 * @flags: %DRM_GEM_STORAGE_IDLE if the caller has waited for every fence of the
 *	   reservation object, under the lock that it holds, and has told those
 *	   whom dma_buf_move_notify() tells; %DRM_GEM_STORAGE_STAY to ask only;
 *	   else 0, for who has no dma-buf
 *
 * What is not yet allocated will be, with the first use, such that it meets @c.
 * What is allocated and meets it stays where it is. The rest moves. What the
 * object's own device needs counts in any case, see &drm_gem_storage.needs.
 *
 * Who has the pages pinned is not asked to give them up: pins, kernel mappings
 * and the tables of static importers are in the way of a move.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: 0, or a negative errno, and then the object is as it was:
 *
 *	* -EINVAL: no memory of this machine could ever meet @c, or no kind of
 *	  storage does
 *	* -EBUSY: a move is needed, and somebody needs the storage to stay
 *	* -EAGAIN: a move is needed, with %DRM_GEM_STORAGE_STAY
 *	* -ENOMEM: there are no such pages now
 *	* -ERESTARTSYS: a signal arrived while waiting
 *	* -EIO: a page could not be read from swap
 */
int drm_gem_storage_constrain(struct drm_gem_object *obj,
			      const struct dma_buf_constraints *c,
			      unsigned int flags)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);
	struct dma_buf_constraints all;
	int kind, from = storage->kind, ret;

	dma_resv_assert_held(obj->resv);

	if (WARN_ON_ONCE(obj->import_attach))
		return -EINVAL;

	drm_gem_storage_ask_device_locked(storage);
	dma_buf_constraints_intersect(&all, c, &storage->needs);
	if (!storage_met_more(storage, &all)) {
		kind = drm_gem_storage_choose(&all, obj->size,
					      drm_gem_storage_last_address());
		if (kind < 0)
			return kind;
		if (!storage_fits(storage, &all, kind)) {
			ret = storage_move(storage, kind, &all, flags);
			/* not of the question whether it takes one */
			if (ret != -EAGAIN)
				trace_drm_gem_storage_move(storage, from, kind,
							   ret);
			return ret;
		}
	}
	storage_restate(storage, &all);

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_constrain);

/**
 * drm_gem_storage_relax - give back storage that is better than needed
 * @obj: an object that was not imported
 * @flags: %DRM_GEM_STORAGE_IDLE or 0, see drm_gem_storage_constrain()
 *
 * When the strictest device is gone, the storage still suits the others, so it
 * stays. A driver that is short of what it takes up, contiguous memory above
 * all, moves it to the easiest kind that will do.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: 0, also if there is no easier kind, or a negative errno, and then the
 * object is as it was:
 *
 *	* -EINVAL: the object was imported
 *	* -EBUSY: somebody needs the storage to stay
 *	* -ENOMEM: there are no such pages now
 *	* -ERESTARTSYS: a signal arrived while waiting
 *	* -EIO: a page could not be read from swap
 */
int drm_gem_storage_relax(struct drm_gem_object *obj, unsigned int flags)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);
	struct dma_buf_constraints c = storage->constraints;
	int kind, from = storage->kind, ret;

	dma_resv_assert_held(obj->resv);

	if (WARN_ON_ONCE(obj->import_attach))
		return -EINVAL;

	kind = drm_gem_storage_choose(&c, obj->size,
				      drm_gem_storage_last_address());
	/* The kinds are in the order in which they are preferred. */
	if (kind < 0 || kind >= storage->kind)
		return 0;

	ret = storage_move(storage, kind, &c, flags);
	trace_drm_gem_storage_relax(storage, from, kind, ret);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_relax);
