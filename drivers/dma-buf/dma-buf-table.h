/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table for a device, and back.
 */
#ifndef _DMA_BUF_TABLE_H
#define _DMA_BUF_TABLE_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"
#include "dma-buf-undemanding.h"

/**
 * DOC: tables, one at a time
 *
 * An importer maps, or attaches and maps, or unmaps and detaches, by one call each, in
 * dma-buf-map.c, dma-buf-attach.c and dma-buf-detach.c. What these have in common is here:
 * to get a table from the exporter, and to give it back. It comes by with every frame, so
 * each of the three has it inline. What a mapping is, and what is checked, is in the DOC
 * section of dma-buf-map.c.
 *
 * All of it is guarded by the reservation lock.
 */

static inline void dma_buf_table_check_alignment(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!IS_ENABLED(CONFIG_DMA_API_DEBUG))
		return;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t addr = sg_dma_address(sg);

		if (!PAGE_ALIGNED(addr) || !PAGE_ALIGNED(sg_dma_len(sg)))
			pr_debug("dma-buf: unaligned segment %pad+%u\n", &addr,
				 sg_dma_len(sg));
	}
}

/* An address on a bus that the device may not share is of no use to it. */
static inline bool dma_buf_table_is_peer(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		return false;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_is_bus_address(sg))
			return true;
	}

	return false;
}

static inline int dma_buf_table_check(struct dma_buf_attachment *attach,
				      struct sg_table *sgt)
{
	long ret;

	/* The exporter was told so at attach. */
	if (WARN_ON_ONCE(!attach->peer2peer && dma_buf_table_is_peer(sgt)))
		return -EREMOTEIO;

	if (!dma_buf_undemanding_table(attach)) {
		ret = dma_buf_need_check(attach, sgt);
		if (ret)
			return ret;
	}

	/* A dynamic importer looks at these fences itself. */
	if (dma_buf_attachment_is_dynamic(attach) ||
	    dma_buf_never_busy(attach->dmabuf))
		return 0;

	ret = dma_resv_wait_timeout(attach->dmabuf->resv, DMA_RESV_USAGE_KERNEL,
				    true, MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

static inline struct sg_table *
dma_buf_table_ask_locked(struct dma_buf_attachment *attach,
			 enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt, *table;
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	sgt = dmabuf->ops->map_dma_buf(attach, dir);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(sgt))
		return sgt;

	ret = dma_buf_table_check(attach, sgt);
	if (ret)
		goto err_unmap;

	table = dma_buf_debug_wrap(sgt);
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		goto err_unmap;
	}

	return table;

err_unmap:
	dmabuf->ops->unmap_dma_buf(attach, sgt, dir);
	return ERR_PTR(ret);
}

/**
 * dma_buf_table_unmap_locked - have the exporter unmap a table
 * @attach: attachment that it was made for
 * @sgt: the table
 * @dir: direction it was made for
 */
static inline void dma_buf_table_unmap_locked(struct dma_buf_attachment *attach,
					      struct sg_table *sgt,
					      enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	attach->dmabuf->ops->unmap_dma_buf(attach, dma_buf_debug_unwrap(sgt),
					   dir);
}

/*
 * An exporter whose mappings pin does so by itself; that somebody relies on the place is
 * still for the core to know.
 */
static inline int dma_buf_table_hold_locked(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	if (!attach->dmabuf->ops->map_pins)
		return dma_buf_pin_locked(attach, &attach->core_pin_count);

	attach->core_pin_count++;
	trace_dma_buf_pin(attach, attach->pin_count + attach->core_pin_count);

	return 0;
}

/* Once for each mapping, and these are counted: &dma_buf_attachment.map_count. */
static inline void
dma_buf_table_let_go_locked(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	if (!attach->dmabuf->ops->map_pins) {
		dma_buf_unpin_locked(attach, &attach->core_pin_count);
		return;
	}

	attach->core_pin_count--;
	trace_dma_buf_pin(attach, attach->pin_count + attach->core_pin_count);
}

/**
 * dma_buf_table_map_locked - have the exporter make a table
 * @attach: attachment of a device
 * @dir: what the device will do with the buffer
 * @pin: whether the storage has to stay where it is
 *
 * Return: The table or an ERR_PTR(), see dma_buf_map_attachment().
 */
static inline struct sg_table *
dma_buf_table_map_locked(struct dma_buf_attachment *attach,
			 enum dma_data_direction dir, bool pin)
{
	struct sg_table *sgt;
	int ret = 0;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (pin)
		ret = dma_buf_table_hold_locked(attach);
	if (ret)
		return ERR_PTR(ret);

	sgt = dma_buf_table_ask_locked(attach, dir);
	if (IS_ERR(sgt) && pin)
		dma_buf_table_let_go_locked(attach);

	return sgt;
}

/*
 * Without move notification configured, whatever is mapped is pinned; or, by an
 * exporter that takes part, what is mapped by those who cannot be notified.
 */
static inline bool dma_buf_table_is_held(struct dma_buf_attachment *attach)
{
	if (dma_buf_can_constrain(attach->dmabuf))
		return !dma_buf_attachment_is_dynamic(attach);

	return dma_buf_is_dynamic(attach->dmabuf) &&
	       !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY);
}

static inline struct sg_table *
dma_buf_table_new_locked(struct dma_buf_attachment *attach,
			 enum dma_data_direction dir)
{
	struct sg_table *sgt;

	sgt = dma_buf_table_map_locked(attach, dir,
				       dma_buf_table_is_held(attach));
	if (IS_ERR(sgt))
		return sgt;

	if (attach->dmabuf->ops->cache_sgt_mapping) {
		attach->sgt = sgt;
		attach->dir = dir;
	}
	dma_buf_table_check_alignment(sgt);

	return sgt;
}

/**
 * dma_buf_table_get_locked - hand out a table, which is counted
 * @attach: attachment of a device, to a buffer that was not revoked
 * @dir: what the device will do with the buffer
 *
 * Return: The table or an ERR_PTR(), see dma_buf_map_attachment().
 */
static inline struct sg_table *
dma_buf_table_get_locked(struct dma_buf_attachment *attach,
			 enum dma_data_direction dir)
{
	struct sg_table *sgt;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!attach->sgt)
		sgt = dma_buf_table_new_locked(attach, dir);
	else if (attach->dir == dir || attach->dir == DMA_BIDIRECTIONAL)
		sgt = attach->sgt;
	else
		sgt = ERR_PTR(-EBUSY);
	if (IS_ERR(sgt))
		return sgt;

	attach->map_count++;
	attach->entries = sgt->nents;
	trace_dma_buf_map(attach, sgt, dir);

	return sgt;
}

/**
 * dma_buf_table_put_locked - take a table back
 * @attach: attachment of which one is out
 * @sgt: the table
 * @dir: direction it was asked for
 *
 * Whoever waits for that after dma_buf_revoke() is for the caller to tell.
 */
static inline void dma_buf_table_put_locked(struct dma_buf_attachment *attach,
					    struct sg_table *sgt,
					    enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	trace_dma_buf_unmap(attach, sgt, dir);
	attach->map_count--;

	if (sgt != attach->sgt) {
		dma_buf_table_unmap_locked(attach, sgt, dir);
		if (dma_buf_table_is_held(attach))
			dma_buf_table_let_go_locked(attach);
	} else if (!attach->map_count && dma_buf_revoke_check(attach->dmabuf)) {
		dma_buf_map_drop_locked(attach);
	}
}

#endif /* _DMA_BUF_TABLE_H */
