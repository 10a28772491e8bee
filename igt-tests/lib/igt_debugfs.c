// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "igt_debugfs.h"

static bool is_debugfs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == DEBUGFS_MAGIC;
}

const char *igt_debugfs_mount(void)
{
	static const char path[] = "/sys/kernel/debug";

	if (is_debugfs(path))
		return path;
	if (mount("debugfs", path, "debugfs", 0, NULL) == 0)
		return path;
	return NULL;
}

int igt_debugfs_dir(int device)
{
	const char *root = igt_debugfs_mount();
	char path[128];
	struct stat st;

	if (!root || fstat(device, &st))
		return -1;
	/* A device's directory has the number of its primary node. */
	snprintf(path, sizeof(path), "%s/dri/%u", root, minor(st.st_rdev) % 64);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
