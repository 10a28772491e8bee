// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of buffers, and all that can be done to a mapping.
 *
 * a: which file or mapping   b, c: flags   value: a length, offset or address
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"
#include "check.h"
#include "count.h"
#include "objects.h"
#include "operations.h"

#define PAGE   4096UL
#define FAILED ((uint8_t *)MAP_FAILED)

static int protection(const struct step *step, uint8_t selector)
{
	return CHOOSE_BITS(step, selector & 0x8f, PROT_READ, PROT_WRITE,
			   PROT_EXEC, PROT_GROWSDOWN);
}

/* What is too large for the room a mapping has goes where the kernel puts it. */
static uint8_t *map(uint8_t slot, size_t size, int prot, int flags, int fd,
		    off_t offset)
{
	uint8_t *at = area_slot(slot);
	uint8_t *got;

	if (size && size <= AREA_ROOM) {
		flags |= MAP_FIXED;
		got = (void *)CALL(mmap(at, size, prot, flags, fd, offset));
		if (got == at)
			area_set(slot, at, (size + PAGE - 1) & ~(PAGE - 1));
		return got;
	}
	flags &= ~MAP_POPULATE;
	got = (void *)CALL(mmap(NULL, size, prot, flags, fd, offset));
	if ((long)got > 0)
		munmap(got, size);
	return got;
}

/* What lies behind a buffer's end is somebody else's memory. */
static void check_reach(int fd, size_t size, off_t offset)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0)
		return;
	size = (size + PAGE - 1) & ~(PAGE - 1);
	if (offset < 0 || offset > end || size > (uint64_t)(end - offset))
		check_failed("a mapping reaches beyond the end of its buffer");
}

/*
 * b: protection and kind   c: flags, and bit 7 for a file of DRM at the offset that
 * MAP_DUMB gave   value: an odd length or an offset, by c
 */
long op_mmap(const struct step *step)
{
	bool drm = step->c & 0x80;
	struct file file = file_find(drm ? KIND_DRM : KIND_DMABUF, step->a);
	size_t size = (1 + (step->b >> 4 & 7)) * PAGE;
	int flags = step->b & 8 ? MAP_PRIVATE : MAP_SHARED;
	off_t offset = drm ? memo_get(MEMO_OFFSET, step->a) : 0;
	long result;

	flags |= CHOOSE_BITS(step, step->c >> 2 & 0x0f, MAP_POPULATE,
			     MAP_LOCKED, MAP_NORESERVE, MAP_STACK);
	switch (step->c & 3) {
	case 1:
		size = number(step->value);
		break;
	case 2:
		offset += number(step->value);
		break;
	case 3:
		size = PAGE;
		offset += number(step->value) & ~(PAGE - 1);
		break;
	}
	result = (long)map(step->a ^ step->c, size,
			   protection(step, (step->b ^ 3) & 7), flags, file.fd,
			   offset);
	/* beside another step the number may be another file's by now */
	if (result > 0 && file.kind == KIND_DMABUF && !step_is_beside())
		check_reach(file.fd, size, offset);
	return result;
}

/* A part of a mapping: b is the first page, c how many. */
static uint8_t *part_of(const struct step *step, size_t *size)
{
	struct area area = area_find(step->a);
	size_t first;

	if (!area.size)
		return NULL;
	first = step->b % (area.size / PAGE) * PAGE;
	*size = (1 + step->c % 8) * PAGE;
	if (*size > area.size - first)
		*size = area.size - first;
	return area.start + first;
}

long op_munmap(const struct step *step)
{
	size_t size;
	uint8_t *at = part_of(step, &size);

	return at ? CALL(munmap(at, size)) : NOT_DONE;
}

/* To a new place, or grown or shrunk where it is */
long op_mremap(const struct step *step)
{
	size_t size, wanted = (1 + step->value % 16) * PAGE;
	uint8_t *at = part_of(step, &size);
	uint8_t *to = area_slot(step->value >> 8);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	uint8_t *got;

	if (!at)
		return NOT_DONE;
	if (step->value & 0x80)
		size = 0; /* a second mapping of the same pages */
	if (step->value & 0x40)
		return CALL(mremap(at, size, wanted, 0));
	if (step->value & 0x20 && size == wanted)
		flags |= MREMAP_DONTUNMAP;
	got = (void *)CALL(mremap(at, size, wanted, flags, to));
	if (got == to)
		area_set(step->value >> 8, to, wanted);
	return (long)got;
}

long op_mprotect(const struct step *step)
{
	size_t size;
	uint8_t *at = part_of(step, &size);

	return at ? CALL(mprotect(at, size,
				  protection(step, step->value & 7))) :
		    NOT_DONE;
}

/* value: which byte, odd ones are written to */
long op_touch(const struct step *step)
{
	struct area area = area_find(step->a);
	volatile uint8_t *byte;
	int signal;

	if (!area.size)
		return NOT_DONE;
	/* b beyond 0xf0: just outside */
	byte = area.start +
	       (step->b >= 0xf0 ? area.size : number(step->value) % area.size);
	me()->may_escape = true;
	signal = sigsetjmp(me()->escape, 0);
	if (!signal) {
		runner_arm(false);
		if (step->value & 1)
			*byte = step->c;
		else
			(void)*byte;
		me()->may_escape = false;
		return runner_disarm(0);
	}
	me()->may_escape = false;
	errno = signal == SIGBUS ? EIO : EFAULT;
	return runner_disarm(-1);
}

long op_madvise(const struct step *step)
{
	static const int advice[] = {
		MADV_NORMAL,	     MADV_DONTNEED,
		MADV_REMOVE,	     MADV_DONTFORK,
		MADV_DOFORK,	     MADV_WILLNEED,
		MADV_MERGEABLE,	     MADV_HUGEPAGE,
		MADV_FREE,	     MADV_COLD,
		MADV_PAGEOUT,	     MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_WIPEONFORK,
		MADV_DONTDUMP,	     25 /* MADV_COLLAPSE */,
	};
	size_t size;
	uint8_t *at = part_of(step, &size);

	if (!at)
		return NOT_DONE;
	return CALL(madvise(at, size, advice[step->value % COUNT_OF(advice)]));
}

long op_msync(const struct step *step)
{
	size_t size;
	uint8_t *at = part_of(step, &size);

	if (!at)
		return NOT_DONE;
	return CALL(msync(at, size,
			  CHOOSE_BITS(step, step->value & 7, MS_ASYNC, MS_SYNC,
				      MS_INVALIDATE)));
}

long op_mlock(const struct step *step)
{
	size_t size;
	uint8_t *at = part_of(step, &size);

	if (!at)
		return NOT_DONE;
	return step->value & 1 ? CALL(mlock2(at, size, step->value >> 1 & 3)) :
				 CALL(munlock(at, size));
}

/* A child that has all the mappings and files, and lets go of them. */
long op_fork(const struct step *step)
{
	struct area area = area_find(step->a);
	pid_t child;

	runner_arm(false);
	child = fork();
	if (!child) {
		/* in the other order than this process will, with b odd */
		if (step->b & 1 && area.size)
			munmap(area.start, area.size);
		_exit(0);
	}
	child = runner_disarm(child);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return child;
}

void pipe_make(void)
{
	int ends[2];

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		return;
	file_add(ends[0], KIND_ANY);
	file_add(ends[1], KIND_PIPE);
}

/* The pages themselves into a pipe, or with value odd what is in them. */
long op_splice(const struct step *step)
{
	struct file pipe = file_find(KIND_PIPE, step->b);
	struct iovec part;
	size_t size;
	uint8_t *at = part_of(step, &size);

	if (!at)
		return NOT_DONE;
	part = (struct iovec){ at, size };
	if (step->value & 1)
		return CALL_BLOCKING(writev(pipe.fd, &part, 1));
	return CALL_BLOCKING(vmsplice(pipe.fd, &part, 1, SPLICE_F_NONBLOCK));
}
