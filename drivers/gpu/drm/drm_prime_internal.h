/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the GEM to dma-buf bridge share; see drm_prime.c. */

#ifndef __DRM_PRIME_INTERNAL_H__
#define __DRM_PRIME_INTERNAL_H__

#include <linux/rbtree.h>
#include <linux/types.h>

struct dma_buf;
struct drm_device;
struct drm_prime_file_private;
struct file;

/**
 * struct drm_prime_pair - a dma-buf and its GEM handle in one &struct drm_file
 * @dma_buf: the buffer; the pair holds a reference to it
 * @handle: the handle
 * @by_dma_buf: node in &drm_prime_file_private.by_dma_buf
 * @by_handle: node in &drm_prime_file_private.by_handle
 *
 * Immutable while it is in the cache.
 */
struct drm_prime_pair {
	struct dma_buf *dma_buf;
	u32 handle;
	struct rb_node by_dma_buf;
	struct rb_node by_handle;
};

struct drm_prime_pair *
drm_prime_cache_find_handle_locked(struct drm_prime_file_private *cache,
				   u32 handle);
struct drm_prime_pair *
drm_prime_cache_find_file_locked(struct drm_prime_file_private *cache,
				 const struct file *file);
void drm_prime_cache_add_locked(struct drm_prime_file_private *cache,
				struct drm_prime_pair *pair,
				struct dma_buf *dma_buf, u32 handle);

bool drm_prime_is_own_export(const struct drm_device *dev,
			     const struct dma_buf *dma_buf);

#endif /* __DRM_PRIME_INTERNAL_H__ */
