/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_H
#define JOURNEY_H

#include <stdbool.h>

/* The two processes; @sock is a UNIX stream socket to the other one. */
int client_main(int sock);
int compositor_main(int sock, const char *outdir, bool single,
		    bool with_screen);

#endif
