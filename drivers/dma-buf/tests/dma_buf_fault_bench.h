/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DMA_BUF_FAULT_BENCH_H
#define DMA_BUF_FAULT_BENCH_H

#include "dma_buf_fault.h"
#include "dma_buf_mock.h"

/**
 * struct fault_bench - what the operations of a case work on
 * @buf: the buffer
 * @real: the mock exporter's callbacks, under those that allocate first
 * @resv: a reservation object of the exporter's own
 * @dev: device of the newcomer
 * @importer: callbacks of the newcomer, NULL for a static one
 * @kept: attachment of a device that is there already and must not notice
 * @kept_sgt: its mapping
 * @attach: what the operation made, and so on
 * @sgt: likewise
 * @map: likewise
 * @live: what was to be undone before the operation
 * @attached: attachments before the operation
 * @modules: references to this module before the operation
 */
struct fault_bench {
	struct mock_buffer *buf;
	struct dma_buf_ops real;
	struct dma_resv resv;
	struct device *dev;
	const struct dma_buf_attach_ops *importer;
	struct dma_buf_attachment *kept;
	struct sg_table *kept_sgt;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct iosys_map map;
	int live[MOCK_OPS];
	unsigned int attached;
	int modules;
};

struct fault_bench *fault_bench_new(struct kunit *test,
				    const struct fault_op *op);
void fault_bench_remember(struct fault_bench *b);
void fault_bench_expect_same(struct kunit *test);
void fault_bench_add_bystander(struct kunit *test, struct fault_bench *b);
void fault_bench_drop_bystander(struct fault_bench *b);

#endif
