/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_DEVICE_H
#define JOURNEY_DEVICE_H

#include <stddef.h>
#include <linux/types.h>

struct device {
	int fd;
	/* "vgem card0": driver and node, for the table and for messages */
	char name[32];
};

struct dumb {
	__u32 handle;
	__u32 pitch;
	size_t size;
	void *map;
};

unsigned int device_count(const char *driver);
void device_open(const char *driver, unsigned int index, struct device *dev);
void device_bus_name(const struct device *dev, char *name, size_t size);
void device_ioctl(const struct device *dev, const char *call,
		  unsigned long request, void *arg);
void dumb_create(const struct device *dev, __u32 width, __u32 height,
		 struct dumb *dumb);
int prime_export(const struct device *dev, __u32 handle);
__u32 prime_import(const struct device *dev, int fd);

#endif
