// SPDX-License-Identifier: MIT
/*
 * The last hop: the screen that the host shows for virtio-gpu. The guest cannot
 * look at it. So it asks the host, by a virtio serial port that tools/vm --screen
 * listens to, and gets a picture in a folder that both have: what QEMU has in its
 * window, with all that our driver and QEMU have done to it on the way there.
 */
#include <dirent.h>
#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "screen.h"
#include "util.h"

#define PORTS "/sys/class/virtio-ports"
#define PORT  "prime.screen"
#define DUMP  "screen"

static bool has_name(const char *port)
{
	char path[512], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), PORTS "/%s/name", port);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		*name = 0;
	fclose(file);
	return !strcmp(name, PORT "\n");
}

static FILE *open_port(void)
{
	DIR *dir = opendir(PORTS);
	struct dirent *entry;
	char path[512] = "";
	FILE *port;

	while (dir && !*path && (entry = readdir(dir)))
		if (has_name(entry->d_name))
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
	if (dir)
		closedir(dir);
	if (!*path)
		die("no port " PORT " to the host: tools/vm --screen, or --no-screen here");
	port = fopen(path, "r+e");
	if (!port)
		die_errno(path, "open");
	return port;
}

static void pick_mode(struct screen *screen, __u32 width, __u32 height)
{
	const char *name = screen->dev->name;
	drmModeConnectorPtr connector;
	int i;

	connector = drmModeGetConnector(screen->dev->fd, screen->connector);
	if (!connector)
		die_errno(name, "GETCONNECTOR");
	for (i = 0; i < connector->count_modes && !screen->mode.hdisplay; i++)
		if (connector->modes[i].hdisplay == width &&
		    connector->modes[i].vdisplay == height)
			screen->mode = connector->modes[i];
	drmModeFreeConnector(connector);
	if (!screen->mode.hdisplay)
		die("%s: no mode of %ux%u", name, width, height);
}

/* The first output of @dev, in a mode of the size. */
void screen_open(struct screen *screen, const struct device *dev, __u32 width,
		 __u32 height)
{
	drmModeResPtr res = drmModeGetResources(dev->fd);

	if (!res)
		die_errno(dev->name, "GETRESOURCES");
	if (!res->count_crtcs || !res->count_connectors)
		die("%s: no output", dev->name);

	memset(screen, 0, sizeof(*screen));
	screen->dev = dev;
	screen->crtc = res->crtcs[0];
	screen->connector = res->connectors[0];
	drmModeFreeResources(res);
	pick_mode(screen, width, height);
	screen->port = open_port();
}

/* Shows the buffer @handle, which is as large as the screen. */
void screen_light(struct screen *screen, __u32 handle, __u32 pitch)
{
	const __u32 handles[4] = { handle };
	const __u32 pitches[4] = { pitch };
	const __u32 offsets[4] = { 0 };
	const struct device *dev = screen->dev;

	if (drmModeAddFB2(dev->fd, screen->mode.hdisplay, screen->mode.vdisplay,
			  DRM_FORMAT_XRGB8888, handles, pitches, offsets,
			  &screen->fb, 0))
		die_errno(dev->name, "ADDFB2");
	if (drmModeSetCrtc(dev->fd, screen->crtc, screen->fb, 0, 0,
			   &screen->connector, 1, &screen->mode))
		die_errno(dev->name, "SETCRTC");
}

/* Tells that the buffer has other pixels than when it was last shown. */
void screen_update(const struct screen *screen)
{
	drmModeClip all = { 0, 0, screen->mode.hdisplay,
			    screen->mode.vdisplay };

	if (drmModeDirtyFB(screen->dev->fd, screen->fb, &all, 1))
		die_errno(screen->dev->name, "DIRTYFB");
}

static void ask_host(const struct screen *screen)
{
	char answer[128] = "";

	if (fputs(DUMP "\n", screen->port) < 0 || fflush(screen->port))
		die_errno(PORT, "write");
	if (!fgets(answer, sizeof(answer), screen->port))
		die_errno(PORT, "read");
	if (strcmp(answer, "ok\n"))
		die("the host takes no picture of the screen: %s", answer);
}

static void read_pixels(FILE *file, const char *path, struct picture *picture)
{
	__u8 *rgb = xalloc(picture->width, 3);
	__u32 x, y;

	for (y = 0; y < picture->height; y++) {
		__u32 *row = picture_row(picture, y);

		if (fread(rgb, 3, picture->width, file) != picture->width)
			die("%s: it ends in row %u", path, y);
		for (x = 0; x < picture->width; x++)
			row[x] = rgb[3 * x] << 16 | rgb[3 * x + 1] << 8 |
				 rgb[3 * x + 2];
	}
	free(rgb);
}

/*
 * What the host sees. @dir: where it puts its picture, which does not stay there;
 * free() the pixels.
 */
void screen_dump(const struct screen *screen, const char *dir,
		 struct picture *picture)
{
	char path[4096];
	FILE *file;

	ask_host(screen);
	snprintf(path, sizeof(path), "%s/" DUMP ".ppm", dir);
	file = fopen(path, "re");
	if (!file)
		die_errno(path, "open");
	if (fscanf(file, "P6 %u %u 255", &picture->width, &picture->height) !=
		    2 ||
	    fgetc(file) == EOF)
		die("%s: not a picture", path);
	if (picture->width != screen->mode.hdisplay ||
	    picture->height != screen->mode.vdisplay)
		die("%s: the screen is %ux%u, not %ux%u", path, picture->width,
		    picture->height, screen->mode.hdisplay,
		    screen->mode.vdisplay);

	picture->pitch = picture->width * sizeof(__u32);
	picture->pixels = xalloc(picture->height, picture->pitch);
	read_pixels(file, path, picture);
	fclose(file);
	if (unlink(path))
		die_errno(path, "unlink");
}
