/* SPDX-License-Identifier: MIT */
/* Finding and opening DRM devices. */
#ifndef DRMTEST_H
#define DRMTEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include "igt_core.h"

/*
 * Masks of drivers to look for, with igt-gpu-tools' values and no others.
 */
enum {
	DRIVER_INTEL = 0x001,
	DRIVER_XE = 0x080,
	DRIVER_AMDGPU = 0x008,
	DRIVER_VC4 = 0x002,
	DRIVER_V3D = 0x010,
	DRIVER_PANFROST = 0x020,
	DRIVER_MSM = 0x040,
	DRIVER_VMWGFX = 0x100,
	DRIVER_VGEM = 0x004,
	DRIVER_ANY = ~DRIVER_VGEM,
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
/* a is a power of two. */
#define ALIGN(v, a)                       \
	({                                \
		typeof(v) mask__ = (a);   \
		mask__--;                 \
		((v) + mask__) & ~mask__; \
	})

int __get_drm_device_name(int fd, char *name, int name_size);
int __drm_open_device(const char *name, unsigned int chipset);
void drm_load_module(unsigned int chipset);

/* Return -1 instead of skipping where there is no such device. */
int __drm_open_driver(int chipset);
int __drm_open_driver_another(int idx, int chipset);
int __drm_open_driver_render(int chipset);

int drm_open_driver(int chipset);
int drm_open_driver_another(int idx, int chipset);
int drm_open_driver_master(int chipset);
int drm_open_driver_render(int chipset);
int drm_open_filtered_card(int idx);
int drm_reopen_driver(int fd);
int drm_close_driver(int fd);

#define do_or_die(x) igt_assert((x) == 0)

/* The name of the ioctl says more than its number. */
#define do_ioctl(fd, ioc, data)                                     \
	do {                                                        \
		int ret__ = igt_ioctl(fd, ioc, data);               \
		igt_assert_f(ret__ == 0, "ioctl %s fails\n", #ioc); \
		errno = 0;                                          \
	} while (0)

#define do_ioctl_err(fd, ioc, data, err)                                     \
	do {                                                                 \
		int ret__ = igt_ioctl(fd, ioc, data), err__ = errno;         \
		igt_assert_f(ret__ == -1, "ioctl %s succeeds\n", #ioc);      \
		igt_assert_f(err__ == (err), "ioctl %s: errno %d, not %d\n", \
			     #ioc, err__, err);                              \
		errno = 0;                                                   \
	} while (0)

#endif
