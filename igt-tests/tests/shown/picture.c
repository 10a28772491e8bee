// SPDX-License-Identifier: MIT
/* Pictures, their framebuffers, and what the display says it shows. */

#include <drm_fourcc.h>

#include "igt.h"
#include "igt_kms.h"

#include "shown.h"

void picture_create(struct picture *p, const struct kms *kms,
		    const struct endpoint *exporter, uint32_t width,
		    uint32_t height)
{
	*p = (struct picture){ .kms = kms };
	endpoint_create(exporter, width, height, &p->bo);
	p->handle = endpoint_import(&kms->ep, p->bo.dmabuf);
	p->map = dmabuf_mmap(p->bo.dmabuf, p->bo.size);
}

void picture_destroy(struct picture *p)
{
	munmap(p->map, p->bo.size);
	/* the display's own buffer has one handle on that file */
	if (p->bo.ep->fd != p->kms->ep.fd)
		gem_close(p->kms->ep.fd, p->handle);
	endpoint_destroy(&p->bo);
}

struct layout layout_of(uint32_t format, uint32_t cpp, uint32_t width,
			uint32_t height)
{
	return (struct layout){
		.format = format,
		.cpp = cpp,
		.width = width,
		.height = height,
		.pitch = width * cpp,
	};
}

struct layout layout_of_mode(const struct kms *kms)
{
	return layout_of(DRM_FORMAT_XRGB8888, 4, kms->width, kms->height);
}

void picture_draw(struct picture *p, const struct layout *layout, uint32_t seed)
{
	prime_sync_start(p->bo.dmabuf, true);
	for (uint32_t y = 0; y < layout->height; y++) {
		uint8_t *row =
			p->map + layout->offset + (uint64_t)y * layout->pitch;

		for (uint32_t i = 0; i < layout->width * layout->cpp; i++)
			row[i] = i * 7 + y * 13 + seed * 101 + (i * y >> 5);
	}
	prime_sync_end(p->bo.dmabuf, true);
}

int __picture_fb(const struct picture *p, const struct layout *layout,
		 bool modifier, uint32_t *fb)
{
	uint32_t strides[4] = { layout->pitch },
		 offsets[4] = { layout->offset };

	return __kms_addfb(p->kms->ep.fd, p->handle, layout->width,
			   layout->height, layout->format,
			   DRM_FORMAT_MOD_LINEAR, strides, offsets, 1,
			   modifier ? DRM_MODE_FB_MODIFIERS : 0, fb);
}

uint32_t picture_fb(const struct picture *p, const struct layout *layout)
{
	uint32_t fb;

	do_or_die(__picture_fb(p, layout, false, &fb));
	return fb;
}

void remove_fb(const struct kms *kms, uint32_t fb)
{
	do_or_die(drmModeRmFB(kms->ep.fd, fb));
}

uint32_t crc_of_shown(const struct kms *kms)
{
	uint32_t crc = 0;

	kms_crc(kms->ep.fd, &crc);
	return crc;
}

void expect_shown(const struct kms *kms, uint32_t fb, uint32_t crc)
{
	uint32_t plane = kms_plane(kms, DRM_PLANE_TYPE_PRIMARY), now;
	uint64_t there = 0;

	igt_assert(kmstest_get_property(kms->ep.fd, plane,
					DRM_MODE_OBJECT_PLANE, "FB_ID", NULL,
					&there, NULL));
	igt_assert_eq_u32(there, fb);
	if (kms_crc(kms->ep.fd, &now))
		igt_assert_eq_u32(now, crc);
}
