/* SPDX-License-Identifier: MIT */
/*
 * What vgem_constraints is made of beside itself:
 *
 *	bounce.c	memory within reach, in place of copies
 */
#ifndef CONSTRAINTS_H
#define CONSTRAINTS_H

#include <stdint.h>

/* A buffer of @owner, and one that nobody moves, for a device that reaches @mask. */
void no_bounce(int owner, uint64_t mask);
/* A heap's buffer that such a device does not reach. */
void copies_given_back(uint64_t mask);

#endif
