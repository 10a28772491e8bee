/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_OUTFILE_H
#define JOURNEY_OUTFILE_H

#include <stdio.h>

/* A file of the result: it gets its name when it is complete, or never. */
struct outfile {
	FILE *stream;
	char path[4096];
	char partial[4096 + 16];
};

void outfile_open(struct outfile *file, const char *dir, const char *name);
void outfile_commit(struct outfile *file);
_Noreturn void outfile_fail(struct outfile *file, const char *call);

#endif
