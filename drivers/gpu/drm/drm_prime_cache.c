// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime handle cache
 *
 * User space compares GEM handles to find out whether two buffers are the
 * same one, and some drivers refuse a command submission that names a buffer
 * twice. So within one &struct drm_file a dma-buf must always answer to the
 * same handle, and a handle always export the same dma-buf, no matter how
 * often either crosses a process boundary.
 *
 * Each &struct drm_file therefore remembers, as &struct drm_prime_pair, every
 * handle that was exported or came from an import, until that handle is
 * closed. There are two hash tables of the same pairs, because both questions are
 * asked: which handle for this dma-buf, and which dma-buf for this handle. A dma-buf
 * is known by its file, for that is what a descriptor leads to. The tables grow with
 * the pairs, so that an answer costs a compositor with 100,000 buffers what it costs
 * one with a hundred. If there is no memory for that, lists are longer, and a pair is
 * added still; that is why they are not of rhashtable, whose insert may fail. They do not
 * shrink before the file goes.
 * Handles are unique. A dma-buf usually is, but the object behind it can have
 * gained a second handle by another way (GEM_OPEN, GETFB2), and if both were
 * exported both are remembered, so that closing one leaves the other known.
 *
 * A pair keeps its dma-buf alive: as long as an address is in a table, no
 * other dma-buf can be found under it. There is no loop, because a pair goes
 * when its handle is closed and every handle is closed with the file.
 *
 * The caller allocates the pair before it starts, so that adding it, the one
 * step after which there is nothing to undo with, cannot fail. One that is not
 * needed any more waits for the next caller: who imports each frame anew has one
 * pair, again and again.
 */

#include <linux/dma-buf.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>

#include "drm_internal.h"
#include "drm_prime_internal.h"

/* The place where the pair of @handle is, or has to be put. */
static struct drm_prime_pair **
place_by_handle(struct drm_prime_file_private *cache, u32 handle)
{
	struct drm_prime_pair **place;

	lockdep_assert_held(&cache->lock);

	place = &cache->buckets[hash_32(handle, cache->bits)].by_handle;
	while (*place && (*place)->handle != handle)
		place = &(*place)->next_by_handle;
	return place;
}

/* As above, of the one that was added first if there are several. */
static struct drm_prime_pair **
place_by_file(struct drm_prime_file_private *cache, const struct file *file)
{
	struct drm_prime_pair **place;

	lockdep_assert_held(&cache->lock);

	place = &cache->buckets[hash_ptr(file, cache->bits)].by_file;
	while (*place && (*place)->dma_buf->file != file)
		place = &(*place)->next_by_file;
	return place;
}

static inline void insert(struct drm_prime_file_private *cache,
			  struct drm_prime_pair *pair)
{
	const struct file *file = pair->dma_buf->file;
	struct drm_prime_bucket *buckets = cache->buckets;
	struct drm_prime_pair **place;

	place = &buckets[hash_32(pair->handle, cache->bits)].by_handle;
	pair->next_by_handle = *place;
	*place = pair;

	/* behind all, hence behind the first of this file */
	place = &buckets[hash_ptr(file, cache->bits)].by_file;
	while (*place)
		place = &(*place)->next_by_file;
	pair->next_by_file = NULL;
	*place = pair;
}

static void free_buckets(struct drm_prime_file_private *cache,
			 struct drm_prime_bucket *buckets)
{
	if (buckets != cache->first)
		kvfree(buckets);
}

/*
 * Have twice as many buckets, unless there is no memory for them. Not inline, which would
 * cost who adds a pair more than the rest of it.
 */
static noinline void grow(struct drm_prime_file_private *cache)
{
	struct drm_prime_bucket *old = cache->buckets, *buckets;
	struct drm_prime_pair *pair, *next;
	unsigned int i, bits = cache->bits;

	buckets = kvcalloc(2UL << bits, sizeof(*buckets),
			   GFP_KERNEL | __GFP_NOWARN);
	if (!buckets)
		return;

	cache->buckets = buckets;
	cache->bits = bits + 1;
	/* pairs of one file are in one list, and stay in their order */
	for (i = 0; i < 1U << bits; i++) {
		for (pair = old[i].by_file; pair; pair = next) {
			next = pair->next_by_file;
			insert(cache, pair);
		}
	}
	free_buckets(cache, old);
}

/**
 * drm_prime_pair_alloc_locked - memory for a pair
 * @cache: handle cache of a file
 *
 * Context: &drm_prime_file_private.lock must be held, sleeps.
 * Return: the pair, for drm_prime_cache_add_locked() or
 * drm_prime_pair_free_locked(), or NULL if there is no memory.
 */
struct drm_prime_pair *
drm_prime_pair_alloc_locked(struct drm_prime_file_private *cache)
{
	struct drm_prime_pair *pair = cache->spare;

	lockdep_assert_held(&cache->lock);

	if (!pair)
		return kmalloc(sizeof(*pair), GFP_KERNEL);
	cache->spare = NULL;
	return pair;
}

/**
 * drm_prime_pair_free_locked - give back what is not in the cache
 * @cache: handle cache of a file
 * @pair: from drm_prime_pair_alloc_locked()
 *
 * Context: &drm_prime_file_private.lock must be held.
 */
void drm_prime_pair_free_locked(struct drm_prime_file_private *cache,
				struct drm_prime_pair *pair)
{
	lockdep_assert_held(&cache->lock);

	if (cache->spare)
		kfree(pair);
	else
		cache->spare = pair;
}

/**
 * drm_prime_cache_find_handle_locked - what a handle was exported as
 * @cache: handle cache of a file
 * @handle: GEM handle of that file
 *
 * Context: &drm_prime_file_private.lock must be held.
 * Return: the pair, valid while the lock is held, or NULL.
 */
struct drm_prime_pair *
drm_prime_cache_find_handle_locked(struct drm_prime_file_private *cache,
				   u32 handle)
{
	return *place_by_handle(cache, handle);
}

/**
 * drm_prime_cache_find_file_locked - the handle that stands for a dma-buf
 * @cache: handle cache of a file
 * @file: that of the buffer, or any other, which is not found then
 *
 * Of several handles the one that was added first is found, so the answer
 * does not change while that handle is open.
 *
 * Context: &drm_prime_file_private.lock must be held.
 * Return: the pair, valid while the lock is held, or NULL.
 */
struct drm_prime_pair *
drm_prime_cache_find_file_locked(struct drm_prime_file_private *cache,
				 const struct file *file)
{
	return *place_by_file(cache, file);
}

/**
 * drm_prime_cache_add_locked - remember a pair
 * @cache: handle cache of a file
 * @pair: from drm_prime_pair_alloc_locked(); the cache frees it
 * @dma_buf: the buffer, to which the cache takes a reference of its own
 * @handle: the handle, which must not be in the cache
 *
 * Context: &drm_prime_file_private.lock must be held, and must have been held
 * since @handle was last seen to be open or was created.
 */
void drm_prime_cache_add_locked(struct drm_prime_file_private *cache,
				struct drm_prime_pair *pair,
				struct dma_buf *dma_buf, u32 handle)
{
	lockdep_assert_held(&cache->lock);

	get_dma_buf(dma_buf);
	pair->dma_buf = dma_buf;
	pair->handle = handle;
	insert(cache, pair);
	if (cache->count++ >> cache->bits)
		grow(cache);
}

/* Returns the reference that the pair had, or NULL if there is none. */
static struct dma_buf *take_out_locked(struct drm_prime_file_private *cache,
				       u32 handle)
{
	struct drm_prime_pair *pair, **place;
	struct dma_buf *dma_buf;

	lockdep_assert_held(&cache->lock);

	place = place_by_handle(cache, handle);
	pair = *place;
	if (!pair)
		return NULL;
	*place = pair->next_by_handle;

	dma_buf = pair->dma_buf;
	place = &cache->buckets[hash_ptr(dma_buf->file, cache->bits)].by_file;
	while (*place != pair)
		place = &(*place)->next_by_file;
	*place = pair->next_by_file;

	cache->count--;
	drm_prime_pair_free_locked(cache, pair);
	return dma_buf;
}

/**
 * drm_prime_remove_buf_handle - forget a handle that is being closed
 * @prime_fpriv: handle cache of a file
 * @handle: GEM handle; it is fine if it is not in the cache
 *
 * The handle must be impossible to look up by now, and must not be given to
 * another object before this returns.
 *
 * Context: takes &drm_prime_file_private.lock, sleeps.
 */
void drm_prime_remove_buf_handle(struct drm_prime_file_private *prime_fpriv,
				 u32 handle)
{
	struct dma_buf *dma_buf;

	mutex_lock(&prime_fpriv->lock);
	dma_buf = take_out_locked(prime_fpriv, handle);
	mutex_unlock(&prime_fpriv->lock);

	if (dma_buf)
		dma_buf_put(dma_buf);
}

/**
 * drm_prime_init_file_private - set up the handle cache of a new file
 * @prime_fpriv: handle cache, not yet visible to anybody
 */
void drm_prime_init_file_private(struct drm_prime_file_private *prime_fpriv)
{
	mutex_init(&prime_fpriv->lock);
	prime_fpriv->bits = ilog2(ARRAY_SIZE(prime_fpriv->first));
	prime_fpriv->count = 0;
	prime_fpriv->spare = NULL;
	memset(prime_fpriv->first, 0, sizeof(prime_fpriv->first));
	prime_fpriv->buckets = prime_fpriv->first;
}

/**
 * drm_prime_destroy_file_private - tear down the handle cache of a file
 * @prime_fpriv: handle cache that nobody can reach any more
 *
 * All handles are closed by now. A pair that is left belongs to a handle that
 * was closed behind the cache's back.
 */
void drm_prime_destroy_file_private(struct drm_prime_file_private *prime_fpriv)
{
	WARN_ON_ONCE(prime_fpriv->count);
	kfree(prime_fpriv->spare);
	free_buckets(prime_fpriv, prime_fpriv->buckets);
}
