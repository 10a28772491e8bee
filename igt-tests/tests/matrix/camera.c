// SPDX-License-Identifier: MIT
/* The video devices, and who sees what leaves an output. */

#include "igt.h"

/* After igt.h, which must be the first to define what both define. */
#include <linux/v4l2-dv-timings.h>
#include <sys/ioctl.h>

#include "matrix.h"

#define FIRST_VIVID  "platform:vivid-000"
#define SECOND_VIVID "platform:vivid-001"
#define HDMI_INPUT   3
#define HDMI_OUTPUT  1
/* A frame of noise comes where the two instances are in each other's way. */
#define FRAMES_AT_MOST 60

const struct video_format camera_format = {
	.width = MATRIX_WIDTH * 2,
	.height = MATRIX_HEIGHT * 2,
	.fourcc = V4L2_PIX_FMT_GREY,
};

const struct video_format converter_format = {
	.width = MATRIX_WIDTH * 2,
	.height = MATRIX_HEIGHT,
	.fourcc = V4L2_PIX_FMT_RGB565,
};

static int open_or_fail(const char *driver, uint32_t caps, const char *bus)
{
	int fd = __find_video(driver, caps | V4L2_CAP_STREAMING, bus);

	igt_assert_f(fd >= 0, "%s is gone\n", driver);
	return fd;
}

static void set_timings(int fd)
{
	struct v4l2_dv_timings timings = V4L2_DV_BT_DMT_640X400P85;

	do_or_die(ioctl(fd, VIDIOC_S_DV_TIMINGS, &timings));
}

int camera_open(uint32_t brightness)
{
	int fd = open_or_fail("vivid", V4L2_CAP_VIDEO_CAPTURE, FIRST_VIVID);
	int input = HDMI_INPUT;

	do_or_die(ioctl(fd, VIDIOC_S_INPUT, &input));
	set_timings(fd);
	video_set_menu(fd, "Test Pattern", "75% Colorbar");
	video_set_menu(fd, "OSD Text Mode", "None");
	video_set_control(fd, "Brightness", brightness);
	return fd;
}

/* Another for each buffer of a cell, and most likely for each cell. */
uint32_t camera_brightness(const struct cell *cell, int i)
{
	return 64 + (cell->seed * 7 + i * 5) % 128;
}

int output_open(void)
{
	int fd = open_or_fail("vivid", V4L2_CAP_VIDEO_OUTPUT, FIRST_VIVID);
	int output = HDMI_OUTPUT;

	do_or_die(ioctl(fd, VIDIOC_S_OUTPUT, &output));
	set_timings(fd);
	return fd;
}

int converter_open(void)
{
	return open_or_fail("vim2m", V4L2_CAP_VIDEO_M2M, NULL);
}

bool witness_is_there(void)
{
	int fd = __find_video("vivid",
			      V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING,
			      SECOND_VIVID);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void witness_open(struct witness *w)
{
	int fd = open_or_fail("vivid", V4L2_CAP_VIDEO_CAPTURE, SECOND_VIVID);
	int input = HDMI_INPUT;

	do_or_die(ioctl(fd, VIDIOC_S_INPUT, &input));
	set_timings(fd);
	video_set_menu(fd, "OSD Text Mode", "None");
	video_set_menu(fd, "HDMI 001-0 Is Connected To", "Output HDMI 000-0");
	queue_open(&w->queue, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP,
		   &camera_format, 1);
	igt_assert_eq_u32(w->queue.size[0], MATRIX_SIZE);
	w->started = false;
}

void witness_expect(struct witness *w, const void *expected)
{
	for (int i = 0; i < FRAMES_AT_MOST; i++) {
		memset(w->queue.map[0][0], 0xee, MATRIX_SIZE);
		do_or_die(__queue_push(&w->queue, 0, -1));
		if (!w->started)
			queue_start(&w->queue);
		w->started = true;
		queue_pop(&w->queue);
		if (memcmp(w->queue.map[0][0], expected, MATRIX_SIZE) == 0)
			return;
	}
	picture_expect(w->queue.map[0][0], expected, "what left the output");
}

void witness_close(struct witness *w)
{
	queue_close(&w->queue);
	close(w->queue.fd);
}
