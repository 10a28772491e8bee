// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of waiting in a negotiation
 *
 * Storage moves when all devices are done, and not before. Whoever waits for
 * that, or behind somebody who does, can be interrupted, and two who come at
 * once come one after the other.
 */

#include <linux/dma-mapping.h>
#include <linux/workqueue.h>

#include "dma_buf_party.h"

struct usage {
	const char *name;
	enum dma_resv_usage usage;
};

static const struct usage usages[] = {
	{ "kernel", DMA_RESV_USAGE_KERNEL },
	{ "write", DMA_RESV_USAGE_WRITE },
	{ "read", DMA_RESV_USAGE_READ },
	{ "bookkeep", DMA_RESV_USAGE_BOOKKEEP },
};

KUNIT_ARRAY_PARAM_DESC(usage, usages, name);

/* Succeeds if a signal ends the wait for any fence, and nothing has changed. */
static void wait_is_interrupted(struct kunit *test)
{
	const struct usage *p = test->param_value;
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct device *dev = mock_device(test, "second");
	struct dma_buf_constraints agreed;
	struct dma_buf_attachment *attach;
	struct dma_fence *fence;

	mock_party_attach(buf, "first", &mock_importer, NULL);
	fence = mock_new_fence(buf, p->usage);
	agreed = party->agreed;
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	mock_signal_raise(test);
	attach = mock_party_attach_dev(buf, dev, NULL, &one);
	mock_signal_clear();
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-ERESTARTSYS));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "attach constrain!* move* detach");
	mock_party_unchanged(test, party, &agreed, 1);

	dma_fence_signal(fence);
	attach = mock_party_attach(buf, "again", NULL, &one);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 1);
}

/* Succeeds if the move begins when the fences have signaled, and not before. */
static void moves_when_idle(struct kunit *test)
{
	const struct usage *p = test->param_value;
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	mock_add_fence(buf, mock_fence_on_wait(test), p->usage);
	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	attach = mock_party_attach(buf, "importer", NULL, &one);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_TRUE(test, party->idle);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 1);
}

/* Succeeds if nobody waits where nothing has to move. */
static void no_wait_without_a_move(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	mock_new_fence(party->buf, DMA_RESV_USAGE_WRITE);
	mock_signal_raise(test);
	attach = mock_party_attach_dev(party->buf, dev, NULL, &one);
	mock_signal_clear();
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(party->buf), "attach constrain*");
}

/* Another thread that attaches while this one negotiates. */
struct rival {
	struct work_struct work;
	struct mock_buffer *buf;
	struct device *dev;
	struct completion begun;
	struct dma_buf_attachment *attach;
};

static void rival_attach(struct work_struct *work)
{
	struct rival *rival = container_of(work, struct rival, work);
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct dma_buf *dmabuf = rival->buf->dmabuf;

	complete(&rival->begun);
	rival->attach = dma_buf_attach_constrained(dmabuf, rival->dev, NULL,
						   NULL, &low);
}

static void begin_rival(struct mock_buffer *buf, const struct mock_call *call)
{
	struct rival *rival = buf->hook_data;

	if (call->op != MOCK_RELOCATE || completion_done(&rival->begun))
		return;

	queue_work(system_unbound_wq, &rival->work);
	wait_for_completion(&rival->begun);
	/* complete() was used up; this one stays, for completion_done() */
	complete(&rival->begun);
}

/* Succeeds if of two newcomers at once the second is asked for with the first. */
static void two_newcomers(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;
	struct rival rival = {
		.buf = buf,
		.dev = mock_device(test, "rival"),
	};

	init_completion(&rival.begun);
	INIT_WORK_ONSTACK(&rival.work, rival_attach);
	buf->hook_data = &rival;
	buf->hook = begin_rival;
	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;

	attach = mock_party_attach(buf, "first", NULL, &one);
	flush_work(&rival.work);
	destroy_work_on_stack(&rival.work);
	buf->hook = NULL;

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, rival.attach);
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, 1);
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, DMA_BIT_MASK(30));
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 2);
	if (!IS_ERR_OR_NULL(rival.attach))
		dma_buf_detach(buf->dmabuf, rival.attach);
}

/* Succeeds if who waits behind a negotiation can be interrupted, too. */
static void wait_for_the_lock_is_interrupted(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct device *dev = mock_device(test, "second");
	struct mock_keeper keeper;
	struct dma_buf_attachment *first, *attach, *cpu;
	int ret;

	first = mock_party_attach(buf, "first", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	mock_calls(buf);

	mock_signal_raise(test);
	mock_keep_lock(&keeper, buf);
	attach = mock_party_attach_dev(buf, dev, NULL, &one);
	cpu = dma_buf_attach_cpu(buf->dmabuf, NULL, NULL);
	ret = dma_buf_attachment_constrain(first, &one);
	mock_signal_clear();
	mock_leave_lock(&keeper);

	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-ERESTARTSYS));
	KUNIT_EXPECT_PTR_EQ(test, cpu, ERR_PTR(-ERESTARTSYS));
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_CONSTRAIN, NULL), 0);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 1);
}

static struct kunit_case dma_buf_negotiate_wait_cases[] = {
	KUNIT_CASE_PARAM(wait_is_interrupted, usage_gen_params),
	KUNIT_CASE_PARAM(moves_when_idle, usage_gen_params),
	KUNIT_CASE(no_wait_without_a_move),
	KUNIT_CASE(two_newcomers),
	KUNIT_CASE(wait_for_the_lock_is_interrupted),
	{}
};

static struct kunit_suite dma_buf_negotiate_wait_suite = {
	.name = "dma_buf_negotiate_wait",
	.test_cases = dma_buf_negotiate_wait_cases,
};

kunit_test_suite(dma_buf_negotiate_wait_suite);
