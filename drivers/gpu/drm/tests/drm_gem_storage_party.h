/* SPDX-License-Identifier: GPL-2.0 */
/* Devices of others that attach to storage objects. */

#ifndef DRM_GEM_STORAGE_PARTY_H_
#define DRM_GEM_STORAGE_PARTY_H_

#include <linux/dma-buf.h>

#include "drm_gem_storage_mock.h"

struct page;
struct sg_table;

/**
 * struct storage_party - a device that is attached
 * @attach: its attachment
 * @sgt: what it has mapped, or NULL
 * @told: how often it was told to let go
 */
struct storage_party {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int told;
};

extern const struct dma_buf_attach_ops storage_party_follower;

int storage_party_join(struct kunit *test, struct storage_party *party,
		       struct dma_buf *dmabuf,
		       const struct dma_buf_attach_ops *ops,
		       enum drm_gem_storage_kind kind);
void storage_party_map(struct kunit *test, struct storage_party *party);
void storage_party_unmap(struct storage_party *party);
void storage_party_leave(struct storage_party *party);
struct page *storage_party_page(struct storage_party *party,
				dma_addr_t address);
void storage_party_expect(struct kunit *test, struct storage_party *party,
			  u32 seed);

#endif /* DRM_GEM_STORAGE_PARTY_H_ */
