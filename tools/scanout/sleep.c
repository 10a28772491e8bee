// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine that sleeps and wakes. The host forgets all of a device that sleeps:
 * its resources, and what its screen shows. A client that slept as well sees none of
 * that: what was on the screen is there again, and its buffers are as they were.
 *
 * The kernel stops on its way to sleep when all devices do, and wakes them again
 * (/sys/power/pm_test), so nobody has to wake the machine. The root file system is
 * in memory: Linux cannot put a 9p share to sleep.
 *
 * $SOURCE is the driver whose buffers are imported, vgem if it is not said. On
 * mainline's, which imports no others, it has to be virtio_gpu.
 */
#include <stdlib.h>

#include "kit.h"

static void fall_asleep(void)
{
	write_to("/sys/power/pm_test", "devices");
	write_to("/sys/power/state", "freeze");
}

static void show_again(const struct display *display, const char *name,
		       const struct picture *picture, uint32_t seed)
{
	draw(picture->dmabuf, seed);
	display_dirty(display, picture->fb);
	host_look(display, name, seed);
}

void sleep_cases(void)
{
	const char *source = getenv("SOURCE") ?: "vgem";
	struct display first = { .host = "first" };
	struct picture own, shown, late, new;

	display_open(&first);
	own = display_picture(&first, dumb_buffer("virtio_gpu"), 301);
	shown = display_picture(&first, dumb_buffer(source), 311);
	/* the host has never heard of it */
	late = display_picture(&first, dumb_buffer(source), 321);
	display_on(&first, own.fb);
	host_look(&first, "own", 301);
	display_on(&first, shown.fb);
	host_look(&first, "imported", 311);

	fall_asleep();
	/* nobody has done anything about it */
	host_look(&first, "imported-after-sleep", 311);
	show_again(&first, "imported-drawn-after-sleep", &shown, 312);
	display_on(&first, own.fb);
	host_look(&first, "own-after-sleep", 301);
	show_again(&first, "own-drawn-after-sleep", &own, 302);
	display_on(&first, late.fb);
	host_look(&first, "never-shown-before-sleep", 321);
	new = display_picture(&first, dumb_buffer(source), 331);
	display_on(&first, new.fb);
	host_look(&first, "made-after-sleep", 331);

	display_on(&first, own.fb);
	fall_asleep();
	host_look(&first, "own-after-second-sleep", 302);
	display_on(&first, shown.fb);
	host_look(&first, "imported-after-second-sleep", 312);

	display_off(&first);
	display_forget(&first, &own);
	display_forget(&first, &shown);
	display_forget(&first, &late);
	display_forget(&first, &new);
}
