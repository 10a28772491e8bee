/* SPDX-License-Identifier: MIT */
/* vgem devices made through configfs, each with its own needs of memory. */
#ifndef CONFIGURED_H
#define CONFIGURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Skips, with the reason, where vgem is not in configfs. */
void configured_require(void);

/* Skips where devices cannot be told what they need. */
void configured_require_constraints(void);
bool configured_has_constraints(void);

/*
 * A file of a new device. Constraints are as in segments=1, NULL for none, and
 * count for what it imports; so does the mask, which counts for what it makes,
 * too. 0 is no mask.
 */
int configured_device(const char *name, const char *constraints,
		      uint64_t dma_mask);

/* The same, of a device that is not coherent with the CPU. */
int configured_noncoherent(const char *name);

/* A negative errno, or 0. */
int configured_write(const char *name, const char *attribute, const char *text);
void configured_read(const char *name, const char *attribute, char *text,
		     size_t size);

/* If there is such a device; not through the file, so exit handlers can. */
void configured_remove(const char *name);

/* What an import of the device looks like in its table. */
struct configured_import {
	uint64_t highest;
	unsigned int entries;
	char verdict[32];
};

/* Has the device map @dmabuf, which it has imported, and look at its table. */
void configured_verify(int fd, int dmabuf, struct configured_import *import);

#endif
