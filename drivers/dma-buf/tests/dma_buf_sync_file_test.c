// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of sync_file export and import
 *
 * The two ioctls are the bridge between the fences of a buffer and the explicit
 * fences of user space. Export takes a picture of what an access would wait
 * for; import adds what others will have to wait for.
 */

#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>

#include "dma_buf_mock.h"

static long sync_file_export(struct mock_buffer *buf, u32 flags, int *fd)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	void __user *page = mock_user_page(buf->test);
	long ret;

	KUNIT_ASSERT_EQ(buf->test, copy_to_user(page, &arg, sizeof(arg)), 0);
	ret = mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, page);
	KUNIT_ASSERT_EQ(buf->test, copy_from_user(&arg, page, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(buf->test, arg.flags, flags);
	*fd = arg.fd;
	return ret;
}

static long sync_file_import(struct mock_buffer *buf, u32 flags, int fd)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = fd };
	void __user *page = mock_user_page(buf->test);

	KUNIT_ASSERT_EQ(buf->test, copy_to_user(page, &arg, sizeof(arg)), 0);
	return mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, page);
}

static void sync_file_put_fence(void *fence)
{
	dma_fence_put(fence);
}

/* Exports, closes the file again, and keeps the fence it stood for. */
static struct dma_fence *sync_file_snapshot(struct mock_buffer *buf, u32 flags)
{
	struct kunit *test = buf->test;
	struct dma_fence *fence;
	int fd;

	KUNIT_ASSERT_EQ(test, sync_file_export(buf, flags, &fd), 0);
	KUNIT_ASSERT_GE(test, fd, 0);
	fence = sync_file_get_fence(fd);
	mock_close(fd);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	mock_defer(test, sync_file_put_fence, fence);
	return fence;
}

static int sync_file_open(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd;

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		fput(sync_file->file);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, sync_file->file);
	return fd;
}

static bool sync_file_idle(struct mock_buffer *buf, enum dma_resv_usage usage)
{
	return dma_resv_test_signaled(buf->dmabuf->resv, usage);
}

/* Succeeds if an idle buffer gives a sync_file that is signalled. */
static void export_of_an_idle_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = sync_file_snapshot(buf, DMA_BUF_SYNC_RW);

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

struct sync_file_case {
	const char *name;
	u32 flags;
	enum dma_resv_usage usage;
	bool pending;
};

static const struct sync_file_case sync_file_cases[] = {
	{ "read after move", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_KERNEL, true },
	{ "read after write", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_WRITE, true },
	{ "read after read", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ, false },
	{ "write after write", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE, true },
	{ "write after read", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_READ, true },
	{ "both after read", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_READ, true },
	{ "bookkeeping", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_BOOKKEEP, false },
};

KUNIT_ARRAY_PARAM_DESC(sync_file_case, sync_file_cases, name);

/* Succeeds if the sync_file stands for what such an access would wait for. */
static void export_picks_the_fences(struct kunit *test)
{
	const struct sync_file_case *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_new_fence(buf, p->usage);
	struct dma_fence *picture = sync_file_snapshot(buf, p->flags);

	KUNIT_EXPECT_EQ(test, !dma_fence_is_signaled(picture), p->pending);
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(picture));
}

/* Succeeds if several fences become one that waits for all, and no later one. */
static void export_merges_the_fences(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *one = mock_new_fence(buf, DMA_RESV_USAGE_READ);
	struct dma_fence *two = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	struct dma_fence *picture = sync_file_snapshot(buf, DMA_BUF_SYNC_WRITE);

	mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(picture));
	dma_fence_signal(one);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(picture));
	dma_fence_signal(two);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(picture, false), 0);
}

/*
 * Succeeds if what a sync_file stands for lives as long as somebody has it,
 * though the buffer it was taken from is gone, and no longer.
 */
static void no_fence_freed_under_a_sync_file(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *one = mock_new_fence(buf, DMA_RESV_USAGE_READ);
	struct dma_fence *two = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	struct dma_fence *picture = sync_file_snapshot(buf, DMA_BUF_SYNC_WRITE);

	mock_buffer_drop(buf);
	KUNIT_ASSERT_STREQ(test, mock_calls(buf), "release");
	/* The case's own reference; the array has one to each of the two. */
	KUNIT_ASSERT_EQ(test, kref_read(&picture->refcount), 1);
	KUNIT_ASSERT_EQ(test, kref_read(&one->refcount), 2);
	KUNIT_ASSERT_EQ(test, kref_read(&two->refcount), 2);

	dma_fence_signal(one);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(picture));
	dma_fence_signal(two);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(picture, false), 0);
}

struct sync_file_flags {
	const char *name;
	u32 flags;
};

static const struct sync_file_flags sync_file_bad[] = {
	{ "no access", 0 },
	{ "only an unknown flag", BIT(2) },
	{ "an unknown flag too", DMA_BUF_SYNC_RW | BIT(2) },
	{ "the highest flag too", DMA_BUF_SYNC_READ | BIT(31) },
};

KUNIT_ARRAY_PARAM_DESC(sync_file_bad, sync_file_bad, name);

/* Succeeds if bad flags are -EINVAL both ways, and change nothing. */
static void bad_flags(struct kunit *test)
{
	const struct sync_file_flags *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	int fd = sync_file_open(test, mock_fence(test));
	int out;

	KUNIT_EXPECT_EQ(test, sync_file_export(buf, p->flags, &out), -EINVAL);
	KUNIT_EXPECT_EQ(test, out, -1);
	KUNIT_EXPECT_EQ(test, sync_file_import(buf, p->flags, fd), -EINVAL);
	KUNIT_EXPECT_TRUE(test, sync_file_idle(buf, DMA_RESV_USAGE_BOOKKEEP));
	mock_close(fd);
}

/* Succeeds if a full table of files is -EMFILE. */
static void export_into_a_full_table(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW };
	void __user *page = mock_user_page(test);
	unsigned long limit;
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user(page, &arg, sizeof(arg)), 0);
	limit = mock_fd_limit(0);
	ret = mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, page);
	mock_fd_limit(limit);
	KUNIT_EXPECT_EQ(test, ret, -EMFILE);
}

/* Succeeds if an answer that cannot be written is -EFAULT and leaks no fd. */
static void no_fd_left_by_a_failed_answer(struct kunit *test)
{
	struct mock_buffer *memory = mock_export_new(test, MOCK_STATIC);
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_export_sync_file *arg = memory->vaddr;
	unsigned long addr;
	int before, after;

	addr = kunit_vm_mmap(test, memory->dmabuf->file, 0, PAGE_SIZE,
			     PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));

	before = get_unused_fd_flags(0);
	put_unused_fd(before);
	arg->flags = DMA_BUF_SYNC_RW;
	KUNIT_EXPECT_EQ(test,
			mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
				   (void __user *)addr),
			-EFAULT);
	after = get_unused_fd_flags(0);
	put_unused_fd(after);
	KUNIT_EXPECT_EQ(test, before, after);
	vm_munmap(addr, PAGE_SIZE);
}

/* Succeeds if bad memory is -EFAULT both ways. */
static void bad_memory(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);

	KUNIT_EXPECT_EQ(test,
			mock_ioctl(buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, NULL),
			-EFAULT);
	KUNIT_EXPECT_EQ(test,
			mock_ioctl(buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, NULL),
			-EFAULT);
}

static const struct sync_file_case sync_file_imports[] = {
	{ "read", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ },
	{ "write", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE },
	{ "both", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_WRITE },
};

KUNIT_ARRAY_PARAM_DESC(sync_file_import, sync_file_imports, name);

/* Succeeds if an imported fence counts as the access that was named. */
static void import_adds_the_fence(struct kunit *test)
{
	const struct sync_file_case *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_fence(test);
	int fd = sync_file_open(test, fence);

	KUNIT_EXPECT_EQ(test, sync_file_import(buf, p->flags, fd), 0);
	mock_close(fd);
	/* The case's reference and the buffer's. */
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
	KUNIT_EXPECT_FALSE(test, sync_file_idle(buf, p->usage));
	KUNIT_EXPECT_TRUE(test, sync_file_idle(buf, p->usage - 1));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, sync_file_idle(buf, p->usage));
}

/* Succeeds if each fence behind a merged sync_file is added by itself. */
static void import_of_merged_fences(struct kunit *test)
{
	struct mock_buffer *from = mock_export_new(test, MOCK_STATIC);
	struct mock_buffer *to = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *one = mock_new_fence(from, DMA_RESV_USAGE_WRITE);
	struct dma_fence *two = mock_new_fence(from, DMA_RESV_USAGE_WRITE);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int n = 0, known = 0;
	int fd;

	KUNIT_ASSERT_EQ(test, sync_file_export(from, DMA_BUF_SYNC_RW, &fd), 0);
	KUNIT_EXPECT_EQ(test, sync_file_import(to, DMA_BUF_SYNC_WRITE, fd), 0);
	mock_close(fd);

	dma_resv_lock(to->dmabuf->resv, NULL);
	dma_resv_for_each_fence(&cursor, to->dmabuf->resv, DMA_RESV_USAGE_WRITE,
				fence) {
		n++;
		known += fence == one || fence == two;
	}
	dma_resv_unlock(to->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, n, 2);
	KUNIT_EXPECT_EQ(test, known, 2);
}

/* Succeeds if a descriptor that is no sync_file is -EINVAL. */
static void import_of_a_bad_fd(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	int fd;

	KUNIT_EXPECT_EQ(test, sync_file_import(buf, DMA_BUF_SYNC_RW, -1),
			-EINVAL);
	get_dma_buf(buf->dmabuf);
	fd = dma_buf_fd(buf->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, sync_file_import(buf, DMA_BUF_SYNC_RW, fd),
			-EINVAL);
	mock_close(fd);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_TRUE(test, sync_file_idle(buf, DMA_RESV_USAGE_BOOKKEEP));
}

static struct kunit_case dma_buf_sync_file_cases[] = {
	KUNIT_CASE(export_of_an_idle_buffer),
	KUNIT_CASE_PARAM(export_picks_the_fences, sync_file_case_gen_params),
	KUNIT_CASE(export_merges_the_fences),
	KUNIT_CASE(no_fence_freed_under_a_sync_file),
	KUNIT_CASE_PARAM(bad_flags, sync_file_bad_gen_params),
	KUNIT_CASE(bad_memory),
	KUNIT_CASE(export_into_a_full_table),
	KUNIT_CASE(no_fd_left_by_a_failed_answer),
	KUNIT_CASE_PARAM(import_adds_the_fence, sync_file_import_gen_params),
	KUNIT_CASE(import_of_merged_fences),
	KUNIT_CASE(import_of_a_bad_fd),
	{}
};

static struct kunit_suite dma_buf_sync_file_suite = {
	.name = "dma_buf_sync_file",
	.test_cases = dma_buf_sync_file_cases,
};

kunit_test_suite(dma_buf_sync_file_suite);
