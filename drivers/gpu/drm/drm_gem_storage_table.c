// SPDX-License-Identifier: GPL-2.0
/*
 * The tables that say to a device where a storage object is.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: tables of storage
 *
 * A table is cut where the constraints of the object want a new entry.
 *
 * A video device maps a buffer for each frame and unmaps it again. For a large
 * buffer in many pieces that is an entry for each piece, made and mapped and
 * unmapped and freed, sixty times a second, and all the same each time. So a table
 * that comes back is kept until its device detaches, with its addresses, and the
 * next mapping in the same direction is a look-up.
 *
 * A kept table is in nobody's way. It is not a pin: if the storage has to move, or
 * the object's constraints change, the kept tables go first. It does hold the pages
 * in memory, as mainline does for every device that is attached.
 *
 * One is kept for each attachment, in &dma_buf_attachment.priv. It has no user, and
 * one that has is not there. All of it is guarded by the reservation lock.
 *
 * When the device detaches, its addresses go, for it may go next. They go sooner, and
 * under the lock that is held anyway, where &dma_buf_attachment.leaving says that the
 * importer detaches with its last mapping. The list of pages
 * stays with these, as &drm_gem_storage_backing.spare, to be mapped for the next
 * device that comes. There is one at most.
 */

/**
 * struct storage_table - a table that is with an importer, or kept for it
 * @sgt: the table
 * @node: among &drm_gem_storage.kept_tables while it is kept
 * @attach: attachment that it is made for
 * @backing: the pages in it, one reference
 * @generation: of the object's tables, when it was made
 * @dir: direction it is mapped for
 * @pinned: whether it keeps them where they are
 */
struct storage_table {
	struct sg_table sgt;
	struct hlist_node node;
	struct dma_buf_attachment *attach;
	struct drm_gem_storage_backing *backing;
	unsigned int generation;
	enum dma_data_direction dir;
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

static void table_free(struct storage_table *table)
{
	sg_free_table(&table->sgt);
	kfree(table);
}

/**
 * drm_gem_storage_drop_spare - free the table that is there for the next who wants one
 * @backing: the pages in it
 */
void drm_gem_storage_drop_spare(struct drm_gem_storage_backing *backing)
{
	if (backing->spare)
		table_free(backing->spare);
	backing->spare = NULL;
}

/* A table of the object's pages that is not mapped. */
static struct storage_table *table_of_pages(struct drm_gem_storage *storage)
{
	struct drm_gem_storage_backing *backing = storage->backing;
	struct storage_table *table = backing->spare;
	int ret;

	if (table) {
		backing->spare = NULL;
		return table;
	}

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);

	ret = fill_table(storage, &table->sgt);
	if (ret) {
		kfree(table);
		return ERR_PTR(ret);
	}
	table->backing = backing;
	table->generation = storage->generation;

	return table;
}

static void table_give_back(struct drm_gem_storage *storage,
			    struct storage_table *table)
{
	struct drm_gem_storage_backing *backing = table->backing;

	/* a mark of the DMA API that outlives the mapping it was for */
	if (!backing->spare && table->generation == storage->generation &&
	    !sg_dma_is_swiotlb(table->sgt.sgl))
		backing->spare = table;
	else
		table_free(table);
}

static struct storage_table *table_map(struct drm_gem_storage *storage,
				       struct dma_buf_attachment *attach,
				       enum dma_data_direction dir)
{
	struct storage_table *table = table_of_pages(storage);
	int ret;

	if (IS_ERR(table))
		return table;

	ret = dma_map_sgtable(attach->dev, &table->sgt, dir,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		table_give_back(storage, table);
		return ERR_PTR(ret);
	}

	table->attach = attach;
	table->dir = dir;
	table->backing->refs++;

	return table;
}

static struct storage_table *table_create(struct drm_gem_storage *storage,
					  struct dma_buf_attachment *attach,
					  enum dma_data_direction dir)
{
	struct storage_table *table;
	int ret;

	ret = drm_gem_storage_use_locked(storage);
	if (ret)
		return ERR_PTR(ret);

	table = table_map(storage, attach, dir);
	if (IS_ERR(table))
		drm_gem_storage_settle_locked(storage);

	return table;
}

static inline void table_destroy(struct drm_gem_storage *storage,
				 struct storage_table *table)
{
	struct drm_gem_storage_backing *backing = table->backing;

	dma_unmap_sgtable(table->attach->dev, &table->sgt, table->dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
	table_give_back(storage, table);
	drm_gem_storage_backing_put(storage, backing);
}

/*
 * Only if it would be made the same again, and if somebody frees it in the end:
 * a driver can have a &struct dma_buf_ops of its own.
 */
static bool table_is_worth_keeping(const struct drm_gem_storage *storage,
				   const struct storage_table *table)
{
	const struct dma_buf_attachment *attach = table->attach;

	return table->generation == storage->generation && !attach->priv &&
	       !attach->leaving &&
	       attach->dmabuf->ops->detach == drm_gem_storage_dmabuf_detach;
}

static void table_keep(struct drm_gem_storage *storage,
		       struct storage_table *table)
{
	table->attach->priv = table;
	hlist_add_head(&table->node, &storage->kept_tables);
}

static void table_take(struct storage_table *table)
{
	table->attach->priv = NULL;
	hlist_del_init(&table->node);
}

static void table_drop_kept(struct drm_gem_storage *storage,
			    struct dma_buf_attachment *attach)
{
	struct storage_table *table = attach->priv;

	table_take(table);
	table_destroy(storage, table);
}

/**
 * drm_gem_storage_drop_tables_locked - keep none of the tables there are
 * @storage: the object, whose pages or constraints are about to be others
 *
 * Those that are with importers are not kept when they come back.
 */
void drm_gem_storage_drop_tables_locked(struct drm_gem_storage *storage)
{
	struct storage_table *table;
	struct hlist_node *next;

	dma_resv_assert_held(storage->base.resv);

	storage->generation++;
	if (storage->backing)
		drm_gem_storage_drop_spare(storage->backing);
	hlist_for_each_entry_safe(table, next, &storage->kept_tables, node) {
		table_take(table);
		table_destroy(storage, table);
	}
}

/* Nobody else does, see drm_gem_storage_prime.c. */
static bool table_has_to_pin(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;

	return ops->map_pins ? !dma_buf_attachment_is_dynamic(attach) :
			       !ops->pin;
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
	struct storage_table *table = attach->priv;

	dma_resv_assert_held(obj->resv);

	if (table && table->dir == dir) {
		table_take(table);
	} else {
		table = table_create(storage, attach, dir);
		if (IS_ERR(table))
			return ERR_CAST(table);
	}

	table->pinned = table_has_to_pin(attach);
	if (table->pinned)
		storage->pin_count++;

	return &table->sgt;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_map_dma_buf);

/**
 * drm_gem_storage_unmap_dma_buf - &dma_buf_ops.unmap_dma_buf
 * @attach: attachment of the device
 * @sgt: from drm_gem_storage_map_dma_buf()
 * @dir: direction it was mapped with
 *
 * The storage may have moved since; the pages of the table are given back now.
 * If it has not, the table is kept for the next time.
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
	bool pinned = table->pinned;

	dma_resv_assert_held(obj->resv);

	if (table_is_worth_keeping(storage, table))
		table_keep(storage, table);
	else
		table_destroy(storage, table);
	if (attach->leaving && attach->priv)
		table_drop_kept(storage, attach);
	if (pinned)
		storage->pin_count--;
	drm_gem_storage_settle_locked(storage);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_unmap_dma_buf);

/**
 * drm_gem_storage_dmabuf_detach - &dma_buf_ops.detach
 * @dmabuf: a dma-buf of the object
 * @attach: attachment that ends
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 */
void drm_gem_storage_dmabuf_detach(struct dma_buf *dmabuf,
				   struct dma_buf_attachment *attach)
{
	struct drm_gem_object *obj = dmabuf->priv;
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);

	/* drm_gem_storage_unmap_dma_buf() has seen to it that there is none */
	if (attach->leaving)
		return;

	dma_resv_lock(obj->resv, NULL);
	if (attach->priv) {
		table_drop_kept(storage, attach);
		drm_gem_storage_settle_locked(storage);
	}
	dma_resv_unlock(obj->resv);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_dmabuf_detach);
