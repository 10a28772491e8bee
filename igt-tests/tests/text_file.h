/* SPDX-License-Identifier: MIT */
/*
 * Files of the kernel that take a text: of sysfs, configfs, debugfs, cgroups.
 */
#ifndef TEXT_FILE_H
#define TEXT_FILE_H

/* All of it in one go; 0 or -errno. */
int text_file_write(const char *path, const char *text);

#endif
