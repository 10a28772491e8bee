// SPDX-License-Identifier: MIT
/*
 * Processes, signals and time.
 *
 * Children started by igt_fork() belong to the block that started them: the
 * block collects them with igt_waitchildren(), and when it ends early they are
 * killed, so that no child outlives its subtest. Exit handlers run also when a
 * signal ends the test.
 */

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "igt_core.h"
#include "igt_priv.h"

#define MAX_CHILDREN 256
#define MAX_HANDLERS 16

bool igt_in_child;

/* A child of igt_fork() has none of its own. */
static bool is_last;

static pid_t children[MAX_CHILDREN];
static int num_children;
static igt_exit_handler_t handlers[MAX_HANDLERS];
static int num_handlers;
static const char *timeout_op;

/* A child must not run the parent's exit handlers nor own its children. */
static void become_child(void)
{
	igt_in_child = true;
	num_children = 0;
	num_handlers = 0;
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	igt_log_reset();
}

static bool fork_child(void)
{
	pid_t pid;

	igt_assert_f(!is_last, "a child of igt_fork() forks\n");
	igt_assert_lt(num_children, MAX_CHILDREN);
	fflush(NULL);
	pid = fork();
	igt_assert_lte(0, pid);
	if (pid) {
		children[num_children++] = pid;
		return false;
	}
	become_child();
	return true;
}

bool __igt_fork(void)
{
	bool child = fork_child();

	is_last = child;
	return child;
}

bool __igt_multi_fork(void)
{
	return fork_child();
}

void igt_kill_children(int signal)
{
	for (int i = 0; i < num_children; i++)
		kill(children[i], signal);
}

static int exit_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return 128 + WTERMSIG(status);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return IGT_EXIT_FAILURE;
	return exit_of(status);
}

int __igt_waitchildren(void)
{
	int first = 0;

	for (int i = 0; i < num_children; i++) {
		int code = wait_for(children[i]);

		if (!code)
			continue;
		igt_warn("child %i failed with exit status %i\n", i, code);
		if (!first) {
			first = code;
			igt_kill_children(SIGKILL);
		}
	}
	num_children = 0;
	return first;
}

void igt_waitchildren(void)
{
	int err = __igt_waitchildren();

	if (err)
		igt_fail(err);
}

void igt_fork_reap(void)
{
	if (!num_children)
		return;
	igt_kill_children(SIGKILL);
	for (int i = 0; i < num_children; i++)
		wait_for(children[i]);
	num_children = 0;
}

bool __igt_fork_helper(struct igt_helper_process *proc)
{
	fflush(NULL);
	proc->pid = fork();
	igt_assert_lte(0, proc->pid);
	if (proc->pid) {
		proc->running = true;
		return false;
	}
	become_child();
	return true;
}

int igt_wait_helper(struct igt_helper_process *proc)
{
	int code = wait_for(proc->pid);

	proc->running = false;
	return code;
}

void igt_stop_helper(struct igt_helper_process *proc)
{
	if (!proc->running)
		return;
	kill(proc->pid, proc->use_SIGKILL ? SIGKILL : SIGTERM);
	igt_wait_helper(proc);
}

void igt_install_exit_handler(igt_exit_handler_t fn)
{
	for (int i = 0; i < num_handlers; i++)
		if (handlers[i] == fn)
			return;
	igt_assert_lt(num_handlers, MAX_HANDLERS);
	handlers[num_handlers++] = fn;
}

void igt_run_exit_handlers(int sig)
{
	while (num_handlers)
		handlers[--num_handlers](sig);
}

static void at_exit(void)
{
	if (!igt_in_child)
		igt_fork_reap();
	igt_run_exit_handlers(0);
}

static void on_fatal_signal(int sig)
{
	static const char text[] = "Received a fatal signal.\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(128 + sig);
	if (!igt_in_child)
		igt_kill_children(SIGKILL);
	igt_run_exit_handlers(sig);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_alarm(int sig)
{
	(void)sig;
	igt_critical("Timed out: %s\n", timeout_op ?: "operation");
	igt_fail(IGT_EXIT_FAILURE);
}

void igt_fork_init(void)
{
	static const int fatal[] = { SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
				     SIGSEGV, SIGBUS,  SIGILL, SIGFPE };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], on_fatal_signal);
	atexit(at_exit);
}

void igt_set_timeout(unsigned int seconds, const char *op)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	timeout_op = op;
	sigaction(SIGALRM, &sa, NULL);
	alarm(seconds);
}

void igt_reset_timeout(void)
{
	alarm(0);
}

uint64_t igt_nsec_elapsed(struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!start->tv_sec && !start->tv_nsec) {
		*start = now;
		return 0;
	}
	return (now.tv_sec - start->tv_sec) * 1000000000ull + now.tv_nsec -
	       start->tv_nsec;
}
