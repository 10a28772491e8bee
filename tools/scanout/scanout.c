// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer of somebody else on the display of virtio-gpu.
 *
 *	scanout PORT STRICT
 *
 * Each exporter makes a buffer and draws in it, virtio-gpu imports it and shows
 * it. Whether the picture is the one that was drawn, only the host can see. So a
 * line goes to PORT, a virtio serial port, and the host takes a screendump,
 * compares, and answers:
 *
 *	guest: shown NAME WIDTH HEIGHT SEED
 *	host:  ok
 *
 * A picture is a function of its seed, which tools/scanout/run knows as well.
 *
 * STRICT is a device of vgem that takes memory in one piece only. An exporter
 * that can has to move its buffer for it: not while the buffer is on the screen,
 * but when it is off, though the host has had the pages. Shown again, it is as it
 * was drawn.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#define WIDTH  640
#define HEIGHT 480
/* not what virtio-gpu would choose, so that nothing works by luck */
#define PITCH ((WIDTH + 72) * 4)
#define SIZE  ((PITCH * HEIGHT + 4095) & ~4095)

static void die(const char *what)
{
	fprintf(stderr, "scanout: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The host computes the same. */
static uint32_t pixel(uint32_t seed, uint32_t x, uint32_t y)
{
	return ((x * 7 + y * 13 + seed * 29) ^ (x * y + seed)) * 2654435761u >>
	       8;
}

static void draw(int dmabuf, uint32_t seed)
{
	struct dma_buf_sync sync = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE };
	uint8_t *map;

	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	if (map == MAP_FAILED)
		die("mmap of the dma-buf");
	if (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync))
		die("sync start");
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			((uint32_t *)(map + y * PITCH))[x] = pixel(seed, x, y);
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE;
	if (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync))
		die("sync end");
	munmap(map, SIZE);
}

static int open_drm(const char *driver)
{
	for (int i = 0; i < 16; i++) {
		char path[32];
		drmVersionPtr version;
		int fd, same;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		same = version && !strcmp(version->name, driver);
		drmFreeVersion(version);
		if (same)
			return fd;
		close(fd);
	}
	return -1;
}

static int dumb_buffer(const char *driver)
{
	uint32_t handle, pitch;
	uint64_t size;
	int fd, dmabuf;

	fd = open_drm(driver);
	if (fd < 0)
		die(driver);
	/* in the shape of a row, for drivers round pitches each in its way */
	if (drmModeCreateDumbBuffer(fd, PITCH / 4, HEIGHT + 1, 32, 0, &handle,
				    &pitch, &size))
		die("create dumb");
	if (drmPrimeHandleToFD(fd, handle, DRM_RDWR | DRM_CLOEXEC, &dmabuf))
		die("export");
	close(fd);
	return dmabuf;
}

static int heap_buffer(const char *path)
{
	struct dma_heap_allocation_data data = {
		.len = SIZE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &data))
		die(path);
	close(fd);
	return data.fd;
}

static int udmabuf_buffer(const char *path)
{
	struct udmabuf_create create = { .size = SIZE };
	int fd = open(path, O_RDWR | O_CLOEXEC), memfd, dmabuf;

	memfd = memfd_create("scanout", MFD_ALLOW_SEALING);
	if (memfd < 0 || ftruncate(memfd, SIZE) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		die("memfd");
	create.memfd = memfd;
	dmabuf = ioctl(fd, UDMABUF_CREATE, &create);
	if (dmabuf < 0)
		die(path);
	close(memfd);
	close(fd);
	return dmabuf;
}

/* ---- the display ---------------------------------------------------------- */

static struct {
	int fd;
	uint32_t crtc, connector;
	drmModeModeInfo mode;
} display;

static void find_mode(drmModeConnectorPtr connector)
{
	for (int i = 0; i < connector->count_modes; i++) {
		display.mode = connector->modes[i];
		if (display.mode.hdisplay == WIDTH &&
		    display.mode.vdisplay == HEIGHT)
			return;
	}
	errno = ENOENT;
	die("no mode of the size");
}

static void open_display(void)
{
	drmModeConnectorPtr connector;
	drmModeResPtr resources;

	display.fd = open_drm("virtio_gpu");
	if (display.fd < 0)
		die("virtio_gpu");
	resources = drmModeGetResources(display.fd);
	if (!resources || !resources->count_crtcs)
		die("resources");
	display.crtc = resources->crtcs[0];
	display.connector = resources->connectors[0];
	connector = drmModeGetConnector(display.fd, display.connector);
	if (!connector)
		die("connector");
	find_mode(connector);
	drmModeFreeConnector(connector);
	drmModeFreeResources(resources);
}

static uint32_t framebuffer(uint32_t handle)
{
	uint32_t handles[4] = { handle }, pitches[4] = { PITCH };
	uint32_t offsets[4] = {}, fb;

	if (drmModeAddFB2(display.fd, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888,
			  handles, pitches, offsets, &fb, 0))
		die("addfb");
	return fb;
}

/* ---- the host ------------------------------------------------------------- */

static FILE *port;

static void ask_host(const char *name, uint32_t seed)
{
	char answer[64] = "";

	fprintf(port, "shown %s %d %d %u\n", name, WIDTH, HEIGHT, seed);
	fflush(port);
	if (!fgets(answer, sizeof(answer), port))
		die("the host is gone");
	printf("%s - %s\n", strcmp(answer, "ok\n") ? "not ok" : "ok", name);
	fflush(stdout);
}

static void dirty(uint32_t fb)
{
	drmModeClip clip = { 0, 0, WIDTH, HEIGHT };

	if (drmModeDirtyFB(display.fd, fb, &clip, 1))
		die("dirty");
}

/* How often the buffer has moved, or -1 if its exporter does not say. */
static int moves(int dmabuf)
{
	char path[64], line[256];
	int found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dmabuf);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "moves:\t%d", &found);
	fclose(f);
	return found;
}

static int strict_fd;

/* Returns 0 or an errno; what was imported is let go of again. */
static int strict_import(int dmabuf)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(strict_fd, dmabuf, &handle))
		return errno;
	drmCloseBufferHandle(strict_fd, handle);
	return 0;
}

static void expect(const char *name, const char *what, int got, int wanted)
{
	if (got == wanted)
		return;
	printf("not ok - %s: %s is %d, not %d\n", name, what, got, wanted);
	exit(1);
}

static void on(uint32_t fb)
{
	if (drmModeSetCrtc(display.fd, display.crtc, fb, 0, 0,
			   &display.connector, 1, &display.mode))
		die("setcrtc");
}

static void off(void)
{
	if (drmModeSetCrtc(display.fd, display.crtc, 0, 0, 0, NULL, 0, NULL))
		die("off");
}

/* The buffer is on the screen, with what @seed has drawn. */
static void move(const char *name, int dmabuf, uint32_t fb, uint32_t seed)
{
	char moved[64];

	if (moves(dmabuf) < 0)
		return;
	expect(name, "moving what is shown", strict_import(dmabuf), EBUSY);
	expect(name, "moves", moves(dmabuf), 0);
	off();
	expect(name, "moving what is not", strict_import(dmabuf), 0);
	expect(name, "moves", moves(dmabuf), 1);
	on(fb);
	snprintf(moved, sizeof(moved), "%s-moved", name);
	ask_host(moved, seed);
	draw(dmabuf, seed + 1);
	dirty(fb);
	strcat(moved, "-again");
	ask_host(moved, seed + 1);
}

static void show(const char *name, int dmabuf, uint32_t seed)
{
	char again[64];
	uint32_t handle, fb;

	draw(dmabuf, seed);
	if (drmPrimeFDToHandle(display.fd, dmabuf, &handle))
		die("import");
	fb = framebuffer(handle);
	on(fb);
	ask_host(name, seed);

	/* what changes on the screen is copied once more */
	draw(dmabuf, seed + 1);
	dirty(fb);
	snprintf(again, sizeof(again), "%s-again", name);
	ask_host(again, seed + 1);
	move(name, dmabuf, fb, seed + 1);

	off();
	drmModeRmFB(display.fd, fb);
	drmCloseBufferHandle(display.fd, handle);
	close(dmabuf);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*make)(const char *from);
		const char *from;
	} exporters[] = {
		{ "vgem", dumb_buffer, "vgem" },
		{ "vkms", dumb_buffer, "vkms" },
		{ "itself", dumb_buffer, "virtio_gpu" },
		{ "system-heap", heap_buffer, "/dev/dma_heap/system" },
		{ "udmabuf", udmabuf_buffer, "/dev/udmabuf" },
	};

	if (argc != 3) {
		fprintf(stderr, "usage: scanout PORT STRICT\n");
		return 2;
	}
	strict_fd = open(argv[2], O_RDWR | O_CLOEXEC);
	if (strict_fd < 0)
		die(argv[2]);
	port = fopen(argv[1], "r+");
	if (!port)
		die(argv[1]);
	open_display();
	for (unsigned int i = 0; i < sizeof(exporters) / sizeof(*exporters);
	     i++)
		show(exporters[i].name, exporters[i].make(exporters[i].from),
		     10 * i + 1);
	return 0;
}
