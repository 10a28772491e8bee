// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU at a buffer: access brackets, mappings into processes and the kernel.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include <trace/events/dma_buf.h>
#include <uapi/linux/dma-buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: cpu access
 *
 * Software draws into buffers too, and reads them back, from a process through
 * mmap() and in the kernel where a device hangs on USB. Two things can go
 * wrong: a device may still be at work on the buffer, and caches may hide from
 * one side what the other wrote.
 *
 * So CPU access is bracketed. dma_buf_begin_cpu_access() lets the exporter
 * treat its caches and waits for the fences of the devices;
 * dma_buf_end_cpu_access() hands the buffer back. A process does the same with
 * DMA_BUF_IOCTL_SYNC::
 *
 *	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | rw };
 *
 *	while (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) == -1 &&
 *	       (errno == EINTR || errno == EAGAIN))
 *		;
 *	... use the memory that mmap() returned ...
 *	sync.flags = DMA_BUF_SYNC_END | rw;
 *	... the same loop ...
 *
 * Skipping this works by chance on coherent machines only. The brackets do not
 * exclude others: who writes at the same time as someone else gets a mix.
 *
 * Mappings
 * ~~~~~~~~
 *
 * mmap() of the file descriptor reaches the exporter after a check that the
 * range lies within the buffer; whole pages only. A driver that has an mmap()
 * of its own and finds an imported buffer behind it passes the call on with
 * dma_buf_mmap().
 *
 * dma_buf_vmap() maps the whole buffer into the kernel. The exporter is asked
 * once, later users share that mapping, and the last dma_buf_vunmap() gives it
 * back. The count and the mapping are guarded by the reservation lock.
 */

static enum dma_data_direction sync_direction(u64 flags)
{
	switch (flags & DMA_BUF_SYNC_RW) {
	case DMA_BUF_SYNC_READ:
		return DMA_FROM_DEVICE;
	case DMA_BUF_SYNC_WRITE:
		return DMA_TO_DEVICE;
	case DMA_BUF_SYNC_RW:
		return DMA_BIDIRECTIONAL;
	default:
		return DMA_NONE;
	}
}

/**
 * dma_buf_ioctl_sync - DMA_BUF_IOCTL_SYNC
 * @dmabuf: buffer
 * @argp: struct dma_buf_sync of user space
 *
 * Return: 0 or a negative errno:
 *
 *	   * -EFAULT: the argument is not accessible
 *	   * -EINVAL: an unknown flag, or neither read nor write
 *	   * -ENODEV: the storage was revoked, and this is not the end of an
 *	     access that began before
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * what the exporter said
 */
long dma_buf_ioctl_sync(struct dma_buf *dmabuf,
			const struct dma_buf_sync __user *argp)
{
	enum dma_data_direction dir;
	u64 flags;

	/* all there is, and cheaper than a copy of the structure */
	BUILD_BUG_ON(sizeof(*argp) != sizeof(flags));
	if (get_user(flags, &argp->flags))
		return -EFAULT;

	if (flags & ~DMA_BUF_SYNC_VALID_FLAGS_MASK)
		return -EINVAL;

	dir = sync_direction(flags);
	if (dir == DMA_NONE)
		return -EINVAL;

	return flags & DMA_BUF_SYNC_END ? dma_buf_end_cpu_access(dmabuf, dir) :
					  dma_buf_begin_cpu_access(dmabuf, dir);
}

static int wait_for_devices(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	bool write = dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL;
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				    true, MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

/**
 * dma_buf_begin_cpu_access - start using a buffer with the CPU
 * @dmabuf: buffer
 * @dir: DMA_FROM_DEVICE to read what devices wrote, DMA_TO_DEVICE to write what
 *	 devices will read, DMA_BIDIRECTIONAL for both
 *
 * Waits for the devices as far as fences in &dma_buf.resv tell: for writers if
 * the CPU only reads, for everyone otherwise. Other synchronization is the
 * caller's business.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: 0, to be followed by dma_buf_end_cpu_access(), or a negative errno:
 *
 *	   * -EINVAL: @dmabuf is NULL
 *	   * -ENODEV: the storage was revoked
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * the error of &dma_buf_ops.begin_cpu_access
 */
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf,
			     enum dma_data_direction dir)
{
	int ret;

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);
	trace_dma_buf_cpu_access(dmabuf, dir, true);

	ret = dma_buf_revoke_check(dmabuf);
	if (ret)
		return ret;

	/* First the exporter, which may know a quicker way to wait. */
	if (dmabuf->ops->begin_cpu_access) {
		ret = dmabuf->ops->begin_cpu_access(dmabuf, dir);
		if (ret)
			return ret;
	}

	return dma_buf_never_busy(dmabuf) ? 0 : wait_for_devices(dmabuf, dir);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_begin_cpu_access, DMA_BUF);

/**
 * dma_buf_end_cpu_access - stop using a buffer with the CPU
 * @dmabuf: buffer
 * @dir: as given to dma_buf_begin_cpu_access()
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: 0, or a negative errno:
 *
 *	   * -EINVAL: @dmabuf is NULL
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * the error of &dma_buf_ops.end_cpu_access
 */
int dma_buf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);
	trace_dma_buf_cpu_access(dmabuf, dir, false);

	if (!dmabuf->ops->end_cpu_access)
		return 0;

	return dmabuf->ops->end_cpu_access(dmabuf, dir);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_end_cpu_access, DMA_BUF);

static int check_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		      unsigned long pgoff)
{
	unsigned long end;

	trace_dma_buf_mmap(dmabuf, pgoff, vma_pages(vma));

	if (!dmabuf->ops->mmap)
		return -EINVAL;

	if (check_add_overflow(pgoff, vma_pages(vma), &end))
		return -EOVERFLOW;

	if (end > dmabuf->size >> PAGE_SHIFT)
		return -EINVAL;

	return dma_buf_revoke_check(dmabuf);
}

/**
 * dma_buf_file_mmap - mmap() of the file descriptor
 * @file: the buffer's file
 * @vma: area to fill, its offset in pages of the buffer
 *
 * Return: 0 or a negative errno:
 *
 *	   * -EINVAL: the exporter has no mmap, or the area is not within the
 *	     buffer
 *	   * -EOVERFLOW: the end of the area is not a number
 *	   * -ENODEV: the storage was revoked
 *	   * what the exporter said
 */
int dma_buf_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = file->private_data;
	int ret;

	ret = check_mmap(dmabuf, vma, vma->vm_pgoff);
	if (ret)
		return ret;

	return dmabuf->ops->mmap(dmabuf, vma);
}

/**
 * dma_buf_mmap - map a buffer where another file was asked for
 * @dmabuf: buffer
 * @vma: area to fill, with the file of the driver that calls
 * @pgoff: first page of the buffer to map
 *
 * On return @vma belongs to the buffer's file, or to the one the exporter has
 * put in its place; the reference to the earlier file is dropped. If the range
 * is refused, @vma is as it was.
 *
 * Who may write is up to the file that user space has mapped, which is the
 * caller's: a buffer whose descriptors are all read-only can still be mapped
 * writable through a device that has imported it, and may write to it anyway.
 *
 * Context: Process context, called with the mmap lock held. The caller must not
 *	    hold the reservation lock.
 * Return: 0, or a negative errno:
 *
 *	   * -EINVAL: an argument is NULL, the exporter has no mmap, or the area
 *	     is not within the buffer
 *	   * -EOVERFLOW: the end of the area is not a number
 *	   * -ENODEV: the storage was revoked
 *	   * the error of &dma_buf_ops.mmap
 */
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff)
{
	int ret;

	if (WARN_ON_ONCE(!dmabuf || !vma))
		return -EINVAL;

	ret = check_mmap(dmabuf, vma, pgoff);
	if (ret)
		return ret;

	vma_set_file(vma, dmabuf->file);
	vma->vm_pgoff = pgoff;

	return dmabuf->ops->mmap(dmabuf, vma);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_mmap, DMA_BUF);

static struct iosys_map vmap_kept(const struct dma_buf_object *obj)
{
	struct iosys_map map;

	if (obj->vmap_is_iomem)
		iosys_map_set_vaddr_iomem(&map, obj->vmap_addr_iomem);
	else
		iosys_map_set_vaddr(&map, obj->vmap_addr);

	return map;
}

/* In two members, for struct iosys_map is padded. */
static void vmap_keep(struct dma_buf_object *obj, const struct iosys_map *map)
{
	obj->vmap_is_iomem = map->is_iomem;
	if (map->is_iomem)
		obj->vmap_addr_iomem = map->vaddr_iomem;
	else
		obj->vmap_addr = map->vaddr;
}

static int vmap_first_locked(struct dma_buf_object *obj)
{
	struct dma_buf *dmabuf = &obj->base;
	struct iosys_map map = {};
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	ret = dmabuf->ops->vmap(dmabuf, &map);
	if (ret)
		return ret;

	/* Success without an address would be taken for one by the importer. */
	if (WARN_ON_ONCE(iosys_map_is_null(&map)))
		return -EINVAL;

	vmap_keep(obj, &map);

	return 0;
}

/**
 * dma_buf_vmap - map a buffer into the kernel
 * @dmabuf: buffer
 * @map: set to the mapping, cleared on error
 *
 * Accesses through the mapping still go between dma_buf_begin_cpu_access() and
 * dma_buf_end_cpu_access().
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 * Return: 0, to be undone with dma_buf_vunmap(), or a negative errno:
 *
 *	   * -EINVAL: @dmabuf is NULL, or the exporter has no vmap, or it
 *	     answers with success and no address
 *	   * -ENODEV: the storage was revoked
 *	   * the error of &dma_buf_ops.vmap
 */
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dma_buf_object *obj;
	int ret;

	iosys_map_clear(map);

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	dma_resv_assert_held(dmabuf->resv);

	if (!dmabuf->ops->vmap)
		return -EINVAL;

	ret = dma_buf_revoke_check(dmabuf);
	if (ret)
		return ret;

	obj = to_dma_buf_object(dmabuf);
	if (!obj->vmap_count) {
		ret = vmap_first_locked(obj);
		if (ret)
			return ret;
	}

	obj->vmap_count++;
	*map = vmap_kept(obj);

	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vmap, DMA_BUF);

/**
 * dma_buf_vmap_unlocked - map a buffer into the kernel
 * @dmabuf: buffer
 * @map: set to the mapping, cleared on error
 *
 * Like dma_buf_vmap(), for callers that do not hold the reservation lock: it is
 * taken here.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: 0 or a negative errno, see dma_buf_vmap().
 */
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	iosys_map_clear(map);

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, map);
	dma_resv_unlock(dmabuf->resv);

	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vmap_unlocked, DMA_BUF);

/**
 * dma_buf_vunmap - undo dma_buf_vmap()
 * @dmabuf: buffer
 * @map: the mapping
 *
 * A mapping that is not the buffer's is left alone, with a warning.
 *
 * Context: Process context, may sleep. The caller holds the reservation lock.
 */
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dma_buf_object *obj;
	struct iosys_map kept;

	if (WARN_ON_ONCE(!dmabuf))
		return;

	dma_resv_assert_held(dmabuf->resv);

	obj = to_dma_buf_object(dmabuf);
	if (WARN_ON_ONCE(!obj->vmap_count))
		return;

	kept = vmap_kept(obj);
	if (WARN_ON_ONCE(!iosys_map_is_equal(&kept, map)))
		return;

	if (--obj->vmap_count)
		return;

	if (dmabuf->ops->vunmap)
		dmabuf->ops->vunmap(dmabuf, map);
	dma_buf_revoke_progress_locked(dmabuf);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vunmap, DMA_BUF);

/**
 * dma_buf_vunmap_unlocked - undo dma_buf_vmap_unlocked()
 * @dmabuf: buffer
 * @map: the mapping
 *
 * Like dma_buf_vunmap(), for callers that do not hold the reservation lock: it
 * is taken here.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 */
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN_ON_ONCE(!dmabuf))
		return;

	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_vunmap(dmabuf, map);
	dma_resv_unlock(dmabuf->resv);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vunmap_unlocked, DMA_BUF);
