/* SPDX-License-Identifier: GPL-2.0-only */
/* Which group and exporter the lines are about. */
#ifndef SAY_H
#define SAY_H

extern const char *say_group, *say_subject;

#endif
