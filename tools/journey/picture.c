// SPDX-License-Identifier: MIT
/*
 * The picture: a lake between mountains, at sunset in frame 1 and by moonlight
 * in frame 2, with the way of the buffer drawn below. Integer arithmetic only,
 * so that it is the same to the bit on every machine.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "util.h"

#define RIDGES 4
#define STOPS  (sizeof(((struct picture_words *)0)->stops) / sizeof(char *))

struct palette {
	/* top, middle and horizon of the sky */
	__u32 sky[3];
	__u32 light;
	/* strength of the glow around the light, of 256 */
	__u32 glow;
	/* place and radius of the light, in 1024ths of the picture */
	int x, y, radius;
	/* from the farthest ridge to the nearest */
	__u32 ridge[RIDGES];
	__u32 water;
	bool night;
};

const struct picture_words picture_journey = {
	.caption = "frame %u drawn on vgem, shown by virtio-gpu",
	.stops = { "client", "vgem", "dma-buf", "compositor", "vkms",
		   "virtio-gpu" },
};

static const struct palette palettes[] = {
	{ .sky = { 0x1f2a5c, 0xb4507a, 0xffc068 },
	  .light = 0xfff3c4,
	  .glow = 210,
	  .x = 330,
	  .y = 470,
	  .radius = 44,
	  .ridge = { 0xb0587c, 0x7a3f6e, 0x482a56, 0x1d1630 },
	  .water = 0x5a2f5e },
	{ .sky = { 0x04071a, 0x0c1c40, 0x28507c },
	  .light = 0xeef4ff,
	  .glow = 130,
	  .x = 730,
	  .y = 230,
	  .radius = 52,
	  .ridge = { 0x1e3c5e, 0x152c48, 0x0d1c32, 0x060c18 },
	  .water = 0x081a34,
	  .night = true },
};

/* What one call of picture_draw() works with. */
struct scene {
	const struct picture *picture;
	const struct palette *palette;
	/* rows from @top to before @bottom are drawn */
	int top, bottom;
	int horizon;
	/* first row of each ridge, for each column */
	int *ridge[RIDGES];
};

static __u32 mix(__u32 a, __u32 b, __u32 part)
{
	__u32 rb = (a & 0xff00ff) * (256 - part) + (b & 0xff00ff) * part;
	__u32 g = (a & 0x00ff00) * (256 - part) + (b & 0x00ff00) * part;

	return (rb >> 8 & 0xff00ff) | (g >> 8 & 0x00ff00);
}

static __u32 scramble(__u32 x)
{
	x = (x ^ x >> 16) * 0x45d9f3b;
	x = (x ^ x >> 16) * 0x45d9f3b;
	return x ^ x >> 16;
}

/* Smooth noise, 0 to 255, with a new value every @period. */
static int noise(__u32 x, __u32 period, __u32 seed)
{
	__u32 cell = x / period;
	int t = x % period * 256 / period;
	int smooth = t * t * (768 - 2 * t) >> 16;
	int a = scramble(cell * 977 + seed) & 255;
	int b = scramble((cell + 1) * 977 + seed) & 255;

	return a + ((b - a) * smooth >> 8);
}

static void raise_ridges(struct scene *scene)
{
	static const int foot[RIDGES] = { 660, 690, 712, 735 };
	static const int height[RIDGES] = { 330, 240, 150, 80 };
	int rows = scene->picture->height;
	__u32 width = scene->picture->width;
	__u32 x, n;
	int i;

	for (i = 0; i < RIDGES; i++) {
		scene->ridge[i] = xalloc(width, sizeof(int));
		for (x = 0; x < width; x++) {
			int up;

			n = x * 1024 / width;
			up = noise(n, 230 - 40 * i, 7 + i) * 10 +
			     noise(n, 71, 17 + i) * 4 +
			     noise(n, 23, 27 + i) * 2 +
			     noise(n, 5, 37 + i) * (i == RIDGES - 1 ? 5 : 1);
			up = up * height[i] / (17 * 256);
			scene->ridge[i][x] = (foot[i] - up) * rows / 1024;
		}
	}
}

static __u32 star(int x, int y)
{
	__u32 cell = scramble((x / 18) * 7919 + (y / 18) * 104729);

	if ((cell & 3) || (cell >> 4 & 15) + 1 != (__u32)x % 18 ||
	    (cell >> 8 & 15) + 1 != (__u32)y % 18)
		return 0;
	return 64 + (cell >> 16 & 127);
}

/* The sun, or the moon as a crescent. */
static bool on_light(const struct palette *palette, int dx, int dy, int radius)
{
	int bite = radius * 5 / 8;

	if (dx * dx + dy * dy > radius * radius)
		return false;
	if (!palette->night)
		return true;
	dx += bite;
	dy += bite / 3;
	return dx * dx + dy * dy > radius * radius;
}

static __u32 sky(const struct scene *scene, int x, int y)
{
	const struct palette *palette = scene->palette;
	const int width = scene->picture->width;
	const int height = scene->picture->height;
	int radius = palette->radius * width / 1024;
	int dx = x - palette->x * width / 1024;
	int dy = y - palette->y * height / 1024;
	int square = dx * dx + dy * dy;
	int t = y * 512 / scene->horizon;
	__u32 glow;
	__u32 color;

	if (t < 256)
		color = mix(palette->sky[0], palette->sky[1], t);
	else
		color = mix(palette->sky[1], palette->sky[2],
			    t > 511 ? 255 : t - 256);
	if (palette->night)
		color = mix(color, 0xffffff, star(x, y));
	if (on_light(palette, dx, dy, radius))
		return palette->light;
	/* The dark side hides the stars and does not glow. */
	if (square <= radius * radius)
		return mix(palette->sky[1], palette->light, 24);

	glow = palette->glow * radius * radius / (square + radius * radius);
	return mix(color, palette->light, glow);
}

/* Everything above the water. */
static __u32 above(const struct scene *scene, int x, int y)
{
	int i;

	for (i = RIDGES - 1; i >= 0; i--) {
		int deep = y - scene->ridge[i][x];

		if (deep < 0)
			continue;
		/* Haze towards the foot of the far ridges. */
		deep = deep * 512 / (int)scene->picture->height;
		if (deep > 96)
			deep = 96;
		return mix(scene->palette->ridge[i], scene->palette->sky[2],
			   deep * (RIDGES - 1 - i) / 3);
	}
	return sky(scene, x, y);
}

/* The same upside down, broken by waves that grow towards the viewer. */
static __u32 water(const struct scene *scene, int x, int y)
{
	const int width = scene->picture->width;
	int deep = y - scene->horizon;
	int wave = noise(y * 16, 64, 91) + noise(y * 16, 23, 92) - 256;
	int from_x = x + wave * (4 + deep / 3) / 256;
	int from_y = scene->horizon - 1 - deep * 2 - wave * deep / 640;
	int sun = abs(x - scene->palette->x * width / 1024);
	__u32 color;

	from_x = from_x < 0 ? 0 : from_x >= width ? width - 1 : from_x;
	from_y = from_y < 0 ? 0 : from_y;
	color = above(scene, from_x, from_y);
	color = mix(color, scene->palette->water, 100);

	if (sun < width / 40 + deep / 2 &&
	    noise(x * 8 + scramble(y), 128, y * 31) > 170)
		color = mix(color, scene->palette->light, 120);
	return color;
}

static void draw_landscape(const struct scene *scene)
{
	const int width = scene->picture->width;
	int x, y;

	for (y = scene->top; y < scene->bottom; y++) {
		__u32 *row = picture_row(scene->picture, y);

		for (x = 0; x < width; x++)
			row[x] = y < scene->horizon ? above(scene, x, y) :
						      water(scene, x, y);
	}
}

static void draw_box(const struct scene *scene, int x, int y, int width,
		     int height, __u32 color, __u32 part)
{
	int right = x + width;
	int low = y + height;
	int i;

	x = x < 0 ? 0 : x;
	y = y < scene->top ? scene->top : y;
	right = right > (int)scene->picture->width ?
			(int)scene->picture->width :
			right;
	low = low > scene->bottom ? scene->bottom : low;

	for (; y < low; y++)
		for (i = x; i < right; i++) {
			__u32 *pixel = picture_row(scene->picture, y) + i;

			*pixel = mix(*pixel, color, part);
		}
}

static int text_width(const char *text, int dot)
{
	return ((int)strlen(text) * (FONT_WIDTH + 1) - 1) * dot;
}

static void draw_text(const struct scene *scene, int x, int y, const char *text,
		      int dot, __u32 color)
{
	int i, j;

	for (; *text; text++, x += (FONT_WIDTH + 1) * dot) {
		const __u8 *glyph = font_glyph(*text);

		for (i = 0; glyph && i < FONT_HEIGHT; i++)
			for (j = 0; j < FONT_WIDTH; j++)
				if (glyph[i] & 0x10 >> j)
					draw_box(scene, x + j * dot,
						 y + i * dot, dot, dot, color,
						 256);
	}
}

/* Boxes for those who hold the buffer, on the one line that is the buffer. */
static void draw_way(const struct scene *scene, const char *const stops[],
		     int y, int dot)
{
	const int width = scene->picture->width;
	const int height = 14 * dot;
	unsigned int i, count;
	int text = 0;
	int gap;
	int x;

	for (count = 0; count < STOPS && stops[count]; count++)
		text += text_width(stops[count], dot) + 8 * dot;
	gap = (width - text) / ((int)count + 1);
	draw_box(scene, 0, y + height / 2 - dot / 2, width, dot,
		 scene->palette->light, 200);

	for (i = 0, x = gap; i < count; i++) {
		int box = text_width(stops[i], dot) + 8 * dot;

		draw_box(scene, x, y, box, height, scene->palette->light, 256);
		draw_box(scene, x + dot, y + dot, box - 2 * dot,
			 height - 2 * dot, scene->palette->ridge[RIDGES - 1],
			 256);
		draw_text(scene, x + 4 * dot, y + 4 * dot, stops[i], dot,
			  scene->palette->light);
		x += box + gap;
	}
}

/* Draws the rows of @frame (1 or 2) from @top to before @bottom. */
void picture_draw(const struct picture *picture,
		  const struct picture_words *words, __u32 frame, __u32 top,
		  __u32 bottom)
{
	struct scene scene = {
		.picture = picture,
		.palette = &palettes[(frame - 1) % 2],
		.top = top,
		.bottom = bottom,
		.horizon = picture->height * 45 / 64,
	};
	char caption[64];
	int dot, width, x, y, i;

	raise_ridges(&scene);
	draw_landscape(&scene);

	snprintf(caption, sizeof(caption), words->caption, frame);
	dot = picture->width * 7 / 8 / text_width(caption, 1);
	dot = dot ? dot : 1;
	width = text_width(caption, dot);
	x = ((int)picture->width - width) / 2;
	y = (int)picture->height - 14 * dot;
	draw_text(&scene, x + dot / 2, y + dot / 2, caption, dot, 0x000000);
	draw_text(&scene, x, y, caption, dot, 0xffffff);
	draw_way(&scene, words->stops, y - 15 * dot, dot / 2 ? dot / 2 : 1);

	for (i = 0; i < RIDGES; i++)
		free(scene.ridge[i]);
}

/*
 * FNV-1a, 64 bits, over blue, green and red of every visible pixel. The X byte
 * of XRGB8888 means nothing and the gap at the end of a row is not the
 * picture's, so neither counts.
 */
__u64 picture_hash(const struct picture *picture)
{
	__u64 hash = 0xcbf29ce484222325ull;
	__u32 x, y;

	for (y = 0; y < picture->height; y++) {
		const __u32 *row = picture_row(picture, y);

		for (x = 0; x < picture->width; x++) {
			__u32 pixel = row[x];

			hash = (hash ^ (pixel & 0xff)) * 0x100000001b3ull;
			hash = (hash ^ (pixel >> 8 & 0xff)) * 0x100000001b3ull;
			hash = (hash ^ (pixel >> 16 & 0xff)) * 0x100000001b3ull;
		}
	}
	return hash;
}

/* Pixels in which two pictures of one size differ. */
__u32 picture_compare(const struct picture *one, const struct picture *other)
{
	__u32 x, y, differ = 0;

	for (y = 0; y < one->height; y++) {
		const __u32 *a = picture_row(one, y);
		const __u32 *b = picture_row(other, y);

		for (x = 0; x < one->width; x++)
			differ += (a[x] ^ b[x]) << 8 != 0;
	}
	return differ;
}
