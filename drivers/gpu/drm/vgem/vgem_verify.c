// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: what vgem was given
 *
 * vgem has no engine that would fail if the memory of an imported buffer is not
 * what the device said it needs. A device that has one scans out somebody else's
 * memory, or a copy that nobody refreshes, and whoever tests buffer sharing with
 * vgem would not see it.
 *
 * So vgem looks for them. Reading ``vgem_imports`` in the device's debugfs
 * directory maps every buffer that was imported, as an engine would for a job,
 * holds each entry of the table against the device's constraints, unmaps it, and
 * prints a line::
 *
 *	inode 37 size 4194304 entries 1 up to 0x783fffff: ok
 *
 * What is behind the colon is ``ok``, or which constraint is broken, or ``copy``
 * if the device works on pages of swiotlb, or the errno of the mapping. The check
 * is not the one that the core has made before: it is what that is tested with.
 *
 * Locking: the list of files is locked while buffers are mapped, so no file of the
 * device is opened or closed meanwhile. A table of handles is locked only to take
 * a reference on the next object.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>

#include "vgem_drv.h"

MODULE_IMPORT_NS(DMA_BUF);

static const char *entry_breaks(const struct dma_buf_constraints *c,
				dma_addr_t addr, u64 len)
{
	u64 last = addr + len - 1;

	if (last > c->dma_mask)
		return "mask";
	if ((addr ^ last) & ~dma_buf_constraints_boundary(c))
		return "boundary";
	if (len > c->max_segment_size)
		return "segment size";
	if (addr & (c->alignment - 1))
		return "alignment";

	return NULL;
}

/**
 * vgem_verify_table - look for what breaks a device's constraints
 * @vgem: the device
 * @sgt: a table that is mapped for it
 * @size: bytes that it must describe
 *
 * Return: what is wrong in a word or two, or "ok".
 */
const char *vgem_verify_table(const struct vgem_device *vgem,
			      const struct sg_table *sgt, u64 size)
{
	struct dma_buf_constraints c = vgem->config.needs;
	unsigned int i, places = 0;
	struct scatterlist *sg;
	const char *broken;
	u64 end = 0;

	c.dma_mask = min(c.dma_mask, vgem->config.dma_mask);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t addr = sg_dma_address(sg);
		u64 len = min_t(u64, sg_dma_len(sg), size);

		if (!len)
			break;
		broken = entry_breaks(&c, addr, len);
		if (broken)
			return broken;
		places += !places || addr != end;
		end = addr + len;
		size -= len;
	}
	if (size)
		return "too short";
	if (places > c.max_segments)
		return "segments";

	return dma_buf_constraints_bounced(vgem->drm.dev, sgt, NULL) ? "copy" :
								       "ok";
}

static u64 highest_address(const struct sg_table *sgt)
{
	struct scatterlist *sg;
	u64 highest = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		highest = max_t(u64, highest,
				sg_dma_address(sg) + sg_dma_len(sg) - 1);

	return highest;
}

static void verify_import(struct seq_file *seq, struct drm_gem_object *obj)
{
	struct dma_buf_attachment *attach = obj->import_attach;
	struct vgem_device *vgem = drm_to_vgem(obj->dev);
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *kept = to_drm_gem_storage(obj)->sgt, *sgt;

	seq_printf(seq, "inode %lu size %zu ", file_inode(dmabuf->file)->i_ino,
		   dmabuf->size);
	/* in one hold: a mapping in between would be in the way of a move */
	if (dma_resv_lock_interruptible(dmabuf->resv, NULL)) {
		seq_puts(seq, "not mapped: interrupted\n");
		return;
	}
	/*
	 * What the import has mapped already is not mapped again: a heap has one
	 * table for an attachment, and would lose the addresses in it, which are
	 * those of copies where the device does not reach the buffer.
	 */
	sgt = kept ?: dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		seq_printf(seq, "not mapped: %ld\n", PTR_ERR(sgt));
	} else {
		seq_printf(seq, "entries %u up to 0x%llx: %s\n", sgt->nents,
			   highest_address(sgt),
			   vgem_verify_table(vgem, sgt, dmabuf->size));
		if (!kept)
			dma_buf_unmap_attachment(attach, sgt,
						 DMA_BIDIRECTIONAL);
	}
	dma_resv_unlock(dmabuf->resv);
}

/* The object of the lowest handle from @handle on, with a reference. */
static struct drm_gem_object *next_object(struct drm_file *file, int *handle)
{
	struct drm_gem_object *obj;

	spin_lock(&file->table_lock);
	obj = idr_get_next(&file->object_idr, handle);
	if (obj)
		drm_gem_object_get(obj);
	spin_unlock(&file->table_lock);

	return obj;
}

static int vgem_imports_show(struct seq_file *seq, void *unused)
{
	struct drm_debugfs_entry *entry = seq->private;
	struct drm_device *drm = entry->dev;
	struct drm_gem_object *obj;
	struct drm_file *file;
	int handle;

	mutex_lock(&drm->filelist_mutex);
	list_for_each_entry(file, &drm->filelist, lhead) {
		handle = 0;
		while ((obj = next_object(file, &handle))) {
			if (obj->import_attach)
				verify_import(seq, obj);
			drm_gem_object_put(obj);
			handle++;
		}
	}
	mutex_unlock(&drm->filelist_mutex);

	return 0;
}

/**
 * vgem_verify_init - give a device its file in debugfs
 * @vgem: the device, not registered yet
 */
void vgem_verify_init(struct vgem_device *vgem)
{
	drm_debugfs_add_file(&vgem->drm, "vgem_imports", vgem_imports_show,
			     NULL);
}
