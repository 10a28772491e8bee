/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_SCREEN_H_
#define _VIRTGPU_MOCK_SCREEN_H_

#include <kunit/test.h>
#include <linux/types.h>

struct drm_framebuffer;
struct drm_mode_rect;
struct mock_fence;
struct mock_host;

/**
 * struct mock_frame - what a commit is to show on the first output
 * @fb: the framebuffer, or NULL for none
 * @fence: after that, or NULL
 * @clip: what of it has changed, or NULL if all has
 * @cursor: a framebuffer that lies over it, or NULL to leave that as it is
 * @no_cursor: take away what lies over it
 * @x: where, column and row
 * @hot: what of the cursor points, column and row
 * @off: switch the output off, whatever it is to show
 * @nonblock: leave to a worker what may have to wait
 */
struct mock_frame {
	struct drm_framebuffer *fb;
	struct mock_fence *fence;
	const struct drm_mode_rect *clip;
	struct drm_framebuffer *cursor;
	bool no_cursor;
	int x, hot;
	bool off;
	bool nonblock;
};

int mock_screen_test_init(struct kunit *test);
void mock_screen_test_exit(struct kunit *test);
int mock_screen_show(struct mock_host *host, const struct mock_frame *frame);
int mock_screen_show_fb(struct mock_host *host, struct drm_framebuffer *fb);
void mock_screen_edid(u8 *edid, u8 extensions);

#endif
