/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DMA_BUF_GUIDE_KIT_H
#define DMA_BUF_GUIDE_KIT_H

#include <linux/types.h>

#include "dma_buf_guide.h"
#include "dma_buf_mock.h"

/* Of the buffers. */
#define GUIDE_PAGES 4
#define GUIDE_SIZE  (GUIDE_PAGES * PAGE_SIZE)

struct dma_buf *guide_kit_export(struct kunit *test,
				 const struct dma_buf_ops *ops);
int guide_kit_fd(struct kunit *test, struct dma_buf *dmabuf);

struct guide_importer *
guide_kit_static(struct kunit *test, struct dma_buf *dmabuf, const char *name);
void guide_kit_static_end(struct kunit *test, struct guide_importer *imp);
void guide_kit_static_job(struct kunit *test, struct guide_importer *imp);

struct guide_dynamic *guide_kit_dynamic(struct kunit *test,
					struct dma_buf *dmabuf);
dma_addr_t guide_kit_dynamic_job(struct kunit *test, struct guide_dynamic *imp);

u32 __user *guide_kit_process_maps(struct kunit *test, struct dma_buf *dmabuf);
void guide_kit_process_writes(struct kunit *test, u32 __user *at, u32 mark);
void guide_kit_process_reads(struct kunit *test, u32 __user *at, u32 mark);
void guide_kit_reader(struct kunit *test, struct dma_buf *dmabuf,
		      struct guide_reader *reader);
void guide_kit_reader_reads(struct kunit *test, struct dma_buf *dmabuf,
			    u32 mark);

#endif
