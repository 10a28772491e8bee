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
 * closed. There are two trees over the same pairs, because both questions are
 * asked: which handle for this dma-buf, and which dma-buf for this handle. A dma-buf
 * is known by its file, for that is what a descriptor leads to.
 * Handles are unique. A dma-buf usually is, but the object behind it can have
 * gained a second handle by another way (GEM_OPEN, GETFB2), and if both were
 * exported both are remembered, so that closing one leaves the other known.
 *
 * A pair keeps its dma-buf alive: as long as an address is in the tree, no
 * other dma-buf can be found under it. There is no loop, because a pair goes
 * when its handle is closed and every handle is closed with the file.
 *
 * The caller allocates the pair before it starts, so that adding it, the one
 * step after which there is nothing to undo with, cannot fail.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>

#include "drm_internal.h"
#include "drm_prime_internal.h"

#define pair_by_dma_buf(node) rb_entry(node, struct drm_prime_pair, by_dma_buf)
#define pair_by_handle(node)  rb_entry(node, struct drm_prime_pair, by_handle)

static int cmp_file(const void *key, const struct rb_node *node)
{
	const struct file *there = pair_by_dma_buf(node)->dma_buf->file;

	if (key == there)
		return 0;
	return key < (const void *)there ? -1 : 1;
}

static bool less_file(struct rb_node *new, const struct rb_node *there)
{
	return cmp_file(pair_by_dma_buf(new)->dma_buf->file, there) < 0;
}

static int cmp_handle(const void *key, const struct rb_node *node)
{
	const u32 *handle = key;
	u32 there = pair_by_handle(node)->handle;

	if (*handle == there)
		return 0;
	return *handle < there ? -1 : 1;
}

static bool less_handle(struct rb_node *new, const struct rb_node *there)
{
	return cmp_handle(&pair_by_handle(new)->handle, there) < 0;
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
	struct rb_node *node;

	lockdep_assert_held(&cache->lock);

	node = rb_find(&handle, &cache->by_handle, cmp_handle);
	return node ? pair_by_handle(node) : NULL;
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
	struct rb_node *node;

	lockdep_assert_held(&cache->lock);

	node = rb_find_first(file, &cache->by_dma_buf, cmp_file);
	return node ? pair_by_dma_buf(node) : NULL;
}

/**
 * drm_prime_cache_add_locked - remember a pair
 * @cache: handle cache of a file
 * @pair: memory for the pair, from kmalloc(); the cache frees it
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
	/* an equal node goes to the right of those that were there before */
	rb_add(&pair->by_dma_buf, &cache->by_dma_buf, less_file);
	rb_add(&pair->by_handle, &cache->by_handle, less_handle);
}

static struct drm_prime_pair *take_out(struct drm_prime_file_private *cache,
				       u32 handle)
{
	struct drm_prime_pair *pair;

	guard(mutex)(&cache->lock);

	pair = drm_prime_cache_find_handle_locked(cache, handle);
	if (pair) {
		rb_erase(&pair->by_dma_buf, &cache->by_dma_buf);
		rb_erase(&pair->by_handle, &cache->by_handle);
	}
	return pair;
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
	struct drm_prime_pair *pair;

	pair = take_out(prime_fpriv, handle);
	if (!pair)
		return;

	dma_buf_put(pair->dma_buf);
	kfree(pair);
}

/**
 * drm_prime_init_file_private - set up the handle cache of a new file
 * @prime_fpriv: handle cache, not yet visible to anybody
 */
void drm_prime_init_file_private(struct drm_prime_file_private *prime_fpriv)
{
	mutex_init(&prime_fpriv->lock);
	prime_fpriv->by_dma_buf = RB_ROOT;
	prime_fpriv->by_handle = RB_ROOT;
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
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&prime_fpriv->by_handle));
}
