/* SPDX-License-Identifier: GPL-2.0-only */
/* What the cases of scanout are made of. */
#ifndef SCANOUT_KIT_H
#define SCANOUT_KIT_H

#include <stdint.h>
#include <xf86drmMode.h>

#define WIDTH  640
#define HEIGHT 480
/* not what virtio-gpu would choose, so that nothing works by luck */
#define PITCH ((WIDTH + 72) * 4)
#define SIZE  ((PITCH * HEIGHT + 4095) & ~4095)

/* An output of virtio-gpu. */
struct display {
	/* what tools/scanout/run calls the device */
	const char *host;
	/* which of the cards of the driver, from 0 */
	int index;
	int fd;
	uint32_t crtc, connector;
	drmModeModeInfo mode;
};

_Noreturn void die(const char *what);
void expect(const char *name, const char *what, int got, int wanted);

/* Buffers */
uint32_t pixel(uint32_t seed, uint32_t x, uint32_t y);
void draw(int dmabuf, uint32_t seed);
int open_drm(const char *driver, int index, int *node);
int dumb_buffer(const char *driver);
int dumb_buffer_of(const char *driver, int index);
int heap_buffer(const char *path);
int udmabuf_buffer(const char *path);

/* The display */
void display_open(struct display *display);
uint32_t display_import(const struct display *display, int dmabuf);
uint32_t display_framebuffer(const struct display *display, uint32_t handle);
void display_on(const struct display *display, uint32_t fb);
void display_off(const struct display *display);
void display_dirty(const struct display *display, uint32_t fb);

/* The host */
void host_open(const char *port);
void host_look(const struct display *display, const char *name, uint32_t seed);

/* The cases of unplug.c. @strict: see scanout.c */
void unplug_cases(int strict);

#endif
