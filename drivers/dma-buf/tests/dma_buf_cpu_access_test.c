// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of CPU access
 *
 * The bracket around CPU access, from the kernel and through the ioctl, and the
 * counted kernel mapping. The bracket first asks the exporter and then waits
 * for the fences that conflict with the access.
 */

#include <linux/iosys-map.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>

#include "dma_buf_mock.h"

struct cpu_dir {
	const char *name;
	enum dma_data_direction dir;
	const char *calls;
};

static const struct cpu_dir cpu_dirs[] = {
	{ "read", DMA_FROM_DEVICE, "begin:from end:from" },
	{ "write", DMA_TO_DEVICE, "begin:to end:to" },
	{ "both", DMA_BIDIRECTIONAL, "begin:both end:both" },
};

KUNIT_ARRAY_PARAM_DESC(cpu_dir, cpu_dirs, name);

/* Succeeds if both ends reach the exporter, unlocked, with the direction. */
static void access_reaches_the_exporter(struct kunit *test)
{
	const struct cpu_dir *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf->dmabuf, p->dir), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buf->dmabuf, p->dir), 0);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->calls);
}

/* Succeeds if an exporter with nothing to do can leave both callbacks out. */
static void access_without_callbacks(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_MINIMAL);
	int ret;

	ret = dma_buf_begin_cpu_access(buf->dmabuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ret, 0);
	ret = dma_buf_end_cpu_access(buf->dmabuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ret, 0);

	/* The core's own wait is there all the same. */
	mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	mock_signal_raise(test);
	ret = dma_buf_begin_cpu_access(buf->dmabuf, DMA_FROM_DEVICE);
	mock_signal_clear();
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
}

struct cpu_error {
	const char *name;
	int ret;
};

static const struct cpu_error cpu_errors[] = {
	{ "EIO", -EIO },
	{ "EINTR", -EINTR },
	{ "ERESTARTSYS", -ERESTARTSYS },
};

KUNIT_ARRAY_PARAM_DESC(cpu_error, cpu_errors, name);

/* Succeeds if the exporter's errors are passed on, without a wait. */
static void access_fails(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	const struct cpu_error *error = test->param_value;
	int begin, end;

	mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	buf->fail[MOCK_BEGIN] = error->ret;
	buf->fail[MOCK_END] = error->ret;

	mock_signal_raise(test);
	begin = dma_buf_begin_cpu_access(buf->dmabuf, DMA_TO_DEVICE);
	end = dma_buf_end_cpu_access(buf->dmabuf, DMA_TO_DEVICE);
	mock_signal_clear();
	KUNIT_EXPECT_EQ(test, begin, error->ret);
	KUNIT_EXPECT_EQ(test, end, error->ret);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "begin:to! end:to!");
}

/* Succeeds if the end of an access never waits. */
static void access_ends_at_once(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	int ret;

	mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	mock_signal_raise(test);
	ret = dma_buf_end_cpu_access(buf->dmabuf, DMA_BIDIRECTIONAL);
	mock_signal_clear();
	KUNIT_EXPECT_EQ(test, ret, 0);
}

struct cpu_wait {
	const char *name;
	enum dma_data_direction dir;
	enum dma_resv_usage usage;
	bool waits;
};

static const struct cpu_wait cpu_waits[] = {
	{ "read after move", DMA_FROM_DEVICE, DMA_RESV_USAGE_KERNEL, true },
	{ "read after write", DMA_FROM_DEVICE, DMA_RESV_USAGE_WRITE, true },
	{ "read after read", DMA_FROM_DEVICE, DMA_RESV_USAGE_READ, false },
	{ "read, bookkeeping", DMA_FROM_DEVICE, DMA_RESV_USAGE_BOOKKEEP,
	  false },
	{ "write after move", DMA_TO_DEVICE, DMA_RESV_USAGE_KERNEL, true },
	{ "write after write", DMA_TO_DEVICE, DMA_RESV_USAGE_WRITE, true },
	{ "write after read", DMA_TO_DEVICE, DMA_RESV_USAGE_READ, true },
	{ "write, bookkeeping", DMA_TO_DEVICE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "both after write", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_WRITE, true },
	{ "both after read", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_READ, true },
};

KUNIT_ARRAY_PARAM_DESC(cpu_wait, cpu_waits, name);

/* Succeeds if an access waits for what conflicts with it, after the exporter. */
static void access_waits(struct kunit *test)
{
	const struct cpu_wait *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_new_fence(buf, p->usage);
	int before, after;

	mock_signal_raise(test);
	before = dma_buf_begin_cpu_access(buf->dmabuf, p->dir);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_BEGIN, NULL), 1);
	dma_fence_signal(fence);
	after = dma_buf_begin_cpu_access(buf->dmabuf, p->dir);
	mock_signal_clear();

	KUNIT_EXPECT_EQ(test, before, p->waits ? -ERESTARTSYS : 0);
	KUNIT_EXPECT_EQ(test, after, 0);
}

/* Succeeds if the wait lasts until the fence signals. */
static void access_waits_until_signalled(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_fence *fence = mock_fence_on_wait(test);
	int ret;

	mock_add_fence(buf, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	ret = dma_buf_begin_cpu_access(buf->dmabuf, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
}

static void cpu_signal_in_begin(struct mock_buffer *buf,
				const struct mock_call *call)
{
	if (call->op == MOCK_BEGIN)
		dma_fence_signal(buf->hook_data);
}

/* Succeeds if an exporter that waits by itself leaves no wait to the core. */
static void access_lets_the_exporter_wait(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	int ret;

	buf->hook_data = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);
	buf->hook = cpu_signal_in_begin;
	mock_signal_raise(test);
	ret = dma_buf_begin_cpu_access(buf->dmabuf, DMA_FROM_DEVICE);
	mock_signal_clear();
	KUNIT_EXPECT_EQ(test, ret, 0);
}

struct cpu_sync {
	const char *name;
	u64 flags;
	long result;
	const char *calls;
};

static const struct cpu_sync cpu_syncs[] = {
	{ "start read", DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ, 0,
	  "begin:from" },
	{ "start write", DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, 0,
	  "begin:to" },
	{ "start both", DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, 0, "begin:both" },
	{ "end read", DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ, 0, "end:from" },
	{ "end write", DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE, 0, "end:to" },
	{ "end both", DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW, 0, "end:both" },
	{ "start nothing", DMA_BUF_SYNC_START, -EINVAL, "" },
	{ "end nothing", DMA_BUF_SYNC_END, -EINVAL, "" },
	{ "unknown flag", DMA_BUF_SYNC_RW | BIT(3), -EINVAL, "" },
	{ "unknown high flag", DMA_BUF_SYNC_RW | BIT_ULL(63), -EINVAL, "" },
};

KUNIT_ARRAY_PARAM_DESC(cpu_sync, cpu_syncs, name);

/* Succeeds if the ioctl is the bracket, and refuses what it does not know. */
static void sync_ioctl(struct kunit *test)
{
	const struct cpu_sync *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_sync arg = { .flags = p->flags };
	void __user *page = mock_user_page(test);

	KUNIT_ASSERT_EQ(test, copy_to_user(page, &arg, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, page),
			p->result);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->calls);
}

/* Succeeds if the ioctl passes errors on, and bad memory is -EFAULT. */
static void sync_ioctl_fails(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_sync arg = { .flags = DMA_BUF_SYNC_READ };
	void __user *page = mock_user_page(test);

	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, NULL),
			-EFAULT);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	buf->fail[MOCK_BEGIN] = -EAGAIN;
	KUNIT_ASSERT_EQ(test, copy_to_user(page, &arg, sizeof(arg)), 0);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_IOCTL_SYNC, page),
			-EAGAIN);
}

static int cpu_vmap(struct mock_buffer *buf, struct iosys_map *map)
{
	int ret;

	dma_resv_lock(buf->dmabuf->resv, NULL);
	ret = dma_buf_vmap(buf->dmabuf, map);
	dma_resv_unlock(buf->dmabuf->resv);
	return ret;
}

static void cpu_vunmap(struct mock_buffer *buf, struct iosys_map *map)
{
	dma_resv_lock(buf->dmabuf->resv, NULL);
	dma_buf_vunmap(buf->dmabuf, map);
	dma_resv_unlock(buf->dmabuf->resv);
}

/* Succeeds if the exporter maps for the first user and unmaps for the last. */
static void vmap_is_counted(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct iosys_map one, two;

	KUNIT_ASSERT_EQ(test, cpu_vmap(buf, &one), 0);
	KUNIT_EXPECT_PTR_EQ(test, one.vaddr, buf->vaddr);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap*");

	KUNIT_EXPECT_EQ(test, cpu_vmap(buf, &two), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&one, &two));
	cpu_vunmap(buf, &one);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	cpu_vunmap(buf, &two);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vunmap*");

	KUNIT_EXPECT_EQ(test, cpu_vmap(buf, &one), 0);
	cpu_vunmap(buf, &one);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap* vunmap*");
}

/* Succeeds if the unlocked calls take the lock, and share the count. */
static void vmap_unlocked(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct iosys_map one, two;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &one), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
	KUNIT_ASSERT_EQ(test, cpu_vmap(buf, &two), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&one, &two));

	cpu_vunmap(buf, &two);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap*");
	dma_buf_vunmap_unlocked(buf->dmabuf, &one);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vunmap*");
}

/* Succeeds if a mapping of I/O memory arrives as one. */
static void vmap_of_iomem(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct iosys_map one, two;

	buf->vmap_iomem = true;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &one), 0);
	KUNIT_EXPECT_TRUE(test, one.is_iomem);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &two), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&one, &two));
	dma_buf_vunmap_unlocked(buf->dmabuf, &two);
	dma_buf_vunmap_unlocked(buf->dmabuf, &one);
}

/* Succeeds if an exporter without the callback is -EINVAL with a null map. */
static void vmap_is_not_supported(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_MINIMAL);
	struct iosys_map map;

	iosys_map_set_vaddr(&map, buf->vaddr);
	KUNIT_EXPECT_EQ(test, cpu_vmap(buf, &map), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));

	iosys_map_set_vaddr(&map, buf->vaddr);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
}

/* Succeeds if an exporter whose mapping lasts can leave vunmap out. */
static void vmap_without_vunmap(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct iosys_map map;

	buf->ops.vunmap = NULL;
	mock_export(buf);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap* vmap*");

	/* Nothing was there to take it back. */
	buf->live[MOCK_VMAP] = 0;
}

static struct kunit_case dma_buf_cpu_access_cases[] = {
	KUNIT_CASE_PARAM(access_reaches_the_exporter, cpu_dir_gen_params),
	KUNIT_CASE(access_without_callbacks),
	KUNIT_CASE_PARAM(access_fails, cpu_error_gen_params),
	KUNIT_CASE(access_ends_at_once),
	KUNIT_CASE_PARAM(access_waits, cpu_wait_gen_params),
	KUNIT_CASE(access_waits_until_signalled),
	KUNIT_CASE(access_lets_the_exporter_wait),
	KUNIT_CASE_PARAM(sync_ioctl, cpu_sync_gen_params),
	KUNIT_CASE(sync_ioctl_fails),
	KUNIT_CASE(vmap_is_counted),
	KUNIT_CASE(vmap_unlocked),
	KUNIT_CASE(vmap_of_iomem),
	KUNIT_CASE(vmap_is_not_supported),
	KUNIT_CASE(vmap_without_vunmap),
	{}
};

static struct kunit_suite dma_buf_cpu_access_suite = {
	.name = "dma_buf_cpu_access",
	.test_cases = dma_buf_cpu_access_cases,
};

kunit_test_suite(dma_buf_cpu_access_suite);
