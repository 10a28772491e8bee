// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: racers at the storage
 *
 * Devices that attach, map and follow moves, and the CPU. Each round takes back
 * what it has done, so that a race ends with the counts of the mock exporter at
 * zero.
 */

#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/scatterlist.h>

#include "dma_buf_race.h"

/* Only a mapping that was lost lets a revoker wait so long. */
#define REVOKE_HANG (30 * HZ)

static int check_table(struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t size = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		size += sg_dma_len(sg);

	return size == MOCK_SIZE ? 0 : -EIO;
}

static int map_once(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;
	int ret;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	ret = check_table(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);

	return ret;
}

static int attach_once(struct racer *racer,
		       const struct dma_buf_attach_ops *ops)
{
	struct dma_buf_attachment *attach;
	int ret;

	attach = dma_buf_dynamic_attach(race_dma_buf(racer), racer->race->dev,
					ops, racer);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	ret = map_once(attach);
	dma_buf_detach(race_dma_buf(racer), attach);

	return ret;
}

int race_attach_static(struct racer *racer, unsigned int round)
{
	return attach_once(racer, NULL);
}

int race_attach_dynamic(struct racer *racer, unsigned int round)
{
	return attach_once(racer, &mock_importer);
}

int race_attach_cpu(struct racer *racer, unsigned int round)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach_cpu(race_dma_buf(racer), &mock_importer, racer);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	dma_buf_detach(race_dma_buf(racer), attach);

	return 0;
}

/* All threads that do this share one attachment. */
int race_map(struct racer *racer, unsigned int round)
{
	return map_once(racer->race->stays);
}

int race_pin(struct racer *racer, unsigned int round)
{
	struct dma_buf_attachment *attach = racer->race->stays;
	int ret;

	ret = mock_pin(attach);
	if (ret)
		return ret;

	mock_unpin(attach);

	return 0;
}

int race_move(struct racer *racer, unsigned int round)
{
	mock_move(racer->race->buf);

	return 0;
}

/* In the middle of what the others do; the first time is the one that counts. */
int race_revoke(struct racer *racer, unsigned int round)
{
	struct dma_buf *dmabuf = race_dma_buf(racer);
	long ret;

	if (round < racer->race->rounds / 2)
		return 0;

	dma_buf_revoke(dmabuf);
	ret = dma_buf_revoke_wait(dmabuf, REVOKE_HANG);
	if (!ret)
		return -ETIME;

	return ret < 0 ? ret : 0;
}

/* One word of the buffer belongs to each thread. */
int race_vmap(struct racer *racer, unsigned int round)
{
	struct iosys_map map;
	u32 *word;
	int ret;

	ret = dma_buf_vmap_unlocked(race_dma_buf(racer), &map);
	if (ret)
		return ret;

	ret = -EIO;
	if (map.vaddr == racer->race->buf->vaddr) {
		word = (u32 *)map.vaddr + racer->number;
		*word = round;
		ret = 0;
	}
	dma_buf_vunmap_unlocked(race_dma_buf(racer), &map);

	return ret;
}

int race_cpu_access(struct racer *racer, unsigned int round)
{
	enum dma_data_direction dir =
		round % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	int ret;

	ret = dma_buf_begin_cpu_access(race_dma_buf(racer), dir);
	if (ret)
		return ret;

	return dma_buf_end_cpu_access(race_dma_buf(racer), dir);
}
