/* SPDX-License-Identifier: GPL-2.0 */
/* A DRM device with storage objects, and what the tests ask of them. */

#ifndef DRM_GEM_STORAGE_MOCK_H_
#define DRM_GEM_STORAGE_MOCK_H_

#include <linux/dma-buf-constraints.h>
#include <linux/dma-resv.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include <drm/drm_gem_storage.h>

/* Pages below a mask come in chunks of 2 MiB, so this is never one piece. */
#define STORAGE_SIZE  (SZ_2M + SZ_64K)
#define STORAGE_PAGES (STORAGE_SIZE >> PAGE_SHIFT)

struct dma_buf;
struct drm_device;

/**
 * struct storage_ctx - a device and an object of it
 * @drm: the device, never registered
 * @importer: a device of somebody else
 * @storage: the object, not used by anybody
 * @obj: its GEM object
 * @pages: pages of each kind that others have in use
 */
struct storage_ctx {
	struct drm_device *drm;
	struct device *importer;
	struct drm_gem_storage *storage;
	struct drm_gem_object *obj;
	long pages[DRM_GEM_STORAGE_KINDS];
};

int storage_mock_init(struct kunit *test);
void storage_mock_exit(struct kunit *test);
struct drm_gem_storage *storage_mock_object(struct kunit *test, size_t size);

struct dma_buf_constraints storage_mock_needs(enum drm_gem_storage_kind kind);
int storage_mock_constrain(struct drm_gem_storage *storage,
			   const struct dma_buf_constraints *c,
			   unsigned int flags);
int storage_mock_relax(struct drm_gem_storage *storage);
void storage_mock_make(struct kunit *test, struct drm_gem_storage *storage,
		       enum drm_gem_storage_kind kind);
int storage_mock_pin(struct drm_gem_storage *storage);
void storage_mock_unpin(struct drm_gem_storage *storage);

u32 storage_mock_word(u32 seed, size_t i);
void storage_mock_fill(struct kunit *test, struct drm_gem_storage *storage,
		       u32 seed);
void storage_mock_expect(struct kunit *test, struct drm_gem_storage *storage,
			 u32 seed);
void storage_mock_expect_pages(struct kunit *test,
			       enum drm_gem_storage_kind kind, long pages);
long storage_mock_file_pages(const struct drm_gem_storage *storage);
void storage_mock_expect_suits(struct kunit *test,
			       struct drm_gem_storage *storage,
			       const struct dma_buf_constraints *c);
struct dma_buf *storage_mock_export(struct kunit *test);
void storage_mock_put_export(struct drm_gem_storage *storage,
			     struct dma_buf *dmabuf);
struct dma_fence *storage_mock_busy_locked(struct kunit *test,
					   enum dma_resv_usage usage);
struct dma_fence *storage_mock_busy(struct kunit *test,
				    enum dma_resv_usage usage);

#endif /* DRM_GEM_STORAGE_MOCK_H_ */
