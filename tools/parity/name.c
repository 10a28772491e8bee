// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA_BUF_SET_NAME, and where the name is seen.
 */

#include <linux/dma-buf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"
#include "proc.h"

static long set_name(int fd, const char *name)
{
	return try_ioctl(fd, DMA_BUF_SET_NAME_B, (void *)name);
}

/* A name, and all that tells it. */
static void say_name(struct buffer *b, const char *id, const char *what,
		     const char *name)
{
	long ret = set_name(b->fd, name);

	say(id, what, "%s, link %s, fdinfo '%s'", answer(ret), proc_link(b->fd),
	    proc_fdinfo(b->fd, "name"));
}

static void say_lengths(struct buffer *b)
{
	static const unsigned int lengths[] = { 0,
						1,
						DMA_BUF_NAME_LEN - 2,
						DMA_BUF_NAME_LEN - 1,
						DMA_BUF_NAME_LEN,
						DMA_BUF_NAME_LEN + 1,
						PAGE - 1 };
	char *name = page_new(PROT_READ | PROT_WRITE);

	for (unsigned int i = 0; i < N(lengths); i++) {
		memset(name, 'a' + i, lengths[i]);
		name[lengths[i]] = 0;
		say_name(b, text("length-%u", lengths[i]),
			 text("a name of %u characters", lengths[i]), name);
	}
	munmap(name, PAGE);
}

/* Which bytes come back as they were given, in the link and in fdinfo. */
static void say_bytes(struct buffer *b)
{
	struct ranges link = {}, info = {};

	for (int c = 1; c < 256; c++) {
		char name[] = { 'a', c, 'z', 0 };
		const char *at;

		igt_assert_eq(set_name(b->fd, name), 0);
		at = proc_link(b->fd);
		ranges_add(&link, c, strstr(at, name) ? "as given" : at);
		at = proc_fdinfo(b->fd, "name");
		ranges_add(&info, c, strcmp(at, name) ? at : "as given");
	}
	say("bytes-link", "a name with each byte in it, in the /proc link",
	    "%s", ranges_end(&link));
	say("bytes-fdinfo", "a name with each byte in it, in fdinfo", "%s",
	    ranges_end(&info));
}

static void say_memory(struct buffer *b)
{
	char *two = page_before_hole(), *none = page_new(PROT_NONE);

	igt_assert_eq(set_name(b->fd, "kept"), 0);
	say_name(b, "pointer-null", "a null pointer", NULL);
	say_name(b, "pointer-none", "memory without access (PROT_NONE)", none);
	say_name(b, "pointer-hole", "an address where nothing is mapped",
		 two + PAGE);
	say_name(b, "pointer-kernel", "an address of the kernel's",
		 (void *)0xffff888000000000);
	memset(two, 'x', PAGE);
	say_name(b, "pointer-end", "a name that runs into a hole",
		 two + PAGE - 5);
	two[PAGE - 1] = 0;
	say_name(b, "pointer-last", "a name that ends where the mapping does",
		 two + PAGE - 5);
	memset(two, 'y', PAGE);
	do_or_die(mprotect(two, PAGE, PROT_READ));
	say_name(b, "pointer-long", "a page of read-only memory without an end",
		 two);
	munmap(two, PAGE);
	munmap(none, PAGE);
}

void run_name(struct buffer *b)
{
	char good[PAGE / 8] = "a name";
	int copy = dup(b->fd);

	say("none", "no name was ever set", "link %s, fdinfo '%s'",
	    proc_link(b->fd), proc_fdinfo(b->fd, "name"));
	say_ret("form-a", "a name through 0x40046201",
		try_ioctl(b->fd, DMA_BUF_SET_NAME_A, "one"));
	say("form-a-seen", "what is seen then", "link %s, fdinfo '%s'",
	    proc_link(b->fd), proc_fdinfo(b->fd, "name"));
	say_name(b, "form-b", "a name through 0x40086201", "two");
	say("dup", "the name in a duplicate of the descriptor",
	    "link %s, fdinfo '%s'", proc_link(copy), proc_fdinfo(copy, "name"));
	close(copy);
	say_lengths(b);
	say_name(b, "blank", "a name of blanks", "   ");
	say_name(b, "path", "a name that looks like a path", "/../etc/passwd");
	say_name(b, "deleted", "a name that looks like a mark of the kernel's",
		 "x (deleted)");
	say_name(b, "line", "a name of two lines", "one\nsize:\t0");
	say_name(b, "format", "a name with formats", "%s%p%n");
	say_bytes(b);
	say_memory(b);
	say_numbers(b->fd, DMA_BUF_SET_NAME_B, good);
	say_name(b, "empty", "an empty name takes the name away or not", "");
}
