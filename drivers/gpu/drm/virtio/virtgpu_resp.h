/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_RESP_H_
#define _VIRTGPU_RESP_H_

#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/virtio_gpu.h>

#include "virtgpu_req.h"

/* A response of more than this is nobody's capset. */
#define VGPU_CAPSET_MAX_SIZE (1024 * 1024)

/* Identifiers of capsets go from 1 to this. */
#define VGPU_CAPSET_MAX_ID 63

/**
 * struct vgpu_capset - a capability set that the host has
 * @id: its number
 * @max_version: the newest that the host has
 * @max_size: how long it can be, in bytes
 */
struct vgpu_capset {
	u32 id;
	u32 max_version;
	u32 max_size;
};

/**
 * struct vgpu_display - what the host says of a scanout
 * @rect: where it is, and how large
 * @enabled: there is a window
 */
struct vgpu_display {
	struct vgpu_rect rect;
	bool enabled;
};

int vgpu_resp_check(const void *resp, size_t len, u32 expected);
int vgpu_resp_display_info(const void *resp, size_t len, u32 index,
			   struct vgpu_display *display);
int vgpu_resp_capset_info(const void *resp, size_t len,
			  struct vgpu_capset *capset);
int vgpu_resp_capset(const void *resp, size_t len, const void **data,
		     size_t *size);
int vgpu_resp_edid(const void *resp, size_t len, const void **data,
		   size_t *size);
int vgpu_resp_uuid(const void *resp, size_t len, uuid_t *uuid);
int vgpu_resp_map_info(const void *resp, size_t len, u32 *caching);

#endif
