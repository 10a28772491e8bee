// SPDX-License-Identifier: MIT
/* Kernel modules, by way of modprobe, which knows where they are. */

#include <spawn.h>
#include <sys/wait.h>

#include "igt_core.h"
#include "igt_kmod.h"

#define MAX_OPTIONS 16

int igt_kmod_load(const char *mod_name, const char *opts)
{
	char *argv[3 + MAX_OPTIONS + 1] = { "modprobe", "-s" };
	char *words = strdup(opts ?: ""), *name = strdup(mod_name);
	char *rest = words, *one;
	int argc = 2, status;
	pid_t pid;

	argv[argc++] = name;
	while ((one = strsep(&rest, " ")) && argc < 3 + MAX_OPTIONS)
		if (*one)
			argv[argc++] = one;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, NULL) ||
	    waitpid(pid, &status, 0) != pid)
		status = -1;
	free(words);
	free(name);
	return status;
}
