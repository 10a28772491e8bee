// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime export
 *
 * What the rest of the kernel needs of a buffer (pin it, describe it as a
 * scatter list, map it for the CPU, let it go) GEM drivers already have as
 * &struct drm_gem_object_funcs. Export is the translation: a
 * &struct dma_buf_ops over those functions, used as a whole by
 * drm_gem_prime_export(), and each callback exported on its own for drivers
 * whose &drm_gem_object_funcs.export builds a table of its own.
 *
 * The scatter list handed to importers may stay mapped for as long as they are
 * attached, so storage must stay put from &dma_buf_ops.attach to
 * &dma_buf_ops.detach, which pin and unpin it. The helpers do no cache
 * maintenance: they are for storage that is coherent. A driver where either
 * does not hold brings its own map callbacks.
 *
 * Lifetime: the dma-buf holds a reference to its object and one to the DRM
 * device, from drm_gem_dmabuf_export() to drm_gem_dmabuf_release(). The object
 * points back through &drm_gem_object.dma_buf only while it has handles, see
 * drm_prime.c.
 *
 * Locking: every callback runs under the locks that &struct dma_buf_ops
 * documents for it, so map, unmap, vmap and vunmap find the reservation lock
 * held, and attach and detach take it to pin and unpin.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "drm_internal.h"
#include "drm_prime_internal.h"

/**
 * drm_gem_map_attach - &dma_buf_ops.attach for GEM objects
 * @dma_buf: exported object
 * @attach: the attachment being made
 *
 * Pins the storage.
 *
 * Context: takes the reservation lock, sleeps.
 * Return: 0, or a negative errno:
 *
 *	* -ENOSYS: the exporter maps with drm_gem_map_dma_buf() but has no
 *	  &drm_gem_object_funcs.get_sg_table
 *	* what &drm_gem_object_funcs.pin said
 */
int drm_gem_map_attach(struct dma_buf *dma_buf,
		       struct dma_buf_attachment *attach)
{
	struct drm_gem_object *obj = dma_buf->priv;

	/* refused here, because mapping later has no good way to */
	if (!obj->funcs->get_sg_table &&
	    dma_buf->ops->map_dma_buf == drm_gem_map_dma_buf)
		return -ENOSYS;

	return drm_gem_pin(obj);
}
EXPORT_SYMBOL(drm_gem_map_attach);

/**
 * drm_gem_map_detach - &dma_buf_ops.detach for GEM objects
 * @dma_buf: exported object
 * @attach: the attachment being dissolved
 *
 * Unpins what drm_gem_map_attach() pinned.
 *
 * Context: takes the reservation lock, sleeps.
 */
void drm_gem_map_detach(struct dma_buf *dma_buf,
			struct dma_buf_attachment *attach)
{
	drm_gem_unpin(dma_buf->priv);
}
EXPORT_SYMBOL(drm_gem_map_detach);

/**
 * drm_gem_map_dma_buf - &dma_buf_ops.map_dma_buf for GEM objects
 * @attach: attachment whose device shall see the buffer
 * @dir: direction of the transfers, not DMA_NONE
 *
 * Context: the reservation lock must be held, sleeps.
 * Return: a mapped table for drm_gem_unmap_dma_buf(), or an error pointer:
 *
 *	* -EINVAL: @dir is none of the three directions
 *	* -ENOSYS: the driver has no &drm_gem_object_funcs.get_sg_table
 *	* what that callback said, -EINTR after a signal
 *	* what dma_map_sgtable() said of the device
 */
struct sg_table *drm_gem_map_dma_buf(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (WARN_ON_ONCE(!valid_dma_direction(dir)))
		return ERR_PTR(-EINVAL);
	if (WARN_ON_ONCE(!obj->funcs->get_sg_table))
		return ERR_PTR(-ENOSYS);

	sgt = obj->funcs->get_sg_table(obj);
	if (IS_ERR(sgt))
		return sgt;

	ret = dma_map_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		sg_free_table(sgt);
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}
EXPORT_SYMBOL(drm_gem_map_dma_buf);

/**
 * drm_gem_unmap_dma_buf - &dma_buf_ops.unmap_dma_buf for GEM objects
 * @attach: attachment the table was mapped for
 * @sgt: table from drm_gem_map_dma_buf(), or NULL
 * @dir: direction it was mapped with
 *
 * Unmaps and frees the table.
 *
 * Context: the reservation lock must be held.
 */
void drm_gem_unmap_dma_buf(struct dma_buf_attachment *attach,
			   struct sg_table *sgt, enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	if (!sgt)
		return;

	dma_unmap_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}
EXPORT_SYMBOL(drm_gem_unmap_dma_buf);

/**
 * drm_gem_dmabuf_vmap - &dma_buf_ops.vmap for GEM objects
 * @dma_buf: exported object
 * @map: where to store the kernel address
 *
 * Context: the reservation lock must be held, sleeps.
 * Return: 0, or a negative errno:
 *
 *	* -EOPNOTSUPP: the driver has no &drm_gem_object_funcs.vmap
 *	* -ENOMEM: that callback succeeded without an address
 *	* what that callback said
 */
int drm_gem_dmabuf_vmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	return drm_gem_vmap(dma_buf->priv, map);
}
EXPORT_SYMBOL(drm_gem_dmabuf_vmap);

/**
 * drm_gem_dmabuf_vunmap - &dma_buf_ops.vunmap for GEM objects
 * @dma_buf: exported object
 * @map: kernel address from drm_gem_dmabuf_vmap(), cleared on return
 *
 * Context: the reservation lock must be held.
 */
void drm_gem_dmabuf_vunmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	drm_gem_vunmap(dma_buf->priv, map);
}
EXPORT_SYMBOL(drm_gem_dmabuf_vunmap);

static int mmap_object(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int ret;

	vma->vm_ops = obj->funcs->vm_ops;

	/* for the mapping; drm_gem_vm_close() or the driver drops it */
	drm_gem_object_get(obj);
	ret = obj->funcs->mmap(obj, vma);
	if (ret) {
		drm_gem_object_put(obj);
		return ret;
	}

	/*
	 * Not before: drivers call drm_gem_vm_close() when they fail, which
	 * would drop the reference a first time. A driver that passed the
	 * mapping on to somebody else has put other operations there.
	 */
	if (vma->vm_ops == obj->funcs->vm_ops)
		vma->vm_private_data = obj;
	return 0;
}

/* What drm_gem_mmap() needs of a client, which is not much. */
struct mmap_client {
	struct drm_file priv;
	struct file filp;
};

/*
 * A driver without &drm_gem_object_funcs.mmap maps by file and offset, and
 * only what that file was granted. Whoever holds the dma-buf may map it, but
 * has no file of this device, so one is made up for the length of the call.
 */
static int mmap_as_client(struct drm_gem_object *obj,
			  struct vm_area_struct *vma)
{
	struct drm_device *dev = obj->dev;
	struct mmap_client *client;
	int ret;

	if (!dev->driver->fops->mmap)
		return -ENODEV;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	client->priv.minor = dev->primary ?: dev->accel;
	client->filp.private_data = &client->priv;

	ret = drm_vma_node_allow(&obj->vma_node, &client->priv);
	if (!ret) {
		ret = dev->driver->fops->mmap(&client->filp, vma);
		drm_vma_node_revoke(&obj->vma_node, &client->priv);
	}
	kfree(client);
	return ret;
}

/**
 * drm_gem_prime_mmap - map a GEM object for user space by way of its dma-buf
 * @obj: the object
 * @vma: the mapping; &vm_area_struct.vm_pgoff counts from the object's start
 *
 * &vm_area_struct.vm_pgoff becomes the object's fake offset, as in a mapping
 * of the DRM file, so that drm_vma_node_unmap() finds both kinds. An object that
 * has none yet gets one.
 *
 * Context: sleeps.
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: @vma reaches beyond the object
 *	* -ENODEV: the driver cannot map at all
 *	* -ENOMEM: out of memory
 *	* -ENOSPC: the device has no room for one more offset to map by
 *	* what &drm_gem_object_funcs.mmap or the driver's mmap() said
 */
int drm_gem_prime_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	unsigned long end;
	int ret;

	/* past the end of this object's fake range another one's begins */
	if (check_add_overflow(vma->vm_pgoff, vma_pages(vma), &end) ||
	    end > obj->size >> PAGE_SHIFT)
		return -EINVAL;

	ret = drm_gem_create_mmap_offset(obj);
	if (ret)
		return ret;

	vma->vm_pgoff += drm_vma_node_start(&obj->vma_node);

	if (obj->funcs->mmap)
		return mmap_object(obj, vma);
	return mmap_as_client(obj, vma);
}
EXPORT_SYMBOL(drm_gem_prime_mmap);

/**
 * drm_gem_dmabuf_mmap - &dma_buf_ops.mmap for GEM objects
 * @dma_buf: exported object
 * @vma: the mapping
 *
 * Context: sleeps.
 * Return: as drm_gem_prime_mmap().
 */
int drm_gem_dmabuf_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma)
{
	return drm_gem_prime_mmap(dma_buf->priv, vma);
}
EXPORT_SYMBOL(drm_gem_dmabuf_mmap);

/**
 * drm_gem_dmabuf_release - &dma_buf_ops.release for GEM objects
 * @dma_buf: buffer from drm_gem_dmabuf_export()
 *
 * Context: sleeps.
 */
void drm_gem_dmabuf_release(struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct drm_device *dev = obj->dev;

	/* the object may go here, and needs its device for that */
	drm_gem_object_put(obj);
	drm_dev_put(dev);
}
EXPORT_SYMBOL(drm_gem_dmabuf_release);

/**
 * drm_gem_dmabuf_export - dma_buf_export() for a GEM object
 * @dev: the object's device
 * @exp_info: what to export, with the object as its priv, and
 *            drm_gem_dmabuf_release() as release in its ops
 *
 * Context: sleeps.
 * Return: a dma-buf that holds a reference to the object and to @dev, or an
 * error pointer:
 *
 *	* -EINVAL: the object is not one of @dev
 *	* as dma_buf_export()
 */
struct dma_buf *drm_gem_dmabuf_export(struct drm_device *dev,
				      struct dma_buf_export_info *exp_info)
{
	struct drm_gem_object *obj = exp_info->priv;
	struct dma_buf *dma_buf;

	if (drm_WARN_ON_ONCE(dev, obj->dev != dev))
		return ERR_PTR(-EINVAL);

	/* debugfs sees the buffer before dma_buf_export() returns */
	drm_dev_get(dev);
	drm_gem_object_get(obj);

	dma_buf = dma_buf_export(exp_info);
	if (IS_ERR(dma_buf)) {
		drm_gem_object_put(obj);
		drm_dev_put(dev);
		return dma_buf;
	}

	/* one address space per device, so that it can revoke all mappings */
	dma_buf->file->f_mapping = dev->anon_inode->i_mapping;
	return dma_buf;
}
EXPORT_SYMBOL(drm_gem_dmabuf_export);

const struct dma_buf_ops drm_prime_dma_buf_ops = {
	.cache_sgt_mapping = true,
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.mmap = drm_gem_dmabuf_mmap,
	.release = drm_gem_dmabuf_release,
};

/**
 * drm_gem_prime_export - export a GEM object with the callbacks of this file
 * @obj: the object
 * @flags: DRM_CLOEXEC and DRM_RDWR
 *
 * What happens where a driver leaves &drm_gem_object_funcs.export unset.
 *
 * Context: sleeps.
 * Return: as drm_gem_dmabuf_export().
 */
struct dma_buf *drm_gem_prime_export(struct drm_gem_object *obj, int flags)
{
	struct dma_buf_export_info exp_info = {
		/* shown in debugfs and fdinfo, where tools look for "drm" */
		.exp_name = KBUILD_MODNAME,
		.owner = obj->dev->driver->fops->owner,
		.ops = &drm_prime_dma_buf_ops,
		.size = obj->size,
		.flags = flags,
		.resv = obj->resv,
		.priv = obj,
	};

	return drm_gem_dmabuf_export(obj->dev, &exp_info);
}
EXPORT_SYMBOL(drm_gem_prime_export);
