// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: storage tests
 *
 * Which storage an object takes, when, and what each user of it sees.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <kunit/resource.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "drm_gem_storage_mock.h"

/* 4 GiB of memory. */
#define LAST_ADDRESS DMA_BIT_MASK(32)

/**
 * struct choice - which storage constraints should lead to
 * @name: what is shown
 * @size: of the object
 * @kind: what is expected, or an errno
 * @c: the constraints
 */
struct choice {
	const char *name;
	u64 size;
	int kind;
	struct dma_buf_constraints c;
};

/* What a device demands: the rest is 0 here, and any will do. */
#define NEEDS(...)          \
	{                   \
		__VA_ARGS__ \
	}

static struct dma_buf_constraints
filled_in(const struct dma_buf_constraints *needs)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;

	c.dma_mask = needs->dma_mask ?: c.dma_mask;
	c.segment_boundary_mask =
		needs->segment_boundary_mask ?: c.segment_boundary_mask;
	c.max_segment_size = needs->max_segment_size ?: c.max_segment_size;
	c.alignment = needs->alignment ?: c.alignment;
	c.max_segments = needs->max_segments ?: c.max_segments;
	c.domains = needs->domains ?: c.domains;

	return c;
}

static const struct choice choices[] = {
	{ "no demands", SZ_1M, DRM_GEM_STORAGE_SHMEM, NEEDS() },
	{ "all memory", SZ_1M, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.dma_mask = LAST_ADDRESS) },
	{ "all memory but a byte", SZ_1M, DRM_GEM_STORAGE_MASKED,
	  NEEDS(.dma_mask = LAST_ADDRESS - 1) },
	{ "16 MiB", SZ_1M, DRM_GEM_STORAGE_MASKED,
	  NEEDS(.dma_mask = DMA_BIT_MASK(24)) },
	{ "as large as the mask", SZ_16M, DRM_GEM_STORAGE_MASKED,
	  NEEDS(.dma_mask = DMA_BIT_MASK(24)) },
	{ "larger than the mask", SZ_16M + PAGE_SIZE, -EINVAL,
	  NEEDS(.dma_mask = DMA_BIT_MASK(24)) },
	{ "one place", SZ_1M, DRM_GEM_STORAGE_CONTIGUOUS,
	  NEEDS(.max_segments = 1) },
	{ "one place below a mask", SZ_1M, DRM_GEM_STORAGE_CONTIGUOUS,
	  NEEDS(.max_segments = 1, .dma_mask = DMA_BIT_MASK(24)) },
	{ "one page in one place", PAGE_SIZE, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.max_segments = 1) },
	{ "as many places as pages", 16 * PAGE_SIZE, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.max_segments = 16) },
	{ "a place less than pages", 16 * PAGE_SIZE, DRM_GEM_STORAGE_CONTIGUOUS,
	  NEEDS(.max_segments = 15) },
	{ "short entries", SZ_1M, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.max_segment_size = PAGE_SIZE) },
	{ "too short entries", SZ_1M, -EINVAL,
	  NEEDS(.max_segment_size = PAGE_SIZE - 1) },
	{ "short entries in one place", SZ_1M, DRM_GEM_STORAGE_CONTIGUOUS,
	  NEEDS(.max_segment_size = SZ_64K, .max_segments = 1) },
	{ "a boundary", SZ_1M, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.segment_boundary_mask = SZ_64K - 1) },
	{ "a page's alignment", SZ_1M, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.alignment = PAGE_SIZE) },
	{ "more than that", SZ_1M, DRM_GEM_STORAGE_CONTIGUOUS,
	  NEEDS(.alignment = 2 * PAGE_SIZE) },
	{ "entries shorter than aligned", SZ_1M, -EINVAL,
	  NEEDS(.alignment = SZ_64K, .max_segment_size = PAGE_SIZE) },
	{ "system memory", SZ_1M, DRM_GEM_STORAGE_SHMEM,
	  NEEDS(.domains = DMA_BUF_DOMAIN_SYSTEM) },
	{ "others' memory", SZ_1M, -EINVAL,
	  NEEDS(.domains = DMA_BUF_DOMAIN_PEER) },
	{ "nothing", 0, -EINVAL, NEEDS() },
};

KUNIT_ARRAY_PARAM_DESC(choice, choices, name);

/* Succeeds if constraints lead to the easiest storage that meets them. */
static void kind_from_constraints(struct kunit *test)
{
	const struct choice *choice = test->param_value;
	struct dma_buf_constraints c = filled_in(&choice->c);

	KUNIT_EXPECT_EQ(test, choice->kind,
			drm_gem_storage_choose(&c, choice->size, LAST_ADDRESS));
}

static struct kunit_case storage_choice_cases[] = {
	KUNIT_CASE_PARAM(kind_from_constraints, choice_gen_params),
	{},
};

static struct kunit_suite storage_choice_suite = {
	.name = "drm_gem_storage_choice",
	.test_cases = storage_choice_cases,
};

/* What the pages of the object are at the moment. */
static void expect_unused(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	int kind;

	KUNIT_EXPECT_EQ(test, ctx->storage->kind, DRM_GEM_STORAGE_NONE);
	KUNIT_EXPECT_NULL(test, ctx->obj->filp);
	for (kind = 0; kind < DRM_GEM_STORAGE_KINDS; kind++)
		storage_mock_expect_pages(test, kind, 0);
}

/*
 * Succeeds if making, exporting, attaching two devices, mapping into a process
 * and constraining allocate nothing, and the first table does, for all.
 */
static void late_for_devices(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct storage_ctx *ctx = test->priv;
	struct dma_buf_attachment *attach[2];
	struct dma_buf *dmabuf;
	struct sg_table *sgt[2];
	unsigned long addr;
	int i;

	dmabuf = storage_mock_export(test);
	for (i = 0; i < 2; i++) {
		attach[i] = dma_buf_attach(dmabuf, ctx->importer);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach[i]);
	}
	addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(ctx->storage, &c, 0));
	expect_unused(test);

	for (i = 0; i < 2; i++) {
		sgt[i] = dma_buf_map_attachment_unlocked(attach[i],
							 DMA_BIDIRECTIONAL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt[i]);
		KUNIT_EXPECT_EQ(test, sgt[i]->nents, 1);
		storage_mock_expect_pages(test, DRM_GEM_STORAGE_CONTIGUOUS,
					  STORAGE_PAGES);
	}
	KUNIT_EXPECT_EQ(test, sg_dma_address(sgt[0]->sgl),
			sg_dma_address(sgt[1]->sgl));
	KUNIT_EXPECT_EQ(test, ctx->storage->moves, 0);

	vm_munmap(addr, STORAGE_SIZE);
	for (i = 0; i < 2; i++) {
		dma_buf_unmap_attachment_unlocked(attach[i], sgt[i],
						  DMA_BIDIRECTIONAL);
		dma_buf_detach(dmabuf, attach[i]);
	}
	dma_buf_put(dmabuf);
}

static void kind_desc(const int *kind, char *desc)
{
	strscpy(desc, drm_gem_storage_kind_name(*kind), KUNIT_PARAM_DESC_SIZE);
}

static const int kinds[] = { DRM_GEM_STORAGE_SHMEM, DRM_GEM_STORAGE_MASKED,
			     DRM_GEM_STORAGE_CONTIGUOUS };

KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

/* Succeeds if pages that others wrote to are zero when an object takes them. */
static void new_pages_are_zero(struct kunit *test)
{
	const int *kind = test->param_value;
	struct drm_gem_storage *storage;
	struct dma_buf_constraints c = storage_mock_needs(*kind);
	struct iosys_map map;
	int i, ret;

	/* most likely the same pages again */
	for (i = 0; i < 4; i++) {
		storage = storage_mock_object(test, STORAGE_SIZE);
		ret = storage_mock_constrain(storage, &c, 0);
		KUNIT_EXPECT_EQ(test, ret, 0);
		ret = drm_gem_vmap_unlocked(&storage->base, &map);
		KUNIT_ASSERT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, storage->kind, *kind);
		KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, 0, STORAGE_SIZE));
		memset(map.vaddr, 0xa5, STORAGE_SIZE);
		drm_gem_vunmap_unlocked(&storage->base, &map);
		storage_mock_expect_suits(test, storage, &c);
		drm_gem_object_put(&storage->base);
	}
}

static const int table_pages[] = { 1, 2, SG_MAX_SINGLE_ALLOC - 1,
				   SG_MAX_SINGLE_ALLOC,
				   SG_MAX_SINGLE_ALLOC + 1 };

static void table_pages_desc(const int *pages, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d pages", *pages);
}

KUNIT_ARRAY_PARAM(table_pages, table_pages, table_pages_desc);

/*
 * Succeeds if a table has each page once, in order, no two entries where one
 * would do, and ends with the last, whatever room was made for it.
 */
static void tables_of_all_sizes(struct kunit *test)
{
	const int *pages = test->param_value;
	struct drm_gem_storage *storage;
	struct scatterlist *sg, *last = NULL;
	unsigned long pfn, end = 0, p;
	struct sg_table *sgt;
	struct iosys_map map;
	unsigned int n;
	int i = 0;

	storage = storage_mock_object(test, *pages * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&storage->base, &map));
	dma_resv_lock(storage->base.resv, NULL);
	sgt = drm_gem_storage_get_sg_table(&storage->base);
	dma_resv_unlock(storage->base.resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);

	for_each_sgtable_sg(sgt, sg, n) {
		pfn = page_to_pfn(sg_page(sg));
		KUNIT_EXPECT_NE(test, pfn, end);
		end = pfn + (sg->length >> PAGE_SHIFT);
		for (p = pfn; p < end && i < *pages; p++, i++)
			KUNIT_EXPECT_EQ(test, p,
					vmalloc_to_pfn(map.vaddr +
						       i * PAGE_SIZE));
		last = sg;
	}
	KUNIT_EXPECT_EQ(test, i, *pages);
	KUNIT_EXPECT_EQ(test, sgt->nents, sgt->orig_nents);
	KUNIT_EXPECT_TRUE(test, sg_is_last(last));
	sg_free_table(sgt);
	kfree(sgt);
	drm_gem_vunmap_unlocked(&storage->base, &map);
	drm_gem_object_put(&storage->base);
}

/*
 * Succeeds if pages of a kind are there as long as the object, but those of
 * shmem only while somebody uses them, and content outlives that.
 */
static void pages_while_used(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	const int *kind = test->param_value;
	long rest = *kind == DRM_GEM_STORAGE_SHMEM ? 0 : STORAGE_PAGES;

	storage_mock_make(test, storage, *kind);
	storage_mock_fill(test, storage, 1);
	storage_mock_expect_pages(test, *kind, rest);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_pin(storage));
	KUNIT_EXPECT_EQ(test, 0, storage_mock_pin(storage));
	storage_mock_expect_pages(test, *kind, STORAGE_PAGES);
	storage_mock_unpin(storage);
	storage_mock_expect_pages(test, *kind, STORAGE_PAGES);
	storage_mock_unpin(storage);
	storage_mock_expect_pages(test, *kind, rest);
	storage_mock_expect(test, storage, 1);
}

/**
 * struct cut - entries that a table should have
 * @name: what is shown
 * @entries: how many, of an object in one piece
 * @c: the constraints
 */
struct cut {
	const char *name;
	unsigned int entries;
	struct dma_buf_constraints c;
};

static const struct cut cuts[] = {
	{ "one piece", 1, NEEDS(.max_segments = 1) },
	{ "entries of a page", STORAGE_PAGES,
	  NEEDS(.max_segments = 1, .max_segment_size = PAGE_SIZE) },
	{ "entries of 64 KiB", STORAGE_SIZE / SZ_64K,
	  NEEDS(.max_segments = 1, .max_segment_size = SZ_64K) },
	{ "a boundary", DIV_ROUND_UP(STORAGE_SIZE, SZ_128K),
	  NEEDS(.max_segments = 1, .segment_boundary_mask = SZ_128K - 1,
		.alignment = SZ_128K) },
	{ "aligned", 1, NEEDS(.alignment = SZ_4M) },
	{ "below 256 MiB", 1,
	  NEEDS(.max_segments = 1, .dma_mask = DMA_BIT_MASK(28)) },
};

KUNIT_ARRAY_PARAM_DESC(cut, cuts, name);

/* Succeeds if tables are cut as the constraints say. */
static void tables_are_cut(struct kunit *test)
{
	const struct cut *cut = test->param_value;
	struct dma_buf_constraints c = filled_in(&cut->c);
	struct storage_ctx *ctx = test->priv;
	struct sg_table *sgt;

	KUNIT_ASSERT_EQ(test, 0, storage_mock_constrain(ctx->storage, &c, 0));
	storage_mock_expect_suits(test, ctx->storage, &c);

	dma_resv_lock(ctx->obj->resv, NULL);
	sgt = drm_gem_storage_get_sg_table(ctx->obj);
	dma_resv_unlock(ctx->obj->resv);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, cut->entries);
	sg_free_table(sgt);
	kfree(sgt);
}

/* Succeeds if a device gets its own object back, and another an import. */
static void import_own(struct kunit *test)
{
	struct storage_ctx *ctx = test->priv;
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct drm_gem_object *obj;

	obj = drm_gem_storage_prime_import(ctx->drm, dmabuf);
	KUNIT_EXPECT_PTR_EQ(test, obj, ctx->obj);
	if (!IS_ERR(obj))
		drm_gem_object_put(obj);
	expect_unused(test);
	dma_buf_put(dmabuf);
}

static void print_line(struct drm_printer *p, struct va_format *vaf)
{
	struct kunit *test = p->arg;
	char *all = ((struct storage_ctx *)test->priv)->drm->dev_private;
	size_t used = strlen(all);

	scnprintf(all + used, PAGE_SIZE - used, "%pV", vaf);
}

/* Succeeds if kind, pages, constraints and moves can be read. */
static void info_is_printed(struct kunit *test)
{
	struct dma_buf_constraints c =
		storage_mock_needs(DRM_GEM_STORAGE_CONTIGUOUS);
	struct drm_printer p = { .printfn = print_line, .arg = test };
	struct dma_buf_attachment import = {};
	struct storage_ctx *ctx = test->priv;
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	ctx->drm->dev_private = text;
	ctx->obj->funcs->print_info(&p, 0, ctx->obj);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "storage=none\npages=0\n"));

	storage_mock_fill(test, ctx->storage, 1);
	KUNIT_EXPECT_EQ(test, 0, storage_mock_constrain(ctx->storage, &c, 0));
	text[0] = '\0';
	ctx->obj->funcs->print_info(&p, 0, ctx->obj);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "storage=contiguous\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "pages=528\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "segments=1"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "moves=1\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "moved_bytes=2162688\n"));

	/* of an import there is nothing to tell */
	text[0] = '\0';
	ctx->obj->import_attach = &import;
	ctx->obj->funcs->print_info(&p, 0, ctx->obj);
	ctx->obj->import_attach = NULL;
	KUNIT_EXPECT_STREQ(test, text, "");
	ctx->drm->dev_private = NULL;
}

static const char *word_for_kind(struct dma_buf *dmabuf)
{
	const char *word;

	dma_resv_lock(dmabuf->resv, NULL);
	word = drm_gem_storage_dmabuf_kind(dmabuf);
	dma_resv_unlock(dmabuf->resv);

	return word;
}

/* Succeeds if a dma-buf of the object tells what its storage is. */
static void kind_is_told(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	const int *kind = test->param_value;

	KUNIT_EXPECT_TRUE(test, dmabuf->ops->storage_kind ==
					drm_gem_storage_dmabuf_kind);
	KUNIT_EXPECT_STREQ(test, word_for_kind(dmabuf), "none");
	storage_mock_make(test, ctx->storage, *kind);
	KUNIT_EXPECT_STREQ(test, word_for_kind(dmabuf),
			   drm_gem_storage_kind_name(*kind));
	dma_buf_put(dmabuf);
}

/* Succeeds if an object without a place to map it at is not made. */
static void no_room_for_an_offset(struct kunit *test)
{
	const size_t too_large = (size_t)DRM_FILE_PAGE_OFFSET_SIZE
				 << PAGE_SHIFT;
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage;

	storage = drm_gem_storage_create(ctx->drm, too_large + PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, storage, ERR_PTR(-ENOSPC));
}

/* Succeeds if sizes that no object can have are refused. */
static void bad_sizes(struct kunit *test)
{
	static const size_t sizes[] = { 0, SIZE_MAX, SIZE_MAX - 2 * PAGE_SIZE };
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		storage = drm_gem_storage_create(ctx->drm, sizes[i]);
		KUNIT_EXPECT_PTR_EQ(test, storage, ERR_PTR(-EINVAL));
	}
}

static struct kunit_case storage_cases[] = {
	KUNIT_CASE(late_for_devices),
	KUNIT_CASE_PARAM(new_pages_are_zero, kind_gen_params),
	KUNIT_CASE_PARAM(tables_of_all_sizes, table_pages_gen_params),
	KUNIT_CASE_PARAM(pages_while_used, kind_gen_params),
	KUNIT_CASE_PARAM(tables_are_cut, cut_gen_params),
	KUNIT_CASE(import_own),
	KUNIT_CASE(info_is_printed),
	KUNIT_CASE_PARAM(kind_is_told, kind_gen_params),
	KUNIT_CASE(no_room_for_an_offset),
	KUNIT_CASE(bad_sizes),
	{},
};

static struct kunit_suite storage_suite = {
	.name = "drm_gem_storage",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_cases,
};

kunit_test_suites(&storage_choice_suite, &storage_suite);
