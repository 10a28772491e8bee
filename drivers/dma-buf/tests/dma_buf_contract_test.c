// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of the contract as a whole
 *
 * Each kind of exporter meets each kind of importer, and goes through all a
 * driver does with a buffer: attach, pin, map, and back, then the brackets and
 * the kernel mapping of the CPU. Three things must hold for every pair. Which
 * callbacks run, in what order and under which lock. What happens when the
 * first, the second, ... the last of them fails: the caller gets that very
 * error, everything before is undone, and the buffer works as if nothing had
 * been. And that others, who are attached meanwhile, notice none of it.
 *
 * The errors of dma_buf_export() that no other suite provokes are here, too.
 */

#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>

#include "dma_buf_mock.h"

/* Without CONFIG_DMABUF_MOVE_NOTIFY each mapping of a dynamic pair is pinned. */
#define WITH_PIN (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))

/* No callback fails with it by itself. */
#define CONTRACT_ERROR (-EUCLEAN)

struct contract_pair {
	const char *name;
	enum mock_kind kind;
	const struct dma_buf_attach_ops *importer;
	/* what a device's visit looks like, and what the CPU's does */
	const char *device;
	const char *cpu;
};

#define BY_CPU "begin:both vmap* vunmap* end:both"
#define KEPT   "attach map:both* unmap:both* detach"
#define MOVING                                                               \
	(WITH_PIN ?                                                          \
		 "attach pin* pin* map:to* unmap:to* unpin* unpin* detach" : \
		 "attach pin* map:to* unmap:to* unpin* detach")

static const struct contract_pair contract_pairs[] = {
	{ "static to static", MOCK_STATIC, NULL,
	  "attach map:to* unmap:to* detach", BY_CPU },
	{ "static to cached", MOCK_CACHED, NULL,
	  "attach map:to* unmap:to* detach", BY_CPU },
	{ "static to dynamic", MOCK_DYNAMIC, NULL,
	  "attach pin* map:both* unmap:both* unpin* detach", BY_CPU },
	{ "static to minimal", MOCK_MINIMAL, NULL, "map:to* unmap:to*", "" },
	{ "dynamic to static", MOCK_STATIC, &mock_importer, KEPT, BY_CPU },
	{ "dynamic to cached", MOCK_CACHED, &mock_importer, KEPT, BY_CPU },
	{ "dynamic to dynamic", MOCK_DYNAMIC, &mock_importer, MOVING, BY_CPU },
	{ "dynamic to minimal", MOCK_MINIMAL, &mock_importer,
	  "map:both* unmap:both*", "" },
	{ "peer to static", MOCK_STATIC, &mock_importer_p2p, KEPT, BY_CPU },
	{ "peer to cached", MOCK_CACHED, &mock_importer_p2p, KEPT, BY_CPU },
	{ "peer to dynamic", MOCK_DYNAMIC, &mock_importer_p2p, MOVING, BY_CPU },
	{ "peer to minimal", MOCK_MINIMAL, &mock_importer_p2p,
	  "map:both* unmap:both*", "" },
};

KUNIT_ARRAY_PARAM_DESC(contract_pair, contract_pairs, name);

/* A map under the caller's lock, which the caller must still have after it. */
static int contract_map(struct mock_buffer *buf,
			struct dma_buf_attachment *attach)
{
	struct dma_resv *resv = buf->dmabuf->resv;
	struct sg_table *sgt;

	dma_resv_lock(resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(buf->test, dma_resv_is_locked(resv));
	if (!IS_ERR_OR_NULL(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(buf->test, dma_resv_is_locked(resv));
	dma_resv_unlock(resv);

	return sgt ? PTR_ERR_OR_ZERO(sgt) : -ENODATA;
}

/* What a driver does for its device, with the unwinding a driver has. */
static int contract_device(struct mock_buffer *buf, struct device *dev,
			   const struct dma_buf_attach_ops *importer)
{
	struct dma_buf_attachment *attach;
	int ret;

	if (importer)
		attach = dma_buf_dynamic_attach(buf->dmabuf, dev, importer,
						NULL);
	else
		attach = dma_buf_attach(buf->dmabuf, dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	ret = importer ? mock_pin(attach) : 0;
	if (ret)
		goto detach;

	ret = contract_map(buf, attach);
	if (importer)
		mock_unpin(attach);
detach:
	dma_buf_detach(buf->dmabuf, attach);
	return ret;
}

static int contract_vmap(struct mock_buffer *buf)
{
	struct iosys_map map;
	int ret;

	if (!buf->ops.vmap)
		return 0;

	ret = dma_buf_vmap_unlocked(buf->dmabuf, &map);
	if (!ret)
		dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	return ret;
}

static int contract_cpu(struct mock_buffer *buf)
{
	struct dma_buf *dmabuf = buf->dmabuf;
	int ret, end;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	if (ret)
		return ret;

	ret = contract_vmap(buf);
	end = dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	return ret ?: end;
}

static int contract_visit(struct mock_buffer *buf, struct device *dev,
			  const struct dma_buf_attach_ops *importer)
{
	return contract_device(buf, dev, importer) ?: contract_cpu(buf);
}

static void contract_expect_idle(struct mock_buffer *buf)
{
	struct kunit *test = buf->test;

	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_ATTACH), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_VMAP), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
}

/*
 * Succeeds if a device's visit and the CPU's run these callbacks, in this order,
 * with the reservation lock held ("*") or not.
 */
static void visit_runs_the_callbacks(struct kunit *test)
{
	const struct contract_pair *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct device *dev = mock_device(test, "importer");

	KUNIT_EXPECT_EQ(test, contract_device(buf, dev, p->importer), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->device);
	KUNIT_EXPECT_EQ(test, contract_cpu(buf), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->cpu);
	contract_expect_idle(buf);
}

/* Lets the callback at a position fail; false if none is there or none can. */
static bool contract_fail_at(struct mock_buffer *buf, unsigned int position,
			     bool *past_the_end)
{
	bool failed;

	*past_the_end = buf->calls < position;
	failed = !*past_the_end && buf->log[position - 1].err;
	mock_calls(buf);
	return failed;
}

/*
 * Succeeds if, whichever callback of a visit fails, the visitor gets its error,
 * nothing is left, and the next visit goes well.
 */
static void visit_fails_at_each_callback(struct kunit *test)
{
	const struct contract_pair *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct device *dev = mock_device(test, "importer");
	unsigned int position, failures = 0;
	bool end = false;

	for (position = 1; !end; position++) {
		int ret;

		mock_fail_at(buf, position, CONTRACT_ERROR);
		ret = contract_visit(buf, dev, p->importer);
		mock_fail_at(buf, 0, 0);
		if (contract_fail_at(buf, position, &end)) {
			failures++;
			KUNIT_EXPECT_EQ_MSG(test, ret, CONTRACT_ERROR,
					    "callback %u", position);
		} else {
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		contract_expect_idle(buf);

		KUNIT_EXPECT_EQ(test, contract_visit(buf, dev, p->importer), 0);
		mock_calls(buf);
	}
	KUNIT_EXPECT_GE(test, failures, 1);
}

/* Callbacks of a visit that were about somebody else's attachment. */
static unsigned int contract_disturbs(struct mock_buffer *buf,
				      struct dma_buf_attachment *attach)
{
	unsigned int op, found = 0;

	for (op = 0; op < MOCK_OPS; op++)
		found += mock_count(buf, op, attach);
	return found;
}

/*
 * Succeeds if those who are attached, and have a mapping, hear nothing of a
 * visitor, whichever of the visitor's callbacks fails, and keep what they have.
 */
static void visit_spares_the_others(struct kunit *test)
{
	const struct contract_pair *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *other[2];
	struct sg_table *sgt[2];
	unsigned int position, i;
	bool end = false;
	int live;

	other[0] = mock_attach(buf, mock_device(test, "a"), NULL);
	other[1] = mock_attach(buf, mock_device(test, "b"), &mock_importer);
	for (i = 0; i < 2; i++) {
		sgt[i] = mock_map(other[i], DMA_BIDIRECTIONAL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt[i]);
	}
	live = mock_live(buf, MOCK_MAP);
	mock_calls(buf);

	for (position = 1; !end; position++) {
		mock_fail_at(buf, position, CONTRACT_ERROR);
		contract_visit(buf, dev, p->importer);
		mock_fail_at(buf, 0, 0);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, contract_disturbs(buf, other[i]),
					0);
		contract_fail_at(buf, position, &end);
		KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 2);
		KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), live);
	}

	for (i = 0; i < 2; i++)
		mock_unmap(other[i], sgt[i], DMA_BIDIRECTIONAL);
}

/* Succeeds if a buffer without a name cannot have statistics: -EINVAL. */
static void export_without_a_name(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct dma_buf_export_info info = {
		.owner = THIS_MODULE,
		.ops = &buf->ops,
		.size = MOCK_SIZE,
		.priv = buf,
	};

	if (!IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		kunit_skip(test, "no CONFIG_DMABUF_SYSFS_STATS");

	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

static struct kunit_case dma_buf_contract_cases[] = {
	KUNIT_CASE_PARAM(visit_runs_the_callbacks, contract_pair_gen_params),
	KUNIT_CASE_PARAM(visit_fails_at_each_callback,
			 contract_pair_gen_params),
	KUNIT_CASE_PARAM(visit_spares_the_others, contract_pair_gen_params),
	KUNIT_CASE(export_without_a_name),
	{}
};

static struct kunit_suite dma_buf_contract_suite = {
	.name = "dma_buf_contract",
	.test_cases = dma_buf_contract_cases,
};

kunit_test_suite(dma_buf_contract_suite);
