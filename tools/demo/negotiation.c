// SPDX-License-Identifier: MIT
/*
 * The guest's init: a client draws on vgem, whose memory is scattered, and shows
 * it on a display that has no IOMMU and needs it in one piece.
 *
 * Knows nothing of constraints, as no client or compositor need: it draws,
 * exports, imports, and shows.  A line for each step goes to the console, where
 * the host reads it, and answers a line when it has seen the screen.
 *
 * There is no libdrm for the guest's processor on the host, hence ioctl().
 */
#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../journey/util.h"
#include "story.h"

#define MAX_CARDS      8
#define MAX_CONNECTORS 8
#define MAX_MODES      64

struct buffer {
	struct picture picture;
	__u32 handle;
	int fd;
};

struct screen {
	__u32 connector;
	__u32 crtc;
	struct drm_mode_modeinfo mode;
};

/* An errno if the driver says one, else 0. */
static int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret && (errno == EINTR || errno == EAGAIN));

	return ret ? errno : 0;
}

static void must(const char *what, int error)
{
	if (error)
		die("%s: %s", what, strerror(error));
}

static void __attribute__((format(printf, 2, 3)))
tell(const char *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("demo: %s: ", step);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
}

static int open_card(const char *driver)
{
	char name[32] = "", path[32];

	for (int i = 0; i < MAX_CARDS; i++) {
		struct drm_version version = {
			.name = name,
			.name_len = sizeof(name) - 1,
		};
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!call(fd, DRM_IOCTL_VERSION, &version) &&
		    !strcmp(name, driver))
			return fd;
		close(fd);
	}
	die("no DRM device of %s", driver);
}

static void make_buffer(int vgem, struct buffer *b)
{
	struct drm_mode_create_dumb create = {
		.width = DEMO_WIDTH,
		.height = DEMO_HEIGHT,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = {};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };

	must("CREATE_DUMB", call(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &create));
	map.handle = create.handle;
	must("MAP_DUMB", call(vgem, DRM_IOCTL_MODE_MAP_DUMB, &map));
	prime.handle = create.handle;
	must("PRIME_HANDLE_TO_FD",
	     call(vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));

	b->handle = create.handle;
	b->fd = prime.fd;
	b->picture.width = DEMO_WIDTH;
	b->picture.height = DEMO_HEIGHT;
	b->picture.pitch = create.pitch;
	b->picture.pixels = mmap(NULL, create.size, PROT_READ | PROT_WRITE,
				 MAP_SHARED, vgem, map.offset);
	if (b->picture.pixels == MAP_FAILED)
		die_errno("vgem", "mmap");
}

static void draw(struct buffer *b, __u32 frame)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW };

	must("SYNC", call(b->fd, DMA_BUF_IOCTL_SYNC, &sync));
	picture_draw(&b->picture, &demo_words, frame, 0, DEMO_HEIGHT);
	sync.flags |= DMA_BUF_SYNC_END;
	must("SYNC", call(b->fd, DMA_BUF_IOCTL_SYNC, &sync));
	tell("draw", "frame %u, hash %016llx", frame,
	     (unsigned long long)picture_hash(&b->picture));
}

/* What the kernel tells about the buffer beyond what stock does, if it does. */
static void tell_fdinfo(const struct buffer *b)
{
	static const char *const keys[] = { "constraints:", "moves:",
					    "attached:" };
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", b->fd);
	file = fopen(path, "r");
	if (!file)
		die_errno(path, "open");
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		for (unsigned int i = 0; i < 3; i++)
			if (!strncmp(line, keys[i], strlen(keys[i])))
				tell("fdinfo", "%s", line);
	}
	fclose(file);
}

static bool has_mode(int fd, __u32 id, struct screen *screen)
{
	static struct drm_mode_modeinfo modes[MAX_MODES];
	struct drm_mode_get_connector get = { .connector_id = id };

	/* the first call has the display looked for */
	must("GETCONNECTOR", call(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get));
	get.modes_ptr = (uintptr_t)modes;
	get.count_props = 0;
	get.count_encoders = 0;
	if (get.count_modes > MAX_MODES)
		get.count_modes = MAX_MODES;
	must("GETCONNECTOR", call(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get));
	for (__u32 i = 0; i < get.count_modes && i < MAX_MODES; i++) {
		if (modes[i].hdisplay != DEMO_WIDTH ||
		    modes[i].vdisplay != DEMO_HEIGHT)
			continue;
		screen->connector = id;
		screen->mode = modes[i];
		return true;
	}
	return false;
}

static void find_screen(int fd, struct screen *screen)
{
	__u32 connectors[MAX_CONNECTORS], crtcs[MAX_CONNECTORS];
	struct drm_mode_card_res res = {
		.connector_id_ptr = (uintptr_t)connectors,
		.crtc_id_ptr = (uintptr_t)crtcs,
		.count_connectors = MAX_CONNECTORS,
		.count_crtcs = MAX_CONNECTORS,
	};

	must("GETRESOURCES", call(fd, DRM_IOCTL_MODE_GETRESOURCES, &res));
	if (!res.count_crtcs)
		die("the display has no CRTC");
	screen->crtc = crtcs[0];
	for (__u32 i = 0; i < res.count_connectors && i < MAX_CONNECTORS; i++)
		if (has_mode(fd, connectors[i], screen))
			return;
	die("the display has no mode of %ux%u", DEMO_WIDTH, DEMO_HEIGHT);
}

static int show(int fd, const struct buffer *b, __u32 handle,
		struct screen *screen)
{
	struct drm_mode_fb_cmd2 fb = {
		.width = DEMO_WIDTH,
		.height = DEMO_HEIGHT,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { handle },
		.pitches = { b->picture.pitch },
	};
	struct drm_mode_crtc crtc = {
		.crtc_id = screen->crtc,
		.mode = screen->mode,
		.mode_valid = 1,
		.set_connectors_ptr = (uintptr_t)&screen->connector,
		.count_connectors = 1,
	};
	int error = call(fd, DRM_IOCTL_MODE_ADDFB2, &fb);

	tell("ADDFB2", "%s", error ? strerror(error) : "ok");
	if (error)
		return error;
	crtc.fb_id = fb.fb_id;
	error = call(fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
	tell("SETCRTC", "%s", error ? strerror(error) : "ok");

	return error;
}

/* Until the host has looked. */
static void wait_for_host(const char *state)
{
	char line[16];

	tell("look", "%s", state);
	if (!fgets(line, sizeof(line), stdin))
		die("the host is gone");
}

int main(void)
{
	struct drm_prime_handle prime = {};
	struct screen screen = {};
	struct buffer b;
	int vgem, pl111, error;

	role = "demo";
	mount("proc", "/proc", "proc", 0, NULL);
	/* there if the kernel was told to mount it, which it does for disks only */
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);

	vgem = open_card("vgem");
	pl111 = open_card("pl111");
	find_screen(pl111, &screen);
	make_buffer(vgem, &b);
	draw(&b, 1);
	tell_fdinfo(&b);

	prime.fd = b.fd;
	error = call(pl111, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	tell("FD_TO_HANDLE", "%s", error ? strerror(error) : "ok");
	tell_fdinfo(&b);
	if (error || show(pl111, &b, prime.handle, &screen)) {
		wait_for_host("refused");
		return 0;
	}
	wait_for_host("frame 1");

	/* the same mapping, of memory that is elsewhere now */
	draw(&b, 2);
	wait_for_host("frame 2");
	return 0;
}
