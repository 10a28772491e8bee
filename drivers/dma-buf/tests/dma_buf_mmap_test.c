// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of user mappings
 *
 * User space maps a buffer in two ways: by mmap() of the buffer's own file, or
 * by mmap() of a driver's file which hands the vma to dma_buf_mmap(). The tests
 * do both for real, in the mm of the test's thread. The driver's file is here.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "dma_buf_mock.h"

#define PROT_RW (PROT_READ | PROT_WRITE)

/* A driver that has imported a buffer and lets user space map it. */
struct mmap_driver {
	struct dma_buf *dmabuf;
	unsigned long pgoff;
	int ret;
};

static int mmap_driver_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mmap_driver *driver = file->private_data;

	driver->ret = dma_buf_mmap(driver->dmabuf, vma, driver->pgoff);
	return driver->ret;
}

static const struct file_operations mmap_driver_fops = {
	.owner = THIS_MODULE,
	.mmap = mmap_driver_mmap,
};

static void mmap_driver_close(void *data)
{
	__fput_sync(data);
}

static struct file *mmap_driver_open(struct mock_buffer *buf,
				     struct mmap_driver *driver)
{
	struct kunit *test = buf->test;
	struct file *file;

	driver->dmabuf = buf->dmabuf;
	driver->ret = 1;
	file = anon_inode_getfile("driver", &mmap_driver_fops, driver, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	mock_defer(test, mmap_driver_close, file);
	return file;
}

static unsigned long mmap_file(struct kunit *test, struct file *file,
			       unsigned long pages, int prot,
			       unsigned long pgoff)
{
	return kunit_vm_mmap(test, file, 0, pages * PAGE_SIZE, prot, MAP_SHARED,
			     pgoff << PAGE_SHIFT);
}

/* Writes through the user mapping, reads back what the exporter has. */
static void mmap_expect_page(struct mock_buffer *buf, unsigned long addr,
			     unsigned long page)
{
	u32 mark = 0x600d0000 + page;

	KUNIT_EXPECT_EQ(buf->test, put_user(mark, (u32 __user *)addr), 0);
	KUNIT_EXPECT_EQ(buf->test, *(u32 *)(buf->vaddr + page * PAGE_SIZE),
			mark);
}

/* Succeeds if the buffer's file maps: whole, or a part at an offset. */
static void mmap_of_the_file(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	unsigned long whole, tail;

	whole = mmap_file(test, buf->dmabuf->file, MOCK_PAGES, PROT_RW, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(whole));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "mmap");
	mmap_expect_page(buf, whole + PAGE_SIZE, 1);

	tail = mmap_file(test, buf->dmabuf->file, 1, PROT_RW, MOCK_PAGES - 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(tail));
	KUNIT_EXPECT_EQ(test, buf->mmap_pgoff, MOCK_PAGES - 1);
	KUNIT_EXPECT_PTR_EQ(test, buf->mmap_file, buf->dmabuf->file);
	mmap_expect_page(buf, tail, MOCK_PAGES - 1);

	vm_munmap(whole, MOCK_SIZE);
	vm_munmap(tail, PAGE_SIZE);
}

/* Succeeds if a driver's mapping becomes one of the buffer's file. */
static void mmap_of_a_driver(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mmap_driver driver = { .pgoff = 1 };
	struct file *file = mmap_driver_open(buf, &driver);
	unsigned long addr;

	/* The driver's own offset names its object, not a place in the buffer. */
	addr = mmap_file(test, file, MOCK_PAGES - 1, PROT_RW, 77);
	KUNIT_EXPECT_EQ(test, driver.ret, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "mmap");
	KUNIT_EXPECT_EQ(test, buf->mmap_pgoff, 1);
	KUNIT_EXPECT_PTR_EQ(test, buf->mmap_file, buf->dmabuf->file);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 2);
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
	mmap_expect_page(buf, addr, 1);

	vm_munmap(addr, MOCK_SIZE - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

struct mmap_range {
	const char *name;
	unsigned long pgoff;
	unsigned long pages;
	/* by dma_buf_mmap(), and by mmap() of the file */
	int driver;
	int file;
};

/* The kernel's mmap() checks for the overflow before the buffer's file can. */
static const struct mmap_range mmap_ranges[] = {
	{ "whole", 0, MOCK_PAGES, 0, 0 },
	{ "last page", MOCK_PAGES - 1, 1, 0, 0 },
	{ "one page too long", 0, MOCK_PAGES + 1, -EINVAL, -EINVAL },
	{ "shifted by one", 1, MOCK_PAGES, -EINVAL, -EINVAL },
	{ "behind the end", MOCK_PAGES, 1, -EINVAL, -EINVAL },
	{ "far behind the end", 1UL << 20, 1, -EINVAL, -EINVAL },
	{ "end wraps to zero", -1UL, 1, -EOVERFLOW, -EINVAL },
	{ "end wraps into the buffer", -1UL, 2, -EOVERFLOW, -EINVAL },
	{ "end wraps to the size", -2UL, MOCK_PAGES + 2, -EOVERFLOW, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(mmap_range, mmap_ranges, name);

/* Succeeds if nothing outside the buffer can be mapped through a driver. */
static void no_mmap_escape_through_a_driver(struct kunit *test)
{
	const struct mmap_range *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mmap_driver driver = { .pgoff = p->pgoff };
	struct file *file = mmap_driver_open(buf, &driver);
	unsigned long addr;

	addr = mmap_file(test, file, p->pages, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, driver.ret, p->driver);
	KUNIT_EXPECT_EQ(test, IS_ERR_VALUE(addr) ? (int)addr : 0, p->driver);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->driver ? "" : "mmap");
	if (!IS_ERR_VALUE(addr))
		vm_munmap(addr, p->pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
}

/* Succeeds if nothing outside the buffer can be mapped through its file. */
static void no_mmap_escape_through_the_file(struct kunit *test)
{
	const struct mmap_range *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	unsigned long addr;

	addr = mmap_file(test, buf->dmabuf->file, p->pages, PROT_RW, p->pgoff);
	KUNIT_EXPECT_EQ(test, IS_ERR_VALUE(addr) ? (int)addr : 0, p->file);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->file ? "" : "mmap");
	if (!IS_ERR_VALUE(addr))
		vm_munmap(addr, p->pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

/* Succeeds if the last, broken page of an odd size cannot be mapped. */
static void no_mmap_escape_on_the_last_page(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct mmap_driver driver = {};
	struct file *file;
	unsigned long addr;

	buf->size = PAGE_SIZE + 512;
	mock_export(buf);
	file = mmap_driver_open(buf, &driver);

	addr = mmap_file(test, buf->dmabuf->file, 2, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -EINVAL);
	mmap_file(test, file, 2, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, driver.ret, -EINVAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	addr = mmap_file(test, buf->dmabuf->file, 1, PROT_RW, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	vm_munmap(addr, PAGE_SIZE);
}

/* Succeeds if an exporter without the callback is -EINVAL, both ways. */
static void mmap_is_not_supported(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_MINIMAL);
	struct mmap_driver driver = {};
	struct file *file = mmap_driver_open(buf, &driver);
	unsigned long addr;

	mmap_file(test, file, 1, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, driver.ret, -EINVAL);
	addr = mmap_file(test, buf->dmabuf->file, 1, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -EINVAL);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

/* Succeeds if the exporter's error is passed on and no reference is left. */
static void mmap_fails(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mmap_driver driver = {};
	struct file *file = mmap_driver_open(buf, &driver);
	unsigned long addr;

	buf->fail[MOCK_MMAP] = -ENXIO;
	mmap_file(test, file, 1, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, driver.ret, -ENXIO);
	addr = mmap_file(test, buf->dmabuf->file, 1, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -ENXIO);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "mmap! mmap!");
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
}

/* Succeeds if a read-only file cannot be mapped for writing. */
static void no_writable_mmap_of_a_read_only_file(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	unsigned long addr;

	buf->flags = O_RDONLY;
	mock_export(buf);

	addr = mmap_file(test, buf->dmabuf->file, 1, PROT_RW, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -EACCES);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	addr = mmap_file(test, buf->dmabuf->file, 1, PROT_READ, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	vm_munmap(addr, PAGE_SIZE);
}

/* Succeeds if a mapping alone keeps the buffer alive. */
static void mmap_keeps_the_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	unsigned long addr;

	addr = mmap_file(test, buf->dmabuf->file, MOCK_PAGES, PROT_RW, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	mock_buffer_drop(buf);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "mmap");
	mmap_expect_page(buf, addr, 0);

	vm_munmap(addr, MOCK_SIZE);
	KUNIT_ASSERT_TRUE(test, mock_wait_released(buf));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "release");
}

static struct kunit_case dma_buf_mmap_cases[] = {
	KUNIT_CASE(mmap_of_the_file),
	KUNIT_CASE(mmap_of_a_driver),
	KUNIT_CASE_PARAM(no_mmap_escape_through_a_driver,
			 mmap_range_gen_params),
	KUNIT_CASE_PARAM(no_mmap_escape_through_the_file,
			 mmap_range_gen_params),
	KUNIT_CASE(no_mmap_escape_on_the_last_page),
	KUNIT_CASE(mmap_is_not_supported),
	KUNIT_CASE(mmap_fails),
	KUNIT_CASE(no_writable_mmap_of_a_read_only_file),
	KUNIT_CASE(mmap_keeps_the_buffer),
	{}
};

static struct kunit_suite dma_buf_mmap_suite = {
	.name = "dma_buf_mmap",
	.test_cases = dma_buf_mmap_cases,
};

kunit_test_suite(dma_buf_mmap_suite);
