// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime tests out of memory
 *
 * Each allocation of each conversion fails once: in the bridge, in the core
 * below it, in the drivers on both sides. Nothing of the attempt may be left on
 * either device, no handle, no reference, no cached pair, no pinned page, and
 * the same conversion must work with memory. Files that a kernel thread closes
 * are released by a worker, so what hangs on them is waited for.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <kunit/device.h>
#include <kunit/resource.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "../../../dma-buf/tests/dma_buf_fault.h"
#include "drm_prime_mock.h"

/* Entries of a scatter list beyond one page of them. */
#define LARGE_ORDER 8
#define LARGE	    BIT(LARGE_ORDER)

/**
 * struct fault_ctx - what an attempt works on
 * @duo: two devices with an open file each
 * @again: a second file of the exporter
 * @obj: an object of the exporter
 * @handle: its handle in the exporter's file
 * @fd: its dma-buf as file descriptor, where it is exported beforehand
 * @dma_buf: its dma-buf, likewise
 * @attach: an attachment of the importer's device, likewise
 * @made: what the attempt has made, one of the following likewise
 * @made_handle: a handle
 * @made_fd: a file descriptor
 * @sgt: a table
 * @map: a kernel mapping
 * @addr: a user mapping
 * @block: pages for scatter lists
 * @pages: the same, so that no two can be joined
 */
struct fault_ctx {
	struct prime_mock_duo *duo;
	struct drm_file *again;
	struct drm_gem_object *obj;
	u32 handle;
	int fd;
	struct dma_buf *dma_buf;
	struct dma_buf_attachment *attach;
	void *made;
	u32 made_handle;
	int made_fd;
	struct sg_table *sgt;
	struct iosys_map map;
	unsigned long addr;
	struct page *block;
	struct page *pages[LARGE];
};

static void free_block(void *block)
{
	__free_pages(block, LARGE_ORDER);
}

static int fault_init(struct kunit *test)
{
	struct fault_ctx *ctx;
	int i, ret;

	fault_require(test);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	prime_mock_duo_init(test);
	ctx->duo = test->priv;
	ctx->again = prime_mock_open(test, ctx->duo->exporter);

	ctx->block = alloc_pages(GFP_KERNEL, LARGE_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, ctx->block);
	ret = kunit_add_action_or_reset(test, free_block, ctx->block);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for (i = 0; i < LARGE; i++)
		ctx->pages[i] = ctx->block + LARGE - 1 - i;
	test->priv = ctx;
	return 0;
}

static void fault_exit(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	if (!ctx)
		return;
	test->priv = ctx->duo;
	prime_mock_duo_exit(test);
}

/* What a refusal has left for the next would be one allocation less. */
static void drop_spare(struct drm_file *file)
{
	kfree(file->prime.spare);
	file->prime.spare = NULL;
}

/* An object that only its handle keeps, never exported. */
static void object_prepare(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct prime_mock_duo *duo = ctx->duo;

	drop_spare(duo->efile);
	drop_spare(duo->ifile);
	drop_spare(ctx->again);
	ctx->handle = prime_mock_handle(test, duo->exporter, duo->efile);
	ctx->obj = prime_mock_peek(test, duo->efile, ctx->handle);
}

/* The handle goes, and nothing may be left. */
static void object_finish(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct prime_mock_duo *duo = ctx->duo;

	prime_mock_close(test, duo->efile, ctx->handle);
	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&duo->exporter->objects));
	KUNIT_EXPECT_EQ(test, atomic_read(&duo->importer->objects), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&duo->exporter->pins), 0);
	KUNIT_EXPECT_EQ(test, duo->efile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, duo->ifile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->again->prime.count, 0);
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&duo->ifile->object_idr));
	KUNIT_EXPECT_TRUE(test, idr_is_empty(&ctx->again->object_idr));
}

/* As if nobody had ever tried to export it. */
static void export_refused(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	PRIME_MOCK_EXPECT_SOON(test, kref_read(&ctx->obj->refcount) == 1);
	KUNIT_EXPECT_EQ(test, ctx->obj->handle_count, 1);
	KUNIT_EXPECT_NULL(test, ctx->obj->dma_buf);
	KUNIT_EXPECT_EQ(test, ctx->duo->efile->prime.count, 0);
}

/* drm_gem_prime_handle_to_fd() */

static int to_fd_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->made_fd = -1;
	return drm_gem_prime_handle_to_fd(&ctx->duo->exporter->drm,
					  ctx->duo->efile, ctx->handle,
					  DRM_CLOEXEC, &ctx->made_fd);
}

/* An object that is exported, seen from its dma-buf. */
static void buffer_prepare(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	object_prepare(test);
	KUNIT_ASSERT_EQ(test, to_fd_run(test), 0);
	ctx->fd = ctx->made_fd;
	ctx->dma_buf = prime_mock_dma_buf(test, ctx->fd);
}

static void buffer_finish(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	prime_mock_close_fd(ctx->fd);
	object_finish(test);
}

/* As if nobody had ever tried to import or attach. */
static void import_refused(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct prime_mock_duo *duo = ctx->duo;

	PRIME_MOCK_EXPECT_SOON(test, !atomic_read(&duo->importer->objects));
	/* the descriptor's, the object's and the cache's */
	PRIME_MOCK_EXPECT_SOON(test, file_count(ctx->dma_buf->file) == 3);
	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&duo->exporter->pins), 0);
	/* the handle's and the dma-buf's */
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->obj->refcount), 2);
	KUNIT_EXPECT_EQ(test, ctx->obj->handle_count, 1);
	KUNIT_EXPECT_EQ(test, duo->ifile->prime.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->again->prime.count, 0);
}

/* drm_gem_prime_export() */

static int prime_export_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->made = drm_gem_prime_export(ctx->obj, O_RDWR);
	return PTR_ERR_OR_ZERO(ctx->made);
}

static void prime_export_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct dma_buf *dma_buf = ctx->made;

	KUNIT_EXPECT_EQ(test, dma_buf->size, ctx->obj->size);
	dma_buf_put(dma_buf);
}

/* drm_gem_prime_handle_to_dmabuf() */

static int to_dmabuf_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->made = drm_gem_prime_handle_to_dmabuf(&ctx->duo->exporter->drm,
						   ctx->duo->efile, ctx->handle,
						   DRM_RDWR);
	return PTR_ERR_OR_ZERO(ctx->made);
}

static void to_dmabuf_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, ctx->obj->dma_buf, ctx->made);
	dma_buf_put(ctx->made);
}

static void to_fd_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, prime_mock_dma_buf(test, ctx->made_fd),
			    ctx->obj->dma_buf);
	prime_mock_close_fd(ctx->made_fd);
}

static void to_fd_refused(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_EXPECT_EQ(test, ctx->made_fd, -1);
	/* the number that was taken for the attempt is free again */
	KUNIT_EXPECT_EQ(test, fd, ctx->fd);
	put_unused_fd(fd);
	export_refused(test);
}

/* The lowest descriptor that is free, in a table that all threads share. */
static void to_fd_prepare(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	object_prepare(test);
	ctx->fd = get_unused_fd_flags(O_CLOEXEC);
	KUNIT_ASSERT_GE(test, ctx->fd, 0);
	put_unused_fd(ctx->fd);
}

/* drm_gem_prime_fd_to_handle(): another device's buffer, and one's own */

static int to_handle_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	return drm_gem_prime_fd_to_handle(&ctx->duo->importer->drm,
					  ctx->duo->ifile, ctx->fd,
					  &ctx->made_handle);
}

static void to_handle_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 1);
	prime_mock_close(test, ctx->duo->ifile, ctx->made_handle);
	import_refused(test);
}

static int own_to_handle_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	return drm_gem_prime_fd_to_handle(&ctx->duo->exporter->drm, ctx->again,
					  ctx->fd, &ctx->made_handle);
}

static void own_to_handle_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->obj->handle_count, 2);
	prime_mock_close(test, ctx->again, ctx->made_handle);
	import_refused(test);
}

/* drm_gem_prime_import() */

static int prime_import_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->made =
		drm_gem_prime_import(&ctx->duo->importer->drm, ctx->dma_buf);
	return PTR_ERR_OR_ZERO(ctx->made);
}

static void prime_import_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, prime_mock_attachments(ctx->dma_buf), 1);
	drm_gem_object_put(ctx->made);
	import_refused(test);
}

/* The callbacks of the exporter's dma-buf: attach, which pins, and map */

static int gem_attach_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->attach = dma_buf_attach(ctx->dma_buf, ctx->duo->importer->drm.dev);
	return PTR_ERR_OR_ZERO(ctx->attach);
}

static void gem_attach_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->duo->exporter->pins), 1);
	dma_buf_detach(ctx->dma_buf, ctx->attach);
	import_refused(test);
}

static void gem_map_prepare(struct kunit *test)
{
	buffer_prepare(test);
	KUNIT_ASSERT_EQ(test, gem_attach_run(test), 0);
}

static int gem_map_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->sgt =
		dma_buf_map_attachment_unlocked(ctx->attach, DMA_BIDIRECTIONAL);
	return PTR_ERR_OR_ZERO(ctx->sgt);
}

static void gem_map_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	dma_buf_unmap_attachment_unlocked(ctx->attach, ctx->sgt,
					  DMA_BIDIRECTIONAL);
}

static void gem_map_finish(struct kunit *test)
{
	gem_attach_good(test);
	buffer_finish(test);
}

/* The whole way back: unmap, detach, unpin, both handles */

static void back_prepare(struct kunit *test)
{
	buffer_prepare(test);
	KUNIT_ASSERT_EQ(test, to_handle_run(test), 0);
}

static int back_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	return drm_gem_handle_delete(ctx->duo->ifile, ctx->made_handle);
}

/* vmap */

static int gem_vmap_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	return dma_buf_vmap_unlocked(ctx->dma_buf, &ctx->map);
}

static void gem_vmap_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	iosys_map_memset(&ctx->map, 0, 0x5a, MOCK_SIZE);
	dma_buf_vunmap_unlocked(ctx->dma_buf, &ctx->map);
}

/* mmap of the dma-buf, by the object's function and by the driver's file */

static int gem_mmap_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->addr = vm_mmap(ctx->dma_buf->file, 0, MOCK_SIZE, PROT_READ,
			    MAP_SHARED, 0);
	return IS_ERR_VALUE(ctx->addr) ? (long)ctx->addr : 0;
}

/* The one file that may map the object is that of its handle. */
static void gem_mmap_refused(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;
	struct rb_node *first = rb_first(&ctx->obj->vma_node.vm_files);

	KUNIT_EXPECT_TRUE(test, first && !rb_next(first));
	import_refused(test);
}

static void gem_mmap_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

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
	struct fault_ctx *ctx = test->priv;
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
	buffer_prepare(test);
}

/* Scatter lists: two allocations, or a chain of them */

static int small_list_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->sgt =
		drm_prime_pages_to_sg(&ctx->duo->exporter->drm, ctx->pages, 4);
	return PTR_ERR_OR_ZERO(ctx->sgt);
}

static int large_list_run(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

	ctx->sgt = drm_prime_pages_to_sg(&ctx->duo->exporter->drm, ctx->pages,
					 LARGE);
	return PTR_ERR_OR_ZERO(ctx->sgt);
}

static void list_good(struct kunit *test)
{
	struct fault_ctx *ctx = test->priv;

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
	static struct page *pages[LARGE];
	static dma_addr_t addrs[LARGE];
	struct fault_ctx *ctx = test->priv;

	return drm_prime_sg_to_page_array(ctx->sgt, pages, LARGE) ?:
		       drm_prime_sg_to_dma_addr_array(ctx->sgt, addrs, LARGE);
}

#define MMAP_OP(_name, _own_mmap)                                     \
	{                                                             \
		.name = _name, .prepare = gem_mmap_prepare,           \
		.run = gem_mmap_run, .good = gem_mmap_good,           \
		.refused = gem_mmap_refused, .finish = buffer_finish, \
		.own_mmap = _own_mmap, .least = 2                     \
	}
#define OBJECT_OP(_name, _run, _good, _least)                          \
	{                                                              \
		.name = _name, .prepare = object_prepare, .run = _run, \
		.good = _good, .refused = export_refused,              \
		.finish = object_finish, .least = _least               \
	}
#define BUFFER_OP(_name, _run, _good, _least)                          \
	{                                                              \
		.name = _name, .prepare = buffer_prepare, .run = _run, \
		.good = _good, .refused = import_refused,              \
		.finish = buffer_finish, .least = _least               \
	}

static const struct fault_op ops[] = {
	OBJECT_OP("drm_gem_prime_export", prime_export_run, prime_export_good,
		  4),
	OBJECT_OP("drm_gem_prime_handle_to_dmabuf", to_dmabuf_run,
		  to_dmabuf_good, 5),
	{ .name = "drm_gem_prime_handle_to_fd",
	  .prepare = to_fd_prepare,
	  .run = to_fd_run,
	  .good = to_fd_good,
	  .refused = to_fd_refused,
	  .finish = object_finish,
	  .least = 5 },
	BUFFER_OP("drm_gem_prime_fd_to_handle", to_handle_run, to_handle_good,
		  5),
	BUFFER_OP("drm_gem_prime_fd_to_handle, own", own_to_handle_run,
		  own_to_handle_good, 2),
	BUFFER_OP("drm_gem_prime_import", prime_import_run, prime_import_good,
		  4),
	BUFFER_OP("drm_gem_map_attach", gem_attach_run, gem_attach_good, 2),
	{ .name = "drm_gem_map_dma_buf",
	  .prepare = gem_map_prepare,
	  .run = gem_map_run,
	  .good = gem_map_good,
	  .finish = gem_map_finish,
	  .least = 2 },
	BUFFER_OP("drm_gem_dmabuf_vmap", gem_vmap_run, gem_vmap_good, 2),
	MMAP_OP("drm_gem_prime_mmap", true),
	MMAP_OP("drm_gem_prime_mmap, as a client", false),
	{ .name = "drm_prime_gem_destroy",
	  .prepare = back_prepare,
	  .run = back_run,
	  .good = import_refused,
	  .finish = buffer_finish },
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
static void fault_prime(struct kunit *test)
{
	fault_sweep(test, test->param_value);
}

static struct kunit_case prime_fault_cases[] = {
	KUNIT_CASE_PARAM(fault_prime, op_gen_params),
	{},
};

static struct kunit_suite prime_fault_suite = {
	.name = "drm_prime_fault",
	.init = fault_init,
	.exit = fault_exit,
	.test_cases = prime_fault_cases,
};

kunit_test_suite(prime_fault_suite);
