/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_EXPORTER_H_
#define _VIRTGPU_MOCK_EXPORTER_H_

#include <kunit/test.h>
#include <linux/types.h>

struct dma_buf;
struct page;

/**
 * struct mock_exporter - a dma-buf of one page, which may move
 * @page: the page
 * @shift: where a device sees it, from where the CPU does
 * @mapped: how many tables of it are out
 * @unmapped: how many were
 * @vmapped: how often the CPU has it mapped
 * @detached: called when an importer lets go of it, or NULL
 * @arg: for @detached
 */
struct mock_exporter {
	struct page *page;
	u64 shift;
	int mapped;
	int unmapped;
	int vmapped;
	void (*detached)(struct dma_buf *dmabuf, void *arg);
	void *arg;
};

struct page *mock_page(struct kunit *test);
struct dma_buf *mock_export(struct kunit *test, struct mock_exporter *exporter);
void mock_move(struct dma_buf *dmabuf);

#endif
