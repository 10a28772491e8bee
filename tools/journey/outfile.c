// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "outfile.h"
#include "util.h"

void outfile_open(struct outfile *file, const char *dir, const char *name)
{
	if (snprintf(file->path, sizeof(file->path), "%s/%s", dir, name) >=
	    (int)sizeof(file->path))
		die("%s: name too long", dir);
	snprintf(file->partial, sizeof(file->partial), "%s.partial",
		 file->path);
	file->stream = fopen(file->partial, "we");
	if (!file->stream)
		die_errno(file->partial, "open");
}

/* Ends this process because of errno, and leaves nothing behind. */
_Noreturn void outfile_fail(struct outfile *file, const char *call)
{
	int error = errno;

	unlink(file->partial);
	errno = error;
	die_errno(file->path, call);
}

void outfile_commit(struct outfile *file)
{
	if (ferror(file->stream) || fclose(file->stream))
		outfile_fail(file, "write");
	if (rename(file->partial, file->path))
		outfile_fail(file, "rename");
}
