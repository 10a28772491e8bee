// SPDX-License-Identifier: MIT
/* Pictures as files, for people. */
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

void picture_write(const char *name, uint32_t width, uint32_t height,
		   const uint32_t *pixels)
{
	const char *begin = getenv("MESA_PICTURES");
	char path[256];
	FILE *file;

	if (!begin)
		return;
	snprintf(path, sizeof(path), "%s%s.ppm", begin, name);
	file = fopen(path, "we");
	check(file, "%s cannot be written", path);
	fprintf(file, "P6\n%u %u\n255\n", width, height);
	for (uint32_t i = 0; i < width * height; i++) {
		fputc(pixels[i] >> 16 & 0xff, file);
		fputc(pixels[i] >> 8 & 0xff, file);
		fputc(pixels[i] & 0xff, file);
	}
	check(!fclose(file), "%s cannot be written", path);
}
