// SPDX-License-Identifier: MIT
/*
 * virtio-gpu, whose picture only the host sees. Where tools/vm --screen runs the
 * guest, it takes a photograph of the screen when a virtio port is told a name,
 * and puts it into a folder that the guest has as well.
 */

#include <drm_fourcc.h>
#include <fcntl.h>
#include <xf86drmMode.h>

#include "igt.h"

#include "matrix.h"

#define PORT_NAME "prime.screen"
#define REFRESH	  60

/* The port's node below /dev, or false if there is none. */
static bool find_port(char *path, size_t size)
{
	for (int disk = 0; disk < 16; disk++)
		for (int i = 0; i < 16; i++) {
			char name[32] = "", attribute[80];
			FILE *file;

			snprintf(attribute, sizeof(attribute),
				 "/sys/class/virtio-ports/vport%dp%d/name",
				 disk, i);
			file = fopen(attribute, "re");
			if (!file)
				continue;
			if (!fgets(name, sizeof(name), file))
				name[0] = '\0';
			fclose(file);
			name[strcspn(name, "\n")] = '\0';
			snprintf(path, size, "/dev/vport%dp%d", disk, i);
			if (strcmp(name, PORT_NAME) == 0)
				return true;
		}
	return false;
}

bool screen_is_watched(void)
{
	char path[32];

	return getenv("VM_SHARE") && find_port(path, sizeof(path));
}

/* Has the host look, into a file of that name. */
static void photograph(const char *name)
{
	char path[32], line[80] = "";
	ssize_t length;
	int port;

	igt_assert(find_port(path, sizeof(path)));
	port = open(path, O_RDWR | O_CLOEXEC);
	igt_assert_fd(port);
	length = snprintf(line, sizeof(line), "%s\n", name);
	igt_assert_eq(write(port, line, length), length);
	memset(line, 0, sizeof(line));
	for (unsigned int i = 0; i < sizeof(line) - 1 && !strchr(line, '\n');)
		i += read(port, line + i, 1) > 0;
	close(port);
	igt_assert_f(strcmp(line, "ok\n") == 0, "no picture: %s", line);
}

/* Reads it as XRGB8888. */
static void read_photograph(const char *name, uint32_t *word)
{
	int width = 0, height = 0;
	uint8_t rgb[3];
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.ppm", getenv("VM_SHARE"), name);
	file = fopen(path, "re");
	igt_assert_f(file, "%s: %m\n", path);
	igt_assert_eq(fscanf(file, "P6 %d %d 255", &width, &height), 2);
	fgetc(file);
	igt_assert_eq(width, MATRIX_WIDTH);
	igt_assert_eq(height, MATRIX_HEIGHT);
	for (int i = 0; i < MATRIX_SIZE / 4; i++) {
		igt_assert_eq(fread(rgb, sizeof(rgb), 1, file), 1);
		word[i] = rgb[0] << 16 | rgb[1] << 8 | rgb[2];
	}
	fclose(file);
	unlink(path);
}

static drmModeModeInfo make_mode(void)
{
	drmModeModeInfo mode = {
		.hdisplay = MATRIX_WIDTH,
		.hsync_start = MATRIX_WIDTH + 8,
		.hsync_end = MATRIX_WIDTH + 16,
		.htotal = MATRIX_WIDTH + 32,
		.vdisplay = MATRIX_HEIGHT,
		.vsync_start = MATRIX_HEIGHT + 4,
		.vsync_end = MATRIX_HEIGHT + 8,
		.vtotal = MATRIX_HEIGHT + 16,
		.vrefresh = REFRESH,
		.name = "matrix",
	};

	mode.clock = mode.htotal * mode.vtotal * REFRESH / 1000;
	return mode;
}

static uint32_t add_fb(int fd, uint32_t handle)
{
	uint32_t handles[4] = { handle }, pitches[4] = { MATRIX_PITCH };
	uint32_t offsets[4] = {}, fb;

	do_or_die(drmModeAddFB2(fd, MATRIX_WIDTH, MATRIX_HEIGHT,
				DRM_FORMAT_XRGB8888, handles, pitches, offsets,
				&fb, 0));
	return fb;
}

static void show(struct cell *cell, int fd, uint32_t fb)
{
	drmModeResPtr res = drmModeGetResources(fd);
	drmModeModeInfo mode = make_mode();
	uint32_t *seen = malloc(MATRIX_SIZE);

	igt_assert(res && res->count_crtcs && res->count_connectors && seen);
	do_or_die(drmModeSetCrtc(fd, res->crtcs[0], fb, 0, 0, res->connectors,
				 1, &mode));
	photograph("matrix");
	read_photograph("matrix", seen);
	picture_expect_colours(seen, cell->sees[0], "what the host sees");
	picture_keep(cell, seen, false);
	do_or_die(drmModeSetCrtc(fd, res->crtcs[0], 0, 0, 0, NULL, 0, NULL));
	drmModeFreeResources(res);
	free(seen);
}

void screen_by_scanout(struct cell *cell, const int *dmabuf)
{
	int fd = drm_reopen_driver(cell->importer->ep.fd);
	uint32_t handle, fb;

	if (!importer_refused(cell,
			      __prime_fd_to_handle(fd, dmabuf[0], &handle))) {
		do_or_die(drmSetMaster(fd));
		fb = add_fb(fd, handle);
		show(cell, fd, fb);
		do_or_die(drmModeRmFB(fd, fb));
		gem_close(fd, handle);
	}
	close(fd);
}
