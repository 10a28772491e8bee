/* SPDX-License-Identifier: MIT */
/*
 * What vgem_ioctls runs for each vgem device:
 *
 *	fences.c	fences that are attached to buffers and signalled
 *	buffers.c	dumb buffers, their sizes, mappings and names
 */
#ifndef VGEM_H
#define VGEM_H

#include "igt_vgem.h"

/* A subtest; the last of a list has no name. */
struct vgem_test {
	const char *name, *describe;
	void (*run)(int fd);
};

extern const struct vgem_test fence_tests[];
extern const struct vgem_test buffer_tests[];

/* fences.c: a handle and a fence of one device mean nothing on the other. */
void fences_are_apart(int a, int b);

/* buffers.c: a small buffer, for what is not about buffers. */
void vgem_make(int fd, struct vgem_bo *bo);

#endif
