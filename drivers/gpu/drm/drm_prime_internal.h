/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the GEM to dma-buf bridge share; see drm_prime.c. */

#ifndef __DRM_PRIME_INTERNAL_H__
#define __DRM_PRIME_INTERNAL_H__

#include <linux/dma-buf.h>
#include <linux/types.h>

#include <drm/drm_gem.h>

struct drm_device;
struct drm_prime_file_private;
struct file;

/**
 * struct drm_prime_pair - a dma-buf and its GEM handle in one &struct drm_file
 * @dma_buf: the buffer; the pair holds a reference to it
 * @handle: the handle
 * @next_by_handle: in &drm_prime_bucket.by_handle
 * @next_by_file: in &drm_prime_bucket.by_file
 *
 * @dma_buf and @handle are immutable while it is in the cache.
 */
struct drm_prime_pair {
	struct dma_buf *dma_buf;
	u32 handle;
	struct drm_prime_pair *next_by_handle;
	struct drm_prime_pair *next_by_file;
};

struct drm_prime_pair *
drm_prime_pair_alloc_locked(struct drm_prime_file_private *cache);
void drm_prime_pair_free_locked(struct drm_prime_file_private *cache,
				struct drm_prime_pair *pair);
struct drm_prime_pair *
drm_prime_cache_find_handle_locked(struct drm_prime_file_private *cache,
				   u32 handle);
struct drm_prime_pair *
drm_prime_cache_find_file_locked(struct drm_prime_file_private *cache,
				 const struct file *file);
void drm_prime_cache_add_locked(struct drm_prime_file_private *cache,
				struct drm_prime_pair *pair,
				struct dma_buf *dma_buf, u32 handle);

/* drm_prime_export.c */
extern const struct dma_buf_ops drm_prime_dma_buf_ops;

/**
 * drm_prime_is_own_export - is a dma-buf an object of this device
 * @dev: the device
 * @dma_buf: any dma-buf
 *
 * Sees only what drm_gem_prime_export() made. A driver with its own
 * &struct dma_buf_ops recognises its buffers in &drm_driver.gem_prime_import.
 *
 * Return: true if &dma_buf.priv is a GEM object of @dev.
 */
static inline bool drm_prime_is_own_export(const struct drm_device *dev,
					   const struct dma_buf *dma_buf)
{
	const struct drm_gem_object *obj;

	if (dma_buf->ops != &drm_prime_dma_buf_ops)
		return false;
	obj = dma_buf->priv;
	return obj->dev == dev;
}

#endif /* __DRM_PRIME_INTERNAL_H__ */
