/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that need nothing: what the core has to do for them.
 */
#ifndef _DMA_BUF_UNDEMANDING_H
#define _DMA_BUF_UNDEMANDING_H

#include <linux/dma-buf.h>
#include <linux/swiotlb.h>

#include "dma-buf-internal.h"

/**
 * DOC: devices that need nothing
 *
 * Most devices reach all memory, in as many pieces as there are, by themselves or by
 * an IOMMU. They have &dma_buf_attachment.undemanding from the moment they attach, and no
 * exporter has to be asked for their sake. All that they can change for the others is the
 * kinds of memory: what is another device's is not for those that cannot use such
 * addresses. What they need is the same, and they have it in common.
 *
 * They come and go with every frame, so each question about them is answered here, where
 * it is asked, without a call. Where the answer is no, or the device does need something,
 * it is for dma-buf-negotiate.c and dma-buf-need.c.
 */

/**
 * dma_buf_undemanding_collect - can it be seen at a glance that a newcomer needs nothing?
 * @attach: attachment, not yet on the list
 * @said: what its importer says, or NULL
 *
 * Not of a device behind an IOMMU, even if it does not.
 *
 * Return: true if that is all there is to know of it.
 */
static inline bool
dma_buf_undemanding_collect(struct dma_buf_attachment *attach,
			    const struct dma_buf_constraints *said)
{
	attach->needs = &dma_buf_needs_nothing;
	if (!attach->dev)
		return true;

	attach->undemanding =
		!said && dma_buf_device_is_undemanding(attach->dev);

	return attach->undemanding;
}

/* Whether an exporter's storage can be of a kind is its own to say. */
static inline bool dma_buf_same_domains(const struct dma_buf_object *obj,
					unsigned int domains)
{
	unsigned int kinds = obj->base.ops->domains ?: DMA_BUF_DOMAIN_ALL;

	return !((domains ^ obj->domains) & kinds);
}

/**
 * dma_buf_common_domains_locked - the kinds of memory that suit all
 * @obj: buffer
 *
 * Return: a combination of &enum dma_buf_domain, or 0.
 */
static inline unsigned int
dma_buf_common_domains_locked(const struct dma_buf_object *obj)
{
	unsigned int domains = DMA_BUF_DOMAIN_ALL;
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(obj->base.resv);

	list_for_each_entry(attach, &obj->base.attachments, node) {
		domains &= attach->needs->of_storage.domains;
		if (!attach->peer2peer)
			domains &= ~DMA_BUF_DOMAIN_PEER;
	}

	return domains;
}

/*
 * Of a buffer that has system memory, and can have no other kind, an exporter has nothing
 * to hear of a device that needs nothing, whatever addresses of other devices that device
 * could use.
 */
static inline bool dma_buf_is_system_memory(const struct dma_buf_object *obj)
{
	return obj->base.ops->domains == DMA_BUF_DOMAIN_SYSTEM &&
	       obj->domains & DMA_BUF_DOMAIN_SYSTEM;
}

/**
 * dma_buf_undemanding_join_locked - does a newcomer change nothing for the exporter?
 * @attach: attachment of a device, not yet complete
 *
 * What suits the others suits it, but for memory of other devices.
 *
 * Return: true if it has joined.
 */
static inline bool
dma_buf_undemanding_join_locked(struct dma_buf_attachment *attach)
{
	struct dma_buf_object *obj = to_dma_buf_object(attach->dmabuf);
	unsigned int domains = obj->domains;

	dma_resv_assert_held(obj->base.resv);

	if (!attach->undemanding)
		return false;
	if (dma_buf_is_system_memory(obj))
		return true;
	if (!attach->peer2peer)
		domains &= ~DMA_BUF_DOMAIN_PEER;
	if (!domains || !dma_buf_same_domains(obj, domains))
		return false;

	obj->domains = domains;

	return true;
}

/**
 * dma_buf_undemanding_leave_locked - does it change nothing that somebody has left?
 * @attach: attachment of a device that is no longer on the list
 *
 * All that was asked for its sake was a kind of memory.
 *
 * Return: true if it has left.
 */
static inline bool
dma_buf_undemanding_leave_locked(struct dma_buf_attachment *attach)
{
	struct dma_buf_object *obj = to_dma_buf_object(attach->dmabuf);
	unsigned int domains;

	dma_resv_assert_held(obj->base.resv);

	if (!attach->undemanding)
		return false;
	if (dma_buf_is_system_memory(obj))
		return true;
	domains = dma_buf_common_domains_locked(obj);
	if (!dma_buf_same_domains(obj, domains))
		return false;

	obj->domains = domains;

	return true;
}

/**
 * dma_buf_undemanding_table - may a device have any table?
 * @attach: its attachment
 *
 * A guest whose memory is encrypted has the DMA API copy for every device.
 *
 * Return: true if nobody has to look at the entries.
 */
static inline bool
dma_buf_undemanding_table(const struct dma_buf_attachment *attach)
{
	return attach->undemanding && !is_swiotlb_force_bounce(attach->dev);
}

#endif /* _DMA_BUF_UNDEMANDING_H */
