// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of callers' mistakes
 *
 * A driver's mistake must end in a warning and an error code, with nothing
 * changed and nothing leaked. The warnings would fail a run that wants a clean
 * kernel log, and KUnit of this version cannot hold them back. So these cases
 * are skipped unless the module is loaded with splats=1.
 */

#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>

#include "dma_buf_mock.h"

struct misuse_export {
	const char *name;
	enum mock_kind kind;
	/* what to take out of the ops, as offsets, 0 for nothing */
	size_t missing;
	bool no_ops;
	bool no_priv;
	bool cached;
};

#define WITHOUT(member) .missing = offsetof(struct dma_buf_ops, member)

static const struct misuse_export misuse_exports[] = {
	{ "no ops", MOCK_STATIC, .no_ops = true },
	{ "no private data", MOCK_STATIC, .no_priv = true },
	{ "no map", MOCK_STATIC, WITHOUT(map_dma_buf) },
	{ "no unmap", MOCK_STATIC, WITHOUT(unmap_dma_buf) },
	{ "no release", MOCK_STATIC, WITHOUT(release) },
	{ "pin alone", MOCK_DYNAMIC, WITHOUT(unpin) },
	{ "unpin alone", MOCK_DYNAMIC, WITHOUT(pin) },
	{ "cached and dynamic", MOCK_DYNAMIC, .cached = true },
};

KUNIT_ARRAY_PARAM_DESC(misuse_export, misuse_exports, name);

/* Succeeds if an exporter that is not whole is -EINVAL and never called. */
static void export_of_half_an_exporter(struct kunit *test)
{
	const struct misuse_export *p = test->param_value;
	struct mock_buffer *buf = mock_buffer_new(test, p->kind);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	buf->ops.cache_sgt_mapping = p->cached;
	if (p->missing)
		*(void **)((u8 *)&buf->ops + p->missing) = NULL;
	info.ops = p->no_ops ? NULL : &buf->ops;
	info.priv = p->no_priv ? NULL : buf;
	info.size = MOCK_SIZE;
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/*
 * Succeeds if a size that no file can have is -EINVAL: user space would be told
 * a negative one. Past mainline, which exports it.
 */
static void no_size_beyond_a_file(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	mock_past_mainline(test);
	if (!IS_ENABLED(CONFIG_64BIT))
		kunit_skip(test, "every size fits");

	info.ops = &buf->ops;
	info.priv = buf;
	info.size = (size_t)LLONG_MAX + 1;
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-EINVAL));
	info.size = SIZE_MAX;
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if attaching without a buffer, device or move_notify is -EINVAL. */
static void attach_with_holes(struct kunit *test)
{
	static const struct dma_buf_attach_ops deaf = {};
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach(NULL, dev), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach(buf->dmabuf, NULL),
			    ERR_PTR(-EINVAL));
	attach = dma_buf_dynamic_attach(buf->dmabuf, dev, &deaf, NULL);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EINVAL));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
}

/* Succeeds if detaching from the wrong buffer, or nothing, does nothing. */
static void detach_of_the_wrong_buffer(struct kunit *test)
{
	struct mock_buffer *other = mock_export_new(test, MOCK_STATIC);
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	dma_buf_detach(NULL, attach);
	dma_buf_detach(buf->dmabuf, NULL);
	dma_buf_detach(other->dmabuf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	KUNIT_EXPECT_STREQ(test, mock_calls(other), "");
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, attach), 1);
}

/* Succeeds if mapping without an attachment or table does nothing. */
static void map_with_holes(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	mock_calls(buf);

	sgt = dma_buf_map_attachment(NULL, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, sgt, ERR_PTR(-EINVAL));
	sgt = dma_buf_map_attachment_unlocked(NULL, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, sgt, ERR_PTR(-EINVAL));
	mock_unmap(attach, NULL, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, NULL, DMA_TO_DEVICE);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if calls without a buffer are refused or ignored. */
static void calls_without_a_buffer(struct kunit *test)
{
	struct iosys_map map;
	int cookie;

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(NULL, DMA_TO_DEVICE),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(NULL, NULL, 0), -EINVAL);
	iosys_map_set_vaddr(&map, &cookie);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap(NULL, &map), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	iosys_map_set_vaddr(&map, &cookie);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(NULL, &map), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	dma_buf_vunmap(NULL, &map);
	dma_buf_vunmap_unlocked(NULL, &map);
	dma_buf_put(NULL);
}

/* Succeeds if a failed vmap is passed on with a null map, and can be retried. */
static void vmap_fails(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct iosys_map map;

	buf->fail[MOCK_VMAP] = -ENOMEM;
	iosys_map_set_vaddr(&map, buf->vaddr);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map),
			-ENOMEM);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));

	buf->fail[MOCK_VMAP] = 0;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap!* vmap* vunmap*");
}

/*
 * Succeeds if an exporter's success without an address is -EINVAL, counts as no
 * mapping, and can be retried. Past mainline, which hands it out.
 */
static void vmap_without_an_address(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct iosys_map map;

	mock_past_mainline(test);
	buf->vmap_is_null = true;
	iosys_map_set_vaddr(&map, buf->vaddr);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));

	buf->vmap_is_null = false;
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map), 0);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, buf->vaddr);
	dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap* vmap* vunmap*");
}

/*
 * Succeeds if unmapping what was never mapped spares the mapping that is there.
 * Past mainline, which stops the machine.
 */
static void vunmap_of_the_wrong_map(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct iosys_map right, wrong;

	mock_past_mainline(test);
	iosys_map_set_vaddr(&wrong, test);
	dma_buf_vunmap_unlocked(buf->dmabuf, &wrong);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &right), 0);
	dma_buf_vunmap_unlocked(buf->dmabuf, &wrong);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vmap*");
	dma_buf_vunmap_unlocked(buf->dmabuf, &right);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "vunmap*");
}

/*
 * Succeeds if ending an access to no buffer is -EINVAL. Past mainline, which
 * warns and then follows the pointer.
 */
static void end_without_a_buffer(struct kunit *test)
{
	mock_past_mainline(test);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(NULL, DMA_TO_DEVICE),
			-EINVAL);
}

static struct kunit_case dma_buf_misuse_cases[] = {
	KUNIT_CASE_PARAM(export_of_half_an_exporter, misuse_export_gen_params),
	KUNIT_CASE(no_size_beyond_a_file),
	KUNIT_CASE(attach_with_holes),
	KUNIT_CASE(detach_of_the_wrong_buffer),
	KUNIT_CASE(map_with_holes),
	KUNIT_CASE(calls_without_a_buffer),
	KUNIT_CASE(vmap_fails),
	KUNIT_CASE(vmap_without_an_address),
	KUNIT_CASE(vunmap_of_the_wrong_map),
	KUNIT_CASE(end_without_a_buffer),
	{}
};

static struct kunit_suite dma_buf_misuse_suite = {
	.name = "dma_buf_misuse",
	.init = mock_needs_splats,
	.test_cases = dma_buf_misuse_cases,
};

kunit_test_suite(dma_buf_misuse_suite);
