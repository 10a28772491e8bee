// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of vgem devices that go while storage is taken away
 *
 * An importer can be unplugged at any time, an exporter can revoke at any time, and
 * the two know nothing of each other. Each takes apart what the other holds on to:
 * the attachment, its table, the object.
 */

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>

#include "../vgem_drv.h"
#include "vgem_device_test.h"

#define ROUNDS 10

/**
 * struct unplugging - a buffer and a device that imports it, both about to go
 * @storage: the object of the device that has the buffer
 * @dmabuf: exported
 * @importer: the device that goes
 * @obj: its object
 * @sgt: what it has mapped
 * @work: the thread that revokes
 * @ready: it runs
 */
struct unplugging {
	struct drm_gem_storage *storage;
	struct dma_buf *dmabuf;
	struct vgem_device *importer;
	struct drm_gem_object *obj;
	struct sg_table *sgt;
	struct work_struct work;
	struct completion ready;
};

static void revoke_work(struct work_struct *work)
{
	struct unplugging *u = container_of(work, struct unplugging, work);

	complete(&u->ready);
	dma_buf_revoke(u->dmabuf);
}

static void import_and_map(struct kunit *test, struct unplugging *u,
			   struct drm_device *owner)
{
	struct drm_gem_object *obj;
	struct drm_device *drm;

	u->storage = drm_gem_storage_create(owner, SZ_64K);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, u->storage);
	obj = &u->storage->base;
	u->dmabuf = obj->funcs->export(obj, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, u->dmabuf);
	u->importer = vgem_test_create(test, NULL);
	drm = &u->importer->drm;
	/* as an open file of it has */
	drm_dev_get(drm);
	u->obj = drm->driver->gem_prime_import(drm, u->dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, u->obj);
	u->sgt = dma_buf_map_attachment_unlocked(u->obj->import_attach,
						 DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, u->sgt);
}

static void give_back(struct unplugging *u)
{
	struct drm_device *drm = u->obj->dev;

	dma_buf_unmap_attachment_unlocked(u->obj->import_attach, u->sgt,
					  DMA_BIDIRECTIONAL);
	drm_gem_object_put(u->obj);
	drm_dev_put(drm);
}

static void put_exported(struct unplugging *u)
{
	dma_buf_put(u->dmabuf);
	/* the file is released by a worker, and holds a reference until then */
	while (kref_read(&u->storage->base.refcount) > 1) {
		flush_delayed_fput();
		cond_resched();
	}
	drm_gem_object_put(&u->storage->base);
}

/*
 * Succeeds if a device that is unplugged, with a buffer mapped, while the buffer is
 * revoked, gives all of it back in its own time, and the exporter gets to know.
 */
static void vgem_race_test_revoke_and_unplug(struct kunit *test)
{
	struct drm_device *owner = &vgem_test_create(test, NULL)->drm;
	long pages = drm_gem_storage_pages(DRM_GEM_STORAGE_SHMEM);
	struct unplugging u;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		import_and_map(test, &u, owner);
		init_completion(&u.ready);
		INIT_WORK_ONSTACK(&u.work, revoke_work);
		queue_work(system_unbound_wq, &u.work);
		wait_for_completion(&u.ready);

		/* what it takes away first differs from round to round */
		if (round % 2)
			give_back(&u);
		vgem_test_remove(test, u.importer);
		if (!(round % 2))
			give_back(&u);
		flush_work(&u.work);
		destroy_work_on_stack(&u.work);

		KUNIT_EXPECT_TRUE(test, list_empty(&u.dmabuf->attachments));
		KUNIT_EXPECT_GT(test, dma_buf_revoke_wait(u.dmabuf, HZ), 0);
		put_exported(&u);
	}
	KUNIT_EXPECT_EQ(test, drm_gem_storage_pages(DRM_GEM_STORAGE_SHMEM),
			pages);
}

static struct kunit_case vgem_race_tests[] = {
	KUNIT_CASE(vgem_race_test_revoke_and_unplug),
	{}
};

static struct kunit_suite vgem_race_suite = {
	.name = "vgem_race",
	.test_cases = vgem_race_tests,
};

kunit_test_suite(vgem_race_suite);
