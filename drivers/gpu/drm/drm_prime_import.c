// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime import
 *
 * To a driver a foreign dma-buf should look like any other GEM object. Import
 * attaches the driver's device to the buffer, maps it, and asks the driver for
 * an object over the resulting scatter list
 * (&drm_driver.gem_prime_import_sg_table). The object uses the reservation
 * object of the dma-buf from then on, so that both drivers wait for each
 * other's fences.
 *
 * A buffer that this device exported itself needs none of that: the object
 * behind it gets one more reference and is the result. Without this shortcut a
 * process that passes a buffer to another on the same device would end up with
 * a copy of the object that the driver cannot tell is the same memory.
 *
 * Lifetime: an imported object holds the attachment, the mapping, and a
 * reference to the dma-buf. All three are taken before the driver is asked and
 * are given back by drm_prime_gem_destroy(), which the driver calls from
 * &drm_gem_object_funcs.free. References only run from the imported object to
 * the dma-buf to the exported object, never back.
 *
 * The mapping is permanent. That suits scan-out; a driver that wants to let
 * go of it between uses implements &drm_driver.gem_prime_import itself.
 *
 * Devices that need their picture in one piece have drivers that look at the
 * table and answer -EINVAL if it is scattered, drm_gem_dma_helper for one. They
 * were written for exporters who could not do anything about it. One that takes
 * part in negotiations can, so it is told what the refusal meant, see
 * dma_buf_attachment_constrain(), and the driver is asked again, once.
 *
 * Locking: drm_prime.c calls in without &drm_device.object_name_lock; a driver may
 * hold it, as it does in &drm_driver.gem_prime_import. Attaching and mapping take the
 * reservation lock of the dma-buf.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "drm_prime_internal.h"

/* The mapping becomes the object's, if the driver makes one of it. */
static struct drm_gem_object *object_of_table(struct drm_device *dev,
					      struct dma_buf_attachment *attach,
					      struct sg_table *sgt)
{
	struct drm_gem_object *obj;

	obj = dev->driver->gem_prime_import_sg_table(dev, attach, sgt);
	if (!IS_ERR(obj)) {
		obj->import_attach = attach;
		obj->resv = attach->dmabuf->resv;
	}
	return obj;
}

/* What a driver has refused may come in one piece the second time. */
static struct drm_gem_object *
object_in_one_piece(struct drm_device *dev, struct dma_buf_attachment *attach)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct drm_gem_object *obj;
	struct sg_table *sgt;
	int ret;

	c.max_segments = 1;
	ret = dma_buf_attachment_constrain(attach, &c);
	if (ret)
		return ERR_PTR(ret);

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return ERR_CAST(sgt);

	obj = object_of_table(dev, attach, sgt);
	if (IS_ERR(obj))
		dma_buf_unmap_attachment_unlocked(attach, sgt,
						  DMA_BIDIRECTIONAL);
	return obj;
}

/* The driver said @err to the table that it was shown first. Seldom, so not inline. */
static noinline struct drm_gem_object *
object_after_all(struct drm_device *dev, struct dma_buf_attachment *attach,
		 struct sg_table *sgt, int err)
{
	struct dma_buf *dma_buf = attach->dmabuf;
	bool scattered = drm_prime_get_contiguous_size(sgt) < dma_buf->size;
	struct drm_gem_object *obj = ERR_PTR(err);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	if (err == -EINVAL && scattered && dma_buf_can_constrain(dma_buf))
		obj = object_in_one_piece(dev, attach);
	if (IS_ERR(obj))
		dma_buf_detach(dma_buf, attach);
	return obj;
}

/* Attach a device to a buffer for the life of the object that is made of it. */
static struct drm_gem_object *import_foreign(struct drm_device *dev,
					     struct dma_buf *dma_buf,
					     struct device *attach_dev)
{
	struct dma_buf_attachment *attach;
	struct drm_gem_object *obj;
	struct sg_table *sgt;

	attach = dma_buf_attach_map(dma_buf, attach_dev, DMA_BIDIRECTIONAL,
				    &sgt);
	if (IS_ERR(attach))
		return ERR_CAST(attach);

	obj = object_of_table(dev, attach, sgt);
	if (IS_ERR(obj))
		obj = object_after_all(dev, attach, sgt, PTR_ERR(obj));
	return obj;
}

/*
 * Sees only what drm_gem_prime_export() made. A driver with its own &struct dma_buf_ops
 * recognises its buffers in &drm_driver.gem_prime_import.
 */
static bool is_own_export(const struct drm_device *dev,
			  const struct dma_buf *dma_buf)
{
	const struct drm_gem_object *obj;

	if (dma_buf->ops != &drm_prime_dma_buf_ops)
		return false;
	obj = dma_buf->priv;
	return obj->dev == dev;
}

/**
 * drm_gem_prime_import_dev - make a GEM object of a dma-buf, attaching a device
 * @dev: DRM device to import into
 * @dma_buf: the buffer
 * @attach_dev: device that will access the buffer
 *
 * Like drm_gem_prime_import(), for drivers where the device that does the DMA
 * is not &drm_device.dev. The driver must call drm_prime_gem_destroy() when it
 * frees an object whose &drm_gem_object.import_attach is set.
 *
 * Context: takes the reservation lock of @dma_buf, sleeps.
 * Return: an object with a reference for the caller, which is the exported one
 * if @dma_buf comes from @dev, or an error pointer:
 *
 *	* -EINVAL: the driver has no &drm_driver.gem_prime_import_sg_table
 *	* what that callback said
 *	* -EBUSY: the device needs the buffer in one piece, and somebody relies on
 *	  where it is
 *	* as dma_buf_attach_map() and dma_buf_attachment_constrain()
 */
struct drm_gem_object *drm_gem_prime_import_dev(struct drm_device *dev,
						struct dma_buf *dma_buf,
						struct device *attach_dev)
{
	struct drm_gem_object *obj;

	if (is_own_export(dev, dma_buf)) {
		obj = dma_buf->priv;
		/* a reference to the buffer here would close a loop */
		drm_gem_object_get(obj);
		return obj;
	}

	if (!dev->driver->gem_prime_import_sg_table)
		return ERR_PTR(-EINVAL);

	/* becomes the object's */
	get_dma_buf(dma_buf);
	obj = import_foreign(dev, dma_buf, attach_dev);
	if (IS_ERR(obj))
		dma_buf_put(dma_buf);
	return obj;
}
EXPORT_SYMBOL(drm_gem_prime_import_dev);

/**
 * drm_gem_prime_import - make a GEM object of a dma-buf
 * @dev: DRM device to import into
 * @dma_buf: the buffer
 *
 * What happens where a driver leaves &drm_driver.gem_prime_import unset.
 *
 * Context: takes the reservation lock of @dma_buf, sleeps.
 * Return: as drm_gem_prime_import_dev().
 */
struct drm_gem_object *drm_gem_prime_import(struct drm_device *dev,
					    struct dma_buf *dma_buf)
{
	return drm_gem_prime_import_dev(dev, dma_buf, dev->dev);
}
EXPORT_SYMBOL(drm_gem_prime_import);

/**
 * drm_prime_gem_destroy - give back what an imported object held
 * @obj: object with &drm_gem_object.import_attach set
 * @sg: the table the driver was given at import, NULL if it unmapped it
 *
 * For &drm_gem_object_funcs.free. The last reference to the dma-buf may go
 * here, and with it its reservation object, which is @obj's as well.
 *
 * Context: takes the reservation lock of the dma-buf, sleeps.
 */
void drm_prime_gem_destroy(struct drm_gem_object *obj, struct sg_table *sg)
{
	struct dma_buf_attachment *attach = obj->import_attach;
	struct dma_buf *dma_buf = attach->dmabuf;

	if (sg)
		dma_buf_unmap_detach(attach, sg, DMA_BIDIRECTIONAL);
	else
		dma_buf_detach(dma_buf, attach);
	dma_buf_put(dma_buf);
}
EXPORT_SYMBOL(drm_prime_gem_destroy);
