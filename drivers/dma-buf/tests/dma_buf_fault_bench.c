// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: a buffer whose exporter needs memory for everything
 *
 * The mock exporter allocates in one callback only, map. Real ones do in all of
 * them, and the core has to undo what it did before each. So here every
 * callback that can fail makes an allocation first.
 */

#include <linux/module.h>

#include "dma_buf_fault_bench.h"

static struct fault_bench *bench_of(struct dma_buf *dmabuf)
{
	struct mock_buffer *buf = dmabuf->priv;

	return buf->hook_data;
}

static int fault_op_attach(struct dma_buf *dmabuf,
			   struct dma_buf_attachment *attach)
{
	return fault_point() ?: bench_of(dmabuf)->real.attach(dmabuf, attach);
}

static int fault_op_pin(struct dma_buf_attachment *attach)
{
	return fault_point() ?: bench_of(attach->dmabuf)->real.pin(attach);
}

static int fault_op_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return fault_point() ?:
		       bench_of(dmabuf)->real.begin_cpu_access(dmabuf, dir);
}

static int fault_op_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return fault_point() ?: bench_of(dmabuf)->real.vmap(dmabuf, map);
}

static int module_references(void)
{
	return IS_MODULE(CONFIG_DMABUF_KUNIT_TEST) ?
		       module_refcount(THIS_MODULE) :
		       0;
}

static void bench_free(void *data)
{
	struct fault_bench *b = data;

	dma_resv_fini(&b->resv);
	kfree(b);
}

/**
 * fault_bench_new - what a case of faults works on
 * @test: the running case, whose priv it becomes
 * @op: says what kind of exporter and importer
 *
 * Return: a bench with a buffer that is not exported yet.
 */
struct fault_bench *fault_bench_new(struct kunit *test,
				    const struct fault_op *op)
{
	struct fault_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct mock_buffer *buf;

	KUNIT_ASSERT_NOT_NULL(test, b);
	dma_resv_init(&b->resv);
	mock_defer(test, bench_free, b);
	b->dev = mock_device(test, "newcomer");

	b->importer = op->importer;
	buf = mock_buffer_new(test, op->kind);
	b->real = buf->ops;
	if (b->real.attach)
		buf->ops.attach = fault_op_attach;
	if (b->real.pin)
		buf->ops.pin = fault_op_pin;
	if (b->real.begin_cpu_access)
		buf->ops.begin_cpu_access = fault_op_begin;
	if (b->real.vmap)
		buf->ops.vmap = fault_op_vmap;
	buf->hook_data = b;
	b->buf = buf;
	test->priv = b;
	return b;
}

/**
 * fault_bench_remember - note what there is
 * @b: the bench
 */
void fault_bench_remember(struct fault_bench *b)
{
	static const enum mock_op undone[] = { MOCK_ATTACH, MOCK_PIN, MOCK_MAP,
					       MOCK_VMAP, MOCK_RELEASE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(undone); i++)
		b->live[undone[i]] = mock_live(b->buf, undone[i]);
	b->modules = module_references();
	if (b->buf->dmabuf)
		b->attached = mock_attachments(b->buf, NULL);
}

/**
 * fault_bench_expect_same - check that nobody can tell that a call was made
 * @test: the running case, with what fault_bench_remember() noted
 */
void fault_bench_expect_same(struct kunit *test)
{
	struct fault_bench *b = test->priv;
	struct mock_buffer *buf = b->buf;

	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_ATTACH),
			b->live[MOCK_ATTACH]);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), b->live[MOCK_PIN]);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), b->live[MOCK_MAP]);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_VMAP), b->live[MOCK_VMAP]);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_RELEASE),
			b->live[MOCK_RELEASE]);
	KUNIT_EXPECT_EQ(test, module_references(), b->modules);
	if (!buf->dmabuf)
		return;

	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), b->attached);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
}

/**
 * fault_bench_add_bystander - have someone attached already, and at work
 * @test: the running case
 * @b: its bench
 */
void fault_bench_add_bystander(struct kunit *test, struct fault_bench *b)
{
	struct device *dev = mock_device(test, "bystander");

	b->kept = mock_attach(b->buf, dev, NULL);
	b->kept_sgt = mock_map(b->kept, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->kept_sgt);
}

/**
 * fault_bench_drop_bystander - let the bystander go
 * @b: the bench
 */
void fault_bench_drop_bystander(struct fault_bench *b)
{
	mock_unmap(b->kept, b->kept_sgt, DMA_TO_DEVICE);
	mock_detach(b->buf, b->kept);
}
