// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime tests of mapping out of memory
 *
 * Each allocation fails once of what devices and processors need to reach an
 * exported object: attaching, tables, mappings of the kernel and of processes, and
 * the scatter lists below all of these.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "drm_prime_fault.h"
#include "drm_prime_mock.h"

/* The callbacks of the exporter's dma-buf: attach, which pins, and map */

static int gem_attach_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->attach = dma_buf_attach(ctx->dma_buf, ctx->duo->importer->drm.dev);
	return PTR_ERR_OR_ZERO(ctx->attach);
}

static void gem_attach_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->duo->exporter->pins), 1);
	dma_buf_detach(ctx->dma_buf, ctx->attach);
	prime_fault_unimported(test);
}

static void gem_map_prepare(struct kunit *test)
{
	prime_fault_buffer(test);
	KUNIT_ASSERT_EQ(test, gem_attach_run(test), 0);
}

static int gem_map_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->sgt =
		dma_buf_map_attachment_unlocked(ctx->attach, DMA_BIDIRECTIONAL);
	return PTR_ERR_OR_ZERO(ctx->sgt);
}

static void gem_map_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	dma_buf_unmap_attachment_unlocked(ctx->attach, ctx->sgt,
					  DMA_BIDIRECTIONAL);
}

static void gem_map_finish(struct kunit *test)
{
	gem_attach_good(test);
	prime_fault_buffer_finish(test);
}

/* vmap */

static int gem_vmap_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	return dma_buf_vmap_unlocked(ctx->dma_buf, &ctx->map);
}

static void gem_vmap_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	iosys_map_memset(&ctx->map, 0, 0x5a, MOCK_SIZE);
	dma_buf_vunmap_unlocked(ctx->dma_buf, &ctx->map);
}

/* mmap of the dma-buf, by the object's function and by the driver's file */

static int gem_mmap_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->addr = vm_mmap(ctx->dma_buf->file, 0, MOCK_SIZE, PROT_READ,
			    MAP_SHARED, 0);
	return IS_ERR_VALUE(ctx->addr) ? (long)ctx->addr : 0;
}

/* The one file that may map the object is that of its handle. */
static void gem_mmap_refused(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	struct rb_node *first = rb_first(&ctx->obj->vma_node.vm_files);

	KUNIT_EXPECT_TRUE(test, first && !rb_next(first));
	prime_fault_unimported(test);
}

static void gem_mmap_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, vm_munmap(ctx->addr, MOCK_SIZE), 0);
	gem_mmap_refused(test);
}

/* The shmem helper's expect that its mmap function was called. */
static const struct vm_operations_struct client_vm_ops = {
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static void gem_mmap_prepare(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;
	struct prime_mock *mock = ctx->duo->exporter;
	const struct fault_op *op = test->param_value;

	if (!op->own_mmap) {
		mock->funcs.mmap = NULL;
		mock->funcs.vm_ops = &client_vm_ops;
	}
	/* gives the thread an address space */
	if (!current->mm)
		kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS, 0);
	prime_fault_buffer(test);
}

/* Scatter lists: two allocations, or a chain of them */

static int small_list_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->sgt =
		drm_prime_pages_to_sg(&ctx->duo->exporter->drm, ctx->pages, 4);
	return PTR_ERR_OR_ZERO(ctx->sgt);
}

static int large_list_run(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	ctx->sgt = drm_prime_pages_to_sg(&ctx->duo->exporter->drm, ctx->pages,
					 PRIME_FAULT_PAGES);
	return PTR_ERR_OR_ZERO(ctx->sgt);
}

static void list_good(struct kunit *test)
{
	struct prime_fault *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, sg_page(ctx->sgt->sgl), ctx->pages[0]);
	sg_free_table(ctx->sgt);
	kfree(ctx->sgt);
}

static void list_prepare(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, large_list_run(test), 0);
}

static int arrays_run(struct kunit *test)
{
	static struct page *pages[PRIME_FAULT_PAGES];
	static dma_addr_t addrs[PRIME_FAULT_PAGES];
	struct prime_fault *ctx = test->priv;

	return drm_prime_sg_to_page_array(ctx->sgt, pages, PRIME_FAULT_PAGES) ?:
		       drm_prime_sg_to_dma_addr_array(ctx->sgt, addrs,
						      PRIME_FAULT_PAGES);
}

#define MMAP_OP(_name, _own_mmap)                                           \
	{                                                                   \
		.name = _name, .prepare = gem_mmap_prepare,                 \
		.run = gem_mmap_run, .good = gem_mmap_good,                 \
		.refused = gem_mmap_refused,                                \
		.finish = prime_fault_buffer_finish, .own_mmap = _own_mmap, \
		.least = 2                                                  \
	}

static const struct fault_op ops[] = {
	PRIME_FAULT_BUFFER_OP("drm_gem_map_attach", gem_attach_run,
			      gem_attach_good, 2),
	{ .name = "drm_gem_map_dma_buf",
	  .prepare = gem_map_prepare,
	  .run = gem_map_run,
	  .good = gem_map_good,
	  .finish = gem_map_finish,
	  .least = 2 },
	PRIME_FAULT_BUFFER_OP("drm_gem_dmabuf_vmap", gem_vmap_run,
			      gem_vmap_good, 2),
	MMAP_OP("drm_gem_prime_mmap", true),
	MMAP_OP("drm_gem_prime_mmap, as a client", false),
	{ .name = "drm_prime_pages_to_sg",
	  .run = small_list_run,
	  .good = list_good,
	  .least = 2 },
	{ .name = "drm_prime_pages_to_sg, chained",
	  .run = large_list_run,
	  .good = list_good,
	  .least = 3 },
	{ .name = "drm_prime_sg_to_page_array",
	  .prepare = list_prepare,
	  .run = arrays_run,
	  .good = list_good },
};

KUNIT_ARRAY_PARAM_DESC(op, ops, name);

/* Succeeds if it works or leaves no trace, whatever allocation fails. */
static void fault_prime_map(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case prime_fault_map_cases[] = {
	KUNIT_CASE_PARAM(fault_prime_map, op_gen_params),
	{},
};

static struct kunit_suite prime_fault_map_suite = {
	.name = "drm_prime_fault_map",
	.init = prime_fault_init,
	.exit = prime_fault_exit,
	.test_cases = prime_fault_map_cases,
};

kunit_test_suite(prime_fault_map_suite);
