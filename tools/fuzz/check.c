// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every input leaves behind: nothing.
 *
 * The kernel tells some faults itself, in its log, and most of those end it.  The
 * rest are looked for here: a buffer that outlives its last user, a reference on
 * vgem or virtio-gpu that nobody has, a line in the log that should not be there.  Whatever is
 * found belongs to the input that has just run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "count.h"

/* Freeing may be put off to a workqueue, or to a timer of the kernel. */
#define PATIENCE_MS 10000

static char verdict[256];
static int bufinfo = -1, references = -1, virtgpu_references = -1, log_fd = -1;
static long base_buffers, base_references, base_virtgpu_references;

/* The first of several is what matters. */
void check_failed(const char *format, ...)
{
	va_list args;

	if (verdict[0])
		return;
	va_start(args, format);
	vsnprintf(verdict, sizeof(verdict), format, args);
	va_end(args);
}

const char *check_verdict(void)
{
	return verdict[0] ? verdict : NULL;
}

void check_clear(void)
{
	verdict[0] = 0;
}

/* How many buffers there are, from the last line; -1 where it does not tell. */
static long count_buffers(void)
{
	char text[65536];
	long size = 0, got;
	char *total;

	while ((got = pread(bufinfo, text + size, sizeof(text) - 1 - size,
			    size)) > 0)
		size += got;
	text[size] = 0;
	total = strstr(text, "\nTotal ");
	for (char *next = total; next; next = strstr(next + 1, "\nTotal "))
		total = next;
	return total ? atol(total + 7) : -1;
}

static long count_of(int refcnt)
{
	char text[32] = "";

	return pread(refcnt, text, sizeof(text) - 1, 0) > 0 ? atol(text) : -1;
}

static long count_references(void)
{
	return count_of(references);
}

/* Each fence has one, so this tells of fences, too. */
static long count_virtgpu_references(void)
{
	return count_of(virtgpu_references);
}

void check_init(void)
{
	bufinfo =
		open("/sys/kernel/debug/dma_buf/bufinfo", O_RDONLY | O_CLOEXEC);
	references = open("/sys/module/vgem/refcnt", O_RDONLY | O_CLOEXEC);
	/* not there without such a device, and then none is counted */
	virtgpu_references =
		open("/sys/module/virtio_gpu/refcnt", O_RDONLY | O_CLOEXEC);
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (bufinfo < 0 || references < 0 || log_fd < 0) {
		fprintf(stderr,
			"fuzz: bufinfo, vgem's refcnt and /dev/kmsg must be there: %m\n");
		exit(1);
	}
	lseek(log_fd, 0, SEEK_END);
	base_buffers = count_buffers();
	base_references = count_references();
	base_virtgpu_references = count_virtgpu_references();
}

static bool comes_to(long (*count)(void), long wanted)
{
	int waited;

	for (waited = 0; count() != wanted; waited++) {
		if (waited >= PATIENCE_MS)
			return false;
		usleep(1000);
	}
	return true;
}

static bool is_bad(const char *line)
{
	static const char *const signs[] = {
		"WARNING:",
		"BUG:",
		"BUG at",
		"Oops",
		"KASAN",
		"UBSAN",
		"INFO: task",
		"INFO: rcu",
		"INFO: trying",
		"INFO: possible",
		"possible recursive",
		"possible circular",
		"suspicious RCU",
		"inconsistent lock",
		"bad unlock balance",
		"held lock freed",
		"soft lockup",
		"hung task",
		"refcount_t:",
		"list_add corruption",
		"list_del corruption",
		"sleeping function called",
		"scheduling while atomic",
		"ODEBUG",
		"DMA-API:",
	};
	unsigned int i;

	for (i = 0; i < COUNT_OF(signs); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

static void check_log(void)
{
	char record[8192], *text;
	long got;

	for (;;) {
		got = read(log_fd, record, sizeof(record) - 1);
		/* the oldest were overwritten: go on with the rest */
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			return;
		record[got] = 0;
		text = strchr(record, ';');
		text = text ? text + 1 : record;
		text[strcspn(text, "\n")] = 0;
		if (is_bad(text))
			check_failed("kernel log: %s", text);
	}
}

/* What is left once is told once: the next input starts from there. */
static void check_count(long (*count)(void), long *base, const char *what)
{
	long got;

	if (comes_to(count, *base))
		return;
	got = count();
	check_failed("%ld %s left, %ld before", got, what, *base);
	*base = got;
}

void check_invariants(void)
{
	check_count(count_buffers, &base_buffers, "buffers");
	check_count(count_references, &base_references, "references to vgem");
	check_count(count_virtgpu_references, &base_virtgpu_references,
		    "references to virtio-gpu");
	check_log();
}
