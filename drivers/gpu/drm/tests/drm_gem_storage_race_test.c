// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: tests of storage that moves under load
 *
 * A process reads and writes an object through its mapping. A device that can
 * follow moves does the same, of which the CPU plays the part: it takes a table,
 * puts a fence into the reservation object, and then goes by the table alone,
 * without any lock, until it signals. Meanwhile strict devices come and go, so
 * that the storage is of each kind in turn.
 *
 * Each of the two has words of its own in every page, finds there what it wrote
 * the last time, and counts on. Nobody touches the rest.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <kunit/resource.h>

#include "drm_gem_storage_party.h"

/* In each the storage moves from every kind to every other. */
#define MOVE_ROUNDS 10
#define LOAD_SEED   6122011
#define PAGE_WORDS  (PAGE_SIZE / sizeof(u32))

/**
 * struct load - somebody who counts in every page
 * @test: the test
 * @mm: the process that has the object mapped
 * @addr: where
 * @party: the device
 * @word: its word in the first page, one further or nearer in each that follows
 * @step: which of the two
 * @count: what it wrote last, a number per page
 * @rounds: how often it wrote to all
 * @lost: how often it did not find what it had written
 * @faults: how often it could not look
 */
struct load {
	struct kunit *test;
	struct mm_struct *mm;
	unsigned long addr;
	struct storage_party party;
	int word;
	int step;
	u32 count[STORAGE_PAGES];
	unsigned long rounds;
	unsigned long lost;
	unsigned long faults;
};

static size_t load_word(const struct load *load, unsigned long page)
{
	return page * PAGE_WORDS + load->word + load->step * (long)page;
}

/* load_went_on() looks on. */
static void load_failed(struct load *load)
{
	WRITE_ONCE(load->faults, load->faults + 1);
}

static int process_run(void *data)
{
	struct load *load = data;
	u32 __user *word;
	unsigned long i;
	u32 seen;

	kthread_use_mm(load->mm);
	while (!kthread_should_stop()) {
		for (i = 0; i < STORAGE_PAGES; i++) {
			word = (u32 __user *)load->addr + load_word(load, i);
			if (get_user(seen, word)) {
				load_failed(load);
				continue;
			}
			load->lost += seen != load->count[i];
			if (put_user(++load->count[i], word))
				load_failed(load);
		}
		WRITE_ONCE(load->rounds, load->rounds + 1);
		cond_resched();
	}
	kthread_unuse_mm(load->mm);

	return 0;
}

/* What the device does between the table and the fence. */
static void device_work(struct load *load)
{
	struct sg_dma_page_iter piter;
	unsigned long i = 0;
	u32 *words, *word;
	dma_addr_t address;

	for_each_sgtable_dma_page(load->party.sgt, &piter, 0) {
		address = sg_page_iter_dma_address(&piter);
		words = kmap_local_page(storage_party_page(&load->party,
							   address));
		word = words + load_word(load, i) % PAGE_WORDS;
		load->lost += *word != load->count[i];
		*word = ++load->count[i++];
		kunmap_local(words);
	}
	if (i != STORAGE_PAGES)
		load_failed(load);
}

/* A table that the device was told about is not used again. */
static void device_remap_locked(struct load *load)
{
	struct dma_buf_attachment *attach = load->party.attach;

	if (load->party.sgt && !load->party.told)
		return;

	if (load->party.sgt)
		dma_buf_unmap_attachment(attach, load->party.sgt,
					 DMA_BIDIRECTIONAL);
	load->party.told = 0;
	load->party.sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
}

static int device_run(void *data)
{
	struct load *load = data;
	struct dma_resv *resv = load->party.attach->dmabuf->resv;
	struct dma_fence *fence;

	while (!kthread_should_stop()) {
		dma_resv_lock(resv, NULL);
		device_remap_locked(load);
		if (IS_ERR_OR_NULL(load->party.sgt)) {
			load->party.sgt = NULL;
			load_failed(load);
		}
		fence = storage_mock_busy_locked(load->test,
						 DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(resv);

		if (load->party.sgt)
			device_work(load);
		WRITE_ONCE(load->rounds, load->rounds + 1);
		dma_fence_signal(fence);
		dma_fence_put(fence);
		cond_resched();
	}

	return 0;
}

static struct load *load_new(struct kunit *test, int word, int step)
{
	struct load *load;
	unsigned long i;

	load = kunit_kzalloc(test, sizeof(*load), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, load);
	load->test = test;
	load->word = word;
	load->step = step;
	for (i = 0; i < STORAGE_PAGES; i++)
		load->count[i] =
			storage_mock_word(LOAD_SEED, load_word(load, i));

	return load;
}

static struct task_struct *load_start(struct load *load, int (*run)(void *))
{
	struct task_struct *task;

	task = kthread_run(run, load, "storage-load");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(load->test, task);

	return get_task_struct(task);
}

/* Until it has been at every page twice, once of these from the beginning. */
static void load_went_on(struct load *load)
{
	unsigned long rounds = READ_ONCE(load->rounds);

	while (READ_ONCE(load->rounds) < rounds + 2 && !READ_ONCE(load->faults))
		cond_resched();
}

/* What a driver does that is short of a kind. */
static int give_back(struct dma_buf *dmabuf, struct drm_gem_storage *storage)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	ret = drm_gem_storage_relax(&storage->base, 0);
	dma_resv_unlock(dmabuf->resv);

	return ret;
}

/* A device that needs a kind comes and goes, and the storage becomes that. */
static void move_under(struct kunit *test, struct dma_buf *dmabuf,
		       enum drm_gem_storage_kind kind)
{
	struct storage_ctx *ctx = test->priv;
	struct drm_gem_storage *storage = ctx->storage;
	struct storage_party strict = {};

	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &strict, dmabuf, NULL, kind));
	KUNIT_EXPECT_EQ(test, 0, give_back(dmabuf, storage));
	KUNIT_EXPECT_EQ(test, storage->kind, kind);
	storage_party_leave(&strict);
}

/* Every byte is what one of them, or nobody, has written. */
static void expect_all(struct kunit *test, struct load *load[2])
{
	struct storage_ctx *ctx = test->priv;
	size_t i, who, wrong = 0;
	struct iosys_map map;
	u32 *words, want;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(ctx->obj, &map));
	words = map.vaddr;
	for (i = 0; i < STORAGE_SIZE / sizeof(*words); i++) {
		want = storage_mock_word(LOAD_SEED, i);
		for (who = 0; who < 2; who++)
			if (load_word(load[who], i / PAGE_WORDS) == i)
				want = load[who]->count[i / PAGE_WORDS];
		wrong += words[i] != want;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	drm_gem_vunmap_unlocked(ctx->obj, &map);
}

/* Begins and ends with shmem, and goes each way between two kinds once. */
static const enum drm_gem_storage_kind tour[] = {
	DRM_GEM_STORAGE_CONTIGUOUS, DRM_GEM_STORAGE_MASKED,
	DRM_GEM_STORAGE_SHMEM,	    DRM_GEM_STORAGE_MASKED,
	DRM_GEM_STORAGE_CONTIGUOUS, DRM_GEM_STORAGE_SHMEM,
};

/*
 * Succeeds if nothing that a process or a device writes while storage moves gets
 * lost, and nothing else changes.
 */
static void load_while_it_moves(struct kunit *test)
{
	struct dma_buf *dmabuf = storage_mock_export(test);
	struct storage_ctx *ctx = test->priv;
	/* from the beginning of a page on, and from its end backwards */
	struct load *load[2] = { load_new(test, 0, 1),
				 load_new(test, PAGE_WORDS - 1, -1) };
	struct task_struct *task[2];
	int i, who;

	storage_mock_fill(test, ctx->storage, LOAD_SEED);
	load[0]->addr = kunit_vm_mmap(test, dmabuf->file, 0, STORAGE_SIZE,
				      PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(load[0]->addr));
	load[0]->mm = current->mm;
	KUNIT_ASSERT_EQ(test, 0,
			storage_party_join(test, &load[1]->party, dmabuf,
					   &storage_party_follower,
					   DRM_GEM_STORAGE_SHMEM));
	task[0] = load_start(load[0], process_run);
	task[1] = load_start(load[1], device_run);

	for (i = 0; i < ARRAY_SIZE(tour) * MOVE_ROUNDS; i++) {
		for (who = 0; who < 2; who++)
			load_went_on(load[who]);
		move_under(test, dmabuf, tour[i % ARRAY_SIZE(tour)]);
		KUNIT_EXPECT_EQ(test, ctx->storage->moves, i + 1);
	}
	for (who = 0; who < 2; who++) {
		load_went_on(load[who]);
		kthread_stop_put(task[who]);
		KUNIT_EXPECT_EQ(test, load[who]->lost, 0);
		KUNIT_EXPECT_EQ(test, load[who]->faults, 0);
	}
	if (load[1]->party.sgt)
		storage_party_unmap(&load[1]->party);
	expect_all(test, load);

	vm_munmap(load[0]->addr, STORAGE_SIZE);
	storage_party_leave(&load[1]->party);
	dma_buf_put(dmabuf);
}

static struct kunit_case storage_race_cases[] = {
	KUNIT_CASE(load_while_it_moves),
	{},
};

static struct kunit_suite storage_race_suite = {
	.name = "drm_gem_storage_race",
	.init = storage_mock_init,
	.exit = storage_mock_exit,
	.test_cases = storage_race_cases,
};

kunit_test_suite(storage_race_suite);
