// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime handle tests
 *
 * The two ioctls as a process sees them: which handle and which dma-buf come
 * back on which file in which order of events, for how long an object finds
 * its dma-buf, and what each bad argument is answered with.
 */

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/fdtable.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>

#include <kunit/test.h>

#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

/**
 * struct handle_ctx - two devices with an open file each
 * @exporter: a device
 * @importer: another device
 * @efile: file of @exporter
 * @ifile: file of @importer
 */
struct handle_ctx {
	struct prime_mock *exporter;
	struct prime_mock *importer;
	struct drm_file *efile;
	struct drm_file *ifile;
};

static int handle_init(struct kunit *test)
{
	struct handle_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = prime_mock_create(test, "exporter");
	ctx->importer = prime_mock_create(test, "importer");
	ctx->efile = prime_mock_open(test, ctx->exporter);
	ctx->ifile = prime_mock_open(test, ctx->importer);
	test->priv = ctx;
	return 0;
}

/* Tests close what they made, so nothing may be left of it. */
static void handle_exit(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;

	if (!ctx)
		return;
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->importer->objects));
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->exporter->objects));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->efile->object_idr));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->ifile->object_idr));
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&ctx->efile->prime.by_dma_buf));
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&ctx->ifile->prime.by_dma_buf));
}

static void close_handle(struct kunit *test, struct drm_file *file, u32 handle)
{
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(file, handle), 0);
}

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
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int one = prime_mock_export(test, ctx->efile, handle);
	int two = prime_mock_export(test, ctx->efile, handle);

	KUNIT_EXPECT_NE(test, one, two);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, one),
			    prime_mock_dma_buf(test, two));
	prime_mock_close_fd(one);
	prime_mock_close_fd(two);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if an object gives the same dma-buf on every file it is open on. */
static void export_from_two_files(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
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
	close_handle(test, ctx->efile, here);
	close_handle(test, other, there);
}

/* Succeeds if a dma-buf gives one handle, however often it is imported. */
static void import_twice(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 one = prime_mock_import(test, ctx->ifile, fd);
	u32 two = prime_mock_import(test, ctx->ifile, fd);

	KUNIT_EXPECT_EQ(test, one, two);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->importer->objects), 1);
	prime_mock_close_fd(fd);
	close_handle(test, ctx->ifile, one);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if a file gets its own handle back for what it exported. */
static void import_own_handle(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);

	KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, fd), handle);
	prime_mock_close_fd(fd);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if another file of the device gets the same object. */
static void import_on_other_file(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	struct drm_file *other = prime_mock_open(test, ctx->exporter);
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 there = prime_mock_import(test, other, fd);

	KUNIT_EXPECT_PTR_EQ(test, prime_mock_peek(test, other, there),
			    prime_mock_peek(test, ctx->efile, handle));
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->exporter->objects), 1);
	prime_mock_close_fd(fd);
	close_handle(test, other, there);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if an imported object is exported as the buffer it came from. */
static void reexport_is_original(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
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
	close_handle(test, ctx->ifile, there);
	close_handle(test, ctx->efile, handle);
}

/*
 * Succeeds if that also holds for a handle that did not come from the import
 * itself, and so is not in the cache.
 */
static void reexport_by_second_handle(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 there = prime_mock_import(test, ctx->ifile, fd);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->ifile, there);
	u32 second;
	int again;

	drm_gem_object_get(obj);
	close_handle(test, ctx->ifile, there);
	/* the import's own link is gone with its last handle */
	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	second = plain_handle(test, ctx->ifile, obj);
	drm_gem_object_put(obj);

	again = prime_mock_export(test, ctx->ifile, second);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, fd),
			    prime_mock_dma_buf(test, again));
	prime_mock_close_fd(fd);
	prime_mock_close_fd(again);
	close_handle(test, ctx->ifile, second);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if a closed handle is forgotten and its number is not mistaken. */
static void closed_handle_is_forgotten(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct drm_gem_object *obj = prime_mock_peek(test, ctx->efile, handle);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 reused, again;
	int other;

	close_handle(test, ctx->efile, handle);
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
	close_handle(test, ctx->efile, reused);
	close_handle(test, ctx->efile, again);
}

/* Succeeds if a foreign buffer is imported anew after its handle is closed. */
static void reimport_after_close(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct dma_buf *dma_buf = prime_mock_dma_buf(test, fd);
	int round;

	for (round = 0; round < 3; round++) {
		u32 there = prime_mock_import(test, ctx->ifile, fd);

		KUNIT_EXPECT_EQ(test, prime_mock_attachments(dma_buf), 1);
		close_handle(test, ctx->ifile, there);
		KUNIT_EXPECT_EQ(test, prime_mock_attachments(dma_buf), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&ctx->importer->objects), 0);
	}
	prime_mock_close_fd(fd);
	close_handle(test, ctx->efile, handle);
}

/*
 * Succeeds if an object refers to its dma-buf from the export on until its
 * last handle is closed, and not longer, even though the buffer lives on.
 */
static void object_link_lifetime(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
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
	KUNIT_EXPECT_EQ(test, file_count(dma_buf->file), 3);

	second = plain_handle(test, ctx->efile, obj);
	close_handle(test, ctx->efile, handle);
	KUNIT_EXPECT_PTR_EQ(test, obj->dma_buf, dma_buf);
	close_handle(test, ctx->efile, second);
	KUNIT_EXPECT_NULL(test, obj->dma_buf);
	KUNIT_EXPECT_EQ(test, file_count(dma_buf->file), 1);

	/* a handle that is made of the buffer finds it again */
	handle = prime_mock_import(test, ctx->efile, fd);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_peek(test, ctx->efile, handle),
			    obj);
	KUNIT_EXPECT_PTR_EQ(test, obj->dma_buf, dma_buf);
	prime_mock_close_fd(fd);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if of two handles for a buffer the older is preferred, then both go. */
static void two_handles_one_buffer(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
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
	close_handle(test, ctx->efile, handle);
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, fd),
				more[i]);
		close_handle(test, ctx->efile, more[i]);
		prime_mock_close_fd(fds[i]);
	}
	prime_mock_close_fd(fd);
}

/* Succeeds if many buffers, closed out of order, keep their own handles. */
static void many_buffers(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
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
	/* 37 is prime: every index once, in leaps */
	for (i = 0; i < nr; i++) {
		k = i * 11 % nr;
		KUNIT_EXPECT_EQ(test, there[k],
				prime_mock_import(test, ctx->ifile, fd[k]));
		close_handle(test, ctx->ifile, there[k]);
		back = prime_mock_import(test, ctx->efile, fd[k]);
		KUNIT_EXPECT_EQ(test, back, here[k]);
		close_handle(test, ctx->efile, here[k]);
		prime_mock_close_fd(fd[k]);
	}
}

/* Succeeds if the close-on-exec flag of the descriptor is as asked for. */
static void export_flags(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	struct drm_prime_handle args = { .flags = 0 };
	bool without, with;
	int fd;

	args.handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	fd = prime_mock_export(test, ctx->efile, args.handle);
	KUNIT_ASSERT_EQ(test, 0,
			prime_mock_ioctl(test, ctx->efile,
					 DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	spin_lock(&current->files->file_lock);
	with = close_on_exec(fd, current->files);
	without = close_on_exec(args.fd, current->files);
	spin_unlock(&current->files->file_lock);
	KUNIT_EXPECT_TRUE(test, with);
	KUNIT_EXPECT_FALSE(test, without);
	prime_mock_close_fd(fd);
	prime_mock_close_fd(args.fd);
	close_handle(test, ctx->efile, args.handle);
}

struct bad_export_param {
	const char *name;
	u32 handle;
	u32 flags;
	bool full;
	int error;
};

/* Handle 1 is a good one. The last three say which check comes first. */
static const struct bad_export_param bad_export_params[] = {
	{ "lowest unknown flag", 1, 4, false, -EINVAL },
	{ "all flags", 1, ~0u, false, -EINVAL },
	{ "handle 0", 0, DRM_RDWR, false, -ENOENT },
	{ "handle never given", 2, DRM_RDWR, false, -ENOENT },
	{ "highest handle", ~0u, 0, false, -ENOENT },
	{ "no descriptor left", 1, DRM_RDWR, true, -EMFILE },
	{ "flag before handle", 99, 4, false, -EINVAL },
	{ "flag before descriptor", 1, 4, true, -EINVAL },
	{ "descriptor before handle", 99, 0, true, -EMFILE },
};

KUNIT_ARRAY_PARAM_DESC(bad_export, bad_export_params, name);

/* Succeeds if a bad export has the documented error and changes nothing. */
static void bad_export(struct kunit *test)
{
	const struct bad_export_param *param = test->param_value;
	struct rlimit *nofile = &current->signal->rlim[RLIMIT_NOFILE];
	struct handle_ctx *ctx = test->priv;
	unsigned long before = nofile->rlim_cur;
	struct drm_prime_handle args = {
		.handle = param->handle,
		.flags = param->flags,
		.fd = -77,
	};
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int ret;

	if (param->full)
		nofile->rlim_cur = 0;
	ret = prime_mock_ioctl(test, ctx->efile, DRM_IOCTL_PRIME_HANDLE_TO_FD,
			       &args);
	nofile->rlim_cur = before;

	KUNIT_EXPECT_EQ(test, ret, param->error);
	KUNIT_EXPECT_EQ(test, args.fd, -77);
	KUNIT_EXPECT_EQ(test, args.handle, param->handle);
	KUNIT_EXPECT_EQ(test, args.flags, param->flags);
	KUNIT_EXPECT_NULL(test,
			  prime_mock_peek(test, ctx->efile, handle)->dma_buf);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if a descriptor that is not open is told apart from a wrong one. */
static void bad_import(struct kunit *test)
{
	static const struct file_operations no_dma_buf = {
		.owner = THIS_MODULE,
	};
	struct handle_ctx *ctx = test->priv;
	struct drm_prime_handle args = { .handle = 77, .fd = -1 };
	int fd;

	KUNIT_EXPECT_EQ(test, -EBADF,
			prime_mock_ioctl(test, ctx->ifile,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	args.fd = INT_MAX;
	KUNIT_EXPECT_EQ(test, -EBADF,
			prime_mock_ioctl(test, ctx->ifile,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));

	fd = anon_inode_getfd("[not-a-dma-buf]", &no_dma_buf, NULL, O_RDWR);
	KUNIT_ASSERT_GE(test, fd, 0);
	args.fd = fd;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			prime_mock_ioctl(test, ctx->ifile,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	prime_mock_close_fd(fd);
	KUNIT_EXPECT_EQ(test, args.handle, 77);
	KUNIT_EXPECT_EQ(test, args.fd, fd);
}

/* Succeeds if import ignores the flags, as it always has. */
static void import_ignores_flags(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct drm_prime_handle args = { .fd = fd, .flags = ~0u };

	KUNIT_EXPECT_EQ(test, 0,
			prime_mock_ioctl(test, ctx->ifile,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	prime_mock_close_fd(fd);
	close_handle(test, ctx->ifile, args.handle);
	close_handle(test, ctx->efile, handle);
}

static struct dma_buf *refuse_export(struct drm_gem_object *obj, int flags)
{
	return ERR_PTR(-EUCLEAN);
}

/* Succeeds if a driver may refuse one export and allow the next. */
static void export_refused(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	struct drm_prime_handle args = { .fd = -77 };
	int fd;

	args.handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	ctx->exporter->funcs.export = refuse_export;
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			prime_mock_ioctl(test, ctx->efile,
					 DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	KUNIT_EXPECT_EQ(test, args.fd, -77);

	ctx->exporter->funcs.export = NULL;
	fd = prime_mock_export(test, ctx->efile, args.handle);
	prime_mock_close_fd(fd);
	close_handle(test, ctx->efile, args.handle);
}

static struct drm_gem_object *refuse_import(struct drm_device *dev,
					    struct dma_buf *dma_buf)
{
	lockdep_assert_held(&dev->object_name_lock);
	return ERR_PTR(-EUCLEAN);
}

/* Succeeds if a driver's own import is used, even for its own buffers. */
static void driver_import(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	struct drm_file *other = prime_mock_open(test, ctx->exporter);
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct drm_prime_handle args = { .fd = fd };

	ctx->exporter->driver.gem_prime_import = refuse_import;
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			prime_mock_ioctl(test, other,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	/* not asked for what the file knows */
	KUNIT_EXPECT_EQ(test, prime_mock_import(test, ctx->efile, fd), handle);
	prime_mock_close_fd(fd);
	close_handle(test, ctx->efile, handle);
}

static int driver_to_fd(struct drm_device *dev, struct drm_file *file,
			u32 handle, u32 flags, int *fd)
{
	*fd = handle + flags;
	return 0;
}

static int driver_to_handle(struct drm_device *dev, struct drm_file *file,
			    int fd, u32 *handle)
{
	*handle = fd + 1;
	return 0;
}

/* Succeeds if a driver's own conversions are used, after the flag check. */
static void driver_conversions(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	struct drm_prime_handle args = {
		.handle = 40,
		.flags = DRM_RDWR,
	};

	ctx->exporter->driver.prime_handle_to_fd = driver_to_fd;
	ctx->exporter->driver.prime_fd_to_handle = driver_to_handle;
	KUNIT_EXPECT_EQ(test, 0,
			prime_mock_ioctl(test, ctx->efile,
					 DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	KUNIT_EXPECT_EQ(test, args.fd, 40 + DRM_RDWR);
	KUNIT_EXPECT_EQ(test, 0,
			prime_mock_ioctl(test, ctx->efile,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	KUNIT_EXPECT_EQ(test, args.handle, 41 + DRM_RDWR);

	args.flags = 4;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			prime_mock_ioctl(test, ctx->efile,
					 DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
}

/* Succeeds if a device without GEM has no handles, and no locks are missed. */
static void no_gem(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	struct prime_mock *plain;
	struct drm_file *file;
	struct drm_prime_handle args = { .handle = 1, .fd = -1 };
	u32 handle;
	int fd;

	plain = prime_mock_create_features(test, "plain", 0);
	file = prime_mock_open(test, plain);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			prime_mock_ioctl(test, file,
					 DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	KUNIT_EXPECT_EQ(test, -EBADF,
			prime_mock_ioctl(test, file,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));

	handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	fd = prime_mock_export(test, ctx->efile, handle);
	args.fd = fd;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			prime_mock_ioctl(test, file,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	prime_mock_close_fd(fd);
	close_handle(test, ctx->efile, handle);
}

/* Succeeds if a kernel client gets the buffer and no descriptor is used up. */
static void kernel_client(struct kunit *test)
{
	struct handle_ctx *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	struct dma_buf *dma_buf;
	int before, after;

	before = get_unused_fd_flags(0);
	put_unused_fd(before);
	dma_buf = drm_gem_prime_handle_to_dmabuf(&ctx->exporter->drm,
						 ctx->efile, handle, DRM_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	after = get_unused_fd_flags(0);
	put_unused_fd(after);
	KUNIT_EXPECT_EQ(test, before, after);
	KUNIT_EXPECT_EQ(test, file_count(dma_buf->file), 3);
	dma_buf_put(dma_buf);
	close_handle(test, ctx->efile, handle);
	dma_buf = drm_gem_prime_handle_to_dmabuf(&ctx->exporter->drm,
						 ctx->efile, handle, DRM_RDWR);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -ENOENT);
}

static struct kunit_case prime_handle_cases[] = {
	KUNIT_CASE(export_twice),
	KUNIT_CASE(export_from_two_files),
	KUNIT_CASE(import_twice),
	KUNIT_CASE(import_own_handle),
	KUNIT_CASE(import_on_other_file),
	KUNIT_CASE(reexport_is_original),
	KUNIT_CASE(reexport_by_second_handle),
	KUNIT_CASE(closed_handle_is_forgotten),
	KUNIT_CASE(reimport_after_close),
	KUNIT_CASE(object_link_lifetime),
	KUNIT_CASE(two_handles_one_buffer),
	KUNIT_CASE(many_buffers),
	KUNIT_CASE(export_flags),
	KUNIT_CASE_PARAM(bad_export, bad_export_gen_params),
	KUNIT_CASE(bad_import),
	KUNIT_CASE(import_ignores_flags),
	KUNIT_CASE(export_refused),
	KUNIT_CASE(driver_import),
	KUNIT_CASE(driver_conversions),
	KUNIT_CASE(no_gem),
	KUNIT_CASE(kernel_client),
	{},
};

static struct kunit_suite prime_handle_suite = {
	.name = "drm_prime_handle",
	.init = handle_init,
	.exit = handle_exit,
	.test_cases = prime_handle_cases,
};

kunit_test_suite(prime_handle_suite);
