/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_REPORT_H
#define JOURNEY_REPORT_H

#include <stdbool.h>
#include <linux/types.h>

/* For a hop that has no such thing: shown as "-" and not checked. */
#define NONE (-1)

/* One line of the table: the buffer as one holder of it sees it. */
struct hop {
	__u32 frame;
	char process[16];
	char does[16];
	char device[32];
	__s64 handle;
	__s64 fd;
	__s64 inode;
	__s64 size;
	__s64 attached;
	/* what @attached has to be: the importers so far */
	__s64 importers;
	/* of the importer's table, if the kernel tells */
	__s64 sg_entries;
	/* bytes in other memory than the client drew into */
	__s64 copied;
	__u64 hash;
};

#define MAX_HOPS 16

struct report {
	struct hop hops[MAX_HOPS];
	unsigned int count;
	/* hash of each frame as the client meant it */
	__u64 intended[2];
	/* refreshes of the screen that frame 2 was seen to wait */
	unsigned int held_back;
	__s64 client_pid;
	__s64 compositor_pid;
};

void report_add(struct report *report, const struct hop *hop);
void report_write(const struct report *report, const char *dir,
		  const char *name);
bool report_check(const struct report *report);

#endif
