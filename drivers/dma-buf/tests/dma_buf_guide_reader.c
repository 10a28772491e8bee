// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: guide to an importer without a device
 *
 * A virtual display, a screen behind USB, a driver that computes a checksum:
 * they read a buffer with the CPU. There is no device that could have addresses,
 * so there is nothing to map. The attachment tells the exporter, and whoever
 * looks at debugfs, that somebody is there.
 */

#include <linux/dma-mapping.h>
#include <linux/err.h>

#include "dma_buf_guide.h"

/* [import] */
int guide_reader_import(struct guide_reader *imp, int fd)
{
	int ret;

	imp->dmabuf = dma_buf_get(fd);
	if (IS_ERR(imp->dmabuf))
		return PTR_ERR(imp->dmabuf);

	imp->attach = dma_buf_attach_cpu(imp->dmabuf, NULL, NULL);
	if (IS_ERR(imp->attach)) {
		ret = PTR_ERR(imp->attach);
		goto err_put;
	}

	ret = dma_buf_vmap_unlocked(imp->dmabuf, &imp->map);
	if (ret)
		goto err_detach;

	return 0;

err_detach:
	dma_buf_detach(imp->dmabuf, imp->attach);
err_put:
	dma_buf_put(imp->dmabuf);
	return ret;
}

/* [read] */
int guide_reader_read(struct guide_reader *imp, size_t offset, void *to,
		      size_t bytes)
{
	int ret;

	if (offset > imp->dmabuf->size || bytes > imp->dmabuf->size - offset)
		return -EINVAL;

	ret = dma_buf_begin_cpu_access(imp->dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;

	iosys_map_memcpy_from(to, &imp->map, offset, bytes);

	return dma_buf_end_cpu_access(imp->dmabuf, DMA_FROM_DEVICE);
}

/* [release] */
void guide_reader_release(struct guide_reader *imp)
{
	dma_buf_vunmap_unlocked(imp->dmabuf, &imp->map);
	dma_buf_detach(imp->dmabuf, imp->attach);
	dma_buf_put(imp->dmabuf);
}

/* [end] */
