// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime import tests
 *
 * Two mock devices, one exporting to the other: what an imported object is,
 * and that a failure at any step of an import leaves exporter and importer as
 * they were, so that the next attempt works.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>

#include <kunit/device.h>
#include <kunit/test.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

/**
 * struct import_ctx - an exported object and a device to import it
 * @exporter: device of the object
 * @importer: the other device
 * @file: file of the importer
 * @obj: the object
 * @fd: its dma-buf as file descriptor
 * @dma_buf: its dma-buf, which @fd keeps alive
 * @files: references to the dma-buf
 */
struct import_ctx {
	struct prime_mock *exporter;
	struct prime_mock *importer;
	struct drm_file *file;
	struct drm_gem_object *obj;
	int fd;
	struct dma_buf *dma_buf;
	long files;
};

static int import_init(struct kunit *test)
{
	struct drm_file *exporting;
	struct import_ctx *ctx;
	u32 handle;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = prime_mock_create(test, "exporter");
	ctx->importer = prime_mock_create(test, "importer");
	ctx->file = prime_mock_open(test, ctx->importer);

	exporting = prime_mock_open(test, ctx->exporter);
	handle = prime_mock_handle(test, ctx->exporter, exporting);
	ctx->obj = prime_mock_peek(test, exporting, handle);
	ctx->fd = prime_mock_export(test, exporting, handle);
	ctx->dma_buf = prime_mock_dma_buf(test, ctx->fd);
	KUNIT_ASSERT_EQ(test, drm_gem_handle_delete(exporting, handle), 0);
	PRIME_MOCK_EXPECT_SOON(test, file_count(ctx->dma_buf->file) == 1);
	ctx->files = file_count(ctx->dma_buf->file);

	test->priv = ctx;
	return 0;
}

/* The buffer must be as if nobody had ever imported it. */
static void expect_untouched(struct kunit *test, struct import_ctx *ctx)
{
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->importer->objects));
	PRIME_MOCK_EXPECT_SOON(test,
			       file_count(ctx->dma_buf->file) == ctx->files);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->exporter->pins), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
}

static void import_exit(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;

	if (!ctx)
		return;
	expect_untouched(test, ctx);
	prime_mock_close_fd(ctx->fd);
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->exporter->objects));
}

/* Succeeds if an imported object is the exported one in all but name. */
static void import_properties(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	struct drm_gem_object *obj;
	struct iosys_map there, here;

	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->dma_buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);

	KUNIT_EXPECT_PTR_NE(test, obj, ctx->obj);
	KUNIT_EXPECT_PTR_EQ(test, obj->dev, &ctx->importer->drm);
	KUNIT_EXPECT_EQ(test, obj->size, MOCK_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, obj->resv, ctx->obj->resv);
	KUNIT_ASSERT_NOT_NULL(test, obj->import_attach);
	KUNIT_EXPECT_PTR_EQ(test, obj->import_attach->dmabuf, ctx->dma_buf);
	KUNIT_EXPECT_PTR_EQ(test, obj->import_attach->dev,
			    ctx->importer->drm.dev);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->exporter->pins), 1);
	KUNIT_EXPECT_EQ(test, file_count(ctx->dma_buf->file), ctx->files + 1);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(ctx->obj, &there));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(obj, &here));
	iosys_map_memset(&there, 0, 0x5a, MOCK_SIZE);
	KUNIT_EXPECT_EQ(test, iosys_map_rd(&here, MOCK_SIZE - 1, u8), 0x5a);
	drm_gem_vunmap_unlocked(obj, &here);
	drm_gem_vunmap_unlocked(ctx->obj, &there);

	drm_gem_object_put(obj);
}

/* Succeeds if importing one's own buffer only adds a reference to the object. */
static void import_own(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	struct drm_gem_object *obj;

	obj = drm_gem_prime_import(&ctx->exporter->drm, ctx->dma_buf);
	KUNIT_EXPECT_PTR_EQ(test, obj, ctx->obj);
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), 2);
	KUNIT_EXPECT_EQ(test, file_count(ctx->dma_buf->file), ctx->files);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
	drm_gem_object_put(obj);
}

/* Succeeds if the device that is attached is the one the driver named. */
static void import_other_device(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	struct drm_gem_object *obj;
	struct device *dev;

	dev = kunit_device_register(test, "dma-engine");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_set_mask(dev, DMA_BIT_MASK(64)));

	obj = drm_gem_prime_import_dev(&ctx->importer->drm, ctx->dma_buf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_PTR_EQ(test, obj->import_attach->dev, dev);
	drm_gem_object_put(obj);
}

/* Succeeds if a driver that cannot import is asked for nothing. */
static void import_unsupported(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	struct drm_prime_handle args = { .fd = ctx->fd, .handle = 77 };

	ctx->importer->driver.gem_prime_import_sg_table = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			prime_mock_ioctl(test, ctx->file,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	KUNIT_EXPECT_EQ(test, args.handle, 77);
}

/* Succeeds if an object that unmapped its buffer early can be destroyed. */
static void destroy_unmapped(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	struct drm_gem_shmem_object *shmem;
	struct drm_gem_object *obj;

	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->dma_buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	shmem = to_drm_gem_shmem_obj(obj);

	dma_buf_unmap_attachment_unlocked(obj->import_attach, shmem->sgt,
					  DMA_BIDIRECTIONAL);
	shmem->sgt = NULL;
	drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
}

/* Succeeds if the buffer outlives everything but the imported object. */
static void import_keeps_buffer(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	u32 handle = prime_mock_import(test, ctx->file, ctx->fd);

	get_dma_buf(ctx->dma_buf);
	prime_mock_close_fd(ctx->fd);
	dma_buf_put(ctx->dma_buf);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->exporter->objects), 1);

	/* gives the descriptor back that the end of the test looks at */
	ctx->fd = prime_mock_export(test, ctx->file, handle);
	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, ctx->fd),
			    ctx->dma_buf);
	KUNIT_ASSERT_EQ(test, drm_gem_handle_delete(ctx->file, handle), 0);
}

static int mappings;

static struct sg_table *count_map(struct dma_buf_attachment *attach,
				  enum dma_data_direction dir)
{
	struct sg_table *sgt = drm_gem_map_dma_buf(attach, dir);

	if (!IS_ERR(sgt))
		mappings++;
	return sgt;
}

static void count_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	mappings--;
	drm_gem_unmap_dma_buf(attach, sgt, dir);
}

/*
 * Succeeds if an import that is over has unmapped what it mapped. Only an
 * exporter whose mappings are not cached can tell, for others detaching does.
 */
static void import_unmaps(struct kunit *test)
{
	struct import_ctx *ctx = test->priv;
	const struct dma_buf_ops *before = ctx->dma_buf->ops;
	struct dma_buf_ops ops = *before;
	struct drm_gem_object *obj;

	ops.cache_sgt_mapping = false;
	ops.map_dma_buf = count_map;
	ops.unmap_dma_buf = count_unmap;
	mappings = 0;
	ctx->dma_buf->ops = &ops;

	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->dma_buf);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, mappings, 1);
	if (!IS_ERR(obj))
		drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, mappings, 0);

	ctx->importer->fail_import = -ERANGE;
	obj = drm_gem_prime_import(&ctx->importer->drm, ctx->dma_buf);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(obj), -ERANGE);
	KUNIT_EXPECT_EQ(test, mappings, 0);
	ctx->dma_buf->ops = before;
}

struct step_param {
	const char *name;
	size_t knob;
	bool of_importer;
	int error;
};

/* In the order in which an import passes them. */
static const struct step_param step_params[] = {
	{ "pin", offsetof(struct prime_mock, fail_pin), false, -EBUSY },
	{ "scatter list", offsetof(struct prime_mock, fail_sgt), false,
	  -EINTR },
	{ "driver's import", offsetof(struct prime_mock, fail_import), true,
	  -ERANGE },
	{ "opening the handle", offsetof(struct prime_mock, fail_open), true,
	  -EXFULL },
};

KUNIT_ARRAY_PARAM_DESC(step, step_params, name);

/*
 * Succeeds if an import that fails at one step returns that step's error,
 * undoes all steps before it, and works when tried again.
 */
static void no_pin_leak_in_a_failed_import(struct kunit *test)
{
	const struct step_param *step = test->param_value;
	struct import_ctx *ctx = test->priv;
	struct drm_prime_handle args = { .fd = ctx->fd, .handle = 77 };
	struct prime_mock *mock;
	u32 handle;
	int *knob;

	mock = step->of_importer ? ctx->importer : ctx->exporter;
	knob = (void *)mock + step->knob;

	*knob = step->error;
	KUNIT_EXPECT_EQ(test, step->error,
			prime_mock_ioctl(test, ctx->file,
					 DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
	KUNIT_EXPECT_EQ(test, args.handle, 77);
	expect_untouched(test, ctx);

	*knob = 0;
	handle = prime_mock_import(test, ctx->file, ctx->fd);
	KUNIT_EXPECT_EQ(test, handle, 1);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(ctx->file, handle), 0);
}

static struct kunit_case prime_import_cases[] = {
	KUNIT_CASE(import_properties),
	KUNIT_CASE(import_own),
	KUNIT_CASE(import_other_device),
	KUNIT_CASE(import_unsupported),
	KUNIT_CASE(destroy_unmapped),
	KUNIT_CASE(import_keeps_buffer),
	KUNIT_CASE(import_unmaps),
	KUNIT_CASE_PARAM(no_pin_leak_in_a_failed_import, step_gen_params),
	{},
};

static struct kunit_suite prime_import_suite = {
	.name = "drm_prime_import",
	.init = import_init,
	.exit = import_exit,
	.test_cases = prime_import_cases,
};

kunit_test_suite(prime_import_suite);
