// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime race tests
 *
 * Handles are small numbers, so a process can close one that another of its
 * threads is just exporting, or is about to be given. Each test stops one
 * thread in the middle of a conversion, in a driver callback, has another
 * close the handle, and checks that neither a stale pair nor a wrong handle
 * results. One has the storage revoked meanwhile, as an exporter may at any time.
 */

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

#define GUESSES	  60000
#define GUESS_GAP 1000
#define REVOKES	  20
#define IMPORTS	  1000

/**
 * struct closer - closes a handle from another thread
 * @work: the thread
 * @file: file of the handle
 * @handle: the handle
 * @started: the thread runs
 * @done: the thread is through
 * @ret: what closing returned
 */
struct closer {
	struct work_struct work;
	struct drm_file *file;
	u32 handle;
	struct completion started;
	struct completion done;
	int ret;
};

/* Tries until the handle exists, as one who guesses would. */
static void closer_work(struct work_struct *work)
{
	struct closer *closer = container_of(work, struct closer, work);
	int i;

	complete(&closer->started);
	for (i = 0; i < GUESSES; i++) {
		closer->ret =
			drm_gem_handle_delete(closer->file, closer->handle);
		if (!closer->ret)
			break;
		usleep_range(GUESS_GAP, 2 * GUESS_GAP);
	}
	complete(&closer->done);
}

static void closer_start(struct closer *closer)
{
	queue_work(system_unbound_wq, &closer->work);
	wait_for_completion(&closer->started);
}

static void closer_init(struct closer *closer, struct drm_file *file,
			u32 handle)
{
	INIT_WORK(&closer->work, closer_work);
	init_completion(&closer->started);
	init_completion(&closer->done);
	closer->file = file;
	closer->handle = handle;
	closer->ret = -EINVAL;
}

static void closer_finish(struct kunit *test, struct closer *closer)
{
	flush_work(&closer->work);
	KUNIT_EXPECT_EQ(test, closer->ret, 0);
}

/**
 * struct race_ctx - two devices, and the race
 * @exporter: a device
 * @importer: another device
 * @efile: file of @exporter
 * @ifile: file of @importer
 * @closer: the other thread
 * @closed_early: it was through before the callback returned
 */
struct race_ctx {
	struct prime_mock *exporter;
	struct prime_mock *importer;
	struct drm_file *efile;
	struct drm_file *ifile;
	struct closer closer;
	bool closed_early;
};

/* For the callback that has no other way to its test. */
static struct race_ctx *racing;

static int race_init(struct kunit *test)
{
	struct race_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = prime_mock_create(test, "exporter");
	ctx->importer = prime_mock_create(test, "importer");
	ctx->efile = prime_mock_open(test, ctx->exporter);
	ctx->ifile = prime_mock_open(test, ctx->importer);
	test->priv = ctx;
	racing = ctx;
	return 0;
}

static void race_exit(struct kunit *test)
{
	struct race_ctx *ctx = test->priv;

	racing = NULL;
	if (!ctx)
		return;
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->importer->objects));
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->exporter->objects));
}

/* Export while another thread closes the handle. */
static struct dma_buf *export_while_closing(struct drm_gem_object *obj,
					    int flags)
{
	struct race_ctx *ctx = racing;

	closer_start(&ctx->closer);
	/* time for it to get as far as it can */
	ctx->closed_early =
		wait_for_completion_timeout(&ctx->closer.done, HZ / 10);
	return drm_gem_prime_export(obj, flags);
}

/*
 * Succeeds if closing a handle waits for the export of it, and then removes
 * what the export has put into the cache.
 */
static void no_stale_pair_after_close_in_export(struct kunit *test)
{
	struct race_ctx *ctx = test->priv;
	struct drm_gem_object *obj;
	u32 handle, again;
	int fd;

	handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	obj = prime_mock_peek(test, ctx->efile, handle);
	ctx->exporter->funcs.export = export_while_closing;
	closer_init(&ctx->closer, ctx->efile, handle);

	fd = prime_mock_export(test, ctx->efile, handle);
	closer_finish(test, &ctx->closer);
	KUNIT_EXPECT_FALSE(test, ctx->closed_early);

	/* no handle, so no pair, and no link that would never be broken */
	KUNIT_EXPECT_EQ(test, ctx->efile->prime.count, 0);
	KUNIT_EXPECT_NULL(test, obj->dma_buf);

	again = prime_mock_import(test, ctx->efile, fd);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_peek(test, ctx->efile, again),
			    obj);
	prime_mock_close_fd(fd);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(ctx->efile, again), 0);
}

static void start_guessing(struct drm_file *file, void *data)
{
	closer_start(data);
}

/*
 * Succeeds if a handle that is closed the moment it exists, before the import
 * that makes it has returned, is not remembered.
 */
static void no_stale_pair_after_close_in_import(struct kunit *test)
{
	struct race_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct dma_buf *dma_buf = prime_mock_dma_buf(test, fd);
	u32 guessed, again;

	/* the lowest free number, that much is known */
	closer_init(&ctx->closer, ctx->ifile, 1);
	ctx->importer->in_open = start_guessing;
	ctx->importer->in_open_data = &ctx->closer;
	guessed = prime_mock_import(test, ctx->ifile, fd);
	closer_finish(test, &ctx->closer);
	KUNIT_EXPECT_EQ(test, guessed, 1);
	ctx->importer->in_open = NULL;

	KUNIT_EXPECT_EQ(test, ctx->ifile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(dma_buf), 0);

	again = prime_mock_import(test, ctx->ifile, fd);
	KUNIT_EXPECT_NOT_NULL(test, prime_mock_peek(test, ctx->ifile, again));
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(ctx->ifile, again), 0);
	prime_mock_close_fd(fd);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(ctx->efile, handle), 0);
}

/**
 * struct second - a second import at the same time
 * @work: the thread
 * @dev: device to import into
 * @file: file to import on
 * @fd: what to import
 * @handle: what it got
 * @ret: what importing returned
 */
struct second {
	struct work_struct work;
	struct drm_device *dev;
	struct drm_file *file;
	int fd;
	u32 handle;
	int ret;
};

static void second_work(struct work_struct *work)
{
	struct second *second = container_of(work, struct second, work);

	second->ret = drm_gem_prime_fd_to_handle(second->dev, second->file,
						 second->fd, &second->handle);
}

static void start_second(struct drm_file *file, void *data)
{
	struct second *second = data;

	if (!queue_work(system_unbound_wq, &second->work))
		return;
	/* time for it to import, were it not made to wait */
	msleep(50);
}

/* Succeeds if two threads that import one buffer get one handle. */
static void no_second_handle_in_two_imports(struct kunit *test)
{
	struct race_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct second second = {
		.dev = &ctx->importer->drm,
		.file = ctx->ifile,
		.fd = fd,
	};
	u32 there;

	INIT_WORK_ONSTACK(&second.work, second_work);
	ctx->importer->in_open = start_second;
	ctx->importer->in_open_data = &second;
	there = prime_mock_import(test, ctx->ifile, fd);
	flush_work(&second.work);
	destroy_work_on_stack(&second.work);

	KUNIT_EXPECT_EQ(test, second.ret, 0);
	KUNIT_EXPECT_EQ(test, second.handle, there);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->importer->objects), 1);

	prime_mock_close_fd(fd);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(ctx->ifile, there), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(ctx->efile, handle), 0);
}

/**
 * struct late - an export that comes too late
 * @work: the thread
 * @dev: device of the handle
 * @file: file of the handle
 * @handle: the handle
 * @dma_buf: what exporting returned
 */
struct late {
	struct work_struct work;
	struct drm_device *dev;
	struct drm_file *file;
	u32 handle;
	struct dma_buf *dma_buf;
};

static void late_work(struct work_struct *work)
{
	struct late *late = container_of(work, struct late, work);

	late->dma_buf = drm_gem_prime_handle_to_dmabuf(late->dev, late->file,
						       late->handle, DRM_RDWR);
}

/* As the closing of a handle begins, or as if it had not. */
static void *replace_object(struct drm_file *file, u32 handle, void *obj)
{
	void *old;

	spin_lock(&file->table_lock);
	old = idr_replace(&file->object_idr, obj, handle);
	spin_unlock(&file->table_lock);
	return old;
}

/*
 * Succeeds if an export that had to wait does not use what the handle stood
 * for before it waited. Closing is done by hand, so that it is over first.
 */
static void no_export_of_a_closed_handle(struct kunit *test)
{
	struct race_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct late late = {
		.dev = &ctx->exporter->drm,
		.file = ctx->efile,
		.handle = handle,
	};
	void *obj;

	INIT_WORK_ONSTACK(&late.work, late_work);
	mutex_lock(&ctx->efile->prime.lock);
	queue_work(system_unbound_wq, &late.work);
	/* time for it to come as far as the lock */
	msleep(50);
	obj = replace_object(ctx->efile, handle, NULL);
	mutex_unlock(&ctx->efile->prime.lock);
	flush_work(&late.work);
	destroy_work_on_stack(&late.work);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(late.dma_buf), -ENOENT);
	if (!IS_ERR(late.dma_buf))
		dma_buf_put(late.dma_buf);
	KUNIT_EXPECT_EQ(test, ctx->efile->prime.count, 0);

	replace_object(ctx->efile, handle, obj);
	prime_mock_close(test, ctx->efile, handle);
}

/**
 * struct revoker - takes the storage of a buffer away from another thread
 * @work: the thread
 * @dma_buf: the buffer
 * @go: when to
 */
struct revoker {
	struct work_struct work;
	struct dma_buf *dma_buf;
	struct completion go;
};

static void revoker_work(struct work_struct *work)
{
	struct revoker *revoker = container_of(work, struct revoker, work);

	wait_for_completion(&revoker->go);
	dma_buf_revoke(revoker->dma_buf);
}

static void revoke_soon(struct drm_file *file, void *data)
{
	struct revoker *revoker = data;

	complete(&revoker->go);
}

/* Imports and closes for as long as that works. */
static void import_until_revoked(struct kunit *test, int fd,
				 struct revoker *revoker)
{
	struct race_ctx *ctx = test->priv;
	struct drm_gem_object *obj;
	unsigned int imports;
	u32 handle;
	int ret = 0;

	for (imports = 0; imports < IMPORTS; imports++) {
		ret = drm_gem_prime_fd_to_handle(&ctx->importer->drm,
						 ctx->ifile, fd, &handle);
		if (ret)
			break;
		/* what was imported before works on, to the end */
		obj = prime_mock_peek(test, ctx->ifile, handle);
		KUNIT_EXPECT_NOT_NULL(test, obj);
		KUNIT_EXPECT_EQ(test, 0,
				drm_gem_handle_delete(ctx->ifile, handle));
		cond_resched();
	}
	KUNIT_EXPECT_GE(test, imports, 1);
	if (ret)
		KUNIT_EXPECT_EQ(test, ret, -ENODEV);

	flush_work(&revoker->work);
	ret = drm_gem_prime_fd_to_handle(&ctx->importer->drm, ctx->ifile, fd,
					 &handle);
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
}

/*
 * Succeeds if storage that is revoked while it is imported, and its handles closed,
 * is imported as a whole or not at all, and then never again. The other thread begins
 * when the first handle is made, so that it meets an import, or the end of one.
 */
static void revoke_in_import_and_close(struct kunit *test)
{
	struct race_ctx *ctx = test->priv;
	struct revoker revoker;
	unsigned int round;

	for (round = 0; round < REVOKES; round++) {
		u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
		int fd = prime_mock_export(test, ctx->efile, handle);

		revoker.dma_buf = prime_mock_dma_buf(test, fd);
		init_completion(&revoker.go);
		INIT_WORK_ONSTACK(&revoker.work, revoker_work);
		queue_work(system_unbound_wq, &revoker.work);
		ctx->importer->in_open = revoke_soon;
		ctx->importer->in_open_data = &revoker;

		import_until_revoked(test, fd, &revoker);
		destroy_work_on_stack(&revoker.work);
		ctx->importer->in_open = NULL;

		KUNIT_EXPECT_EQ(test, 0,
				prime_mock_attachments(revoker.dma_buf));
		KUNIT_EXPECT_GT(test, dma_buf_revoke_wait(revoker.dma_buf, HZ),
				0);
		KUNIT_EXPECT_EQ(test, ctx->ifile->prime.count, 0);
		prime_mock_close_fd(fd);
		prime_mock_close(test, ctx->efile, handle);
	}
}

static struct kunit_case prime_race_cases[] = {
	KUNIT_CASE(no_export_of_a_closed_handle),
	KUNIT_CASE(no_stale_pair_after_close_in_export),
	KUNIT_CASE(no_stale_pair_after_close_in_import),
	KUNIT_CASE(no_second_handle_in_two_imports),
	KUNIT_CASE(revoke_in_import_and_close),
	{},
};

static struct kunit_suite prime_race_suite = {
	.name = "drm_prime_race",
	.init = race_init,
	.exit = race_exit,
	.test_cases = prime_race_cases,
};

kunit_test_suite(prime_race_suite);
