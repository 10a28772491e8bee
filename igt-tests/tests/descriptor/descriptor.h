/* SPDX-License-Identifier: MIT */
/*
 * What dmabuf_ioctls runs for each exporter:
 *
 *	arguments.c	the ioctls, with arguments good and bad
 *	mapping.c	lseek(), read(), write(), and mmap() to its bounds
 *	told.c		what the kernel tells of a buffer, and where
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stdbool.h>

#include "../endpoint.h"

/* Of the buffers. */
#define PAGE  4096
#define PAGES 4

/* A subtest; the last of a list has no name. */
struct descriptor_test {
	const char *name, *describe;
	void (*run)(struct endpoint_bo *bo);
};

extern const struct descriptor_test argument_tests[];
extern const struct descriptor_test mapping_tests[];
extern const struct descriptor_test told_tests[];

/* told.c */
/* Into buf, the value of a key of /proc/self/fdinfo; false if it is not there. */
bool fdinfo_value(int fd, const char *key, char *buf, int size);

#endif
