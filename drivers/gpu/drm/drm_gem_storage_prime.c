// SPDX-License-Identifier: GPL-2.0
/*
 * Storage objects and the devices of others.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/mm.h>

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
 * A table of an importer that is not able to follow pins, which the core relies on, see
 * &dma_buf_ops.map_pins. A driver with a &struct dma_buf_ops of its own that does not say
 * so has the core pin; without &dma_buf_ops.pin each table does.
 *
 * What a table is like is in drm_gem_storage_table.c.
 */

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
	.map_pins = true,
	.pin = drm_gem_storage_dmabuf_pin,
	.unpin = drm_gem_storage_dmabuf_unpin,
	.constrain = drm_gem_storage_dmabuf_constrain,
	.domains = DMA_BUF_DOMAIN_SYSTEM,
	.detach = drm_gem_storage_dmabuf_detach,
	.map_dma_buf = drm_gem_storage_map_dma_buf,
	.unmap_dma_buf = drm_gem_storage_unmap_dma_buf,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.storage_kind = drm_gem_storage_dmabuf_kind,
	.mmap = drm_gem_dmabuf_mmap,
	.release = drm_gem_dmabuf_release,
};

/**
 * drm_gem_storage_prime_export_ops - export an object with a driver's own operations
 * @obj: the object
 * @flags: DRM_CLOEXEC and DRM_RDWR
 * @ops: the operations, most of them drm_gem_storage_dmabuf_*()
 *
 * Context: Process context, may sleep.
 * Return: a dma-buf or an error pointer, as drm_gem_dmabuf_export().
 */
struct dma_buf *drm_gem_storage_prime_export_ops(struct drm_gem_object *obj,
						 int flags,
						 const struct dma_buf_ops *ops)
{
	struct dma_buf_export_info info = {
		/* as of any GEM object, for tools that look for it */
		.exp_name = "drm",
		.owner = obj->dev->driver->fops->owner,
		.ops = ops,
		.size = obj->size,
		.flags = flags,
		.resv = obj->resv,
		.priv = obj,
	};

	return drm_gem_dmabuf_export(obj->dev, &info);
}
EXPORT_SYMBOL_GPL(drm_gem_storage_prime_export_ops);

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
	return drm_gem_storage_prime_export_ops(obj, flags,
						&storage_dma_buf_ops);
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
