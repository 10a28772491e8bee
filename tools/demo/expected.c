// SPDX-License-Identifier: MIT
/*
 * The frames as they must arrive, one after the other, as PPM pictures like
 * those that QEMU takes of a screen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../journey/util.h"
#include "story.h"

static void write_frame(const struct picture *picture)
{
	printf("P6\n%u %u\n255\n", picture->width, picture->height);
	for (__u32 y = 0; y < picture->height; y++) {
		const __u32 *row = picture_row(picture, y);

		for (__u32 x = 0; x < picture->width; x++) {
			putchar(row[x] >> 16 & 0xff);
			putchar(row[x] >> 8 & 0xff);
			putchar(row[x] & 0xff);
		}
	}
}

int main(int argc, char **argv)
{
	struct picture picture = {
		.width = DEMO_WIDTH,
		.height = DEMO_HEIGHT,
		.pitch = DEMO_WIDTH * 4,
	};

	role = "expected";
	if (argc != 2)
		die("give the number of a frame");
	picture.pixels = xalloc(DEMO_HEIGHT, picture.pitch);
	picture_draw(&picture, &demo_words, atoi(argv[1]), 0, DEMO_HEIGHT);
	write_frame(&picture);
	free(picture.pixels);
	if (fflush(stdout) || ferror(stdout))
		die_errno("standard output", "write");
	return 0;
}
