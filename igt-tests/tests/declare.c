// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "igt.h"

#include "declare.h"
#include "text_file.h"

static void constraints_path(char *path, size_t size)
{
	const char *debugfs = igt_debugfs_mount();

	igt_require(debugfs);
	snprintf(path, size, "%s/dma_buf/constraints", debugfs);
}

void declare_require(void)
{
	char path[64];

	constraints_path(path, sizeof(path));
	igt_require_f(access(path, W_OK) == 0,
		      "this kernel has no constraints to declare\n");
}

static int write_line(const char *devices, const char *needs)
{
	char path[64], line[96];

	constraints_path(path, sizeof(path));
	snprintf(line, sizeof(line), "%s %s\n", devices, needs);
	return text_file_write(path, line);
}

void declare(const char *devices, const char *needs)
{
	igt_assert_eq(write_line(devices, needs), 0);
}

void declare_nothing(const char *devices)
{
	write_line(devices, "-");
}

void declared(char *text, size_t size)
{
	char path[64];
	FILE *file;

	constraints_path(path, sizeof(path));
	file = fopen(path, "re");
	igt_assert_f(file, "%s: %m\n", path);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}
