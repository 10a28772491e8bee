// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of calls, good or bad as the step says.
 *
 * A fuzzer that only passes noise is refused by the first check of every call.
 * So arguments are right by themselves, and go wrong one at a time: a number near
 * a boundary, one flag too many, a pointer to where the kernel cannot read, or
 * write, or can for the first bytes only, an ioctl number with another size.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "argument.h"
#include "count.h"
#include "objects.h"
#include "program.h"

#define PAGE 4096

/* The pages of a thread: two to read and write, one of no access, one to read. */
#define GOOD_PAGES 2
#define HOLE_PAGE  2
#define CONST_PAGE 3
#define PAGES	   4

enum place {
	PLACE_CUT, /* the last byte is on a page of no access */
	PLACE_HOLE,
	PLACE_CONST, /* can be read, not written */
	PLACE_NULL,
	PLACE_KERNEL,
	PLACE_NOWHERE, /* no address of any kind */
	PLACE_BUFFER, /* in what the input has mapped */
	PLACE_UNEVEN,
	PLACE_COUNT,
};

/* From small to large, and what lies around a boundary, in 16 bits. */
uint64_t number(uint16_t value)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		3,
		7,
		31,
		32,
		33,
		63,
		64,
		127,
		128,
		255,
		256,
		4095,
		4096,
		4097,
		0x7fff,
		0x8000,
		0xffff,
		0x10000,
		0x7fffffff,
		0x80000000,
		0xfffff000,
		0xffffffff,
		0x100000000,
		0x100001000,
		0x7ffffffffffff000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xfffffffffffff000,
		UINT64_MAX,
	};
	uint64_t low = value & 0x1fff;

	switch (value >> 13) {
	case 2:
		return low * PAGE;
	case 3:
		return (1ULL << (low & 63)) + (low >> 6 & 7) - 4;
	case 4:
		return edges[low % COUNT_OF(edges)];
	case 5:
		return -low;
	case 6:
		return (low >> 4) * PAGE + (low & 15) - 8;
	case 7:
		return UINT32_MAX - low;
	default:
		return low;
	}
}

/* The bits that are set in the selector, and one that means nothing for bit 7. */
uint64_t choose_bits(uint8_t selector, uint16_t value, const uint64_t *bits,
		     size_t count)
{
	uint64_t chosen = 0;
	size_t i;

	for (i = 0; i < count && i < 7; i++)
		if (selector >> i & 1)
			chosen |= bits[i];
	if (selector & 0x80)
		chosen |= 1ULL << (value & 63);
	return chosen;
}

uint8_t *argument_pages(void)
{
	int memory = memfd_create("arguments", MFD_CLOEXEC);
	uint8_t *pages = mmap(NULL, PAGES * PAGE, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* The page that is only to be read is a second view of the first one. */
	if (memory < 0 || pages == MAP_FAILED ||
	    ftruncate(memory, GOOD_PAGES * PAGE) ||
	    mmap(pages, GOOD_PAGES * PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, memory, 0) == MAP_FAILED ||
	    mmap(pages + CONST_PAGE * PAGE, PAGE, PROT_READ,
		 MAP_SHARED | MAP_FIXED, memory, 0) == MAP_FAILED) {
		perror("pages for arguments");
		exit(1);
	}
	close(memory);
	return pages;
}

static enum place place_of(const struct step *step)
{
	return step->place < PLACE_ODD ?
		       PLACE_COUNT :
		       (step->place - PLACE_ODD) % PLACE_COUNT;
}

/* Where the kernel gets it from: @data is there, or as much of it as can be. */
void *argument_place(const void *data, size_t size)
{
	uint8_t *pages = me()->pages;
	uint8_t *at = pages;

	switch (place_of(me()->step)) {
	case PLACE_CUT:
		at = pages + HOLE_PAGE * PAGE - size + 1;
		memcpy(at, data, size ? size - 1 : 0);
		return at;
	case PLACE_HOLE:
		return pages + HOLE_PAGE * PAGE;
	case PLACE_CONST:
		memcpy(pages, data, size);
		return pages + CONST_PAGE * PAGE;
	case PLACE_NULL:
		return NULL;
	case PLACE_KERNEL:
		return (void *)0xffff888000001000;
	case PLACE_NOWHERE:
		return (void *)0x8000000000001000;
	case PLACE_BUFFER:
		return area_find(me()->step->c).start;
	case PLACE_UNEVEN:
		at = pages + 1;
		break;
	case PLACE_COUNT:
		break;
	}
	memcpy(at, data, size);
	return at;
}

/* What the kernel has written there; false if that cannot be told. */
bool argument_fetch(void *data, size_t size)
{
	switch (place_of(me()->step)) {
	case PLACE_UNEVEN:
		memcpy(data, me()->pages + 1, size);
		return true;
	case PLACE_COUNT:
		memcpy(data, me()->pages, size);
		return true;
	default:
		return false;
	}
}

/* Whether it is what lies in a buffer, and so may ask for anything at all. */
bool argument_is_anything(void)
{
	return place_of(me()->step) == PLACE_BUFFER;
}

/* The same ioctl with a size, a direction or a type of another one. */
unsigned long argument_bend(unsigned long cmd)
{
	unsigned int size = _IOC_SIZE(cmd), type = _IOC_TYPE(cmd),
		     dir = _IOC_DIR(cmd);

	if (me()->step->place < PLACE_ODD)
		return cmd;
	switch ((me()->step->place - PLACE_ODD) / PLACE_COUNT) {
	case 1:
		size += 8;
		break;
	case 2:
		size -= size < 4 ? 0 : 4;
		break;
	case 3:
		size = 0;
		break;
	case 4:
		dir ^= _IOC_READ | _IOC_WRITE;
		break;
	case 5:
		size = _IOC_SIZEMASK;
		break;
	case 6:
		type ^= 1;
		break;
	}
	return _IOC(dir, type, _IOC_NR(cmd), size);
}

/*
 * DRM, heaps and V4L2 install a descriptor before they copy its number out: where
 * it cannot be written it is lost, by their design.
 */
static bool installs_first(unsigned long cmd)
{
	return strchr("dHV", _IOC_TYPE(cmd));
}

static long one_ioctl(int fd, unsigned long cmd, void *data, size_t size,
		      bool blocks)
{
	unsigned long bent = argument_bend(cmd);
	void *at = argument_place(data, size);
	long result;

	me()->lossy = installs_first(cmd);
	result = blocks ? CALL_BLOCKING(ioctl(fd, bent, at)) :
			  CALL(ioctl(fd, bent, at));
	if (!argument_fetch(data, size))
		return result < 0 ? result : NOT_DONE;
	return result;
}

/* A success that cannot be told about is NOT_DONE. */
long call_ioctl(int fd, unsigned long cmd, void *data, size_t size)
{
	return one_ioctl(fd, cmd, data, size, false);
}

long call_ioctl_blocking(int fd, unsigned long cmd, void *data, size_t size)
{
	return one_ioctl(fd, cmd, data, size, true);
}
