// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap(): which mappings there are, and what one can do with them.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"
#include "proc.h"

static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

static const char *touch(volatile unsigned char *at, bool write)
{
	struct sigaction sa = { .sa_handler = on_fault };
	int sig;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig && write)
		*at = 7;
	else if (!sig)
		(void)*at;
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return sig == SIGBUS ? "SIGBUS" : sig ? "SIGSEGV" : "ok";
}

/* A read first: what it brings in may decide about the write. */
static const char *touched(volatile unsigned char *at)
{
	const char *got = touch(at, false);

	return text("read %s, write %s", got, touch(at, true));
}

static const char *byte_at(volatile unsigned char *at)
{
	const char *result = touch(at, false);

	return strcmp(result, "ok") ? result : text("%u", *at);
}

static const char *try_mmap(int fd, size_t length, int prot, int flags,
			    off_t offset)
{
	unsigned char *map = mmap(NULL, length, prot, flags, fd, offset);
	const char *result;

	if (map == MAP_FAILED)
		return answer(-errno);
	result = touched(map);
	munmap(map, length);
	return text("mapped, %s", result);
}

static void say_protections(struct buffer *b, const char *mode)
{
	static const struct {
		const char *name;
		int flags;
	} kinds_of_map[] = {
		{ "shared", MAP_SHARED },
		{ "shared-validate", MAP_SHARED_VALIDATE },
		{ "private", MAP_PRIVATE },
	};
	static const char *const prots[] = { "none", "r",  "w",	 "rw",
					     "x",    "rx", "wx", "rwx" };

	for (unsigned int k = 0; k < N(kinds_of_map); k++)
		for (int prot = 0; prot < 8; prot++)
			say(text("%s-%s-%s", mode, kinds_of_map[k].name,
				 prots[prot]),
			    text("descriptor %s, %s, protection %s", mode,
				 kinds_of_map[k].name, prots[prot]),
			    "%s",
			    try_mmap(b->fd, b->size, prot,
				     kinds_of_map[k].flags, 0));
}

static void say_flags(struct buffer *b)
{
	static const struct {
		const char *name;
		int flags;
	} flags[] = {
		{ "MAP_POPULATE", MAP_SHARED | MAP_POPULATE },
		{ "MAP_LOCKED", MAP_SHARED | MAP_LOCKED },
		{ "MAP_NORESERVE", MAP_SHARED | MAP_NORESERVE },
		{ "MAP_HUGETLB", MAP_SHARED | MAP_HUGETLB },
		{ "MAP_SYNC", MAP_SHARED_VALIDATE | MAP_SYNC },
		{ "MAP_GROWSDOWN", MAP_PRIVATE | MAP_GROWSDOWN },
		{ "MAP_32BIT", MAP_SHARED | MAP_32BIT },
		{ "neither-shared-nor-private", 0 },
	};

	for (unsigned int i = 0; i < N(flags); i++)
		say(text("flag-%s", flags[i].name), flags[i].name, "%s",
		    try_mmap(b->fd, b->size, PROT_READ | PROT_WRITE,
			     flags[i].flags, 0));
}

static void say_bounds(struct buffer *b)
{
	const off_t end = b->size, last = (off_t)(~0ull << 12);
	const struct {
		const char *id;
		size_t length;
		off_t offset;
	} ranges[] = {
		{ "nothing", 0, 0 },
		{ "one byte", 1, 0 },
		{ "a page", PAGE, 0 },
		{ "all", end, 0 },
		{ "one byte more", end + 1, 0 },
		{ "one page more", end + PAGE, 0 },
		{ "twice", 2 * end, 0 },
		{ "a tebibyte", 1ull << 40, 0 },
		{ "the address space", ~0ull << 12, 0 },
		{ "second page", PAGE, PAGE },
		{ "last page", PAGE, end - PAGE },
		{ "all but the first", end - PAGE, PAGE },
		{ "from the middle, all", end, PAGE },
		{ "at the end", PAGE, end },
		{ "beyond the end", PAGE, end + PAGE },
		{ "far beyond", PAGE, 1ll << 40 },
		{ "at an odd offset", PAGE, 1 },
		{ "at a negative offset", PAGE, -PAGE },
		{ "two pages at the last offset", 2 * PAGE, last },
		{ "all, wrapping round", end, last - PAGE },
		{ "at the largest offset", PAGE, INT64_MAX & ~(PAGE - 1ll) },
	};

	for (unsigned int i = 0; i < N(ranges); i++)
		say(text("range: %s", ranges[i].id),
		    text("length and offset: %s", ranges[i].id), "%s",
		    try_mmap(b->fd, ranges[i].length, PROT_READ | PROT_WRITE,
			     MAP_SHARED, ranges[i].offset));
}

/* Every page of every offset shows what it should. */
static void say_offsets(struct buffer *b)
{
	unsigned char *all = dmabuf_mmap(b->fd, b->size);
	struct ranges r = {};

	for (uint64_t at = 0; at < b->size; at += PAGE)
		all[at] = at / PAGE + 1;
	for (uint64_t at = 0; at < b->size; at += PAGE) {
		unsigned char *part =
			mmap(NULL, PAGE, PROT_READ, MAP_SHARED, b->fd, at);

		ranges_add(&r, at / PAGE,
			   part == MAP_FAILED ? answer(-errno) :
			   part[0] == all[at] ? "that page" :
						"another page");
		munmap(part, PAGE);
	}
	say("offset-content", "what is seen from each page on", "%s",
	    ranges_end(&r));
	munmap(all, b->size);
}

void run_mmap(struct buffer *b)
{
	static const struct {
		const char *name;
		int mode;
	} modes[] = {
		{ "rdwr", O_RDWR },
		{ "rdonly", O_RDONLY },
		{ "wronly", O_WRONLY },
	};
	struct buffer other;
	int path = path_fd(b->fd);

	for (unsigned int i = 0; i < N(modes); i++) {
		if (buffer_new(b->by, modes[i].mode, &other))
			continue;
		say_protections(&other, modes[i].name);
		buffer_free(&other);
	}
	say("O_PATH", "an O_PATH descriptor", "%s",
	    try_mmap(path, b->size, PROT_READ, MAP_SHARED, 0));
	close(path);
	say_flags(b);
	say_bounds(b);
	say_offsets(b);
}

static void say_remap(struct buffer *b)
{
	unsigned char *map = dmabuf_mmap(b->fd, b->size), *moved;
	const struct {
		const char *id;
		size_t from, to;
		int flags;
	} remaps[] = {
		{ "grow", b->size, b->size + PAGE, MREMAP_MAYMOVE },
		{ "grow-in-place", b->size, b->size + PAGE, 0 },
		{ "copy", 0, b->size, MREMAP_MAYMOVE },
		{ "copy-more", 0, b->size + PAGE, MREMAP_MAYMOVE },
		{ "leave", b->size, b->size,
		  MREMAP_MAYMOVE | MREMAP_DONTUNMAP },
		{ "shrink", b->size, PAGE, 0 },
		{ "grow-back", PAGE, b->size, MREMAP_MAYMOVE },
	};

	for (unsigned int i = 0; i < N(remaps); i++) {
		size_t last = remaps[i].to - 1;

		moved = mremap(map, remaps[i].from, remaps[i].to,
			       remaps[i].flags);
		say(text("mremap-%s", remaps[i].id),
		    text("mremap(): %s", remaps[i].id), "%s",
		    moved == MAP_FAILED ?
			    answer(-errno) :
			    text("mapped, first byte %s, last byte %s",
				 touch(moved, false),
				 touch(moved + last, false)));
		if (moved == MAP_FAILED)
			continue;
		if (remaps[i].from && !(remaps[i].flags & MREMAP_DONTUNMAP)) {
			map = moved;
			continue;
		}
		munmap(moved, remaps[i].to);
	}
	munmap(map, b->size);
}

static void say_advice(struct buffer *b)
{
	static const struct {
		const char *name;
		int advice;
	} advices[] = {
		{ "DONTNEED", MADV_DONTNEED },
		{ "WILLNEED", MADV_WILLNEED },
		{ "FREE", MADV_FREE },
		{ "REMOVE", MADV_REMOVE },
		{ "DONTFORK", MADV_DONTFORK },
		{ "DOFORK", MADV_DOFORK },
		{ "DODUMP", MADV_DODUMP },
		{ "DONTDUMP", MADV_DONTDUMP },
		{ "PAGEOUT", 21 },
		{ "POPULATE_READ", 22 },
		{ "WIPEONFORK", 18 },
		{ "POPULATE_WRITE", 23 },
	};

	for (unsigned int i = 0; i < N(advices); i++) {
		unsigned char *map = dmabuf_mmap(b->fd, b->size);
		long ret;

		map[0] = 42;
		ret = madvise(map, b->size, advices[i].advice) ? -errno : 0;
		say(text("madvise-%s", advices[i].name),
		    text("madvise(MADV_%s), and the first byte, 42, then",
			 advices[i].name),
		    "%s, %s", answer(ret), byte_at(map));
		munmap(map, b->size);
	}
}

static void say_protect(struct buffer *b)
{
	struct buffer other;
	void *map = dmabuf_mmap(b->fd, b->size);
	unsigned char vec[4096];

	say_ret("mprotect-rwx", "mprotect() to rwx",
		mprotect(map, b->size, 7) ? -errno : 0);
	say_ret("mprotect-none", "mprotect() to none",
		mprotect(map, b->size, 0) ? -errno : 0);
	say("mprotect-touch", "a read then", "%s", touch(map, false));
	mprotect(map, b->size, PROT_READ | PROT_WRITE);
	say_ret("msync", "msync(MS_SYNC)",
		msync(map, b->size, MS_SYNC) ? -errno : 0);
	say_ret("mlock", "mlock()", mlock(map, b->size) ? -errno : 0);
	say_ret("mincore", "mincore()",
		mincore(map, b->size, vec) ? -errno : 0);
	munmap(map, b->size);
	if (buffer_new(b->by, O_RDONLY, &other))
		return;
	map = mmap(NULL, b->size, PROT_READ, MAP_SHARED, other.fd, 0);
	say_ret("mprotect-rdonly", "mprotect() to rw, the descriptor read-only",
		mprotect(map, b->size, PROT_READ | PROT_WRITE) ? -errno : 0);
	munmap(map, b->size);
	buffer_free(&other);
}

/* Where the kernel itself is asked to use the mapping. */
static void say_kernel_access(struct buffer *b)
{
	unsigned char *map = dmabuf_mmap(b->fd, b->size);
	char copy[16];
	struct iovec local = { copy, 16 }, remote = { map, 16 };
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC), fds[2];
	ssize_t ret;

	map[0] = 1;
	do_or_die(pipe(fds));
	ret = write(fds[1], map, 16);
	say_ret("write-from", "write() of a mapping into a pipe",
		ret < 0 ? -errno : ret);
	ret = read(fds[0], map, 16);
	say_ret("read-to", "read() of a pipe into a mapping",
		ret < 0 ? -errno : ret);
	ret = pread(mem, copy, 16, (uintptr_t)map);
	say_ret("mem-read", "a read of /proc/self/mem there",
		ret < 0 ? -errno : ret);
	ret = pwrite(mem, copy, 16, (uintptr_t)map);
	say_ret("mem-write", "a write of /proc/self/mem there",
		ret < 0 ? -errno : ret);
	ret = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	say_ret("process_vm_readv", "process_vm_readv() there",
		ret < 0 ? -errno : ret);
	ret = vmsplice(fds[1], &remote, 1, SPLICE_F_NONBLOCK);
	say_ret("vmsplice", "vmsplice() of a mapping into a pipe",
		ret < 0 ? -errno : ret);
	close(mem);
	close(fds[0]);
	close(fds[1]);
	munmap(map, b->size);
}

/* The line of /proc/self/maps of a mapping, less its addresses. */
static const char *map_line(const void *map, uint64_t size)
{
	char key[64];
	const char *at, *all = read_file("/proc/self/maps");
	unsigned long long offset;
	char perms[8], path[256] = "";

	snprintf(key, sizeof(key), "%lx-%lx ", (unsigned long)map,
		 (unsigned long)map + (unsigned long)size);
	at = strstr(all ?: "", key);
	if (!at || sscanf(at + strlen(key), "%7s %llx %*s %*u%255[^\n]", perms,
			  &offset, path) < 2)
		return "absent";
	return text("%s offset %llx%s%s", perms, offset, path[0] ? " " : "",
		    path + strspn(path, " "));
}

/* The flags of a mapping's vma, as the kernel abbreviates them. */
static const char *map_flags(const void *map)
{
	char key[64];
	const char *at, *all = read_file("/proc/self/smaps");

	snprintf(key, sizeof(key), "%lx-", (unsigned long)map);
	at = strstr(all ?: "", key);
	return at ? proc_value(at, "VmFlags") : "absent";
}

static void say_maps(struct buffer *b)
{
	void *map = dmabuf_mmap(b->fd, b->size);

	say("maps", "its line in /proc/self/maps", "%s",
	    map_line(map, b->size));
	say("smaps", "its VmFlags in /proc/self/smaps", "%s", map_flags(map));
	try_ioctl(b->fd, 0x40086201, "two\nlines");
	say("maps-named", "its line when the buffer has a name of two lines",
	    "%s", map_line(map, b->size));
	munmap(map, b->size);
}

static void say_sharing(struct buffer *b)
{
	unsigned char *one = dmabuf_mmap(b->fd, b->size);
	unsigned char *two = dmabuf_mmap(b->fd, b->size), *mine;
	int status;
	pid_t pid;

	one[1] = 11;
	say("shared", "a byte, 11, through another mapping", "%u", two[1]);
	mine = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, b->fd,
		    0);
	if (mine != MAP_FAILED) {
		mine[1] = 12;
		say("private", "that byte when a private mapping has set 12",
		    "%u", one[1]);
		munmap(mine, b->size);
	}
	pid = fork();
	if (!pid) {
		if (!strcmp(touch(two, false), "ok"))
			one[1] = 13;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	say("fork", "that byte when a child has set 13", "%u", one[1]);
	munmap(two, b->size);
	munmap(one + PAGE, PAGE);
	say("hole", "the pages around one that was unmapped", "%s, %s, %s",
	    touch(one, true), touch(one + PAGE, true),
	    touch(one + 2 * PAGE, true));
	buffer_free(b);
	say("alone", "the mapping when all descriptors are closed", "%s",
	    touched(one));
	say("alone-byte", "that byte then", "%s", byte_at(one + 1));
	munmap(one, b->size);
}

void run_mapping(struct buffer *b)
{
	say_remap(b);
	say_advice(b);
	say_protect(b);
	say_kernel_access(b);
	say_maps(b);
	say_sharing(b);
}
