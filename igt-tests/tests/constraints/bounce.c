// SPDX-License-Identifier: MIT
/*
 * Memory that is where a device reaches it, in place of copies: what the exporter of a
 * buffer can move is not bounced, and what nobody can move still is.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem.h"

#include "../configured.h"
#include "../endpoint.h"

#include "constraints.h"

#define SEED 613
/* As many of HIGH_MIB are more than what there is below the masks. */
#define MAX_HIGH 192
#define HIGH_MIB 16
/* The pieces of this are not larger than what swiotlb copies. */
#define COPIED (128 << 10)
/* swiotlb counts in pieces of 2 KiB. */
#define SLOT 2048

static FILE *swiotlb_open(const char *name, const char *mode)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/swiotlb/%s", igt_debugfs_mount(),
		 name);
	file = fopen(path, mode);
	igt_require_f(file, "no swiotlb: not enough memory to need it\n");

	return file;
}

static unsigned long swiotlb_read(const char *name)
{
	FILE *file = swiotlb_open(name, "re");
	unsigned long value;

	igt_assert_eq(fscanf(file, "%lu", &value), 1);
	fclose(file);

	return value;
}

static unsigned long swiotlb_most(bool reset)
{
	FILE *file;

	if (!reset)
		return swiotlb_read("io_tlb_used_hiwater");
	file = swiotlb_open("io_tlb_used_hiwater", "we");
	fprintf(file, "0\n");
	fclose(file);

	return 0;
}

/*
 * Does a device that reaches @mask reach what swiotlb copies to?  The kernel tells only
 * when it boots, and warns of the first copy that it cannot make.
 */
static bool swiotlb_in_reach(uint64_t mask)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	static const char format[] = "software IO TLB: mapped [mem %llx-%llx]";
	unsigned long long first, last = ~0ull;
	char line[8192];
	ssize_t n;

	igt_require_f(fd >= 0, "the kernel's log cannot be read\n");
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		const char *told;

		line[n > 0 ? n : 0] = '\0';
		told = strstr(line, "software IO TLB: mapped");
		if (told)
			sscanf(told, format, &first, &last);
	}
	close(fd);

	return last <= mask;
}

/* A buffer of which @far, which reaches all memory, sees pages beyond the mask. */
static int far_udmabuf(int far, uint64_t mask)
{
	const uint64_t size = HIGH_MIB << 20;
	struct configured_import import;
	struct udmabuf_create create = { .size = size };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), kept[MAX_HIGH];
	int dmabuf, memfd, n = 0;

	igt_require_f(dev >= 0, "no udmabuf\n");
	do {
		igt_require_f(n < MAX_HIGH, "no memory beyond the mask\n");
		memfd = memfd_create("far", MFD_ALLOW_SEALING);
		igt_assert_fd(memfd);
		do_or_die(ftruncate(memfd, size));
		do_or_die(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
		create.memfd = memfd;
		dmabuf = ioctl(dev, UDMABUF_CREATE, &create);
		igt_assert_fd(dmabuf);
		close(memfd);
		kept[n++] = dmabuf;
		prime_fd_to_handle(far, dmabuf);
		configured_verify(far, dmabuf, &import);
	} while (import.highest <= mask);
	while (--n > 0)
		close(kept[n - 1]);
	close(dev);

	return dmabuf;
}

/* Of a heap, which has one table for each device: one that is copied for @near. */
static int copied_heap_buffer(int near)
{
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	int kept[MAX_HIGH], last, n = 0;

	igt_require_f(heap >= 0, "no system heap\n");
	swiotlb_most(true);
	do {
		struct dma_heap_allocation_data data = {
			.len = COPIED,
			.fd_flags = O_RDWR | O_CLOEXEC,
		};

		igt_require_f(n < MAX_HIGH, "no memory beyond the mask\n");
		do_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
		kept[n++] = data.fd;
		prime_fd_to_handle(near, data.fd);
	} while (!swiotlb_most(false));
	close(heap);
	last = kept[--n];
	while (n > 0)
		close(kept[--n]);

	return last;
}

/* As many buffers as it takes until one has pages beyond the mask. */
static int far_vgem(int owner, int far, uint64_t mask, uint8_t **map)
{
	struct configured_import import;
	int dmabuf;

	for (int n = 0; n < MAX_HIGH; n++) {
		struct vgem_bo bo = { .width = 2048,
				      .height = HIGH_MIB * 128,
				      .bpp = 32 };

		vgem_create(owner, &bo);
		dmabuf = prime_handle_to_fd_for_mmap(owner, bo.handle);
		*map = dmabuf_mmap(dmabuf, bo.size);
		pattern_fill(*map, bo.size, SEED);
		prime_fd_to_handle(far, dmabuf);
		configured_verify(far, dmabuf, &import);
		if (import.highest > mask)
			return dmabuf;
		munmap(*map, bo.size);
		close(dmabuf);
	}
	igt_skip("no memory beyond the mask\n");
}

/* What stays where it is has to be copied for each mapping. */
static void copies_what_stays(int near, int far, uint64_t mask)
{
	int dmabuf = far_udmabuf(far, mask);
	struct configured_import import;
	unsigned long slots;

	swiotlb_most(true);
	prime_fd_to_handle(near, dmabuf);
	configured_verify(near, dmabuf, &import);
	igt_info("udmabuf: up to 0x%" PRIx64 ", %s, swiotlb slots %lu\n",
		 import.highest, import.verdict, swiotlb_most(false));
	/* whole pages of it, each of two slots, and they are within reach */
	igt_assert_f(!strcmp(import.verdict, "copy"), "%s\n", import.verdict);
	igt_assert_lte_u64(import.highest, mask);
	slots = swiotlb_most(false);
	igt_assert_lte_u64(2, slots);
	igt_assert_lte_u64(slots, (HIGH_MIB << 20) / SLOT);
	igt_assert_eq(slots % 2, 0);
	close(dmabuf);
}

/* A device that reaches so much gets memory there: nothing goes through swiotlb. */
void no_bounce(int owner, uint64_t mask)
{
	int near = configured_device("first", NULL, mask), dmabuf;
	int far = configured_device("second", NULL, 0);
	struct configured_import import;
	uint8_t *map;

	if (swiotlb_in_reach(mask))
		copies_what_stays(near, far, mask);
	else
		igt_info("swiotlb is out of reach: nothing can be copied\n");

	dmabuf = far_vgem(owner, far, mask, &map);
	swiotlb_most(true);
	prime_fd_to_handle(near, dmabuf);
	configured_verify(near, dmabuf, &import);
	igt_info("vgem: up to 0x%" PRIx64 ", %s, swiotlb slots %lu\n",
		 import.highest, import.verdict, swiotlb_most(false));
	igt_assert_f(!strcmp(import.verdict, "ok"), "%s\n", import.verdict);
	igt_assert_lte_u64(import.highest, mask);
	igt_assert_eq(swiotlb_most(false), 0);
	pattern_check(map, HIGH_MIB << 20, SEED);
	munmap(map, HIGH_MIB << 20);
	close(dmabuf);
	close(near);
	close(far);
	configured_remove("first");
	configured_remove("second");
}

/* What copies have taken comes back, also when vgem has looked where they are. */
void copies_given_back(uint64_t mask)
{
	unsigned long before = swiotlb_read("io_tlb_used");
	struct configured_import import;
	int near, dmabuf;

	igt_require_f(swiotlb_in_reach(mask), "swiotlb is out of reach\n");
	near = configured_device("first", NULL, mask);
	dmabuf = copied_heap_buffer(near);
	configured_verify(near, dmabuf, &import);
	igt_assert_f(!strcmp(import.verdict, "copy"), "%s\n", import.verdict);
	close(dmabuf);
	close(near);
	igt_assert_eq(swiotlb_read("io_tlb_used"), before);
	configured_remove("first");
}
