// SPDX-License-Identifier: MIT
/*
 * Writing into a file of the kernel, which sees each write() by itself.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "text_file.h"

int text_file_write(const char *path, const char *text)
{
	ssize_t length = strlen(text), written;
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	written = write(fd, text, length);
	if (written != length)
		ret = written < 0 ? -errno : -EIO;
	close(fd);

	return ret;
}
