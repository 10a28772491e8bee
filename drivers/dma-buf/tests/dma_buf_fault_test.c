// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of the core out of memory
 *
 * Every operation that can run out of memory does so at each of its
 * allocations, those of the exporter's callbacks included. The caller gets
 * -ENOMEM, the buffer and those attached to it are as they were, and the same
 * call works when there is memory again. Giving back must not need memory: who
 * has none would never get any.
 */

#include <linux/iosys-map.h>

#include "dma_buf_fault_bench.h"
#include "dma_buf_party.h"

/* Export, with the core's reservation object or with the exporter's. */

static int export_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	return PTR_ERR_OR_ZERO(mock_try_export(b->buf));
}

static void export_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	mock_buffer_drop(b->buf);
	KUNIT_EXPECT_TRUE(test, mock_wait_released(b->buf));
	b->buf->dmabuf = NULL;
	b->live[MOCK_RELEASE]++;
	fault_bench_expect_same(test);
}

/* Attach, each kind of importer to each kind of exporter. */

static int attach_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	b->attach = dma_buf_dynamic_attach(b->buf->dmabuf, b->dev, b->importer,
					   NULL);
	return PTR_ERR_OR_ZERO(b->attach);
}

static int attach_cpu_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	b->attach = dma_buf_attach_cpu(b->buf->dmabuf, &mock_importer, NULL);
	return PTR_ERR_OR_ZERO(b->attach);
}

static void attach_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, mock_attachments(b->buf, b->attach), 1);
	dma_buf_detach(b->buf->dmabuf, b->attach);
	fault_bench_expect_same(test);
}

/* Not on the list of devices, where drivers would ask who it is. */
static void attach_cpu_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_NULL(test, b->attach->dev);
	dma_buf_detach(b->buf->dmabuf, b->attach);
	fault_bench_expect_same(test);
}

/* What comes after attach starts from one that worked. */
static void attach_prepare(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_ASSERT_EQ(test, attach_run(test), 0);
	fault_bench_remember(b);
}

static void attach_finish(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	dma_buf_detach(b->buf->dmabuf, b->attach);
}

/* Map and pin. */

static int map_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	b->sgt = dma_buf_map_attachment_unlocked(b->attach, DMA_BIDIRECTIONAL);
	return PTR_ERR_OR_ZERO(b->sgt);
}

static void map_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;
	struct scatterlist *sg;
	size_t bytes = 0;
	int i;

	for_each_sgtable_dma_sg(b->sgt, sg, i)
		bytes += sg_dma_len(sg);
	KUNIT_EXPECT_EQ(test, bytes, MOCK_SIZE);
	dma_buf_unmap_attachment_unlocked(b->attach, b->sgt, DMA_BIDIRECTIONAL);
}

static int pin_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	return mock_pin(b->attach);
}

static void pin_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, mock_live(b->buf, MOCK_PIN),
			b->live[MOCK_PIN] + 1);
	mock_unpin(b->attach);
	fault_bench_expect_same(test);
}

/* The CPU: vmap, first and later users, and the brackets. */

static int vmap_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	return dma_buf_vmap_unlocked(b->buf->dmabuf, &b->map);
}

static void vmap_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, b->map.vaddr, b->buf->vaddr);
	dma_buf_vunmap_unlocked(b->buf->dmabuf, &b->map);
	fault_bench_expect_same(test);
}

static void vmap_refused(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&b->map));
	fault_bench_expect_same(test);
}

static void vmap_prepare(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, vmap_run(test), 0);
	fault_bench_remember(test->priv);
}

static void vmap_finish(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	dma_buf_vunmap_unlocked(b->buf->dmabuf, &b->map);
}

static int begin_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	return dma_buf_begin_cpu_access(b->buf->dmabuf, DMA_BIDIRECTIONAL);
}

static void begin_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;
	int ret;

	ret = dma_buf_end_cpu_access(b->buf->dmabuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/* Giving all back, which needs no memory. */

static void all_prepare(struct kunit *test)
{
	fault_bench_remember(test->priv);
	KUNIT_ASSERT_EQ(test, attach_run(test), 0);
	KUNIT_ASSERT_EQ(test, map_run(test), 0);
	KUNIT_ASSERT_EQ(test, vmap_run(test), 0);
	KUNIT_ASSERT_EQ(test, begin_run(test), 0);
}

static int all_back_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;
	struct dma_buf *dmabuf = b->buf->dmabuf;
	int ret;

	ret = dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	dma_buf_vunmap_unlocked(dmabuf, &b->map);
	dma_buf_unmap_attachment_unlocked(b->attach, b->sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, b->attach);
	return ret;
}

/* The last reference: the exporter's release, sysfs, the file. */

static void put_prepare(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, export_run(test), 0);
}

static int put_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	mock_buffer_drop(b->buf);
	return 0;
}

static void put_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_TRUE(test, mock_wait_released(b->buf));
	b->buf->dmabuf = NULL;
}

/* Nor does telling importers of a move. */

static int move_run(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	mock_move(b->buf);
	return 0;
}

static void move_good(struct kunit *test)
{
	struct fault_bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, mock_count(b->buf, MOCK_MOVE, b->attach), 1);
	mock_calls(b->buf);
}

#define EXPORT_OP(_name, _own_resv)                                    \
	{                                                              \
		.name = _name, .run = export_run, .good = export_good, \
		.refused = fault_bench_expect_same, .least = 4,        \
		.own_resv = _own_resv                                  \
	}

static const struct fault_op export_ops[] = {
	EXPORT_OP("export", false),
	EXPORT_OP("export with the exporter's resv", true),
	{ .name = "last put",
	  .prepare = put_prepare,
	  .run = put_run,
	  .good = put_good },
};

KUNIT_ARRAY_PARAM_DESC(export_op, export_ops, name);

/* Succeeds if an export either makes a buffer or leaves the exporter alone. */
static void fault_export(struct kunit *test)
{
	const struct fault_op *op = test->param_value;
	struct fault_bench *b = fault_bench_new(test, op);

	if (op->own_resv)
		b->buf->resv = &b->resv;
	fault_bench_remember(b);
	fault_sweep(test, op);
}

#define ATTACH_OP(_name, _kind, _importer, _least)                     \
	{                                                              \
		.name = _name, .run = attach_run, .good = attach_good, \
		.refused = fault_bench_expect_same, .kind = _kind,     \
		.importer = _importer, .least = _least                 \
	}

/* One allocation of the core's, one of the exporter's, those of a mapping. */
static const struct fault_op attach_ops[] = {
	ATTACH_OP("attach static to static", MOCK_STATIC, NULL, 2),
	ATTACH_OP("attach static to cached", MOCK_CACHED, NULL, 2),
	ATTACH_OP("attach static to minimal", MOCK_MINIMAL, NULL, 1),
	ATTACH_OP("attach static to dynamic", MOCK_DYNAMIC, NULL, 5),
	ATTACH_OP("attach dynamic to static", MOCK_STATIC, &mock_importer, 4),
	ATTACH_OP("attach dynamic to cached", MOCK_CACHED, &mock_importer, 4),
	ATTACH_OP("attach dynamic to minimal", MOCK_MINIMAL, &mock_importer, 3),
	ATTACH_OP("attach dynamic to dynamic", MOCK_DYNAMIC, &mock_importer, 2),
	{ .name = "attach without a device",
	  .run = attach_cpu_run,
	  .good = attach_cpu_good,
	  .refused = fault_bench_expect_same,
	  .kind = MOCK_DYNAMIC,
	  .least = 1 },
};

KUNIT_ARRAY_PARAM_DESC(attach_op, attach_ops, name);

/* Succeeds if a device is attached with all it needs, or not at all. */
static void fault_attach(struct kunit *test)
{
	struct fault_bench *b = fault_bench_new(test, test->param_value);

	mock_export(b->buf);
	fault_bench_remember(b);
	fault_sweep(test, test->param_value);
}

static const struct fault_op beside_ops[] = {
	ATTACH_OP("attach beside, static", MOCK_STATIC, NULL, 2),
	ATTACH_OP("attach beside, pinned", MOCK_DYNAMIC, NULL, 5),
};

KUNIT_ARRAY_PARAM_DESC(beside_op, beside_ops, name);

/* Succeeds if a newcomer who fails does not touch those who are there. */
static void fault_attach_beside(struct kunit *test)
{
	struct fault_bench *b = fault_bench_new(test, test->param_value);

	mock_export(b->buf);
	fault_bench_add_bystander(test, b);
	fault_bench_remember(b);
	fault_sweep(test, test->param_value);
	KUNIT_EXPECT_EQ(test, mock_attachments(b->buf, b->kept), 1);
	fault_bench_drop_bystander(b);
}

#define ATTACHED_OP(_name, _run, _good, _kind, _importer, _least)              \
	{                                                                      \
		.name = _name, .prepare = attach_prepare, .run = _run,         \
		.good = _good, .refused = fault_bench_expect_same,             \
		.finish = attach_finish, .kind = _kind, .importer = _importer, \
		.least = _least                                                \
	}

static const struct fault_op use_ops[] = {
	ATTACHED_OP("map static of static", map_run, map_good, MOCK_STATIC,
		    NULL, 2),
	ATTACHED_OP("map static of cached", map_run, map_good, MOCK_CACHED,
		    NULL, 2),
	ATTACHED_OP("map static of dynamic", map_run, map_good, MOCK_DYNAMIC,
		    NULL, 0),
	ATTACHED_OP("map dynamic of static", map_run, map_good, MOCK_STATIC,
		    &mock_importer, 0),
	ATTACHED_OP("map dynamic of dynamic", map_run, map_good, MOCK_DYNAMIC,
		    &mock_importer, 2),
	ATTACHED_OP("pin", pin_run, pin_good, MOCK_DYNAMIC, &mock_importer, 1),
	ATTACHED_OP("move", move_run, move_good, MOCK_DYNAMIC, &mock_importer,
		    0),
	{ .name = "first vmap",
	  .run = vmap_run,
	  .good = vmap_good,
	  .refused = vmap_refused,
	  .least = 1 },
	{ .name = "second vmap",
	  .prepare = vmap_prepare,
	  .run = vmap_run,
	  .good = vmap_good,
	  .finish = vmap_finish },
	{ .name = "begin CPU access",
	  .run = begin_run,
	  .good = begin_good,
	  .refused = fault_bench_expect_same,
	  .least = 1 },
	{ .name = "give all back",
	  .prepare = all_prepare,
	  .run = all_back_run,
	  .good = fault_bench_expect_same },
	{ .name = "give all back, pinned",
	  .prepare = all_prepare,
	  .run = all_back_run,
	  .good = fault_bench_expect_same,
	  .kind = MOCK_DYNAMIC },
};

KUNIT_ARRAY_PARAM_DESC(use_op, use_ops, name);

/* Succeeds if a use is refused or works, and giving back needs no memory. */
static void fault_use(struct kunit *test)
{
	struct fault_bench *b = fault_bench_new(test, test->param_value);

	mock_export(b->buf);
	fault_bench_remember(b);
	fault_sweep(test, test->param_value);
}

static int fault_init(struct kunit *test)
{
	fault_require(test);
	return 0;
}

static struct kunit_case dma_buf_fault_cases[] = {
	KUNIT_CASE_PARAM(fault_export, export_op_gen_params),
	KUNIT_CASE_PARAM(fault_attach, attach_op_gen_params),
	KUNIT_CASE_PARAM(fault_attach_beside, beside_op_gen_params),
	KUNIT_CASE_PARAM(fault_use, use_op_gen_params),
	{}
};

static struct kunit_suite dma_buf_fault_suite = {
	.name = "dma_buf_fault",
	.init = fault_init,
	.test_cases = dma_buf_fault_cases,
};

kunit_test_suite(dma_buf_fault_suite);
