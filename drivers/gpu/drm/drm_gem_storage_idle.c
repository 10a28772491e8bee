// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that nobody uses at the moment, and may want again soon.
 */

#include <linux/atomic.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <kunit/visibility.h>

#include "drm_gem_storage_internal.h"

/**
 * DOC: idle storage
 *
 * A compositor that imports each frame of a client anew has, between two of them,
 * nobody who uses the buffer. To give its pages back to the shmem file then, and to
 * ask for them again, is a look-up, a count, a flag and a mark for each page, and a
 * new scatter list: for 8 MiB about a million instructions, sixty times a second,
 * and the same pages in the end.
 *
 * So pages of shmem stay with the object when their last user goes, with the list
 * that describes them, and without a mapping for any device. They are given back
 *
 * * when nobody has used them for a second or two. A longer time, see the parameter
 *   idle_ms, can become up to twice as long. From then on they may go to swap;
 * * at once if the machine is short of memory: the shrinker takes those that are
 *   idle the longest. They are nobody's, so there is nothing to wait for;
 * * with the object.
 *
 * Who ends the last mapping of a process has the mmap lock, and does not wait for the
 * reservation lock. If somebody else has that, the object is looked at a second later.
 *
 * drm_gem_storage_pages() does not count them.
 *
 * They count for the memory cgroup of who has touched them first, in use or not. One
 * at its limit does not get them sooner: the shrinker is asked for the whole machine
 * only, as those of other drivers are. Who runs close to such limits sets idle_ms to 0,
 * and nothing is kept.
 *
 * What has been idle once stays on the list of those when it has a user again. That such
 * a buffer is idle, and no longer, is a flag then, for which no import and no end of one
 * takes a lock that all of them share. Who looks through the list takes off it what is in
 * use, and puts behind the others what was used since it was seen last.
 *
 * Locking
 * ~~~~~~~
 *
 * A mutex guards the lists, and is taken inside the reservation lock, or inside the mmap
 * lock by who does not get that, for a few instructions as a rule. To give pages back is
 * to go the other way around, hence only tries the reservation lock; what it does not get
 * is in use, or about to be. The mutex is held meanwhile, for one object at a time. The
 * shrinker only tries that as well, for who holds it may need memory. An object leaves
 * the lists before it is freed, and waits for the mutex to do so. So what is on a list
 * exists, and so does the lock that is dropped when its pages are given back.
 *
 * Only the pages that an object has at the moment are listed. They come to the list, and
 * leave it, with the reservation lock held as well, but for an object without references.
 * So who has that lock may look whether they are. It alone guards whether they are idle,
 * and since when.
 */

/* How often is looked for pages that nobody has come for. */
#define IDLE_PERIOD HZ

VISIBLE_IF_KUNIT unsigned int drm_gem_storage_idle_ms = MSEC_PER_SEC;
EXPORT_SYMBOL_IF_KUNIT(drm_gem_storage_idle_ms);
module_param_named(idle_ms, drm_gem_storage_idle_ms, uint, 0644);
MODULE_PARM_DESC(idle_ms,
		 "How long pages that nobody uses are kept, 0 for not at all");

static void idle_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(idle_dwork, idle_work);

static struct {
	/*
	 * Guards all of it, and what &struct drm_gem_storage_backing has for lists.
	 * Held to give pages back, too, so that the object cannot be freed.
	 */
	struct mutex lock;
	/*
	 * What was idle, and may have a user again. What was used before the others
	 * comes first, as far as is known without a look at each.
	 */
	struct list_head backings;
	/* On that list. */
	unsigned long objects;
	unsigned long pages;
	/* Objects that may have become idle while somebody had their lock. */
	struct list_head unsettled;
	/* How many, for who frees an object and need not take @lock. */
	atomic_t unsettled_count;
} idle = {
	.lock = __MUTEX_INITIALIZER(idle.lock),
	.backings = LIST_HEAD_INIT(idle.backings),
	.unsettled = LIST_HEAD_INIT(idle.unsettled),
};

/**
 * struct unsettled - an object to look at later
 * @node: in the list of @idle
 * @storage: the object, which leaves the list before it is freed
 */
struct unsettled {
	struct list_head node;
	struct drm_gem_storage *storage;
};

/* To the shmem file. */
static void give_back_locked(struct drm_gem_storage *storage)
{
	struct drm_gem_storage_backing *backing = storage->backing;

	dma_resv_assert_held(storage->base.resv);

	storage->backing = NULL;
	drm_gem_storage_backing_put(storage, backing);
}

static void list_add_locked(struct drm_gem_storage *storage)
{
	struct drm_gem_storage_backing *backing = storage->backing;

	dma_resv_assert_held(storage->base.resv);
	lockdep_assert_held(&idle.lock);

	backing->listed = true;
	backing->listed_at = jiffies;
	backing->storage = storage;
	if (list_empty(&idle.backings))
		schedule_delayed_work(&idle_dwork, IDLE_PERIOD);
	list_add_tail(&backing->idle_node, &idle.backings);
	WRITE_ONCE(idle.objects, idle.objects + 1);
	WRITE_ONCE(idle.pages, idle.pages + backing->count);
}

static void list_del_locked(struct drm_gem_storage_backing *backing)
{
	lockdep_assert_held(&idle.lock);

	backing->listed = false;
	list_del(&backing->idle_node);
	WRITE_ONCE(idle.objects, idle.objects - 1);
	WRITE_ONCE(idle.pages, idle.pages - backing->count);
}

/* As if it had come to the list at @when. */
static void list_rotate_locked(struct drm_gem_storage_backing *backing,
			       unsigned long when)
{
	lockdep_assert_held(&idle.lock);

	backing->listed_at = when;
	list_move_tail(&backing->idle_node, &idle.backings);
}

static void mark_idle_locked(struct drm_gem_storage *storage)
{
	struct drm_gem_storage_backing *backing = storage->backing;

	dma_resv_assert_held(storage->base.resv);

	drm_gem_storage_count_pages(backing, false);
	backing->idle = true;
	backing->idle_since = jiffies;
}

/**
 * drm_gem_storage_idle_begin_locked - keep pages that nobody uses
 * @storage: the object
 */
void drm_gem_storage_idle_begin_locked(struct drm_gem_storage *storage)
{
	if (!READ_ONCE(drm_gem_storage_idle_ms)) {
		give_back_locked(storage);
		return;
	}

	mark_idle_locked(storage);
	if (storage->backing->listed)
		return;

	mutex_lock(&idle.lock);
	list_add_locked(storage);
	mutex_unlock(&idle.lock);
}

/**
 * drm_gem_storage_idle_end_locked - the pages have a user again
 * @storage: the object, whose pages are idle
 */
void drm_gem_storage_idle_end_locked(struct drm_gem_storage *storage)
{
	dma_resv_assert_held(storage->base.resv);

	storage->backing->idle = false;
	drm_gem_storage_count_pages(storage->backing, true);
}

/**
 * drm_gem_storage_idle_drop - forget pages that go
 * @backing: the pages, with the reservation lock held or of an object without references
 */
void drm_gem_storage_idle_drop(struct drm_gem_storage_backing *backing)
{
	if (!backing->listed)
		return;

	mutex_lock(&idle.lock);
	list_del_locked(backing);
	mutex_unlock(&idle.lock);
}

/**
 * drm_gem_storage_idle_later - keep pages, if nobody uses them when that can be seen
 * @storage: the object, whose lock somebody has
 *
 * Without memory to remember it by, the object waits for its next user.
 */
void drm_gem_storage_idle_later(struct drm_gem_storage *storage)
{
	struct unsettled *other, *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return;

	entry->storage = storage;
	mutex_lock(&idle.lock);
	/* a process may map and unmap as often as it likes meanwhile */
	list_for_each_entry(other, &idle.unsettled, node) {
		if (other->storage == storage)
			goto known;
	}
	list_add_tail(&entry->node, &idle.unsettled);
	atomic_inc(&idle.unsettled_count);
	schedule_delayed_work(&idle_dwork, IDLE_PERIOD);
	entry = NULL;
known:
	mutex_unlock(&idle.lock);
	kfree(entry);
}

/* The last that is done with the object. */
static void unsettled_drop_locked(struct unsettled *entry)
{
	lockdep_assert_held(&idle.lock);

	list_del(&entry->node);
	kfree(entry);
	/* Pairs with drm_gem_storage_idle_forget(). */
	atomic_dec_return_release(&idle.unsettled_count);
}

/**
 * drm_gem_storage_idle_forget - undo drm_gem_storage_idle_later()
 * @storage: an object without references
 */
void drm_gem_storage_idle_forget(struct drm_gem_storage *storage)
{
	struct unsettled *entry, *next;

	/* Pairs with unsettled_drop_locked(): none is being looked at, either. */
	if (!atomic_read_acquire(&idle.unsettled_count))
		return;

	mutex_lock(&idle.lock);
	list_for_each_entry_safe(entry, next, &idle.unsettled, node) {
		if (entry->storage == storage)
			unsettled_drop_locked(entry);
	}
	mutex_unlock(&idle.lock);
}

/**
 * drm_gem_storage_idle_leave - the object goes
 * @storage: an object without references
 *
 * &drm_gem_storage.backing may be NULL afterwards.
 */
void drm_gem_storage_idle_leave(struct drm_gem_storage *storage)
{
	mutex_lock(&idle.lock);
	if (storage->backing && storage->backing->listed)
		list_del_locked(storage->backing);
	mutex_unlock(&idle.lock);
}

/*
 * Look at the first on the list. Returns how many pages that makes, which is 0 if they
 * have a user, or have had one since they came there; or a negative errno: -ENOENT if the
 * first came after @since, -EBUSY if somebody is about to use them.
 */
static long idle_shrink_one_locked(unsigned long since)
{
	struct drm_gem_storage_backing *backing;
	struct dma_resv *resv;
	long pages = 0;

	lockdep_assert_held(&idle.lock);

	backing = list_first_entry_or_null(&idle.backings, typeof(*backing),
					   idle_node);
	if (!backing || time_after(backing->listed_at, since))
		return -ENOENT;

	resv = backing->storage->base.resv;
	if (!dma_resv_trylock(resv)) {
		list_rotate_locked(backing, jiffies);
		return -EBUSY;
	}
	if (!backing->idle) {
		list_del_locked(backing);
	} else if (time_after(backing->idle_since, backing->listed_at)) {
		list_rotate_locked(backing, backing->idle_since);
	} else {
		pages = backing->count;
		list_del_locked(backing);
		give_back_locked(backing->storage);
	}
	dma_resv_unlock(resv);

	return pages;
}

/* Who waits for memory must not wait for who has the lock, and may do so, too. */
static bool idle_lock(bool reclaim)
{
	if (reclaim)
		return mutex_trylock(&idle.lock);

	mutex_lock(&idle.lock);

	return true;
}

static void settle_one_locked(struct unsettled *entry)
{
	struct drm_gem_storage *storage = entry->storage;

	lockdep_assert_held(&idle.lock);

	if (!dma_resv_trylock(storage->base.resv)) {
		list_move_tail(&entry->node, &idle.unsettled);
		return;
	}
	if (drm_gem_storage_is_unused_locked(storage)) {
		mark_idle_locked(storage);
		if (!storage->backing->listed)
			list_add_locked(storage);
	}
	dma_resv_unlock(storage->base.resv);
	unsettled_drop_locked(entry);
}

/* See which of those that were locked are idle by now. */
static void settle(bool reclaim)
{
	int left = atomic_read(&idle.unsettled_count);
	struct unsettled *entry;

	for (; left > 0; left--) {
		if (!idle_lock(reclaim))
			return;
		entry = list_first_entry_or_null(&idle.unsettled,
						 typeof(*entry), node);
		if (entry)
			settle_one_locked(entry);
		mutex_unlock(&idle.lock);
	}
}

/* At least @pages of those that are idle for @age jiffies, if there are so many. */
static unsigned long idle_shrink(unsigned long pages, unsigned long age,
				 bool reclaim)
{
	unsigned long since, left, freed = 0;
	long ret = 0;

	settle(reclaim);
	/* now, for what was settled counts, too */
	since = jiffies - age;
	/* each may have been used since it came to the list, and is looked at again */
	left = 2 * READ_ONCE(idle.objects);
	for (; left && freed < pages && ret != -ENOENT; left--) {
		if (!idle_lock(reclaim))
			break;
		ret = idle_shrink_one_locked(since);
		mutex_unlock(&idle.lock);
		if (ret > 0)
			freed += ret;
		cond_resched();
	}

	return freed;
}

/**
 * drm_gem_storage_shrink - give back pages that nobody uses
 * @pages: how many at least, if there are so many
 *
 * As the machine does by itself when it is short of memory.
 *
 * Context: Process context, may sleep. An object whose reservation lock is held keeps
 *	    its pages.
 * Return: how many pages that were.
 */
unsigned long drm_gem_storage_shrink(unsigned long pages)
{
	return idle_shrink(pages, 0, false);
}
EXPORT_SYMBOL_IF_KUNIT(drm_gem_storage_shrink);

/* Those that have become idle since are looked at in their turn. */
static void idle_work(struct work_struct *unused)
{
	unsigned int ms = READ_ONCE(drm_gem_storage_idle_ms);

	idle_shrink(ULONG_MAX, msecs_to_jiffies(ms), false);

	mutex_lock(&idle.lock);
	if (!list_empty(&idle.backings) || !list_empty(&idle.unsettled))
		schedule_delayed_work(&idle_dwork, IDLE_PERIOD);
	mutex_unlock(&idle.lock);
}

static unsigned long idle_count(struct shrinker *shrinker,
				struct shrink_control *sc)
{
	/* those that have a user again, too, until somebody looks */
	return READ_ONCE(idle.pages) ?: SHRINK_EMPTY;
}

static unsigned long idle_scan(struct shrinker *shrinker,
			       struct shrink_control *sc)
{
	return idle_shrink(sc->nr_to_scan, 0, true) ?: SHRINK_STOP;
}

static struct shrinker *idle_shrinker;

static int __init drm_gem_storage_init(void)
{
	idle_shrinker = shrinker_alloc(0, "drm-gem-storage");
	if (!idle_shrinker)
		return -ENOMEM;

	idle_shrinker->count_objects = idle_count;
	idle_shrinker->scan_objects = idle_scan;
	shrinker_register(idle_shrinker);

	return 0;
}
module_init(drm_gem_storage_init);

/* There are no objects any more, for whoever had them needed this module. */
static void __exit drm_gem_storage_exit(void)
{
	shrinker_free(idle_shrinker);
	cancel_delayed_work_sync(&idle_dwork);
}
module_exit(drm_gem_storage_exit);
