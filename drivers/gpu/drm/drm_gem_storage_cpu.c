// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU's mappings of a storage object.
 */

#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: storage and the cpu
 *
 * A process maps an object by way of its DRM file or of a dma-buf, all of it or
 * a part, and may cut the mapping into pieces later. All of these have the
 * object's fake offset in &vm_area_struct.vm_pgoff, and all lie in the address
 * space of the device's inode. So the page that a fault wants is told by
 * &vm_fault.pgoff alone, and a move finds every entry with one call.
 *
 * A fault may meet a move, which holds the reservation lock for as long as
 * devices take to get idle. It does not wait with the mmap lock held, for the
 * thread that would make the device idle may be one of the same process, and
 * need that lock. It lets go of it, waits, and has the fault made again, which may
 * meet the next move. For the same reason nobody who makes or ends a mapping, and
 * has the mmap lock for that, waits for the reservation lock.
 *
 * A fault is where storage is allocated as a rule, so it is where memory is found
 * missing. It is tried again a few times, for others may give some back. Then the
 * process gets SIGBUS: a fault that never succeeds repeats for ever.
 *
 * A move takes every entry away, so what is touched again afterwards faults again.
 * One fault therefore maps the pages around the one that is wanted, too.
 *
 * The kernel's own mapping cannot be taken away from who uses it, so it is in
 * the way of moves.
 */

/*
 * Pages that one fault maps, as many as for files by default: the object has all
 * of its pages when one is wanted, and who wants one wants the next.
 */
#define FAULT_AROUND 16

/* How often in a row a fault finds no memory before that is final. */
#define MAX_FAILED_FAULTS 4

static pgprot_t caching(const struct drm_gem_storage *storage, pgprot_t prot)
{
	return storage->map_wc ? pgprot_writecombine(prot) : prot;
}

static int vmap_locked(struct drm_gem_storage *storage)
{
	struct drm_gem_storage_backing *backing;
	int ret;

	ret = drm_gem_storage_use_locked(storage);
	if (ret)
		return ret;

	backing = storage->backing;
	storage->vaddr = vmap(backing->pages, backing->count, VM_MAP,
			      caching(storage, PAGE_KERNEL));
	if (!storage->vaddr) {
		drm_gem_storage_settle_locked(storage);
		return -ENOMEM;
	}

	return 0;
}

/**
 * drm_gem_storage_vmap - &drm_gem_object_funcs.vmap
 * @obj: the object
 * @map: where to store the address
 *
 * Allocates if need be. The storage stays where it is until
 * drm_gem_storage_vunmap().
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: no memory could suit the object's devices
 *	* -ENOMEM: there are no such pages, or no addresses
 *	* -EIO: a page could not be read from swap
 *	* of an imported object, what dma_buf_vmap() said
 */
int drm_gem_storage_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);
	int ret;

	dma_resv_assert_held(obj->resv);

	if (obj->import_attach)
		return dma_buf_vmap(obj->import_attach->dmabuf, map);

	ret = storage->vmap_count ? 0 : vmap_locked(storage);
	if (ret)
		return ret;

	storage->vmap_count++;
	iosys_map_set_vaddr(map, storage->vaddr);

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_vmap);

/**
 * drm_gem_storage_vunmap - &drm_gem_object_funcs.vunmap
 * @obj: the object
 * @map: from drm_gem_storage_vmap()
 *
 * Context: Process context, may sleep. The reservation lock must be held.
 */
void drm_gem_storage_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);

	dma_resv_assert_held(obj->resv);

	if (obj->import_attach) {
		dma_buf_vunmap(obj->import_attach->dmabuf, map);
		return;
	}

	if (WARN_ON_ONCE(!storage->vmap_count) || --storage->vmap_count)
		return;

	vunmap(storage->vaddr);
	storage->vaddr = NULL;
	drm_gem_storage_settle_locked(storage);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_vunmap);

/*
 * A signal ends the wait, and then the fault if it is one of user mode. Another comes
 * again, and must not do so all the time.
 */
static void fault_wait(const struct vm_fault *vmf, struct dma_resv *resv)
{
	if (!dma_resv_lock_interruptible(resv, NULL))
		dma_resv_unlock(resv);
	else if (!(vmf->flags & FAULT_FLAG_USER))
		schedule_timeout_killable(1);
}

/* Take the reservation lock, or VM_FAULT_RETRY with the mmap lock dropped. */
static vm_fault_t fault_lock(struct vm_fault *vmf, struct drm_gem_object *obj)
{
	struct file *file;

	if (dma_resv_trylock(obj->resv))
		return 0;

	/* who could not make it again has to wait in place */
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY)) {
		dma_resv_lock(obj->resv, NULL);
		return 0;
	}
	/* the caller has kept the lock, and does not want to sleep */
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;

	/*
	 * Without the mmap lock the mapping holds no references for us, neither
	 * on the object nor, by its file, on the device.
	 */
	file = get_file(vmf->vma->vm_file);
	drm_gem_object_get(obj);
	mmap_read_unlock(vmf->vma->vm_mm);
	fault_wait(vmf, obj->resv);
	drm_gem_object_put(obj);
	fput(file);

	return VM_FAULT_RETRY;
}

/* Nobody frees memory for these allocations by force, and a fault has no errno. */
static vm_fault_t fault_error(struct drm_gem_storage *storage, int err)
{
	if (err == -ENOMEM && ++storage->failed_faults > MAX_FAILED_FAULTS) {
		storage->failed_faults = 0;
		return VM_FAULT_SIGBUS;
	}

	return vmf_error(err);
}

static unsigned long page_number(struct page *page)
{
	/* data_race: of the flags that tell its section, others change */
	return data_race(page_to_pfn(page));
}

/* The page that is wanted, and then those near it as far as that is easy. */
static vm_fault_t insert_pages(struct vm_fault *vmf,
			       const struct drm_gem_storage_backing *backing,
			       unsigned long wanted)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long before = (vmf->address - vma->vm_start) >> PAGE_SHIFT;
	unsigned long left = vma_pages(vma) - before;
	unsigned long i, end;
	vm_fault_t ret;

	/* all in one page table, if the window is aligned */
	end = (vmf->address >> PAGE_SHIFT) % FAULT_AROUND;
	before = min3(before, wanted, end);
	end = min3(wanted + left, backing->count, wanted + FAULT_AROUND - end);

	ret = vmf_insert_pfn(vma, vmf->address,
			     page_number(backing->pages[wanted]));
	if (ret != VM_FAULT_NOPAGE)
		return ret;

	for (i = wanted - before; i < end; i++)
		if (i != wanted &&
		    vmf_insert_pfn(vma, vmf->address + (i - wanted) * PAGE_SIZE,
				   page_number(backing->pages[i])) !=
			    VM_FAULT_NOPAGE)
			break;

	return ret;
}

static vm_fault_t fault_locked(struct vm_fault *vmf,
			       struct drm_gem_storage *storage)
{
	unsigned long first = drm_vma_node_start(&storage->base.vma_node);
	unsigned long index = vmf->pgoff - first;
	int ret;

	if (vmf->pgoff < first || index >= storage->base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;

	ret = drm_gem_storage_use_locked(storage);
	if (ret)
		return fault_error(storage, ret);

	storage->failed_faults = 0;

	return insert_pages(vmf, storage->backing, index);
}

static vm_fault_t storage_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	vm_fault_t ret;

	ret = fault_lock(vmf, obj);
	if (ret)
		return ret;

	ret = fault_locked(vmf, to_drm_gem_storage(obj));
	dma_resv_unlock(obj->resv);

	return ret;
}

static void storage_vm_open(struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = vma->vm_private_data;

	atomic_inc(&to_drm_gem_storage(obj)->vma_count);
	drm_gem_vm_open(vma);
}

static void storage_vm_close(struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = vma->vm_private_data;
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);

	if (!atomic_dec_and_test(&storage->vma_count))
		goto close;

	/* Who has the lock may wait for this process. */
	if (dma_resv_trylock(obj->resv)) {
		drm_gem_storage_settle_locked(storage);
		dma_resv_unlock(obj->resv);
	} else {
		drm_gem_storage_idle_later(storage);
	}
close:
	drm_gem_vm_close(vma);
}

/* For drivers with functions of their own for the rest. */
const struct vm_operations_struct drm_gem_storage_vm_ops = {
	.fault = storage_fault,
	.open = storage_vm_open,
	.close = storage_vm_close,
};
EXPORT_SYMBOL_GPL(drm_gem_storage_vm_ops);

/* The exporter's mapping counts from the object's start. */
static int mmap_imported(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	unsigned long offset = vma->vm_pgoff;
	int ret;

	vma->vm_ops = NULL;
	vma->vm_private_data = NULL;
	ret = dma_buf_mmap(obj->import_attach->dmabuf, vma,
			   offset - drm_vma_node_start(&obj->vma_node));
	/* The exporter has its own; ours was for drm_gem_vm_close(). */
	if (!ret)
		drm_gem_object_put(obj);

	return ret;
}

/**
 * drm_gem_storage_mmap - &drm_gem_object_funcs.mmap
 * @obj: the object
 * @vma: the mapping, at the object's fake offset or behind
 *
 * Allocates nothing: that is for the first page that is touched.
 *
 * Context: Process context, may sleep. Of an imported object, what
 *	    dma_buf_mmap() takes.
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: writes to @vma were not to go to the object
 *	* of an imported object, what dma_buf_mmap() said
 */
int drm_gem_storage_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct drm_gem_storage *storage = to_drm_gem_storage(obj);

	if (obj->import_attach)
		return mmap_imported(obj, vma);

	/* A page that a process has of its own would not follow a move. */
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;

	atomic_inc(&storage->vma_count);
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = caching(storage, vm_get_page_prot(vma->vm_flags));

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_storage_mmap);
