// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: devices that are not coherent
 *
 * DMA_BUF_IOCTL_SYNC does nothing on a PC, so nobody there sees that a program
 * forgets it. A vgem device that was made with ``noncoherent`` has buffers of which
 * the CPU and the devices see different pages, made equal only by the brackets that
 * the program should have; vgem_views.c says how.
 *
 * Who sees what
 * ~~~~~~~~~~~~~
 *
 * A process that maps a buffer has the CPU's view, whether it maps the dma-buf, the
 * handle of the device that made it, or by way of a driver that has imported it. There
 * is one such view, as the caches of one machine's CPUs are coherent with each other.
 * The ioctls of a DRM device have no bracket, so who maps a handle brackets the
 * dma-buf. A driver of real hardware would rather map a handle write-combined; here
 * that would hide who mixes the two.
 *
 * An importer has the device's view: the pages of a table, and also
 * what dma_buf_vmap() gives. An importer that maps into the kernel stands in for a
 * device: vkms composes that way, and a USB display sends that way what its wire
 * would fetch. Were that the CPU's view, there would be no display on which a
 * missing bracket of the process that draws showed. An importer that brackets its
 * vmap, as it should, finds the same bytes: what it writes is the device's at once,
 * and is seen in the next bracket to read. That one does not, is not found here.
 *
 * A move, see drm_gem_storage_move.c, is one of the device's view. It changes
 * nothing for processes, and their mappings are not in its way.
 *
 * Who forgets
 * ~~~~~~~~~~~
 *
 * No mapping has entries while no bracket is open, and none that can be written to
 * while none for writing is. So the first touch outside is a fault, and the log gets
 * the name of the process, once for each buffer and kind of mistake::
 *
 *	platform vgem-1: draw[213] writes outside of DMA_BUF_IOCTL_SYNC, to 65536 bytes
 *
 * What cannot be seen: a process that relies on the bracket which another has open,
 * or which another has forgotten to end, for SYNC does not say whose it is.
 *
 * Failure
 * ~~~~~~~
 *
 * A bracket that cannot begin, or end, is as if the call had not been: the pages and
 * the counts are as they were. The core waits for fences once more after a bracket
 * has begun. If a signal ends that wait, the bracket counts as open, which makes
 * what follows milder.
 *
 * Locking: see struct vgem_views. The device's pages are held in place by the
 * reservation lock, and by a mapping into the kernel, while they are copied.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>

#include "vgem_coherence.h"

static void tell_locked(struct vgem_noncoherent *buffer,
			enum vgem_mistake mistake)
{
	static const char *const does[] = {
		[VGEM_READS_OUTSIDE] =
			"reads outside of DMA_BUF_IOCTL_SYNC, of",
		[VGEM_WRITES_OUTSIDE] =
			"writes outside of DMA_BUF_IOCTL_SYNC, to",
		[VGEM_ENDS_TWICE] =
			"ends a DMA_BUF_IOCTL_SYNC that nobody began, of",
	};
	struct drm_gem_object *obj = &buffer->storage.base;

	if (!__test_and_set_bit(mistake, &buffer->views.told))
		dev_info_ratelimited(obj->dev->dev, "%s[%d] %s %zu bytes\n",
				     current->comm, task_pid_nr(current),
				     does[mistake], obj->size);
}

/* What is touched next is a fault. */
static void unmap_processes(struct vgem_noncoherent *buffer)
{
	struct drm_gem_object *obj = &buffer->storage.base;

	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
}

/* Both views in reach, and nobody else at them. */
static int views_lock(struct vgem_noncoherent *buffer, struct iosys_map *device)
{
	struct drm_gem_object *obj = &buffer->storage.base;
	int ret;

	ret = dma_resv_lock_interruptible(obj->resv, NULL);
	if (ret)
		return ret;

	ret = drm_gem_storage_vmap(obj, device);
	if (ret)
		goto err_resv;

	mutex_lock(&buffer->views.lock);
	ret = vgem_views_alloc_locked(&buffer->views);
	if (ret)
		goto err_views;

	return 0;

err_views:
	mutex_unlock(&buffer->views.lock);
	drm_gem_storage_vunmap(obj, device);
err_resv:
	dma_resv_unlock(obj->resv);
	return ret;
}

static void views_unlock(struct vgem_noncoherent *buffer,
			 struct iosys_map *device)
{
	struct drm_gem_object *obj = &buffer->storage.base;

	mutex_unlock(&buffer->views.lock);
	drm_gem_storage_vunmap(obj, device);
	dma_resv_unlock(obj->resv);
}

static int noncoherent_begin(struct dma_buf *dmabuf,
			     enum dma_data_direction dir)
{
	struct vgem_noncoherent *buffer = to_vgem_noncoherent(dmabuf->priv);
	struct vgem_views *views = &buffer->views;
	bool write = dir != DMA_FROM_DEVICE;
	bool read = dir != DMA_TO_DEVICE;
	struct iosys_map device;
	long ret;

	/* The core waits after this, which is too late for a copy. */
	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				    true, MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	ret = views_lock(buffer, &device);
	if (ret)
		return ret;

	if (read && !views->writers) {
		unmap_processes(buffer);
		vgem_views_forget_locked(views);
	}
	vgem_views_fetch_locked(views, device.vaddr, read);
	if (write)
		views->writers++;
	else
		views->readers++;
	views_unlock(buffer, &device);

	return 0;
}

static void end_read(struct vgem_noncoherent *buffer)
{
	struct vgem_views *views = &buffer->views;

	mutex_lock(&views->lock);
	if (!views->readers)
		tell_locked(buffer, VGEM_ENDS_TWICE);
	else if (!--views->readers && !views->writers)
		unmap_processes(buffer);
	mutex_unlock(&views->lock);
}

static int end_write(struct vgem_noncoherent *buffer)
{
	struct vgem_views *views = &buffer->views;
	struct iosys_map device;
	int ret;

	ret = views_lock(buffer, &device);
	if (ret)
		return ret;

	if (!views->writers)
		tell_locked(buffer, VGEM_ENDS_TWICE);
	else
		views->writers--;
	/* first, so that nothing is written between the copy and that */
	if (!views->writers)
		unmap_processes(buffer);
	vgem_views_flush_locked(views, device.vaddr);
	if (!views->writers)
		vgem_views_forget_locked(views);
	views_unlock(buffer, &device);

	return 0;
}

static int noncoherent_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct vgem_noncoherent *buffer = to_vgem_noncoherent(dmabuf->priv);

	if (dir != DMA_FROM_DEVICE)
		return end_write(buffer);

	end_read(buffer);
	return 0;
}

static const struct dma_buf_ops noncoherent_dma_buf_ops = {
	.map_pins = true,
	.pin = drm_gem_storage_dmabuf_pin,
	.unpin = drm_gem_storage_dmabuf_unpin,
	.constrain = drm_gem_storage_dmabuf_constrain,
	.domains = DMA_BUF_DOMAIN_SYSTEM,
	.detach = drm_gem_storage_dmabuf_detach,
	.map_dma_buf = drm_gem_storage_map_dma_buf,
	.unmap_dma_buf = drm_gem_storage_unmap_dma_buf,
	.begin_cpu_access = noncoherent_begin,
	.end_cpu_access = noncoherent_end,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.storage_kind = drm_gem_storage_dmabuf_kind,
	.mmap = drm_gem_dmabuf_mmap,
	.release = drm_gem_dmabuf_release,
};

static struct dma_buf *noncoherent_export(struct drm_gem_object *obj, int flags)
{
	return drm_gem_storage_prime_export_ops(obj, flags,
						&noncoherent_dma_buf_ops);
}

/* Which page of the buffer, or ULONG_MAX if none. */
static unsigned long fault_page(const struct vm_fault *vmf,
				const struct drm_gem_object *obj)
{
	unsigned long first = drm_vma_node_start(&obj->vma_node);

	if (vmf->pgoff < first || vmf->pgoff - first >= obj->size >> PAGE_SHIFT)
		return ULONG_MAX;

	return vmf->pgoff - first;
}

/*
 * To read, also where the process wants to write: that becomes known by another
 * fault. There is nothing to wait for, and memory that is not there now is what the
 * process gets SIGBUS for, as a fault has no errno.
 */
static vm_fault_t noncoherent_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct vgem_noncoherent *buffer = to_vgem_noncoherent(obj);
	unsigned long page = fault_page(vmf, obj);
	struct vgem_views *views = &buffer->views;
	vm_fault_t ret;

	if (page == ULONG_MAX)
		return VM_FAULT_SIGBUS;

	mutex_lock(&views->lock);
	if (vgem_views_alloc_locked(views)) {
		mutex_unlock(&views->lock);
		return VM_FAULT_SIGBUS;
	}
	if (!(vmf->flags & FAULT_FLAG_WRITE) && !views->readers &&
	    !views->writers)
		tell_locked(buffer, VGEM_READS_OUTSIDE);
	ret = vmf_insert_pfn(vmf->vma, vmf->address,
			     vmalloc_to_pfn(views->cpu + (page << PAGE_SHIFT)));
	mutex_unlock(&views->lock);

	return ret;
}

/* If the entry goes before it is made writable, there will be another fault. */
static vm_fault_t noncoherent_mkwrite(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct vgem_noncoherent *buffer = to_vgem_noncoherent(obj);
	unsigned long page = fault_page(vmf, obj);
	struct vgem_views *views = &buffer->views;

	if (page == ULONG_MAX)
		return VM_FAULT_SIGBUS;

	mutex_lock(&views->lock);
	if (!views->writers)
		tell_locked(buffer, VGEM_WRITES_OUTSIDE);
	vgem_views_write_page_locked(views, page);
	mutex_unlock(&views->lock);

	return 0;
}

static const struct vm_operations_struct noncoherent_vm_ops = {
	.fault = noncoherent_fault,
	.pfn_mkwrite = noncoherent_mkwrite,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int noncoherent_mmap(struct drm_gem_object *obj,
			    struct vm_area_struct *vma)
{
	if (obj->import_attach)
		return drm_gem_storage_mmap(obj, vma);

	/* A page that a process has of its own is in neither view. */
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);

	return 0;
}

static void noncoherent_free(struct drm_gem_object *obj)
{
	vgem_views_fini(&to_vgem_noncoherent(obj)->views);
	drm_gem_storage_free(obj);
}

static const struct drm_gem_object_funcs noncoherent_funcs = {
	.free = noncoherent_free,
	.print_info = drm_gem_storage_print_info,
	.export = noncoherent_export,
	.pin = drm_gem_storage_pin,
	.unpin = drm_gem_storage_unpin,
	.get_sg_table = drm_gem_storage_get_sg_table,
	.vmap = drm_gem_storage_vmap,
	.vunmap = drm_gem_storage_vunmap,
	.mmap = noncoherent_mmap,
	.vm_ops = &noncoherent_vm_ops,
};

/**
 * vgem_noncoherent_create_object - allocate an object with two views
 * @size: bytes in the buffer, whole pages
 *
 * Context: Process context, may sleep.
 * Return: an object for vgem_gem_create_object(), or -ENOMEM.
 */
struct drm_gem_object *vgem_noncoherent_create_object(size_t size)
{
	struct vgem_noncoherent *buffer;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);

	buffer->storage.base.funcs = &noncoherent_funcs;
	vgem_views_init(&buffer->views, size >> PAGE_SHIFT);

	return &buffer->storage.base;
}

/**
 * vgem_prime_import - &drm_driver.gem_prime_import
 * @drm: the device that imports
 * @dmabuf: any dma-buf
 *
 * Context: Process context, may sleep. Takes the reservation lock.
 * Return: as drm_gem_storage_prime_import(), which does not know that an object with
 * two views is one of @drm.
 */
struct drm_gem_object *vgem_prime_import(struct drm_device *drm,
					 struct dma_buf *dmabuf)
{
	struct drm_gem_object *obj;

	if (dmabuf->ops == &noncoherent_dma_buf_ops) {
		obj = dmabuf->priv;
		if (obj->dev == drm) {
			drm_gem_object_get(obj);
			return obj;
		}
	}

	return drm_gem_storage_prime_import(drm, dmabuf);
}
