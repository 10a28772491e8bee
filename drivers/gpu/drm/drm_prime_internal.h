/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the GEM to dma-buf bridge share; see drm_prime.c. */

#ifndef __DRM_PRIME_INTERNAL_H__
#define __DRM_PRIME_INTERNAL_H__

#include <linux/types.h>

struct dma_buf;
struct dma_buf_ops;
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

#endif /* __DRM_PRIME_INTERNAL_H__ */
