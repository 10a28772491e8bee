/* SPDX-License-Identifier: MIT */
#ifndef IGT_DEBUGFS_H
#define IGT_DEBUGFS_H

/* Where debugfs is mounted (mounting it if need be), or NULL. */
const char *igt_debugfs_mount(void);

/* A directory fd of the device's debugfs directory, or -1. */
int igt_debugfs_dir(int device);

#endif
