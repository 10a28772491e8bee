// SPDX-License-Identifier: MIT
/* Modules. modprobe knows where they are, the kernel is asked to drop them. */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt_kmod.h"

#define MAX_OPTIONS 32

bool igt_kmod_is_loaded(const char *mod_name)
{
	char path[96];

	/* what is built in has a directory as well, but no state */
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", mod_name);
	return access(path, F_OK) == 0;
}

int igt_kmod_load(const char *mod_name, const char *opts)
{
	char *argv[MAX_OPTIONS + 4] = { "modprobe", "-s", (char *)mod_name };
	char copy[1024], *rest = copy, *option;
	int status = -1, err, n = 3;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", opts ?: "");
	while ((option = strsep(&rest, " ")) && n < MAX_OPTIONS + 3)
		if (*option)
			argv[n++] = option;
	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err)
		return -err;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -EINVAL : 0;
}

int igt_kmod_unload(const char *mod_name)
{
	return syscall(SYS_delete_module, mod_name, O_NONBLOCK) ? -errno : 0;
}
