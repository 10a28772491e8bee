// SPDX-License-Identifier: MIT
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include "outfile.h"
#include "picture.h"
#include "util.h"

static void png_failed(png_structp png, png_const_charp message)
{
	outfile_fail(png_get_error_ptr(png), message);
}

static void write_rows(png_structp png, const struct picture *picture)
{
	__u8 *rgb = xalloc(picture->width, 3);
	__u32 x, y;

	for (y = 0; y < picture->height; y++) {
		const __u32 *row = picture_row(picture, y);

		for (x = 0; x < picture->width; x++) {
			rgb[3 * x] = row[x] >> 16;
			rgb[3 * x + 1] = row[x] >> 8;
			rgb[3 * x + 2] = row[x];
		}
		png_write_row(png, rgb);
	}
	free(rgb);
}

void picture_write_png(const struct picture *picture, const char *dir,
		       const char *name)
{
	struct outfile file;
	png_structp png;
	png_infop info;

	outfile_open(&file, dir, name);
	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &file, png_failed,
				      NULL);
	info = png ? png_create_info_struct(png) : NULL;
	if (!info)
		outfile_fail(&file, "libpng");
	png_init_io(png, file.stream);
	png_set_IHDR(png, info, picture->width, picture->height, 8,
		     PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	write_rows(png, picture);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	outfile_commit(&file);
}
