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
 * Here its buffers come and go. The callbacks are in dma_buf_mock_exporter.c and
 * dma_buf_mock_importer.c, the log is in dma_buf_mock_log.c.
 */

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "dma_buf_mock_internal.h"

/* Only a broken core waits this long, so the value decides no verdict. */
#define MOCK_HANG (10 * HZ)

static bool stock;
module_param(stock, bool, 0444);
MODULE_PARM_DESC(stock, "Leave out what mainline's core does not promise");

static bool splats;
module_param(splats, bool, 0444);
MODULE_PARM_DESC(splats, "Also run the cases that make the core warn");

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

/**
 * mock_buffer_put - give up a reference to an exporter's object
 * @buf: the object
 */
void mock_buffer_put(struct mock_buffer *buf)
{
	kref_put(&buf->ref, mock_buffer_free);
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
	mock_buffer_put(buf);
}

static int cmp_last_page_first(const void *a, const void *b)
{
	unsigned long a_pfn = page_to_pfn(*(struct page *const *)a);
	unsigned long b_pfn = page_to_pfn(*(struct page *const *)b);

	return a_pfn < b_pfn ? 1 : -1;
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
	mock_exporter_ops(&buf->ops, kind);
	mock_defer(test, mock_buffer_finish, buf);

	for (i = 0; i < MOCK_PAGES; i++) {
		buf->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, buf->pages[i]);
	}
	/* never one piece, which pages that are taken one after the other can be */
	sort(buf->pages, MOCK_PAGES, sizeof(buf->pages[0]), cmp_last_page_first,
	     NULL);
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
