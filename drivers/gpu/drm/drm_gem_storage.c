// SPDX-License-Identifier: GPL-2.0
/*
 * GEM objects whose memory suits the devices that use it.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_mode.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_storage_internal.h"

#define CREATE_TRACE_POINTS
#include "drm_gem_storage_trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gem_storage_choose);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gem_storage_move);
EXPORT_TRACEPOINT_SYMBOL_GPL(drm_gem_storage_relax);

MODULE_DESCRIPTION("GEM objects in memory that suits their devices");
MODULE_IMPORT_NS(DMA_BUF);
MODULE_LICENSE("GPL");

/**
 * DOC: gem storage
 *
 * When a client makes a buffer, nobody knows yet which devices will use it: a
 * renderer takes any pages, a display without an IOMMU one piece, an old camera
 * pages below 4 GiB. A driver that allocates at once can only guess. Guess for
 * the strictest, and contiguous memory runs out; for the loosest, and the
 * display says -EINVAL.
 *
 * &struct drm_gem_storage does not guess. It has no pages until the first use,
 * and then takes the easiest kind that suits all who have said what they need.
 * When a stricter device comes later, the content moves.
 *
 * A driver has these objects with DRM_GEM_STORAGE_DRIVER_OPS in its
 * &struct drm_driver, and nothing else. It may embed the structure at the
 * beginning of one of its own, with &drm_driver.gem_create_object, and set
 * &drm_gem_storage.map_wc there.
 *
 * States of an object
 * ~~~~~~~~~~~~~~~~~~~
 *
 * No pages, from drm_gem_storage_create() on; drm_gem_storage_constrain()
 * then only takes note. The first of a pin, a kernel mapping, a table for a
 * device, or a page that a process touches, takes pages. They are of the kind
 * that drm_gem_storage_choose() finds, see the next section.
 *
 * In use or not, which matters for shmem: without pins, mappings and tables, kept
 * ones included, its pages are idle, and soon the file's alone, to go to swap. See
 * drm_gem_storage_idle.c.
 *
 * Fixed, while somebody needs the pages where they are: a pin, a kernel mapping,
 * a table of a static importer. drm_gem_storage_constrain() says -EBUSY then.
 *
 * An imported object has no storage. CPU access goes to the exporter, and
 * importing takes no pages either where the exporter waits for the first mapping.
 *
 * Locking
 * ~~~~~~~
 *
 * The reservation lock guards all of it: a fault, a table and a move exclude
 * each other. It nests inside the mmap lock. Memory is allocated under it, as
 * the reservation object allows.
 */

static const struct drm_gem_object_funcs storage_funcs = {
	.free = drm_gem_storage_free,
	.print_info = drm_gem_storage_print_info,
	.export = drm_gem_storage_prime_export,
	.pin = drm_gem_storage_pin,
	.unpin = drm_gem_storage_unpin,
	.get_sg_table = drm_gem_storage_get_sg_table,
	.vmap = drm_gem_storage_vmap,
	.vunmap = drm_gem_storage_vunmap,
	.mmap = drm_gem_storage_mmap,
	.vm_ops = &drm_gem_storage_vm_ops,
};

static void own_needs(const struct drm_gem_object *obj,
		      struct dma_buf_constraints *c)
{
	struct device *dev = obj->dev->dev;

	if (dma_buf_device_is_undemanding(dev)) {
		*c = DMA_BUF_CONSTRAINTS_ANY;
	} else {
		dma_buf_constraints_of_device(dev, c);
		dma_buf_declared_for(dev, c);
		dma_buf_constraints_of_storage(dev, c, c, obj->size);
	}
	/* what the length of an entry in a scatter list can be */
	c->max_segment_size = min(c->max_segment_size, SZ_2G);
}

/**
 * drm_gem_storage_ask_device_locked - what the object's own device needs
 * @storage: the object, not an imported one
 *
 * That device is one of those that use the object, attached or not. It is asked when
 * something depends on it for the first time, and not again.
 */
void drm_gem_storage_ask_device_locked(struct drm_gem_storage *storage)
{
	dma_resv_assert_held(storage->base.resv);

	if (storage->asked)
		return;

	own_needs(&storage->base, &storage->needs);
	storage->constraints = storage->needs;
	storage->asked = true;
}

/* The first use of all, for the constraints that were said by then. */
static struct drm_gem_storage_backing *
first_backing(struct drm_gem_storage *storage, int *kind)
{
	struct drm_gem_storage_backing *backing;

	drm_gem_storage_ask_device_locked(storage);
	*kind = drm_gem_storage_choose(&storage->constraints,
				       storage->base.size,
				       drm_gem_storage_last_address());
	if (*kind < 0)
		return ERR_PTR(*kind);

	backing = drm_gem_storage_backing_alloc(storage, *kind,
						&storage->constraints, true);
	trace_drm_gem_storage_choose(storage, DRM_GEM_STORAGE_NONE, *kind,
				     PTR_ERR_OR_ZERO(backing));

	return backing;
}

/**
 * drm_gem_storage_use_first_locked - have pages that are not in use yet
 * @storage: the object
 *
 * Return: 0, or a negative errno, see drm_gem_storage_use_locked().
 */
int drm_gem_storage_use_first_locked(struct drm_gem_storage *storage)
{
	const struct dma_buf_constraints *c = &storage->constraints;
	struct drm_gem_storage_backing *backing;
	int kind = storage->kind;

	dma_resv_assert_held(storage->base.resv);

	if (WARN_ON_ONCE(storage->base.import_attach))
		return -EINVAL;
	if (storage->backing) {
		drm_gem_storage_idle_end_locked(storage);
		return 0;
	}

	if (kind == DRM_GEM_STORAGE_NONE)
		backing = first_backing(storage, &kind);
	else
		backing = drm_gem_storage_backing_alloc(storage, kind, c, true);
	if (IS_ERR(backing))
		return PTR_ERR(backing);

	storage->backing = backing;
	storage->kind = kind;

	return drm_gem_storage_stay_within_locked(storage);
}

/**
 * drm_gem_storage_is_unused_locked - are there pages that nobody uses?
 * @storage: the object
 *
 * Return: true if there are, and they could be given back, and are not idle yet.
 */
bool drm_gem_storage_is_unused_locked(struct drm_gem_storage *storage)
{
	struct drm_gem_storage_backing *backing = storage->backing;

	dma_resv_assert_held(storage->base.resv);

	if (!backing || backing->kind != DRM_GEM_STORAGE_SHMEM || backing->idle)
		return false;
	if (storage->pin_count || storage->vmap_count ||
	    atomic_read(&storage->vma_count))
		return false;

	/* tables of importers that follow moves, who do not pin, or kept ones */
	return backing->refs == 1;
}

/**
 * drm_gem_storage_settle_locked - let what nobody uses be idle
 * @storage: the object
 */
void drm_gem_storage_settle_locked(struct drm_gem_storage *storage)
{
	if (drm_gem_storage_is_unused_locked(storage))
		drm_gem_storage_idle_begin_locked(storage);
}

/**
 * drm_gem_storage_pin_locked - keep pages where they are
 * @storage: the object
 *
 * Return: 0, or a negative errno, see drm_gem_storage_use_locked().
 */
int drm_gem_storage_pin_locked(struct drm_gem_storage *storage)
{
	int ret;

	ret = drm_gem_storage_use_locked(storage);
	if (!ret)
		storage->pin_count++;

	return ret;
}

/**
 * drm_gem_storage_unpin_locked - undo drm_gem_storage_pin_locked()
 * @storage: the object
 */
void drm_gem_storage_unpin_locked(struct drm_gem_storage *storage)
{
	dma_resv_assert_held(storage->base.resv);

	if (WARN_ON_ONCE(!storage->pin_count))
		return;

	storage->pin_count--;
	drm_gem_storage_settle_locked(storage);
}

/**
 * drm_gem_storage_pin - &drm_gem_object_funcs.pin
 * @obj: the object
 *
 * Allocates if need be, and keeps the pages where they are.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: the object was imported, or no memory could suit its devices
 *	* -ENOMEM: there are no such pages
 *	* -EIO: a page could not be read from swap
 */
int drm_gem_storage_pin(struct drm_gem_object *obj)
{
	return drm_gem_storage_pin_locked(to_drm_gem_storage(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_storage_pin);

/**
 * drm_gem_storage_unpin - &drm_gem_object_funcs.unpin
 * @obj: the object
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 */
void drm_gem_storage_unpin(struct drm_gem_object *obj)
{
	drm_gem_storage_unpin_locked(to_drm_gem_storage(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_storage_unpin);

static struct drm_gem_storage *object_alloc(struct drm_device *drm, size_t size)
{
	struct drm_gem_storage *storage;
	struct drm_gem_object *obj;

	if (drm->driver->gem_create_object) {
		obj = drm->driver->gem_create_object(drm, size);
		if (IS_ERR(obj))
			return ERR_CAST(obj);
		storage = to_drm_gem_storage(obj);
	} else {
		storage = kzalloc(sizeof(*storage), GFP_KERNEL);
		if (!storage)
			return ERR_PTR(-ENOMEM);
	}

	if (!storage->base.funcs)
		storage->base.funcs = &storage_funcs;

	return storage;
}

/**
 * drm_gem_storage_create_private - an object without storage
 * @drm: its device
 * @size: bytes, whole pages
 *
 * Nor has it an offset to map it by: most are never mapped by one. Who tells a
 * process the offset makes it, with drm_gem_create_mmap_offset(), as
 * drm_gem_dumb_map_offset() and drm_gem_prime_mmap() do.
 *
 * Return: an object with one reference, or an error pointer:
 *
 *	* -ENOMEM: out of memory
 *	* what &drm_driver.gem_create_object said
 */
struct drm_gem_storage *drm_gem_storage_create_private(struct drm_device *drm,
						       size_t size)
{
	struct drm_gem_storage *storage = object_alloc(drm, size);

	if (!IS_ERR(storage))
		drm_gem_private_object_init(drm, &storage->base, size);

	return storage;
}

/**
 * drm_gem_storage_create - make an object
 * @drm: its device
 * @size: bytes, rounded up to whole pages
 *
 * No page is allocated for the content, which will be zero, nor the shmem file that
 * may hold it.
 *
 * Context: Process context, may sleep.
 * Return: an object with one reference, or an error pointer:
 *
 *	* -EINVAL: @size is 0, or more than an object can have
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: there is no offset to map so much by
 *	* what &drm_driver.gem_create_object said
 */
struct drm_gem_storage *drm_gem_storage_create(struct drm_device *drm,
					       size_t size)
{
	/* what the shmem file could not have, if there will be one */
	if (!size || size > MAX_LFS_FILESIZE - PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	if (size > PFN_PHYS((u64)DRM_FILE_PAGE_OFFSET_SIZE))
		return ERR_PTR(-ENOSPC);

	return drm_gem_storage_create_private(drm, PAGE_ALIGN(size));
}
EXPORT_SYMBOL_GPL(drm_gem_storage_create);

/**
 * drm_gem_storage_free - &drm_gem_object_funcs.free
 * @obj: an object without references
 *
 * Gives the storage back, or the import, and the memory of the object.
 *
 * Context: Process context, may sleep. Takes the reservation lock of the
 *	    exporter if the object was imported.
 */
void drm_gem_storage_free(struct drm_gem_object *obj)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);

	if (obj->import_attach)
		drm_prime_gem_destroy(obj, storage->sgt);

	drm_WARN_ON(obj->dev, storage->pin_count);
	drm_WARN_ON(obj->dev, storage->vmap_count);
	drm_WARN_ON(obj->dev, atomic_read(&storage->vma_count));
	drm_gem_storage_idle_forget(storage);
	/* also for who looks at its pages at this moment, or at those it had, to be done */
	if (obj->filp)
		drm_gem_storage_idle_leave(storage);
	if (storage->backing) {
		drm_WARN_ON(obj->dev, storage->backing->refs != 1);
		/* the file goes, and what it holds */
		storage->backing->detached = true;
		drm_gem_storage_backing_put(storage, storage->backing);
	}

	drm_gem_object_release(obj);
	kfree(storage);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_free);

/**
 * drm_gem_storage_print_info - &drm_gem_object_funcs.print_info
 * @p: where to print
 * @indent: tabs before each line
 * @obj: the object
 *
 * Context: Any. Without the reservation lock what is printed may be old.
 */
void drm_gem_storage_print_info(struct drm_printer *p, unsigned int indent,
				const struct drm_gem_object *obj)
{
	const struct drm_gem_storage *storage = to_drm_gem_storage(obj);
	/* for people to read, who know that it may be of two moments */
	struct dma_buf_constraints c = data_race(storage->constraints);
	enum drm_gem_storage_kind kind = READ_ONCE(storage->kind);
	char text[DMA_BUF_CONSTRAINTS_TEXT_SIZE];

	if (obj->import_attach)
		return;

	if (!READ_ONCE(storage->asked))
		own_needs(obj, &c);
	dma_buf_constraints_print(text, sizeof(text), &c);
	drm_printf_indent(p, indent, "storage=%s\n",
			  drm_gem_storage_kind_name(kind));
	drm_printf_indent(p, indent, "pages=%zu\n",
			  kind ? obj->size >> PAGE_SHIFT : 0);
	drm_printf_indent(p, indent, "constraints=%s\n", text);
	drm_printf_indent(p, indent, "moves=%llu\n", READ_ONCE(storage->moves));
	drm_printf_indent(p, indent, "moved_bytes=%llu\n",
			  READ_ONCE(storage->moved_bytes));
	drm_printf_indent(p, indent, "pins=%u vmaps=%u mmaps=%u\n",
			  READ_ONCE(storage->pin_count),
			  READ_ONCE(storage->vmap_count),
			  atomic_read(&storage->vma_count));
}
EXPORT_SYMBOL_GPL(drm_gem_storage_print_info);

/**
 * drm_gem_storage_dumb_create - &drm_driver.dumb_create
 * @file: the client
 * @drm: the device
 * @args: width, height and bits per pixel; gets pitch, size and handle
 *
 * Rows have no more than the bytes they need.
 *
 * Context: Process context, may sleep.
 * Return: 0, or a negative errno, see drm_gem_storage_create() and
 * drm_gem_handle_create().
 */
int drm_gem_storage_dumb_create(struct drm_file *file, struct drm_device *drm,
				struct drm_mode_create_dumb *args)
{
	struct drm_gem_storage *storage;
	int ret;

	args->pitch = DIV_ROUND_UP((u64)args->width * args->bpp, BITS_PER_BYTE);
	args->size = PAGE_ALIGN((u64)args->pitch * args->height);

	storage = drm_gem_storage_create(drm, args->size);
	if (IS_ERR(storage))
		return PTR_ERR(storage);

	ret = drm_gem_handle_create(file, &storage->base, &args->handle);
	drm_gem_object_put(&storage->base);

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_dumb_create);
