/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_PICTURE_H
#define JOURNEY_PICTURE_H

#include <stddef.h>
#include <linux/types.h>

/* A picture in XRGB8888, wherever its memory is. */
struct picture {
	void *pixels;
	__u32 width;
	__u32 height;
	/* bytes from one row to the next */
	__u32 pitch;
};

static inline __u32 *picture_row(const struct picture *picture, __u32 y)
{
	return (__u32 *)((char *)picture->pixels + (size_t)y * picture->pitch);
}

__u64 picture_hash(const struct picture *picture);
void picture_draw(const struct picture *picture, __u32 frame, __u32 top,
		  __u32 bottom);
void picture_write_png(const struct picture *picture, const char *dir,
		       const char *name);

/* Set rows of five dots, the leftmost is 0x10; eight rows for a character. */
const __u8 *font_glyph(char c);

#define FONT_WIDTH  5
#define FONT_HEIGHT 8

#endif
