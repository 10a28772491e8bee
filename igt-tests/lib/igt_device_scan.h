/* SPDX-License-Identifier: MIT */
/* The devices chosen with --device. */
#ifndef IGT_DEVICE_SCAN_H
#define IGT_DEVICE_SCAN_H

int igt_device_filter_count(void);
const char *igt_device_filter_get(int num);

#endif
