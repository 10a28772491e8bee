// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime ioctl tests
 *
 * The arguments of the two ioctls: what each flag does, what each bad argument
 * is answered with and which of two is noticed first, that nothing changes
 * then, and which of a driver's own callbacks takes over when.
 */

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/fdtable.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>

#include <kunit/test.h>

#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

/* Succeeds if the close-on-exec flag of the descriptor is as asked for. */
static void export_flags(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
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
	prime_mock_close(test, ctx->efile, args.handle);
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
	struct prime_mock_duo *ctx = test->priv;
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
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if a descriptor that is not open is told apart from a wrong one. */
static void bad_import(struct kunit *test)
{
	static const struct file_operations no_dma_buf = {
		.owner = THIS_MODULE,
	};
	struct prime_mock_duo *ctx = test->priv;
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
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	struct drm_prime_handle args = { .fd = fd, .flags = ~0u };

	KUNIT_EXPECT_EQ(test, 0,
			prime_mock_ioctl(test, ctx->ifile,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	prime_mock_close_fd(fd);
	prime_mock_close(test, ctx->ifile, args.handle);
	prime_mock_close(test, ctx->efile, handle);
}

static struct dma_buf *refuse_export(struct drm_gem_object *obj, int flags)
{
	return ERR_PTR(-EUCLEAN);
}

/* Succeeds if a driver may refuse one export and allow the next. */
static void export_refused(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
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
	prime_mock_close(test, ctx->efile, args.handle);
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
	struct prime_mock_duo *ctx = test->priv;
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
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if imports into a device do not wait for each other to attach and map. */
static void import_leaves_the_device_to_others(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
	u32 handle = prime_mock_handle(test, ctx->exporter, ctx->efile);
	int fd = prime_mock_export(test, ctx->efile, handle);
	u32 there;

	ctx->importer->names_locked = true;
	there = prime_mock_import(test, ctx->ifile, fd);
	KUNIT_EXPECT_FALSE(test, ctx->importer->names_locked);
	prime_mock_close(test, ctx->ifile, there);
	prime_mock_close_fd(fd);
	prime_mock_close(test, ctx->efile, handle);
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
	struct prime_mock_duo *ctx = test->priv;
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
	struct prime_mock_duo *ctx = test->priv;
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
	prime_mock_close(test, ctx->efile, handle);
}

/* Succeeds if a kernel client gets the buffer and no descriptor is used up. */
static void kernel_client(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;
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
	prime_mock_close(test, ctx->efile, handle);
	dma_buf = drm_gem_prime_handle_to_dmabuf(&ctx->exporter->drm,
						 ctx->efile, handle, DRM_RDWR);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -ENOENT);
}

static struct kunit_case prime_ioctl_cases[] = {
	KUNIT_CASE(export_flags),
	KUNIT_CASE_PARAM(bad_export, bad_export_gen_params),
	KUNIT_CASE(bad_import),
	KUNIT_CASE(import_ignores_flags),
	KUNIT_CASE(export_refused),
	KUNIT_CASE(driver_import),
	KUNIT_CASE(import_leaves_the_device_to_others),
	KUNIT_CASE(driver_conversions),
	KUNIT_CASE(no_gem),
	KUNIT_CASE(kernel_client),
	{},
};

static struct kunit_suite prime_ioctl_suite = {
	.name = "drm_prime_ioctl",
	.init = prime_mock_duo_init,
	.exit = prime_mock_duo_exit,
	.test_cases = prime_ioctl_cases,
};

kunit_test_suite(prime_ioctl_suite);
