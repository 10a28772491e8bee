// SPDX-License-Identifier: MIT
/* When an imported buffer is shown: at a flip, and after a fence. */

#include "igt.h"
#include "sw_sync.h"

#include "../poll_for.h"
#include "shown.h"

#define FLIPS	4
#define WAIT_MS 60000

/* An imported picture and one of the display's own, to be shown in turn. */
struct turn {
	struct picture picture[2];
	uint32_t fb[2], crc[2];
};

static void turn_create(struct turn *t, struct kms *kms,
			const struct endpoint *exporter)
{
	struct layout layout = layout_of_mode(kms);

	picture_create(&t->picture[0], kms, exporter, kms->width, kms->height);
	picture_create(&t->picture[1], kms, &kms->ep, kms->width, kms->height);
	for (int i = 0; i < 2; i++) {
		t->fb[i] = picture_fb(&t->picture[i], &layout);
		picture_draw(&t->picture[i], &layout, 10 + i);
		kms_show(kms, t->fb[i]);
		t->crc[i] = crc_of_shown(kms);
	}
	if (t->crc[0])
		igt_assert_neq_u32(t->crc[0], t->crc[1]);
}

static void turn_destroy(struct turn *t)
{
	for (int i = 0; i < 2; i++) {
		remove_fb(t->picture[i].kms, t->fb[i]);
		picture_destroy(&t->picture[i]);
	}
}

static void on_flip(int fd, unsigned int sequence, unsigned int sec,
		    unsigned int usec, void *data)
{
	int *flips = data;

	(void)fd;
	(void)sequence;
	(void)sec;
	(void)usec;
	(*flips)++;
}

static void wait_for_flip(int fd, const int *flips, int expected)
{
	drmEventContext context = { .version = 2,
				    .page_flip_handler = on_flip };

	igt_assert_eq(poll_for(fd, POLLIN, WAIT_MS), POLLIN);
	do_or_die(drmHandleEvent(fd, &context));
	igt_assert_eq(*flips, expected);
}

static void flip(struct kms *kms, const struct endpoint *exporter)
{
	int fd = kms->ep.fd, flips = 0;
	struct turn t;

	turn_create(&t, kms, exporter);
	for (int i = 0; i < FLIPS; i++) {
		do_or_die(drmModePageFlip(fd, kms->crtc, t.fb[i % 2],
					  DRM_MODE_PAGE_FLIP_EVENT, &flips));
		wait_for_flip(fd, &flips, i + 1);
		expect_shown(kms, t.fb[i % 2], t.crc[i % 2]);
	}
	turn_destroy(&t);
}

/* Nobody has seen the second one before the first fence has signalled. */
static void fences(struct kms *kms, const struct endpoint *exporter)
{
	int timeline = sw_sync_timeline_create(), out;
	struct kms_fences fences = { .out = &out };
	struct kms_layer layer = {
		.plane = kms_plane(kms, DRM_PLANE_TYPE_PRIMARY),
		.width = kms->width,
		.height = kms->height,
	};
	struct turn t;

	turn_create(&t, kms, exporter);
	for (int i = 0; i < FLIPS; i++) {
		layer.fb = t.fb[i % 2];
		fences.in = sw_sync_timeline_create_fence(timeline, i + 1);
		out = -1;
		do_or_die(__kms_show(kms, &layer, 1, &fences,
				     DRM_MODE_ATOMIC_NONBLOCK));
		close(fences.in);
		igt_assert_fd(out);
		/* Six frames are time enough to get it wrong. */
		igt_assert_eq(sync_fence_wait(out, 100), -ETIME);
		sw_sync_timeline_inc(timeline, 1);
		do_or_die(sync_fence_wait(out, WAIT_MS));
		igt_assert_eq(sync_fence_status(out),
			      SW_SYNC_FENCE_STATUS_SIGNALED);
		close(out);
		expect_shown(kms, t.fb[i % 2], t.crc[i % 2]);
	}
	turn_destroy(&t);
	close(timeline);
}

const struct shown_test time_tests[] = {
	{ "page-flip", "shown by a flip, which an event tells of", flip },
	{ "in-out-fence",
	  "shown when its fence signals, and then one of its own", fences },
	{}
};
