/* SPDX-License-Identifier: MIT */
/*
 * One cell of the matrix: an exporter, an importer, how the importer gets at the
 * memory, and in which processes the two are.
 *
 * The picture is of one size for all: a display has it as 320x200 pixels of
 * XRGB8888, a camera as 640x400 of GREY, a converter as 640x200 of RGB565, and
 * all three are 256000 bytes without a gap. That is less than the 256 KiB that
 * swiotlb bounces in one piece, above which it fills the log.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "../endpoint.h"
#include "../video.h"

#define MATRIX_WIDTH  320
#define MATRIX_HEIGHT 200
#define MATRIX_PITCH  (MATRIX_WIDTH * 4)
#define MATRIX_SIZE   (MATRIX_PITCH * MATRIX_HEIGHT)

enum way {
	BY_MMAP, /* the CPU, through what the importer exports again */
	BY_VMAP, /* the importer's driver, by a mapping in the kernel */
	BY_SCANOUT, /* a display */
	BY_STREAM, /* a queue of V4L2, at one end or both */
};

enum video_kind {
	NO_VIDEO,
	VIDEO_CAPTURE, /* vivid's camera */
	VIDEO_OUTPUT, /* vivid's HDMI output */
	VIDEO_CONVERTER, /* vim2m */
};

/* A device, or a maker of buffers. Each process opens it for itself. */
struct end {
	char name[40];
	enum video_kind video;
	struct endpoint ep; /* unless it is a video device */
	bool exports, imports;
	bool strict; /* the vgem that takes memory in one piece below 4 GiB */
	bool may_refuse; /* has a reason to take no foreign dma-buf */
	bool unseen; /* nobody is there to tell what it shows */
};

/* Shared by the processes of a cell. */
struct cell {
	const struct end *exporter, *importer;
	enum way way;
	uint32_t seed; /* of its pictures, another for each cell */
	int count; /* buffers */
	bool keep; /* what is seen is worth keeping, see picture_keep() */
	char refused[64]; /* why the importer cannot use the buffer, or "" */
	/* what the importer has to find, and what it leaves behind */
	uint8_t sees[QUEUE_BUFFERS][MATRIX_SIZE];
	uint8_t left[QUEUE_BUFFERS][MATRIX_SIZE];
};

/* ends.c: all that are there. Returns how many. */
int ends_open(struct end *ends, int max);
void ends_close(struct end *ends, int num);

/* picture.c */
void picture_fill(void *map, uint32_t seed);
/* Every byte; or every colour, for a display has no use for the fourth byte. */
void picture_expect(const void *got, const void *expected, const char *where);
void picture_expect_colours(const void *got, const void *expected,
			    const char *where);
/* Into IGT_FRAME_DUMP_PATH, if there is such a variable and the cell says so. */
void picture_keep(const struct cell *cell, const void *bytes, bool grey);

/* exporter.c */
struct exporter {
	const struct end *end;
	struct endpoint ep; /* a file of its own */
	int count;
	struct endpoint_bo bo[QUEUE_BUFFERS];
	struct queue queue;
	int dmabuf[QUEUE_BUFFERS];
	uint8_t *map[QUEUE_BUFFERS]; /* not through the dma-buf, if possible */
};

void exporter_open(struct exporter *e, const struct end *end, int count);
/* Puts into the buffers, and into @cell, what the importer has to find. */
void exporter_fill(struct exporter *e, struct cell *cell);
/* Finds what the importer has left. */
void exporter_check(struct exporter *e, struct cell *cell);
void exporter_close(struct exporter *e);

/*
 * importer.c: the importer's half of a cell, which owns the descriptors. All it
 * knows comes from them and from @cell.
 */
void importer_run(struct cell *cell, const int *dmabuf);

/* True, and noted in @cell, if the import has failed, for one that may. */
bool importer_refused(struct cell *cell, int err);
bool importer_cannot(struct cell *cell, const char *why);

/* drm.c, display.c, camera.c: what importer_run() chooses from. */
void drm_by_mmap(struct cell *cell, const int *dmabuf);
void display_by_vmap(struct cell *cell, const int *dmabuf);
void display_by_scanout(struct cell *cell, const int *dmabuf);
void screen_by_scanout(struct cell *cell, const int *dmabuf);
void video_by_vmap(struct cell *cell, const int *dmabuf);
void video_by_stream(struct cell *cell, const int *dmabuf);

/* screen.c: whether somebody outside can see what virtio-gpu shows. */
bool screen_is_watched(void);

/* camera.c: the devices, set up */
extern const struct video_format camera_format, converter_format;
int camera_open(uint32_t brightness);
int output_open(void);
int converter_open(void);
uint32_t camera_brightness(const struct cell *cell, int i);

/*
 * What leaves vivid's HDMI output, seen by a camera of another instance that is
 * connected to it.
 */
struct witness {
	struct queue queue;
	bool started;
};

bool witness_is_there(void);
void witness_open(struct witness *w);
/* Waits until @expected comes; fails if it does not. */
void witness_expect(struct witness *w, const void *expected);
void witness_close(struct witness *w);

#endif
