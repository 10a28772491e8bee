// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem's look at what it was given
 *
 * Tables that no device has mapped, each of which breaks one constraint.
 */

#include <linux/dma-buf-constraints.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>

#include "../vgem_drv.h"
#include "vgem_device_test.h"

#define MAX_ENTRIES 3

/**
 * struct verify_case - a table and the device that it is for
 * @name: of the case
 * @needs: constraints of the device, as text
 * @addr: DMA addresses, 0 after the last
 * @len: their lengths in bytes
 * @size: of the buffer
 * @expected: what is found
 */
struct verify_case {
	const char *name;
	const char *needs;
	dma_addr_t addr[MAX_ENTRIES];
	unsigned int len[MAX_ENTRIES];
	u64 size;
	const char *expected;
};

static const struct verify_case verify_cases[] = {
	{ "two places",
	  "any",
	  { SZ_1M, SZ_4M },
	  { SZ_4K, SZ_8K },
	  12288,
	  "ok" },
	{ "too short", "any", { SZ_1M }, { SZ_4K }, SZ_8K, "too short" },
	{ "longer than the buffer",
	  "mask=0x100fff",
	  { SZ_1M },
	  { SZ_8K },
	  SZ_4K,
	  "ok" },
	{ "entries behind the buffer",
	  "mask=0x100fff",
	  { SZ_1M, SZ_4M },
	  { SZ_4K, SZ_4K },
	  SZ_4K,
	  "ok" },
	{ "at the mask", "mask=0x101fff", { SZ_1M }, { SZ_8K }, SZ_8K, "ok" },
	{ "beyond the mask",
	  "mask=0x101ffe",
	  { SZ_1M },
	  { SZ_8K },
	  SZ_8K,
	  "mask" },
	{ "up to the boundary",
	  "boundary=0xffff",
	  { SZ_64K - SZ_4K, SZ_64K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "ok" },
	{ "across the boundary",
	  "boundary=0xffff",
	  { SZ_64K - SZ_4K },
	  { SZ_8K },
	  SZ_8K,
	  "boundary" },
	{ "long", "segment-size=4096", { SZ_1M }, { SZ_4K }, SZ_4K, "ok" },
	{ "too long",
	  "segment-size=4096",
	  { SZ_1M, SZ_2M },
	  { SZ_4K, SZ_8K },
	  12288,
	  "segment size" },
	{ "aligned",
	  "align=65536",
	  { SZ_64K, SZ_1M },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "ok" },
	{ "not aligned",
	  "align=65536",
	  { SZ_64K, SZ_1M + SZ_4K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "alignment" },
	{ "one place in two entries",
	  "segments=1",
	  { SZ_1M, SZ_1M + SZ_4K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "ok" },
	{ "two places for one",
	  "segments=1",
	  { SZ_1M, SZ_1M + SZ_8K },
	  { SZ_4K, SZ_4K },
	  SZ_8K,
	  "segments" },
};

KUNIT_ARRAY_PARAM_DESC(verify, verify_cases, name);

/* Succeeds if each kind of breach is found, and no other. */
static void vgem_verify_test_table(struct kunit *test)
{
	const struct verify_case *c = test->param_value;
	struct vgem_device_config config;
	struct scatterlist *sg;
	struct sg_table sgt;
	unsigned int i, n = 0;
	int ret;

	while (n < MAX_ENTRIES && c->addr[n])
		n++;
	vgem_device_config_init(&config);
	ret = dma_buf_constraints_parse(c->needs, &config.needs);
	KUNIT_ASSERT_EQ(test, ret, 0);
	ret = sg_alloc_table(&sgt, n, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for_each_sgtable_sg(&sgt, sg, i) {
		sg_dma_address(sg) = c->addr[i];
		sg_dma_len(sg) = c->len[i];
	}

	KUNIT_EXPECT_STREQ(test, c->expected,
			   vgem_verify_table(vgem_test_create(test, &config),
					     &sgt, c->size));
	sg_free_table(&sgt);
}

/* Succeeds if a device is not made that no memory could suit. */
static void vgem_verify_test_invalid(struct kunit *test)
{
	struct vgem_device_config config;

	vgem_device_config_init(&config);
	config.needs.max_segments = 0;
	KUNIT_EXPECT_EQ(test, PTR_ERR(vgem_device_create(&config)), -EINVAL);
}

/**
 * struct keeper - another thread that keeps a reservation lock
 * @work: that thread
 * @resv: the lock
 * @taken: it has it
 * @enough: it may let go
 */
struct keeper {
	struct work_struct work;
	struct dma_resv *resv;
	struct completion taken;
	struct completion enough;
};

static void keep_lock(struct work_struct *work)
{
	struct keeper *keeper = container_of(work, struct keeper, work);

	dma_resv_lock(keeper->resv, NULL);
	complete(&keeper->taken);
	wait_for_completion(&keeper->enough);
	dma_resv_unlock(keeper->resv);
}

static void close_file(void *file)
{
	__fput_sync(file);
}

static struct file *open_file(struct kunit *test, const char *format,
			      unsigned int number, int flags)
{
	struct file *file;
	char path[64];

	snprintf(path, sizeof(path), format, number);
	file = filp_open(path, flags, 0);
	if (IS_ERR(file))
		kunit_skip(test, "no %s", path);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, close_file, file));

	return file;
}

/* What vgem_imports of a device has to tell. */
static const char *read_imports(struct kunit *test, struct drm_device *drm)
{
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	char __user *page;
	struct file *file;
	loff_t pos = 0;
	ssize_t n;

	KUNIT_ASSERT_NOT_NULL(test, text);
	page = (char __user *)kunit_vm_mmap(test, NULL, 0, PAGE_SIZE,
					    PROT_READ | PROT_WRITE,
					    MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_EQ(test, 0, clear_user(page, PAGE_SIZE));
	file = open_file(test, "/sys/kernel/debug/dri/%u/vgem_imports",
			 drm->primary->index, O_RDONLY);
	n = file->f_op->read(file, page, PAGE_SIZE - 1, &pos);
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_EQ(test, 0, copy_from_user(text, page, PAGE_SIZE - 1));
	kunit_release_action(test, close_file, file);

	return text;
}

/* The same, of a reader whom a signal reaches while another thread has the lock. */
static const char *read_imports_interrupted(struct kunit *test,
					    struct drm_device *drm,
					    struct dma_resv *resv)
{
	struct keeper keeper = { .resv = resv };
	const char *text;

	INIT_WORK_ONSTACK(&keeper.work, keep_lock);
	init_completion(&keeper.taken);
	init_completion(&keeper.enough);
	queue_work(system_unbound_wq, &keeper.work);
	wait_for_completion(&keeper.taken);

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	text = read_imports(test, drm);
	flush_signals(current);
	disallow_signal(SIGUSR1);

	complete(&keeper.enough);
	flush_work(&keeper.work);
	destroy_work_on_stack(&keeper.work);

	return text;
}

/*
 * Succeeds if a signal ends the wait for a buffer that somebody has locked, which is
 * told, and the next reader sees it mapped.
 */
static void vgem_verify_test_interrupted(struct kunit *test)
{
	struct drm_device *owner = &vgem_test_create(test, NULL)->drm;
	struct drm_device *drm = &vgem_test_create(test, NULL)->drm;
	struct drm_gem_storage *storage;
	struct drm_gem_object *obj;
	struct dma_buf *dmabuf;
	struct file *card;
	const char *text;
	u32 handle;
	int ret;

	card = open_file(test, "/dev/dri/card%u", drm->primary->index, O_RDWR);
	storage = drm_gem_storage_create(owner, SZ_64K);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, storage);
	dmabuf = storage->base.funcs->export(&storage->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	obj = drm->driver->gem_prime_import(drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	ret = drm_gem_handle_create(card->private_data, obj, &handle);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_gem_object_put(obj);

	text = read_imports_interrupted(test, drm, dmabuf->resv);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "not mapped: interrupted\n"));
	text = read_imports(test, drm);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, ": ok\n"));
	KUNIT_EXPECT_NULL(test, strstr(text, "interrupted"));

	kunit_release_action(test, close_file, card);
	dma_buf_put(dmabuf);
	/* the file is released by a worker, and holds a reference until then */
	while (kref_read(&storage->base.refcount) > 1) {
		flush_delayed_fput();
		cond_resched();
	}
	drm_gem_object_put(&storage->base);
}

static struct kunit_case vgem_verify_tests[] = {
	KUNIT_CASE_PARAM(vgem_verify_test_table, verify_gen_params),
	KUNIT_CASE(vgem_verify_test_invalid),
	KUNIT_CASE(vgem_verify_test_interrupted),
	{}
};

static struct kunit_suite vgem_verify_suite = {
	.name = "vgem_verify",
	.test_cases = vgem_verify_tests,
};

kunit_test_suite(vgem_verify_suite);
