/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the mock share, and no test needs. */
#ifndef DMA_BUF_MOCK_INTERNAL_H
#define DMA_BUF_MOCK_INTERNAL_H

#include "dma_buf_mock.h"

void mock_buffer_put(struct mock_buffer *buf);

/* dma_buf_mock_exporter.c */
void mock_exporter_ops(struct dma_buf_ops *ops, enum mock_kind kind);

/* dma_buf_mock_log.c */
int mock_log_enter(struct dma_buf *dmabuf, enum mock_op op,
		   struct dma_buf_attachment *attach, struct sg_table *sgt,
		   enum dma_data_direction dir);
int mock_log_attach(struct dma_buf_attachment *attach, enum mock_op op);
int mock_log_buffer(struct dma_buf *dmabuf, enum mock_op op);

#endif
