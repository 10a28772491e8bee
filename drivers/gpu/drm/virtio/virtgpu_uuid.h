/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_UUID_H_
#define _VIRTGPU_UUID_H_

#include <linux/uuid.h>

struct dma_buf;
struct vgpu_object;

int vgpu_uuid_ask(struct vgpu_object *vobj);
void vgpu_uuid_ask_again(struct vgpu_object *vobj);
int vgpu_uuid_get(struct dma_buf *dmabuf, uuid_t *uuid);

#endif
