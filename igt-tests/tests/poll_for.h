/* SPDX-License-Identifier: MIT */
#ifndef POLL_FOR_H
#define POLL_FOR_H

#include <poll.h>

/* Waits so long for any of @events; which there are then, 0 where the time is up. */
short poll_for(int fd, short events, int timeout_ms);

#endif
