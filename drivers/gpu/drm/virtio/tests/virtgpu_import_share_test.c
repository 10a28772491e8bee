// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of what others do with a virtio-gpu import
 *
 * An imported buffer is its exporter's: the kernel that maps it sees the exporter's
 * memory, and who exports it once more gets the very dma-buf that it came from.
 */

#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "../virtgpu_export.h"
#include "../virtgpu_import.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_exporter.h"
#include "virtgpu_mock_host.h"

#define PATTERN 0x5ca1ab1e

/**
 * struct share_ctx - a buffer of somebody else's, and a device that can have it
 * @host: of the device
 * @exporter: of @dmabuf
 * @dmabuf: the buffer
 */
struct share_ctx {
	struct mock_host *host;
	struct mock_exporter exporter;
	struct dma_buf *dmabuf;
};

static int share_test_init(struct kunit *test)
{
	struct share_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->host = mock_host_create(test);
	ctx->host->auto_answer = mock_host_obeys;
	ctx->dmabuf = mock_export(test, &ctx->exporter);
	test->priv = ctx;
	return 0;
}

static void share_test_exit(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;

	if (!ctx)
		return;
	mock_host_settle(ctx->host);
	mock_host_end(ctx->host);
	dma_buf_put(ctx->dmabuf);
	flush_delayed_fput();
}

static int fd_of(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;
	int fd;

	get_dma_buf(ctx->dmabuf);
	fd = dma_buf_fd(ctx->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	return fd;
}

static u32 import(struct kunit *test, struct drm_file *file, int fd)
{
	struct share_ctx *ctx = test->priv;
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, 0,
			vgpu_prime_fd_to_handle(ctx->host->vgpu->drm, file, fd,
						&handle));
	KUNIT_EXPECT_NE(test, handle, 0);
	return handle;
}

/* Exports a handle that was imported; is it the buffer that was? */
static void expect_the_same(struct kunit *test, struct drm_file *file,
			    u32 handle)
{
	struct share_ctx *ctx = test->priv;
	struct dma_buf *again;
	int fd = -1;

	KUNIT_ASSERT_EQ(test, 0,
			vgpu_prime_handle_to_fd(ctx->host->vgpu->drm, file,
						handle, O_CLOEXEC | O_RDWR,
						&fd));
	again = dma_buf_get(fd);
	close_fd(fd);
	KUNIT_EXPECT_PTR_EQ(test, again, ctx->dmabuf);
	if (!IS_ERR(again))
		dma_buf_put(again);
}

/*
 * Succeeds if an imported handle gives the dma-buf that it came from, in each file that
 * has it, and what comes in twice is one handle. Broken by exporting the object, as if it
 * were the device's own.
 */
static void import_is_exported(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;
	struct drm_file *one = mock_host_open(test, ctx->host);
	struct drm_file *two = mock_host_open(test, ctx->host);
	int fd = fd_of(test);
	u32 first = import(test, one, fd), second = import(test, two, fd);

	KUNIT_EXPECT_EQ(test, import(test, one, fd), first);
	close_fd(fd);
	expect_the_same(test, one, first);
	expect_the_same(test, two, second);

	/* and again, when nothing of the first time is left to be found */
	drm_gem_handle_delete(one, first);
	expect_the_same(test, two, second);
	drm_gem_handle_delete(two, second);
	mock_host_settle(ctx->host);
	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->dmabuf->attachments));
}

/*
 * Succeeds if the kernel can map an imported buffer, and sees what the exporter does.
 * Broken by having no function for it, and by mapping pages that an import has not.
 */
static void import_is_vmapped(struct kunit *test)
{
	struct share_ctx *ctx = test->priv;
	struct iosys_map map = {};
	struct drm_gem_object *obj;
	u32 *there = page_address(ctx->exporter.page);

	obj = vgpu_prime_import(ctx->host->vgpu->drm, ctx->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, drm_gem_vmap_unlocked(obj, &map), 0);
	KUNIT_EXPECT_EQ(test, ctx->exporter.vmapped, 1);
	iosys_map_wr(&map, 0, u32, PATTERN);
	KUNIT_EXPECT_EQ(test, *there, PATTERN);
	*there = ~PATTERN;
	KUNIT_EXPECT_EQ(test, iosys_map_rd(&map, 0, u32), ~PATTERN);
	/* no device looks at it for that */
	KUNIT_EXPECT_EQ(test, ctx->exporter.mapped, 0);

	drm_gem_vunmap_unlocked(obj, &map);
	KUNIT_EXPECT_EQ(test, ctx->exporter.vmapped, 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	drm_gem_object_put(obj);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(import_is_exported),
	KUNIT_CASE(import_is_vmapped),
	{}
};

static struct kunit_suite share_suite = {
	.name = "virtio_gpu_import_share",
	.init = share_test_init,
	.exit = share_test_exit,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);
