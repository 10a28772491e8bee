/* SPDX-License-Identifier: MIT */
/*
 * Whether an operation that failed, or was undone, has left anything behind. See
 * leftovers.c.
 */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include <stdint.h>

#include "endpoint.h"

/* Those that take part in an operation; fewer leave NULL in their place. */
#define LEFTOVERS_DEVICES 3

/* What an operation that failed, or was undone, leaves as it was. */
struct leftovers {
	int fds, buffers, attachments;
	int fd; /* after a few more: one that is only reserved is not open */
	/* the lowest that is free, of each device */
	uint32_t handle[LEFTOVERS_DEVICES];
};

void leftovers_look(struct leftovers *m,
		    const struct endpoint *const eps[LEFTOVERS_DEVICES]);
void leftovers_expect_none(const struct leftovers *before,
			   const struct endpoint *const eps[LEFTOVERS_DEVICES]);

/*
 * What may go a little later, when a worker drops the last reference: all open
 * files of the machine, those that no descriptor shows included, and references
 * to modules. Others open files, too.
 */
struct references {
	long files;
	int modules;
};

void references_count(struct references *r);
/* Waits for those that are released late. */
void references_expect_no_more(const struct references *before);

/* All of bufinfo as text; 0 or -errno. */
int bufinfo_read(char *text, int size);

#endif
