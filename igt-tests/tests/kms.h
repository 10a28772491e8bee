/* SPDX-License-Identifier: MIT */
/* A display of any driver: one mode, its planes, and what it shows. */
#ifndef KMS_H
#define KMS_H

#include <stdbool.h>
#include <stdint.h>
#include <xf86drmMode.h>

#include "endpoint.h"

struct kms {
	struct endpoint ep; /* on a file that is a master */
	uint32_t width, height; /* pixels */
	uint32_t crtc, connector, mode_blob;
	drmModeModeInfo mode;
};

/* A picture on a plane, unscaled; the primary plane's is as large as the mode. */
struct kms_layer {
	uint32_t plane, fb;
	uint32_t width, height;
	uint32_t x, y;
};

/* Fences of a commit: -1 and NULL for none. */
struct kms_fences {
	int in; /* of the first layer */
	int *out;
};

/*
 * Whether a test may take the display: one that is nobody's screen, or that was
 * asked for with --device.
 */
bool kms_may_use(const struct endpoint *ep);

/*
 * A small mode for displays without a screen, else the screen's own. Skips where
 * there is no output, no atomic modesetting, or another master.
 */
void kms_open(struct kms *kms, const struct endpoint *ep, uint32_t width,
	      uint32_t height);
/* What it shows and what framebuffers are left go. */
void kms_close(struct kms *kms);

/* The first plane of a type that the CRTC can use, or 0. */
uint32_t kms_plane(const struct kms *kms, uint64_t type);

/* Returns -errno. Layers that are not named keep what they show. */
int __kms_show(const struct kms *kms, const struct kms_layer *layers, int num,
	       const struct kms_fences *fences, uint32_t flags);
/* A picture of the mode's size on the primary plane. */
void kms_show(const struct kms *kms, uint32_t fb);

/* The checksum of a whole frame to come; false where the driver makes none. */
bool kms_crc(int fd, uint32_t *crc);

#endif
