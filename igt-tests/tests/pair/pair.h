/* SPDX-License-Identifier: MIT */
/*
 * What prime_pair runs for each pair of devices:
 *
 *	content.c	one memory, whichever process holds which end
 *	handles.c	one object, one handle, one dma-buf
 *	closing.c	ends that are closed in any order, or at once
 */
#ifndef PAIR_H
#define PAIR_H

#include <stdint.h>
#include <sys/types.h>

#include "../endpoint.h"

/* Of the buffers, in pixels. */
#define WIDTH  64
#define HEIGHT 48

/* A subtest; the last of a list has no name. */
struct pair_test {
	const char *name, *describe;
	void (*run)(const struct endpoint *a, const struct endpoint *b);
};

extern const struct pair_test content_tests[];
extern const struct pair_test handle_tests[];
extern const struct pair_test closing_tests[];

/* content.c */
/* The pattern, in a mapping of the dma-buf, between SYNC's brackets. */
void pair_fill(int dmabuf, void *map, uint64_t size, uint32_t seed);
void pair_check(int dmabuf, const void *map, uint64_t size, uint32_t seed);
/* Skips, where the importer takes no buffers of others; keeps nothing. */
void pair_require_import(const struct endpoint *b, int dmabuf);

/* handles.c */
/* The dma-buf as the importer hands it on, which must be the one it got. */
int pair_export_again(const struct endpoint *importer, uint32_t handle,
		      ino_t inode);
/* One device with itself */
void pair_self(const struct endpoint *a);

#endif
