// SPDX-License-Identifier: MIT
/* See cards.h. */

#include <fcntl.h>

#include "igt.h"
#include "igt_device_scan.h"
#include "igt_kmod.h"

#include "cards.h"

#define MAX_CARDS 64

void cards_load(void)
{
	if (igt_device_filter_count())
		return;
	drm_load_module(DRIVER_VGEM);
	igt_kmod_load("vkms", "");
	errno = 0;
}

int __card_open(int i)
{
	char path[32];

	if (igt_device_filter_count())
		return i < igt_device_filter_count() ?
			       drm_open_filtered_card(i) :
			       -1;
	snprintf(path, sizeof(path), "/dev/dri/card%d", i);
	return open(path, O_RDWR | O_CLOEXEC);
}

static bool is_of(int fd, const char *driver)
{
	char name[32] = "";

	return __get_drm_device_name(fd, name, sizeof(name) - 1) == 0 &&
	       strcmp(name, driver) == 0;
}

int card_open(const char *driver)
{
	for (int i = 0; i < MAX_CARDS; i++) {
		int fd = __card_open(i);

		if (fd < 0)
			continue;
		if (is_of(fd, driver)) {
			errno = 0;
			return fd;
		}
		close(fd);
	}
	igt_skip("no %s device\n", driver);
}

int card_open_master(const char *driver)
{
	int fd = card_open(driver);

	igt_require_f(drmSetMaster(fd) == 0,
		      "somebody else is master of the device\n");
	return fd;
}
