// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of negotiation
 *
 * When an exporter that takes part is asked, for what, and under which lock;
 * what happens to the newcomer, and to all others, for each answer it can give.
 * "constrain" in the log of callbacks is the question, "relocate" the order to
 * move, and "move" that an importer is told.
 */

#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "dma_buf_party.h"

/* Succeeds if attaching allocates nothing, and static maps pin for as long. */
static void pinned_only_while_mapped(struct kunit *test)
{
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_party_attach(buf, "static", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach constrain*");

	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "pin* map:to*");
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "unmap:to* unpin*");

	/* who sees to that with the mapping is not called, and counted all the same */
	buf->ops.map_pins = true;
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, attach->core_pin_count, 1);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, attach->core_pin_count, 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to* unmap:to*");

	mock_party_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "constrain* detach");
}

/* Succeeds if a static map that fails leaves no pin. */
static void no_pin_leak_in_a_failed_static_map(struct kunit *test)
{
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "static", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);

	buf->fail[MOCK_MAP] = -ENOMEM;
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "pin* map:to!* unpin*");

	buf->ops.map_pins = true;
	KUNIT_EXPECT_TRUE(test, IS_ERR(mock_map(attach, DMA_TO_DEVICE)));
	KUNIT_EXPECT_EQ(test, attach->core_pin_count, 0);
}

/* Succeeds if what a dynamic importer maps is not pinned, in any kernel. */
static void dynamic_maps_are_not_pinned(struct kunit *test)
{
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_party_attach(buf, "dynamic", &mock_importer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);

	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "map:to* unmap:to*");
}

/* Succeeds if a device that needs no more than the others makes no question. */
static void no_question_without_a_need(struct kunit *test)
{
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct dma_buf_constraints high = mock_below(DMA_BIT_MASK(40));
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	mock_party_attach(buf, "a", NULL, &low);
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, low.dma_mask);
	mock_calls(buf);

	attach = mock_party_attach(buf, "b", NULL, &high);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach");
	mock_party_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");
}

/*
 * Succeeds if an exporter is not asked about memory that it says it never has, is
 * asked about all else, and people are shown what it was not asked.
 */
static void no_question_about_other_memory(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	buf->ops.domains = DMA_BUF_DOMAIN_SYSTEM;
	attach = mock_party_attach(buf, "a", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach");
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(mock_fdinfo(buf), "domains=system\n"));
	mock_party_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");

	attach = mock_party_attach(buf, "b", &mock_importer_p2p, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach constrain*");
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, 1);
	attach = mock_party_attach(buf, "c", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach");
}

/* Succeeds if the exporter is asked for what suits all, not one of them. */
static void asked_for_the_intersection(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct mock_party *party = mock_party(test);
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(party->buf, "a", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	attach = mock_party_attach(party->buf, "b", &mock_importer_p2p, &low);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(party->buf),
			   "attach constrain* attach constrain*");
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, 1);
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, low.dma_mask);
	/* b could use peer memory, a could not */
	KUNIT_EXPECT_EQ(test, party->agreed.domains, DMA_BUF_DOMAIN_SYSTEM);
	KUNIT_EXPECT_EQ(test, mock_moves(party->buf), 0);
}

struct impossible {
	const char *name;
	/* how far the first device reaches */
	u64 reach;
	/* the second */
	u64 mask;
	u64 alignment;
	u64 segment_size;
	unsigned int domains;
};

static const struct impossible impossibles[] = {
	{ "too little within reach", U64_MAX, PAGE_SIZE - 1, 1, U64_MAX,
	  DMA_BUF_DOMAIN_ALL },
	{ "pieces too far apart", 2 * MOCK_SIZE - 1, U64_MAX, MOCK_SIZE,
	  PAGE_SIZE, DMA_BUF_DOMAIN_ALL },
	{ "no memory in common", U64_MAX, U64_MAX, 1, U64_MAX,
	  DMA_BUF_DOMAIN_PEER },
};

KUNIT_ARRAY_PARAM_DESC(impossible, impossibles, name);

/* Succeeds if needs that no table meets are -EINVAL, and nobody is bothered. */
static void refuses_the_impossible(struct kunit *test)
{
	const struct impossible *p = test->param_value;
	struct dma_buf_constraints first = mock_below(p->reach);
	struct dma_buf_constraints second = mock_below(p->mask);
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_constraints agreed;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "first", NULL, &first);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	agreed = party->agreed;
	mock_calls(buf);

	second.alignment = p->alignment;
	second.max_segment_size = p->segment_size;
	second.domains = p->domains;
	attach = mock_party_attach(buf, "second", NULL, &second);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach detach");
	mock_party_unchanged(test, party, &agreed, 1);
}

struct answer {
	const char *name;
	int err;
};

static const struct answer answers[] = {
	{ "never", -EINVAL },
	{ "the exporter cannot move it", -EBUSY },
	{ "no memory", -ENOMEM },
	{ "something else", -ENOSPC },
};

KUNIT_ARRAY_PARAM_DESC(answer, answers, name);

/* Succeeds if a refusal is passed on, and the newcomer has never been there. */
static void question_is_refused(struct kunit *test)
{
	const struct answer *p = test->param_value;
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_constraints agreed;
	struct dma_buf_attachment *attach;

	mock_party_attach(buf, "first", &mock_importer, NULL);
	agreed = party->agreed;
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = p->err;
	attach = mock_party_attach(buf, "second", &mock_importer, &one);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(p->err));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach constrain!* detach");
	mock_party_unchanged(test, party, &agreed, 1);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);
}

/* Succeeds if a move is told to all but the newcomer, made, and counted. */
static void storage_moves(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *first, *attach;
	struct sg_table *sgt;

	first = mock_party_attach(buf, "first", &mock_importer, NULL);
	mock_party_attach(buf, "static, not mapped", NULL, NULL);
	sgt = mock_map(first, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	attach = mock_party_attach(buf, "second", &mock_importer, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, first), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "attach constrain!* move* relocate*");
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, 1);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 1);

	mock_unmap(first, sgt, DMA_TO_DEVICE);
}

static void pin_when_told(struct mock_buffer *buf, const struct mock_call *call)
{
	if (call->op == MOCK_MOVE)
		KUNIT_EXPECT_EQ(buf->test, dma_buf_pin(call->attach), 0);
}

struct held {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct iosys_map map;
};

static void hold_mapped(struct mock_buffer *buf, struct held *held)
{
	held->attach = mock_party_attach(buf, "static", NULL, NULL);
	held->sgt = mock_map(held->attach, DMA_TO_DEVICE);
}

static void hold_mapped_pins(struct mock_buffer *buf, struct held *held)
{
	buf->ops.map_pins = true;
	hold_mapped(buf, held);
}

static void let_go_mapped(struct mock_buffer *buf, struct held *held)
{
	mock_unmap(held->attach, held->sgt, DMA_TO_DEVICE);
}

static void hold_pinned(struct mock_buffer *buf, struct held *held)
{
	held->attach = mock_party_attach(buf, "pins", &mock_importer, NULL);
	KUNIT_EXPECT_EQ(buf->test, mock_pin(held->attach), 0);
}

static void let_go_pinned(struct mock_buffer *buf, struct held *held)
{
	mock_unpin(held->attach);
}

static void hold_vmapped(struct mock_buffer *buf, struct held *held)
{
	KUNIT_EXPECT_EQ(buf->test,
			dma_buf_vmap_unlocked(buf->dmabuf, &held->map), 0);
}

static void let_go_vmapped(struct mock_buffer *buf, struct held *held)
{
	dma_buf_vunmap_unlocked(buf->dmabuf, &held->map);
}

static void hold_late(struct mock_buffer *buf, struct held *held)
{
	held->attach = mock_party_attach(buf, "late", &mock_importer, NULL);
	buf->hook = pin_when_told;
}

static void let_go_late(struct mock_buffer *buf, struct held *held)
{
	buf->hook = NULL;
	mock_unpin(held->attach);
}

static const struct holder {
	const char *name;
	void (*hold)(struct mock_buffer *buf, struct held *held);
	void (*let_go)(struct mock_buffer *buf, struct held *held);
	const char *calls;
} holders[] = {
	{ "mapped by a static importer", hold_mapped, let_go_mapped,
	  "attach constrain!* detach" },
	{ "mapped, which pins", hold_mapped_pins, let_go_mapped,
	  "attach constrain!* detach" },
	{ "pinned", hold_pinned, let_go_pinned, "attach constrain!* detach" },
	{ "vmapped", hold_vmapped, let_go_vmapped,
	  "attach constrain!* detach" },
	{ "pinned by one who was told", hold_late, let_go_late,
	  "attach constrain!* move* pin* detach" },
};

KUNIT_ARRAY_PARAM_DESC(holder, holders, name);

/* Succeeds if what somebody relies on is -EBUSY, until he does not any more. */
static void storage_that_is_held_stays(struct kunit *test)
{
	const struct holder *p = test->param_value;
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_constraints agreed;
	struct dma_buf_attachment *attach;
	struct held held = {};
	unsigned int devices;

	p->hold(buf, &held);
	devices = mock_attachments(buf, NULL);
	agreed = party->agreed;
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	attach = mock_party_attach(buf, "newcomer", NULL, &one);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EBUSY));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->calls);
	mock_party_unchanged(test, party, &agreed, devices);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);

	p->let_go(buf, &held);
	attach = mock_party_attach(buf, "again", NULL, &one);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 1);
}

/* Succeeds if a move that fails leaves all as it was, and can be tried again. */
static void move_fails(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *first, *attach;
	struct dma_buf_constraints agreed;
	struct sg_table *sgt;

	first = mock_party_attach(buf, "first", &mock_importer, NULL);
	agreed = party->agreed;
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	buf->fail[MOCK_RELOCATE] = -ENOMEM;
	attach = mock_party_attach(buf, "second", NULL, &one);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "attach constrain!* move* relocate!* detach");
	mock_party_unchanged(test, party, &agreed, 1);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);

	sgt = mock_map(first, DMA_TO_DEVICE);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, sgt);
	if (!IS_ERR_OR_NULL(sgt))
		mock_unmap(first, sgt, DMA_TO_DEVICE);

	buf->fail[MOCK_RELOCATE] = 0;
	attach = mock_party_attach(buf, "again", NULL, &one);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 1);
}

/* Succeeds if the need loosens when the strict one leaves, without a move. */
static void detach_loosens(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *strict;

	strict = mock_party_attach(buf, "strict", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, strict);
	mock_party_attach(buf, "low", NULL, &low);
	mock_calls(buf);

	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	mock_party_detach(buf, strict);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "constrain* detach");
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, UINT_MAX);
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, low.dma_mask);
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);
	KUNIT_EXPECT_NULL(test, strstr(mock_fdinfo(buf), "segments="));
}

/*
 * Succeeds if a device counts as it was when it attached: its driver may have been
 * unbound since, and what the device had of its bus be freed.
 */
static void need_stays_what_it_was(struct kunit *test)
{
	static const struct bus_dma_region narrow[] = {
		{ .cpu_start = 0, .dma_start = 0, .size = SZ_4K }, {}
	};
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct dma_buf_attachment *strict, *stays;
	struct mock_buffer *buf = party->buf;

	strict = mock_party_attach(buf, "strict", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, strict);
	stays = mock_party_attach(buf, "stays", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stays);

	stays->dev->dma_range_map = narrow;
	mock_party_detach(buf, strict);
	stays->dev->dma_range_map = NULL;
	KUNIT_EXPECT_EQ(test, party->agreed.max_segments, UINT_MAX);
	KUNIT_EXPECT_EQ(test, party->agreed.dma_mask, U64_MAX);
}

static struct kunit_case dma_buf_negotiate_cases[] = {
	KUNIT_CASE(pinned_only_while_mapped),
	KUNIT_CASE(no_pin_leak_in_a_failed_static_map),
	KUNIT_CASE(dynamic_maps_are_not_pinned),
	KUNIT_CASE(no_question_without_a_need),
	KUNIT_CASE(no_question_about_other_memory),
	KUNIT_CASE(asked_for_the_intersection),
	KUNIT_CASE_PARAM(refuses_the_impossible, impossible_gen_params),
	KUNIT_CASE_PARAM(question_is_refused, answer_gen_params),
	KUNIT_CASE(storage_moves),
	KUNIT_CASE_PARAM(storage_that_is_held_stays, holder_gen_params),
	KUNIT_CASE(move_fails),
	KUNIT_CASE(detach_loosens),
	KUNIT_CASE(need_stays_what_it_was),
	{}
};

static struct kunit_suite dma_buf_negotiate_suite = {
	.name = "dma_buf_negotiate",
	.test_cases = dma_buf_negotiate_cases,
};

kunit_test_suite(dma_buf_negotiate_suite);
