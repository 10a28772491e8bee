// SPDX-License-Identifier: GPL-2.0-only
/*
 * DRM devices: what they say of themselves, and what their nodes allow.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <virtgpu_drm.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem.h"
#include "parity.h"
#include "proc.h"

/* The parent's path and its uevent, which libdrm tells devices by. */
static int cap_value(int drm, uint64_t cap)
{
	uint64_t value;

	return drmGetCap(drm, cap, &value) ? -1 : (int)value;
}

static const char *bus_text(int drm)
{
	char path[128], parent[512];
	const char *uevent;
	struct stat st;
	int len;

	do_or_die(fstat(drm, &st));
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	if (!realpath(path, parent))
		return answer(-errno);
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/uevent");
	uevent = read_file(path);
	return text("%s, %s", parent, uevent ?: "no uevent");
}

void run_device(struct buffer *b)
{
	static const struct {
		const char *name;
		uint64_t cap;
	} caps[] = {
		{ "DUMB_BUFFER", DRM_CAP_DUMB_BUFFER },
		{ "PRIME", DRM_CAP_PRIME },
		{ "SYNCOBJ", DRM_CAP_SYNCOBJ },
		{ "SYNCOBJ_TIMELINE", DRM_CAP_SYNCOBJ_TIMELINE },
		{ "ASYNC_PAGE_FLIP", DRM_CAP_ASYNC_PAGE_FLIP },
		{ "ADDFB2_MODIFIERS", DRM_CAP_ADDFB2_MODIFIERS },
	};
	int drm = b->by->ep.fd;
	drmVersionPtr v = drmGetVersion(drm);
	int render = drm_render(b->by);

	say("version", "DRM_IOCTL_VERSION", "%s %d.%d.%d %s '%s'", v->name,
	    v->version_major, v->version_minor, v->version_patchlevel, v->date,
	    v->desc);
	drmFreeVersion(v);
	for (unsigned int i = 0; i < N(caps); i++)
		say(text("cap-%s", caps[i].name),
		    text("DRM_CAP_%s", caps[i].name), "%d",
		    cap_value(drm, caps[i].cap));
	say("bus", "the device on its bus, as sysfs has it", "%s",
	    bus_text(drm));
	say("render", "a render node", "%s", render >= 0 ? "there" : "absent");
	close(render);
}

/* The PRIME ioctls and a dumb buffer's, on one open file. */
static void say_node(struct buffer *b, int drm, const char *name)
{
	struct vgem_bo bo = { .width = 1024, .height = 4, .bpp = 32 };
	struct drm_prime_handle arg = { .fd = b->fd };
	struct drm_gem_flink flink = {};
	long ret;

	ret = __vgem_create(drm, &bo);
	say_ret(text("%s-dumb", name), text("%s: a dumb buffer", name), ret);
	if (b->fd < 0)
		return;
	ret = try_ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);
	say_ret(text("%s-import", name), text("%s: FD_TO_HANDLE", name), ret);
	if (ret)
		return;
	flink.handle = arg.handle;
	say_ret(text("%s-flink", name), text("%s: GEM_FLINK", name),
		try_ioctl(drm, DRM_IOCTL_GEM_FLINK, &flink));
	arg.flags = DRM_CLOEXEC;
	arg.fd = -1;
	ret = try_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);
	say(text("%s-export", name), text("%s: HANDLE_TO_FD", name), "%s, %s",
	    answer(ret),
	    ret						? "-" :
	    dmabuf_inode(arg.fd) == dmabuf_inode(b->fd) ? "the same buffer" :
							  "another buffer");
	close(ret ? -1 : arg.fd);
}

/* An object that was not made by CREATE_DUMB. */
static void say_not_dumb(struct buffer *b, int drm)
{
	struct drm_virtgpu_resource_create create = {
		.target = 2, /* PIPE_TEXTURE_2D */
		.format = 1, /* B8G8R8A8 */
		.bind = 1 << 1, /* a render target */
		.width = 64,
		.height = 64,
		.depth = 1,
		.array_size = 1,
		.size = 4 * 64 * 64,
	};
	int fd;
	long ret;

	ret = try_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	say_ret("not-dumb", "an object of the driver's own ioctl", ret);
	if (ret)
		return;
	ret = __prime_handle_to_fd(drm, create.bo_handle, DRM_CLOEXEC, &fd);
	say("not-dumb-export", "exported", "%s, size %s", answer(ret),
	    ret ? "-" : told_by(prime_get_size(fd), 4 * 64 * 64));
	if (ret)
		return;
	ret = __prime_fd_to_handle(b->by->ep.fd, fd, &create.bo_handle);
	say_ret("not-dumb-import", "imported into the primary node", ret);
	close(fd);
}

void run_prime_nodes(struct buffer *b)
{
	int again = drm_again(b->by), render = drm_render(b->by);

	say_node(b, b->by->ep.fd, "primary");
	say_node(b, again, "second primary");
	if (render >= 0)
		say_node(b, render, "render");
	if (!strcmp(b->by->name, "virtio-gpu"))
		say_not_dumb(b, render);
	close(again);
	close(render);
}
