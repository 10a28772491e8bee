// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: what the tests of the guides' drivers are made of
 *
 * Who meets at a buffer: exporters and importers of the guides, which the running
 * case ends, a process, and a reader.
 */

#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "dma_buf_guide_kit.h"

static void guide_kit_put(void *data)
{
	dma_buf_put(data);
	flush_delayed_fput();
}

/* Storage that is not cleared is likely to be this. */
static void guide_kit_leave_dirt(struct kunit *test)
{
	struct page **pages = guide_pages_alloc(GUIDE_PAGES);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (i = 0; i < GUIDE_PAGES; i++)
		memset_page(pages[i], 0, 0xd1, PAGE_SIZE);
	guide_pages_free(pages, GUIDE_PAGES);
}

/**
 * guide_kit_export - have one of the guides' drivers make a buffer
 * @test: the running case, which lets go of it in the end
 * @ops: the exporter
 *
 * Return: a buffer of GUIDE_SIZE.
 */
struct dma_buf *guide_kit_export(struct kunit *test,
				 const struct dma_buf_ops *ops)
{
	struct dma_buf *dmabuf;

	guide_kit_leave_dirt(test);
	dmabuf = guide_export(ops, GUIDE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	mock_defer(test, guide_kit_put, dmabuf);
	return dmabuf;
}

static void guide_kit_close(void *data)
{
	mock_close((long)data);
}

/**
 * guide_kit_fd - a file descriptor, as a process would pass it on
 * @test: the running case, which closes it in the end
 * @dmabuf: the buffer
 *
 * Return: the descriptor.
 */
int guide_kit_fd(struct kunit *test, struct dma_buf *dmabuf)
{
	int fd;

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	KUNIT_ASSERT_GE(test, fd, 0);
	mock_defer(test, guide_kit_close, (void *)(long)fd);
	return fd;
}

static void guide_kit_static_gone(void *data)
{
	guide_import_release(data);
}

/**
 * guide_kit_static - import a buffer for a device that cannot follow a move
 * @test: the running case
 * @dmabuf: the buffer
 * @name: of the device
 *
 * Return: the import, gone at the end of the case or by guide_kit_static_end().
 */
struct guide_importer *
guide_kit_static(struct kunit *test, struct dma_buf *dmabuf, const char *name)
{
	struct device *dev = mock_device(test, name);
	struct guide_importer *imp;

	imp = kunit_kzalloc(test, sizeof(*imp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, imp);
	KUNIT_ASSERT_EQ(test,
			guide_import(imp, guide_kit_fd(test, dmabuf), dev), 0);
	mock_defer(test, guide_kit_static_gone, imp);
	return imp;
}

/**
 * guide_kit_static_end - let go of a buffer before the end of the case
 * @test: the running case
 * @imp: of guide_kit_static()
 */
void guide_kit_static_end(struct kunit *test, struct guide_importer *imp)
{
	kunit_release_action(test, guide_kit_static_gone, imp);
}

static void guide_kit_dynamic_gone(void *data)
{
	guide_dynamic_release(data);
}

/**
 * guide_kit_dynamic - import a buffer for a device that follows moves
 * @test: the running case
 * @dmabuf: the buffer
 *
 * Return: the import, gone at the end of the case.
 */
struct guide_dynamic *guide_kit_dynamic(struct kunit *test,
					struct dma_buf *dmabuf)
{
	struct device *dev = mock_device(test, "dynamic");
	int fd = guide_kit_fd(test, dmabuf);
	struct guide_dynamic *imp;

	imp = kunit_kzalloc(test, sizeof(*imp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, imp);
	KUNIT_ASSERT_EQ(test, guide_dynamic_import(imp, fd, dev), 0);
	mock_defer(test, guide_kit_dynamic_gone, imp);
	return imp;
}

/**
 * guide_kit_static_job - let a device run from start to end
 * @test: the running case
 * @imp: of guide_kit_static()
 */
void guide_kit_static_job(struct kunit *test, struct guide_importer *imp)
{
	struct dma_fence *done = mock_fence(test);

	KUNIT_EXPECT_EQ(test, guide_start(imp, done), 0);
	dma_fence_signal(done);
}

/**
 * guide_kit_dynamic_job - let a device run from start to end
 * @test: the running case
 * @imp: of guide_kit_dynamic()
 *
 * Return: where the device found the buffer.
 */
dma_addr_t guide_kit_dynamic_job(struct kunit *test, struct guide_dynamic *imp)
{
	struct dma_fence *done = mock_fence(test);

	KUNIT_EXPECT_EQ(test, guide_dynamic_start(imp, done), 0);
	dma_fence_signal(done);
	return imp->address;
}

/**
 * guide_kit_process_maps - map a buffer into the case's own process
 * @test: the running case
 * @dmabuf: the buffer
 *
 * Return: where.
 */
u32 __user *guide_kit_process_maps(struct kunit *test, struct dma_buf *dmabuf)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, dmabuf->file, 0, GUIDE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return (u32 __user *)addr;
}

/**
 * guide_kit_process_writes - write a word into each page
 * @test: the running case
 * @at: of guide_kit_process_maps()
 * @mark: the first word; each page has the next
 */
void guide_kit_process_writes(struct kunit *test, u32 __user *at, u32 mark)
{
	u32 __user *page = at;
	unsigned int i;

	for (i = 0; i < GUIDE_PAGES; i++, page += PAGE_SIZE / sizeof(*page))
		KUNIT_EXPECT_EQ(test, put_user(mark + i, page), 0);
}

/**
 * guide_kit_process_reads - expect what guide_kit_process_writes() has written
 * @test: the running case
 * @at: of guide_kit_process_maps()
 * @mark: the first word
 */
void guide_kit_process_reads(struct kunit *test, u32 __user *at, u32 mark)
{
	u32 __user *page = at;
	unsigned int i;
	u32 seen;

	for (i = 0; i < GUIDE_PAGES; i++, page += PAGE_SIZE / sizeof(*page)) {
		KUNIT_EXPECT_EQ(test, get_user(seen, page), 0);
		KUNIT_EXPECT_EQ(test, seen, mark + i);
	}
}

/**
 * guide_kit_reader - have a reader come, or end the case
 * @test: the running case
 * @dmabuf: the buffer
 * @reader: to be released by the case
 */
void guide_kit_reader(struct kunit *test, struct dma_buf *dmabuf,
		      struct guide_reader *reader)
{
	int fd = guide_kit_fd(test, dmabuf);

	KUNIT_ASSERT_EQ(test, guide_reader_import(reader, fd), 0);
}

/**
 * guide_kit_reader_reads - have a reader come, read a word of each page, and go
 * @test: the running case
 * @dmabuf: the buffer
 * @mark: the first word it has to find
 */
void guide_kit_reader_reads(struct kunit *test, struct dma_buf *dmabuf,
			    u32 mark)
{
	struct guide_reader reader;
	unsigned int i;
	u32 seen;

	guide_kit_reader(test, dmabuf, &reader);
	for (i = 0; i < GUIDE_PAGES; i++) {
		KUNIT_EXPECT_EQ(test,
				guide_reader_read(&reader, i * PAGE_SIZE, &seen,
						  sizeof(seen)),
				0);
		KUNIT_EXPECT_EQ(test, seen, mark + i);
	}
	guide_reader_release(&reader);
}
