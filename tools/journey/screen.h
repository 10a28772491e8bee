/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_SCREEN_H
#define JOURNEY_SCREEN_H

#include <stdio.h>
#include <linux/types.h>
#include <xf86drmMode.h>

#include "device.h"
#include "picture.h"

/* The screen of the machine, of which the host can take a picture. */
struct screen {
	const struct device *dev;
	drmModeModeInfo mode;
	__u32 crtc;
	__u32 connector;
	__u32 fb;
	/* to the host */
	FILE *port;
};

void screen_open(struct screen *screen, const struct device *dev, __u32 width,
		 __u32 height);
void screen_light(struct screen *screen, __u32 handle, __u32 pitch);
void screen_update(const struct screen *screen);
void screen_dump(const struct screen *screen, const char *dir,
		 struct picture *picture);

#endif
