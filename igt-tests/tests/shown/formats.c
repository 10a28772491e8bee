// SPDX-License-Identifier: MIT
/* ADDFB2 with every format that the planes have, and any place of the pixels. */

#include <drm_fourcc.h>

#include "igt.h"
#include "igt_kms.h"

#include "shown.h"

#define GAP 64 /* bytes after each row; what most displays want it to be */

/* Bytes a pixel, or 0 for formats of several planes and those not known here. */
static uint32_t bytes_a_pixel(uint32_t format)
{
	switch (format) {
	case DRM_FORMAT_C8:
	case DRM_FORMAT_R8:
		return 1;
	case DRM_FORMAT_RGB565:
	case DRM_FORMAT_BGR565:
	case DRM_FORMAT_XRGB1555:
	case DRM_FORMAT_ARGB1555:
		return 2;
	case DRM_FORMAT_RGB888:
	case DRM_FORMAT_BGR888:
		return 3;
	case DRM_FORMAT_XRGB8888:
	case DRM_FORMAT_ARGB8888:
	case DRM_FORMAT_XBGR8888:
	case DRM_FORMAT_ABGR8888:
	case DRM_FORMAT_RGBX8888:
	case DRM_FORMAT_RGBA8888:
	case DRM_FORMAT_BGRX8888:
	case DRM_FORMAT_BGRA8888:
	case DRM_FORMAT_XRGB2101010:
	case DRM_FORMAT_ARGB2101010:
	case DRM_FORMAT_XBGR2101010:
	case DRM_FORMAT_ABGR2101010:
		return 4;
	case DRM_FORMAT_XRGB16161616:
	case DRM_FORMAT_ARGB16161616:
	case DRM_FORMAT_XBGR16161616:
	case DRM_FORMAT_ABGR16161616:
	case DRM_FORMAT_XRGB16161616F:
	case DRM_FORMAT_ARGB16161616F:
		return 8;
	default:
		return 0;
	}
}

/* Once taken as it is, once with the modifier that says the same, if it may. */
static void expect_fb(const struct picture *p, const struct layout *layout,
		      int expected)
{
	bool modifiers =
		igt_has_drm_cap(p->kms->ep.fd, DRM_CAP_ADDFB2_MODIFIERS) == 1;

	for (int modifier = 0; modifier <= modifiers; modifier++) {
		uint32_t fb;
		int err = __picture_fb(p, layout, modifier, &fb);

		igt_assert_f(err == expected,
			     "%.4s, pitch %u, offset %u, modifier %d: %d\n",
			     (const char *)&layout->format, layout->pitch,
			     layout->offset, modifier, err);
		if (!err)
			remove_fb(p->kms, fb);
	}
}

/* The first byte behind the picture. */
static uint64_t end_of(const struct layout *layout)
{
	return layout->offset + (uint64_t)layout->pitch * (layout->height - 1) +
	       (uint64_t)layout->width * layout->cpp;
}

static void places(const struct picture *p, uint32_t format, uint32_t cpp)
{
	struct layout layout =
		layout_of(format, cpp, SHOWN_WIDTH, SHOWN_HEIGHT);
	uint32_t least = layout.pitch;

	expect_fb(p, &layout, 0);
	layout.pitch = least + GAP;
	expect_fb(p, &layout, 0);
	layout.offset = layout.pitch;
	expect_fb(p, &layout, 0);
	layout.pitch = least - cpp;
	expect_fb(p, &layout, -EINVAL);
	layout.pitch = 0;
	expect_fb(p, &layout, -EINVAL);

	/* pixels more than there are, and than can be counted */
	layout.pitch = least;
	layout.offset = 0;
	layout.offset = ALIGN(p->bo.size - end_of(&layout), GAP) + GAP;
	expect_fb(p, &layout, -EINVAL);
	layout.offset = ~0u - GAP + 1;
	expect_fb(p, &layout, -ERANGE);
}

static void addfb_of_plane(const struct picture *p, uint64_t type)
{
	uint32_t id = kms_plane(p->kms, type);
	drmModePlanePtr plane;

	if (!id)
		return;
	plane = drmModeGetPlane(p->kms->ep.fd, id);
	igt_assert(plane && plane->count_formats);
	for (uint32_t i = 0; i < plane->count_formats; i++) {
		uint32_t format = plane->formats[i];
		uint32_t cpp = bytes_a_pixel(format);

		if (cpp)
			places(p, format, cpp);
	}
	drmModeFreePlane(plane);
}

static void addfb(struct kms *kms, const struct endpoint *exporter)
{
	struct picture p;

	picture_create(&p, kms, exporter, SHOWN_WIDTH * 4, SHOWN_HEIGHT * 2);
	addfb_of_plane(&p, DRM_PLANE_TYPE_PRIMARY);
	addfb_of_plane(&p, DRM_PLANE_TYPE_OVERLAY);
	addfb_of_plane(&p, DRM_PLANE_TYPE_CURSOR);
	picture_destroy(&p);
}

/* Draws it, shows it, and says what the display makes of it. */
static uint32_t show(struct picture *p, const struct layout *layout,
		     uint32_t seed)
{
	uint32_t fb = picture_fb(p, layout), crc;

	picture_draw(p, layout, seed);
	kms_show(p->kms, fb);
	crc = crc_of_shown(p->kms);
	expect_shown(p->kms, fb, crc);
	remove_fb(p->kms, fb);
	return crc;
}

/* Of every format, with gaps and @rows down; as a dense one of its own. */
static void show_formats(struct kms *kms, struct picture *own,
			 struct picture *imported, uint32_t rows)
{
	uint32_t id = kms_plane(kms, DRM_PLANE_TYPE_PRIMARY);
	drmModePlanePtr plane = drmModeGetPlane(kms->ep.fd, id);

	igt_assert(plane && plane->count_formats);
	for (uint32_t i = 0; i < plane->count_formats; i++) {
		uint32_t format = plane->formats[i];
		uint32_t cpp = bytes_a_pixel(format), expected;
		struct layout layout =
			layout_of(format, cpp, kms->width, kms->height);

		if (!cpp)
			continue;
		expected = show(own, &layout, i);
		layout.pitch += GAP;
		layout.offset = layout.pitch * rows;
		igt_assert_eq_u32(show(imported, &layout, i), expected);
		if (expected)
			igt_assert_neq_u32(show(imported, &layout, i + 50),
					   expected);
	}
	drmModeFreePlane(plane);
}

static void shown_formats(struct kms *kms, const struct endpoint *exporter,
			  uint32_t rows)
{
	struct picture own, imported;

	picture_create(&imported, kms, exporter, kms->width * 4,
		       kms->height * 2);
	picture_create(&own, kms, &kms->ep, kms->width * 4, kms->height * 2);
	show_formats(kms, &own, &imported, rows);
	picture_destroy(&own);
	picture_destroy(&imported);
}

static void formats(struct kms *kms, const struct endpoint *exporter)
{
	shown_formats(kms, exporter, 0);
}

static void offset(struct kms *kms, const struct endpoint *exporter)
{
	shown_formats(kms, exporter, 3);
}

const struct shown_test format_tests[] = {
	{ "addfb", "framebuffers of each format: pitches and offsets", addfb },
	{ "formats", "each format shown, with a gap after each row", formats },
	{ "offset", "the same that do not begin where the buffer does",
	  offset },
	{}
};
