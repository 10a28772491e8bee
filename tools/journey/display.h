/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_DISPLAY_H
#define JOURNEY_DISPLAY_H

#include <xf86drmMode.h>
#include <linux/types.h>

#include "device.h"

/* One output of a KMS device: a plane on a CRTC that is written back. */
struct display {
	const struct device *dev;
	drmModeModeInfo mode;
	__u32 mode_blob;
	__u32 crtc;
	__u32 plane;
	__u32 writeback;
};

void display_open(struct display *display, const struct device *dev);
__u32 display_add_fb(const struct display *display, __u32 handle, __u32 pitch);
void display_wait_refreshes(const struct display *display, unsigned int count);
int display_light(const struct display *display, __u32 fb, __u32 capture_fb);
int display_flip(const struct display *display, __u32 fb, __u32 capture_fb,
		 int in_fence);

#endif
