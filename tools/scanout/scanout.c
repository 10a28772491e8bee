// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest shows, for a host that looks.
 *
 *	scanout PORT CASES
 *
 * Whether the picture on a screen is the one that was drawn, only the host can
 * see. So a line goes to PORT, a virtio serial port, and the host takes a
 * screendump, compares, and answers:
 *
 *	guest: shown DISPLAY HEAD NAME WIDTH HEIGHT SEED
 *	host:  ok
 *
 * What nobody has drawn by a seed, but is in a buffer, the guest tells itself, row by
 * row, as hexadecimal numbers of red, green and blue:
 *
 *	guest: held DISPLAY HEAD NAME WIDTH HEIGHT
 *	guest: 10ff00...
 *	...
 *	host:  ok
 *
 * CASES is one of the sets below.
 */
#include <stdio.h>
#include <string.h>

#include "kit.h"

static const struct {
	const char *name;
	void (*run)(void);
} sets[] = {
	{ "exporters", exporter_cases }, { "heads", head_cases },
	{ "sleep", sleep_cases },	 { "panic", panic_cases },
	{ "blobs", blob_cases },	 { "bounce", bounce_cases },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; argc == 3 && i < sizeof(sets) / sizeof(*sets);
	     i++) {
		if (strcmp(sets[i].name, argv[2]))
			continue;
		host_open(argv[1]);
		sets[i].run();
		return 0;
	}
	fprintf(stderr, "usage: scanout PORT CASES\n");
	return 2;
}
