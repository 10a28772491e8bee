// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-gpu's own ioctls, where there is such a device.
 *
 * a: which file, 0x10: of the render node   b: which handle, or number   c: flags
 *
 * A buffer gets its memory when it is made, not when it is used, so no size may be
 * larger than the guest can bear.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "argument.h"
#include "count.h"
#include "objects.h"
#include "operations.h"
#include "virtgpu_uapi.h"

#define PAGE 4096

/* What an argument points to, and where an answer goes. */
static __thread uint8_t scratch[PAGE];

/* A pointer in the argument: there, not there, or the kernel's. */
static uint64_t pointer(uint8_t selector)
{
	switch (selector & 3) {
	case 2:
		return 1;
	case 3:
		return 0xffff888000001000;
	default:
		return (uintptr_t)scratch;
	}
}

static bool is_there(void)
{
	return node_is_there(NODE_VIRTGPU);
}

static struct file virtgpu_file(const struct step *step)
{
	enum node node = step->a & 0x10 ? NODE_VIRTGPU_RENDER : NODE_VIRTGPU;

	return file_find_node(node, step->a);
}

/* a: the render node if odd */
long op_virtgpu_open(const struct step *step)
{
	enum node node = step->a & 1 ? NODE_VIRTGPU_RENDER : NODE_VIRTGPU;

	if (!is_there())
		return NOT_DONE;
	return file_add_node(CALL(open_node(node, O_RDWR)), node);
}

/* b: format and pages, c: which of the numbers is another one */
long op_virtgpu_create(const struct step *step)
{
	static const uint32_t formats[] = { 1, 2, 3, 4, 67, 68, 121, 134 };
	uint32_t other = number(step->value);
	struct drm_virtgpu_resource_create create = {
		.target = step->c & 0x01 ? other : 2,
		.format = step->b >= 0xe0 ?
				  other :
				  formats[step->b % COUNT_OF(formats)],
		.bind = step->c & 0x02 ? other : 2,
		.width = step->c & 0x04 ? other : 64,
		.height = step->c & 0x08 ? other : 64,
		.depth = step->c & 0x10 ? other : 1,
		.array_size = step->c & 0x10 ? other >> 1 : 1,
		.last_level = step->c & 0x20 ? other : 0,
		.nr_samples = step->c & 0x40 ? other : 0,
		.size = step->c & 0x80 ? other % SIZE_LIMIT :
					 (1u + step->b % 16) * PAGE,
	};
	struct file file;
	long result;

	if (!is_there() || argument_is_anything())
		return NOT_DONE;
	file = virtgpu_file(step);
	result = call_ioctl_blocking(file.fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE,
				     &create, sizeof(create));
	if (result >= 0)
		handle_add(&file, create.bo_handle);
	return result;
}

/* b: kind of memory and flags, c: command, beyond 0x80 an odd size */
long op_virtgpu_blob(const struct step *step)
{
	struct virtgpu_create_blob blob = {
		.blob_mem = step->b & 7,
		.blob_flags = step->b >> 3,
		.size = step->c & 0x80 ? number(step->value) % SIZE_LIMIT :
					 PAGE,
		.cmd_size = step->c & 0x0c,
		.cmd = pointer(step->c),
		.blob_id = step->c & 0x10 ? step->value : 0,
	};
	struct file file;
	long result;

	if (!is_there() || argument_is_anything())
		return NOT_DONE;
	file = virtgpu_file(step);
	result = call_ioctl_blocking(file.fd, VIRTGPU_CREATE_BLOB, &blob,
				     sizeof(blob));
	if (result >= 0)
		handle_add(&file, blob.bo_handle);
	return result;
}

/* c: rather ask about it, or where to map it, or whether it is idle; beyond 0x80 odd */
long op_virtgpu_object(const struct step *step)
{
	struct file file = virtgpu_file(step);
	struct drm_virtgpu_resource_info info = {};
	struct drm_virtgpu_3d_wait wait = {};
	struct drm_virtgpu_map map = {};
	uint32_t handle;
	long result;

	if (!is_there())
		return NOT_DONE;
	handle = handle_find(&file, step->b);
	switch (step->c & 3) {
	case 0:
		info.bo_handle = handle;
		return call_ioctl(file.fd, DRM_IOCTL_VIRTGPU_RESOURCE_INFO,
				  &info, sizeof(info));
	case 1:
		map.handle = handle;
		map.pad = step->c & 0x80 ? number(step->value) : 0;
		result = call_ioctl(file.fd, DRM_IOCTL_VIRTGPU_MAP, &map,
				    sizeof(map));
		if (result >= 0)
			memo_set(MEMO_OFFSET, map.offset);
		return result;
	default:
		wait.handle = handle;
		wait.flags = step->c & 0x80 ? number(step->value) : step->c & 1;
		return call_ioctl_blocking(file.fd, DRM_IOCTL_VIRTGPU_WAIT,
					   &wait, sizeof(wait));
	}
}

/* c: from the host if odd, and which of the numbers is another one */
long op_virtgpu_transfer(const struct step *step)
{
	struct file file = virtgpu_file(step);
	uint32_t other = number(step->value);
	unsigned long cmd;
	struct virtgpu_transfer transfer = {
		.box = {
			.x = step->c & 0x02 ? other : 0,
			.y = step->c & 0x04 ? other : 0,
			.w = step->c & 0x08 ? other : 4,
			.h = step->c & 0x10 ? other : 4,
			.d = 1,
		},
		.offset = step->c & 0x20 ? other : 0,
		.level = step->c & 0x40 ? other : 0,
		.stride = step->c & 0x80 ? other : 0,
	};

	if (!is_there())
		return NOT_DONE;
	transfer.bo_handle = handle_find(&file, step->b);
	cmd = step->c & 1 ? VIRTGPU_TRANSFER_FROM_HOST :
			    VIRTGPU_TRANSFER_TO_HOST;
	return call_ioctl_blocking(file.fd, cmd, &transfer, sizeof(transfer));
}

/* b: how many buffers, c: flags, and pointers */
long op_virtgpu_execute(const struct step *step)
{
	struct file file = virtgpu_file(step);
	uint32_t *handles = (uint32_t *)scratch;
	struct drm_virtgpu_execbuffer execute = {
		.flags = CHOOSE_BITS(step, step->c & 0x87,
				     VIRTGPU_EXECBUF_FENCE_FD_IN,
				     VIRTGPU_EXECBUF_FENCE_FD_OUT, 4),
		.size = step->c & 0x40 ? number(step->value) : 4,
		.command = pointer(step->c >> 3),
		.bo_handles = pointer(step->c >> 4),
		.num_bo_handles = step->b % 8,
	};
	unsigned int i;
	long result;

	if (!is_there())
		return NOT_DONE;
	for (i = 0; i < execute.num_bo_handles; i++)
		handles[i] = handle_find(&file, step->b + i);
	if (execute.flags & VIRTGPU_EXECBUF_FENCE_FD_IN)
		execute.fence_fd = file_find(KIND_SYNC, step->b).fd;
	result = call_ioctl_blocking(file.fd, DRM_IOCTL_VIRTGPU_EXECBUFFER,
				     &execute, sizeof(execute));
	if (result >= 0 && execute.flags & VIRTGPU_EXECBUF_FENCE_FD_OUT)
		file_add(execute.fence_fd, KIND_SYNC);
	return result;
}

/* b: which parameter, or which capability set, c: that if odd, pointer and version */
long op_virtgpu_ask(const struct step *step)
{
	struct drm_virtgpu_getparam param = {
		.param = step->b >= 0xe0 ? number(step->value) : step->b % 16,
		.value = pointer(step->c >> 1),
	};
	struct drm_virtgpu_get_caps caps = {
		.cap_set_id = step->b,
		.cap_set_ver = step->c >> 4,
		.addr = pointer(step->c >> 1),
		.size = number(step->value) % sizeof(scratch),
	};
	int fd;

	if (!is_there())
		return NOT_DONE;
	fd = virtgpu_file(step).fd;
	if (step->c & 1)
		return call_ioctl_blocking(fd, DRM_IOCTL_VIRTGPU_GET_CAPS,
					   &caps, sizeof(caps));
	return call_ioctl(fd, DRM_IOCTL_VIRTGPU_GETPARAM, &param,
			  sizeof(param));
}

/* b: what is asked for, two bits for each parameter, c: how many, and pointer */
long op_virtgpu_context(const struct step *step)
{
	struct virtgpu_context_param *params =
		(struct virtgpu_context_param *)scratch;
	struct virtgpu_context_init init = {
		.num_params =
			step->c & 0x80 ? number(step->value) : step->c >> 2 & 7,
		.params = pointer(step->c),
	};
	unsigned int i;

	if (!is_there())
		return NOT_DONE;
	for (i = 0; i < 4; i++)
		params[i] = (struct virtgpu_context_param){
			.param = 1 + (step->b >> 2 * i & 3),
			.value = number(step->value) >> i,
		};
	return call_ioctl_blocking(virtgpu_file(step).fd, VIRTGPU_CONTEXT_INIT,
				   &init, sizeof(init));
}
