// SPDX-License-Identifier: MIT
/*
 * Finding and opening DRM devices.
 *
 * Without --device a driver is looked for by its name over all card nodes, and
 * its module is loaded first where it drives no hardware (vgem). With --device
 * only the nodes named there are looked at, but for vgem, as igt-gpu-tools has it.
 */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "drmtest.h"
#include "igt_device_scan.h"
#include "igt_kmod.h"
#include "igt_priv.h"
#include "ioctl_wrappers.h"

#define MAX_NODES    64
#define FIRST_RENDER 128
#define MAX_FILTERS  32

static const struct {
	unsigned int chipset;
	const char *name;
} drivers[] = {
	{ DRIVER_INTEL, "i915" },    { DRIVER_XE, "xe" },
	{ DRIVER_AMDGPU, "amdgpu" }, { DRIVER_VC4, "vc4" },
	{ DRIVER_V3D, "v3d" },	     { DRIVER_PANFROST, "panfrost" },
	{ DRIVER_MSM, "msm" },	     { DRIVER_VMWGFX, "vmwgfx" },
	{ DRIVER_VGEM, "vgem" },
};

static char *filters[MAX_FILTERS];
static int num_filters;

/* "drm:/dev/dri/card0;drm:/dev/dri/card2", the "drm:" is optional. */
void igt_device_filter_set(const char *list)
{
	char *copy = strdup(list), *rest = copy, *one;

	while ((one = strsep(&rest, ";"))) {
		if (strncmp(one, "drm:", 4) == 0)
			one += 4;
		if (*one && num_filters < MAX_FILTERS)
			filters[num_filters++] = strdup(one);
	}
	free(copy);
}

int igt_device_filter_count(void)
{
	return num_filters;
}

const char *igt_device_filter_get(int num)
{
	return num >= 0 && num < num_filters ? filters[num] : NULL;
}

int __get_drm_device_name(int fd, char *name, int name_size)
{
	drm_version_t version = {
		.name_len = name_size,
		.name = name,
	};

	return drmIoctl(fd, DRM_IOCTL_VERSION, &version) ? -1 : 0;
}

static unsigned int chipset_of(int fd)
{
	char name[32] = "";

	if (__get_drm_device_name(fd, name, sizeof(name) - 1))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return drivers[i].chipset;
	return 1u << 31;
}

int __drm_open_device(const char *name, unsigned int chipset)
{
	int fd = open(name, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (chipset_of(fd) & chipset)
		return fd;
	close(fd);
	return -1;
}

void drm_load_module(unsigned int chipset)
{
	/* The only one of them that a module brings without hardware. */
	if (chipset & DRIVER_VGEM && access("/sys/module/vgem", F_OK))
		igt_kmod_load("vgem", "");
}

/* The idx-th node, counted over those of the right driver. */
static int open_nth(int idx, int first, const char *stem, unsigned int chipset)
{
	char path[64];

	for (int i = 0; i < MAX_NODES; i++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/%s%d", stem, first + i);
		fd = __drm_open_device(path, chipset);
		if (fd < 0)
			continue;
		if (idx-- == 0)
			return fd;
		close(fd);
	}
	return -1;
}

static int open_filtered_nth(int idx, unsigned int chipset)
{
	for (int i = 0; i < num_filters; i++) {
		int fd = __drm_open_device(filters[i], chipset);

		if (fd < 0)
			continue;
		if (idx-- == 0)
			return fd;
		close(fd);
	}
	return -1;
}

int __drm_open_driver_another(int idx, int chipset)
{
	if (num_filters && chipset != DRIVER_VGEM)
		return open_filtered_nth(idx, chipset);
	drm_load_module(chipset);
	return open_nth(idx, 0, "card", chipset);
}

int __drm_open_driver(int chipset)
{
	return __drm_open_driver_another(0, chipset);
}

int __drm_open_driver_render(int chipset)
{
	int card = __drm_open_driver(chipset), fd = -1;
	char *path;

	if (card < 0)
		return -1;
	path = drmGetRenderDeviceNameFromFd(card);
	if (path)
		fd = open(path, O_RDWR | O_CLOEXEC);
	free(path);
	close(card);
	return fd;
}

int drm_open_driver_another(int idx, int chipset)
{
	int fd = __drm_open_driver_another(idx, chipset);

	igt_skip_on_f(fd < 0, "no device %d for chipset mask %#x\n", idx,
		      chipset);
	return fd;
}

int drm_open_driver(int chipset)
{
	return drm_open_driver_another(0, chipset);
}

int drm_open_driver_master(int chipset)
{
	int fd = drm_open_driver(chipset);

	igt_require_f(drmSetMaster(fd) == 0,
		      "somebody else is master of the device\n");
	return fd;
}

int drm_open_driver_render(int chipset)
{
	int fd = __drm_open_driver_render(chipset);

	igt_skip_on_f(fd < 0, "no render node for chipset mask %#x\n", chipset);
	return fd;
}

int drm_open_filtered_card(int idx)
{
	const char *path = igt_device_filter_get(idx);

	return path ? open(path, O_RDWR | O_CLOEXEC) : -1;
}

int drm_reopen_driver(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	igt_assert_fd(again);
	return again;
}

int drm_close_driver(int fd)
{
	return close(fd);
}
