// SPDX-License-Identifier: GPL-2.0-only
/*
 * DRM files, GEM handles, PRIME and vgem's fences.
 *
 * a: which file   b: which handle, or other object   c: flags
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>
#include <vgem_drm.h>

#include "argument.h"
#include "count.h"
#include "objects.h"
#include "operations.h"

static struct file drm_file(const struct step *step)
{
	return file_find(KIND_DRM, step->a);
}

/* a: which node, b: flags of open() */
long op_open_node(const struct step *step)
{
	enum node node = step->a % NODE_COUNT;
	int flags = step->b & 0x40 ? O_RDONLY : O_RDWR;

	flags |= CHOOSE_BITS(step, step->b & 0x0f, O_NONBLOCK, O_PATH, O_APPEND,
			     O_SYNC);
	return file_add_node(CALL(open_node(node, flags)), node);
}

/* b: pages, or beyond 0xe0 any size at all with c as bits per pixel */
long op_dumb_create(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_mode_create_dumb dumb = {
		.width = 1024,
		.height = 1 + step->b % 16,
		.bpp = 32,
		.flags = step->c & 0x80 ? number(step->value) : 0,
	};
	long result;

	if (step->b >= 0xe0) {
		/* one that is too large must not stay, so its handle is needed */
		if (step->place >= PLACE_ODD)
			return NOT_DONE;
		dumb.width = number(step->value);
		dumb.height = 1 + (step->b & 0x0f);
		dumb.bpp = step->c;
	}
	result = call_ioctl(file.fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb,
			    sizeof(dumb));
	if (result < 0)
		return result;
	if (dumb.size > SIZE_LIMIT)
		ioctl(file.fd, DRM_IOCTL_MODE_DESTROY_DUMB, &dumb.handle);
	else
		handle_add(&file, dumb.handle);
	return result;
}

long op_dumb_map(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_mode_map_dumb map = { .handle =
						 handle_find(&file, step->b) };
	long result =
		call_ioctl(file.fd, DRM_IOCTL_MODE_MAP_DUMB, &map, sizeof(map));

	if (result >= 0)
		memo_set(MEMO_OFFSET, map.offset);
	return result;
}

long op_dumb_destroy(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_mode_destroy_dumb destroy = {
		.handle = handle_find(&file, step->b),
	};
	long result = call_ioctl(file.fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy,
				 sizeof(destroy));

	if (result >= 0)
		handle_forget(&file, destroy.handle);
	return result;
}

/* c beyond 0xf0: a pad that is not 0 */
long op_gem_close(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_gem_close arg = {
		.handle = handle_find(&file, step->b),
		.pad = step->c >= 0xf0 ? step->value : 0,
	};
	long result =
		call_ioctl(file.fd, DRM_IOCTL_GEM_CLOSE, &arg, sizeof(arg));

	if (result >= 0)
		handle_forget(&file, arg.handle);
	return result;
}

long op_gem_flink(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_gem_flink flink = { .handle = handle_find(&file, step->b) };
	long result =
		call_ioctl(file.fd, DRM_IOCTL_GEM_FLINK, &flink, sizeof(flink));

	if (result >= 0)
		memo_set(MEMO_NAME, flink.name);
	return result;
}

/* b: which name that FLINK gave */
long op_gem_open(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_gem_open arg = { .name = memo_get(MEMO_NAME, step->b) };
	long result =
		call_ioctl(file.fd, DRM_IOCTL_GEM_OPEN, &arg, sizeof(arg));

	if (result >= 0)
		handle_add(&file, arg.handle);
	return result;
}

long op_prime_export(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_prime_handle prime = {
		.handle = handle_find(&file, step->b),
		.flags = CHOOSE_BITS(step, step->c ^ 3, DRM_CLOEXEC, DRM_RDWR),
		.fd = -1,
	};
	long result = call_ioctl(file.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime,
				 sizeof(prime));

	if (result >= 0)
		file_add(prime.fd, KIND_DMABUF);
	return result;
}

/* b: which dma-buf, c: flags, which an import ignores */
long op_prime_import(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_prime_handle prime = {
		.fd = file_find(KIND_DMABUF, step->b).fd,
		.flags = step->c & 0x80 ? number(step->value) : 0,
	};
	long result = call_ioctl(file.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime,
				 sizeof(prime));

	if (result >= 0)
		handle_add(&file, prime.handle);
	return result;
}

/* c: flags, and beyond 0xf0 a pad that is not 0 */
long op_fence_attach(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_vgem_fence_attach attach = {
		.handle = handle_find(&file, step->b),
		.flags = CHOOSE_BITS(step, step->c & 0x81, VGEM_FENCE_WRITE),
		.pad = step->c >= 0xf0 ? step->value : 0,
	};
	long result = call_ioctl(file.fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach,
				 sizeof(attach));

	if (result >= 0)
		memo_set(MEMO_FENCE, attach.out_fence);
	return result;
}

/* b: which fence, beyond 0xe0 any number */
long op_fence_signal(const struct step *step)
{
	struct file file = drm_file(step);
	struct drm_vgem_fence_signal signal = {
		.fence = step->b >= 0xe0 ? number(step->value) :
					   memo_get(MEMO_FENCE, step->b),
		.flags = CHOOSE_BITS(step, step->c & 0x80, 0),
	};

	return call_ioctl(file.fd, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal,
			  sizeof(signal));
}

/* b: which of DRM's ioctls that deal with handles and capabilities, c: its bytes */
long op_drm_ioctl(const struct step *step)
{
	static const unsigned long cmds[] = {
		DRM_IOCTL_VERSION,
		DRM_IOCTL_GET_UNIQUE,
		DRM_IOCTL_GET_CAP,
		DRM_IOCTL_SET_CLIENT_CAP,
		DRM_IOCTL_GET_CLIENT,
		DRM_IOCTL_GEM_CLOSE,
		DRM_IOCTL_PRIME_HANDLE_TO_FD,
		DRM_IOCTL_PRIME_FD_TO_HANDLE,
		DRM_IO(DRM_COMMAND_BASE),
		DRM_IO(DRM_COMMAND_BASE + 1),
		DRM_IO(DRM_COMMAND_BASE + 2),
		DRM_IO(DRM_COMMAND_BASE + 3),
	};
	struct file file = drm_file(step);
	uint32_t arg[16];
	unsigned int i;

	/* a VERSION with lengths of its own would write wherever these point to */
	memset(arg, 0, sizeof(arg));
	if (step->b % COUNT_OF(cmds) > 1)
		for (i = 0; i < 4; i++)
			arg[i] = step->c >> i & 1 ? number(step->value) :
						    step->c >> 4;
	me()->lossy = true;
	return call_ioctl(file.fd, cmds[step->b % COUNT_OF(cmds)], arg,
			  sizeof(arg));
}
