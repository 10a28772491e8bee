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

/* What is written into it. */
struct picture_words {
	/* who has drawn and who shows the frame, %u is its number */
	const char *caption;
	/* those who hold the buffer, first to last; NULL ends them early */
	const char *stops[6];
};

/* From vgem to the screen, in lower case as all that can be written. */
extern const struct picture_words picture_journey;

__u64 picture_hash(const struct picture *picture);
__u32 picture_compare(const struct picture *one, const struct picture *other);
void picture_draw(const struct picture *picture,
		  const struct picture_words *words, __u32 frame, __u32 top,
		  __u32 bottom);
void picture_write_png(const struct picture *picture, const char *dir,
		       const char *name);

/* Set rows of five dots, the leftmost is 0x10; eight rows for a character. */
const __u8 *font_glyph(char c);

#define FONT_WIDTH  5
#define FONT_HEIGHT 8

#endif
