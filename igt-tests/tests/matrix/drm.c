// SPDX-License-Identifier: MIT
/*
 * A DRM device that imports, and the CPU that looks: through a dma-buf that the
 * importer exports again, for an imported handle has no mapping of its own.
 */

#include "igt.h"

#include "../configured.h"
#include "matrix.h"

/* Finds the picture there, and leaves another. */
static void look(struct cell *cell, int i, int dmabuf)
{
	uint8_t *map = dmabuf_mmap(dmabuf, MATRIX_SIZE);

	prime_sync_start(dmabuf, true);
	picture_expect(map, cell->sees[i], "what was imported");
	picture_fill(cell->left[i], cell->seed + 100 + i);
	memcpy(map, cell->left[i], MATRIX_SIZE);
	prime_sync_end(dmabuf, true);
	munmap(map, MATRIX_SIZE);
}

/* The device's own view: one piece that it reaches, or it could not work. */
static bool can_use(struct cell *cell, int fd, int dmabuf)
{
	struct configured_import import;

	if (!cell->importer->strict)
		return true;
	configured_verify(fd, dmabuf, &import);
	return strcmp(import.verdict, "ok") == 0 ||
	       !importer_cannot(cell, import.verdict);
}

void drm_by_mmap(struct cell *cell, const int *dmabuf)
{
	int fd = drm_reopen_driver(cell->importer->ep.fd);

	for (int i = 0; i < cell->count; i++) {
		uint32_t handle;
		int again, err;

		err = __prime_fd_to_handle(fd, dmabuf[i], &handle);
		if (importer_refused(cell, err))
			break;
		again = prime_handle_to_fd_for_mmap(fd, handle);
		igt_assert(dmabuf_inode(again) == dmabuf_inode(dmabuf[i]));
		if (can_use(cell, fd, again))
			look(cell, i, again);
		close(again);
		gem_close(fd, handle);
	}
	close(fd);
}
