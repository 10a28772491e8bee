// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumb buffers: made, mapped through the DRM file, closed.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"

static long create(int drm, uint32_t width, uint32_t height, uint32_t bpp,
		   struct drm_mode_create_dumb *arg)
{
	*arg = (struct drm_mode_create_dumb){ .width = width,
					      .height = height,
					      .bpp = bpp };
	return try_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, arg);
}

static const char *create_text(int drm, uint32_t width, uint32_t height,
			       uint32_t bpp)
{
	struct drm_mode_create_dumb arg;
	long ret = create(drm, width, height, bpp, &arg);

	if (ret)
		return answer(ret);
	gem_close(drm, arg.handle);
	return text("0, pitch %u, size %llu", arg.pitch,
		    (unsigned long long)arg.size);
}

static void say_sizes(int drm)
{
	static const struct {
		uint32_t width, height, bpp;
	} sizes[] = {
		{ 1, 1, 32 },
		{ 1, 1, 8 },
		{ 13, 7, 16 },
		{ 1023, 1, 24 },
		{ 1025, 3, 32 },
		{ 0, 4, 32 },
		{ 4, 0, 32 },
		{ 4, 4, 0 },
		{ 0xffffffff, 1, 32 },
		{ 1, 0xffffffff, 32 },
		{ 0xffffffff, 0xffffffff, 32 },
		{ 0x40000000, 2, 32 },
		{ 4, 4, 0xffffffff },
	};
	struct ranges r = {};

	for (unsigned int i = 0; i < N(sizes); i++) {
		const char *name = text("%u x %u, %u bits", sizes[i].width,
					sizes[i].height, sizes[i].bpp);

		say(name, text("CREATE_DUMB, %s", name), "%s",
		    create_text(drm, sizes[i].width, sizes[i].height,
				sizes[i].bpp));
	}
	for (uint32_t bpp = 1; bpp <= 64; bpp++) {
		struct drm_mode_create_dumb arg;
		long ret = create(drm, 64, 4, bpp, &arg);

		ranges_add(&r, bpp,
			   ret ? answer(ret) : text("0, pitch %u", arg.pitch));
		if (!ret)
			gem_close(drm, arg.handle);
	}
	say("bits", "CREATE_DUMB, 64 x 4, by bits of a pixel", "%s",
	    ranges_end(&r));
}

static long offset_of(int drm, uint32_t handle, uint64_t *offset)
{
	struct drm_mode_map_dumb arg = { .handle = handle };
	long ret = try_ioctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &arg);

	*offset = arg.offset;
	return ret;
}

static const char *map_text(int drm, uint64_t size, int flags, uint64_t offset)
{
	unsigned char *map =
		mmap(NULL, size, PROT_READ | PROT_WRITE, flags, drm, offset);

	if (map == MAP_FAILED)
		return answer(-errno);
	map[size - 1] = 5;
	munmap(map, size);
	return "mapped";
}

static void say_maps(struct buffer *b)
{
	int drm = b->by->ep.fd, other = drm_again(b->by);
	struct drm_mode_create_dumb arg;
	uint64_t offset, again;

	igt_assert_eq(create(drm, 1024, 4, 32, &arg), 0);
	say_ret("map", "MAP_DUMB", offset_of(drm, arg.handle, &offset));
	offset_of(drm, arg.handle, &again);
	say("map-again", "MAP_DUMB a second time", "%s",
	    offset == again ? "the same offset" : "another offset");
	say_ret("map-0", "MAP_DUMB of handle 0", offset_of(drm, 0, &again));
	say("mmap", "mmap() at that offset", "%s",
	    map_text(drm, arg.size, MAP_SHARED, offset));
	say("mmap-private", "mmap(), private", "%s",
	    map_text(drm, arg.size, MAP_PRIVATE, offset));
	say("mmap-part", "mmap() of the first page", "%s",
	    map_text(drm, PAGE, MAP_SHARED, offset));
	say("mmap-inside", "mmap() of the second page alone", "%s",
	    map_text(drm, PAGE, MAP_SHARED, offset + PAGE));
	say("mmap-more", "mmap() of a page more", "%s",
	    map_text(drm, arg.size + PAGE, MAP_SHARED, offset));
	say("mmap-0", "mmap() at offset 0", "%s",
	    map_text(drm, PAGE, MAP_SHARED, 0));
	say("mmap-other", "mmap() at that offset through another file", "%s",
	    map_text(other, arg.size, MAP_SHARED, offset));
	gem_close(drm, arg.handle);
	say("mmap-closed", "mmap() when the handle is closed", "%s",
	    map_text(drm, arg.size, MAP_SHARED, offset));
	close(other);
}

/* The same memory by the DRM file and by the dma-buf. */
static void say_coherence(struct buffer *b)
{
	unsigned char *gem, *dmabuf;
	uint64_t offset;

	if (b->fd < 0 || offset_of(b->by->ep.fd, b->handle, &offset))
		return;
	gem = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   b->by->ep.fd, offset);
	dmabuf = dmabuf_mmap(b->fd, b->size);
	gem[PAGE] = 21;
	say("content", "a byte, 21, written there, read through the dma-buf",
	    "%u", dmabuf[PAGE]);
	munmap(dmabuf, b->size);
	munmap(gem, b->size);
}

static void say_close(struct buffer *b)
{
	int drm = b->by->ep.fd;
	struct drm_mode_create_dumb arg;
	struct drm_mode_destroy_dumb destroy = {};
	struct drm_gem_close close_arg = {};

	igt_assert_eq(create(drm, 1024, 4, 32, &arg), 0);
	destroy.handle = arg.handle;
	close_arg.handle = arg.handle;
	say_ret("destroy", "DESTROY_DUMB",
		try_ioctl(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy));
	say_ret("destroy-again", "DESTROY_DUMB a second time",
		try_ioctl(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy));
	say_ret("close", "GEM_CLOSE then",
		try_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &close_arg));
	close_arg.handle = 0;
	say_ret("close-0", "GEM_CLOSE of handle 0",
		try_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &close_arg));
}

void run_dumb(struct buffer *b)
{
	say_sizes(b->by->ep.fd);
	say_maps(b);
	say_coherence(b);
	say_close(b);
}
