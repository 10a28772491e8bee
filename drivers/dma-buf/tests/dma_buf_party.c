// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: mock of an exporter that takes part
 *
 * The mock exporter with one callback more. It has nothing to move: the tests
 * are about what the core asks for, when, and what it makes of the answer.
 */

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/swiotlb.h>

#include "dma_buf_party.h"

static int party_constrain(struct dma_buf *dmabuf,
			   const struct dma_buf_constraints *c, bool move)
{
	struct mock_buffer *buf = dmabuf->priv;
	struct mock_party *party = buf->test->priv;
	int answer = buf->fail[MOCK_CONSTRAIN];
	int ret;

	party->asked = *c;
	if (move)
		party->idle = dma_resv_test_signaled(dmabuf->resv,
						     DMA_RESV_USAGE_BOOKKEEP);
	if (dma_buf_constraints_subset(&party->agreed, c))
		buf->fail[MOCK_CONSTRAIN] = 0;
	ret = mock_log_constrain(dmabuf, move);
	buf->fail[MOCK_CONSTRAIN] = answer;
	if (!ret)
		party->agreed = *c;

	return ret;
}

/**
 * mock_party - an exporter that takes part, exported
 * @test: the running case, whose priv it becomes
 *
 * Return: the exporter.
 */
struct mock_party *mock_party(struct kunit *test)
{
	struct mock_party *party;

	party = kunit_kzalloc(test, sizeof(*party), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, party);
	party->agreed = DMA_BUF_CONSTRAINTS_ANY;
	test->priv = party;

	party->buf = mock_buffer_new(test, MOCK_DYNAMIC);
	party->buf->ops.constrain = party_constrain;
	mock_export(party->buf);
	return party;
}

struct dma_buf_constraints mock_one_piece(void)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	c.max_segments = 1;
	return c;
}

struct dma_buf_constraints mock_below(u64 mask)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	c.dma_mask = mask;
	return c;
}

static int lower_page_first(const void *a, const void *b)
{
	unsigned long first = page_to_pfn(*(struct page *const *)a);
	unsigned long second = page_to_pfn(*(struct page *const *)b);

	return first < second ? -1 : first > second;
}

/**
 * mock_scatter - see to it that no page lies behind the one before
 * @pages: of a buffer, in whatever order they were allocated
 * @count: how many, more than two and at most MOCK_PAGES
 */
void mock_scatter(struct page **pages, unsigned int count)
{
	struct page *sorted[MOCK_PAGES];
	unsigned int i, from = 1;

	memcpy(sorted, pages, count * sizeof(*pages));
	sort(sorted, count, sizeof(*sorted), lower_page_first, NULL);
	/* every other one, then those between them */
	for (i = 0; i < count; i++, from += 2) {
		if (from >= count)
			from = 0;
		pages[i] = sorted[from];
	}
}

#if IS_ENABLED(CONFIG_SWIOTLB)
/* Between the mapping and the end of it all memory seems to be swiotlb's. */
static void pretend_copies(struct mock_buffer *buf,
			   const struct mock_call *call)
{
	struct device *dev = buf->hook_data;

	if (call->op == MOCK_MAP)
		dev->dma_io_tlb_mem->defpool.end = PHYS_ADDR_MAX;
	if (call->op == MOCK_UNMAP)
		dev->dma_io_tlb_mem->defpool.end = 0;
}

static void no_copies(void *dev)
{
	((struct device *)dev)->dma_io_tlb_mem = NULL;
}
#endif

/**
 * mock_copies - let the core think that a device works on copies
 * @buf: whatever it has mapped of that
 * @dev: the device, until the end of the case
 */
void mock_copies(struct mock_buffer *buf, struct device *dev)
{
#if IS_ENABLED(CONFIG_SWIOTLB)
	struct io_tlb_mem *mem;

	mem = kunit_kzalloc(buf->test, sizeof(*mem), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(buf->test, mem);
	mem->nslabs = 64;
	mem->defpool.nslabs = 64;
	dev->dma_io_tlb_mem = mem;
	mock_defer(buf->test, no_copies, dev);
	buf->hook_data = dev;
	buf->hook = pretend_copies;
#endif
}

static void party_detach_action(void *data)
{
	struct dma_buf_attachment *attach = data;

	dma_buf_detach(attach->dmabuf, attach);
}

/**
 * mock_party_attach_dev - attach, and detach at the end of the case
 * @buf: the buffer
 * @dev: the device
 * @ops: the importer's callbacks, NULL for a static importer
 * @c: what it says it needs, or NULL
 *
 * Return: what the core answered.
 */
struct dma_buf_attachment *
mock_party_attach_dev(struct mock_buffer *buf, struct device *dev,
		      const struct dma_buf_attach_ops *ops,
		      const struct dma_buf_constraints *c)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach_constrained(buf->dmabuf, dev, ops, NULL, c);
	if (!IS_ERR_OR_NULL(attach))
		mock_defer(buf->test, party_detach_action, attach);
	return attach;
}

/**
 * mock_party_attach - attach a new device, and detach it at the end of the case
 * @buf: the buffer
 * @name: of the device
 * @ops: the importer's callbacks, NULL for a static importer
 * @c: what it says it needs, or NULL
 *
 * Return: what the core answered.
 */
struct dma_buf_attachment *
mock_party_attach(struct mock_buffer *buf, const char *name,
		  const struct dma_buf_attach_ops *ops,
		  const struct dma_buf_constraints *c)
{
	return mock_party_attach_dev(buf, mock_device(buf->test, name), ops, c);
}

/**
 * mock_party_detach - detach before the case ends
 * @buf: the buffer
 * @attach: from mock_party_attach()
 */
void mock_party_detach(struct mock_buffer *buf,
		       struct dma_buf_attachment *attach)
{
	kunit_release_action(buf->test, party_detach_action, attach);
}

/**
 * mock_party_unchanged - expect that an attempt has left no trace
 * @test: the running case
 * @party: the exporter
 * @agreed: what it had agreed to before
 * @devices: how many were attached before
 */
void mock_party_unchanged(struct kunit *test, struct mock_party *party,
			  const struct dma_buf_constraints *agreed,
			  unsigned int devices)
{
	KUNIT_EXPECT_TRUE(test,
			  dma_buf_constraints_equal(&party->agreed, agreed));
	KUNIT_EXPECT_EQ(test, mock_attachments(party->buf, NULL), devices);
	KUNIT_EXPECT_EQ(test, mock_live(party->buf, MOCK_ATTACH), devices);
}

/**
 * mock_fdinfo - what /proc/PID/fdinfo has of the buffer
 * @buf: the buffer
 *
 * Return: the text.
 */
const char *mock_fdinfo(struct mock_buffer *buf)
{
	struct file *file = buf->dmabuf->file;
	struct seq_file seq = { .size = PAGE_SIZE };

	seq.buf = kunit_kzalloc(buf->test, seq.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(buf->test, seq.buf);
	file->f_op->show_fdinfo(&seq, file);
	return seq.buf;
}

unsigned int mock_moves(struct mock_buffer *buf)
{
	const char *line = strstr(mock_fdinfo(buf), "\nmoves:\t");
	unsigned int moves = UINT_MAX;

	if (line)
		sscanf(line, "\nmoves:\t%u\n", &moves);
	return moves;
}
