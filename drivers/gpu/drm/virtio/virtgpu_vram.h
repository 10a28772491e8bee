/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_VRAM_H_
#define _VIRTGPU_VRAM_H_

#include <linux/dma-direction.h>

struct dma_buf_attachment;
struct drm_printer;
struct sg_table;
struct vgpu_blob;
struct vgpu_device;
struct vgpu_object;

bool vgpu_vram_init_window(struct vgpu_device *vgpu);
void vgpu_vram_print_window(struct vgpu_device *vgpu, struct drm_printer *p);
struct vgpu_object *vgpu_vram_create(struct vgpu_device *vgpu,
				     const struct vgpu_blob *blob);
void vgpu_vram_unmap(struct vgpu_object *vobj);
void vgpu_vram_destroy(struct vgpu_object *vobj);
struct sg_table *vgpu_vram_map_dma_buf(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir);
void vgpu_vram_unmap_dma_buf(struct dma_buf_attachment *attach,
			     struct sg_table *sgt, enum dma_data_direction dir);

#endif
