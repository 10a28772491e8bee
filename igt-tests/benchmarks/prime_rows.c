// SPDX-License-Identifier: MIT
/*
 * Between two DRM devices: what the ioctls of PRIME cost.
 */
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "bench.h"

static struct buffer shared;
static uint32_t known;

/* 64 x 64 pixels of 32 bits */
#define SMALL (16 * KIB)

static void create_close(void)
{
	struct buffer b;

	buffer_create(&b, SMALL);
	buffer_destroy(&b);
}

static void create_export_close_on(int device)
{
	struct buffer b;

	buffer_create_on(device, &b, SMALL);
	buffer_export(&b);
	buffer_destroy(&b);
}

static void create_export_close(void)
{
	create_export_close_on(card.vgem);
}

static void floor_create_export_close(void)
{
	create_export_close_on(card.floor);
}

static void never_used_between(int exporter, int importer)
{
	struct buffer b;
	uint32_t handle;

	buffer_create_on(exporter, &b, SMALL);
	buffer_export(&b);
	handle = import(importer, b.fd);
	forget(importer, handle);
	buffer_destroy(&b);
}

static void never_used(void)
{
	never_used_between(card.vgem, card.vkms);
}

static void never_used_by_vgem(void)
{
	static int other = -1;

	if (other < 0)
		other = card_again("vgem");
	never_used_between(card.vgem, other);
}

static void floor_never_used(void)
{
	never_used_between(card.floor, card.floor_importer);
}

static bool begin_shared(uint64_t size, bool keep_mapped)
{
	buffer_create(&shared, size);
	buffer_export(&shared);
	buffer_touch(&shared);
	if (!keep_mapped)
		buffer_unmap(&shared);
	return true;
}

static bool begin_page_mapped(void)
{
	return begin_shared(PAGE, true);
}

static bool begin_small(void)
{
	return begin_shared(SMALL, false);
}

static bool begin_large(void)
{
	return begin_shared(8 * MIB, false);
}

static bool begin_large_mapped(void)
{
	return begin_shared(8 * MIB, true);
}

static void end_shared(void)
{
	buffer_destroy(&shared);
}

static bool begin_known(void)
{
	begin_small();
	known = import(card.vkms, shared.fd);
	return true;
}

static void end_known(void)
{
	forget(card.vkms, known);
	end_shared();
}

/*
 * Imported once, so that there are pages. By another file, as PRIME is between two
 * devices: the first handle of a file costs more than the second.
 */
static bool begin_floor(uint64_t size)
{
	buffer_create_on(card.floor, &shared, size);
	buffer_export(&shared);
	known = import(card.floor_importer, shared.fd);
	return true;
}

static bool begin_floor_known(void)
{
	return begin_floor(SMALL);
}

static void end_floor_known(void)
{
	forget(card.floor_importer, known);
	end_shared();
}

static bool begin_floor_forgotten(uint64_t size)
{
	begin_floor(size);
	forget(card.floor_importer, known);
	return true;
}

static bool begin_floor_page(void)
{
	return begin_floor_forgotten(PAGE);
}

static bool begin_floor_large(void)
{
	return begin_floor_forgotten(8 * MIB);
}

static bool begin_udmabuf(void)
{
	if (card.udmabuf < 0)
		return false;
	shared.fd = udmabuf_create(8 * MIB);
	return true;
}

static void end_udmabuf(void)
{
	close(shared.fd);
}

static void reimport(void)
{
	import(card.vkms, shared.fd);
}

static void reexport(void)
{
	close(buffer_reexport(&shared));
}

static void floor_reimport(void)
{
	import(card.floor_importer, shared.fd);
}

static void import_close(void)
{
	forget(card.vkms, import(card.vkms, shared.fd));
}

static void floor_import_close(void)
{
	forget(card.floor_importer, import(card.floor_importer, shared.fd));
}

const struct row prime_rows[] = {
	{ .name = "create-close", .batch = 64, .op = create_close },
	{ .name = "create-export-close",
	  .batch = 64,
	  .op = create_export_close,
	  .flat = true },
	{ .name = "reexport",
	  .batch = 256,
	  .begin = begin_known,
	  .op = reexport,
	  .end = end_known,
	  .flat = true },
	{ .name = "reimport",
	  .batch = 256,
	  .begin = begin_known,
	  .op = reimport,
	  .end = end_known,
	  .flat = true },
	{ .name = "floor-create-export-close",
	  .batch = 64,
	  .op = floor_create_export_close,
	  .floor = true },
	{ .name = "floor-reexport",
	  .batch = 256,
	  .begin = begin_floor_known,
	  .op = reexport,
	  .end = end_floor_known,
	  .floor = true },
	{ .name = "floor-reimport",
	  .batch = 256,
	  .begin = begin_floor_known,
	  .op = floor_reimport,
	  .end = end_floor_known },
	{ .name = "import-4k",
	  .batch = 64,
	  .begin = begin_page_mapped,
	  .op = import_close,
	  .end = end_shared,
	  .flat = true },
	{ .name = "import-16k",
	  .batch = 64,
	  .begin = begin_small,
	  .op = import_close,
	  .end = end_shared },
	{ .name = "import-8m",
	  .batch = 2,
	  .begin = begin_large,
	  .op = import_close,
	  .end = end_shared },
	{ .name = "import-8m-mapped",
	  .batch = 2,
	  .begin = begin_large_mapped,
	  .op = import_close,
	  .end = end_shared },
	{ .name = "import-8m-udmabuf",
	  .batch = 2,
	  .begin = begin_udmabuf,
	  .op = import_close,
	  .end = end_udmabuf },
	{ .name = "floor-import-4k",
	  .batch = 64,
	  .begin = begin_floor_page,
	  .op = floor_import_close,
	  .end = end_shared },
	{ .name = "floor-import-8m",
	  .batch = 2,
	  .begin = begin_floor_large,
	  .op = floor_import_close,
	  .end = end_shared },
	{ .name = "never-used", .batch = 32, .op = never_used },
	{ .name = "floor-never-used", .batch = 32, .op = floor_never_used },
	{ .name = "never-used-vgem", .batch = 32, .op = never_used_by_vgem },
	{}
};
