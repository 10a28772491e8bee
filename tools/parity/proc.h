/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc tells of a descriptor. */
#ifndef PROC_H
#define PROC_H

/* The link /proc/self/fd/N, in quotes, or an errno's name. */
const char *proc_link(int fd);
/* The value of a key of fdinfo, or "absent". */
const char *proc_fdinfo(int fd, const char *key);
/* The value after "key:" in the text of a file below /proc/self. */
const char *proc_value(const char *all, const char *key);
/* A small file as text, NULL if it cannot be read. */
const char *read_file(const char *path);

#endif
