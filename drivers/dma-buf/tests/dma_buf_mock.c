// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: mock exporter and importer
 *
 * The core's contract with drivers is about callbacks: which one runs, in what
 * order, with which arguments, under which lock, and what follows if one fails.
 * Real drivers show none of that, so the tests bring their own exporter. It
 * logs each callback, fails those it is told to fail, and counts what the core
 * must undo. Every case ends with those counts at zero, or it fails.
 *
 * The storage is real: pages that are mapped for the importer's device, into
 * the kernel and into user space.
 *
 * A callback runs inside the core, often under a lock, so it must not use a
 * KUNIT_ASSERT, which ends the thread. It notes, and the test judges.
 */

#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma_buf_mock.h"

/* Only a broken core waits this long, so the value decides no verdict. */
#define MOCK_HANG (10 * HZ)

static bool stock;
module_param(stock, bool, 0444);
MODULE_PARM_DESC(stock, "Leave out what mainline's core does not promise");

static bool splats;
module_param(splats, bool, 0444);
MODULE_PARM_DESC(splats, "Also run the cases that make the core warn");

static const char *const mock_op_names[MOCK_OPS] = {
	[MOCK_ATTACH] = "attach",     [MOCK_DETACH] = "detach",
	[MOCK_PIN] = "pin",	      [MOCK_UNPIN] = "unpin",
	[MOCK_MAP] = "map",	      [MOCK_UNMAP] = "unmap",
	[MOCK_BEGIN] = "begin",	      [MOCK_END] = "end",
	[MOCK_MMAP] = "mmap",	      [MOCK_VMAP] = "vmap",
	[MOCK_VUNMAP] = "vunmap",     [MOCK_RELEASE] = "release",
	[MOCK_MOVE] = "move",	      [MOCK_CONSTRAIN] = "constrain",
	[MOCK_RELOCATE] = "relocate",
};

static const char *mock_dir_name(enum dma_data_direction dir)
{
	switch (dir) {
	case DMA_TO_DEVICE:
		return ":to";
	case DMA_FROM_DEVICE:
		return ":from";
	case DMA_BIDIRECTIONAL:
		return ":both";
	default:
		return "";
	}
}

/* Which counter an op moves, and which way: unmap takes back what map added. */
static void mock_account(struct mock_buffer *buf, enum mock_op op)
{
	lockdep_assert_held(&buf->lock);

	switch (op) {
	case MOCK_DETACH:
		buf->live[MOCK_ATTACH]--;
		break;
	case MOCK_UNPIN:
		buf->live[MOCK_PIN]--;
		break;
	case MOCK_UNMAP:
		buf->live[MOCK_MAP]--;
		break;
	case MOCK_VUNMAP:
		buf->live[MOCK_VMAP]--;
		break;
	default:
		buf->live[op]++;
		break;
	}
}

/* What takes something back has no way to refuse. */
static bool mock_can_fail(enum mock_op op)
{
	switch (op) {
	case MOCK_DETACH:
	case MOCK_UNPIN:
	case MOCK_UNMAP:
	case MOCK_VUNMAP:
	case MOCK_RELEASE:
	case MOCK_MOVE:
		return false;
	default:
		return true;
	}
}

static int mock_enter(struct dma_buf *dmabuf, enum mock_op op,
		      struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct mock_buffer *buf = dmabuf->priv;
	struct mock_call call = {
		.op = op,
		.attach = attach,
		.sgt = sgt,
		.dir = dir,
		.err = buf->fail[op],
		.locked = dma_resv_is_locked(dmabuf->resv),
	};

	spin_lock(&buf->lock);
	if (buf->fail_at == buf->calls + 1 && mock_can_fail(op))
		call.err = buf->fail_with;
	if (buf->calls < MOCK_LOG)
		buf->log[buf->calls] = call;
	buf->calls++;
	if (!call.err)
		mock_account(buf, call.op);
	spin_unlock(&buf->lock);

	if (buf->hook)
		buf->hook(buf, &call);
	return call.err;
}

static int mock_enter_attach(struct dma_buf_attachment *attach, enum mock_op op)
{
	return mock_enter(attach->dmabuf, op, attach, NULL, DMA_NONE);
}

static int mock_enter_buffer(struct dma_buf *dmabuf, enum mock_op op)
{
	return mock_enter(dmabuf, op, NULL, NULL, DMA_NONE);
}

static int mock_op_attach(struct dma_buf *dmabuf,
			  struct dma_buf_attachment *attach)
{
	attach->priv = dmabuf->priv;
	return mock_enter_attach(attach, MOCK_ATTACH);
}

static void mock_op_detach(struct dma_buf *dmabuf,
			   struct dma_buf_attachment *attach)
{
	mock_enter_attach(attach, MOCK_DETACH);
}

static int mock_op_pin(struct dma_buf_attachment *attach)
{
	return mock_enter_attach(attach, MOCK_PIN);
}

static void mock_op_unpin(struct dma_buf_attachment *attach)
{
	mock_enter_attach(attach, MOCK_UNPIN);
}

static struct sg_table *mock_make_table(struct mock_buffer *buf,
					struct device *dev,
					enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table_from_pages(sgt, buf->pages, MOCK_PAGES, 0,
					buf->size, GFP_KERNEL);
	if (ret)
		goto err_free;

	/* several devices at once have the same pages, so the API must not own them */
	ret = dma_map_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_table;
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void mock_free_table(struct device *dev, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	dma_unmap_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

static struct sg_table *mock_op_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct mock_buffer *buf = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	sgt = mock_make_table(buf, attach->dev, dir);
	if (IS_ERR(sgt))
		return sgt;

	buf->table = sgt;
	ret = mock_enter(attach->dmabuf, MOCK_MAP, attach, sgt, dir);
	if (!ret && !buf->map_returns_null)
		return sgt;

	mock_free_table(attach->dev, sgt, dir);
	if (ret)
		return ERR_PTR(ret);

	spin_lock(&buf->lock);
	buf->live[MOCK_MAP]--;
	spin_unlock(&buf->lock);
	return NULL;
}

static void mock_op_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir)
{
	struct mock_buffer *buf = attach->dmabuf->priv;

	mock_enter(attach->dmabuf, MOCK_UNMAP, attach, sgt, dir);

	/* The core may hide the pages from importers, never from us. */
	if (sg_page(sgt->sgl) != buf->pages[0]) {
		buf->foreign_table = true;
		return;
	}
	mock_free_table(attach->dev, sgt, dir);
}

static int mock_op_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return mock_enter(dmabuf, MOCK_BEGIN, NULL, NULL, dir);
}

static int mock_op_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return mock_enter(dmabuf, MOCK_END, NULL, NULL, dir);
}

static int mock_op_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mock_buffer *buf = dmabuf->priv;
	int ret;

	buf->mmap_pgoff = vma->vm_pgoff;
	buf->mmap_file = vma->vm_file;
	ret = mock_enter_buffer(dmabuf, MOCK_MMAP);
	return ret ?: vm_map_pages(vma, buf->pages, MOCK_PAGES);
}

static int mock_op_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mock_buffer *buf = dmabuf->priv;
	int ret;

	ret = mock_enter_buffer(dmabuf, MOCK_VMAP);
	if (ret)
		return ret;

	if (buf->vmap_is_null) {
		/* nothing that could be given back */
		spin_lock(&buf->lock);
		buf->live[MOCK_VMAP]--;
		spin_unlock(&buf->lock);
		return 0;
	}
	if (buf->vmap_iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)buf->vaddr);
	else
		iosys_map_set_vaddr(map, buf->vaddr);
	return 0;
}

static void mock_op_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	mock_enter_buffer(dmabuf, MOCK_VUNMAP);
}

static void mock_buffer_free(struct kref *ref)
{
	struct mock_buffer *buf = container_of(ref, struct mock_buffer, ref);
	unsigned int i;

	vunmap(buf->vaddr);
	for (i = 0; i < MOCK_PAGES; i++)
		if (buf->pages[i])
			__free_page(buf->pages[i]);
	kfree(buf);
}

static void mock_op_release(struct dma_buf *dmabuf)
{
	struct mock_buffer *buf = dmabuf->priv;

	mock_enter_buffer(dmabuf, MOCK_RELEASE);
	complete(&buf->released);
	kref_put(&buf->ref, mock_buffer_free);
}

static void mock_set_ops(struct dma_buf_ops *ops, enum mock_kind kind)
{
	*ops = (struct dma_buf_ops){
		.map_dma_buf = mock_op_map,
		.unmap_dma_buf = mock_op_unmap,
		.release = mock_op_release,
	};
	if (kind == MOCK_MINIMAL)
		return;

	ops->attach = mock_op_attach;
	ops->detach = mock_op_detach;
	ops->begin_cpu_access = mock_op_begin;
	ops->end_cpu_access = mock_op_end;
	ops->mmap = mock_op_mmap;
	ops->vmap = mock_op_vmap;
	ops->vunmap = mock_op_vunmap;
	ops->cache_sgt_mapping = kind == MOCK_CACHED;
	if (kind == MOCK_DYNAMIC) {
		ops->pin = mock_op_pin;
		ops->unpin = mock_op_unpin;
	}
}

/**
 * mock_defer - do something at the end of the case
 * @test: the running case
 * @action: what to do
 * @ctx: its argument
 */
void mock_defer(struct kunit *test, kunit_action_t *action, void *ctx)
{
	int ret = kunit_add_action_or_reset(test, action, ctx);

	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* Ends each case: the buffer must go, and nothing may be left of it. */
static void mock_buffer_finish(void *data)
{
	struct mock_buffer *buf = data;
	struct kunit *test = buf->test;

	if (buf->dmabuf) {
		mock_buffer_drop(buf);
		KUNIT_EXPECT_TRUE(test, mock_wait_released(buf));
		KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_RELEASE), 1);
		KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_PIN), 0);
		KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);
		KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_VMAP), 0);
		if (buf->ops.attach && buf->ops.detach)
			KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_ATTACH), 0);
		KUNIT_EXPECT_FALSE(test, buf->foreign_table);
	}
	kref_put(&buf->ref, mock_buffer_free);
}

/**
 * mock_buffer_new - make an exporter's object that is not exported yet
 * @test: the running case, which frees it
 * @kind: what the exporter promises
 *
 * Return: the object, never NULL; the case ends if there is no memory.
 */
struct mock_buffer *mock_buffer_new(struct kunit *test, enum mock_kind kind)
{
	struct mock_buffer *buf;
	unsigned int i;

	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);

	kref_init(&buf->ref);
	spin_lock_init(&buf->lock);
	init_completion(&buf->released);
	buf->test = test;
	buf->size = MOCK_SIZE;
	buf->flags = O_RDWR | O_CLOEXEC;
	buf->exp_name = KBUILD_MODNAME;
	mock_set_ops(&buf->ops, kind);
	mock_defer(test, mock_buffer_finish, buf);

	for (i = 0; i < MOCK_PAGES; i++) {
		buf->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, buf->pages[i]);
	}
	buf->vaddr = vmap(buf->pages, MOCK_PAGES, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf->vaddr);
	return buf;
}

/**
 * mock_try_export - export a mock buffer, if that works
 * @buf: the object; its dmabuf member is set on success
 *
 * Return: what the core answered.
 */
struct dma_buf *mock_try_export(struct mock_buffer *buf)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.exp_name = buf->exp_name;
	info.ops = &buf->ops;
	info.size = buf->size;
	info.flags = buf->flags;
	info.resv = buf->resv;
	info.priv = buf;

	dmabuf = dma_buf_export(&info);
	if (IS_ERR_OR_NULL(dmabuf))
		return dmabuf;

	kref_get(&buf->ref);
	buf->owned = true;
	buf->dmabuf = dmabuf;
	return dmabuf;
}

/**
 * mock_export - export a mock buffer, or end the case
 * @buf: the object; its dmabuf member is set afterwards
 */
void mock_export(struct mock_buffer *buf)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(buf->test, mock_try_export(buf));
}

/**
 * mock_export_new - mock_buffer_new() and mock_export() in one
 * @test: the running case
 * @kind: what the exporter promises
 *
 * Return: an exported buffer.
 */
struct mock_buffer *mock_export_new(struct kunit *test, enum mock_kind kind)
{
	struct mock_buffer *buf = mock_buffer_new(test, kind);

	mock_export(buf);
	return buf;
}

/**
 * mock_past_mainline - end the case if it is run on mainline's core
 * @test: the running case
 *
 * The cases run on mainline's core too, loaded with stock=1, as a proof that
 * they test its contract. Some would hang or crash there.
 */
void mock_past_mainline(struct kunit *test)
{
	if (stock)
		kunit_skip(test, "goes past mainline");
}

/**
 * mock_needs_splats - leave a suite out if the kernel's log shall stay clean
 * @test: the running case; this is the suite's init
 *
 * Return: 0.
 */
int mock_needs_splats(struct kunit *test)
{
	if (!splats)
		kunit_skip(test, "makes the core warn, see splats=1");
	return 0;
}

/**
 * mock_buffer_drop - give up the reference that the export made
 * @buf: an exported buffer
 *
 * If nobody else holds one, the buffer is released when this returns: fput()
 * of a kernel thread would leave that to a worker.
 */
void mock_buffer_drop(struct mock_buffer *buf)
{
	struct file *file;

	if (!buf->owned)
		return;

	buf->owned = false;
	file = get_file(buf->dmabuf->file);
	dma_buf_put(buf->dmabuf);
	__fput_sync(file);
}

/**
 * mock_wait_released - wait until the exporter's release callback has run
 * @buf: a buffer to which the test holds no reference any more
 *
 * Return: false if that never happened.
 */
bool mock_wait_released(struct mock_buffer *buf)
{
	flush_delayed_fput();
	if (!wait_for_completion_timeout(&buf->released, MOCK_HANG))
		return false;

	complete(&buf->released);
	return true;
}

/**
 * mock_fail_at - let one callback fail, whichever it is
 * @buf: the buffer
 * @position: its place among the callbacks since the last mock_calls(), the
 *	      first is 1; 0 for none. A callback without a return value goes on
 * @err: errno for it
 */
void mock_fail_at(struct mock_buffer *buf, unsigned int position, int err)
{
	spin_lock(&buf->lock);
	buf->fail_at = position;
	buf->fail_with = err;
	spin_unlock(&buf->lock);
}

/**
 * mock_log_move - note that an importer was told about a move
 * @attach: the importer's attachment
 */
void mock_log_move(struct dma_buf_attachment *attach)
{
	mock_enter_attach(attach, MOCK_MOVE);
}

/**
 * mock_log_constrain - note what an exporter that takes part is asked
 * @dmabuf: its buffer
 * @move: whether the storage is to move
 *
 * Return: what the exporter is to answer.
 */
int mock_log_constrain(struct dma_buf *dmabuf, bool move)
{
	return mock_enter_buffer(dmabuf, move ? MOCK_RELOCATE : MOCK_CONSTRAIN);
}

/**
 * mock_calls - the callbacks since the last time, as text
 * @buf: the buffer
 *
 * Oldest first: a callback's name, ":to", ":from" or ":both" where it has a
 * direction, "!" if it was told to fail, "*" if the reservation lock was held.
 *
 * Return: the text, valid until the next call.
 */
const char *mock_calls(struct mock_buffer *buf)
{
	unsigned int i, n;
	size_t len = 0;

	spin_lock(&buf->lock);
	buf->text[0] = '\0';
	n = min(buf->calls, MOCK_LOG);
	for (i = 0; i < n; i++) {
		const struct mock_call *call = &buf->log[i];

		len += scnprintf(buf->text + len, MOCK_TEXT - len, "%s%s%s%s%s",
				 i ? " " : "", mock_op_names[call->op],
				 mock_dir_name(call->dir), call->err ? "!" : "",
				 call->locked ? "*" : "");
	}
	buf->calls = 0;
	spin_unlock(&buf->lock);
	return buf->text;
}

/**
 * mock_count - how often a callback ran since the last mock_calls()
 * @buf: the buffer
 * @op: the callback
 * @attach: count those for this attachment, NULL for any
 *
 * Return: the number of calls.
 */
unsigned int mock_count(struct mock_buffer *buf, enum mock_op op,
			struct dma_buf_attachment *attach)
{
	unsigned int i, found = 0;

	spin_lock(&buf->lock);
	for (i = 0; i < min(buf->calls, MOCK_LOG); i++)
		if (buf->log[i].op == op &&
		    (!attach || buf->log[i].attach == attach))
			found++;
	spin_unlock(&buf->lock);
	return found;
}

/**
 * mock_live - what is still to be undone
 * @buf: the buffer
 * @op: MOCK_ATTACH, MOCK_PIN, MOCK_MAP or MOCK_VMAP
 *
 * Return: calls of @op that succeeded less calls that undo it.
 */
int mock_live(struct mock_buffer *buf, enum mock_op op)
{
	int live;

	spin_lock(&buf->lock);
	live = buf->live[op];
	spin_unlock(&buf->lock);
	return live;
}
