// SPDX-License-Identifier: MIT
/*
 * Framebuffers of several planes, in one dma-buf and in two, where the display has a
 * plane for them. Where it has none it refuses them, and has not kept a thing.
 */

#include <drm_fourcc.h>

#include "igt.h"

#include "shown.h"

/* Half as many lines of colours, as long, below those of brightness. */
struct planar {
	const char *name;
	uint32_t format, cpp; /* bytes a pixel of brightness */
};

static const struct planar nv12 = { "NV12", DRM_FORMAT_NV12, 1 };
static const struct planar p010 = { "P010", DRM_FORMAT_P010, 2 };

static bool has_format(const struct kms *kms, uint32_t format)
{
	uint32_t id = kms_plane(kms, DRM_PLANE_TYPE_PRIMARY);
	drmModePlanePtr plane = drmModeGetPlane(kms->ep.fd, id);
	bool found = false;

	igt_assert(plane);
	for (uint32_t i = 0; i < plane->count_formats; i++)
		found |= plane->formats[i] == format;
	drmModeFreePlane(plane);
	return found;
}

static int __planar_fb(const struct kms *kms, const struct planar *planar,
		       uint32_t brightness, uint32_t colours, uint32_t offset,
		       uint32_t *fb)
{
	uint32_t pitch = kms->width * planar->cpp;
	uint32_t handles[4] = { brightness, colours };
	uint32_t pitches[4] = { pitch, pitch }, offsets[4] = { 0, offset };
	int err;

	err = drmModeAddFB2(kms->ep.fd, kms->width, kms->height, planar->format,
			    handles, pitches, offsets, fb, 0);
	errno = 0;
	return err;
}

/* Brightness at its beginning, colours where the caller has them. */
static void draw(const struct kms *kms, const struct planar *planar,
		 struct picture *brightness, struct picture *colours,
		 uint32_t offset)
{
	struct layout layout =
		layout_of(planar->format, planar->cpp, kms->width, kms->height);

	picture_draw(brightness, &layout, 1);
	layout.height /= 2;
	layout.offset = offset;
	picture_draw(colours, &layout, 2);
}

static uint32_t show(const struct kms *kms, uint32_t fb)
{
	uint32_t crc;

	kms_show(kms, fb);
	crc = crc_of_shown(kms);
	expect_shown(kms, fb, crc);
	remove_fb(kms, fb);
	return crc;
}

/* @colours may be the same picture. Returns the checksum of what is shown. */
static uint32_t show_planes(struct kms *kms, const struct planar *planar,
			    struct picture *brightness, struct picture *colours)
{
	uint32_t rows = kms->width * planar->cpp * kms->height, fb, offset;
	int err;

	offset = brightness == colours ? rows : 0;
	err = __planar_fb(kms, planar, brightness->handle, 0, offset, &fb);
	igt_assert_eq(err, -EINVAL);
	err = __planar_fb(kms, planar, brightness->handle, colours->handle,
			  colours->bo.size, &fb);
	igt_assert_eq(err, -EINVAL);
	do_or_die(__planar_fb(kms, planar, brightness->handle, colours->handle,
			      offset, &fb));
	draw(kms, planar, brightness, colours, offset);
	return show(kms, fb);
}

/* As the display shows buffers of its own, so it shows imported ones. */
static void planes(struct kms *kms, const struct endpoint *exporter,
		   const struct planar *planar, int buffers)
{
	struct picture own, imported[2];
	uint32_t expected, shown;
	ino_t inode[2];

	igt_require_f(has_format(kms, planar->format),
		      "no plane of %s has %s\n", kms->ep.name, planar->name);
	picture_create(&own, kms, &kms->ep, kms->width, kms->height * 2);
	for (int i = 0; i < buffers; i++) {
		picture_create(&imported[i], kms, exporter, kms->width,
			       kms->height * 2);
		inode[i] = dmabuf_inode(imported[i].bo.dmabuf);
	}
	expected = show_planes(kms, planar, &own, &own);
	shown = show_planes(kms, planar, &imported[0], &imported[buffers - 1]);
	igt_assert_eq_u32(shown, expected);
	for (int i = 0; i < buffers; i++) {
		picture_destroy(&imported[i]);
		dmabuf_expect_gone(inode[i]);
	}
	picture_destroy(&own);
}

static void nv12_one(struct kms *kms, const struct endpoint *exporter)
{
	planes(kms, exporter, &nv12, 1);
}

static void nv12_two(struct kms *kms, const struct endpoint *exporter)
{
	planes(kms, exporter, &nv12, 2);
}

static void p010_one(struct kms *kms, const struct endpoint *exporter)
{
	planes(kms, exporter, &p010, 1);
}

static void p010_two(struct kms *kms, const struct endpoint *exporter)
{
	planes(kms, exporter, &p010, 2);
}

/* Drivers that look for themselves say that there is none. */
static void refuse(const struct kms *kms, const struct planar *planar,
		   const struct picture *p)
{
	uint32_t offset = kms->width * planar->cpp * kms->height, fb;
	int err;

	err = __planar_fb(kms, planar, p->handle, p->handle, offset, &fb);
	igt_assert_f(err == -EINVAL || err == -ENOENT, "%s: %d\n", planar->name,
		     err);
}

static void unknown_format(struct kms *kms, const struct endpoint *exporter)
{
	bool has_nv12 = has_format(kms, nv12.format);
	bool has_p010 = has_format(kms, p010.format);
	struct picture p;
	ino_t inode;

	igt_require_f(!has_nv12 || !has_p010, "%s has them all\n",
		      kms->ep.name);
	picture_create(&p, kms, exporter, kms->width, kms->height * 4);
	inode = dmabuf_inode(p.bo.dmabuf);
	if (!has_nv12)
		refuse(kms, &nv12, &p);
	if (!has_p010)
		refuse(kms, &p010, &p);
	picture_destroy(&p);
	dmabuf_expect_gone(inode);
}

const struct shown_test planar_tests[] = {
	{ "addfb-unknown-format", "formats of several planes that no plane has",
	  unknown_format },
	{ "nv12-one-buffer", "brightness and colours in one dma-buf",
	  nv12_one },
	{ "nv12-two-buffers", "brightness and colours in two dma-bufs",
	  nv12_two },
	{ "p010-one-buffer", "the same of ten bits", p010_one },
	{ "p010-two-buffers", "the same of ten bits", p010_two },
	{}
};
