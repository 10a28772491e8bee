/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DMA_BUF_PARTY_H
#define DMA_BUF_PARTY_H

#include "dma_buf_mock.h"

/**
 * struct mock_party - an exporter that takes part in negotiations
 * @buf: its buffer, of MOCK_DYNAMIC with constrain; answers as its @fail says,
 *	 but never no to less than it has agreed to
 * @asked: what it was last asked for
 * @agreed: what it last said yes to
 * @idle: whether no fence was pending when it was last told to move
 */
struct mock_party {
	struct mock_buffer *buf;
	struct dma_buf_constraints asked;
	struct dma_buf_constraints agreed;
	bool idle;
};

struct mock_party *mock_party(struct kunit *test);

struct dma_buf_constraints mock_one_piece(void);
struct dma_buf_constraints mock_below(u64 mask);
void mock_scatter(struct page **pages, unsigned int count);
void mock_copies(struct mock_buffer *buf, struct device *dev);

struct dma_buf_attachment *
mock_party_attach_dev(struct mock_buffer *buf, struct device *dev,
		      const struct dma_buf_attach_ops *ops,
		      const struct dma_buf_constraints *c);
struct dma_buf_attachment *
mock_party_attach(struct mock_buffer *buf, const char *name,
		  const struct dma_buf_attach_ops *ops,
		  const struct dma_buf_constraints *c);
void mock_party_detach(struct mock_buffer *buf,
		       struct dma_buf_attachment *attach);
void mock_party_unchanged(struct kunit *test, struct mock_party *party,
			  const struct dma_buf_constraints *agreed,
			  unsigned int devices);

const char *mock_fdinfo(struct mock_buffer *buf);
unsigned int mock_moves(struct mock_buffer *buf);

#endif
