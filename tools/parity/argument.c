// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of ioctls that no caller should pass: memory that is not there,
 * and numbers that are nearly right.
 */

#include <errno.h>
#include <linux/ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "igt.h"
#include "parity.h"

long try_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

void *page_new(int prot)
{
	void *page = mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	igt_assert(page != MAP_FAILED);
	return page;
}

void *page_before_hole(void)
{
	char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	igt_assert(two != MAP_FAILED);
	do_or_die(munmap(two + PAGE, PAGE));
	return two;
}

void say_pointers(int fd, unsigned long request, const void *arg)
{
	size_t size = _IOC_SIZE(request);
	char *two = page_before_hole(), *page = page_new(PROT_NONE);
	unsigned int files = open_files();

	say_ret("pointer-null", "a null pointer", try_ioctl(fd, request, NULL));
	say_ret("pointer-none", "memory without access (PROT_NONE)",
		try_ioctl(fd, request, page));
	say_ret("pointer-hole", "an address where nothing is mapped",
		try_ioctl(fd, request, two + PAGE));
	say_ret("pointer-kernel", "an address of the kernel's",
		try_ioctl(fd, request, (void *)0xffff888000000000));
	say_ret("pointer-odd", "a non-canonical address",
		try_ioctl(fd, request, (void *)0x0000900000000000));
	memcpy(two + PAGE - size / 2, arg, size / 2);
	say_ret("pointer-half", "the second half of the argument is missing",
		try_ioctl(fd, request, two + PAGE - size / 2));
	memcpy(two + PAGE - size, arg, size);
	say_ret("pointer-end", "the argument ends where the mapping does",
		try_ioctl(fd, request, two + PAGE - size));
	memcpy(two + 1, arg, size);
	say_ret("pointer-unaligned", "the argument at an odd address",
		try_ioctl(fd, request, two + 1));
	do_or_die(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	memcpy(page, arg, size);
	do_or_die(mprotect(page, PAGE, PROT_READ));
	say_ret("pointer-read-only", "the argument in read-only memory",
		try_ioctl(fd, request, page));
	say("pointer-files", "descriptors that these calls have left", "%u",
	    open_files() - files);
	munmap(two, PAGE);
	munmap(page, PAGE);
}

static long with_number(int fd, unsigned long request, const void *arg)
{
	char *copy = page_new(PROT_READ | PROT_WRITE);
	long ret;

	memcpy(copy, arg, PAGE / 8);
	ret = try_ioctl(fd, request, copy);
	munmap(copy, PAGE);
	return ret;
}

void say_numbers(int fd, unsigned long request, const void *arg)
{
	unsigned int type = _IOC_TYPE(request), nr = _IOC_NR(request);
	unsigned int dir = _IOC_DIR(request), size = _IOC_SIZE(request);
	static const char *const names[] = { "none", "write", "read",
					     "read and write" };
	char padded[PAGE / 8] = {};
	struct ranges r = {};
	struct list l = {};

	memcpy(padded, arg, size);
	for (unsigned int s = 0; s <= 64; s++)
		ranges_add(&r, s,
			   answer(with_number(fd, _IOC(dir, type, nr, s),
					      padded)));
	say("number-size", "by the size in the ioctl's number", "%s",
	    ranges_end(&r));
	for (unsigned int d = 0; d < N(names); d++)
		list_add(&l, names[d],
			 answer(with_number(fd, _IOC(d, type, nr, size),
					    padded)));
	say("number-direction", "by the direction in the ioctl's number", "%s",
	    l.text);
}
