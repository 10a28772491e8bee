// SPDX-License-Identifier: MIT
/*
 * Whether GStreamer keeps to the rules of dma-bufs, which its allocator for them maps:
 * beside Mesa, the other one that has the buffers of devices from compositors' clients.
 *
 *	gstreamer gstreamer-read	videoconvert reads what a camera has filled
 *	gstreamer gstreamer-write	a picture is copied to a buffer
 *
 * Exit status: 0 it keeps to them, 1 it does not, 2 misuse.
 */
#include <gst/allocators/gstdmabuf.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define BEFORE 41
#define AFTER  42

#define CONVERT                                                      \
	"appsrc name=in ! videoconvert ! video/x-raw,format=RGBx ! " \
	"appsink name=out sync=false"

static GstBuffer *wrapped(const struct buffer *buffer)
{
	GstAllocator *allocator = gst_dmabuf_allocator_new();
	gint stride[GST_VIDEO_MAX_PLANES] = { (gint)buffer->stride };
	gsize offset[GST_VIDEO_MAX_PLANES] = {};
	GstBuffer *wrapper = gst_buffer_new();
	GstMemory *memory;

	memory = gst_dmabuf_allocator_alloc(allocator, dup(buffer->dmabuf),
					    buffer->size);
	check(memory, "no memory of GStreamer");
	gst_buffer_append_memory(wrapper, memory);
	gst_object_unref(allocator);
	gst_buffer_add_video_meta_full(wrapper, GST_VIDEO_FRAME_FLAG_NONE,
				       GST_VIDEO_FORMAT_BGRx, buffer->width,
				       buffer->height, 1, offset, stride);
	return wrapper;
}

static void info_of(const struct buffer *buffer, GstVideoInfo *info)
{
	check(gst_video_info_set_format(info, GST_VIDEO_FORMAT_BGRx,
					buffer->width, buffer->height),
	      "a format");
}

/* A picture goes in, and comes out as another process' memory would: red first. */
static GstSample *converted(const struct buffer *buffer)
{
	GstElement *pipeline, *in, *out;
	GstVideoInfo info;
	GstSample *sample;
	GError *error = NULL;
	GstCaps *caps;

	pipeline = gst_parse_launch(CONVERT, &error);
	check(pipeline && !error, "a pipeline: %s", error->message);
	in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
	out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
	info_of(buffer, &info);
	caps = gst_video_info_to_caps(&info);
	gst_app_src_set_caps(GST_APP_SRC(in), caps);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	gst_app_src_push_buffer(GST_APP_SRC(in), wrapped(buffer));
	gst_app_src_end_of_stream(GST_APP_SRC(in));
	sample = gst_app_sink_pull_sample(GST_APP_SINK(out));
	check(sample, "no picture came out");
	gst_element_set_state(pipeline, GST_STATE_NULL);
	return sample;
}

/* How many pixels are not those of the buffer. */
static int differ(struct buffer *buffer, GstSample *sample)
{
	struct view view = view_of(buffer);
	uint32_t count = buffer->width * buffer->height;
	uint32_t *there = calloc(count, sizeof(*there));
	GstMapInfo map;
	int wrong = 0;

	buffer_read(buffer, &view, there);
	check(gst_buffer_map(gst_sample_get_buffer(sample), &map,
			     GST_MAP_READ) &&
		      map.size >= count * 4,
	      "what came out is small");
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *got = map.data + i * 4;
		uint32_t pixel =
			(uint32_t)got[0] << 16 | (uint32_t)got[1] << 8 | got[2];

		wrong += pixel != (there[i] & 0xffffff);
	}
	free(there);
	return wrong;
}

static void read_case(void)
{
	struct buffer buffers[QUEUED];
	struct view view;
	int wrong;

	for (int i = 0; i < QUEUED; i++)
		buffer_create(&buffers[i], DEVICE_WIDTH, DEVICE_HEIGHT, false);
	view = view_of(&buffers[0]);
	buffer_fill(&buffers[0], &view, BEFORE);
	camera_fill(buffers);
	wrong = differ(&buffers[0], converted(&buffers[0]));
	check(!wrong, "%d pixels are others", wrong);
	check(buffer_wrong(&buffers[0], &view, BEFORE),
	      "the camera did nothing");
}

static GstBuffer *drawn(const struct buffer *buffer)
{
	gsize size = buffer->width * buffer->height * 4;
	uint32_t *pixels = g_malloc(size);

	for (uint32_t i = 0; i < buffer->width * buffer->height; i++)
		pixels[i] =
			pixel_of(AFTER, i % buffer->width, i / buffer->width);
	return gst_buffer_new_wrapped(pixels, size);
}

static void write_case(void)
{
	GstVideoFrame from, to;
	struct buffer buffer;
	GstVideoInfo info;
	struct view view;
	int wrong;

	buffer_create(&buffer, WIDTH, HEIGHT, false);
	view = view_of(&buffer);
	buffer_fill(&buffer, &view, BEFORE);
	info_of(&buffer, &info);
	check(gst_video_frame_map(&from, &info, drawn(&buffer), GST_MAP_READ),
	      "a picture to copy");
	check(gst_video_frame_map(&to, &info, wrapped(&buffer), GST_MAP_WRITE),
	      "a buffer to copy to");
	check(gst_video_frame_copy(&to, &from), "a copy");
	gst_video_frame_unmap(&to);
	wrong = buffer_wrong(&buffer, &view, AFTER);
	check(!wrong, "%d pixels are others", wrong);
}

int main(int argc, char **argv)
{
	gst_init(NULL, NULL);
	if (argc == 2 && !strcmp(argv[1], "gstreamer-read"))
		read_case();
	else if (argc == 2 && !strcmp(argv[1], "gstreamer-write"))
		write_case();
	else
		return 2;
	return 0;
}
