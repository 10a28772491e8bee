// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: guide to an exporter that moves
 *
 * Storage can be in a bad place: a device needs it elsewhere, or somebody else
 * needs the place. This exporter moves its pages to others while devices and
 * processes use the buffer, and can take them away for good. In all other
 * respects it is the exporter of dma_buf_guide_exporter.c.
 */

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dma_buf_guide.h"

/* [pin] */
int guide_pin(struct dma_buf_attachment *attach)
{
	struct guide_buffer *buf = attach->dmabuf->priv;

	buf->pins++;

	return 0;
}

void guide_unpin(struct dma_buf_attachment *attach)
{
	struct guide_buffer *buf = attach->dmabuf->priv;

	buf->pins--;
}

/* Nobody tells the kernel that its addresses change: a vmap is a pin. */
int guide_mover_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct guide_buffer *buf = dmabuf->priv;
	int ret;

	ret = guide_vmap(dmabuf, map);
	if (!ret)
		buf->pins++;

	return ret;
}

void guide_mover_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct guide_buffer *buf = dmabuf->priv;

	guide_vunmap(dmabuf, map);
	buf->pins--;
}

const struct dma_buf_ops guide_mover_ops = {
	.pin = guide_pin,
	.unpin = guide_unpin,
	.map_dma_buf = guide_map_dma_buf,
	.unmap_dma_buf = guide_unmap_dma_buf,
	.begin_cpu_access = guide_begin_cpu_access,
	.end_cpu_access = guide_end_cpu_access,
	.mmap = guide_mmap,
	.vmap = guide_mover_vmap,
	.vunmap = guide_mover_vunmap,
	.release = guide_release,
};

/* [move] */
static int guide_move_locked(struct dma_buf *dmabuf, struct page **pages)
{
	struct guide_buffer *buf = dmabuf->priv;
	unsigned int i;
	long ret;

	if (dma_buf_is_revoked(dmabuf))
		return -ENODEV;
	if (buf->pins)
		return -EBUSY;

	/* No new job, no new access: both need the lock that we hold. */
	dma_buf_invalidate_mappings(dmabuf);
	unmap_mapping_range(dmabuf->file->f_mapping, 0, 0, 1);

	/* And the jobs that run come to their end. */
	ret = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	for (i = 0; i < buf->count; i++)
		copy_highpage(pages[i], buf->pages[i]);

	return 0;
}

int guide_move(struct dma_buf *dmabuf)
{
	struct guide_buffer *buf = dmabuf->priv;
	unsigned int count = dmabuf->size >> PAGE_SHIFT;
	struct page **pages;
	int ret;

	/* First what can fail without anybody noticing. */
	pages = guide_pages_alloc(count);
	if (!pages)
		return -ENOMEM;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		goto out;

	ret = guide_move_locked(dmabuf, pages);
	if (!ret)
		swap(buf->pages, pages);
	dma_resv_unlock(dmabuf->resv);
out:
	guide_pages_free(pages, count);
	return ret;
}

/* [revoke] */
int guide_revoke(struct dma_buf *dmabuf, long timeout)
{
	struct guide_buffer *buf = dmabuf->priv;
	long ret;

	dma_buf_revoke(dmabuf);

	ret = dma_buf_revoke_wait(dmabuf, timeout);
	if (ret < 0)
		return ret;
	/* Somebody does not let go; the storage is free when they do. */
	if (!ret)
		return -ETIME;

	guide_pages_free(buf->pages, buf->count);
	buf->pages = NULL;
	buf->count = 0;

	return 0;
}

/* [end] */
