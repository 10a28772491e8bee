// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu framebuffers
 *
 * What is shown lies in its buffer, and has a resource of its shape.
 */

#include <kunit/test.h>
#include <linux/err.h>

#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_mode.h>
#include <drm/drm_mode_config.h>

#include "../virtgpu_framebuffer.h"
#include "../virtgpu_gem.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

#define WIDTH  MOCK_CLIENT_WIDTH
#define HEIGHT MOCK_CLIENT_HEIGHT

/* Succeeds if halves of a buffer can be shown side by side, and nothing beyond it. */
static void framebuffer_at_an_offset(struct kunit *test)
{
	struct drm_mode_create_dumb dumb = {
		.width = 2 * WIDTH,
		.height = HEIGHT,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_mode_fb_cmd2 cmd = {
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
	};
	struct drm_framebuffer *fb;

	KUNIT_ASSERT_EQ(test, vgpu_dumb_create(file, drm, &dumb), 0);
	cmd.handles[0] = dumb.handle;
	cmd.pitches[0] = dumb.pitch;
	cmd.offsets[0] = WIDTH * 4;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	/* the other half has the buffer's own resource */
	KUNIT_EXPECT_TRUE(test, to_vgpu_framebuffer(fb)->has_view);
	drm_framebuffer_put(fb);

	cmd.offsets[0] = dumb.size - dumb.pitch * (HEIGHT - 1) - WIDTH * 4;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	drm_framebuffer_put(fb);
	cmd.offsets[0] += 4;
	KUNIT_EXPECT_PTR_EQ(test,
			    drm->mode_config.funcs->fb_create(drm, file, &cmd),
			    ERR_PTR(-EINVAL));
	drm_gem_handle_delete(file, dumb.handle);
	mock_host_settle(host);
}

/*
 * Succeeds if who makes framebuffers waits for room in the queue, where a signal ends
 * it, and keeps nothing of the buffer then. Broken by not waiting: then there is a
 * framebuffer; by not giving the buffer back; and by waiting for a device that is gone.
 */
static void framebuffer_waits_for_room(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_mode_create_dumb dumb = {
		.width = WIDTH,
		.height = HEIGHT,
		.bpp = 32,
	};
	struct drm_mode_fb_cmd2 cmd = {
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
	};
	struct drm_gem_object *obj;
	struct drm_framebuffer *fb;

	KUNIT_ASSERT_EQ(test, vgpu_dumb_create(file, drm, &dumb), 0);
	cmd.handles[0] = dumb.handle;
	cmd.pitches[0] = dumb.pitch;
	obj = drm_gem_object_lookup(file, dumb.handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);

	mock_signal(true);
	/* as with a host that has stopped, so only the signal ends it */
	q->num_backlog += VGPU_BACKLOG_LIMIT;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_EXPECT_PTR_EQ(test, fb, ERR_PTR(-ERESTARTSYS));
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), 2);
	q->num_backlog -= VGPU_BACKLOG_LIMIT;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	mock_signal(false);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	drm_framebuffer_put(fb);

	mock_host_settle(host);
	vgpu_queue_stop(q);
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_EXPECT_PTR_EQ(test, fb, ERR_PTR(-ENODEV));
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), 2);
	drm_gem_object_put(obj);
	drm_gem_handle_delete(file, dumb.handle);
}

static struct kunit_case framebuffer_cases[] = {
	KUNIT_CASE(framebuffer_at_an_offset),
	KUNIT_CASE(framebuffer_waits_for_room),
	{}
};

static struct kunit_suite framebuffer_suite = {
	.name = "virtio_gpu_framebuffer",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = framebuffer_cases,
};

kunit_test_suite(framebuffer_suite);
