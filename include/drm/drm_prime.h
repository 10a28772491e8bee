/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PRIME: GEM objects as dma-bufs and dma-bufs as GEM objects.
 *
 * The concepts, lifetime rules and lock order are described in
 * drivers/gpu/drm/drm_prime.c.
 */

#ifndef __DRM_PRIME_H__
#define __DRM_PRIME_H__

#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

enum dma_data_direction;

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct dma_buf_export_info;
struct drm_device;
struct drm_file;
struct drm_gem_object;
struct drm_prime_pair;
struct iosys_map;
struct page;
struct vm_area_struct;

/* Where to look for a pair: two lists, to be followed by either key. */
struct drm_prime_bucket {
	/* private: */
	struct drm_prime_pair *by_handle;
	struct drm_prime_pair *by_file;
};

/**
 * struct drm_prime_file_private - the PRIME handle cache of a &struct drm_file
 *
 * Pairs of a dma-buf and the GEM handle that stands for it in this file.
 * Embedded in &struct drm_file, and of no concern to drivers.
 */
struct drm_prime_file_private {
	/* private: */

	/*
	 * Guards all of it, and with it the promise of one handle per
	 * buffer: it is held from looking for a pair until the pair that was
	 * missing is in, and closing a handle must take it in between. See
	 * drm_prime.c for its place in the lock order.
	 */
	struct mutex lock;
	/* 1 << @bits of them: @first, or memory of their own if that is not enough. */
	struct drm_prime_bucket *buckets;
	unsigned int bits;
	/* Pairs that are known. */
	unsigned int count;
	/* One that was forgotten, for the next that is made; or NULL. */
	struct drm_prime_pair *spare;
	struct drm_prime_bucket first[2];
};

/* From handle to dma-buf and back, what the two ioctls do */
struct dma_buf *drm_gem_prime_handle_to_dmabuf(struct drm_device *dev,
					       struct drm_file *file_priv,
					       u32 handle, u32 flags);
int drm_gem_prime_handle_to_fd(struct drm_device *dev,
			       struct drm_file *file_priv, u32 handle,
			       u32 flags, int *prime_fd);
int drm_gem_prime_fd_to_handle(struct drm_device *dev,
			       struct drm_file *file_priv, int prime_fd,
			       u32 *handle);

/* Export: a GEM object behind a dma-buf */
struct dma_buf *drm_gem_prime_export(struct drm_gem_object *obj, int flags);
struct dma_buf *drm_gem_dmabuf_export(struct drm_device *dev,
				      struct dma_buf_export_info *exp_info);
int drm_gem_prime_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma);

/* Export: callbacks for the &struct dma_buf_ops of drivers */
int drm_gem_map_attach(struct dma_buf *dma_buf,
		       struct dma_buf_attachment *attach);
void drm_gem_map_detach(struct dma_buf *dma_buf,
			struct dma_buf_attachment *attach);
struct sg_table *drm_gem_map_dma_buf(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir);
void drm_gem_unmap_dma_buf(struct dma_buf_attachment *attach,
			   struct sg_table *sgt, enum dma_data_direction dir);
int drm_gem_dmabuf_vmap(struct dma_buf *dma_buf, struct iosys_map *map);
void drm_gem_dmabuf_vunmap(struct dma_buf *dma_buf, struct iosys_map *map);
int drm_gem_dmabuf_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma);
void drm_gem_dmabuf_release(struct dma_buf *dma_buf);

/* Import: a dma-buf behind a GEM object */
struct drm_gem_object *drm_gem_prime_import(struct drm_device *dev,
					    struct dma_buf *dma_buf);
struct drm_gem_object *drm_gem_prime_import_dev(struct drm_device *dev,
						struct dma_buf *dma_buf,
						struct device *attach_dev);
void drm_prime_gem_destroy(struct drm_gem_object *obj, struct sg_table *sg);

/* Scatter lists */
struct sg_table *drm_prime_pages_to_sg(struct drm_device *dev,
				       struct page **pages,
				       unsigned int nr_pages);
unsigned long drm_prime_get_contiguous_size(struct sg_table *sgt);
int drm_prime_sg_to_page_array(struct sg_table *sgt, struct page **pages,
			       int max_entries);
int drm_prime_sg_to_dma_addr_array(struct sg_table *sgt, dma_addr_t *addrs,
				   int max_entries);

#endif /* __DRM_PRIME_H__ */
