// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host, who sees what is on the screens, and whom people tell what they do with
 * its windows. It is asked by a line on a virtio serial port, and answers by one;
 * tools/scanout/run has the list of what can be asked.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kit.h"

static FILE *port;

void host_open(const char *path)
{
	port = fopen(path, "r+");
	if (!port)
		die(path);
}

/* Returns whether the host has said that it is well. */
static int host_answers(void)
{
	char answer[64] = "";

	fflush(port);
	if (!fgets(answer, sizeof(answer), port)) {
		errno = EPIPE;
		die("the host");
	}
	return !strcmp(answer, "ok\n");
}

int host_ask(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(port, format, args);
	va_end(args);
	fputc('\n', port);
	return host_answers();
}

void host_judge(const char *name, int good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", name);
	fflush(stdout);
}

void host_look(const struct display *display, const char *name, uint32_t seed)
{
	host_judge(name, host_ask("shown %s %d %s %d %d %u", display->host,
				  display->head, name, WIDTH, HEIGHT, seed));
}

/* The pixels that should be seen follow, a row a line. */
void host_look_held(const struct display *display, const char *name,
		    const uint32_t *pixels)
{
	fprintf(port, "held %s %d %s %d %d\n", display->host, display->head,
		name, WIDTH, HEIGHT);
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++)
			fprintf(port, "%06x",
				pixels[y * PITCH / 4 + x] & 0xffffff);
		fputc('\n', port);
	}
	host_judge(name, host_answers());
}
