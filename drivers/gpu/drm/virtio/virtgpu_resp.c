// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu answers
 *
 * What comes from the host is not trusted. It says how many bytes it has
 * written, and that may be fewer than the structure that the driver asked for;
 * what type the answer has, and it may be another; and then there are sizes
 * inside. Each function here checks all three and gives -EPROTO for what makes
 * no sense, so that a caller gets either all that it asked for, or an errno. What is
 * checked is read once, since the host may write again meanwhile.
 *
 * Lifetime and locking: there are no objects here. What is pointed to lies in the
 * response that was given.
 */

#include <linux/array_size.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/uuid.h>

#include <asm/byteorder.h>

#include "virtgpu_resp.h"

static int host_error(u32 type)
{
	switch (type) {
	case VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY:
		return -ENOMEM;
	case VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID:
	case VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID:
	case VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID:
	case VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER:
		return -EINVAL;
	case VIRTIO_GPU_RESP_ERR_UNSPEC:
		return -EIO;
	default:
		return -EPROTO;
	}
}

/**
 * vgpu_resp_check - did the host do what it was asked for?
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @expected: VIRTIO_GPU_RESP_OK type that the command has
 *
 * Return: 0, or a negative errno:
 *
 *	* -EPROTO: it is too short to tell, or not of the type
 *	* -ENOMEM: the host had no memory
 *	* -EINVAL: the host did not know a number, or a parameter
 *	* -EIO: the host could not, and does not say why
 */
int vgpu_resp_check(const void *resp, size_t len, u32 expected)
{
	const struct virtio_gpu_ctrl_hdr *hdr = resp;
	u32 type;

	if (len < sizeof(*hdr))
		return -EPROTO;

	type = le32_to_cpu(READ_ONCE(hdr->type));
	return type == expected ? 0 : host_error(type);
}

static int check_size(const void *resp, size_t len, u32 expected, size_t size)
{
	int ret = vgpu_resp_check(resp, len, expected);

	if (ret)
		return ret;
	return len < size ? -EPROTO : 0;
}

/**
 * vgpu_resp_display_info - read the answer to vgpu_req_display_info()
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @index: which output
 * @display: what the host says of it
 *
 * Return: 0, or a negative errno, see vgpu_resp_check(); -EPROTO also if there
 * is nothing of that output in it.
 */
int vgpu_resp_display_info(const void *resp, size_t len, u32 index,
			   struct vgpu_display *display)
{
	const struct virtio_gpu_resp_display_info *info = resp;
	const struct virtio_gpu_display_one *one;
	int ret;

	ret = check_size(resp, len, VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
			 sizeof(*info));
	if (ret)
		return ret;
	if (index >= ARRAY_SIZE(info->pmodes))
		return -EPROTO;

	one = &info->pmodes[index];
	display->enabled = le32_to_cpu(one->enabled);
	display->rect.x = le32_to_cpu(one->r.x);
	display->rect.y = le32_to_cpu(one->r.y);
	display->rect.width = le32_to_cpu(one->r.width);
	display->rect.height = le32_to_cpu(one->r.height);

	return 0;
}

/**
 * vgpu_resp_capset_info - read the answer to vgpu_req_capset_info()
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @capset: what the host says of the set
 *
 * Return: 0, or a negative errno, see vgpu_resp_check(); -EPROTO also if no set
 * can have that number, or be that large.
 */
int vgpu_resp_capset_info(const void *resp, size_t len,
			  struct vgpu_capset *capset)
{
	const struct virtio_gpu_resp_capset_info *info = resp;
	int ret;

	ret = check_size(resp, len, VIRTIO_GPU_RESP_OK_CAPSET_INFO,
			 sizeof(*info));
	if (ret)
		return ret;

	capset->id = le32_to_cpu(READ_ONCE(info->capset_id));
	capset->max_version = le32_to_cpu(info->capset_max_version);
	capset->max_size = le32_to_cpu(READ_ONCE(info->capset_max_size));
	if (!capset->id || capset->id > VGPU_CAPSET_MAX_ID ||
	    capset->max_size > VGPU_CAPSET_MAX_SIZE)
		return -EPROTO;

	return 0;
}

/**
 * vgpu_resp_capset - read the answer to vgpu_req_capset()
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @data: where the set begins in it
 * @size: how long it is, in bytes
 *
 * Return: 0, or a negative errno, see vgpu_resp_check().
 */
int vgpu_resp_capset(const void *resp, size_t len, const void **data,
		     size_t *size)
{
	const struct virtio_gpu_resp_capset *capset = resp;
	int ret;

	ret = check_size(resp, len, VIRTIO_GPU_RESP_OK_CAPSET, sizeof(*capset));
	if (ret)
		return ret;

	*data = capset->capset_data;
	*size = len - sizeof(*capset);
	return 0;
}

/**
 * vgpu_resp_edid - read the answer to vgpu_req_edid()
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @data: where the EDID begins in it
 * @size: how long it is, in bytes
 *
 * Return: 0, or a negative errno, see vgpu_resp_check(); -EPROTO also if the
 * size is 0, or more than there is.
 */
int vgpu_resp_edid(const void *resp, size_t len, const void **data,
		   size_t *size)
{
	const struct virtio_gpu_resp_edid *edid = resp;
	size_t start = offsetof(typeof(*edid), edid);
	u32 claimed;
	int ret;

	ret = check_size(resp, len, VIRTIO_GPU_RESP_OK_EDID, start);
	if (ret)
		return ret;

	claimed = le32_to_cpu(READ_ONCE(edid->size));
	if (!claimed || claimed > min(len - start, sizeof(edid->edid)))
		return -EPROTO;

	*data = edid->edid;
	*size = claimed;
	return 0;
}

/**
 * vgpu_resp_uuid - read the answer to vgpu_req_assign_uuid()
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @uuid: the name
 *
 * Return: 0, or a negative errno, see vgpu_resp_check().
 */
int vgpu_resp_uuid(const void *resp, size_t len, uuid_t *uuid)
{
	const struct virtio_gpu_resp_resource_uuid *answer = resp;
	int ret;

	ret = check_size(resp, len, VIRTIO_GPU_RESP_OK_RESOURCE_UUID,
			 sizeof(*answer));
	if (!ret)
		import_uuid(uuid, answer->uuid);
	return ret;
}

/**
 * vgpu_resp_map_info - read the answer to vgpu_req_map_blob()
 * @resp: the response
 * @len: how much of it the host has written, in bytes
 * @caching: one of VIRTIO_GPU_MAP_CACHE
 *
 * Return: 0, or a negative errno, see vgpu_resp_check().
 */
int vgpu_resp_map_info(const void *resp, size_t len, u32 *caching)
{
	const struct virtio_gpu_resp_map_info *info = resp;
	__le32 caching_le;
	int ret;

	ret = check_size(resp, len, VIRTIO_GPU_RESP_OK_MAP_INFO, sizeof(*info));
	caching_le = (__force __le32)READ_ONCE(info->map_info);
	if (!ret)
		*caching = le32_to_cpu(caching_le) & VIRTIO_GPU_MAP_CACHE_MASK;
	return ret;
}
