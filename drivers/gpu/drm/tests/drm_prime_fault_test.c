// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime tests out of memory
 *
 * Each allocation of each conversion between handles, descriptors and objects fails
 * once: in the bridge, in the core below it, in the drivers on both sides. Nothing
 * of the attempt may be left on either device, and the same conversion must work
 * with memory.
 */

#include <linux/dma-buf.h>

#include <drm/drm_prime.h>

#include "drm_prime_fault.h"
#include "drm_prime_mock.h"

/* drm_gem_prime_export() */

static int prime_export_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->made = drm_gem_prime_export(ctx->obj, O_RDWR);
	return PTR_ERR_OR_ZERO(ctx->made);
}

static void prime_export_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	struct dma_buf *dma_buf = ctx->made;

	KUNIT_EXPECT_EQ(test, dma_buf->size, ctx->obj->size);
	dma_buf_put(dma_buf);
}

/* drm_gem_prime_handle_to_dmabuf() */

static int to_dmabuf_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->made = drm_gem_prime_handle_to_dmabuf(&ctx->duo->exporter->drm,
						   ctx->duo->efile, ctx->handle,
						   DRM_RDWR);
	return PTR_ERR_OR_ZERO(ctx->made);
}

static void to_dmabuf_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, ctx->obj->dma_buf, ctx->made);
	dma_buf_put(ctx->made);
}

static void to_fd_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, ctx->made_fd),
			    ctx->obj->dma_buf);
	prime_mock_close_fd(ctx->made_fd);
}

static void to_fd_refused(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_EXPECT_EQ(test, ctx->made_fd, -1);
	/* the number that was taken for the attempt is free again */
	KUNIT_EXPECT_EQ(test, fd, ctx->fd);
	put_unused_fd(fd);
	prime_fault_unexported(test);
}

/* The lowest descriptor that is free, in a table that all threads share. */
static void to_fd_prepare(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	prime_fault_object(test);
	ctx->fd = get_unused_fd_flags(O_CLOEXEC);
	KUNIT_ASSERT_GE(test, ctx->fd, 0);
	put_unused_fd(ctx->fd);
}

/* drm_gem_prime_fd_to_handle(): another device's buffer, and one's own */

static int to_handle_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	return drm_gem_prime_fd_to_handle(&ctx->duo->importer->drm,
					  ctx->duo->ifile, ctx->fd,
					  &ctx->made_handle);
}

static void to_handle_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 1);
	prime_mock_close(test, ctx->duo->ifile, ctx->made_handle);
	prime_fault_unimported(test);
}

static int own_to_handle_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	return drm_gem_prime_fd_to_handle(&ctx->duo->exporter->drm, ctx->again,
					  ctx->fd, &ctx->made_handle);
}

static void own_to_handle_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->obj->handle_count, 2);
	prime_mock_close(test, ctx->again, ctx->made_handle);
	prime_fault_unimported(test);
}

/* drm_gem_prime_import() */

static int prime_import_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->made =
		drm_gem_prime_import(&ctx->duo->importer->drm, ctx->dma_buf);
	return PTR_ERR_OR_ZERO(ctx->made);
}

static void prime_import_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 1);
	drm_gem_object_put(ctx->made);
	prime_fault_unimported(test);
}

/* The whole way back: unmap, detach, unpin, both handles */

static void back_prepare(struct kunit *test)
{
	prime_fault_buffer(test);
	KUNIT_ASSERT_EQ(test, to_handle_run(test), 0);
}

static int back_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	return drm_gem_handle_delete(ctx->duo->ifile, ctx->made_handle);
}

#define OBJECT_OP(_name, _run, _good, _least)                              \
	{                                                                  \
		.name = _name, .prepare = prime_fault_object, .run = _run, \
		.good = _good, .refused = prime_fault_unexported,          \
		.finish = prime_fault_object_finish, .least = _least       \
	}

static const struct fault_op ops[] = {
	OBJECT_OP("drm_gem_prime_export", prime_export_run, prime_export_good,
		  4),
	OBJECT_OP("drm_gem_prime_handle_to_dmabuf", to_dmabuf_run,
		  to_dmabuf_good, 5),
	{ .name = "drm_gem_prime_handle_to_fd",
	  .prepare = to_fd_prepare,
	  .run = prime_fault_to_fd,
	  .good = to_fd_good,
	  .refused = to_fd_refused,
	  .finish = prime_fault_object_finish,
	  .least = 5 },
	PRIME_FAULT_BUFFER_OP("drm_gem_prime_fd_to_handle", to_handle_run,
			      to_handle_good, 5),
	PRIME_FAULT_BUFFER_OP("drm_gem_prime_fd_to_handle, own",
			      own_to_handle_run, own_to_handle_good, 2),
	PRIME_FAULT_BUFFER_OP("drm_gem_prime_import", prime_import_run,
			      prime_import_good, 4),
	{ .name = "drm_prime_gem_destroy",
	  .prepare = back_prepare,
	  .run = back_run,
	  .good = prime_fault_unimported,
	  .finish = prime_fault_buffer_finish },
};

KUNIT_ARRAY_PARAM_DESC(op, ops, name);

/* Succeeds if it works or leaves no trace, whatever allocation fails. */
static void fault_prime(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case prime_fault_cases[] = {
	KUNIT_CASE_PARAM(fault_prime, op_gen_params),
	{},
};

static struct kunit_suite prime_fault_suite = {
	.name = "drm_prime_fault",
	.init = prime_fault_init,
	.exit = prime_fault_exit,
	.test_cases = prime_fault_cases,
};

kunit_test_suite(prime_fault_suite);
