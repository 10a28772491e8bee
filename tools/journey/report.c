// SPDX-License-Identifier: MIT
/*
 * The journey as a table, and the verdict on it. The verdict looks at each hop
 * in order, so the hop it names is the first where something went wrong.
 */
#include <stdio.h>
#include <string.h>

#include "outfile.h"
#include "report.h"
#include "util.h"

static const char legend[] =
	"attached  devices attached to the buffer, from bufinfo in debugfs\n"
	"sg        entries of the importer's scatter table, from bufinfo; \"-\" where it\n"
	"          has none yet, or on a kernel whose bufinfo does not tell\n"
	"pixels    FNV-1a, 64 bits, over blue, green and red of every pixel\n"
	"copied    bytes that are other memory than what the client drew into: those of\n"
	"          the pages that do not show a stamp the client has just put there\n"
	"An import is read through a dma-buf exported again from the importer's handle.\n"
	"What vkms scans out is a capture, written by its writeback connector into a\n"
	"buffer of its own; what virtio-gpu does, the host's screendump, each pixel of\n"
	"which was compared with the buffer's.\n";

void report_add(struct report *report, const struct hop *hop)
{
	if (report->count == MAX_HOPS)
		die("more than %d hops", MAX_HOPS);
	report->hops[report->count++] = *hop;
}

static void put_number(FILE *out, int width, __s64 number)
{
	if (number == NONE)
		fprintf(out, "  %*s", width, "-");
	else
		fprintf(out, "  %*lld", width, number);
}

static void print_table(const struct report *report, FILE *out)
{
	unsigned int i;

	fprintf(out,
		"The client is process %lld, the compositor process %lld.\n\n",
		report->client_pid, report->compositor_pid);
	fprintf(out, "%3s  %5s  %-10s  %-9s  %-16s", "hop", "frame", "process",
		"does", "device");
	fprintf(out, "  %6s  %3s  %6s  %9s  %8s  %4s  %-16s  %8s\n", "handle",
		"fd", "inode", "size", "attached", "sg", "pixels", "copied");

	for (i = 0; i < report->count; i++) {
		const struct hop *hop = &report->hops[i];

		fprintf(out, "%3u  %5u  %-10s  %-9s  %-16s", i + 1, hop->frame,
			hop->process, hop->does, hop->device);
		put_number(out, 6, hop->handle);
		put_number(out, 3, hop->fd);
		put_number(out, 6, hop->inode);
		put_number(out, 9, hop->size);
		put_number(out, 8, hop->attached);
		put_number(out, 4, hop->sg_entries);
		fprintf(out, "  %016llx", hop->hash);
		put_number(out, 8, hop->copied);
		fputc('\n', out);
	}
	fprintf(out,
		"\nFrame 2 was queued while the client drew it under a vgem fence: poll() found\n");
	fprintf(out,
		"the buffer busy, and for %u refreshes of the screen the plane waited for that\n",
		report->held_back);
	fprintf(out, "fence (IN_FENCE_FD), until the client signalled it.\n");
	fprintf(out, "\n%s", legend);
}

/* Prints the table, and writes it to @dir. */
void report_write(const struct report *report, const char *dir,
		  const char *name)
{
	struct outfile file;

	outfile_open(&file, dir, name);
	print_table(report, file.stream);
	outfile_commit(&file);

	print_table(report, stdout);
	if (fflush(stdout))
		die_errno("standard output", "write");
}

static bool differs(unsigned int index, const struct hop *hop, const char *what,
		    __u64 is, __u64 expected)
{
	if (is == expected)
		return false;
	fprintf(stderr,
		"%s: hop %u (frame %u, %s %s, %s): %s is %llu (%#llx), expected %llu (%#llx)\n",
		role, index + 1, hop->frame, hop->process, hop->does,
		hop->device, what, is, is, expected, expected);
	return true;
}

/* True if nothing is wrong with the hop; else says what. */
static bool check_hop(const struct report *report, unsigned int index)
{
	const struct hop *first = &report->hops[0];
	const struct hop *hop = &report->hops[index];

	if (hop->inode != NONE &&
	    differs(index, hop, "the inode", hop->inode, first->inode))
		return false;
	if (hop->inode != NONE &&
	    differs(index, hop, "the size", hop->size, first->size))
		return false;
	if (hop->attached != NONE &&
	    differs(index, hop, "the number of attached devices", hop->attached,
		    hop->importers))
		return false;
	if (differs(index, hop, "the hash of the pixels", hop->hash,
		    report->intended[hop->frame - 1]))
		return false;
	if (hop->copied != NONE &&
	    differs(index, hop, "the number of bytes copied", hop->copied, 0))
		return false;
	return true;
}

bool report_check(const struct report *report)
{
	unsigned int i;

	/* Else an old picture could pass for the new one. */
	if (report->intended[0] == report->intended[1]) {
		fprintf(stderr, "%s: both frames are the same picture\n", role);
		return false;
	}
	for (i = 0; i < report->count; i++)
		if (!check_hop(report, i))
			return false;
	return true;
}
