// SPDX-License-Identifier: GPL-2.0
/*
 * Storage objects and the devices of others.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: storage and other devices
 *
 * The callbacks that drm_gem_prime_export() has for all drivers pin at attach,
 * for as long as somebody is attached. Storage objects have a table of their
 * own, for they need less: attaching takes no pages, and what is mapped stays
 * where it is only while somebody has it mapped who cannot follow a move. So the
 * first device that maps finds out what all others that are attached need, and
 * storage that nobody has mapped can move. The core asks for that, see the DOC
 * section of drivers/dma-buf/dma-buf-negotiate.c.
 *
 * Who is able to follow, the core knows, and pins for those who are not. A driver
 * with a &struct dma_buf_ops of its own, without &dma_buf_ops.pin, has each table
 * pin in its place.
 *
 * A table is cut where the constraints of the object want a new entry.
 */

/**
 * struct storage_table - a table that is with an importer
 * @sgt: the table
 * @backing: the pages in it, one reference
 * @pinned: whether it keeps them where they are
 */
struct storage_table {
	struct sg_table sgt;
	struct drm_gem_storage_backing *backing;
	bool pinned;
};

/*
 * As a rule pages that lie side by side are one entry, if the device reaches them,
 * however many they are.
 */
static bool no_run_is_cut(const struct drm_gem_storage_backing *backing,
			  const struct dma_buf_constraints *c)
{
	u64 longest = PFN_PHYS((u64)backing->count);

	return c->alignment <= PAGE_SIZE && longest <= c->max_segment_size &&
	       longest <= UINT_MAX &&
	       dma_buf_constraints_boundary(c) == U64_MAX;
}

/* What fill_entries() is for, where no run of pages is cut. */
static unsigned int fill_runs(const struct drm_gem_storage_backing *backing,
			      u64 dma_mask, struct scatterlist *sg)
{
	unsigned long i, pfn, next = 0, highest = 0;
	unsigned int entries = 0;

	for (i = 0; i < backing->count; i++, next = pfn + 1) {
		pfn = page_to_pfn(backing->pages[i]);
		highest = max(highest, pfn);
		if (i && pfn == next) {
			if (sg)
				sg->length += PAGE_SIZE;
			continue;
		}
		if (sg) {
			sg = entries ? sg_next(sg) : sg;
			sg_set_page(sg, backing->pages[i], PAGE_SIZE, 0);
		}
		entries++;
	}
	if (sg)
		sg_mark_end(sg);

	return PFN_PHYS((u64)highest) + PAGE_SIZE - 1 <= dma_mask ? entries : 0;
}

/*
 * The entries of a table, written to @sg if that is not NULL. Returns how many
 * there are, or 0 if the pages do not meet @c.
 */
static unsigned int fill_entries(const struct drm_gem_storage_backing *backing,
				 const struct dma_buf_constraints *c,
				 struct scatterlist *sg)
{
	unsigned long i, end;
	unsigned int entries = 0;
	u64 address, left, cut;

	if (no_run_is_cut(backing, c))
		return fill_runs(backing, c->dma_mask, sg);

	for (i = 0; i < backing->count; i = end) {
		end = drm_gem_storage_backing_run(backing, i);
		address = page_to_phys(backing->pages[i]);
		for (left = PFN_PHYS((u64)(end - i)); left; left -= cut) {
			cut = dma_buf_constraints_cut(c, address, left);
			if (!cut)
				return 0;
			if (sg) {
				sg = entries ? sg_next(sg) : sg;
				sg_set_page(sg, pfn_to_page(PHYS_PFN(address)),
					    cut, 0);
			}
			entries++;
			address += cut;
		}
	}
	if (sg)
		sg_mark_end(sg);

	return entries;
}

/*
 * What fits into one allocation of the scatter list gets an entry for each page,
 * so that the pages need not be counted in runs first.
 */
static int fill_table(struct drm_gem_storage *storage, struct sg_table *sgt)
{
	const struct drm_gem_storage_backing *backing = storage->backing;
	const struct dma_buf_constraints *c = &storage->constraints;
	unsigned int entries = backing->count;
	int ret;

	if (backing->count >= SG_MAX_SINGLE_ALLOC)
		entries = fill_entries(backing, c, NULL);
	/* drm_gem_storage_constrain() has seen to it that they do */
	if (WARN_ON_ONCE(!entries))
		return -EINVAL;

	ret = sg_alloc_table(sgt, entries, GFP_KERNEL);
	if (ret)
		return ret;

	entries = fill_entries(backing, c, sgt->sgl);
	if (WARN_ON_ONCE(!entries)) {
		sg_free_table(sgt);
		return -EINVAL;
	}
	sgt->nents = entries;
	sgt->orig_nents = entries;

	return 0;
}

/**
 * drm_gem_storage_get_sg_table - &drm_gem_object_funcs.get_sg_table
 * @obj: the object
 *
 * The pages, for drm_gem_map_dma_buf() or a driver to map for a device. They
 * stay where they are only if the caller has them pinned.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: a table for the caller to free with sg_free_table() and kfree(), or
 * an error pointer:
 *
 *	* -EINVAL: the object was imported, or no memory could suit its devices
 *	* -ENOMEM: there are no such pages, or no room for the table
 *	* -EIO: a page could not be read from swap
 */
struct sg_table *drm_gem_storage_get_sg_table(struct drm_gem_object *obj)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);
	struct sg_table *sgt;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = drm_gem_storage_use_locked(storage);
	if (!ret)
		ret = fill_table(storage, sgt);
	drm_gem_storage_settle_locked(storage);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}

	return sgt;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_get_sg_table);

static int map_table(struct drm_gem_storage *storage,
		     struct storage_table *table, struct device *dev,
		     enum dma_data_direction dir)
{
	int ret;

	ret = fill_table(storage, &table->sgt);
	if (ret)
		return ret;

	ret = dma_map_sgtable(dev, &table->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		sg_free_table(&table->sgt);

	return ret;
}

/**
 * drm_gem_storage_map_dma_buf - &dma_buf_ops.map_dma_buf
 * @attach: attachment of the device
 * @dir: direction of the transfers
 *
 * Allocates if need be. For a static importer the storage stays where it is
 * until the table comes back.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: a mapped table, or an error pointer:
 *
 *	* -EINVAL: no memory could suit the object's devices
 *	* -ENOMEM: there are no such pages, or no room for the table
 *	* -EIO: a page could not be read from swap
 *	* what dma_map_sgtable() said of the device
 */
struct sg_table *drm_gem_storage_map_dma_buf(struct dma_buf_attachment *attach,
					     enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);
	struct storage_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);

	/* until there is a table that holds the pages */
	ret = drm_gem_storage_pin_locked(storage);
	if (ret)
		goto err_free;

	ret = map_table(storage, table, attach->dev, dir);
	if (ret)
		goto err_unpin;

	table->backing = storage->backing;
	table->backing->refs++;
	table->pinned = !dma_buf_is_dynamic(attach->dmabuf);
	if (!table->pinned)
		drm_gem_storage_unpin_locked(storage);

	return &table->sgt;

err_unpin:
	drm_gem_storage_unpin_locked(storage);
err_free:
	kfree(table);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_map_dma_buf);

/**
 * drm_gem_storage_unmap_dma_buf - &dma_buf_ops.unmap_dma_buf
 * @attach: attachment of the device
 * @sgt: from drm_gem_storage_map_dma_buf()
 * @dir: direction it was mapped with
 *
 * The storage may have moved since; the pages of the table are given back now.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 */
void drm_gem_storage_unmap_dma_buf(struct dma_buf_attachment *attach,
				   struct sg_table *sgt,
				   enum dma_data_direction dir)
{
	struct storage_table *table =
		container_of(sgt, struct storage_table, sgt);
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);

	dma_resv_assert_held(obj->resv);

	dma_unmap_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	drm_gem_storage_backing_put(storage, table->backing);
	if (table->pinned)
		drm_gem_storage_unpin_locked(storage);
	drm_gem_storage_settle_locked(storage);
	kfree(table);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_unmap_dma_buf);

/**
 * drm_gem_storage_dmabuf_pin - &dma_buf_ops.pin
 * @attach: attachment that needs the storage to stay where it is
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: 0, or a negative errno, see drm_gem_storage_pin().
 */
int drm_gem_storage_dmabuf_pin(struct dma_buf_attachment *attach)
{
	return drm_gem_storage_pin(attach->dmabuf->priv);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_dmabuf_pin);

/**
 * drm_gem_storage_dmabuf_unpin - &dma_buf_ops.unpin
 * @attach: attachment that drm_gem_storage_dmabuf_pin() was called for
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 */
void drm_gem_storage_dmabuf_unpin(struct dma_buf_attachment *attach)
{
	drm_gem_storage_unpin(attach->dmabuf->priv);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_dmabuf_unpin);

/**
 * drm_gem_storage_dmabuf_constrain - &dma_buf_ops.constrain
 * @dmabuf: a dma-buf of the object
 * @c: what suits all that are attached; physical addresses
 * @move: whether the storage may move. The core has told importers, and waited
 *	  for all fences, under the lock that it holds.
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: 0, or a negative errno, see drm_gem_storage_constrain().
 */
int drm_gem_storage_dmabuf_constrain(struct dma_buf *dmabuf,
				     const struct dma_buf_constraints *c,
				     bool move)
{
	return drm_gem_storage_constrain(dmabuf->priv, c,
					 move ? DRM_GEM_STORAGE_IDLE :
						DRM_GEM_STORAGE_STAY);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_dmabuf_constrain);

/**
 * drm_gem_storage_dmabuf_kind - &dma_buf_ops.storage_kind
 * @dmabuf: a dma-buf of the object
 *
 * Context: Process context. The reservation lock must be held.
 * Return: the word for debugfs and fdinfo, see drm_gem_storage_kind_name().
 */
const char *drm_gem_storage_dmabuf_kind(struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj = dmabuf->priv;

	dma_resv_assert_held(obj->resv);

	return drm_gem_storage_kind_name(to_drm_gem_storage(obj)->kind);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_dmabuf_kind);

static const struct dma_buf_ops storage_dma_buf_ops = {
	.pin = drm_gem_storage_dmabuf_pin,
	.unpin = drm_gem_storage_dmabuf_unpin,
	.constrain = drm_gem_storage_dmabuf_constrain,
	.map_dma_buf = drm_gem_storage_map_dma_buf,
	.unmap_dma_buf = drm_gem_storage_unmap_dma_buf,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.storage_kind = drm_gem_storage_dmabuf_kind,
	.mmap = drm_gem_dmabuf_mmap,
	.release = drm_gem_dmabuf_release,
};

/**
 * drm_gem_storage_prime_export - &drm_gem_object_funcs.export
 * @obj: the object
 * @flags: DRM_CLOEXEC and DRM_RDWR
 *
 * Context: Process context, may sleep.
 * Return: a dma-buf or an error pointer, as drm_gem_dmabuf_export().
 */
struct dma_buf *drm_gem_storage_prime_export(struct drm_gem_object *obj,
					     int flags)
{
	struct dma_buf_export_info info = {
		/* as of any GEM object, for tools that look for it */
		.exp_name = "drm",
		.owner = obj->dev->driver->fops->owner,
		.ops = &storage_dma_buf_ops,
		.size = obj->size,
		.flags = flags,
		.resv = obj->resv,
		.priv = obj,
	};

	return drm_gem_dmabuf_export(obj->dev, &info);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_prime_export);

/*
 * The exporter knows what @drm needs when that has attached. A mapping would tell
 * nothing more, and storage that nobody has mapped can move, or wait for more
 * devices before it is allocated.
 */
static struct drm_gem_object *import_unmapped(struct drm_device *drm,
					      struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	struct drm_gem_storage *storage;

	attach = dma_buf_attach(dmabuf, drm->dev);
	if (IS_ERR(attach))
		return ERR_CAST(attach);

	storage = drm_gem_storage_create_private(drm, PAGE_ALIGN(dmabuf->size));
	if (IS_ERR(storage)) {
		dma_buf_detach(dmabuf, attach);
		return ERR_CAST(storage);
	}

	/* for drm_prime_gem_destroy() */
	get_dma_buf(dmabuf);
	storage->base.import_attach = attach;
	storage->base.resv = dmabuf->resv;

	return &storage->base;
}

/**
 * drm_gem_storage_prime_import - &drm_driver.gem_prime_import
 * @drm: the device that imports
 * @dmabuf: any dma-buf
 *
 * Of an exporter that takes part in negotiations the buffer is attached, and not
 * yet mapped: &drm_gem_storage.sgt is NULL, and a driver with a device to feed
 * maps &drm_gem_object.import_attach while that is at work. Of others it is mapped
 * for good, as by drm_gem_prime_import().
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 * Return: the object itself if it is one of @drm, else one made of the dma-buf,
 * or an error pointer:
 *
 *	* what dma_buf_attach() said
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: the device has no room for one more offset to map by
 *	* of an exporter that does not take part, as drm_gem_prime_import()
 */
struct drm_gem_object *drm_gem_storage_prime_import(struct drm_device *drm,
						    struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj;

	if (dmabuf->ops == &storage_dma_buf_ops) {
		obj = dmabuf->priv;
		if (obj->dev == drm) {
			drm_gem_object_get(obj);
			return obj;
		}
	}

	if (dma_buf_can_constrain(dmabuf))
		return import_unmapped(drm, dmabuf);

	return drm_gem_prime_import(drm, dmabuf);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_prime_import);

/**
 * drm_gem_storage_prime_import_sg_table - &drm_driver.gem_prime_import_sg_table
 * @drm: the device that imports
 * @attach: its attachment
 * @sgt: the mapped table, the object's on success
 *
 * Context: Process context, may sleep.
 * Return: an object without storage, or an error pointer:
 *
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: the device has no room for one more offset to map by
 */
struct drm_gem_object *
drm_gem_storage_prime_import_sg_table(struct drm_device *drm,
				      struct dma_buf_attachment *attach,
				      struct sg_table *sgt)
{
	size_t size = PAGE_ALIGN(attach->dmabuf->size);
	struct drm_gem_storage *storage;

	storage = drm_gem_storage_create_private(drm, size);
	if (IS_ERR(storage))
		return ERR_CAST(storage);

	storage->sgt = sgt;

	return &storage->base;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_prime_import_sg_table);
