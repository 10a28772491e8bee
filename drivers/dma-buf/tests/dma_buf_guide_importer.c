// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: guide to an importer
 *
 * A process hands a driver a file descriptor, and the driver's device shall use
 * the buffer behind it. This driver asks for the addresses once and keeps them:
 * it is static, the storage will not move while it is there.
 *
 * Documentation/driver-api/dma-buf-importer.rst quotes this file, and
 * dma_buf_guide_test.c runs it. For want of a device, what would go into its
 * registers is kept in the structure.
 */

#include <linux/dma-mapping.h>
#include <linux/err.h>

#include "dma_buf_guide.h"

/* [import] */
int guide_import(struct guide_importer *imp, int fd, struct device *dev)
{
	int ret;

	imp->dmabuf = dma_buf_get(fd);
	if (IS_ERR(imp->dmabuf))
		return PTR_ERR(imp->dmabuf);

	imp->attach = dma_buf_attach(imp->dmabuf, dev);
	if (IS_ERR(imp->attach)) {
		ret = PTR_ERR(imp->attach);
		goto err_put;
	}

	imp->sgt = dma_buf_map_attachment_unlocked(imp->attach,
						   DMA_BIDIRECTIONAL);
	if (IS_ERR(imp->sgt)) {
		ret = PTR_ERR(imp->sgt);
		goto err_detach;
	}

	return 0;

err_detach:
	dma_buf_detach(imp->dmabuf, imp->attach);
err_put:
	dma_buf_put(imp->dmabuf);
	return ret;
}

/* [start] */
static void guide_program(struct guide_importer *imp)
{
	struct scatterlist *sg;
	int i;

	imp->address = sg_dma_address(imp->sgt->sgl);
	imp->bytes = 0;
	for_each_sgtable_dma_sg(imp->sgt, sg, i)
		imp->bytes += sg_dma_len(sg);
}

int guide_start(struct guide_importer *imp, struct dma_fence *done)
{
	struct dma_resv *resv = imp->dmabuf->resv;
	long ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;

	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		goto unlock;

	/* Our device writes, so nobody else may be at work. */
	ret = dma_resv_wait_timeout(resv, dma_resv_usage_rw(true), true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		goto unlock;

	guide_program(imp);
	dma_resv_add_fence(resv, done, DMA_RESV_USAGE_WRITE);
	ret = 0;
unlock:
	dma_resv_unlock(resv);
	return ret;
}

/* [release] */
void guide_import_release(struct guide_importer *imp)
{
	/* The device has finished, or must not be stopped like this. */
	dma_buf_unmap_attachment_unlocked(imp->attach, imp->sgt,
					  DMA_BIDIRECTIONAL);
	dma_buf_detach(imp->dmabuf, imp->attach);
	dma_buf_put(imp->dmabuf);
}

/* [end] */
