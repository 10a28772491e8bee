// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of the guides' drivers
 *
 * The guides in Documentation/driver-api quote drivers. Here they meet: each of
 * the exporters with each of the importers, a process and the kernel's own
 * mapping.
 */

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "dma_buf_guide_kit.h"
#include "dma_buf_party.h"

#define GUIDE_MARK 0x900d900d

/* Long past any correct case. Ends a wait for an importer that does nothing. */
#define GUIDE_HANG (10 * HZ)

/* Without CONFIG_DMABUF_MOVE_NOTIFY each mapping of a dynamic pair is pinned. */
#define FOLLOWS IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)

static const struct dma_buf_ops *const guide_exporters[] = {
	&guide_exporter_ops,
	&guide_mover_ops,
	&guide_chooser_ops,
};

static void guide_exporter_name(const struct dma_buf_ops *const *ops, char *to)
{
	static const char *const names[] = { "exporter", "mover", "chooser" };

	strscpy(to, names[ops - guide_exporters], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(guide_exporter, guide_exporters, guide_exporter_name);

/* Succeeds if all kinds of importers see what a process wrote, all at once. */
static void guide_buffer_is_shared(struct kunit *test)
{
	const struct dma_buf_ops *const *ops = test->param_value;
	struct dma_buf *dmabuf = guide_kit_export(test, *ops);
	struct guide_importer *first, *second;
	struct guide_dynamic *third;
	u32 __user *user;
	u32 seen;

	user = guide_kit_process_maps(test, dmabuf);
	KUNIT_EXPECT_EQ(test, get_user(seen, user), 0);
	KUNIT_EXPECT_EQ(test, seen, 0);

	first = guide_kit_static(test, dmabuf, "first");
	second = guide_kit_static(test, dmabuf, "second");
	third = guide_kit_dynamic(test, dmabuf);

	guide_kit_process_writes(test, user, GUIDE_MARK);
	guide_kit_reader_reads(test, dmabuf, GUIDE_MARK);
	guide_kit_static_job(test, first);
	guide_kit_static_job(test, second);
	KUNIT_EXPECT_EQ(test, first->bytes, GUIDE_SIZE);
	KUNIT_EXPECT_EQ(test, second->bytes, GUIDE_SIZE);
	KUNIT_EXPECT_EQ(test, first->address, second->address);
	KUNIT_EXPECT_EQ(test, first->address,
			guide_kit_dynamic_job(test, third));
	guide_kit_process_reads(test, user, GUIDE_MARK);
}

/* Succeeds if a private mapping, which would hide others' writes, is refused. */
static void guide_mmap_is_shared(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_exporter_ops);
	unsigned long addr;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, GUIDE_SIZE, PROT_READ,
			     MAP_PRIVATE, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -EINVAL);
}

/* Succeeds if a fd that is no dma-buf, or a size that is none, is refused. */
static void guide_refuses(struct kunit *test)
{
	struct device *dev = mock_device(test, "importer");
	struct guide_dynamic dynamic;
	struct guide_importer imp;
	struct guide_reader reader;

	KUNIT_EXPECT_EQ(test, guide_import(&imp, -1, dev), -EBADF);
	KUNIT_EXPECT_EQ(test, guide_dynamic_import(&dynamic, -1, dev), -EBADF);
	KUNIT_EXPECT_EQ(test, guide_reader_import(&reader, -1), -EBADF);
	KUNIT_EXPECT_PTR_EQ(test, guide_export(&guide_exporter_ops, 0),
			    ERR_PTR(-EINVAL));
}

/* Succeeds if reading beyond the buffer is refused, also where sums wrap. */
static void guide_reader_stays_inside(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_exporter_ops);
	struct guide_reader reader;
	u32 seen;

	guide_kit_reader(test, dmabuf, &reader);
	KUNIT_EXPECT_EQ(test, guide_reader_read(&reader, GUIDE_SIZE, &seen, 4),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, guide_reader_read(&reader, 4, &seen, SIZE_MAX),
			-EINVAL);
	guide_reader_release(&reader);
}

/* Succeeds if the next device, and the CPU, wait for the job before them. */
static void guide_jobs_are_ordered(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_exporter_ops);
	struct dma_fence *first = mock_fence(test);
	struct guide_dynamic *dynamic;
	struct guide_importer *imp;
	struct guide_reader reader;
	u32 seen;

	imp = guide_kit_static(test, dmabuf, "static");
	dynamic = guide_kit_dynamic(test, dmabuf);
	guide_kit_reader(test, dmabuf, &reader);
	KUNIT_EXPECT_EQ(test, guide_start(imp, first), 0);

	mock_signal_raise(test);
	KUNIT_EXPECT_EQ(test, guide_reader_read(&reader, 0, &seen, 4),
			-ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, guide_start(imp, mock_fence(test)), -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, guide_dynamic_start(dynamic, mock_fence(test)),
			-ERESTARTSYS);
	/* The exporter has caches to see to, so it waits by itself. */
	KUNIT_EXPECT_EQ(test,
			dmabuf->ops->begin_cpu_access(dmabuf, DMA_FROM_DEVICE),
			-ERESTARTSYS);
	mock_signal_clear();

	dma_fence_signal(first);
	guide_kit_dynamic_job(test, dynamic);
	KUNIT_EXPECT_EQ(test, guide_reader_read(&reader, 0, &seen, 4), 0);
	guide_reader_release(&reader);
}

/* Succeeds if the last one to let go frees the storage, and not before. */
static void guide_storage_is_freed(struct kunit *test)
{
	const struct dma_buf_ops *const *ops = test->param_value;
	struct device *dev = mock_device(test, "importer");
	struct dma_buf *dmabuf = guide_export(*ops, GUIDE_SIZE);
	struct guide_buffer *buf;
	struct guide_importer imp;
	struct page *page;
	int fd;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	buf = dmabuf->priv;
	page = buf->pages[0];
	get_page(page);

	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	KUNIT_EXPECT_EQ(test, guide_import(&imp, fd, dev), 0);
	mock_close(fd);
	KUNIT_EXPECT_EQ(test, page_count(page), 3);

	guide_import_release(&imp);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
}

/* Succeeds if a move keeps the content, and all see the new place. */
static void guide_move_keeps_the_content(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_mover_ops);
	struct guide_buffer *buf = dmabuf->priv;
	struct page *old = buf->pages[0];
	struct guide_dynamic *imp;
	dma_addr_t before;
	u32 __user *user;

	user = guide_kit_process_maps(test, dmabuf);
	guide_kit_process_writes(test, user, GUIDE_MARK);
	imp = guide_kit_dynamic(test, dmabuf);
	before = guide_kit_dynamic_job(test, imp);

	get_page(old);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), FOLLOWS ? 0 : -EBUSY);
	if (FOLLOWS) {
		KUNIT_EXPECT_PTR_NE(test, buf->pages[0], old);
		KUNIT_EXPECT_NE(test, guide_kit_dynamic_job(test, imp), before);
		KUNIT_EXPECT_EQ(test, page_count(old), 1);
	} else {
		KUNIT_EXPECT_PTR_EQ(test, buf->pages[0], old);
		KUNIT_EXPECT_EQ(test, guide_kit_dynamic_job(test, imp), before);
	}
	put_page(old);

	guide_kit_process_reads(test, user, GUIDE_MARK);
	guide_kit_process_writes(test, user, ~GUIDE_MARK);
	guide_kit_reader_reads(test, dmabuf, ~GUIDE_MARK);
}

/* Succeeds if an importer gives the old place back without a new job. */
static void guide_move_frees_the_old_place(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_mover_ops);
	struct guide_buffer *buf = dmabuf->priv;
	struct page *old = buf->pages[0];
	struct guide_dynamic *imp;

	if (!FOLLOWS)
		kunit_skip(test, "this configuration pins what is mapped");

	imp = guide_kit_dynamic(test, dmabuf);
	guide_kit_dynamic_job(test, imp);

	get_page(old);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), 0);
	flush_work(&imp->let_go);
	KUNIT_EXPECT_EQ(test, page_count(old), 1);
	KUNIT_EXPECT_NULL(test, imp->sgt);
	put_page(old);
}

/* Succeeds if a device that is at work delays a move, and loses nothing. */
static void guide_move_waits_for_jobs(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_mover_ops);
	struct guide_buffer *buf = dmabuf->priv;
	struct dma_fence *done = mock_fence(test);
	struct page *old = buf->pages[0];
	struct guide_dynamic *imp;

	if (!FOLLOWS)
		kunit_skip(test, "this configuration pins what is mapped");

	imp = guide_kit_dynamic(test, dmabuf);
	KUNIT_ASSERT_EQ(test, guide_dynamic_start(imp, done), 0);

	mock_signal_raise(test);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), -ERESTARTSYS);
	mock_signal_clear();
	KUNIT_EXPECT_PTR_EQ(test, buf->pages[0], old);

	dma_fence_signal(done);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), 0);
	KUNIT_EXPECT_PTR_NE(test, buf->pages[0], old);
}

/* Succeeds if who cannot follow keeps the storage where it is. */
static void guide_move_is_refused(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_mover_ops);
	struct guide_importer *imp;
	struct guide_reader reader;

	guide_kit_reader(test, dmabuf, &reader);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), -EBUSY);
	guide_reader_release(&reader);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), 0);

	imp = guide_kit_static(test, dmabuf, "static");
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), -EBUSY);
	guide_kit_static_end(test, imp);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), 0);
}

/* Succeeds if pages that lie anywhere are in one place when a device needs it. */
static void guide_chooses_one_piece(struct kunit *test)
{
	struct dma_buf_constraints one = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_chooser_ops);
	struct guide_buffer *buf = dmabuf->priv;
	struct dma_buf_attachment *strict;
	u32 __user *user;
	unsigned int i;

	one.max_segments = 1;
	mock_scatter(buf->pages, GUIDE_PAGES);
	user = guide_kit_process_maps(test, dmabuf);
	guide_kit_process_writes(test, user, GUIDE_MARK);
	/* one that has let go is in nobody's way */
	guide_kit_dynamic(test, dmabuf);

	strict = dma_buf_attach_constrained(dmabuf, mock_device(test, "strict"),
					    NULL, NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, strict);
	for (i = 1; i < GUIDE_PAGES; i++)
		KUNIT_EXPECT_EQ(test, page_to_pfn(buf->pages[i]),
				page_to_pfn(buf->pages[0]) + i);
	guide_kit_process_reads(test, user, GUIDE_MARK);
	dma_buf_detach(dmabuf, strict);
}

/**
 * struct guide_cut - what a device needs of the entries of its table
 * @name: what is shown
 * @needs: as text
 * @kind: what the storage has to be then
 */
struct guide_cut {
	const char *name;
	const char *needs;
	const char *kind;
};

static const struct guide_cut guide_cuts[] = {
	{ "PCI", "boundary=0xffffffff,segment-size=65536", "scattered" },
	{ "short entries", "segment-size=4096", "scattered" },
	{ "a boundary", "boundary=0x1fff", "scattered" },
	{ "short entries of one piece", "segment-size=4096,segments=1",
	  "contiguous" },
	{ "aligned entries", "boundary=0xffff,align=8192,segment-size=12288",
	  "contiguous" },
};

KUNIT_ARRAY_PARAM_DESC(guide_cut, guide_cuts, name);

/* Succeeds if the table is cut as the device needs it: the core looks at it. */
static void guide_cuts_tables(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_chooser_ops);
	const struct guide_cut *p = test->param_value;
	struct guide_buffer *buf = dmabuf->priv;
	struct dma_buf_attachment *attach;
	struct dma_buf_constraints need;
	struct sg_table *sgt;
	int ret;

	KUNIT_ASSERT_EQ(test, dma_buf_constraints_parse(p->needs, &need), 0);
	mock_scatter(buf->pages, GUIDE_PAGES);
	attach = dma_buf_attach_constrained(dmabuf, mock_device(test, "picky"),
					    NULL, NULL, &need);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, sgt);
	if (!IS_ERR_OR_NULL(sgt)) {
		ret = dma_buf_constraints_check_sgt(&need, sgt, GUIDE_SIZE,
						    NULL);
		KUNIT_EXPECT_EQ(test, ret, 0);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	}
	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_STREQ(test, dmabuf->ops->storage_kind(dmabuf), p->kind);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
}

/* Succeeds if who cannot have what it needs is told, and nothing moves. */
static void guide_refuses_to_choose(struct kunit *test)
{
	struct dma_buf_constraints need = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_chooser_ops);
	struct device *dev = mock_device(test, "strict");
	struct guide_buffer *buf = dmabuf->priv;
	struct page *first;

	need.max_segment_size = PAGE_SIZE;
	need.alignment = 2 * PAGE_SIZE;
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
			    dma_buf_attach_constrained(dmabuf, dev, NULL, NULL,
						       &need));

	need = DMA_BUF_CONSTRAINTS_ANY;
	need.max_segments = 1;
	mock_scatter(buf->pages, GUIDE_PAGES);
	first = buf->pages[0];
	guide_kit_static(test, dmabuf, "mapped");
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EBUSY),
			    dma_buf_attach_constrained(dmabuf, dev, NULL, NULL,
						       &need));
	KUNIT_EXPECT_PTR_EQ(test, buf->pages[0], first);
}

/* Succeeds if a buffer can be taken from a device that lets go. */
static void guide_revoke_takes_the_storage(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_mover_ops);
	struct guide_buffer *buf = dmabuf->priv;
	struct dma_fence *done = mock_fence(test);
	struct guide_reader reader;
	struct guide_dynamic *imp;
	u32 __user *user;
	u32 seen = 0;
	int fd;

	user = guide_kit_process_maps(test, dmabuf);
	guide_kit_process_writes(test, user, GUIDE_MARK);
	KUNIT_EXPECT_EQ(test, get_user(seen, user), 0);
	KUNIT_EXPECT_EQ(test, seen, GUIDE_MARK);
	imp = guide_kit_dynamic(test, dmabuf);
	KUNIT_ASSERT_EQ(test, guide_dynamic_start(imp, done), 0);

	/* The device is at work. */
	KUNIT_EXPECT_EQ(test, guide_revoke(dmabuf, 1), -ETIME);
	KUNIT_EXPECT_EQ(test, buf->count, GUIDE_PAGES);
	KUNIT_EXPECT_EQ(test, get_user(seen, user), -EFAULT);

	dma_fence_signal(done);
	KUNIT_EXPECT_EQ(test, guide_revoke(dmabuf, GUIDE_HANG), 0);
	KUNIT_EXPECT_EQ(test, buf->count, 0);

	KUNIT_EXPECT_EQ(test, guide_dynamic_start(imp, done), -ENODEV);
	fd = guide_kit_fd(test, dmabuf);
	KUNIT_EXPECT_EQ(test, guide_reader_import(&reader, fd), -ENODEV);
	KUNIT_EXPECT_EQ(test, guide_move(dmabuf), -ENODEV);
	KUNIT_EXPECT_EQ(test, get_user(seen, user), -EFAULT);
}

/* Succeeds if an importer that does not let go keeps the storage alive. */
static void guide_revoke_spares_who_stays(struct kunit *test)
{
	struct dma_buf *dmabuf = guide_kit_export(test, &guide_mover_ops);
	struct guide_buffer *buf = dmabuf->priv;
	struct guide_importer *imp;

	imp = guide_kit_static(test, dmabuf, "static");
	KUNIT_EXPECT_EQ(test, guide_revoke(dmabuf, 1), -ETIME);
	KUNIT_EXPECT_EQ(test, buf->count, GUIDE_PAGES);
	guide_kit_static_end(test, imp);
	KUNIT_EXPECT_EQ(test, guide_revoke(dmabuf, 1), 0);
	KUNIT_EXPECT_EQ(test, buf->count, 0);
}

static struct kunit_case dma_buf_guide_cases[] = {
	KUNIT_CASE_PARAM(guide_buffer_is_shared, guide_exporter_gen_params),
	KUNIT_CASE(guide_mmap_is_shared),
	KUNIT_CASE(guide_refuses),
	KUNIT_CASE(guide_reader_stays_inside),
	KUNIT_CASE(guide_jobs_are_ordered),
	KUNIT_CASE_PARAM(guide_storage_is_freed, guide_exporter_gen_params),
	KUNIT_CASE(guide_move_keeps_the_content),
	KUNIT_CASE(guide_move_frees_the_old_place),
	KUNIT_CASE(guide_move_waits_for_jobs),
	KUNIT_CASE(guide_move_is_refused),
	KUNIT_CASE(guide_chooses_one_piece),
	KUNIT_CASE_PARAM(guide_cuts_tables, guide_cut_gen_params),
	KUNIT_CASE(guide_refuses_to_choose),
	KUNIT_CASE(guide_revoke_takes_the_storage),
	KUNIT_CASE(guide_revoke_spares_who_stays),
	{}
};

static struct kunit_suite dma_buf_guide_suite = {
	.name = "dma_buf_guide",
	.test_cases = dma_buf_guide_cases,
};

kunit_test_suite(dma_buf_guide_suite);
