// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that panics while a client's picture is on the screen. The host sees the
 * kernel's message in its place; who asks for the panic is not there to see it.
 */
#include "kit.h"

void panic_cases(void)
{
	struct display first = { .host = "first" };
	struct picture own;

	display_open(&first);
	own = display_picture(&first, dumb_buffer("virtio_gpu"), 501);
	display_on(&first, own.fb);
	host_look(&first, "before-the-panic", 501);

	host_ask("dies %s", first.host);
	write_to("/proc/sysrq-trigger", "c");
}
