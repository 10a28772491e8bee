/* SPDX-License-Identifier: MIT */
/* What every part of the journey needs: errors and the two pixel helpers. */
#ifndef JOURNEY_UTIL_H
#define JOURNEY_UTIL_H

#include <stddef.h>
#include <linux/types.h>

/* No wait in this program is shorter than its peer may need under emulation. */
#define LONG_WAIT_MS 60000

/* A fence that is not signalled by then has expired: vgem's limit is 10 s. */
#define FENCE_WAIT_MS 60000

/* The name of this process in messages: journey, client or compositor. */
extern const char *role;

/* One line on stderr, exit status 1. */
_Noreturn void die(const char *format, ...);

/* The same for a failed call: "where: call: what errno says". */
_Noreturn void die_errno(const char *where, const char *call);

/* The other process is gone and has said why: exit status 2, silently. */
_Noreturn void die_peer(void);

void *xalloc(size_t count, size_t size);

#endif
