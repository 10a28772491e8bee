// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: callbacks of the mock exporter
 *
 * The storage is real: pages that are mapped for the importer's device, into
 * the kernel and into user space. Each callback is logged, see
 * dma_buf_mock_log.c.
 */

#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma_buf_mock_internal.h"

static int mock_op_attach(struct dma_buf *dmabuf,
			  struct dma_buf_attachment *attach)
{
	attach->priv = dmabuf->priv;
	return mock_log_attach(attach, MOCK_ATTACH);
}

static void mock_op_detach(struct dma_buf *dmabuf,
			   struct dma_buf_attachment *attach)
{
	mock_log_attach(attach, MOCK_DETACH);
}

static int mock_op_pin(struct dma_buf_attachment *attach)
{
	return mock_log_attach(attach, MOCK_PIN);
}

static void mock_op_unpin(struct dma_buf_attachment *attach)
{
	mock_log_attach(attach, MOCK_UNPIN);
}

static struct sg_table *mock_make_table(struct mock_buffer *buf,
					struct device *dev,
					enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table_from_pages(sgt, buf->pages, MOCK_PAGES, 0,
					buf->size, GFP_KERNEL);
	if (ret)
		goto err_free;

	/* several devices at once have the same pages, so the API must not own them */
	ret = dma_map_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_table;
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void mock_free_table(struct device *dev, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	dma_unmap_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

static struct sg_table *mock_op_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct mock_buffer *buf = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	sgt = mock_make_table(buf, attach->dev, dir);
	if (IS_ERR(sgt))
		return sgt;

	buf->table = sgt;
	ret = mock_log_enter(attach->dmabuf, MOCK_MAP, attach, sgt, dir);
	if (!ret && !buf->map_returns_null)
		return sgt;

	mock_free_table(attach->dev, sgt, dir);
	if (ret)
		return ERR_PTR(ret);

	spin_lock(&buf->lock);
	buf->live[MOCK_MAP]--;
	spin_unlock(&buf->lock);
	return NULL;
}

static void mock_op_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir)
{
	struct mock_buffer *buf = attach->dmabuf->priv;

	mock_log_enter(attach->dmabuf, MOCK_UNMAP, attach, sgt, dir);

	/* The core may hide the pages from importers, never from us. */
	if (sg_page(sgt->sgl) != buf->pages[0]) {
		buf->foreign_table = true;
		return;
	}
	mock_free_table(attach->dev, sgt, dir);
}

static int mock_op_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return mock_log_enter(dmabuf, MOCK_BEGIN, NULL, NULL, dir);
}

static int mock_op_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return mock_log_enter(dmabuf, MOCK_END, NULL, NULL, dir);
}

static int mock_op_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mock_buffer *buf = dmabuf->priv;
	int ret;

	buf->mmap_pgoff = vma->vm_pgoff;
	buf->mmap_file = vma->vm_file;
	ret = mock_log_buffer(dmabuf, MOCK_MMAP);
	return ret ?: vm_map_pages(vma, buf->pages, MOCK_PAGES);
}

static int mock_op_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mock_buffer *buf = dmabuf->priv;
	int ret;

	ret = mock_log_buffer(dmabuf, MOCK_VMAP);
	if (ret)
		return ret;

	if (buf->vmap_is_null) {
		/* nothing that could be given back */
		spin_lock(&buf->lock);
		buf->live[MOCK_VMAP]--;
		spin_unlock(&buf->lock);
		return 0;
	}
	if (buf->vmap_iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)buf->vaddr);
	else
		iosys_map_set_vaddr(map, buf->vaddr);
	return 0;
}

static void mock_op_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	mock_log_buffer(dmabuf, MOCK_VUNMAP);
}

static void mock_op_release(struct dma_buf *dmabuf)
{
	struct mock_buffer *buf = dmabuf->priv;

	mock_log_buffer(dmabuf, MOCK_RELEASE);
	complete(&buf->released);
	mock_buffer_put(buf);
}

/**
 * mock_exporter_ops - the callbacks that an exporter of a kind has
 * @ops: where they go
 * @kind: what it promises
 */
void mock_exporter_ops(struct dma_buf_ops *ops, enum mock_kind kind)
{
	*ops = (struct dma_buf_ops){
		.map_dma_buf = mock_op_map,
		.unmap_dma_buf = mock_op_unmap,
		.release = mock_op_release,
	};
	if (kind == MOCK_MINIMAL)
		return;

	ops->attach = mock_op_attach;
	ops->detach = mock_op_detach;
	ops->begin_cpu_access = mock_op_begin;
	ops->end_cpu_access = mock_op_end;
	ops->mmap = mock_op_mmap;
	ops->vmap = mock_op_vmap;
	ops->vunmap = mock_op_vunmap;
	ops->cache_sgt_mapping = kind == MOCK_CACHED;
	if (kind == MOCK_DYNAMIC) {
		ops->pin = mock_op_pin;
		ops->unpin = mock_op_unpin;
	}
}
