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
	/* which of the outputs of the card, from 0 */
	int head;
	int fd;
	uint32_t crtc, connector;
	drmModeModeInfo mode;
};

_Noreturn void die(const char *what);
void write_to(const char *path, const char *text);
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
void display_find(struct display *display);
void display_mode(struct display *display);
uint32_t display_import(const struct display *display, int dmabuf);
uint32_t display_framebuffer(const struct display *display, uint32_t handle);
void display_on(const struct display *display, uint32_t fb);
void display_off(const struct display *display);
void display_dirty(const struct display *display, uint32_t fb);

/* What shows a buffer: its handle and its framebuffer on that display */
struct picture {
	int dmabuf;
	uint32_t handle, fb;
};

struct picture display_picture(const struct display *display, int dmabuf,
			       uint32_t seed);
void display_forget(const struct display *display, struct picture *picture);

/* The host */
void host_open(const char *port);
void host_look(const struct display *display, const char *name, uint32_t seed);
void host_look_held(const struct display *display, const char *name,
		    const uint32_t *pixels);
int host_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
void host_judge(const char *name, int good);

/* The sets of cases, each in a file of its own */
void exporter_cases(void);
void bounce_cases(void);
void camera_cases(const struct display *display);
void unplug_cases(int strict);
void head_cases(void);
void sleep_cases(void);
void panic_cases(void);
void blob_cases(void);

#endif
