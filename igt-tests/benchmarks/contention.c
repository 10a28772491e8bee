// SPDX-License-Identifier: MIT
/*
 * Several at once: someone who reads the list of buffers over and over beside
 * someone who allocates, and two threads that do the same.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "prime_bench_uapi.h"

#define SECOND UINT64_C(1000000000)
#define ROUNDS 9
#define PAIRS  2

static void read_forever(void)
{
	static char text[64 * KIB];

	for (;;) {
		int fd = open("/sys/kernel/debug/dma_buf/bufinfo", O_RDONLY);

		if (fd < 0)
			die("bufinfo");
		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
}

static void spin_forever(void)
{
	static volatile unsigned long count;

	for (;;)
		count++;
}

/* How often a buffer is exported and closed in a time, beside somebody. */
static double exports_beside(void (*somebody)(void), uint64_t time)
{
	pid_t other = fork();
	uint64_t end;
	double count = 0;

	if (other < 0)
		die("fork");
	if (!other)
		somebody();
	/* that is there, and at it */
	end = now() + time / 4;
	while (now() < end)
		close(bare_export(0));
	end = now() + time;
	for (; now() < end; count++)
		close(bare_export(0));
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return count;
}

/*
 * On one CPU, that both want: what counts is whether the other takes more than its
 * share, so it is compared with one who only spins.
 */
void reader_against_allocator(unsigned int buffers)
{
	double alone, beside;

	for (unsigned int i = 0; i < buffers; i++)
		bare_export(0);
	alone = exports_beside(spin_forever, 2 * SECOND);
	beside = exports_beside(read_forever, 2 * SECOND);
	report("beside-reader", beside / alone, 0);
}

/* What a thread does over and over, each with files and buffers of its own. */
struct worker {
	pthread_t thread;
	void (*work)(struct worker *w);
	bool statistics;
	int importer, fd;
	uint32_t handle;
	atomic_ulong done;
};

static atomic_int stage; /* 0 wait, 1 work, 2 end */

static void work_spin(struct worker *w)
{
	static _Thread_local volatile unsigned long count;

	(void)w;
	for (int i = 0; i < 500; i++)
		count++;
	syscall(SYS_getppid);
}

static void work_export(struct worker *w)
{
	(void)w;
	close(bare_export(0));
}

/* What is left of that without a dma-buf, with a directory in sysfs where those have one. */
static void work_file(struct worker *w)
{
	close(file_create(w->statistics));
}

static void work_import(struct worker *w)
{
	forget(w->importer, import(w->importer, w->fd));
}

static void work_reimport(struct worker *w)
{
	import(w->importer, w->fd);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;

	while (!stage)
		sched_yield();
	while (stage == 1) {
		for (int i = 0; i < 16; i++)
			w->work(w);
		w->done += 16;
	}
	return NULL;
}

static double per_second(void (*work)(struct worker *w), struct worker *w,
			 int threads)
{
	struct timespec time = { .tv_nsec = SECOND / 4 };
	uint64_t begun;
	double done = 0;

	stage = 0;
	for (int i = 0; i < threads; i++) {
		w[i].work = work;
		w[i].done = 0;
		if (pthread_create(&w[i].thread, NULL, worker_run, &w[i]))
			die("pthread_create");
	}
	begun = now();
	stage = 1;
	nanosleep(&time, NULL);
	stage = 2;
	for (int i = 0; i < threads; i++) {
		pthread_join(w[i].thread, NULL);
		done += w[i].done;
	}
	return done * SECOND / (now() - begun);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static double gain(void (*work)(struct worker *w), struct worker *w)
{
	double one = per_second(work, w, 1);

	return per_second(work, w, 2) / one;
}

/* Work, and what it would be without PRIME, each by workers of its own. */
struct contest {
	const char *name;
	void (*work)(struct worker *w);
	struct worker *workers;
	void (*floor)(struct worker *w);
	struct worker *floor_workers;
};

static void report_gain(const char *what, const char *name, double *values)
{
	double middle = median(values);
	char row[40];

	snprintf(row, sizeof(row), "%s-%s", what, name);
	report(row, middle, values[ROUNDS - 1] - values[0]);
}

/*
 * What the second thread adds, beside what it adds to a loop that shares nothing, in
 * turn so that what else the machine does meets all.
 */
static void measure_gain(const struct contest *c)
{
	double loop[ROUNDS], work[ROUNDS], floor[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		loop[i] = gain(work_spin, c->workers);
		work[i] = gain(c->work, c->workers) / loop[i];
		floor[i] = gain(c->floor, c->floor_workers) / loop[i];
	}
	report_gain("loop", c->name, loop);
	report_gain("threads", c->name, work);
	report_gain("floor-threads", c->name, floor);
}

static void workers_begin(struct worker *w, struct buffer *b, int exporter,
			  const char *importer)
{
	for (int i = 0; i < PAIRS; i++) {
		buffer_create_on(exporter, &b[i], PAGE);
		buffer_export(&b[i]);
		w[i].importer = card_again(importer);
		w[i].fd = b[i].fd;
		w[i].statistics = !access("/sys/kernel/dmabuf/buffers", F_OK);
	}
}

/* So that there are pages, and each has the handle that is asked for again. */
static void workers_import(struct worker *w)
{
	for (int i = 0; i < PAIRS; i++)
		w[i].handle = import(w[i].importer, w[i].fd);
}

static void workers_forget(struct worker *w)
{
	for (int i = 0; i < PAIRS; i++)
		forget(w[i].importer, w[i].handle);
}

static void workers_end(struct worker *w, struct buffer *b)
{
	for (int i = 0; i < PAIRS; i++) {
		close(w[i].importer);
		buffer_destroy(&b[i]);
	}
}

static void measure_imports(struct worker *w, struct worker *f)
{
	struct contest imports = { "import", work_import, w, work_import, f };
	struct contest again = { "reimport", work_reimport, w,
				 work_reimport, f };

	workers_import(w);
	workers_import(f);
	workers_forget(w);
	workers_forget(f);
	measure_gain(&imports);
	workers_import(w);
	workers_import(f);
	measure_gain(&again);
	workers_forget(w);
	workers_forget(f);
}

void two_threads(bool imports)
{
	struct worker w[PAIRS] = {}, f[PAIRS] = {};
	struct buffer b[PAIRS], none[PAIRS];
	struct contest exports = { "export", work_export, w, work_file, f };

	workers_begin(w, b, card.vgem, "vkms");
	workers_begin(f, none, card.floor, PRIME_BENCH_FLOOR);
	measure_gain(&exports);
	if (imports)
		measure_imports(w, f);
	workers_end(w, b);
	workers_end(f, none);
}
