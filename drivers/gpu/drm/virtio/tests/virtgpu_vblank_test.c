// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu vertical blanks
 *
 * A timer plays the monitor: blanks come at the mode's rate, and flips end with them.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/wait.h>

#include <drm/drm_atomic.h>
#include <drm/drm_file.h>
#include <drm/drm_vblank.h>

#include "../virtgpu_display.h"
#include "../virtgpu_vblank.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"
#include "virtgpu_mock_screen.h"

/* Succeeds if blanks come at the mode's rate, and none is lost between two uses. */
static void blanks_are_counted(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_crtc *crtc = &host->vgpu->outputs[0].crtc;
	struct drm_vblank_crtc *vblank = drm_crtc_vblank_crtc(crtc);
	struct drm_file *file = mock_host_open(test, host);
	ktime_t first, second;
	u64 count, passed;

	KUNIT_EXPECT_NE(test, drm_crtc_vblank_get(crtc), 0);
	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, mock_client_fb(test, file)), 0);
	KUNIT_EXPECT_EQ(test, vblank->framedur_ns, 16683217);

	KUNIT_ASSERT_EQ(test, drm_crtc_vblank_get(crtc), 0);
	count = drm_crtc_vblank_count(crtc);
	wait_event(vblank->queue, drm_crtc_vblank_count(crtc) > count + 1);
	count = drm_crtc_vblank_count_and_time(crtc, &first);
	wait_event(vblank->queue, drm_crtc_vblank_count(crtc) > count);
	passed = drm_crtc_vblank_count_and_time(crtc, &second) - count;
	KUNIT_EXPECT_EQ(test, ktime_to_ns(ktime_sub(second, first)),
			passed * vblank->framedur_ns);
	drm_crtc_vblank_put(crtc);
}

/* Succeeds if a client cannot ask for more blanks than a machine has time for. */
static void blanks_leave_time(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	struct drm_vblank_crtc *vblank = drm_crtc_vblank_crtc(&output->crtc);
	struct drm_file *file = mock_host_open(test, host);

	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, mock_client_fb(test, file)), 0);
	/* as of a mode with a clock of 2 GHz and a handful of pixels */
	vblank->framedur_ns = 500;
	vgpu_vblank_enable(&output->crtc);
	KUNIT_EXPECT_EQ(test, ktime_to_ns(output->vblank.period),
			NSEC_PER_MSEC);
}

/* Succeeds if the timer runs while somebody asks for blanks, and not after that. */
static void blanks_end(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	struct vgpu_vblank *vblank = &output->vblank;
	struct drm_file *file = mock_host_open(test, host);

	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, mock_client_fb(test, file)), 0);
	KUNIT_ASSERT_EQ(test, drm_crtc_vblank_get(&output->crtc), 0);
	KUNIT_EXPECT_TRUE(test, hrtimer_active(&vblank->timer));
	/* what DRM does some time after the last has gone */
	drm_crtc_vblank_put(&output->crtc);
	drm_crtc_vblank_off(&output->crtc);
	KUNIT_EXPECT_FALSE(test, vblank->running);
	KUNIT_EXPECT_FALSE(test, hrtimer_is_queued(&vblank->timer));
	drm_crtc_vblank_on(&output->crtc);
}

/*
 * Succeeds if a flip is over with the next blank, and not before, and a commit that
 * waits with its flip.
 */
static void flip_ends_at_a_blank(struct kunit *test)
{
	struct mock_frame frame = { .nonblock = true };
	struct drm_crtc_commit *commit;
	struct mock_host *host = test->priv;
	struct vgpu_output *output = &host->vgpu->outputs[0];
	struct drm_file *file = mock_host_open(test, host);
	struct vgpu_vblank *vblank = &output->vblank;
	struct drm_crtc *crtc = &output->crtc;

	KUNIT_ASSERT_EQ(test, mock_screen_show_fb(host, mock_client_fb(test, file)), 0);
	KUNIT_EXPECT_TRUE(test, completion_done(&crtc->state->commit->flip_done));
	KUNIT_ASSERT_EQ(test, drm_crtc_vblank_get(crtc), 0);
	/* the test is the clock from now on */
	hrtimer_cancel(&vblank->timer);
	frame.fb = mock_client_fb(test, file);
	KUNIT_ASSERT_EQ(test, mock_screen_show(host, &frame), 0);
	commit = drm_crtc_commit_get(crtc->state->commit);
	wait_for_completion(&commit->hw_done);
	KUNIT_EXPECT_FALSE(test, completion_done(&commit->flip_done));
	KUNIT_EXPECT_FALSE(test, completion_done(&commit->cleanup_done));

	hrtimer_forward(&vblank->timer, hrtimer_get_expires(&vblank->timer),
			vblank->period);
	KUNIT_EXPECT_TRUE(test, drm_crtc_handle_vblank(crtc));
	KUNIT_EXPECT_TRUE(test, completion_done(&commit->flip_done));
	wait_for_completion(&commit->cleanup_done);
	drm_crtc_commit_put(commit);
	drm_crtc_vblank_put(crtc);
	mock_host_settle(host);
}

static struct kunit_case vblank_cases[] = {
	KUNIT_CASE(blanks_are_counted),
	KUNIT_CASE(blanks_leave_time),
	KUNIT_CASE(blanks_end),
	KUNIT_CASE(flip_ends_at_a_blank),
	{}
};

static struct kunit_suite vblank_suite = {
	.name = "virtio_gpu_vblank",
	.init = mock_screen_test_init,
	.exit = mock_screen_test_exit,
	.test_cases = vblank_cases,
};

kunit_test_suite(vblank_suite);
