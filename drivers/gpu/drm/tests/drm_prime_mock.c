// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime mock device
 *
 * The bridge stands between two drivers, and most of what can go wrong in it
 * is one of them failing halfway. The mock device is both: its objects are
 * those of the shmem helper, behind functions that count and that fail on
 * demand. Files are opened on it without user space, and the ioctls go through
 * drm_ioctl() as those of a process do.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/moduleparam.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <kunit/device.h>
#include <kunit/resource.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

MODULE_DESCRIPTION("Unit tests of the GEM to dma-buf bridge");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);

bool prime_mock_provoke;
module_param_named(provoke, prime_mock_provoke, bool, 0444);
MODULE_PARM_DESC(provoke, "Run the cases that make the kernel warn");

static void mock_free(struct drm_gem_object *obj)
{
	atomic_dec(&to_prime_mock(obj->dev)->objects);
	drm_gem_shmem_object_free(obj);
}

static int mock_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct prime_mock *mock = to_prime_mock(obj->dev);

	if (mock->in_open)
		mock->in_open(file, mock->in_open_data);
	return mock->fail_open;
}

static int mock_pin(struct drm_gem_object *obj)
{
	struct prime_mock *mock = to_prime_mock(obj->dev);
	int ret;

	if (mock->fail_pin)
		return mock->fail_pin;
	ret = drm_gem_shmem_object_pin(obj);
	if (!ret)
		atomic_inc(&mock->pins);
	return ret;
}

static void mock_unpin(struct drm_gem_object *obj)
{
	atomic_dec(&to_prime_mock(obj->dev)->pins);
	drm_gem_shmem_object_unpin(obj);
}

static struct sg_table *mock_get_sg_table(struct drm_gem_object *obj)
{
	struct prime_mock *mock = to_prime_mock(obj->dev);

	if (mock->fail_sgt)
		return ERR_PTR(mock->fail_sgt);
	return drm_gem_shmem_object_get_sg_table(obj);
}

static const struct drm_gem_object_funcs mock_funcs = {
	.free = mock_free,
	.open = mock_open,
	.pin = mock_pin,
	.unpin = mock_unpin,
	.get_sg_table = mock_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

static struct drm_gem_object *mock_create_object(struct drm_device *dev,
						 size_t size)
{
	struct prime_mock *mock = to_prime_mock(dev);
	struct drm_gem_shmem_object *shmem;

	shmem = kzalloc(sizeof(*shmem), GFP_KERNEL);
	if (!shmem)
		return ERR_PTR(-ENOMEM);
	shmem->base.funcs = &mock->funcs;
	atomic_inc(&mock->objects);
	return &shmem->base;
}

static struct drm_gem_object *
mock_import_sg_table(struct drm_device *dev, struct dma_buf_attachment *attach,
		     struct sg_table *sgt)
{
	struct prime_mock *mock = to_prime_mock(dev);

	mock->names_locked = mutex_is_locked(&dev->object_name_lock);
	if (mock->fail_import)
		return ERR_PTR(mock->fail_import);
	return drm_gem_shmem_prime_import_sg_table(dev, attach, sgt);
}

DEFINE_DRM_GEM_FOPS(mock_fops);

static_assert(!offsetof(struct prime_mock, drm));

static const struct drm_driver mock_driver = {
	.name = "prime-mock",
	.desc = "mock device of the PRIME tests",
	.date = "20260101",
	.gem_create_object = mock_create_object,
	.gem_prime_import_sg_table = mock_import_sg_table,
	.fops = &mock_fops,
};

/* Nothing of a test may be alive when its devices go. */
static void flush_files(void *unused)
{
	flush_delayed_fput();
	/* a worker may have taken the list before us, on this queue */
	__flush_workqueue(system_wq);
	flush_delayed_fput();
}

/**
 * prime_mock_create_features - a mock device
 * @test: it lives as long as this
 * @name: unique within @test
 * @features: DRIVER_GEM or nothing
 *
 * Return: the device, with the functions of the shmem helper.
 */
struct prime_mock *prime_mock_create_features(struct kunit *test,
					      const char *name, u32 features)
{
	const size_t where = offsetof(struct prime_mock, drm);
	struct drm_driver *driver;
	struct drm_device *drm;
	struct prime_mock *mock;
	struct device *dev;

	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_set_mask(dev, DMA_BIT_MASK(64)));

	driver = kunit_kmalloc(test, sizeof(*driver), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, driver);
	*driver = mock_driver;
	driver->driver_features = features;

	drm = __drm_kunit_helper_alloc_drm_device_with_driver(test, dev,
							      sizeof(*mock),
							      where, driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	mock = to_prime_mock(drm);
	mock->driver = *driver;
	mock->drm.driver = &mock->driver;
	mock->funcs = mock_funcs;

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, flush_files, NULL));
	return mock;
}

/**
 * prime_mock_create - a mock device with GEM
 * @test: it lives as long as this
 * @name: unique within @test
 *
 * Return: the device.
 */
struct prime_mock *prime_mock_create(struct kunit *test, const char *name)
{
	return prime_mock_create_features(test, name, DRIVER_GEM);
}

static void close_file(void *filp)
{
	__fput_sync(filp);
}

/**
 * prime_mock_open - open a file on a mock device
 * @test: closes it in the end
 * @mock: the device
 *
 * Return: the file.
 */
struct drm_file *prime_mock_open(struct kunit *test, struct prime_mock *mock)
{
	struct file *filp;

	filp = mock_drm_getfile(mock->drm.primary, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, close_file, filp));
	return filp->private_data;
}

/**
 * prime_mock_bo - make a GEM object
 * @test: the test
 * @mock: the device
 *
 * Return: an object of MOCK_SIZE bytes without a handle, with one reference
 * that is the caller's.
 */
struct drm_gem_object *prime_mock_bo(struct kunit *test,
				     struct prime_mock *mock)
{
	struct drm_gem_shmem_object *shmem;

	shmem = drm_gem_shmem_create(&mock->drm, MOCK_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	return &shmem->base;
}

/**
 * prime_mock_handle - make a GEM object that only its handle keeps
 * @test: the test
 * @mock: the device
 * @file: file to make the handle on
 *
 * Return: the handle.
 */
u32 prime_mock_handle(struct kunit *test, struct prime_mock *mock,
		      struct drm_file *file)
{
	struct drm_gem_object *obj = prime_mock_bo(test, mock);
	u32 handle = 0;
	int ret;

	ret = drm_gem_handle_create(file, obj, &handle);
	drm_gem_object_put(obj);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return handle;
}

/**
 * prime_mock_ioctl - call one of the PRIME ioctls as a process does
 * @test: the test, which gets an address space of its own by this
 * @file: file to call it on
 * @cmd: DRM_IOCTL_PRIME_HANDLE_TO_FD or DRM_IOCTL_PRIME_FD_TO_HANDLE
 * @args: argument, updated also on error
 *
 * Return: what the ioctl returned.
 */
int prime_mock_ioctl(struct kunit *test, struct drm_file *file,
		     unsigned int cmd, struct drm_prime_handle *args)
{
	unsigned long addr, left;
	long ret;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	left = copy_to_user((void __user *)addr, args, sizeof(*args));
	KUNIT_ASSERT_EQ(test, left, 0);
	ret = drm_ioctl(file->filp, cmd, addr);
	left = copy_from_user(args, (void __user *)addr, sizeof(*args));
	KUNIT_ASSERT_EQ(test, left, 0);
	return ret;
}

/**
 * prime_mock_export - DRM_IOCTL_PRIME_HANDLE_TO_FD that must work
 * @test: the test
 * @file: the file
 * @handle: the handle
 *
 * Return: the file descriptor, which the caller must close with
 * prime_mock_close_fd().
 */
int prime_mock_export(struct kunit *test, struct drm_file *file, u32 handle)
{
	struct drm_prime_handle args = {
		.handle = handle,
		.flags = DRM_RDWR | DRM_CLOEXEC,
		.fd = -1,
	};
	int ret;

	ret = prime_mock_ioctl(test, file, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_GE(test, args.fd, 0);
	return args.fd;
}

/**
 * prime_mock_import - DRM_IOCTL_PRIME_FD_TO_HANDLE that must work
 * @test: the test
 * @file: the file
 * @fd: the file descriptor
 *
 * Return: the handle.
 */
u32 prime_mock_import(struct kunit *test, struct drm_file *file, int fd)
{
	struct drm_prime_handle args = { .fd = fd };
	int ret;

	ret = prime_mock_ioctl(test, file, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_NE(test, args.handle, 0);
	return args.handle;
}

/**
 * prime_mock_dma_buf - the dma-buf of a file descriptor
 * @test: the test
 * @fd: the file descriptor
 *
 * Return: the buffer, which only @fd keeps alive.
 */
struct dma_buf *prime_mock_dma_buf(struct kunit *test, int fd)
{
	struct dma_buf *dma_buf = dma_buf_get(fd);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	dma_buf_put(dma_buf);
	return dma_buf;
}

/**
 * prime_mock_peek - the object of a handle
 * @test: the test
 * @file: file of the handle
 * @handle: the handle
 *
 * Return: the object, which only @handle keeps alive.
 */
struct drm_gem_object *prime_mock_peek(struct kunit *test,
				       struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	drm_gem_object_put(obj);
	return obj;
}

/**
 * prime_mock_attachments - count the attachments of a buffer
 * @dma_buf: the buffer
 *
 * Return: how many there are.
 */
unsigned int prime_mock_attachments(struct dma_buf *dma_buf)
{
	unsigned int count;

	dma_resv_lock(dma_buf->resv, NULL);
	count = list_count_nodes(&dma_buf->attachments);
	dma_resv_unlock(dma_buf->resv);
	return count;
}

/**
 * prime_mock_close_fd - close a file descriptor
 * @fd: from prime_mock_export()
 */
void prime_mock_close_fd(int fd)
{
	close_fd(fd);
	flush_delayed_fput();
}

/**
 * prime_mock_close - close a handle, which must work
 * @test: the test
 * @file: file of the handle
 * @handle: the handle
 */
void prime_mock_close(struct kunit *test, struct drm_file *file, u32 handle)
{
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(file, handle), 0);
}

/**
 * prime_mock_duo_init - start a test with two devices
 * @test: gets a &struct prime_mock_duo as &kunit.priv
 *
 * Return: 0.
 */
int prime_mock_duo_init(struct kunit *test)
{
	struct prime_mock_duo *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = prime_mock_create(test, "exporter");
	ctx->importer = prime_mock_create(test, "importer");
	ctx->efile = prime_mock_open(test, ctx->exporter);
	ctx->ifile = prime_mock_open(test, ctx->importer);
	test->priv = ctx;
	return 0;
}

/**
 * prime_mock_duo_exit - end a test with two devices
 * @test: it must have closed what it made, so nothing may be left of it
 */
void prime_mock_duo_exit(struct kunit *test)
{
	struct prime_mock_duo *ctx = test->priv;

	if (!ctx)
		return;
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->importer->objects));
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->exporter->objects));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->efile->object_idr));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->ifile->object_idr));
	KUNIT_EXPECT_EQ(test, ctx->efile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->ifile->prime.count, 0);
}
