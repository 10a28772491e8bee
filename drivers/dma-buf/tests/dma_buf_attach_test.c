// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of attachments
 *
 * Attaching is where the two kinds of importer meet the two kinds of exporter.
 * Each of the four pairs has its own sequence of callbacks, and each place in a
 * sequence can fail. After a failure the buffer must look as if nobody had come.
 */

#include <linux/dma-mapping.h>

#include "dma_buf_mock.h"

struct attach_pair {
	const char *name;
	enum mock_kind kind;
	const struct dma_buf_attach_ops *importer;
	const char *in;
	const char *out;
};

/* Where only one side is dynamic the core maps for the other one at once. */
static const struct attach_pair attach_pairs[] = {
	{ "static to static", MOCK_STATIC, NULL, "attach", "detach" },
	{ "static to cached", MOCK_CACHED, NULL, "attach", "detach" },
	{ "static to dynamic", MOCK_DYNAMIC, NULL, "attach pin* map:both*",
	  "unmap:both* unpin* detach" },
	{ "dynamic to static", MOCK_STATIC, &mock_importer, "attach map:both*",
	  "unmap:both* detach" },
	{ "dynamic to cached", MOCK_CACHED, &mock_importer, "attach map:both*",
	  "unmap:both* detach" },
	{ "dynamic to dynamic", MOCK_DYNAMIC, &mock_importer, "attach",
	  "detach" },
	{ "static to minimal", MOCK_MINIMAL, NULL, "", "" },
	{ "dynamic to minimal", MOCK_MINIMAL, &mock_importer, "map:both*",
	  "unmap:both*" },
};

KUNIT_ARRAY_PARAM_DESC(attach_pair, attach_pairs, name);

/* Succeeds if each pair runs its callbacks, in order, with the right locks. */
static void attach_runs_the_callbacks(struct kunit *test)
{
	const struct attach_pair *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, p->importer);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->in);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 1);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));

	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->out);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
}

/* Succeeds if the attachment carries both sides' words from the start. */
static void attach_fills_the_attachment(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;
	int cookie;

	attach = mock_attach(buf, dev, NULL);
	KUNIT_EXPECT_PTR_EQ(test, attach->dmabuf, buf->dmabuf);
	KUNIT_EXPECT_PTR_EQ(test, attach->dev, dev);
	KUNIT_EXPECT_PTR_EQ(test, attach->priv, buf);
	KUNIT_EXPECT_NULL(test, attach->importer_ops);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	KUNIT_EXPECT_FALSE(test, dma_buf_attachment_is_dynamic(attach));

	attach = mock_try_attach(buf, dev, &mock_importer, &cookie);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, attach->importer_ops, &mock_importer);
	KUNIT_EXPECT_PTR_EQ(test, attach->importer_priv, &cookie);
	KUNIT_EXPECT_TRUE(test, dma_buf_attachment_is_dynamic(attach));
}

/* Succeeds if nothing of an attachment that has ended is left in the next one. */
static void attachment_begins_anew(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int cookie;

	attach = mock_try_attach(buf, dev, &mock_importer_p2p, &cookie);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_detach(buf, attach);

	buf->ops.attach = NULL;
	attach = mock_attach(buf, dev, NULL);
	KUNIT_EXPECT_NULL(test, attach->importer_ops);
	KUNIT_EXPECT_NULL(test, attach->importer_priv);
	KUNIT_EXPECT_NULL(test, attach->priv);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, attach), 1);
}

/* What the callbacks saw of an attachment while it came or went. */
struct attach_view {
	unsigned int listed[MOCK_OPS];
	void *importer_priv;
	bool peer2peer;
	bool complete;
};

static void attach_look(struct mock_buffer *buf, const struct mock_call *call)
{
	struct attach_view *view = buf->hook_data;

	if (!call->attach)
		return;

	view->listed[call->op] = mock_attachments(buf, call->attach);
	if (call->op == MOCK_ATTACH) {
		view->complete = call->attach->dev &&
				 call->attach->dmabuf == buf->dmabuf;
		view->importer_priv = call->attach->importer_priv;
		view->peer2peer = call->attach->peer2peer;
	}
}

/* Succeeds if nobody can find an attachment before or after its exporter. */
static void no_attachment_found_half_built(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct attach_view view = {};
	struct dma_buf_attachment *attach;

	memset(view.listed, 0xff, sizeof(view.listed));
	buf->hook = attach_look;
	buf->hook_data = &view;

	attach = mock_try_attach(buf, dev, &mock_importer_p2p, &view);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_detach(buf, attach);

	KUNIT_EXPECT_TRUE(test, view.complete);
	KUNIT_EXPECT_PTR_EQ(test, view.importer_priv, (void *)&view);
	KUNIT_EXPECT_TRUE(test, view.peer2peer);
	KUNIT_EXPECT_EQ(test, view.listed[MOCK_ATTACH], 0);
	KUNIT_EXPECT_EQ(test, view.listed[MOCK_DETACH], 0);
}

/* Succeeds if attachments come and go in any order, each with its own calls. */
static void attach_many(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev[] = { mock_device(test, "a"), mock_device(test, "b"),
				 mock_device(test, "c") };
	static const unsigned int leave[] = { 1, 2, 0 };
	struct dma_buf_attachment *attach[ARRAY_SIZE(dev)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dev); i++) {
		attach[i] = mock_attach(buf, dev[i], NULL);
		KUNIT_EXPECT_EQ(test, mock_attachments(buf, attach[i]), 1);
		KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_ATTACH, attach[i]),
				1);
	}
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach attach attach");

	for (i = 0; i < ARRAY_SIZE(leave); i++) {
		struct dma_buf_attachment *gone = attach[leave[i]];

		mock_detach(buf, gone);
		KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_DETACH, gone), 1);
		KUNIT_EXPECT_EQ(test, mock_attachments(buf, gone), 0);
		KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 2 - i);
		KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");
	}
}

/* Succeeds if one device can attach twice and gets two attachments. */
static void attach_twice(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *one = mock_attach(buf, dev, NULL);
	struct dma_buf_attachment *two = mock_attach(buf, dev, NULL);

	KUNIT_EXPECT_PTR_NE(test, one, two);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 2);
	mock_detach(buf, one);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, two), 1);
}

struct attach_fault {
	const char *name;
	enum mock_kind kind;
	const struct dma_buf_attach_ops *importer;
	enum mock_op op;
	/* 0: the map callback answers NULL */
	int err;
	int result;
	const char *calls;
};

static const struct attach_fault attach_faults[] = {
	{ "exporter is busy", MOCK_STATIC, NULL, MOCK_ATTACH, -EBUSY, -EBUSY,
	  "attach!" },
	{ "exporter cannot", MOCK_DYNAMIC, &mock_importer, MOCK_ATTACH, -ENODEV,
	  -ENODEV, "attach!" },
	{ "exporter cannot, early mapping", MOCK_DYNAMIC, NULL, MOCK_ATTACH,
	  -EOPNOTSUPP, -EOPNOTSUPP, "attach!" },
	{ "pin for a static importer", MOCK_DYNAMIC, NULL, MOCK_PIN, -ENOSPC,
	  -ENOSPC, "attach pin!* detach" },
	{ "map for a static importer", MOCK_DYNAMIC, NULL, MOCK_MAP, -EIO, -EIO,
	  "attach pin* map:both!* unpin* detach" },
	{ "no table for a static importer", MOCK_DYNAMIC, NULL, MOCK_MAP, 0,
	  -ENOMEM, "attach pin* map:both* unpin* detach" },
	{ "map for a dynamic importer", MOCK_STATIC, &mock_importer, MOCK_MAP,
	  -EIO, -EIO, "attach map:both!* detach" },
	{ "no table for a dynamic importer", MOCK_STATIC, &mock_importer,
	  MOCK_MAP, 0, -ENOMEM, "attach map:both* detach" },
	{ "map, no attach callback", MOCK_MINIMAL, &mock_importer, MOCK_MAP,
	  -EINTR, -EINTR, "map:both!*" },
};

KUNIT_ARRAY_PARAM_DESC(attach_fault, attach_faults, name);

/* Succeeds if a failing callback is passed on and all before it is undone. */
static void no_pin_leak_in_a_failed_attach(struct kunit *test)
{
	const struct attach_fault *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	buf->fail[p->op] = p->err;
	buf->map_returns_null = !p->err;
	attach = mock_try_attach(buf, dev, p->importer, NULL);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(p->result));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->calls);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_ATTACH), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));

	buf->fail[p->op] = 0;
	buf->map_returns_null = false;
	mock_attach(buf, dev, p->importer);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 1);
}

/* Succeeds if a failed newcomer changes nothing for those who are attached. */
static void attach_failure_spares_the_others(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *first = mock_attach(buf, dev, NULL);
	struct dma_buf_attachment *attach;

	buf->fail[MOCK_MAP] = -EIO;
	attach = mock_try_attach(buf, dev, NULL, NULL);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EIO));
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, first), 1);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 1);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 1);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_UNPIN, first), 0);
}

/* Succeeds if a signal ends the wait of an early mapping, which is undone. */
static void no_pin_leak_in_an_interrupted_attach(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	mock_new_fence(buf, DMA_RESV_USAGE_KERNEL);
	mock_signal_raise(test);
	attach = mock_try_attach(buf, dev, NULL, NULL);
	mock_signal_clear();

	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-ERESTARTSYS));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "attach pin* map:both* unmap:both* unpin* detach");
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
}

static struct kunit_case dma_buf_attach_cases[] = {
	KUNIT_CASE_PARAM(attach_runs_the_callbacks, attach_pair_gen_params),
	KUNIT_CASE(attach_fills_the_attachment),
	KUNIT_CASE(attachment_begins_anew),
	KUNIT_CASE(no_attachment_found_half_built),
	KUNIT_CASE(attach_many),
	KUNIT_CASE(attach_twice),
	KUNIT_CASE_PARAM(no_pin_leak_in_a_failed_attach,
			 attach_fault_gen_params),
	KUNIT_CASE(attach_failure_spares_the_others),
	KUNIT_CASE(no_pin_leak_in_an_interrupted_attach),
	{}
};

static struct kunit_suite dma_buf_attach_suite = {
	.name = "dma_buf_attach",
	.test_cases = dma_buf_attach_cases,
};

kunit_test_suite(dma_buf_attach_suite);
