// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imported buffers on the screen of vkms, which maps them into the kernel.
 *
 * a: which file (only vkms has framebuffers)   b: which handle or framebuffer
 */
#include <drm_fourcc.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

#include "argument.h"
#include "objects.h"
#include "operations.h"

static uint32_t crtc, connector;
static struct drm_mode_modeinfo mode;

/* The numbers of vkms' one output stay the same while it is loaded. */
void kms_init(void)
{
	int fd = open_node(NODE_VKMS, O_RDWR);
	uint32_t connectors[8];
	struct drm_mode_modeinfo modes[64];
	struct drm_mode_card_res resources = {
		.crtc_id_ptr = (uintptr_t)&crtc,
		.count_crtcs = 1,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_connectors = 8,
	};
	struct drm_mode_get_connector get = {
		.modes_ptr = (uintptr_t)modes,
		.count_modes = 64,
	};

	if (!ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &resources)) {
		connector = connectors[0];
		get.connector_id = connector;
		/* the first time finds out, the second time tells */
		if (!ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get)) {
			get.count_modes = 64;
			get.count_props = 0;
			get.count_encoders = 0;
			if (!ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get) &&
			    get.count_modes)
				mode = modes[0];
		}
	}
	close(fd);
}

static struct file vkms_file(const struct step *step)
{
	struct file file = file_find(KIND_DRM, step->a);

	if (file.node == NODE_VKMS || step->a >= 0xe0)
		return file;
	file_add_node(open_node(NODE_VKMS, O_RDWR), NODE_VKMS);
	/* the one that was added last */
	return file_find(KIND_DRM, step->a);
}

/* c: pitch and format, value: height */
long op_kms_add_fb(const struct step *step)
{
	struct file file = vkms_file(step);
	struct drm_mode_fb_cmd2 cmd = {
		.width = 32,
		.height = 1 + number(step->value) % 64,
		.pixel_format = step->c & 0x40 ? DRM_FORMAT_ARGB8888 :
						 DRM_FORMAT_XRGB8888,
		.handles = { handle_find(&file, step->b) },
		.pitches = { 128 + (step->c & 0x3f) },
	};
	long result =
		call_ioctl(file.fd, DRM_IOCTL_MODE_ADDFB2, &cmd, sizeof(cmd));

	if (result >= 0)
		memo_set(MEMO_FB, cmd.fb_id);
	return result;
}

long op_kms_remove_fb(const struct step *step)
{
	struct file file = vkms_file(step);
	uint32_t id = memo_get(MEMO_FB, step->b);

	return call_ioctl(file.fd, DRM_IOCTL_MODE_RMFB, &id, sizeof(id));
}

/* Gives a second handle for the buffer, which PRIME has not made. */
long op_kms_get_fb(const struct step *step)
{
	struct file file = vkms_file(step);
	struct drm_mode_fb_cmd2 cmd = { .fb_id = memo_get(MEMO_FB, step->b) };
	long result =
		call_ioctl(file.fd, DRM_IOCTL_MODE_GETFB2, &cmd, sizeof(cmd));

	if (result >= 0 && cmd.handles[0])
		handle_add(&file, cmd.handles[0]);
	return result;
}

/* c: off rather than on */
long op_kms_show(const struct step *step)
{
	struct file file = vkms_file(step);
	struct drm_mode_crtc set = {
		.crtc_id = crtc,
		.set_connectors_ptr = (uintptr_t)&connector,
		.count_connectors = !(step->c & 1),
		.mode_valid = !(step->c & 1),
		.mode = mode,
		.fb_id = step->c & 1 ? 0 : memo_get(MEMO_FB, step->b),
	};

	return call_ioctl_blocking(file.fd, DRM_IOCTL_MODE_SETCRTC, &set,
				   sizeof(set));
}
