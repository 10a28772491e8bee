// SPDX-License-Identifier: MIT
/* poll() for a single descriptor. */

#include "igt.h"

#include "poll_for.h"

short poll_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, timeout_ms);

	igt_assert_f(n >= 0, "poll: %m\n");
	return n ? p.revents : 0;
}
