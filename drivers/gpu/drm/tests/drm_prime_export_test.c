// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime export tests
 *
 * A mock device as exporter, with the dma-buf API as its importer: what a
 * buffer looks like from outside, that each callback reaches the object's own
 * function, and that a function which is missing or fails leaves nothing
 * behind.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <kunit/device.h>
#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "drm_prime_mock.h"

/**
 * struct export_ctx - an exported object
 * @mock: its device
 * @importer: a device to attach
 * @obj: the object, which only @dma_buf keeps alive
 * @dma_buf: the buffer
 * @dev_refs: references to @mock before the export
 */
struct export_ctx {
	struct prime_mock *mock;
	struct device *importer;
	struct drm_gem_object *obj;
	struct dma_buf *dma_buf;
	unsigned int dev_refs;
};

static unsigned int dev_refs(struct prime_mock *mock)
{
	return kref_read(&mock->drm.ref);
}

static int export_init(struct kunit *test)
{
	struct export_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->mock = prime_mock_create(test, "exporter");
	ctx->importer = kunit_device_register(test, "importer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->importer);
	KUNIT_ASSERT_EQ(test, 0, dma_set_mask(ctx->importer, DMA_BIT_MASK(64)));
	ctx->dev_refs = dev_refs(ctx->mock);

	ctx->obj = prime_mock_bo(test, ctx->mock);
	ctx->dma_buf = drm_gem_prime_export(ctx->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dma_buf);
	drm_gem_object_put(ctx->obj);

	test->priv = ctx;
	return 0;
}

/* Every test ends here, so every test checks that nothing is left. */
static void export_exit(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;

	if (!ctx)
		return;
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->pins), 0);
	dma_buf_put(ctx->dma_buf);
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->mock->objects));
	PRIME_MOCK_EXPECT_SOON(test, dev_refs(ctx->mock) == ctx->dev_refs);
}

/* Succeeds if the buffer has the properties of the object. */
static void export_properties(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf *ro;

	KUNIT_EXPECT_EQ(test, ctx->dma_buf->size, MOCK_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, ctx->dma_buf->priv, (void *)ctx->obj);
	KUNIT_EXPECT_PTR_EQ(test, ctx->dma_buf->resv, ctx->obj->resv);
	KUNIT_EXPECT_STREQ(test, ctx->dma_buf->exp_name, "drm");
	KUNIT_EXPECT_PTR_EQ(test, ctx->dma_buf->owner, THIS_MODULE);
	KUNIT_EXPECT_PTR_EQ(test, ctx->dma_buf->file->f_mapping,
			    ctx->mock->drm.anon_inode->i_mapping);
	KUNIT_EXPECT_TRUE(test, ctx->dma_buf->file->f_mode & FMODE_WRITE);

	ro = drm_gem_prime_export(ctx->obj, O_RDONLY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ro);
	KUNIT_EXPECT_FALSE(test, ro->file->f_mode & FMODE_WRITE);
	dma_buf_put(ro);
}

/* Succeeds if the buffer keeps object and device, and lets go of both. */
static void export_lifetime(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf *second;

	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->objects), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
	KUNIT_EXPECT_EQ(test, dev_refs(ctx->mock), ctx->dev_refs + 1);

	second = drm_gem_prime_export(ctx->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 2);
	dma_buf_put(second);
	PRIME_MOCK_EXPECT_SOON(test, kref_read(&ctx->obj->refcount) == 1);
	PRIME_MOCK_EXPECT_SOON(test, dev_refs(ctx->mock) == ctx->dev_refs + 1);
}

/* Succeeds if a failed export takes its references back. */
static void export_fails_warns(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	static const struct dma_buf_ops no_ops = {};
	struct dma_buf *dma_buf;
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	PRIME_MOCK_NEEDS_PROVOKE(test);

	info.ops = &no_ops;
	info.size = MOCK_SIZE;
	info.priv = ctx->obj;
	dma_buf = drm_gem_dmabuf_export(&ctx->mock->drm, &info);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
	KUNIT_EXPECT_EQ(test, dev_refs(ctx->mock), ctx->dev_refs + 1);
}

/* Succeeds if an object cannot be exported by a device that is not its own. */
static void export_wrong_device_warns(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct prime_mock *other;
	struct dma_buf *dma_buf;
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	PRIME_MOCK_NEEDS_PROVOKE(test);

	other = prime_mock_create(test, "other");
	info.ops = ctx->dma_buf->ops;
	info.size = MOCK_SIZE;
	info.priv = ctx->obj;
	dma_buf = drm_gem_dmabuf_export(&other->drm, &info);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
}

/* Succeeds if storage is pinned while, and only while, a device is attached. */
static void attach_pins(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment *one, *two;

	one = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	two = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, two);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->pins), 2);

	dma_buf_detach(ctx->dma_buf, one);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->pins), 1);
	dma_buf_detach(ctx->dma_buf, two);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->pins), 0);
}

/* Succeeds if a buffer that cannot be pinned cannot be attached. */
static void attach_pin_fails(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;

	ctx->mock->fail_pin = -EDEADLK;
	attach = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(attach), -EDEADLK);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
}

/* Succeeds if an object that has no scatter list is refused at attach. */
static void attach_needs_sg_table(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;

	ctx->mock->funcs.get_sg_table = NULL;
	attach = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(attach), -ENOSYS);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->pins), 0);
}

static struct sg_table *own_map(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	return ERR_PTR(-ENXIO);
}

/* Succeeds if a driver with a map callback of its own needs no such function. */
static void attach_with_own_map(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_ops ops = *ctx->dma_buf->ops;
	struct dma_buf_attachment attach = { .dmabuf = ctx->dma_buf };
	const struct dma_buf_ops *before = ctx->dma_buf->ops;

	ctx->mock->funcs.get_sg_table = NULL;
	ops.map_dma_buf = own_map;
	ctx->dma_buf->ops = &ops;
	KUNIT_EXPECT_EQ(test, drm_gem_map_attach(ctx->dma_buf, &attach), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->mock->pins), 1);
	drm_gem_map_detach(ctx->dma_buf, &attach);
	ctx->dma_buf->ops = before;
}

static size_t mapped_bytes(struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t sum = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		sum += sg_dma_len(sg);
	return sum;
}

/*
 * Succeeds if a mapping shows the device all of the object's pages. Asks the
 * bridge, because the core hides pages from importers where it is debugged.
 */
static void map_covers_object(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(ctx->obj);
	struct dma_buf_attachment *attach;
	struct sg_page_iter iter;
	struct sg_table *sgt;
	int i = 0;

	attach = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	dma_resv_lock(ctx->dma_buf->resv, NULL);
	sgt = drm_gem_map_dma_buf(attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(ctx->dma_buf->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	KUNIT_EXPECT_EQ(test, mapped_bytes(sgt), MOCK_SIZE);
	for_each_sgtable_page(sgt, &iter, 0)
		KUNIT_EXPECT_PTR_EQ(test, sg_page_iter_page(&iter),
				    shmem->pages[i++]);
	KUNIT_EXPECT_EQ(test, i, MOCK_SIZE / PAGE_SIZE);

	dma_resv_lock(ctx->dma_buf->resv, NULL);
	drm_gem_unmap_dma_buf(attach, sgt, DMA_BIDIRECTIONAL);
	dma_resv_unlock(ctx->dma_buf->resv);
	dma_buf_detach(ctx->dma_buf, attach);
}

/* Succeeds if the error of the driver's function reaches the importer. */
static void map_fails(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	ctx->mock->fail_sgt = -EINTR;
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINTR);
	dma_buf_detach(ctx->dma_buf, attach);
}

/* Succeeds if unmapping nothing is no error. */
static void unmap_nothing(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment attach = {
		.dmabuf = ctx->dma_buf,
		.dev = ctx->importer,
	};

	dma_resv_lock(ctx->dma_buf->resv, NULL);
	drm_gem_unmap_dma_buf(&attach, NULL, DMA_BIDIRECTIONAL);
	dma_resv_unlock(ctx->dma_buf->resv);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 1);
}

/* Succeeds if a mapping that makes no sense is refused with an errno. */
static void map_misused_warns(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment attach = {
		.dmabuf = ctx->dma_buf,
		.dev = ctx->importer,
	};
	struct sg_table *none, *lost;

	PRIME_MOCK_NEEDS_PROVOKE(test);

	dma_resv_lock(ctx->dma_buf->resv, NULL);
	none = drm_gem_map_dma_buf(&attach, DMA_NONE);
	ctx->mock->funcs.get_sg_table = NULL;
	lost = drm_gem_map_dma_buf(&attach, DMA_TO_DEVICE);
	dma_resv_unlock(ctx->dma_buf->resv);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(none), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(lost), -ENOSYS);
}

/* Succeeds if a device that does not reach the pages gets no table of them. */
static void map_out_of_reach_warns(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	PRIME_MOCK_NEEDS_PROVOKE(test);

	attach = dma_buf_attach(ctx->dma_buf, ctx->importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	*ctx->importer->dma_mask = 1;
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EIO);
	dma_buf_detach(ctx->dma_buf, attach);
}

/* Succeeds if what is written through one mapping is read through another. */
static void vmap_content(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct iosys_map map, own;
	int i;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(ctx->dma_buf, &map));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(ctx->obj, &own));
	for (i = 0; i < MOCK_SIZE; i += sizeof(u32))
		iosys_map_wr(&map, i, u32, i * 2654435761u);
	for (i = 0; i < MOCK_SIZE; i += sizeof(u32))
		KUNIT_ASSERT_EQ(test, iosys_map_rd(&own, i, u32),
				(u32)(i * 2654435761u));
	drm_gem_vunmap_unlocked(ctx->obj, &own);
	dma_buf_vunmap_unlocked(ctx->dma_buf, &map);
	KUNIT_EXPECT_EQ(test, to_drm_gem_shmem_obj(ctx->obj)->vmap_use_count,
			0);
}

/* Succeeds if an object that the CPU cannot see says so. */
static void vmap_unsupported(struct kunit *test)
{
	struct export_ctx *ctx = test->priv;
	struct iosys_map map;
	int ret;

	/* not through the core, which warns about an exporter that fails */
	ctx->mock->funcs.vmap = NULL;
	dma_resv_lock(ctx->dma_buf->resv, NULL);
	ret = drm_gem_dmabuf_vmap(ctx->dma_buf, &map);
	dma_resv_unlock(ctx->dma_buf->resv);
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
}

static struct kunit_case prime_export_cases[] = {
	KUNIT_CASE(export_properties),
	KUNIT_CASE(export_lifetime),
	KUNIT_CASE(export_fails_warns),
	KUNIT_CASE(export_wrong_device_warns),
	KUNIT_CASE(attach_pins),
	KUNIT_CASE(attach_pin_fails),
	KUNIT_CASE(attach_needs_sg_table),
	KUNIT_CASE(attach_with_own_map),
	KUNIT_CASE(map_covers_object),
	KUNIT_CASE(map_fails),
	KUNIT_CASE(unmap_nothing),
	KUNIT_CASE(map_misused_warns),
	KUNIT_CASE(map_out_of_reach_warns),
	KUNIT_CASE(vmap_content),
	KUNIT_CASE(vmap_unsupported),
	{},
};

static struct kunit_suite prime_export_suite = {
	.name = "drm_prime_export",
	.init = export_init,
	.exit = export_exit,
	.test_cases = prime_export_cases,
};

kunit_test_suite(prime_export_suite);
