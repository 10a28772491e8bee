/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VGEM_FENCE_TEST_H_
#define _VGEM_FENCE_TEST_H_

#include <kunit/test.h>

#include <linux/dma-resv.h>

#include "../vgem_drv.h"

/* Longer than any test runs, and the shortest there is. */
#define VGEM_TEST_NEVER	  (3600 * HZ)
#define VGEM_TEST_AT_ONCE 1

/* The two things a fence is between; neither needs a device. */
struct vgem_test_fences {
	struct vgem_fence_table table;
	struct dma_resv resv;
};

struct vgem_test_fences *vgem_test_fences(struct kunit *test,
					  unsigned long timeout);
u32 vgem_test_attach(struct kunit *test, struct vgem_test_fences *ctx,
		     bool write);
unsigned int vgem_test_count(struct vgem_test_fences *ctx);
void vgem_test_expect_empty(struct kunit *test, struct vgem_test_fences *ctx);

static inline int vgem_test_try(struct vgem_test_fences *ctx, bool write,
				u32 *handle)
{
	return vgem_fence_attach(&ctx->table, &ctx->resv, write, handle);
}

static inline int vgem_test_signal(struct vgem_test_fences *ctx, u32 handle)
{
	return vgem_fence_signal(&ctx->table, handle);
}

#endif
