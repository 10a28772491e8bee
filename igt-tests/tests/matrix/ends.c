// SPDX-License-Identifier: MIT
/* What can be an end of a shared buffer on this machine. */

#include "igt.h"
#include "igt_device_scan.h"

#include "../configured.h"
#include "matrix.h"

#define STRICT_NAME "matrix"

static bool is_driver(const struct endpoint *ep, const char *driver)
{
	return ep->type == ENDPOINT_DRM && strcmp(ep->driver, driver) == 0;
}

static void add_endpoint(struct end *end, const struct endpoint *ep)
{
	*end = (struct end){
		.ep = *ep,
		.exports = ep->exports,
		.imports = ep->imports,
		/* vgem and vkms exist to take any buffer */
		.may_refuse = !is_driver(ep, "vgem") && !is_driver(ep, "vkms"),
		/* what virtio-gpu shows only its host can tell */
		.unseen = is_driver(ep, "virtio-gpu") && !screen_is_watched(),
	};
	snprintf(end->name, sizeof(end->name), "%s", ep->name);
}

static void add_video(struct end *end, const char *name, enum video_kind kind)
{
	*end = (struct end){
		.video = kind,
		.exports = true,
		.imports = true,
		/* what an output shows only a camera at its far end can tell */
		.unseen = kind == VIDEO_OUTPUT && !witness_is_there(),
	};
	snprintf(end->name, sizeof(end->name), "%s", name);
}

static int add_videos(struct end *ends, int num, int max)
{
	static const struct {
		const char *name, *driver;
		uint32_t caps;
		enum video_kind kind;
	} videos[] = {
		{ "vivid-capture", "vivid", V4L2_CAP_VIDEO_CAPTURE,
		  VIDEO_CAPTURE },
		{ "vivid-output", "vivid", V4L2_CAP_VIDEO_OUTPUT,
		  VIDEO_OUTPUT },
		{ "vim2m", "vim2m", V4L2_CAP_VIDEO_M2M, VIDEO_CONVERTER },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(videos) && num < max; i++) {
		int fd =
			__find_video(videos[i].driver,
				     videos[i].caps | V4L2_CAP_STREAMING, NULL);

		if (fd < 0)
			continue;
		close(fd);
		add_video(&ends[num++], videos[i].name, videos[i].kind);
	}
	return num;
}

static void remove_strict(int sig)
{
	(void)sig;
	configured_remove(STRICT_NAME);
}

/* One piece, below 4 GiB: what many a display wants. Only where vgem can. */
static int add_strict(struct end *ends, int num)
{
	struct endpoint ep = {
		.type = ENDPOINT_DRM,
		.driver = "vgem",
		.name = "vgem-strict",
		.exports = true,
		.imports = true,
	};

	if (igt_device_filter_count() || !configured_has_constraints())
		return num;
	igt_install_exit_handler(remove_strict);
	ep.fd = configured_device(STRICT_NAME, "segments=1", 0xffffffff);
	add_endpoint(&ends[num], &ep);
	ends[num].strict = true;
	ends[num].may_refuse = true;
	return num + 1;
}

int ends_open(struct end *ends, int max)
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0, found = endpoints_open(eps, MAX_ENDPOINTS);

	igt_assert_lte(found + 4, max);
	for (int i = 0; i < found; i++)
		add_endpoint(&ends[num++], &eps[i]);
	num = add_strict(ends, num);
	num = add_videos(ends, num, max);
	errno = 0;
	return num;
}

void ends_close(struct end *ends, int num)
{
	for (int i = 0; i < num; i++)
		if (!ends[i].video)
			close(ends[i].ep.fd);
	remove_strict(0);
}
