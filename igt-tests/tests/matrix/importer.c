// SPDX-License-Identifier: MIT
/*
 * The importer's half of a cell, whichever process it is in: which code gets at
 * the memory for which device.
 */

#include "igt.h"

#include "matrix.h"

bool importer_cannot(struct cell *cell, const char *why)
{
	igt_assert_f(cell->importer->may_refuse,
		     "%s cannot use the buffer of %s: %s\n",
		     cell->importer->name, cell->exporter->name, why);
	snprintf(cell->refused, sizeof(cell->refused), "%s", why);
	return true;
}

/* Who takes no foreign buffer, or has to have it in one piece, and nobody else. */
bool importer_refused(struct cell *cell, int err)
{
	bool excused;

	if (!err)
		return false;
	excused = err == -ENODEV || (cell->importer->strict && err == -EINVAL);
	igt_assert_f(excused, "%s with the buffer of %s: %s\n",
		     cell->importer->name, cell->exporter->name,
		     strerrorname_np(-err));
	return importer_cannot(cell, strerrorname_np(-err));
}

static void run(struct cell *cell, const int *dmabuf)
{
	if (cell->importer->video) {
		if (cell->way == BY_VMAP)
			video_by_vmap(cell, dmabuf);
		else
			video_by_stream(cell, dmabuf);
		return;
	}
	switch (cell->way) {
	case BY_MMAP:
	case BY_STREAM:
		drm_by_mmap(cell, dmabuf);
		break;
	case BY_VMAP:
		display_by_vmap(cell, dmabuf);
		break;
	case BY_SCANOUT:
		if (strcmp(cell->importer->ep.driver, "vkms") == 0)
			display_by_scanout(cell, dmabuf);
		else
			screen_by_scanout(cell, dmabuf);
		break;
	}
}

void importer_run(struct cell *cell, const int *dmabuf)
{
	run(cell, dmabuf);
	for (int i = 0; i < cell->count; i++)
		close(dmabuf[i]);
}
