// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that come and go: vgem in configfs, and what debugfs tells of them.
 *
 * a: which of two directories   b, c, value: what is written to its attributes
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argument.h"
#include "count.h"
#include "objects.h"
#include "operations.h"

#define CONFIGFS "/sys/kernel/config/vgem"
#define DEVICES	 2

/* Looking for the directories takes longer than most steps. */
static bool made;

static const char *const attributes[] = {
	"enable", "dma_mask", "card", "render", "constraints", "noncoherent"
};

#define CONSTRAINTS 4
#define NONCOHERENT 8

static const char *directory(uint8_t selector, char *path, size_t size)
{
	snprintf(path, size, CONFIGFS "/fuzz%u", selector % DEVICES);
	return path;
}

static int attribute(uint8_t device, uint8_t which, int flags)
{
	unsigned int index = which % 4;
	char path[64];

	if (which & CONSTRAINTS)
		index = 4;
	else if (which & NONCOHERENT)
		index = 5;
	snprintf(path, sizeof(path), CONFIGFS "/fuzz%u/%s", device % DEVICES,
		 attributes[index]);
	return open(path, flags | O_CLOEXEC);
}

/* For who needs one. Fails quietly: it may be there already, or its mask be bad. */
static void device_ensure(uint8_t device, bool enabled)
{
	char path[64];
	int fd;

	made = true;
	mkdir(directory(device, path, sizeof(path)), 0755);
	if (!enabled)
		return;
	fd = attribute(device, 0, O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, "1\n", 2) < 0)
		errno = 0;
	close(fd);
}

long op_device_make(const struct step *step)
{
	char path[64];

	made = true;
	return CALL(mkdir(directory(step->a, path, sizeof(path)), 0755));
}

/* c: which of them, the rest of it and value: how much */
static size_t print_constraints(const struct step *step, char *text,
				size_t size)
{
	unsigned long long much = number(step->value);

	switch (step->c & 7) {
	case 0:
		return snprintf(text, size, "segments=1\n");
	case 1:
		return snprintf(text, size, "align=%llu\n",
				1ULL << (step->value & 63));
	case 2:
		return snprintf(text, size, "mask=%#llx\n",
				(1ULL << (step->value & 63)) - 1);
	case 3:
		return snprintf(text, size, "segment-size=%llu,segments=%u\n",
				much, step->c >> 3);
	case 4:
		return snprintf(text, size, "boundary=%#llx,domains=system\n",
				(1ULL << (step->value & 63)) - 1);
	case 5:
		return snprintf(text, size, "any\n");
	default:
		return snprintf(text, size, "segments=%llu\n", much);
	}
}

/* b: which attribute, c: 0 or 1, or a mask, with c & 2 a good one */
long op_device_set(const struct step *step)
{
	unsigned long long mask = step->c & 2 ?
					  (1ULL << (step->value & 63)) - 1 :
					  number(step->value);
	char text[64];
	size_t length;
	long result;
	int fd;

	device_ensure(step->a, false);
	fd = attribute(step->a, step->b, O_WRONLY);
	if (fd < 0)
		return NOT_DONE;
	if (step->b & CONSTRAINTS)
		length = print_constraints(step, text, sizeof(text));
	else if (step->b & NONCOHERENT || step->b % 4 == 0)
		length = snprintf(text, sizeof(text), "%u\n", step->c & 1);
	else
		length = snprintf(text, sizeof(text), "%#llx\n", mask);
	if (step->c & 0x80)
		length = step->c & 0x1f;
	result = CALL(write(fd, argument_place(text, length), length));
	close(fd);
	return result;
}

long op_device_show(const struct step *step)
{
	int fd = attribute(step->a, step->b, O_RDONLY);
	char text[64];
	long result;

	if (fd < 0)
		return NOT_DONE;
	result = CALL(read(fd, text, sizeof(text)));
	close(fd);
	return result;
}

long op_device_remove(const struct step *step)
{
	char path[64];

	return CALL(rmdir(directory(step->a, path, sizeof(path))));
}

/* b odd: its render node; b & 2: only if there is such a device */
long op_device_open(const struct step *step)
{
	char path[64] = "/dev/dri/";
	long length;
	int fd;

	if (!(step->b & 2))
		device_ensure(step->a, true);
	fd = attribute(step->a, step->b & 1 ? 3 : 2, O_RDONLY);
	if (fd < 0)
		return NOT_DONE;
	length = read(fd, path + 9, sizeof(path) - 10);
	close(fd);
	if (length <= 1)
		return NOT_DONE;
	path[9 + length - 1] = 0;
	return file_add_node(CALL(open(path, O_RDWR | O_CLOEXEC)), NODE_EXTRA);
}

static int open_statistics(const struct step *step)
{
	struct stat status;
	char path[64];

	if (fstat(file_find(KIND_DMABUF, step->a).fd, &status))
		return -1;
	snprintf(path, sizeof(path), "/sys/kernel/dmabuf/buffers/%lu/%s",
		 (unsigned long)status.st_ino,
		 step->b & 1 ? "size" : "exporter_name");
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* b: which of the files of a device, or beyond 0x80 of a buffer's statistics */
long op_debugfs(const struct step *step)
{
	static const char *const paths[] = {
		"/sys/kernel/debug/dri/0/clients",
		"/sys/kernel/debug/dri/0/gem_names",
		"/sys/kernel/debug/dri/1/clients",
		"/sys/kernel/debug/dri/1/gem_names",
		"/sys/kernel/debug/dri/2/framebuffer",
		"/sys/kernel/debug/sync/info",
		"/proc/self/maps",
		"/proc/self/smaps_rollup",
	};
	char text[4096];
	long result;
	int fd;

	if (step->b & 0x80)
		fd = open_statistics(step);
	else
		fd = open(paths[step->b % COUNT_OF(paths)],
			  O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NOT_DONE;
	result = CALL(read(fd, text, sizeof(text)));
	close(fd);
	return result;
}

/* The directories outlive the process's files, so an input removes them itself. */
void device_reset(void)
{
	char path[64];
	unsigned int i;

	for (i = 0; made && i < DEVICES; i++)
		rmdir(directory(i, path, sizeof(path)));
	made = false;
}
