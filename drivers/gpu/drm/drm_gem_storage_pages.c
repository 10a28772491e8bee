// SPDX-License-Identifier: GPL-2.0
/*
 * Where the pages of an object come from, and where they go.
 */

#include <linux/cc_platform.h>
#include <linux/cpumask.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/types.h>

#ifdef CONFIG_X86
#include <asm/set_memory.h>
#endif

#include <drm/drm_device.h>
#include <drm/drm_gem.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: pages of storage
 *
 * An object has its pages in one backing: an array of them, and where they came from,
 * which says how they go back. Shmem has them in a file that the object keeps; of the
 * other kinds they are the backing's own.
 *
 * What was taken is not trusted but checked: the CMA area and the zones are where they
 * are, whatever a device reaches. A process gets no memory that has not been zeroed.
 *
 * Pages are charged to the memory cgroup of the process that makes them be taken, as
 * those of shmem are; from CMA, and from a place that was emptied, they are not: the
 * kernel has no way to charge for those.
 *
 * Lifetime: a backing has a reference for each table that describes it and one for the
 * object, and gives the pages back with the last.
 *
 * Locking: the reservation lock of the object guards the backing and its count.
 */

/* What a CPU has added and taken away, which can be less than nothing. */
static DEFINE_PER_CPU(long[DRM_GEM_STORAGE_KINDS], pages_of_kind);

/**
 * drm_gem_storage_pages - pages in use by all objects
 * @kind: the kind to count
 *
 * Of shmem only those that are in use at the moment, and cannot go to swap.
 *
 * Context: Any.
 * Return: how many pages there are. Those that come or go during the call may count
 * or not.
 */
long drm_gem_storage_pages(enum drm_gem_storage_kind kind)
{
	long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		pages += READ_ONCE(per_cpu(pages_of_kind, cpu)[kind]);

	/* one that moved from a CPU to another meanwhile */
	return max(pages, 0L);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_pages);

/**
 * drm_gem_storage_count_pages - count pages, or no longer
 * @backing: the pages
 * @used: whether somebody uses them
 */
void drm_gem_storage_count_pages(const struct drm_gem_storage_backing *backing,
				 bool used)
{
	long pages = backing->count;

	this_cpu_add(pages_of_kind[backing->kind], used ? pages : -pages);
}

/**
 * drm_gem_storage_backing_run - how far do pages lie side by side
 * @backing: the pages
 * @first: where to begin
 *
 * Return: the number of the first page from @first on that does not follow the
 * one before.
 */
unsigned long
drm_gem_storage_backing_run(const struct drm_gem_storage_backing *backing,
			    unsigned long first)
{
	unsigned long pfn = page_to_pfn(backing->pages[first]);
	unsigned long i;

	for (i = first + 1; i < backing->count; i++)
		if (page_to_pfn(backing->pages[i]) != pfn + i - first)
			break;

	return i;
}

/**
 * drm_gem_storage_backing_fits - do pages meet constraints where they are?
 * @backing: the pages
 * @c: the constraints
 *
 * Return: true if a table of them meets @c.
 */
bool drm_gem_storage_backing_fits(const struct drm_gem_storage_backing *backing,
				  const struct dma_buf_constraints *c)
{
	unsigned int places = 0;
	unsigned long i, end;

	if (!(c->domains & DMA_BUF_DOMAIN_SYSTEM))
		return false;

	for (i = 0; i < backing->count; i = end) {
		end = drm_gem_storage_backing_run(backing, i);
		if (++places > c->max_segments ||
		    !drm_gem_storage_run_fits(c,
					      page_to_phys(backing->pages[i]),
					      PFN_PHYS((u64)(end - i))))
			return false;
	}

	return true;
}

static void free_each(struct page **pages, unsigned long count)
{
	while (count--)
		__free_page(pages[count]);
}

static bool page_fits(struct page *page, const struct dma_buf_constraints *c)
{
	return drm_gem_storage_run_fits(c, page_to_phys(page), PAGE_SIZE);
}

/*
 * Take pages from a zone, until one does not suit: the zone reaches further
 * than the device then, and better ones may never come.
 */
static unsigned long zone_collect(struct page **pages, unsigned long count,
				  gfp_t zone,
				  const struct dma_buf_constraints *c)
{
	const gfp_t gfp =
		GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	unsigned long got;
	struct page *page;

	for (got = 0; got < count; got++) {
		page = alloc_page(gfp | zone);
		if (!page)
			break;
		if (!page_fits(page, c)) {
			__free_page(page);
			break;
		}
		pages[got] = page;
	}

	return got;
}

/* ZONE_DMA comes last, it has little, and others have nothing else. */
static int masked_alloc(struct drm_gem_storage_backing *backing,
			const struct dma_buf_constraints *c)
{
	unsigned long count = backing->count, got = 0;
	struct page **pages = backing->pages;

	if (c->dma_mask >= DMA_BIT_MASK(32))
		got = zone_collect(pages, count, GFP_DMA32, c);
	if (got < count)
		got += drm_gem_storage_range_scattered(pages + got, count - got,
						       c);
	if (got < count && IS_ENABLED(CONFIG_ZONE_DMA))
		got += zone_collect(pages + got, count - got, GFP_DMA, c);
	if (got < count) {
		free_each(pages, got);
		return -ENOMEM;
	}

	return 0;
}

/*
 * The device's CMA area, or for less than that the page allocator. The DMA API
 * clears what it gives, asked or not, and promises it to who asks.
 */
static int contiguous_alloc_for_device(struct drm_gem_storage_backing *backing,
				       struct device *dev,
				       const struct dma_buf_constraints *c,
				       bool zero)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	size_t size = PFN_PHYS(backing->count);
	struct page *page;
	unsigned long i;

	/* where memory is encrypted, this is not, and would be mapped as if it were */
	if (!dev->coherent_dma_mask || cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return -ENOMEM;

	page = dma_alloc_pages(dev, size, &backing->dma_addr, DMA_BIDIRECTIONAL,
			       zero ? gfp | __GFP_ZERO : gfp);
	if (!page)
		return -ENOMEM;
	if (!drm_gem_storage_run_fits(c, page_to_phys(page), size)) {
		dma_free_pages(dev, size, page, backing->dma_addr,
			       DMA_BIDIRECTIONAL);
		return -ENOMEM;
	}

	backing->dma_dev = dev;
	for (i = 0; i < backing->count; i++)
		backing->pages[i] = nth_page(page, i);

	return 0;
}

static int contiguous_alloc(struct drm_gem_storage_backing *backing,
			    struct device *dev,
			    const struct dma_buf_constraints *c, bool zero)
{
	if (!contiguous_alloc_for_device(backing, dev, c, zero))
		return 0;

	return drm_gem_storage_range_contiguous(backing->pages, backing->count,
						c);
}

/* For pages that the shmem file has not zeroed. */
static int private_alloc(struct drm_gem_storage_backing *backing,
			 struct drm_gem_storage *storage,
			 const struct dma_buf_constraints *c, bool zero)
{
	unsigned long i;
	int ret;

	backing->pages = kvmalloc_array(backing->count, sizeof(struct page *),
					GFP_KERNEL);
	if (!backing->pages)
		return -ENOMEM;

	if (backing->kind == DRM_GEM_STORAGE_CONTIGUOUS)
		ret = contiguous_alloc(backing, storage->base.dev->dev, c,
				       zero);
	else
		ret = masked_alloc(backing, c);
	if (ret) {
		kvfree(backing->pages);
		return ret;
	}

	zero = zero && !backing->dma_dev;
	for (i = 0; zero && i < backing->count; i++)
		clear_highpage(backing->pages[i]);

	return 0;
}

static void private_free(struct drm_gem_storage_backing *backing)
{
	if (backing->dma_dev)
		dma_free_pages(backing->dma_dev, PFN_PHYS(backing->count),
			       backing->pages[0], backing->dma_addr,
			       DMA_BIDIRECTIONAL);
	else
		free_each(backing->pages, backing->count);
	kvfree(backing->pages);
}

/*
 * A file takes longer to make than all else of an object, and what is never used, or
 * is of another kind, does without.
 */
static int file_create(struct drm_gem_object *obj)
{
	struct file *file;

	if (obj->filp)
		return 0;

	file = shmem_file_setup("drm mm object", obj->size, VM_NORESERVE);
	/* no space is what shmem says for no memory for an inode */
	if (IS_ERR(file))
		return file == ERR_PTR(-ENOSPC) ? -ENOMEM : PTR_ERR(file);

	/* rather an errno for one client than the end of another */
	mapping_set_gfp_mask(file->f_mapping,
			     GFP_HIGHUSER | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	obj->filp = file;

	return 0;
}

static int shmem_alloc(struct drm_gem_storage_backing *backing,
		       struct drm_gem_storage *storage)
{
	struct drm_gem_object *obj = &storage->base;
	bool empty = !obj->filp;
	struct page **pages;
	int ret;

	ret = file_create(obj);
	if (ret)
		return ret;

	pages = drm_gem_get_pages(obj);
	if (IS_ERR(pages)) {
		/* what it got before it failed would be charged as long as the file is there */
		if (empty)
			fput(xchg(&obj->filp, NULL));
		return PTR_ERR(pages);
	}
	backing->pages = pages;

	return 0;
}

/*
 * Who may have written is not known, so all are dirty, and would be lost by
 * memory pressure if they were not marked; but not those without content.
 */
static void shmem_free(struct drm_gem_storage_backing *backing,
		       struct drm_gem_storage *storage)
{
	drm_gem_put_pages(&storage->base, backing->pages, !backing->detached,
			  !backing->detached);
}

/*
 * Where the attributes of memory are the kernel's own page table's, its mapping
 * must not differ from those of user space.
 */
static void set_caching(struct drm_gem_storage_backing *backing, bool wc)
{
#ifdef CONFIG_X86
	if (wc)
		backing->wc =
			!set_pages_array_wc(backing->pages, backing->count);
	else if (backing->wc)
		set_pages_array_wb(backing->pages, backing->count);
#endif
}

/**
 * drm_gem_storage_backing_sync - see to it that caches hide nothing
 * @storage: the object
 * @backing: pages that the CPU reads or has written by the kernel's mapping
 *
 * Other mappings of a write-combined object pass the caches by, and so do the
 * devices that it is for. Elsewhere there is nothing to do.
 */
void drm_gem_storage_backing_sync(struct drm_gem_storage *storage,
				  struct drm_gem_storage_backing *backing)
{
	struct device *dev = storage->base.dev->dev;
	unsigned long i;
	dma_addr_t addr;

	if (!storage->map_wc || dev_is_dma_coherent(dev))
		return;

	for (i = 0; i < backing->count; i++) {
		addr = dma_map_page(dev, backing->pages[i], 0, PAGE_SIZE,
				    DMA_BIDIRECTIONAL);
		if (!dma_mapping_error(dev, addr))
			dma_unmap_page(dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	}
}

/**
 * drm_gem_storage_backing_alloc - take pages of a kind
 * @storage: the object they are for; does not change
 * @kind: the kind
 * @c: what they have to meet
 * @zero: clear them; false for who overwrites every byte
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: pages with one reference, which are what the shmem file has if that
 * is the kind, or an error pointer:
 *
 *	* -ENOMEM: there are none
 *	* -ENFILE: too many files in the system
 *	* -EIO: a page could not be read from swap
 */
struct drm_gem_storage_backing *
drm_gem_storage_backing_alloc(struct drm_gem_storage *storage,
			      enum drm_gem_storage_kind kind,
			      const struct dma_buf_constraints *c, bool zero)
{
	struct drm_gem_storage_backing *backing;
	int ret;

	backing = kzalloc(sizeof(*backing), GFP_KERNEL);
	if (!backing)
		return ERR_PTR(-ENOMEM);

	backing->kind = kind;
	backing->refs = 1;
	backing->count = storage->base.size >> PAGE_SHIFT;
	if (kind == DRM_GEM_STORAGE_SHMEM)
		ret = shmem_alloc(backing, storage);
	else
		ret = private_alloc(backing, storage, c, zero);
	if (ret) {
		kfree(backing);
		return ERR_PTR(ret);
	}

	if (storage->map_wc)
		set_caching(backing, true);
	drm_gem_storage_backing_sync(storage, backing);
	drm_gem_storage_count_pages(backing, true);

	return backing;
}

/**
 * drm_gem_storage_backing_free - give pages back that nobody refers to
 * @storage: the object
 * @backing: its pages
 */
void drm_gem_storage_backing_free(struct drm_gem_storage *storage,
				  struct drm_gem_storage_backing *backing)
{
	drm_gem_storage_idle_drop(backing);
	if (!backing->idle)
		drm_gem_storage_count_pages(backing, false);
	drm_gem_storage_drop_spare(backing);
	set_caching(backing, false);
	if (backing->kind == DRM_GEM_STORAGE_SHMEM)
		shmem_free(backing, storage);
	else
		private_free(backing);
	kfree(backing);
}
