// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: guide to an exporter
 *
 * A driver has pages and wants to share them. This is the least that is right:
 * devices that are not coherent with the CPU work, processes and the kernel can
 * map the buffer, and nothing is freed while somebody looks at it. The storage
 * stays where it is; dma_buf_guide_mover.c adds the rest.
 *
 * Documentation/driver-api/dma-buf-exporter.rst quotes this file, and
 * dma_buf_guide_test.c runs it.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma_buf_guide.h"

/* [storage] */
void guide_pages_free(struct page **pages, unsigned int count)
{
	while (count--)
		put_page(pages[count]);
	kvfree(pages);
}

struct page **guide_pages_alloc(unsigned int count)
{
	struct page **pages;
	unsigned int i;

	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;

	for (i = 0; i < count; i++) {
		/* Zeroed: nobody must see what was there before. */
		pages[i] = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
		if (!pages[i]) {
			guide_pages_free(pages, i);
			return NULL;
		}
	}

	return pages;
}

/* [map] */
struct guide_mapping {
	struct sg_table table;
	struct device *dev;
	enum dma_data_direction dir;
	struct list_head node;
};

struct sg_table *guide_map_dma_buf(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct guide_buffer *buf = attach->dmabuf->priv;
	struct device *dev = attach->dev;
	struct guide_mapping *mapping;
	struct sg_page_iter page;
	unsigned int longest;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	longest = min(buf->longest, dma_get_max_seg_size(dev));
	ret = sg_alloc_table_from_pages_segment(&mapping->table, buf->pages,
						buf->count, 0,
						attach->dmabuf->size, longest,
						GFP_KERNEL);
	if (ret)
		goto err_mapping;

	/*
	 * Addresses and caches in two steps. In one, DMA-API debugging takes
	 * the second device at the same pages for a mistake.
	 */
	ret = dma_map_sgtable(dev, &mapping->table, dir,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_table;
	dma_sync_sgtable_for_device(dev, &mapping->table, dir);

	/* The pages stay until they are unmapped, whatever we do meanwhile. */
	for_each_sgtable_page(&mapping->table, &page, 0)
		get_page(sg_page_iter_page(&page));

	mapping->dev = dev;
	mapping->dir = dir;
	list_add(&mapping->node, &buf->mappings);

	return &mapping->table;

err_table:
	sg_free_table(&mapping->table);
err_mapping:
	kfree(mapping);
	return ERR_PTR(ret);
}

void guide_unmap_dma_buf(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	struct guide_mapping *mapping =
		container_of(sgt, struct guide_mapping, table);
	struct sg_page_iter page;

	list_del(&mapping->node);
	dma_sync_sgtable_for_cpu(mapping->dev, sgt, mapping->dir);
	dma_unmap_sgtable(mapping->dev, sgt, mapping->dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
	for_each_sgtable_page(sgt, &page, 0)
		put_page(sg_page_iter_page(&page));
	sg_free_table(sgt);
	kfree(mapping);
}

/* [cpu access] */
int guide_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	bool write = dir != DMA_FROM_DEVICE;
	struct guide_buffer *buf = dmabuf->priv;
	struct guide_mapping *mapping;
	long ret;

	/* The core waits, too, but after us, and caches come after devices. */
	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				    true, MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;

	list_for_each_entry(mapping, &buf->mappings, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->table,
					 mapping->dir);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

int guide_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct guide_buffer *buf = dmabuf->priv;
	struct guide_mapping *mapping;
	int ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;

	list_for_each_entry(mapping, &buf->mappings, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->table,
					    mapping->dir);
	dma_resv_unlock(dmabuf->resv);

	return 0;
}

/* [mmap] */
static vm_fault_t guide_fault(struct vm_fault *vmf)
{
	struct dma_buf *dmabuf = vmf->vma->vm_private_data;
	struct guide_buffer *buf = dmabuf->priv;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	dma_resv_lock(dmabuf->resv, NULL);
	if (!dma_buf_is_revoked(dmabuf))
		ret = vmf_insert_page(vmf->vma, vmf->address,
				      buf->pages[vmf->pgoff]);
	dma_resv_unlock(dmabuf->resv);

	return ret;
}

static const struct vm_operations_struct guide_vm_ops = {
	.fault = guide_fault,
};

int guide_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	/* A private copy would miss what others write. */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &guide_vm_ops;
	vma->vm_private_data = dmabuf;

	return 0;
}

/* [vmap] */
int guide_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct guide_buffer *buf = dmabuf->priv;
	void *vaddr = vmap(buf->pages, buf->count, VM_MAP, PAGE_KERNEL);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);

	return 0;
}

void guide_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

/* [export] */
void guide_release(struct dma_buf *dmabuf)
{
	struct guide_buffer *buf = dmabuf->priv;

	guide_pages_free(buf->pages, buf->count);
	kfree(buf);
}

const struct dma_buf_ops guide_exporter_ops = {
	.map_dma_buf = guide_map_dma_buf,
	.unmap_dma_buf = guide_unmap_dma_buf,
	.begin_cpu_access = guide_begin_cpu_access,
	.end_cpu_access = guide_end_cpu_access,
	.mmap = guide_mmap,
	.vmap = guide_vmap,
	.vunmap = guide_vunmap,
	.release = guide_release,
};

struct dma_buf *guide_export(const struct dma_buf_ops *ops, size_t size)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf = ERR_PTR(-ENOMEM);
	struct guide_buffer *buf;

	if (!size || size > INT_MAX)
		return ERR_PTR(-EINVAL);

	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);

	INIT_LIST_HEAD(&buf->mappings);
	buf->longest = UINT_MAX;
	buf->count = DIV_ROUND_UP(size, PAGE_SIZE);
	buf->pages = guide_pages_alloc(buf->count);
	if (!buf->pages)
		goto err_buffer;

	info.ops = ops;
	info.size = (size_t)buf->count << PAGE_SHIFT;
	info.flags = O_RDWR;
	info.priv = buf;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		goto err_pages;

	return dmabuf;

err_pages:
	guide_pages_free(buf->pages, buf->count);
err_buffer:
	kfree(buf);
	return dmabuf;
}

/* [end] */
