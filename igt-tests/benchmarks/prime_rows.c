// SPDX-License-Identifier: MIT
/*
 * Between two DRM devices: what the ioctls of PRIME cost.
 */
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "bench.h"
#include "prime_bench_uapi.h"

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

static void create_export_close(void)
{
	struct buffer b;

	buffer_create(&b, SMALL);
	buffer_export(&b);
	buffer_destroy(&b);
}

static void never_used(void)
{
	struct buffer b;
	uint32_t handle;

	buffer_create(&b, SMALL);
	buffer_export(&b);
	handle = import(card.vkms, b.fd);
	forget(card.vkms, handle);
	buffer_destroy(&b);
}

static void never_used_by_vgem(void)
{
	static int other = -1;
	struct buffer b;
	uint32_t handle;

	if (other < 0)
		other = card_again("vgem");
	buffer_create(&b, SMALL);
	buffer_export(&b);
	handle = import(other, b.fd);
	forget(other, handle);
	buffer_destroy(&b);
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

/* All that is DRM's of an ioctl with an argument of that size. */
static void drm_ioctl_only(void)
{
	uint64_t value;

	if (drmGetCap(card.vkms, DRM_CAP_PRIME, &value))
		die("GET_CAP");
}

/* What a descriptor costs, and, to take that off again, the system call for it. */
static void descriptor(void)
{
	int fd = ioctl(card.bare, PRIME_BENCH_DUP);

	if (fd < 0)
		die("PRIME_BENCH_DUP");
	close(fd);
}

static void no_descriptor(void)
{
	ioctl(card.bare, PRIME_BENCH_NOTHING);
}

static void import_close(void)
{
	forget(card.vkms, import(card.vkms, shared.fd));
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
	{ .name = "drm-ioctl", .batch = 256, .op = drm_ioctl_only },
	{ .name = "descriptor", .batch = 256, .op = descriptor },
	{ .name = "no-descriptor", .batch = 256, .op = no_descriptor },
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
	{ .name = "never-used", .batch = 32, .op = never_used },
	{ .name = "never-used-vgem", .batch = 32, .op = never_used_by_vgem },
	{}
};
