// SPDX-License-Identifier: MIT
/* The end of a program whose renderer or compositor does not do what it should. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "# ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	/* no destructors: they might wait for what has failed */
	_Exit(1);
}
