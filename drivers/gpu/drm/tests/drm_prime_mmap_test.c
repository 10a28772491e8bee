// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime mmap tests
 *
 * Mapping a dma-buf into an address space, both by the object's own function
 * and, for drivers that have none, through the driver's file operations; and
 * every way to ask for more than the object.
 */

#include <linux/dma-buf.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>

#include "drm_prime_mock.h"

/**
 * struct mmap_ctx - a pinned and exported object
 * @mock: its device
 * @obj: the object
 * @dma_buf: the buffer
 */
struct mmap_ctx {
	struct prime_mock *mock;
	struct drm_gem_object *obj;
	struct dma_buf *dma_buf;
};

static vm_fault_t pinned_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct drm_gem_object *obj = vma->vm_private_data;
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);
	unsigned long i = vmf->pgoff - drm_vma_node_start(&obj->vma_node);

	if (i >= obj->size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vma, vmf->address, page_to_pfn(shmem->pages[i]));
}

/* Unlike the shmem helper's, these look at the offset of the mapping. */
static const struct vm_operations_struct pinned_vm_ops = {
	.fault = pinned_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int pinned_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static int refused_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	return -EXDEV;
}

/* What drm_gem_dma_helper does where it cannot map the range. */
static int closed_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	drm_gem_vm_close(vma);
	return -ENXIO;
}

static int map_init(struct kunit *test)
{
	struct mmap_ctx *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->mock = prime_mock_create(test, "exporter");
	ctx->mock->funcs.vm_ops = &pinned_vm_ops;
	ctx->mock->funcs.mmap = pinned_mmap;

	ctx->obj = prime_mock_bo(test, ctx->mock);
	KUNIT_ASSERT_EQ(test, 0,
			drm_gem_shmem_pin(to_drm_gem_shmem_obj(ctx->obj)));
	ctx->dma_buf = drm_gem_prime_export(ctx->obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dma_buf);

	test->priv = ctx;
	return 0;
}

static void map_exit(struct kunit *test)
{
	struct mmap_ctx *ctx = test->priv;

	if (!ctx)
		return;
	/* whoever was allowed to map for the length of a call is not any more */
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&ctx->obj->vma_node.vm_files));
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 2);
	drm_gem_shmem_unpin(to_drm_gem_shmem_obj(ctx->obj));
	drm_gem_object_put(ctx->obj);
	dma_buf_put(ctx->dma_buf);
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&ctx->mock->objects));
}

static long map_buffer(struct kunit *test, unsigned long size,
		       unsigned long offset)
{
	struct mmap_ctx *ctx = test->priv;

	return kunit_vm_mmap(test, ctx->dma_buf->file, 0, size,
			     PROT_READ | PROT_WRITE, MAP_SHARED, offset);
}

/* The page at @addr in user space must be page @page of the object. */
static void expect_page(struct kunit *test, unsigned long addr,
			unsigned int page)
{
	struct mmap_ctx *ctx = test->priv;
	struct page **pages = to_drm_gem_shmem_obj(ctx->obj)->pages;
	u32 mark = 0xc0ffee00 + page;
	u32 *kaddr = kmap_local_page(pages[page]);

	KUNIT_EXPECT_EQ(test, 0, put_user(mark, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, *kaddr, mark);
	kunmap_local(kaddr);
}

static void map_and_touch(struct kunit *test)
{
	struct mmap_ctx *ctx = test->priv;
	unsigned int refs = kref_read(&ctx->obj->refcount);
	long addr;

	addr = map_buffer(test, MOCK_SIZE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), refs + 1);
	expect_page(test, addr, 0);
	expect_page(test, addr + MOCK_SIZE - PAGE_SIZE,
		    MOCK_SIZE / PAGE_SIZE - 1);
	vm_munmap(addr, MOCK_SIZE);
	PRIME_MOCK_EXPECT_SOON(test, kref_read(&ctx->obj->refcount) == refs);
}

/* Succeeds if a mapping by the object's function shows the object's pages. */
static void mmap_by_object(struct kunit *test)
{
	map_and_touch(test);
}

/* Succeeds if the same works for a driver that maps through its file. */
static void mmap_by_driver(struct kunit *test)
{
	struct mmap_ctx *ctx = test->priv;

	ctx->mock->funcs.mmap = NULL;
	map_and_touch(test);
}

/* Succeeds if a mapping may start inside of the object. */
static void mmap_at_offset(struct kunit *test)
{
	const unsigned long skip = 3;
	unsigned long size = MOCK_SIZE - skip * PAGE_SIZE;
	long addr;

	addr = map_buffer(test, size, skip * PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	expect_page(test, addr, skip);
	vm_munmap(addr, size);
}

/* Succeeds if the mappings of a buffer go when the device takes them back. */
static void mmap_is_revoked(struct kunit *test)
{
	struct mmap_ctx *ctx = test->priv;
	struct page **pages = to_drm_gem_shmem_obj(ctx->obj)->pages;
	struct page *page;
	long addr;

	addr = map_buffer(test, MOCK_SIZE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	expect_page(test, addr, 0);

	/* only a new fault sees that another page has taken the place */
	page = pages[0];
	pages[0] = pages[1];
	drm_vma_node_unmap(&ctx->obj->vma_node,
			   ctx->mock->drm.anon_inode->i_mapping);
	expect_page(test, addr, 1);
	pages[0] = page;
	vm_munmap(addr, MOCK_SIZE);
}

/* Succeeds if a driver's refusal is passed on and its reference is not kept. */
static void mmap_refused(struct kunit *test)
{
	struct mmap_ctx *ctx = test->priv;

	ctx->mock->funcs.mmap = refused_mmap;
	KUNIT_EXPECT_EQ(test, map_buffer(test, MOCK_SIZE, 0), -EXDEV);
}

/* Succeeds if a driver that closes what it refused drops no reference twice. */
static void mmap_refused_and_closed(struct kunit *test)
{
	struct mmap_ctx *ctx = test->priv;
	unsigned int refs;

	ctx->mock->funcs.mmap = closed_mmap;
	KUNIT_EXPECT_EQ(test, map_buffer(test, MOCK_SIZE, 0), -ENXIO);
	refs = kref_read(&ctx->obj->refcount);
	KUNIT_EXPECT_EQ(test, refs, 2);
	/* the end of the case uses the object */
	if (refs == 1)
		drm_gem_object_get(ctx->obj);
}

/* Succeeds if a driver that cannot map at all says so. */
static void mmap_unsupported(struct kunit *test)
{
	static const struct file_operations no_mmap = {};
	struct mmap_ctx *ctx = test->priv;
	const struct file_operations *before = ctx->mock->driver.fops;
	long ret;

	ctx->mock->funcs.mmap = NULL;
	ctx->mock->driver.fops = &no_mmap;
	ret = map_buffer(test, MOCK_SIZE, 0);
	ctx->mock->driver.fops = before;
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
}

struct beyond_param {
	const char *name;
	unsigned long pgoff;
	unsigned long pages;
};

static const struct beyond_param beyond_params[] = {
	{ "one page more", 0, MOCK_SIZE / PAGE_SIZE + 1 },
	{ "all, one page later", 1, MOCK_SIZE / PAGE_SIZE },
	{ "behind the end", MOCK_SIZE / PAGE_SIZE, 1 },
	{ "far behind the end", ULONG_MAX >> PAGE_SHIFT, 1 },
	{ "around the end of all numbers", ULONG_MAX, 2 },
};

KUNIT_ARRAY_PARAM_DESC(beyond, beyond_params, name);

/*
 * Succeeds if the bridge itself refuses what reaches beyond the object,
 * whoever calls it, and leaves the mapping as it was.
 */
static void no_mmap_escape_from_the_object(struct kunit *test)
{
	const struct beyond_param *param = test->param_value;
	struct mmap_ctx *ctx = test->priv;
	struct vm_area_struct vma = {
		.vm_start = SZ_1M,
		.vm_end = SZ_1M + param->pages * PAGE_SIZE,
		.vm_pgoff = param->pgoff,
	};

	/* this is no mapping that a driver could work on */
	ctx->mock->funcs.mmap = refused_mmap;
	KUNIT_EXPECT_EQ(test, drm_gem_prime_mmap(ctx->obj, &vma), -EINVAL);
	KUNIT_EXPECT_EQ(test, vma.vm_pgoff, param->pgoff);
	KUNIT_EXPECT_NULL(test, vma.vm_private_data);
}

static struct kunit_case prime_mmap_cases[] = {
	KUNIT_CASE(mmap_by_object),
	KUNIT_CASE(mmap_by_driver),
	KUNIT_CASE(mmap_at_offset),
	KUNIT_CASE(mmap_is_revoked),
	KUNIT_CASE(mmap_refused),
	KUNIT_CASE(mmap_refused_and_closed),
	KUNIT_CASE(mmap_unsupported),
	KUNIT_CASE_PARAM(no_mmap_escape_from_the_object, beyond_gen_params),
	{},
};

static struct kunit_suite prime_mmap_suite = {
	.name = "drm_prime_mmap",
	.init = map_init,
	.exit = map_exit,
	.test_cases = prime_mmap_cases,
};

kunit_test_suite(prime_mmap_suite);
