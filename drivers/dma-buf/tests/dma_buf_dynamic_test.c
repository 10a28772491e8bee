// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of dynamic importers
 *
 * A dynamic importer lets the exporter move the storage and is told when it
 * does. The tests follow the pins, which forbid a move, and the notifications,
 * which announce one.
 */

#include <linux/dma-mapping.h>

#include "dma_buf_mock.h"

/* Without CONFIG_DMABUF_MOVE_NOTIFY each mapping of a dynamic pair is pinned. */
#define WITH_PIN (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))

static struct dma_buf_attachment *dynamic_attach(struct mock_buffer *buf)
{
	struct device *dev = mock_device(buf->test, "importer");

	return mock_attach(buf, dev, &mock_importer);
}

/* Succeeds if pins reach the exporter one by one, under the lock. */
static void pin_reaches_the_exporter(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;

	attach = dynamic_attach(buf);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, mock_pin(attach), 0);
	KUNIT_EXPECT_EQ(test, mock_pin(attach), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 2);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_PIN, attach), 2);
	mock_unpin(attach);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 1);
	mock_unpin(attach);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_UNPIN, attach), 2);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "pin* pin* unpin* unpin*");
}

/* Succeeds if a refused pin is passed on and leaves none. */
static void pin_fails(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;

	attach = dynamic_attach(buf);
	mock_calls(buf);

	buf->fail[MOCK_PIN] = -ENOSPC;
	KUNIT_EXPECT_EQ(test, mock_pin(attach), -ENOSPC);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "pin!*");
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
}

/* Succeeds if pinning what never moves is allowed and does nothing. */
static void pin_of_a_static_exporter(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;

	attach = dynamic_attach(buf);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, mock_pin(attach), 0);
	mock_unpin(attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if each mapping of a dynamic pair is made anew, under the lock. */
static void dynamic_maps(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;
	struct sg_table *one, *two;

	attach = dynamic_attach(buf);
	mock_calls(buf);

	one = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	two = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), WITH_PIN ? 2 : 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   WITH_PIN ? "pin* map:to* pin* map:to*" :
				      "map:to* map:to*");

	mock_unmap(attach, one, DMA_TO_DEVICE);
	mock_unmap(attach, two, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   WITH_PIN ? "unmap:to* unpin* unmap:to* unpin*" :
				      "unmap:to* unmap:to*");
}

struct dynamic_fault {
	const char *name;
	enum mock_op op;
	/* 0: the map callback answers NULL */
	int err;
	int result;
	const char *pinned;
	const char *unpinned;
};

static const struct dynamic_fault dynamic_faults[] = {
	{ "map", MOCK_MAP, -EIO, -EIO, "pin* map:to!* unpin*", "map:to!*" },
	{ "no table", MOCK_MAP, 0, -ENOMEM, "pin* map:to* unpin*", "map:to*" },
	{ "pin", MOCK_PIN, -ENOSPC, -ENOSPC, "pin!*", NULL },
};

KUNIT_ARRAY_PARAM_DESC(dynamic_fault, dynamic_faults, name);

/* Succeeds if a failed mapping of a dynamic pair keeps no pin. */
static void no_pin_leak_in_a_failed_map(struct kunit *test)
{
	const struct dynamic_fault *p = test->param_value;
	const char *calls = WITH_PIN ? p->pinned : p->unpinned;
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;

	if (!calls)
		kunit_skip(test, "this configuration does not pin here");

	attach = dynamic_attach(buf);
	mock_calls(buf);

	buf->fail[p->op] = p->err;
	buf->map_returns_null = !p->err;
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(p->result));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), calls);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);
}

/* Succeeds if a move is told to each dynamic importer, and to no other. */
static void move_reaches_dynamic_importers(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *a, *b, *c;

	a = mock_attach(buf, mock_device(test, "a"), &mock_importer);
	b = mock_attach(buf, mock_device(test, "b"), NULL);
	c = mock_attach(buf, mock_device(test, "c"), &mock_importer_p2p);
	mock_calls(buf);

	mock_move(buf);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, a), 1);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, b), 0);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, c), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "move* move*");
}

/* Succeeds if who has left, or failed to come, hears of no move. */
static void move_spares_the_absent(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, &mock_importer);
	mock_detach(buf, attach);
	buf->fail[MOCK_ATTACH] = -EBUSY;
	attach = mock_try_attach(buf, dev, &mock_importer, NULL);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EBUSY));
	mock_calls(buf);

	mock_move(buf);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

static void dynamic_move_in_callback(struct mock_buffer *buf,
				     const struct mock_call *call)
{
	if (call->op == MOCK_ATTACH || call->op == MOCK_DETACH)
		mock_move(buf);
}

/* Succeeds if a move during attach or detach spares the half-built importer. */
static void no_move_notify_to_a_half_built_importer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	buf->hook = dynamic_move_in_callback;
	attach = mock_attach(buf, dev, &mock_importer);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach");
	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");
}

static void dynamic_move_in_map(struct mock_buffer *buf,
				const struct mock_call *call)
{
	if (call->op == MOCK_MAP || call->op == MOCK_UNMAP)
		dma_buf_move_notify(buf->dmabuf);
}

/*
 * Succeeds if a move made by the early mapping spares the newcomer, who has no
 * attachment yet. Past mainline, which calls it back.
 */
static void no_move_notify_in_the_early_mapping(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *old, *new;

	mock_past_mainline(test);
	old = mock_attach(buf, dev, &mock_importer);
	mock_calls(buf);

	buf->hook = dynamic_move_in_map;
	new = mock_attach(buf, dev, &mock_importer);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, old), 1);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, new), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach map:both* move*");
	mock_move(buf);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, new), 1);
	buf->hook = NULL;
}

/* Succeeds if an importer that was told of a move may still use its mapping. */
static void move_leaves_the_mapping(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = dynamic_attach(buf);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_calls(buf);

	mock_move(buf);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "move*");
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 1);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
}

static void dynamic_refuse_p2p(struct mock_buffer *buf,
			       const struct mock_call *call)
{
	if (call->op == MOCK_ATTACH)
		call->attach->peer2peer = false;
}

/* Succeeds if peer-to-peer needs the importer's offer and the exporter's yes. */
static void p2p_is_negotiated(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, &mock_importer);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	attach = mock_attach(buf, dev, &mock_importer_p2p);
	KUNIT_EXPECT_TRUE(test, attach->peer2peer);

	buf->hook = dynamic_refuse_p2p;
	attach = mock_attach(buf, dev, &mock_importer_p2p);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
}

/* Succeeds if a buffer is dynamic exactly when its exporter can pin. */
static void dynamic_is_told(struct kunit *test)
{
	struct mock_buffer *dynamic = mock_export_new(test, MOCK_DYNAMIC);
	struct mock_buffer *cached = mock_export_new(test, MOCK_CACHED);

	KUNIT_EXPECT_TRUE(test, dma_buf_is_dynamic(dynamic->dmabuf));
	KUNIT_EXPECT_FALSE(test, dma_buf_is_dynamic(cached->dmabuf));
}

static struct kunit_case dma_buf_dynamic_cases[] = {
	KUNIT_CASE(pin_reaches_the_exporter),
	KUNIT_CASE(pin_fails),
	KUNIT_CASE(pin_of_a_static_exporter),
	KUNIT_CASE(dynamic_maps),
	KUNIT_CASE_PARAM(no_pin_leak_in_a_failed_map, dynamic_fault_gen_params),
	KUNIT_CASE(move_reaches_dynamic_importers),
	KUNIT_CASE(move_spares_the_absent),
	KUNIT_CASE(no_move_notify_to_a_half_built_importer),
	KUNIT_CASE(no_move_notify_in_the_early_mapping),
	KUNIT_CASE(move_leaves_the_mapping),
	KUNIT_CASE(p2p_is_negotiated),
	KUNIT_CASE(dynamic_is_told),
	{}
};

static struct kunit_suite dma_buf_dynamic_suite = {
	.name = "dma_buf_dynamic",
	.test_cases = dma_buf_dynamic_cases,
};

kunit_test_suite(dma_buf_dynamic_suite);
