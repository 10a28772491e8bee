/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_STANDIN_H_
#define _VIRTGPU_STANDIN_H_

#include <linux/types.h>

struct dma_fence;
struct dma_resv;
struct vgpu_standin;

struct vgpu_standin *vgpu_standin_create(void);
bool vgpu_standin_show_locked(struct vgpu_standin *standin,
			      struct dma_resv *resv, struct dma_fence *ours);
void vgpu_standin_put(struct vgpu_standin *standin);

#endif
