// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fences for tests
 *
 * Fences of somebody else on a buffer: of a device that is still at work, as far as the
 * driver knows. They count who waits, have the test look around at that moment, and
 * signal then or at the end of the test.
 *
 * Lifetime: dma_fence_put(), for DRM may keep one for longer than the test. Locking: the
 * fence's own lock guards its base; the rest is read when the waiter is done.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "virtgpu_mock_fence.h"

static const char *mock_fence_name(struct dma_fence *base)
{
	return "mock";
}

/* Called once, when the first has begun to wait. */
static bool mock_fence_waited_for(struct dma_fence *base)
{
	struct mock_fence *fence = container_of(base, struct mock_fence, base);

	fence->waits++;
	if (fence->look)
		fence->seen = fence->look(fence->arg);
	return fence->stays;
}

static const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_name,
	.get_timeline_name = mock_fence_name,
	.enable_signaling = mock_fence_waited_for,
};

static void end_fence(void *data)
{
	struct mock_fence *fence = data;

	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

/**
 * mock_fence_create - a fence of somebody else
 * @test: signals it in the end
 *
 * Return: a fence that signals when it is waited for; see &struct mock_fence.
 */
struct mock_fence *mock_fence_create(struct kunit *test)
{
	/* DRM may hold it for longer than the test; freed by dma_fence_put() */
	struct mock_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &mock_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_fence, fence),
			0);
	return fence;
}

/**
 * mock_fence_add - put a fence on a buffer
 * @test: the test
 * @fence: the fence
 * @obj: the buffer
 * @usage: as what
 */
void mock_fence_add(struct kunit *test, struct mock_fence *fence,
		    struct drm_gem_object *obj, enum dma_resv_usage usage)
{
	dma_resv_lock(obj->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj->resv, 1), 0);
	dma_resv_add_fence(obj->resv, &fence->base, usage);
	dma_resv_unlock(obj->resv);
}
