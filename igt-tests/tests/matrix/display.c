// SPDX-License-Identifier: MIT
/*
 * vkms, whose composer is the CPU: it maps what it shows, and what it writes the
 * shown picture into, in the kernel.
 */

#include <xf86drmMode.h>

#include "igt.h"
#include "igt_vgem.h"

#include "../writeback.h"
#include "matrix.h"

/* Slow enough for a composer that is emulated, too. */
#define REFRESH 20

struct side {
	uint32_t handle, fb;
	int dmabuf;
	uint8_t *map;
};

static void open_side(const struct writeback *wb, struct side *side)
{
	do_or_die(__writeback_add_fb(wb, side->handle, MATRIX_HEIGHT,
				     MATRIX_PITCH, &side->fb));
	side->dmabuf = prime_handle_to_fd_for_mmap(wb->fd, side->handle);
	side->map = dmabuf_mmap(side->dmabuf, MATRIX_SIZE);
}

static void close_side(const struct writeback *wb, struct side *side)
{
	munmap(side->map, MATRIX_SIZE);
	close(side->dmabuf);
	do_or_die(drmModeRmFB(wb->fd, side->fb));
	gem_close(wb->fd, side->handle);
}

/* A buffer of vkms itself, and one that is imported. False if it is refused. */
static bool open_sides(struct cell *cell, int dmabuf, struct writeback *wb,
		       struct side *own, struct side *imported)
{
	struct vgem_bo bo = { .width = MATRIX_WIDTH,
			      .height = MATRIX_HEIGHT,
			      .bpp = 32 };
	int err;

	writeback_open(wb, MATRIX_WIDTH, MATRIX_HEIGHT, REFRESH);
	err = __prime_fd_to_handle(wb->fd, dmabuf, &imported->handle);
	if (importer_refused(cell, err)) {
		writeback_close(wb);
		return false;
	}
	open_side(wb, imported);
	igt_assert(dmabuf_inode(imported->dmabuf) == dmabuf_inode(dmabuf));
	vgem_create(wb->fd, &bo);
	own->handle = bo.handle;
	open_side(wb, own);
	return true;
}

static void close_sides(struct writeback *wb, struct side *own,
			struct side *imported)
{
	writeback_off(wb);
	close_side(wb, own);
	close_side(wb, imported);
	writeback_close(wb);
}

/* vkms shows a picture of its own and writes it into what is imported. */
void display_by_vmap(struct cell *cell, const int *dmabuf)
{
	struct side own, imported;
	struct writeback wb;

	if (!open_sides(cell, dmabuf[0], &wb, &own, &imported))
		return;
	picture_expect(imported.map, cell->sees[0], "what was imported");
	picture_fill(own.map, cell->seed + 100);
	writeback_show(&wb, own.fb, imported.fb);
	prime_sync_start(imported.dmabuf, false);
	picture_expect_colours(imported.map, own.map, "what vkms wrote");
	/* what it puts into the fourth byte is its own affair */
	memcpy(cell->left[0], imported.map, MATRIX_SIZE);
	prime_sync_end(imported.dmabuf, false);
	picture_keep(cell, imported.map, false);
	close_sides(&wb, &own, &imported);
}

/* vkms shows what is imported and writes that into a buffer of its own. */
void display_by_scanout(struct cell *cell, const int *dmabuf)
{
	struct side own, imported;
	struct writeback wb;

	if (!open_sides(cell, dmabuf[0], &wb, &own, &imported))
		return;
	memset(own.map, 0xee, MATRIX_SIZE);
	writeback_show(&wb, imported.fb, own.fb);
	picture_expect_colours(own.map, cell->sees[0], "what vkms showed");
	picture_keep(cell, own.map, false);
	close_sides(&wb, &own, &imported);
}
