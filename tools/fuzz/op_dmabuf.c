// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a dma-buf, and the list of all of them.
 *
 * a: which dma-buf   b: flags   c: other objects
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "argument.h"
#include "check.h"
#include "objects.h"
#include "operations.h"

static struct file dmabuf(const struct step *step)
{
	return file_find(KIND_DMABUF, step->a);
}

/*
 * A check that is missing may do no harm that the kernel sees. Other files give the
 * ioctl a meaning of their own, beside another step the number may be another
 * file's by now, and at an odd place it is not known what was passed.
 */
static bool knows_better(const struct step *step, const struct file *file)
{
	return file->kind == KIND_DMABUF && step->place < PLACE_ODD &&
	       !step_is_beside();
}

static long refused(const struct step *step, const struct file *file, bool bad,
		    const char *what, long result)
{
	if (bad && result >= 0 && knows_better(step, file))
		check_failed("%s was taken", what);
	return result;
}

/* What all ioctls with flags of an access say no to. */
static bool bad_access(uint64_t flags, uint64_t known)
{
	return flags & ~known || !(flags & DMA_BUF_SYNC_RW);
}

/* May wait for a fence that nobody signals. */
long op_dmabuf_sync(const struct step *step)
{
	struct dma_buf_sync sync = {
		.flags = CHOOSE_BITS(step, step->b, DMA_BUF_SYNC_READ,
				     DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END),
	};

	bool bad = bad_access(sync.flags, DMA_BUF_SYNC_VALID_FLAGS_MASK);
	struct file file = dmabuf(step);

	return refused(step, &file, bad, "an unknown access",
		       call_ioctl_blocking(file.fd, DMA_BUF_IOCTL_SYNC, &sync,
					   sizeof(sync)));
}

/* b: which of the two numbers of the ioctl, value: how long the name is */
long op_dmabuf_name(const struct step *step)
{
	unsigned long cmd =
		step->b & 1 ? DMA_BUF_SET_NAME_A : DMA_BUF_SET_NAME_B;
	size_t length = number(step->value) % 64;
	struct file file = dmabuf(step);
	char name[64];

	memset(name, 'a' + step->c % 26, sizeof(name));
	name[length] = 0;
	/* with b & 2 the end of the text is the end of what can be read */
	return refused(step, &file,
		       !(step->b & 2) && length >= DMA_BUF_NAME_LEN,
		       "a name that is too long",
		       call_ioctl(file.fd, cmd, name,
				  step->b & 2 ? length : length + 1));
}

long op_dmabuf_export_sync(const struct step *step)
{
	struct dma_buf_export_sync_file arg = {
		.flags = CHOOSE_BITS(step, step->b ^ 1, DMA_BUF_SYNC_READ,
				     DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END),
		.fd = -1,
	};
	bool bad = bad_access(arg.flags, DMA_BUF_SYNC_RW);
	struct file file = dmabuf(step);
	long result = call_ioctl(file.fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg,
				 sizeof(arg));

	if (result >= 0)
		file_add(arg.fd, KIND_SYNC);
	return refused(step, &file, bad, "an unknown access", result);
}

/* c: which sync file */
long op_dmabuf_import_sync(const struct step *step)
{
	struct dma_buf_import_sync_file arg = {
		.flags = CHOOSE_BITS(step, step->b ^ 1, DMA_BUF_SYNC_READ,
				     DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END),
		.fd = file_find(KIND_SYNC, step->c).fd,
	};

	bool bad = bad_access(arg.flags, DMA_BUF_SYNC_RW);
	struct file file = dmabuf(step);

	return refused(step, &file, bad, "an unknown access",
		       call_ioctl(file.fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg,
				  sizeof(arg)));
}

/* b: number, c: size, direction by value; the argument is zeros */
long op_dmabuf_ioctl(const struct step *step)
{
	unsigned long cmd =
		_IOC(step->value & 3, DMA_BUF_BASE, step->b % 8, step->c);
	uint64_t arg[32] = { number(step->value), number(step->value) };

	return call_ioctl_blocking(file_find(KIND_ANY, step->a).fd, cmd, arg,
				   sizeof(arg));
}

/* value: where to begin, c: how much at a time */
long op_bufinfo(const struct step *step)
{
	char text[4096];
	int fd =
		open("/sys/kernel/debug/dma_buf/bufinfo", O_RDONLY | O_CLOEXEC);
	long result;

	if (fd < 0)
		return NOT_DONE;
	result = CALL(pread(fd, text, step->c ? step->c * 16 : sizeof(text),
			    step->b & 1 ? number(step->value) : 0));
	close(fd);
	return result;
}
