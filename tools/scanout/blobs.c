// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that takes pages of the guest as they are: blobs. What is drawn in them is
 * on the screen without a copy, and somebody else's buffer is one as well as our own.
 */
#include <fcntl.h>
#include <stdint.h>
#include <xf86drm.h>

#include "kit.h"
#include "virtgpu_uapi.h"

static void expect_blobs(const struct display *display)
{
	uint64_t value = 0;
	struct drm_virtgpu_getparam param = {
		.param = VIRTGPU_HAS_BLOBS,
		.value = (uintptr_t)&value,
	};

	if (drmIoctl(display->fd, DRM_IOCTL_VIRTGPU_GETPARAM, &param))
		die("getparam");
	expect("host-has-blobs", "its parameter", value, 1);
}

static void expect_is_blob(const struct display *display, const char *name,
			   uint32_t handle)
{
	struct drm_virtgpu_resource_info info = { .bo_handle = handle };

	if (drmIoctl(display->fd, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info))
		die("resource info");
	/* as the place is called now: the kind of the blob's memory */
	expect(name, "kind of its memory", info.stride, VIRTGPU_MEM_GUEST);
	expect(name, "there is a resource", !!info.res_handle, 1);
}

static int blob_buffer(const struct display *display)
{
	struct virtgpu_create_blob create = {
		.blob_mem = VIRTGPU_MEM_GUEST,
		.blob_flags = VIRTGPU_USE_MAPPABLE | VIRTGPU_USE_SHAREABLE,
		.size = SIZE,
	};
	int dmabuf;

	if (drmIoctl(display->fd, VIRTGPU_CREATE_BLOB, &create))
		die("create blob");
	if (drmPrimeHandleToFD(display->fd, create.bo_handle,
			       DRM_RDWR | DRM_CLOEXEC, &dmabuf))
		die("export");
	drmCloseBufferHandle(display->fd, create.bo_handle);
	return dmabuf;
}

static void show(const struct display *display, const char *name,
		 const char *again, int dmabuf, uint32_t seed)
{
	struct picture picture = display_picture(display, dmabuf, seed);

	expect_is_blob(display, name, picture.handle);
	display_on(display, picture.fb);
	host_look(display, name, seed);
	draw(dmabuf, seed + 1);
	display_dirty(display, picture.fb);
	host_look(display, again, seed + 1);
	display_off(display);
	display_forget(display, &picture);
}

void blob_cases(void)
{
	struct display first = { .host = "first" };

	display_open(&first);
	expect_blobs(&first);
	show(&first, "blob", "blob-again", blob_buffer(&first), 601);
	show(&first, "imported-blob", "imported-blob-again",
	     dumb_buffer("vgem"), 611);
}
