// SPDX-License-Identifier: MIT
/* Pictures: drawn, compared, kept. */

#include "igt.h"

#include "matrix.h"

/* Every pixel its own colour, each colour channel moving by itself. */
static uint32_t pixel(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t hash = seed * 2654435761u;
	uint32_t r = (x + (hash >> 24)) & 0xff;
	uint32_t g = (y + (hash >> 16)) & 0xff;
	uint32_t b = (x * y / 64 + (hash >> 8)) & 0xff;

	return (x ^ y ^ seed) << 24 | r << 16 | g << 8 | b;
}

void picture_fill(void *map, uint32_t seed)
{
	uint32_t *word = map;

	for (uint32_t y = 0; y < MATRIX_HEIGHT; y++)
		for (uint32_t x = 0; x < MATRIX_WIDTH; x++)
			*word++ = pixel(x, y, seed);
}

static void expect(const uint32_t *got, const uint32_t *expected, uint32_t mask,
		   const char *where)
{
	for (uint32_t i = 0; i < MATRIX_SIZE / 4; i++)
		igt_assert_f(((got[i] ^ expected[i]) & mask) == 0,
			     "%s, pixel %u,%u: %08x, not %08x\n", where,
			     i % MATRIX_WIDTH, i / MATRIX_WIDTH, got[i] & mask,
			     expected[i] & mask);
}

void picture_expect(const void *got, const void *expected, const char *where)
{
	expect(got, expected, 0xffffffff, where);
}

void picture_expect_colours(const void *got, const void *expected,
			    const char *where)
{
	expect(got, expected, 0x00ffffff, where);
}

static void write_colours(FILE *file, const uint32_t *word)
{
	fprintf(file, "P6\n%d %d\n255\n", MATRIX_WIDTH, MATRIX_HEIGHT);
	for (int i = 0; i < MATRIX_SIZE / 4; i++) {
		fputc(word[i] >> 16 & 0xff, file);
		fputc(word[i] >> 8 & 0xff, file);
		fputc(word[i] & 0xff, file);
	}
}

void picture_keep(const struct cell *cell, const void *bytes, bool grey)
{
	static const char *const way[] = { "mmap", "vmap", "scanout",
					   "stream" };
	const char *folder = getenv("IGT_FRAME_DUMP_PATH");
	char path[256];
	FILE *file;

	if (!folder || !cell->keep)
		return;
	snprintf(path, sizeof(path), "%s/%s-%s-to-%s.ppm", folder,
		 way[cell->way], cell->exporter->name, cell->importer->name);
	file = fopen(path, "we");
	igt_assert_f(file, "%s: %m\n", path);
	if (grey) {
		fprintf(file, "P5\n%d %d\n255\n", MATRIX_WIDTH * 2,
			MATRIX_HEIGHT * 2);
		fwrite(bytes, 1, MATRIX_SIZE, file);
	} else {
		write_colours(file, bytes);
	}
	igt_assert_eq(fclose(file), 0);
}
