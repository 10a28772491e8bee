// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a list of steps.
 *
 * A step takes its objects by a small number among those that are there, and
 * what it needs and is not there is made first.  So nearly every list of steps
 * does something, a step can be taken out without making nonsense of the rest,
 * and a fuzzer that changes bytes at random gets far.
 *
 * A second thread runs the steps that are marked to run beside the next one.
 * Two vCPUs then are in the kernel at once, with the same objects.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "argument.h"
#include "check.h"
#include "count.h"
#include "cover.h"
#include "objects.h"
#include "operations.h"
#include "program.h"

/*
 * The numbers are in every corpus that somebody keeps: new ones go to the end,
 * and a number that is no longer used stays empty.
 */
static const struct op ops[128] = {
	[0] = { "open_node", op_open_node, 2 },
	[1] = { "dumb_create", op_dumb_create, 3 },
	[2] = { "dumb_map", op_dumb_map, 1 },
	[3] = { "dumb_destroy", op_dumb_destroy, 1 },
	[4] = { "gem_close", op_gem_close, 3 },
	[5] = { "gem_flink", op_gem_flink, 1 },
	[6] = { "gem_open", op_gem_open, 1 },
	[7] = { "prime_export", op_prime_export, 6 },
	[8] = { "prime_import", op_prime_import, 6 },
	[9] = { "fence_attach", op_fence_attach, 4 },
	[10] = { "fence_signal", op_fence_signal, 3 },
	[11] = { "drm_ioctl", op_drm_ioctl, 1 },
	[12] = { "kms_add_fb", op_kms_add_fb, 1 },
	[13] = { "kms_remove_fb", op_kms_remove_fb, 1 },
	[14] = { "kms_get_fb", op_kms_get_fb, 1 },
	[15] = { "kms_show", op_kms_show, 1 },
	[16] = { "dmabuf_sync", op_dmabuf_sync, 4 },
	[17] = { "dmabuf_name", op_dmabuf_name, 3 },
	[18] = { "dmabuf_export_sync", op_dmabuf_export_sync, 4 },
	[19] = { "dmabuf_import_sync", op_dmabuf_import_sync, 4 },
	[20] = { "dmabuf_ioctl", op_dmabuf_ioctl, 2 },
	[21] = { "bufinfo", op_bufinfo, 2 },
	[22] = { "timeline_open", op_timeline_open, 1 },
	[23] = { "timeline_fence", op_timeline_fence, 3 },
	[24] = { "timeline_inc", op_timeline_inc, 2 },
	[25] = { "sync_merge", op_sync_merge, 2 },
	[26] = { "sync_info", op_sync_info, 1 },
	[27] = { "sync_deadline", op_sync_deadline, 1 },
	[28] = { "close", op_close, 5 },
	[29] = { "dup", op_dup, 2 },
	[30] = { "send", op_send, 1 },
	[31] = { "read", op_read, 1 },
	[32] = { "write", op_write, 1 },
	[33] = { "seek", op_seek, 2 },
	[34] = { "stat", op_stat, 1 },
	[35] = { "fcntl", op_fcntl, 1 },
	[36] = { "resize", op_resize, 1 },
	[37] = { "reopen", op_reopen, 1 },
	[38] = { "fdinfo", op_fdinfo, 1 },
	[39] = { "link_name", op_link_name, 1 },
	[40] = { "fd_limit", op_fd_limit, 1 },
	[41] = { "poll", op_poll, 4 },
	[42] = { "epoll_add", op_epoll_add, 2 },
	[43] = { "epoll_change", op_epoll_change, 1 },
	[44] = { "epoll_wait", op_epoll_wait, 2 },
	[45] = { "mmap", op_mmap, 5 },
	[46] = { "munmap", op_munmap, 2 },
	[47] = { "mremap", op_mremap, 2 },
	[48] = { "mprotect", op_mprotect, 1 },
	[49] = { "touch", op_touch, 4 },
	[50] = { "madvise", op_madvise, 1 },
	[51] = { "msync", op_msync, 1 },
	[52] = { "mlock", op_mlock, 1 },
	[53] = { "fork", op_fork, 1 },
	[54] = { "splice", op_splice, 1 },
	[55] = { "memfd", op_memfd, 1 },
	[56] = { "udmabuf", op_udmabuf, 2 },
	[57] = { "udmabuf_list", op_udmabuf_list, 1 },
	[58] = { "heap", op_heap, 2 },
	[59] = { "video_open", op_video_open, 1 },
	[60] = { "video_buffers", op_video_buffers, 2, .no_faults = true },
	[61] = { "video_queue", op_video_queue, 3 },
	[62] = { "video_dequeue", op_video_dequeue, 1 },
	[63] = { "video_export", op_video_export, 2 },
	[64] = { "video_stream", op_video_stream, 1 },
	[65] = { "device_make", op_device_make, 2 },
	[66] = { "device_set", op_device_set, 2 },
	[67] = { "device_show", op_device_show, 1 },
	[68] = { "device_remove", op_device_remove, 1 },
	[69] = { "device_open", op_device_open, 2 },
	[70] = { "debugfs", op_debugfs, 1 },
	[71] = { "virtgpu_open", op_virtgpu_open, 2 },
	[72] = { "virtgpu_create", op_virtgpu_create, 3 },
	[73] = { "virtgpu_blob", op_virtgpu_blob, 1 },
	[74] = { "virtgpu_object", op_virtgpu_object, 3 },
	[75] = { "virtgpu_transfer", op_virtgpu_transfer, 3 },
	[76] = { "virtgpu_execute", op_virtgpu_execute, 1 },
	[77] = { "virtgpu_ask", op_virtgpu_ask, 1 },
	[78] = { "virtgpu_context", op_virtgpu_context, 1 },
};

bool program_verbose;

static struct runner main_runner, side_runner;
static __thread struct runner *current;
static bool racing;

static sem_t side_start, side_done;

struct runner *me(void)
{
	return current;
}

/* Whether the other thread runs a step as well. */
bool step_is_beside(void)
{
	return racing;
}

const struct op *op_find(uint8_t op)
{
	const struct op *found = &ops[op & ~STEP_BESIDE];

	return found->run ? found : NULL;
}

/* An operation at random, by weight. */
uint8_t op_choose(uint32_t random)
{
	static unsigned int total;
	unsigned int i;

	if (!total)
		for (i = 0; i < COUNT_OF(ops); i++)
			total += ops[i].weight;

	random %= total;
	for (i = 0; random >= ops[i].weight; i++)
		random -= ops[i].weight;

	return i;
}

/* --- one system call ------------------------------------------------------ */

static unsigned int runner_fault(const struct step *step)
{
	const struct op *op = op_find(step->op);

	if (step->fault < FAULT_FIRST || !op || op->no_faults)
		return 0;
	return step->fault - FAULT_FIRST + 1;
}

static void fail_nth(unsigned int nth)
{
	char text[8];
	int length;

	if (current->fault_fd < 0 || !runner_fault(current->step))
		return;
	length = snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(current->fault_fd, text, length, 0) != length)
		check_failed("fail-nth is not to be written: %m");
}

/* Repeated, because the first one may come before the call has begun. */
static void set_alarm(long milliseconds)
{
	struct itimerspec when = {
		.it_value.tv_nsec = milliseconds * 1000000,
		.it_interval.tv_nsec = milliseconds * 1000000,
	};

	timer_settime(current->alarm, 0, &when, NULL);
}

static __thread int frontier;
static __thread bool blocking;

void runner_arm(bool blocks)
{
	current->called = true;
	frontier = racing ? -1 : fd_frontier();
	blocking = blocks;
	if (blocks)
		set_alarm(2);
	fail_nth(runner_fault(current->step));
	errno = 0;
}

long runner_disarm(long result)
{
	int error = errno;

	fail_nth(0);
	if (blocking)
		set_alarm(0);
	if (result != -1)
		return result;
	if (frontier >= 0 && !current->lossy && fd_frontier() > frontier)
		check_failed("a call failed and left a file descriptor behind");
	return -error;
}

/* --- the two threads ------------------------------------------------------ */

static void on_fault(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *at = context;

	if (current && current->may_escape)
		siglongjmp(current->escape, signal);
	/* not from a step: a fault of this program, which it dies of */
	dprintf(STDERR_FILENO, "fuzz: signal %d for %p at %#llx\n", signal,
		info->si_addr, at->uc_mcontext.gregs[REG_RIP]);
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void catch_signals(void)
{
	struct sigaction fault = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	/* without SA_RESTART: what waits gives up */
	struct sigaction alarm = { .sa_handler = on_alarm };

	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGRTMIN, &alarm, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void runner_init(struct runner *runner)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGRTMIN,
		._sigev_un._tid = syscall(SYS_gettid),
	};

	current = runner;
	runner->fault_fd =
		open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	runner->pages = argument_pages();
	if (timer_create(CLOCK_MONOTONIC, &event, &runner->alarm)) {
		perror("timer_create");
		exit(1);
	}
	cover_start_thread();
}

static void print_result(const char *name, long result)
{
	if (result == NOT_DONE)
		printf("    %s: nothing to work on\n", name);
	else if (result < 0)
		printf("    %s = %s\n", name, strerrorname_np(-result) ?: "?");
	else
		printf("    %s = %ld\n", name, result);
}

static void step_run(const struct step *step)
{
	const struct op *op = op_find(step->op);
	long result;

	if (!op)
		return;
	current->step = step;
	current->lossy = false;
	current->called = false;
	if (program_verbose && !racing)
		program_print(step, 1);
	result = op->run(step);
	cover_result(step->op & ~STEP_BESIDE, result);
	if (program_verbose)
		print_result(op->name, result);
}

static void *side_thread(void *unused)
{
	(void)unused;
	runner_init(&side_runner);
	sem_post(&side_done);
	for (;;) {
		while (sem_wait(&side_start))
			;
		step_run(side_runner.step);
		sem_post(&side_done);
	}
	return NULL;
}

static void wait_for_side(void)
{
	while (sem_wait(&side_done))
		;
}

static void run_both(const struct step *beside, const struct step *step)
{
	if (program_verbose)
		program_print(beside, 2);
	racing = true;
	side_runner.step = beside;
	sem_post(&side_start);
	step_run(step);
	wait_for_side();
	racing = false;
}

void program_init(void)
{
	pthread_t thread;

	setlinebuf(stdout);
	catch_signals();
	runner_init(&main_runner);
	sem_init(&side_start, 0, 0);
	sem_init(&side_done, 0, 0);
	if (pthread_create(&thread, NULL, side_thread, NULL)) {
		perror("pthread_create");
		exit(1);
	}
	wait_for_side();
	/* a page of this program that is read in late can be what fails to be */
	if (mlockall(MCL_CURRENT))
		perror("mlockall");
	/* last: what is opened after this belongs to an input */
	objects_init();
	kms_init();
}

/* The steps of an input; a tail that is no whole step is left out. */
size_t program_load(struct step *steps, const uint8_t *data, size_t size)
{
	size_t count = size / sizeof(*steps);

	if (count > MAX_STEPS)
		count = MAX_STEPS;
	if (count)
		memcpy(steps, data, count * sizeof(*steps));
	return count;
}

/* From nothing, through the steps, to nothing. */
void program_run(const struct step *steps, size_t count)
{
	size_t i;

	cover_begin();
	for (i = 0; i < count; i++) {
		if (steps[i].op & STEP_BESIDE && i + 1 < count) {
			run_both(&steps[i], &steps[i + 1]);
			i++;
		} else {
			step_run(&steps[i]);
		}
	}
	device_reset();
	objects_reset();
	cover_end();
	check_invariants();
}

/* --- for people ----------------------------------------------------------- */

void program_print(const struct step *steps, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		const struct op *op = op_find(step->op);

		printf("%-18s a=%-3u b=%-3u c=%-3u value=%#llx",
		       op ? op->name : "(nothing)", step->a, step->b, step->c,
		       (unsigned long long)number(step->value));
		if (step->place >= PLACE_ODD)
			printf(" place=%u", step->place);
		if (runner_fault(step))
			printf(" fault=%u", runner_fault(step));
		printf("%s\n",
		       step->op & STEP_BESIDE ? " beside the next" : "");
	}
}
