/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_FENCE_H_
#define _VIRTGPU_MOCK_FENCE_H_

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/spinlock.h>

struct drm_gem_object;

/**
 * struct mock_fence - a fence of somebody else, who sees when it is waited for
 */
struct mock_fence {
	/** @base: the fence */
	struct dma_fence base;

	/** @lock: guards @base */
	spinlock_t lock;

	/** @waits: how often somebody has begun to wait, 0 or 1 */
	unsigned int waits;

	/** @stays: it does not signal then, but when the test is over */
	bool stays;

	/** @look: called at that moment, or NULL */
	int (*look)(void *arg);

	/** @arg: for @look */
	void *arg;

	/** @seen: what @look said */
	int seen;
};

struct mock_fence *mock_fence_create(struct kunit *test);
void mock_fence_add(struct kunit *test, struct mock_fence *fence,
		    struct drm_gem_object *obj, enum dma_resv_usage usage);

#endif
