/* SPDX-License-Identifier: MIT */
#ifndef DEMO_STORY_H
#define DEMO_STORY_H

#include "../journey/picture.h"

/* What the guest draws, and the host expects to see. */
static const struct picture_words demo_words = {
	.caption = "frame %u drawn on vgem, shown by pl111",
	.stops = { "client", "vgem", "dma-buf", "one piece", "pl111" },
};

#define DEMO_WIDTH  1024
#define DEMO_HEIGHT 768

#endif
