// SPDX-License-Identifier: MIT
/*
 * DRM devices by the name of their driver, dumb buffers, and the two PRIME
 * ioctls.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "device.h"
#include "util.h"

#define MAX_DEVICES 64

static int has_driver(const char *node, const char *driver)
{
	drmVersionPtr version;
	int same = 0;
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return 0;
	version = drmGetVersion(fd);
	if (version)
		same = !strcmp(version->name, driver);
	drmFreeVersion(version);
	close(fd);
	return same;
}

/* /dev/dri/card2 before /dev/dri/card10. */
static int by_node(const void *a, const void *b)
{
	const char *x = *(char *const *)a;
	const char *y = *(char *const *)b;
	size_t lx = strlen(x);
	size_t ly = strlen(y);

	return lx != ly ? (lx < ly ? -1 : 1) : strcmp(x, y);
}

/*
 * Puts the nodes of all devices of @driver into @nodes, lowest first; free()
 * each. Returns their number.
 *
 * Not with drmGetDevices2(): it takes devices with the same modalias for one,
 * and devices that a driver has made up tend to have the same.
 */
static unsigned int find_nodes(const char *driver, char **nodes)
{
	DIR *dir = opendir(DRM_DIR_NAME);
	unsigned int found = 0;
	struct dirent *entry;
	char node[sizeof(DRM_DIR_NAME) + sizeof(entry->d_name)];

	/* Without any DRM device there is no such directory. */
	if (!dir)
		return 0;
	while (found < MAX_DEVICES && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "card", 4))
			continue;
		snprintf(node, sizeof(node), "%s/%s", DRM_DIR_NAME,
			 entry->d_name);
		if (has_driver(node, driver))
			nodes[found++] = strdup(node);
	}
	closedir(dir);
	qsort(nodes, found, sizeof(*nodes), by_node);
	return found;
}

unsigned int device_count(const char *driver)
{
	char *nodes[MAX_DEVICES];
	unsigned int count = find_nodes(driver, nodes);
	unsigned int i;

	for (i = 0; i < count; i++)
		free(nodes[i]);
	return count;
}

/* Opens device number @index of @driver, counted from 0. */
void device_open(const char *driver, unsigned int index, struct device *dev)
{
	char *nodes[MAX_DEVICES];
	unsigned int count = find_nodes(driver, nodes);
	unsigned int i;

	if (index >= count)
		die("there is no %s device %u", driver, index);
	dev->fd = open(nodes[index], O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		die_errno(nodes[index], "open");
	snprintf(dev->name, sizeof(dev->name), "%s %s", driver,
		 strrchr(nodes[index], '/') + 1);
	for (i = 0; i < count; i++)
		free(nodes[i]);
}

/* What the kernel calls the device itself, not its node: "vkms". */
void device_bus_name(const struct device *dev, char *name, size_t size)
{
	char link[64], target[512];
	const char *node = strchr(dev->name, ' ') + 1;
	ssize_t length;

	snprintf(link, sizeof(link), "/sys/class/drm/%s/device", node);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		die_errno(dev->name, link);
	target[length] = 0;
	snprintf(name, size, "%s", strrchr(target, '/') + 1);
}

void device_ioctl(const struct device *dev, const char *call,
		  unsigned long request, void *arg)
{
	if (drmIoctl(dev->fd, request, arg))
		die_errno(dev->name, call);
}

/* A mapped buffer of 32-bit pixels, zeroed by the kernel. */
void dumb_create(const struct device *dev, __u32 width, __u32 height,
		 struct dumb *dumb)
{
	struct drm_mode_create_dumb create = {
		.width = width,
		.height = height,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = { .handle = 0 };

	device_ioctl(dev, "CREATE_DUMB", DRM_IOCTL_MODE_CREATE_DUMB, &create);
	map.handle = create.handle;
	device_ioctl(dev, "MAP_DUMB", DRM_IOCTL_MODE_MAP_DUMB, &map);

	dumb->handle = create.handle;
	dumb->pitch = create.pitch;
	dumb->size = create.size;
	dumb->map = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 dev->fd, map.offset);
	if (dumb->map == MAP_FAILED)
		die_errno(dev->name, "mmap of a dumb buffer");
}

int prime_export(const struct device *dev, __u32 handle)
{
	int fd;

	if (drmPrimeHandleToFD(dev->fd, handle, DRM_CLOEXEC, &fd))
		die_errno(dev->name, "PRIME_HANDLE_TO_FD");
	return fd;
}

__u32 prime_import(const struct device *dev, int fd)
{
	__u32 handle;

	if (drmPrimeFDToHandle(dev->fd, fd, &handle))
		die_errno(dev->name, "PRIME_FD_TO_HANDLE");
	return handle;
}
