// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu panics
 *
 * The last message of a kernel gets to the host, and nobody waits for anything.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_panic.h>
#include <drm/drm_plane.h>

#include "../virtgpu_display.h"
#include "../virtgpu_object.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

#define WIDTH  MOCK_CLIENT_WIDTH
#define HEIGHT MOCK_CLIENT_HEIGHT

static struct drm_plane *primary_of(struct mock_host *host)
{
	return host->vgpu->outputs[0].crtc.primary;
}

static u32 pixel_of(struct drm_framebuffer *fb, unsigned int x, unsigned int y)
{
	struct sg_table *sgt = to_vgpu_object(fb->obj[0])->sgt;
	size_t at = y * fb->pitches[0] + x * 4;
	u32 value = 0;

	sg_pcopy_to_buffer(sgt->sgl, sgt->orig_nents, &value, sizeof(value),
			   at);
	return value;
}

/* Succeeds if a last message gets to the host, if nothing is in the way. */
static void panic_is_shown(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));
	struct drm_plane *plane = primary_of(host);
	const struct drm_plane_helper_funcs *funcs = plane->helper_private;
	struct drm_scanout_buffer sb = {};
	int i;

	KUNIT_EXPECT_EQ(test, funcs->get_scanout_buffer(plane, &sb), -ENODEV);
	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, fb), 0);
	mock_host_settle(host);
	memset(host->seen, 0, sizeof(host->seen));

	KUNIT_ASSERT_EQ(test, funcs->get_scanout_buffer(plane, &sb), 0);
	KUNIT_EXPECT_EQ(test, sb.width, WIDTH);
	KUNIT_EXPECT_EQ(test, sb.height, HEIGHT);
	sb.set_pixel(&sb, 0, 0, 0x123456);
	sb.set_pixel(&sb, WIDTH - 1, HEIGHT - 1, 0x654321);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, 0, 0), 0x123456);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, WIDTH - 1, HEIGHT - 1), 0x654321);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, WIDTH - 1, 0), 0);
	/* before what was written last */
	sb.set_pixel(&sb, 1, 0, 0x13579b);
	KUNIT_EXPECT_EQ(test, pixel_of(fb, 1, 0), 0x13579b);

	/* and again, as the machine goes on */
	for (i = 1; i < 3; i++) {
		funcs->panic_flush(plane);
		mock_host_settle(host);
		KUNIT_EXPECT_EQ(test, i,
				host->seen[VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D]);
		KUNIT_EXPECT_EQ(test, i,
				host->seen[VIRTIO_GPU_CMD_RESOURCE_FLUSH]);
	}
}

/* What was synced in a panic, and what the host had been told by then. */
static struct {
	struct mock_host *host;
	struct sg_table *sgt;
	unsigned int times;
	unsigned int waiting;
} synced;

static bool always_synced(struct device *dev, struct sg_table *sgt)
{
	return true;
}

static void note_sync(struct device *dev, struct sg_table *sgt, bool for_device)
{
	synced.sgt = sgt;
	synced.times += for_device;
	synced.waiting = mock_host_waiting(synced.host);
}

/*
 * Succeeds if a device that sees copies of memory gets the message before it is to show
 * it, as with swiotlb. Broken by not syncing, and by syncing when the host was told.
 */
static void panic_is_synced(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb;
	struct drm_plane *plane = primary_of(host);
	const struct drm_plane_helper_funcs *funcs = plane->helper_private;

	kunit_activate_static_stub(test, vgpu_needs_sync, always_synced);
	kunit_activate_static_stub(test, vgpu_sync, note_sync);
	host->vgpu->use_dma_api = true;
	synced.host = host;
	fb = mock_client_fb(test, mock_host_open(test, host));
	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, fb), 0);
	mock_host_settle(host);

	synced.times = 0;
	synced.waiting = -1;
	synced.sgt = NULL;
	host->auto_answer = NULL;
	funcs->panic_flush(plane);
	KUNIT_EXPECT_EQ(test, synced.times, 1);
	KUNIT_EXPECT_EQ(test, synced.waiting, 0);
	KUNIT_EXPECT_PTR_EQ(test, synced.sgt, to_vgpu_object(fb->obj[0])->sgt);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 2);
	while (mock_host_waiting(host))
		mock_host_answer(host, MOCK_OK);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
}

/* Succeeds if nobody waits in a panic, for a lock or for a host. */
static void panic_does_not_wait(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_framebuffer *fb = mock_client_fb(test, mock_host_open(test, host));
	struct drm_plane *plane = primary_of(host);
	const struct drm_plane_helper_funcs *funcs = plane->helper_private;
	struct vgpu_queue *q = &host->vgpu->ctrl;
	int i;

	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, fb), 0);
	mock_host_settle(host);
	memset(host->seen, 0, sizeof(host->seen));

	scoped_guard(spinlock, &q->lock)
		funcs->panic_flush(plane);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 0);

	/* more often than the ring has room for it */
	host->auto_answer = NULL;
	for (i = 0; i < MOCK_HOST_RING; i++)
		funcs->panic_flush(plane);
	KUNIT_EXPECT_EQ(test, mock_host_waiting(host), 2);
	mock_host_answer(host, MOCK_OK);
	mock_host_answer(host, MOCK_OK);
	mock_host_settle(host);
	host->auto_answer = mock_host_obeys;
}

static struct kunit_case panic_cases[] = {
	KUNIT_CASE(panic_is_shown),
	KUNIT_CASE(panic_is_synced),
	KUNIT_CASE(panic_does_not_wait),
	{}
};

static struct kunit_suite panic_suite = {
	.name = "virtio_gpu_panic",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = panic_cases,
};

kunit_test_suite(panic_suite);
