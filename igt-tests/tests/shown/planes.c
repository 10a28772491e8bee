// SPDX-License-Identifier: MIT
/* Imported buffers on the planes above the primary one, and in debugfs. */

#include <drm_fourcc.h>
#include <fcntl.h>

#include "igt.h"

#include "shown.h"

/* A size that every cursor has. */
#define ABOVE 64

static struct kms_layer above(uint32_t plane, uint32_t fb)
{
	return (struct kms_layer){
		.plane = plane,
		.fb = fb,
		.width = ABOVE,
		.height = ABOVE,
		.x = 8,
		.y = 24,
	};
}

static uint32_t format_of(uint64_t type)
{
	return type == DRM_PLANE_TYPE_CURSOR ? DRM_FORMAT_ARGB8888 :
					       DRM_FORMAT_XRGB8888;
}

/* Shows it above the primary plane; returns the checksum of both. */
static uint32_t show_above(struct picture *p, uint64_t type, uint32_t seed)
{
	struct layout layout = layout_of(format_of(type), 4, ABOVE, ABOVE);
	uint32_t plane = kms_plane(p->kms, type), fb = picture_fb(p, &layout);
	struct kms_layer layer = above(plane, fb);
	uint32_t crc;

	picture_draw(p, &layout, seed);
	do_or_die(__kms_show(p->kms, &layer, 1, NULL, 0));
	crc = crc_of_shown(p->kms);
	/* it goes with its framebuffer */
	remove_fb(p->kms, fb);
	return crc;
}

static void show_on_plane(struct kms *kms, const struct endpoint *exporter,
			  uint64_t type)
{
	struct layout layout = layout_of_mode(kms);
	struct picture below, own, imported;
	uint32_t alone, expected, fb;

	picture_create(&imported, kms, exporter, ABOVE, ABOVE);
	picture_create(&own, kms, &kms->ep, ABOVE, ABOVE);
	picture_create(&below, kms, &kms->ep, kms->width, kms->height);
	fb = picture_fb(&below, &layout);
	picture_draw(&below, &layout, 1);
	kms_show(kms, fb);
	alone = crc_of_shown(kms);

	expected = show_above(&own, type, 2);
	igt_assert_eq_u32(show_above(&imported, type, 2), expected);
	if (alone) {
		igt_assert_neq_u32(expected, alone);
		igt_assert_neq_u32(show_above(&imported, type, 3), expected);
	}
	expect_shown(kms, fb, alone);
	remove_fb(kms, fb);
	picture_destroy(&below);
	picture_destroy(&own);
	picture_destroy(&imported);
}

static void cursor(struct kms *kms, const struct endpoint *exporter)
{
	igt_require_f(kms_plane(kms, DRM_PLANE_TYPE_CURSOR),
		      "%s has no cursor plane\n", kms->ep.name);
	show_on_plane(kms, exporter, DRM_PLANE_TYPE_CURSOR);
}

static void overlay(struct kms *kms, const struct endpoint *exporter)
{
	igt_require_f(kms_plane(kms, DRM_PLANE_TYPE_OVERLAY),
		      "%s has no overlay plane\n", kms->ep.name);
	show_on_plane(kms, exporter, DRM_PLANE_TYPE_OVERLAY);
}

/* The older call, which makes the framebuffer itself of the handle. */
static uint32_t set_cursor(const struct picture *p)
{
	do_or_die(drmModeSetCursor(p->kms->ep.fd, p->kms->crtc, p->handle,
				   ABOVE, ABOVE));
	do_or_die(drmModeMoveCursor(p->kms->ep.fd, p->kms->crtc, 8, 24));
	return crc_of_shown(p->kms);
}

static void cursor_by_handle(struct kms *kms, const struct endpoint *exporter)
{
	struct layout layout = layout_of_mode(kms);
	struct picture below, own, imported;
	uint32_t alone, expected, fb;

	igt_require_f(kms_plane(kms, DRM_PLANE_TYPE_CURSOR),
		      "%s has no cursor plane\n", kms->ep.name);
	picture_create(&imported, kms, exporter, ABOVE, ABOVE);
	picture_create(&own, kms, &kms->ep, ABOVE, ABOVE);
	picture_create(&below, kms, &kms->ep, kms->width, kms->height);
	fb = picture_fb(&below, &layout);
	picture_draw(&below, &layout, 4);
	kms_show(kms, fb);
	alone = crc_of_shown(kms);
	expected = show_above(&own, DRM_PLANE_TYPE_CURSOR, 5);
	if (alone)
		igt_assert_neq_u32(expected, alone);
	layout = layout_of(DRM_FORMAT_ARGB8888, 4, ABOVE, ABOVE);
	picture_draw(&imported, &layout, 5);
	igt_assert_eq_u32(set_cursor(&imported), expected);
	do_or_die(drmModeSetCursor(kms->ep.fd, kms->crtc, 0, 0, 0));
	remove_fb(kms, fb);
	picture_destroy(&below);
	picture_destroy(&own);
	picture_destroy(&imported);
}

/* What debugfs says of one framebuffer, or "". */
static void framebuffer_info(const struct kms *kms, uint32_t fb, char *text,
			     size_t size)
{
	int dir = igt_debugfs_dir(kms->ep.fd), fd;
	char line[256], mark[32];
	bool inside = false;
	FILE *file;

	igt_require_f(dir >= 0, "no debugfs\n");
	fd = openat(dir, "framebuffer", O_RDONLY | O_CLOEXEC);
	igt_assert_fd(fd);
	close(dir);
	file = fdopen(fd, "r");
	snprintf(mark, sizeof(mark), "framebuffer[%u]:", fb);
	text[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == 'f')
			inside = strncmp(line, mark, strlen(mark)) == 0;
		if (inside && strlen(text) + strlen(line) < size)
			strcat(text, line);
	}
	fclose(file);
}

static void expect_told(const char *text, const char *what)
{
	igt_assert_f(strstr(text, what), "no '%s' in\n%s", what, text);
}

/* virtio-gpu, where it comes with a dma-buf core that has constraints to tell. */
static bool tells_resources(const struct kms *kms)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/dma_buf/constraints",
		 igt_debugfs_mount());
	return strcmp(kms->ep.driver, "virtio-gpu") == 0 &&
	       access(path, F_OK) == 0;
}

static void told(struct kms *kms, const struct endpoint *exporter)
{
	struct layout layout = layout_of_mode(kms);
	struct picture own, imported;
	char text[2048], expected[48];
	uint32_t fb[2];

	picture_create(&imported, kms, exporter, kms->width, kms->height);
	picture_create(&own, kms, &kms->ep, kms->width, kms->height);
	fb[0] = picture_fb(&imported, &layout);
	fb[1] = picture_fb(&own, &layout);
	kms_show(kms, fb[0]);
	for (int i = 0; i < 2; i++) {
		framebuffer_info(kms, fb[i], text, sizeof(text));
		igt_debug("%s", text);
		snprintf(expected, sizeof(expected), "size=%ux%u\n", kms->width,
			 kms->height);
		expect_told(text, expected);
		snprintf(expected, sizeof(expected), "imported=%s\n",
			 i ? "no" : "yes");
		expect_told(text, expected);
		if (tells_resources(kms))
			expect_told(text, "resource=");
	}
	for (int i = 0; i < 2; i++) {
		remove_fb(kms, fb[i]);
		framebuffer_info(kms, fb[i], text, sizeof(text));
		igt_assert_f(!text[0], "still there:\n%s", text);
	}
	picture_destroy(&own);
	picture_destroy(&imported);
}

const struct shown_test plane_tests[] = {
	{ "cursor", "shown by the cursor plane", cursor },
	{ "cursor-by-handle", "a handle as the cursor", cursor_by_handle },
	{ "overlay", "shown by an overlay plane", overlay },
	{ "debugfs", "debugfs tells which framebuffers are imported", told },
	{}
};
