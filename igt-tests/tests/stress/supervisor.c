// SPDX-License-Identifier: MIT
/*
 * The processes of a stress, from outside.
 *
 * A run is a number of rounds. Each starts processes, kills one of them now and
 * then and starts it anew, and ends when its time or its operations are used up.
 * Then all of them go, and nothing may be left: no buffer in the registry, no
 * reference to the module. A round has a seed of its own, so that the one that
 * failed can be had again by itself.
 *
 * The test's own process does nothing that may block in the code under test,
 * and watches: an operation of a thread that does not end is a failure, with
 * the kernel's stacks in the log.
 */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "igt.h"
#include "stress.h"

#define ROUND_SECONDS 10
#define LOOK_MSEC     500

struct member {
	struct igt_helper_process helper;
	int pidfd; /* -1: not running */
	unsigned int incarnation;
	struct {
		uint64_t done, since;
	} seen[STRESS_THREADS];
};

struct round {
	struct stress *stress;
	const struct stress_limits *limits;
	uint64_t seed, random;
	uint64_t deadline; /* milliseconds, as now() */
	unsigned int killed;
	struct member members[STRESS_PROCESSES];
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void start_member(struct round *r, unsigned int i)
{
	struct member *m = &r->members[i];
	struct stress *s = r->stress;

	for (unsigned int t = 0; t < STRESS_THREADS; t++) {
		m->seen[t].since = now();
		m->seen[t].done = 0;
		s->shared->lanes[i][t].done = 0;
		s->shared->lanes[i][t].tid = 0;
	}
	igt_fork_helper(&m->helper)
		exit(stress_worker(s, i, m->incarnation, r->seed));
	s->shared->pids[i] = m->helper.pid;
	m->pidfd = syscall(SYS_pidfd_open, m->helper.pid, 0);
	igt_assert_fd(m->pidfd);
}

/* It has ended. */
static int reap_member(struct round *r, unsigned int i)
{
	struct member *m = &r->members[i];

	r->stress->shared->pids[i] = 0;
	close(m->pidfd);
	m->pidfd = -1;
	return igt_wait_helper(&m->helper);
}

static bool wait_end(struct member *m, unsigned int seconds)
{
	struct pollfd pollfd = { .fd = m->pidfd, .events = POLLIN };

	return poll(&pollfd, 1, seconds * 1000) == 1;
}

static void show_file(const char *what, pid_t pid, pid_t tid, const char *file)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, file);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		igt_warn("%s: %s", what, line);
	fclose(f);
}

static void sysrq(char what)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, &what, 1) < 0)
		igt_warn("sysrq-%c: %m\n", what);
	close(fd);
}

/* Where everybody is: threads in the test's output, blocked tasks in the log. */
static void dump(struct round *r)
{
	struct stress_shared *shared = r->stress->shared;

	for (unsigned int i = 0; i < r->stress->config->processes; i++) {
		for (unsigned int t = 0; t < STRESS_THREADS; t++) {
			struct stress_lane *lane = &shared->lanes[i][t];
			char what[64];

			if (!lane->tid || !shared->pids[i])
				continue;
			snprintf(what, sizeof(what), "process %u thread %u, %s",
				 i, t, stress_op(lane->op)->name);
			show_file(what, shared->pids[i], lane->tid, "syscall");
			show_file(what, shared->pids[i], lane->tid, "stack");
		}
	}
	sysrq('w');
	sysrq('l');
}

/* Whether a thread has not ended an operation for too long. */
static void look_at_lane(struct round *r, unsigned int i, unsigned int t)
{
	struct stress_lane *lane = &r->stress->shared->lanes[i][t];
	struct member *m = &r->members[i];
	uint64_t done = lane->done;

	if (!lane->tid || done != m->seen[t].done) {
		m->seen[t].done = done;
		m->seen[t].since = now();
		return;
	}
	if (now() - m->seen[t].since < r->limits->hang * 1000ull)
		return;
	stress_fail(r->stress, "process %u thread %u hangs in '%s'", i, t,
		    stress_op(lane->op)->name);
	dump(r);
}

static void look_for_hang(struct round *r)
{
	const struct stress_config *config = r->stress->config;

	for (unsigned int i = 0; i < config->processes; i++)
		for (unsigned int t = 0; t < config->threads; t++)
			if (!r->stress->shared->stop)
				look_at_lane(r, i, t);
}

static void kill_one(struct round *r)
{
	unsigned int i;
	struct member *m;

	r->random = r->random * 6364136223846793005ull + 1442695040888963407ull;
	i = (r->random >> 33) % r->stress->config->processes;
	m = &r->members[i];
	if (m->pidfd < 0)
		return;
	kill(m->helper.pid, SIGKILL);
	if (!wait_end(m, r->limits->hang)) {
		stress_fail(r->stress, "process %u does not die", i);
		dump(r);
		return;
	}
	reap_member(r, i);
	r->killed++;
	m->incarnation++;
	start_member(r, i);
}

/* A process ends by itself only after a failure, or when all is done. */
static void member_ended(struct round *r, unsigned int i)
{
	int code = reap_member(r, i);

	if (code || !r->stress->shared->stop)
		stress_fail(r->stress, "process %u ended with status %d", i,
			    code);
}

static void supervise_once(struct round *r)
{
	struct pollfd fds[1 + STRESS_PROCESSES];
	unsigned int n = r->stress->config->processes;
	uint64_t ticks;

	fds[0] = (struct pollfd){ .fd = r->stress->tick, .events = POLLIN };
	for (unsigned int i = 0; i < n; i++)
		fds[1 + i] = (struct pollfd){ .fd = r->members[i].pidfd,
					      .events = POLLIN };
	poll(fds, 1 + n, LOOK_MSEC);
	for (unsigned int i = 0; i < n; i++)
		if (fds[1 + i].revents)
			member_ended(r, i);
	if (fds[0].revents && !r->stress->shared->stop &&
	    read(r->stress->tick, &ticks, sizeof(ticks)) == sizeof(ticks))
		kill_one(r);
	look_for_hang(r);
	if (now() >= r->deadline)
		r->stress->shared->stop = true;
}

/* Those that do not end by themselves are killed; one that cannot be stays. */
static void end_members(struct round *r)
{
	for (unsigned int i = 0; i < r->stress->config->processes; i++) {
		struct member *m = &r->members[i];

		if (m->pidfd < 0)
			continue;
		if (!wait_end(m, r->limits->hang)) {
			stress_fail(r->stress, "process %u does not end", i);
			dump(r);
			kill(m->helper.pid, SIGKILL);
			if (!wait_end(m, r->limits->hang))
				continue;
		}
		member_ended(r, i);
	}
}

/* How many buffers there are. */
static int buffers(struct stress *s)
{
	char path[96], line[512];
	int total = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/dma_buf/bufinfo", s->debugfs);
	f = fopen(path, "re");
	igt_assert_f(f, "%s: %m\n", path);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Total %d objects", &total);
	fclose(f);
	return total;
}

static int module_users(void)
{
	FILE *f = fopen("/sys/module/vgem/refcnt", "re");
	int users = 0;

	if (!f)
		return 0; /* built in */
	igt_assert_eq(fscanf(f, "%d", &users), 1);
	fclose(f);
	return users;
}

/*
 * The last reference may be dropped by a worker of the kernel, after the
 * process that caused it is gone.
 */
static void expect_nothing_left(struct round *r, int had_buffers, int had_users)
{
	uint64_t until = now() + r->limits->hang * 1000;

	while (buffers(r->stress) != had_buffers ||
	       module_users() != had_users) {
		if (now() > until) {
			stress_fail(r->stress,
				    "left: %d dma-bufs, %d users of vgem",
				    buffers(r->stress) - had_buffers,
				    module_users() - had_users);
			return;
		}
		poll(NULL, 0, 10);
	}
}

static void remove_hot(void)
{
	for (int i = 0; i < STRESS_HOT; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/kernel/config/vgem/stress%d",
			 i);
		rmdir(path);
	}
}

static void reset_shared(struct round *r)
{
	struct stress_shared *shared = r->stress->shared;

	shared->stop = false;
	shared->budget = r->limits->operations;
	memset(shared->names, 0, sizeof(shared->names));
	memset(shared->pids, 0, sizeof(shared->pids));
	memset(shared->lanes, 0, sizeof(shared->lanes));
}

static void run_round(struct round *r)
{
	struct stress *s = r->stress;
	int had_buffers, had_users;

	s->slots = s->config->slots ?: 1u << r->seed % 4;
	remove_hot();
	had_buffers = buffers(s);
	had_users = module_users();
	reset_shared(r);
	s->tick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	igt_assert_fd(s->tick);
	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     s->sockets));

	for (unsigned int i = 0; i < s->config->processes; i++)
		start_member(r, i);
	while (!s->shared->stop)
		supervise_once(r);
	end_members(r);

	close(s->sockets[0]);
	close(s->sockets[1]);
	close(s->tick);
	remove_hot();
	if (!s->shared->failed)
		expect_nothing_left(r, had_buffers, had_users);
}

static bool ever_succeeded(const struct stress *s, const char *name)
{
	const struct stress_op *op;

	for (unsigned int i = 0; (op = stress_op(i)); i++) {
		uint64_t succeeded = s->shared->counts[i].ran;

		for (int err = 1; err < STRESS_ERRNOS; err++)
			succeeded -= s->shared->counts[i].failed[err];
		if (!strcmp(op->name, name) && succeeded)
			return true;
	}
	return false;
}

/* What a subtest is named for, which a slow machine may not have come to in time. */
static const char *missing(const struct stress *s,
			   const struct stress_limits *limits,
			   unsigned int killed)
{
	unsigned int every = s->config->kill_every;

	if (every && every < limits->operations / 2 && !killed)
		return "nobody was killed";
	if (!(s->config->groups & STRESS_UNPLUG))
		return NULL;
	if (!ever_succeeded(s, "configfs: plug"))
		return "no device was plugged";
	if (!ever_succeeded(s, "configfs: unplug"))
		return "no device was unplugged";
	return NULL;
}

static void report(struct stress *s)
{
	const struct stress_op *op;
	uint64_t total = 0;

	igt_info("%-24s %9s  %s\n", "operation", "ran",
		 "of these with an errno");
	for (unsigned int i = 0; (op = stress_op(i)); i++) {
		struct stress_count *count = &s->shared->counts[i];

		if (!count->ran)
			continue;
		igt_info("%-24s %9llu ", op->name,
			 (unsigned long long)count->ran);
		for (int err = 1; err < STRESS_ERRNOS; err++)
			if (count->failed[err])
				igt_info(" %s %u", strerrorname_np(err),
					 count->failed[err]);
		igt_info("\n");
		total += count->ran;
	}
	igt_info("%-24s %9llu\n", "all", (unsigned long long)total);
	igt_assert_f(total, "nothing was done\n");
}

void stress_run(struct stress *s, const struct stress_config *config,
		const struct stress_limits *limits)
{
	uint64_t end = now() + limits->seconds * 1000ull;
	uint64_t latest = end + limits->hang * 1000ull, until;
	unsigned int rounds = 0, killed = 0;
	const char *lacks;
	struct round r;

	s->config = config;
	memset(s->shared, 0, sizeof(*s->shared));
	s->shared->last_id = 1;
	igt_info("seed %llu\n", (unsigned long long)limits->seed);
	do {
		until = now() < end ? end : latest;
		r = (struct round){
			.stress = s,
			.limits = limits,
			.seed = limits->seed + rounds,
			.random = limits->seed + rounds,
			.deadline = min(now() + ROUND_SECONDS * 1000, until),
		};
		run_round(&r);
		rounds++;
		killed += r.killed;
		lacks = missing(s, limits, killed);
	} while (!s->shared->failed &&
		 (now() < end || (lacks && now() < latest)));

	report(s);
	igt_info("%u rounds, %u processes killed\n", rounds, killed);
	igt_assert_f(!s->shared->failed,
		     "%s (again: --run-subtest %s --seed %llu)\n",
		     s->shared->why, config->name, (unsigned long long)r.seed);
	igt_assert_f(!lacks, "%s\n", lacks);
}
