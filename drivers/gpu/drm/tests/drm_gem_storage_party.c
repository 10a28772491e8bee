// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: devices of others
 *
 * What a driver does that imports storage objects, with one device for all: the
 * needs are said when it attaches.
 */

#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>

#include "drm_gem_storage_party.h"

static void party_told(struct dma_buf_attachment *attach)
{
	struct storage_party *party = attach->importer_priv;

	party->told++;
}

/* How an importer attaches that can follow moves. */
const struct dma_buf_attach_ops storage_party_follower = {
	.move_notify = party_told,
};

/**
 * storage_party_join - attach
 * @test: the test
 * @party: a device that is not attached
 * @dmabuf: the buffer
 * @ops: &storage_party_follower, or NULL for a static importer
 * @kind: what storage it needs
 *
 * Return: 0 or what the core said.
 */
int storage_party_join(struct kunit *test, struct storage_party *party,
		       struct dma_buf *dmabuf,
		       const struct dma_buf_attach_ops *ops,
		       enum drm_gem_storage_kind kind)
{
	struct dma_buf_constraints c = storage_mock_needs(kind);
	struct storage_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach_constrained(dmabuf, ctx->importer, ops, party,
					    &c);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	party->attach = attach;

	return 0;
}

/**
 * storage_party_map - map
 * @test: the test
 * @party: a device that has nothing mapped
 */
void storage_party_map(struct kunit *test, struct storage_party *party)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(party->attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	party->sgt = sgt;
}

/**
 * storage_party_unmap - give the table back
 * @party: a device that has something mapped
 */
void storage_party_unmap(struct storage_party *party)
{
	dma_buf_unmap_attachment_unlocked(party->attach, party->sgt,
					  DMA_BIDIRECTIONAL);
	party->sgt = NULL;
}

/**
 * storage_party_leave - detach
 * @party: a device without a table
 */
void storage_party_leave(struct storage_party *party)
{
	dma_buf_detach(party->attach->dmabuf, party->attach);
}

/**
 * storage_party_page - what a device sees at an address
 * @party: the device
 * @address: address of one of the pages that it has mapped
 *
 * Return: the page.
 */
struct page *storage_party_page(struct storage_party *party, dma_addr_t address)
{
	return pfn_to_page(PHYS_PFN(dma_to_phys(party->attach->dev, address)));
}

/**
 * storage_party_expect - expect an object to be as it was filled
 * @test: the test
 * @party: who has it mapped, all STORAGE_SIZE of it
 * @seed: the number it was filled by
 */
void storage_party_expect(struct kunit *test, struct storage_party *party,
			  u32 seed)
{
	struct sg_dma_page_iter piter;
	size_t wrong = 0, i = 0, w;
	dma_addr_t address;
	u32 *words;

	for_each_sgtable_dma_page(party->sgt, &piter, 0) {
		address = sg_page_iter_dma_address(&piter);
		words = kmap_local_page(storage_party_page(party, address));
		for (w = 0; w < PAGE_SIZE / sizeof(*words); w++, i++)
			wrong += words[w] != storage_mock_word(seed, i);
		kunmap_local(words);
	}
	KUNIT_EXPECT_EQ(test, i * sizeof(*words), STORAGE_SIZE);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}
