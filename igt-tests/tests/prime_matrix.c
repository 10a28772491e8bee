// SPDX-License-Identifier: MIT
/*
 * The matrix: whatever makes a dma-buf, with whatever takes one, in every order.
 *
 * A cell is an exporter and an importer, where the two are, and how the importer
 * gets at the memory. The exporter puts a picture into its buffer that is the
 * cell's own, by its own means; the importer finds it at the far end by its own,
 * be it a capture of what a display has shown, or what comes out of a video
 * device. If the importer can write, the exporter finds what it has written.
 *
 * A cell that cannot be is not there: a heap imports nothing, a converter shows
 * nothing. Where an importer has a reason to refuse the buffer and does, the cell
 * is skipped, and says with which errno.
 */

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "igt.h"

#include "cards.h"
#include "matrix/matrix.h"

/**
 * TEST: Every exporter with every importer
 * Description: A picture put into a buffer by one device, found by another:
 *	for each ordered pair of DRM devices, heaps, udmabuf and video devices
 *	that can, wherever the importer is and whichever way it looks.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: %s-%s
 * Description: The picture is arg[1]; arg[2].
 *
 * arg[1]:
 *
 * @mmap:		seen and changed by the CPU
 * @vmap:		mapped by the importer's driver
 * @scanout:		shown by the importer
 * @stream:		streamed by one end or both
 *
 * arg[2]:
 *
 * @same-process:	both ends are in one process
 * @scm-rights:		the importer got the buffer over a socket
 * @after-fork:		the importer is a child of the exporter
 * @exporter-gone:	the exporter was killed before the import
 */

IGT_TEST_DESCRIPTION("Every exporter with every importer, in every way.");

#define MAX_ENDS (MAX_ENDPOINTS + 4)

static const struct {
	const char *name, *describe;
} ways[] = {
	[BY_MMAP] = { "mmap", "seen and changed by the CPU" },
	[BY_VMAP] = { "vmap", "mapped by the importer's driver" },
	[BY_SCANOUT] = { "scanout", "shown by the importer" },
	[BY_STREAM] = { "stream", "streamed by one end or both" },
};

static void same_process(struct cell *cell)
{
	int dmabuf[QUEUE_BUFFERS];
	struct exporter e;

	exporter_open(&e, cell->exporter, cell->count);
	exporter_fill(&e, cell);
	for (int i = 0; i < cell->count; i++)
		dmabuf[i] = dup(e.dmabuf[i]);
	importer_run(cell, dmabuf);
	exporter_check(&e, cell);
	exporter_close(&e);
}

static void send_all(int sk, const struct exporter *e)
{
	for (int i = 0; i < e->count; i++)
		send_fd(sk, e->dmabuf[i]);
}

static void receive_all(int sk, int *dmabuf, int count)
{
	for (int i = 0; i < count; i++)
		dmabuf[i] = receive_fd(sk);
}

/* The importer is there first, so that it inherits nothing of the buffer. */
static void scm_rights(struct cell *cell)
{
	struct exporter e;
	int sk[2];

	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	igt_fork(child, 1) {
		int dmabuf[QUEUE_BUFFERS];

		close(sk[0]);
		receive_all(sk[1], dmabuf, cell->count);
		importer_run(cell, dmabuf);
	}
	close(sk[1]);
	exporter_open(&e, cell->exporter, cell->count);
	exporter_fill(&e, cell);
	send_all(sk[0], &e);
	igt_waitchildren();
	exporter_check(&e, cell);
	exporter_close(&e);
	close(sk[0]);
}

static void after_fork(struct cell *cell)
{
	struct exporter e;

	exporter_open(&e, cell->exporter, cell->count);
	exporter_fill(&e, cell);
	igt_fork(child, 1)
		importer_run(cell, e.dmabuf);
	igt_waitchildren();
	exporter_check(&e, cell);
	exporter_close(&e);
}

/* All that is left of the exporter is what the importer was given. */
static void exporter_gone(struct cell *cell)
{
	struct igt_helper_process proc = { .use_SIGKILL = true };
	ino_t inode[QUEUE_BUFFERS];
	int dmabuf[QUEUE_BUFFERS], sk[2];

	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	igt_fork_helper(&proc) {
		struct exporter e;

		close(sk[0]);
		exporter_open(&e, cell->exporter, cell->count);
		exporter_fill(&e, cell);
		send_all(sk[1], &e);
		pause();
	}
	close(sk[1]);
	receive_all(sk[0], dmabuf, cell->count);
	igt_stop_helper(&proc);
	for (int i = 0; i < cell->count; i++)
		inode[i] = dmabuf_inode(dmabuf[i]);
	importer_run(cell, dmabuf);
	for (int i = 0; i < cell->count; i++)
		dmabuf_expect_gone(inode[i]);
	close(sk[0]);
}

static const struct {
	const char *name, *describe;
	void (*run)(struct cell *cell);
} places[] = {
	{ "same-process", "both ends in one process", same_process },
	{ "scm-rights", "the importer got the buffer over a socket",
	  scm_rights },
	{ "after-fork", "the importer is a child of the exporter", after_fork },
	{ "exporter-gone", "the exporter was killed before the import",
	  exporter_gone },
};

static bool is_display(const struct end *end)
{
	return !end->video && (strcmp(end->ep.driver, "vkms") == 0 ||
			       strcmp(end->ep.driver, "virtio-gpu") == 0);
}

static bool can_be(const struct end *from, const struct end *to, enum way by,
		   bool gone)
{
	if (from == to || !from->exports || !to->imports)
		return false;
	switch (by) {
	case BY_MMAP:
		return !to->video;
	case BY_VMAP:
		return to->video || strcmp(to->ep.driver, "vkms") == 0;
	case BY_SCANOUT:
		return is_display(to);
	case BY_STREAM:
		/* what the importer draws, an exporter that is gone cannot show */
		return to->video ||
		       (from->video && !(gone && from->video == VIDEO_OUTPUT));
	}
	return false;
}

/* The end that shows the pictures of a cell, or NULL. */
static const struct end *shown_by(const struct cell *cell, bool gone)
{
	if (cell->way == BY_SCANOUT || cell->importer->video == VIDEO_OUTPUT)
		return cell->importer;
	if (cell->way == BY_STREAM && !gone &&
	    cell->exporter->video == VIDEO_OUTPUT)
		return cell->exporter;
	return NULL;
}

static void run(struct cell *cell, int place)
{
	bool gone = places[place].run == exporter_gone;
	const struct end *to = cell->importer, *screen = shown_by(cell, gone);
	unsigned int hash = 5381;

	igt_skip_on_f(screen && screen->unseen, "nobody sees what %s shows\n",
		      screen->name);
	for (const char *c = igt_dynamic_subtest_name(); *c; c++)
		hash = hash * 33 + *c;
	cell->seed = hash + 7919 * (cell->way * 4 + place);
	cell->count = cell->way == BY_STREAM ? QUEUE_BUFFERS : 1;
	cell->keep = place == 0;
	cell->refused[0] = '\0';
	/* A process of its own: what a failure leaves open is closed. */
	igt_multi_fork(child, 1)
		places[place].run(cell);
	igt_waitchildren();
	igt_skip_on_f(cell->refused[0], "%s and the buffer of %s: %s\n",
		      to->name, cell->exporter->name, cell->refused);
}

igt_main
{
	struct end ends[MAX_ENDS];
	struct cell *cell = NULL;
	int num = 0;

	igt_fixture {
		cards_load();
		num = ends_open(ends, MAX_ENDS);
		cell = mmap(NULL, sizeof(*cell), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		igt_assert(cell != MAP_FAILED);
	}

	for (unsigned int way = 0; way < ARRAY_SIZE(ways); way++) {
		for (unsigned int place = 0; place < ARRAY_SIZE(places);
		     place++) {
			igt_describe_f("%s; %s", ways[way].describe,
				       places[place].describe);
			igt_subtest_with_dynamic_f("%s-%s", ways[way].name,
						   places[place].name)
			{
				for (int p = 0; p < num * num; p++) {
					cell->exporter = &ends[p / num];
					cell->importer = &ends[p % num];
					cell->way = way;
					if (!can_be(cell->exporter,
						    cell->importer, way,
						    places[place].run ==
							    exporter_gone))
						continue;
					igt_dynamic_f("%s-to-%s",
						      cell->exporter->name,
						      cell->importer->name)
						run(cell, place);
				}
			}
		}
	}

	igt_fixture
		ends_close(ends, num);
}
