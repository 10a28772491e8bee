// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: guide to a dynamic importer
 *
 * A driver that can ask for new addresses before each job lets the exporter
 * move the storage in between, or take it away. It says so with its callbacks
 * at attach, and then has one duty: when told that a mapping is over, to give it
 * back as soon as its device has finished, whether there is a next job or not.
 */

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>

#include "dma_buf_guide.h"

/* [notify] */
static void guide_invalidate_mappings(struct dma_buf_attachment *attach)
{
	struct guide_dynamic *imp = attach->importer_priv;

	/* The device may be at work: no unmapping here, and no waiting. */
	if (imp->sgt) {
		imp->moved = true;
		schedule_work(&imp->let_go);
	}
}

static const struct dma_buf_attach_ops guide_dynamic_ops = {
	.invalidate_mappings = guide_invalidate_mappings,
};

static void guide_unmap_locked(struct guide_dynamic *imp)
{
	dma_buf_unmap_attachment(imp->attach, imp->sgt, DMA_BIDIRECTIONAL);
	imp->sgt = NULL;
	imp->moved = false;
}

static void guide_let_go(struct work_struct *work)
{
	struct guide_dynamic *imp =
		container_of(work, struct guide_dynamic, let_go);
	struct dma_resv *resv = imp->dmabuf->resv;
	struct dma_fence *job;

	dma_resv_lock(resv, NULL);
	job = dma_fence_get(imp->job);
	dma_resv_unlock(resv);

	/* Without the lock: page faults of processes need it, too. */
	dma_fence_wait(job, false);

	dma_resv_lock(resv, NULL);
	/* If there is a later job, it has mapped anew. */
	if (imp->moved && imp->job == job)
		guide_unmap_locked(imp);
	dma_resv_unlock(resv);
	dma_fence_put(job);
}

/* [import] */
int guide_dynamic_import(struct guide_dynamic *imp, int fd, struct device *dev)
{
	imp->dmabuf = dma_buf_get(fd);
	if (IS_ERR(imp->dmabuf))
		return PTR_ERR(imp->dmabuf);

	/* Before attach, which may already call back. */
	imp->sgt = NULL;
	imp->moved = false;
	imp->job = dma_fence_get_stub();
	INIT_WORK(&imp->let_go, guide_let_go);

	imp->attach = dma_buf_dynamic_attach(imp->dmabuf, dev,
					     &guide_dynamic_ops, imp);
	if (IS_ERR(imp->attach)) {
		dma_fence_put(imp->job);
		dma_buf_put(imp->dmabuf);
		return PTR_ERR(imp->attach);
	}

	return 0;
}

/* [start] */
static int guide_map_locked(struct guide_dynamic *imp)
{
	struct sg_table *sgt;
	long ret;

	if (imp->moved) {
		ret = dma_fence_wait(imp->job, true);
		if (ret)
			return ret;
		guide_unmap_locked(imp);
	}
	if (imp->sgt)
		return 0;

	sgt = dma_buf_map_attachment(imp->attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	imp->sgt = sgt;
	imp->address = sg_dma_address(sgt->sgl);

	return 0;
}

static int guide_start_locked(struct guide_dynamic *imp, struct dma_fence *done)
{
	struct dma_resv *resv = imp->dmabuf->resv;
	long ret;

	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;

	ret = guide_map_locked(imp);
	if (ret)
		return ret;

	/* After the mapping, which may have begun a move: that has a fence. */
	ret = dma_resv_wait_timeout(resv, dma_resv_usage_rw(true), true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	dma_resv_add_fence(resv, done, DMA_RESV_USAGE_WRITE);
	dma_fence_put(imp->job);
	imp->job = dma_fence_get(done);

	return 0;
}

int guide_dynamic_start(struct guide_dynamic *imp, struct dma_fence *done)
{
	int ret;

	ret = dma_resv_lock_interruptible(imp->dmabuf->resv, NULL);
	if (ret)
		return ret;

	ret = guide_start_locked(imp, done);
	dma_resv_unlock(imp->dmabuf->resv);

	return ret;
}

/* [release] */
void guide_dynamic_release(struct guide_dynamic *imp)
{
	/* No job is started any more, and the last one ends by itself. */
	dma_fence_wait(imp->job, false);

	dma_resv_lock(imp->dmabuf->resv, NULL);
	if (imp->sgt)
		guide_unmap_locked(imp);
	dma_resv_unlock(imp->dmabuf->resv);

	/* Nobody calls back after detach, and the work finds nothing to do. */
	dma_buf_detach(imp->dmabuf, imp->attach);
	cancel_work_sync(&imp->let_go);
	dma_fence_put(imp->job);
	dma_buf_put(imp->dmabuf);
}

/* [end] */
