// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of revocation
 *
 * After a revocation each way to the storage is closed with one errno, the
 * exporter is not bothered any more, what was out before can be given back, and
 * the exporter learns when the last of it was.
 */

#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "dma_buf_party.h"

/* Succeeds if all that leads to the storage fails, and asks nobody. */
static void revoked_buffer_is_closed(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach = mock_attach(buf, dev, NULL);
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	struct dma_buf *dmabuf = buf->dmabuf;
	struct iosys_map map;
	unsigned long addr;

	KUNIT_EXPECT_FALSE(test, dma_buf_is_revoked(dmabuf));
	KUNIT_EXPECT_EQ(test, dma_buf_revoke(dmabuf), 0);
	KUNIT_EXPECT_TRUE(test, dma_buf_is_revoked(dmabuf));
	mock_calls(buf);

	KUNIT_EXPECT_PTR_EQ(test, mock_try_attach(buf, dev, NULL, NULL),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_PTR_EQ(test,
			    mock_try_attach(buf, dev, &mock_importer, NULL),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach_cpu(dmabuf, NULL, NULL),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(dmabuf, &map), -ENODEV);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE),
			-ENODEV);
	addr = kunit_vm_mmap(test, dmabuf->file, 0, PAGE_SIZE, PROT_READ,
			     MAP_SHARED, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -ENODEV);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(dmabuf, &vma, 0), -ENODEV);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	/* Who was here before may leave in good order. */
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "end:to detach");
}

/* Succeeds if a pin of a dynamic importer is refused, and one can be undone. */
static void revoked_buffer_is_not_pinned(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, &mock_importer);
	KUNIT_ASSERT_EQ(test, mock_pin(attach), 0);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "move*");
	KUNIT_EXPECT_EQ(test, mock_pin(attach), -ENODEV);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);
	mock_unpin(attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "unpin*");
	KUNIT_EXPECT_GT(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);
}

/* Succeeds if mappings that are out are counted until they come back. */
static void revoke_counts_what_is_out(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *one = mock_attach(buf, dev, NULL);
	struct dma_buf_attachment *two = mock_attach(buf, dev, NULL);
	struct sg_table *first, *second;
	struct iosys_map map;

	first = mock_map(one, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	second = mock_map(two, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map), 0);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 3);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	KUNIT_EXPECT_EQ(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);

	mock_unmap(one, first, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 2);
	dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 1);
	mock_unmap(two, second, DMA_FROM_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf),
			   "unmap:to* vunmap* unmap:from*");

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 0);
	KUNIT_EXPECT_GT(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);
}

struct revoke_kept {
	const char *name;
	enum mock_kind kind;
	const struct dma_buf_attach_ops *importer;
	/* what revocation, and the return of the last mapping, call */
	const char *idle;
	const char *busy;
	const char *back;
};

static const struct revoke_kept revoke_kepts[] = {
	{ "cached", MOCK_CACHED, NULL, "unmap:both*", "", "unmap:both*" },
	{ "static importer, dynamic exporter", MOCK_DYNAMIC, NULL,
	  "unmap:both* unpin*", "", "unmap:both* unpin*" },
	{ "dynamic importer, static exporter", MOCK_STATIC, &mock_importer,
	  "move* unmap:both*", "move*", "unmap:both*" },
};

KUNIT_ARRAY_PARAM_DESC(revoke_kept, revoke_kepts, name);

/* Succeeds if a mapping that only the core keeps goes at once. */
static void revoke_drops_an_idle_mapping(struct kunit *test)
{
	const struct revoke_kept *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), p->importer);
	sgt = mock_map(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(attach, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 1);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->idle);
	mock_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");
}

/* Succeeds if one that is in use goes with its last user. */
static void revoke_leaves_a_busy_mapping(struct kunit *test)
{
	const struct revoke_kept *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), p->importer);
	sgt = mock_map(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_BIDIRECTIONAL), sgt);
	mock_calls(buf);

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 2);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->busy);
	mock_unmap(attach, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	mock_unmap(attach, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->back);
}

static void revoke_in_attach(struct mock_buffer *buf,
			     const struct mock_call *call)
{
	if (call->op == MOCK_ATTACH)
		dma_buf_revoke(buf->dmabuf);
}

/* Succeeds if a device that was about to join is turned away, and cleaned up. */
static void revoke_during_attach(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "late");

	buf->hook = revoke_in_attach;
	KUNIT_EXPECT_PTR_EQ(test, mock_try_attach(buf, dev, NULL, NULL),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach detach");
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
}

static void revoke_let_go(struct dma_buf_attachment *attach)
{
	struct sg_table **sgt = attach->importer_priv;

	mock_log_move(attach);
	if (*sgt)
		dma_buf_unmap_attachment(attach, *sgt, DMA_TO_DEVICE);
	*sgt = NULL;
}

static const struct dma_buf_attach_ops revoke_importer = {
	.invalidate_mappings = revoke_let_go,
};

/* Succeeds if an importer that lets go when it is told leaves nothing out. */
static void revoke_tells_dynamic_importers(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;
	struct sg_table *sgt = NULL;

	attach = mock_try_attach(buf, dev, &revoke_importer, &sgt);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 0);
	KUNIT_EXPECT_NULL(test, sgt);
	KUNIT_EXPECT_GT(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, attach), 1);

	/* Once is enough. */
	dma_buf_revoke(buf->dmabuf);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, attach), 1);
}

/* Succeeds if user mappings lose their pages, and only theirs. */
static void revoke_zaps_user_mappings(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_buffer *other = mock_export_new(test, MOCK_STATIC);
	unsigned long addr, spared;
	u32 value;

	addr = kunit_vm_mmap(test, buf->dmabuf->file, 0, MOCK_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	spared = kunit_vm_mmap(test, other->dmabuf->file, 0, MOCK_SIZE,
			       PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(spared));
	KUNIT_EXPECT_EQ(test, put_user(7, (u32 __user *)addr), 0);

	dma_buf_revoke(buf->dmabuf);
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)addr), -EFAULT);
	KUNIT_EXPECT_EQ(test, put_user(8, (u32 __user *)(addr + PAGE_SIZE)),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, *(u32 *)buf->vaddr, 7);
	KUNIT_EXPECT_EQ(test, get_user(value, (u32 __user *)spared), 0);
	KUNIT_EXPECT_EQ(test, value, 0);

	vm_munmap(addr, MOCK_SIZE);
	vm_munmap(spared, MOCK_SIZE);
}

/* Succeeds if fences and names go on as before: they are not storage. */
static void revoke_leaves_the_object(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_waiter *waiter = mock_waiter(test, POLLIN | POLLOUT);
	struct dma_fence *fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);

	dma_buf_revoke(buf->dmabuf);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mock_poll(buf, waiter), POLLIN | POLLOUT);
	KUNIT_EXPECT_EQ(test, vfs_llseek(buf->dmabuf->file, 0, SEEK_END),
			MOCK_SIZE);
}

/* Succeeds if bufinfo says of a buffer that its storage is gone. */
static void revoked_is_in_bufinfo(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	const char *row, *end, *mark;

	dma_buf_revoke(buf->dmabuf);
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	mark = strstr(row, "\n\tRevoked\n");
	end = strstr(row, "\tAttached Devices:");
	KUNIT_ASSERT_NOT_NULL(test, mark);
	KUNIT_ASSERT_NOT_NULL(test, end);
	KUNIT_EXPECT_TRUE(test, mark < end);
}

/* Succeeds if the wait is for fences of all kinds, and a signal ends it. */
static void revoke_waits_for_fences(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_new_fence(buf, DMA_RESV_USAGE_BOOKKEEP);
	long ret;

	dma_buf_revoke(buf->dmabuf);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke_wait(buf->dmabuf, 1), 0);
	mock_signal_raise(test);
	ret = dma_buf_revoke_wait(buf->dmabuf, MAX_SCHEDULE_TIMEOUT);
	mock_signal_clear();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);

	dma_fence_signal(fence);
	ret = dma_buf_revoke_wait(buf->dmabuf, MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, ret, MAX_SCHEDULE_TIMEOUT);
}

struct revoke_return {
	struct work_struct work;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

static void revoke_return_work(struct work_struct *work)
{
	struct revoke_return *back;

	back = container_of(work, struct revoke_return, work);
	mock_unmap(back->attach, back->sgt, DMA_TO_DEVICE);
}

/* Succeeds if a sleeping exporter is woken by the last mapping. */
static void revoke_wakes_the_exporter(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct revoke_return back;
	long ret;

	back.attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	back.sgt = mock_map(back.attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, back.sgt);
	KUNIT_EXPECT_EQ(test, dma_buf_revoke(buf->dmabuf), 1);

	mock_signal_raise(test);
	ret = dma_buf_revoke_wait(buf->dmabuf, MAX_SCHEDULE_TIMEOUT);
	mock_signal_clear();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);

	INIT_WORK_ONSTACK(&back.work, revoke_return_work);
	schedule_work(&back.work);
	ret = dma_buf_revoke_wait(buf->dmabuf, MAX_SCHEDULE_TIMEOUT);
	flush_work(&back.work);
	destroy_work_on_stack(&back.work);
	KUNIT_EXPECT_EQ(test, ret, MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, mock_live(buf, MOCK_MAP), 0);
}

/* Succeeds if an exporter whose storage is gone is not asked about it. */
static void revoked_storage_is_not_asked_for(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "importer", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	dma_buf_revoke(buf->dmabuf);
	mock_calls(buf);

	KUNIT_EXPECT_PTR_EQ(test, mock_party_attach(buf, "late", NULL, NULL),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_EQ(test, dma_buf_attachment_constrain(attach, &one),
			-ENODEV);
	mock_party_detach(buf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach");
}

static struct kunit_case dma_buf_revoke_cases[] = {
	KUNIT_CASE(revoked_buffer_is_closed),
	KUNIT_CASE(revoked_buffer_is_not_pinned),
	KUNIT_CASE(revoke_counts_what_is_out),
	KUNIT_CASE_PARAM(revoke_drops_an_idle_mapping, revoke_kept_gen_params),
	KUNIT_CASE_PARAM(revoke_leaves_a_busy_mapping, revoke_kept_gen_params),
	KUNIT_CASE(revoke_during_attach),
	KUNIT_CASE(revoke_tells_dynamic_importers),
	KUNIT_CASE(revoke_zaps_user_mappings),
	KUNIT_CASE(revoke_leaves_the_object),
	KUNIT_CASE(revoked_is_in_bufinfo),
	KUNIT_CASE(revoke_waits_for_fences),
	KUNIT_CASE(revoke_wakes_the_exporter),
	KUNIT_CASE(revoked_storage_is_not_asked_for),
	{}
};

static struct kunit_suite dma_buf_revoke_suite = {
	.name = "dma_buf_revoke",
	.test_cases = dma_buf_revoke_cases,
};

kunit_test_suite(dma_buf_revoke_suite);
