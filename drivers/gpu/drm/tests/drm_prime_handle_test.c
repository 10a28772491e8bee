// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime handle tests
 *
 * The handle cache as a process sees it: which handle and which dma-buf come
 * back on which file in which order of events, and for how long an object
 * finds its dma-buf.
 */

#include <linux/dma-buf.h>

#include <kunit/test.h>

#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

/* A handle that came neither from an export nor from an import. */
static u32 plain_handle(struct kunit *test, struct drm_file *file,
			struct drm_gem_object *obj)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, drm_gem_handle_create(file, obj, &handle), 0);
	return handle;
}

/* Succeeds if a handle gives one dma-buf, however often it is exported. */
static void export_twice(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int one = prime_mock_export(test, ctx->efile, handle);
	int two = prime_mock_export(test, ctx->efile, handle);

	KUNIT_EXPECT_NE(test, one, two);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, one),
			    prime_mock_dma_buf(test, two));
	prime_mock_close_fd(one);
	prime_mock_close_fd(two);
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if an object gives the same dma-buf on every file it is open on. */
static void export_from_two_files(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	struct drm_file *other = prime_mock_open(test, ctx->exporter);
	u32 here = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, here);
	int one, two;
	u32 there;

	there = plain_handle(test, other, obj);
	one = prime_mock_export(test, ctx->efile, here);
	two = prime_mock_export(test, other, there);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, one),
			    prime_mock_dma_buf(test, two));
	prime_mock_close_fd(one);
	prime_mock_close_fd(two);
	prime_mock_close(test, ctx->efile, here);
	prime_mock_close(test, other, there);
}

/* Succeeds if a dma-buf gives one handle, however often it is imported. */
static void import_twice(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 one = prime_mock_import(test, ctx->ifile, fd);
	u32 two = prime_mock_import(test, ctx->ifile, fd);

	KUNIT_EXPECT_EQ(test, one, two);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->importer->objects), 1);
	prime_mock_close_fd(fd);
	prime_mock_close(test, ctx->ifile, one);
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if a file gets its own handle back for what it exported. */
static void import_own_handle(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);

	KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, fd), handle);
	prime_mock_close_fd(fd);
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if another file of the device gets the same object. */
static void import_on_other_file(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	struct drm_file *other = prime_mock_open(test, ctx->exporter);
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 there = prime_mock_import(test, other, fd);

	KUNIT_EXPECT_PTR_EQ(test, prime_mock_peek(test, other, there),
			    prime_mock_peek(test, ctx->efile, handle));
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->exporter->objects), 1);
	prime_mock_close_fd(fd);
	prime_mock_close(test, other, there);
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if an imported object is exported as the buffer it came from. */
static void reexport_is_original(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 there = prime_mock_import(test, ctx->ifile, fd);
	int again = prime_mock_export(test, ctx->ifile, there);

	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, fd),
			    prime_mock_dma_buf(test, again));
	KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, again),
			handle);
	prime_mock_close_fd(fd);
	prime_mock_close_fd(again);
	prime_mock_close(test, ctx->ifile, there);
	prime_mock_close(test, ctx->efile, handle);
}

/*
 * Succeeds if that also holds for a handle that did not come from the import
 * itself, and so is not in the cache.
 */
static void reexport_by_second_handle(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 there = prime_mock_import(test, ctx->ifile, fd);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->ifile, there);
	u32 second;
	int again;

	drm_gem_object_get(obj);
	prime_mock_close(test, ctx->ifile, there);
	/* the import's own link is gone with its last handle */
	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	second = plain_handle(test, ctx->ifile, obj);
	drm_gem_object_put(obj);

	again = prime_mock_export(test, ctx->ifile, second);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, fd),
			    prime_mock_dma_buf(test, again));
	prime_mock_close_fd(fd);
	prime_mock_close_fd(again);
	prime_mock_close(test, ctx->ifile, second);
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if a closed handle is forgotten and its number is not mistaken. */
static void no_handle_taken_for_a_closed_one(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, handle);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 reused, again;
	int other;

	prime_mock_close(test, ctx->efile, handle);
	reused = prime_mock_handle(test, ctx->exporter, ctx->efile);
	KUNIT_ASSERT_EQ(test, reused, handle);

	other = prime_mock_export(test, ctx->efile, reused);
	KUNIT_EXPECT_PTR_NE(test, prime_mock_dma_buf(test, fd),
			    prime_mock_dma_buf(test, other));
	again = prime_mock_import(test, ctx->efile, fd);
	KUNIT_EXPECT_NE(test, again, reused);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_peek(test, ctx->efile, again),
			    obj);
	prime_mock_close_fd(fd);
	prime_mock_close_fd(other);
	prime_mock_close(test, ctx->efile, reused);
	prime_mock_close(test, ctx->efile, again);
}

/* Succeeds if a foreign buffer is imported anew after its handle is closed. */
static void reimport_after_close(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct dma_buf *dma_buf = prime_mock_dma_buf(test, fd);
	int round;

	for (round = 0; round < 3; round++) {
		u32 there = prime_mock_import(test, ctx->ifile, fd);

		KUNIT_EXPECT_EQ(test, prime_mock_attachments(dma_buf), 1);
		prime_mock_close(test, ctx->ifile, there);
		KUNIT_EXPECT_EQ(test, prime_mock_attachments(dma_buf), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&ctx->importer->objects), 0);
	}
	prime_mock_close_fd(fd);
	prime_mock_close(test, ctx->efile, handle);
}

/*
 * Succeeds if an object refers to its dma-buf from the export on until its
 * last handle is closed, and not longer, even though the buffer lives on.
 */
static void no_weak_link_to_the_dma_buf(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, handle);
	struct dma_buf *dma_buf;
	u32 second;
	int fd;

	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	fd = prime_mock_export(test, ctx->efile, handle);
	dma_buf = prime_mock_dma_buf(test, fd);
	KUNIT_EXPECT_PTR_EQ(test, obj->dma_buf, dma_buf);
	/* of the descriptor, the object and the cache */
	KUNIT_ASSERT_EQ(test, file_count(dma_buf->file), 3);

	second = plain_handle(test, ctx->efile, obj);
	prime_mock_close(test, ctx->efile, handle);
	KUNIT_EXPECT_PTR_EQ(test, obj->dma_buf, dma_buf);
	prime_mock_close(test, ctx->efile, second);
	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	KUNIT_EXPECT_EQ(test, file_count(dma_buf->file), 1);

	/* a handle that is made of the buffer finds it again */
	handle = prime_mock_import(test, ctx->efile, fd);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_peek(test, ctx->efile, handle),
			    obj);
	KUNIT_EXPECT_PTR_EQ(test, obj->dma_buf, dma_buf);
	prime_mock_close_fd(fd);
	prime_mock_close(test, ctx->efile, handle);
}

/*
 * Succeeds if an object that was exported finds its dma-buf again after user
 * space has closed the descriptor, and the handle it was exported by as well.
 */
static void no_dangling_dma_buf_after_the_fd(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	struct drm_file *other = prime_mock_open(test, ctx->exporter);
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, handle);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct dma_buf *dma_buf = prime_mock_dma_buf(test, fd);
	u32 there;

	there = plain_handle(test, other, obj);
	prime_mock_close_fd(fd);
	/* of the object and the cache */
	KUNIT_ASSERT_EQ(test, file_count(dma_buf->file), 2);
	prime_mock_close(test, ctx->efile, handle);
	KUNIT_ASSERT_EQ(test, file_count(dma_buf->file), 1);
	KUNIT_ASSERT_PTR_EQ(test, obj->dma_buf, dma_buf);

	fd = prime_mock_export(test, other, there);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, fd), dma_buf);
	prime_mock_close_fd(fd);
	prime_mock_close(test, other, there);
}

/*
 * Succeeds if a handle that was exported keeps the dma-buf where the object does not, as
 * one that a driver imported on its own.
 */
static void no_weak_link_of_a_handle(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct dma_buf *dma_buf = prime_mock_dma_buf(test, fd);
	struct drm_gem_object *obj;
	long before;
	u32 there;

	obj = drm_gem_prime_import(&ctx->importer->drm, dma_buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	there = plain_handle(test, ctx->ifile, obj);
	drm_gem_object_put(obj);
	prime_mock_close_fd(fd);

	before = file_count(dma_buf->file);
	fd = prime_mock_export(test, ctx->ifile, there);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, fd), dma_buf);
	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	prime_mock_close_fd(fd);
	KUNIT_EXPECT_EQ(test, file_count(dma_buf->file), before + 1);
	prime_mock_close(test, ctx->ifile, there);
	prime_mock_close(test, ctx->efile, handle);
}

static unsigned int swap_handle_count(struct drm_gem_object *obj,
				      unsigned int count)
{
	mutex_lock(&obj->dev->object_name_lock);
	swap(obj->handle_count, count);
	mutex_unlock(&obj->dev->object_name_lock);
	return count;
}

/*
 * Succeeds if an object whose last handle is gone is not exported: object and
 * dma-buf would keep each other for good.
 */
static void no_loop_without_a_handle(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, handle);
	struct dma_buf *dma_buf;
	unsigned int count;

	count = swap_handle_count(obj, 0);
	dma_buf = drm_gem_prime_handle_to_dmabuf(&ctx->exporter->drm,
						 ctx->efile, handle, DRM_RDWR);
	swap_handle_count(obj, count);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -ENOENT);
	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	KUNIT_EXPECT_EQ(test, ctx->efile->prime.count, 0);
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if of two handles for a buffer the older is preferred, then both go. */
static void two_handles_one_buffer(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, handle);
	int fd = prime_mock_export(test, ctx->efile, handle);
	int fds[3];
	u32 more[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		more[i] = plain_handle(test, ctx->efile, obj);
		fds[i] = prime_mock_export(test, ctx->efile, more[i]);
		KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, fd),
				handle);
	}
	prime_mock_close(test, ctx->efile, handle);
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, fd),
				more[i]);
		prime_mock_close(test, ctx->efile, more[i]);
		prime_mock_close_fd(fds[i]);
	}
	prime_mock_close_fd(fd);
}

/* Succeeds if many buffers, closed out of order, keep their own handles. */
static void many_buffers(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 here[37], there[37];
	const int nr = ARRAY_SIZE(here);
	int fd[37];
	int i, k;
	u32 back;

	for (i = 0; i < nr; i++) {
		here[i] = prime_mock_handle(test, ctx->exporter, ctx->efile);
		fd[i] = prime_mock_export(test, ctx->efile, here[i]);
		there[i] = prime_mock_import(test, ctx->ifile, fd[i]);
	}
	/* or to find one would take longer among many */
	KUNIT_EXPECT_GE(test, BIT(ctx->efile->prime.bits), nr);
	/* 37 is prime: every index once, in leaps */
	for (i = 0; i < nr; i++) {
		k = i * 11 % nr;
		KUNIT_EXPECT_EQ(test, there[k],
				prime_mock_import(test, ctx->ifile, fd[k]));
		prime_mock_close(test, ctx->ifile, there[k]);
		back = prime_mock_import(test, ctx->efile, fd[k]);
		KUNIT_EXPECT_EQ(test, back, here[k]);
		prime_mock_close(test, ctx->efile, here[k]);
		prime_mock_close_fd(fd[k]);
	}
}

static struct kunit_case prime_handle_cases[] = {
	KUNIT_CASE(export_twice),
	KUNIT_CASE(export_from_two_files),
	KUNIT_CASE(import_twice),
	KUNIT_CASE(import_own_handle),
	KUNIT_CASE(import_on_other_file),
	KUNIT_CASE(reexport_is_original),
	KUNIT_CASE(reexport_by_second_handle),
	KUNIT_CASE(no_handle_taken_for_a_closed_one),
	KUNIT_CASE(reimport_after_close),
	KUNIT_CASE(no_weak_link_to_the_dma_buf),
	KUNIT_CASE(no_dangling_dma_buf_after_the_fd),
	KUNIT_CASE(no_weak_link_of_a_handle),
	KUNIT_CASE(no_loop_without_a_handle),
	KUNIT_CASE(two_handles_one_buffer),
	KUNIT_CASE(many_buffers),
	{},
};

static struct kunit_suite prime_handle_suite = {
	.name = "drm_prime_handle",
	.init = prime_mock_duo_init,
	.exit = prime_mock_duo_exit,
	.test_cases = prime_handle_cases,
};

kunit_test_suite(prime_handle_suite);
