// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: an exporter for tests
 *
 * A dma-buf of one page that may move, at a moment that the test chooses, and counts
 * who has it mapped.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "virtgpu_mock_exporter.h"

static int exporter_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void exporter_unpin(struct dma_buf_attachment *attach)
{
}

static struct sg_table *exporter_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_page(sgt->sgl, exporter->page, PAGE_SIZE, 0);
	sg_dma_address(sgt->sgl) =
		page_to_phys(exporter->page) + exporter->shift;
	sg_dma_len(sgt->sgl) = PAGE_SIZE;
	exporter->mapped++;
	return sgt;
}

static void exporter_unmap(struct dma_buf_attachment *attach,
			   struct sg_table *sgt, enum dma_data_direction dir)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;

	exporter->mapped--;
	exporter->unmapped++;
	sg_free_table(sgt);
	kfree(sgt);
}

static int exporter_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mock_exporter *exporter = dmabuf->priv;

	iosys_map_set_vaddr(map, page_address(exporter->page));
	exporter->vmapped++;
	return 0;
}

static void exporter_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mock_exporter *exporter = dmabuf->priv;

	exporter->vmapped--;
}

static void exporter_detach(struct dma_buf *dmabuf,
			    struct dma_buf_attachment *attach)
{
	struct mock_exporter *exporter = dmabuf->priv;

	if (exporter->detached)
		exporter->detached(dmabuf, exporter->arg);
}

static void exporter_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops exporter_ops = {
	.detach = exporter_detach,
	.pin = exporter_pin,
	.unpin = exporter_unpin,
	.map_dma_buf = exporter_map,
	.unmap_dma_buf = exporter_unmap,
	.vmap = exporter_vmap,
	.vunmap = exporter_vunmap,
	.release = exporter_release,
};

static void free_page_of(void *page)
{
	__free_page(page);
}

/**
 * mock_page - a page of zeros
 * @test: frees it in the end
 *
 * Return: the page.
 */
struct page *mock_page(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, free_page_of, page), 0);
	return page;
}

/**
 * mock_export - make a dma-buf
 * @test: frees the page in the end
 * @exporter: what there is to know of it; gets a page
 *
 * Return: a dma-buf with one reference, the caller's.
 */
struct dma_buf *mock_export(struct kunit *test, struct mock_exporter *exporter)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	exporter->page = mock_page(test);
	info.ops = &exporter_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = exporter;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	return dmabuf;
}

/**
 * mock_move - tell importers that the page will be another
 * @dmabuf: of mock_export()
 */
void mock_move(struct dma_buf *dmabuf)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}
