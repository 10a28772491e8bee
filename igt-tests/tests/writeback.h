/* SPDX-License-Identifier: MIT */
/*
 * The display of vkms with its writeback connector: what it shows it also writes
 * into a buffer, so that the picture that has left can be looked at.
 */
#ifndef WRITEBACK_H
#define WRITEBACK_H

#include <stdint.h>

enum writeback_prop {
	PLANE_FB,
	PLANE_CRTC,
	PLANE_SRC_W,
	PLANE_SRC_H,
	PLANE_CRTC_W,
	PLANE_CRTC_H,
	PLANE_IN_FENCE,
	CRTC_ACTIVE,
	CRTC_MODE,
	CONN_CRTC,
	WB_CRTC,
	WB_FB,
	WB_OUT_FENCE,
	NUM_PROPS,
};

struct writeback {
	int fd; /* a master of vkms */
	uint32_t width, height; /* pixels */
	uint32_t crtc, plane, connector, writeback, mode_blob;
	uint32_t prop[NUM_PROPS];
};

struct writeback_frame {
	uint32_t fb; /* on the plane */
	uint32_t capture_fb; /* 0: none */
	int in_fence; /* -1: none */
	int *captured; /* sync_file that signals when the capture is complete */
};

/* Opens the first vkms. Skips where it has no writeback or another master. */
void writeback_open(struct writeback *wb, uint32_t width, uint32_t height,
		    uint32_t refresh);
void writeback_close(struct writeback *wb);

/* A framebuffer of XRGB8888, as wide as the display. Returns -errno. */
int __writeback_add_fb(const struct writeback *wb, uint32_t handle,
		       uint32_t height, uint32_t pitch, uint32_t *fb);

int __writeback_commit(const struct writeback *wb,
		       const struct writeback_frame *frame, uint32_t flags);
void writeback_off(const struct writeback *wb);

/* References to a framebuffer, for writeback_wait(). Skips without debugfs. */
int writeback_references(const struct writeback *wb, uint32_t fb);

/*
 * Waits until a capture is complete and the driver has let go of capture_fb,
 * which had so many references before the commit. Closes captured.
 */
void writeback_wait(const struct writeback *wb, int captured,
		    uint32_t capture_fb, int references);

/* Shows one framebuffer and waits until the other holds what was shown. */
void writeback_show(const struct writeback *wb, uint32_t fb,
		    uint32_t capture_fb);

#endif
