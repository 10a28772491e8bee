/* SPDX-License-Identifier: MIT */
/* prime_kms: what a display does with a buffer that it has imported. */
#ifndef SHOWN_H
#define SHOWN_H

#include "../kms.h"

/* Of the mode, where the display has no screen. */
#define SHOWN_WIDTH  160
#define SHOWN_HEIGHT 120

struct shown_test {
	const char *name, *describe;
	void (*run)(struct kms *kms, const struct endpoint *exporter);
};

/* Each ends with an entry without a name. */
extern const struct shown_test format_tests[], plane_tests[], time_tests[],
	planar_tests[];

/* picture.c: a buffer of an exporter, as the display has it. */
struct picture {
	const struct kms *kms;
	struct endpoint_bo bo;
	uint32_t handle; /* on the display's file */
	uint8_t *map;
};

/* Where the pixels lie. */
struct layout {
	uint32_t format, cpp; /* bytes a pixel */
	uint32_t width, height; /* pixels */
	uint32_t pitch, offset; /* bytes */
};

/* Has room for four bytes a pixel. Skips where the display imports nothing. */
void picture_create(struct picture *p, const struct kms *kms,
		    const struct endpoint *exporter, uint32_t width,
		    uint32_t height);
void picture_destroy(struct picture *p);

/* XRGB8888 of the mode's size, or of another format and size; no gaps. */
struct layout layout_of_mode(const struct kms *kms);
struct layout layout_of(uint32_t format, uint32_t cpp, uint32_t width,
			uint32_t height);

/* The same pixels for the same seed, wherever they lie. */
void picture_draw(struct picture *p, const struct layout *layout,
		  uint32_t seed);

/* Returns -errno; with a modifier, it is the linear one. */
int __picture_fb(const struct picture *p, const struct layout *layout,
		 bool modifier, uint32_t *fb);
uint32_t picture_fb(const struct picture *p, const struct layout *layout);
void remove_fb(const struct kms *kms, uint32_t fb);

/*
 * Fails unless the display shows now what it showed with that checksum; where it
 * has no checksums, that the primary plane has the framebuffer must do.
 */
void expect_shown(const struct kms *kms, uint32_t fb, uint32_t crc);
/* 0 where there is none. */
uint32_t crc_of_shown(const struct kms *kms);

#endif
