// SPDX-License-Identifier: MIT
/*
 * The threads of one process.
 *
 * What a thread does follows from the seed, the process and the thread alone: a
 * replay has every thread do the same again, though not at the same moments.
 * A timer interrupts each thread all the time, so that nothing waits for long
 * for a fence that nobody signals, and every wait gets to see a signal.
 */

#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../endpoint.h"
#include "stress.h"

#define NEEDLE_NSEC 20000000

/* For the handler of SIGBUS, which has no other way to them. */
static struct stress *stress_of_process;
static __thread const struct stress_op *op_at_hand;

static const struct stress_op *const tables[] = { stress_ops_gem,
						  stress_ops_dmabuf,
						  stress_ops_fence,
						  stress_ops_system, NULL };

const struct stress_op *stress_op(unsigned int index)
{
	for (unsigned int i = 0; tables[i]; i++)
		for (const struct stress_op *op = tables[i]; op->name; op++)
			if (index-- == 0)
				return op;
	return NULL;
}

/* The first to fail tells why, and everybody stops. */
void stress_fail(struct stress *s, const char *format, ...)
{
	struct stress_shared *shared = s->shared;
	va_list args;

	if (!atomic_exchange(&shared->failed, true)) {
		va_start(args, format);
		vsnprintf(shared->why, sizeof(shared->why), format, args);
		va_end(args);
	}
	shared->stop = true;
}

/* Marsaglia's xorshift, 64 bits. */
uint32_t stress_random(struct stress_thread *t, uint32_t below)
{
	uint64_t x = t->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	t->random = x;
	return (uint32_t)(x >> 32) % below;
}

static uint64_t first_random(uint64_t seed, const struct stress_thread *t)
{
	uint64_t x = seed;

	x = (x + 1) * 0x9e3779b97f4a7c15ull + t->process->index;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull + t->process->incarnation;
	x = (x ^ x >> 32) * 0x94d049bb133111ebull + t->index;
	return (x ^ x >> 31) | 1;
}

static bool allowed(const struct stress_thread *t, const struct stress_op *op,
		    int err)
{
	for (unsigned int i = 0; op->allowed[i]; i++)
		if (op->allowed[i] == err)
			return true;
	if (t->met_hot && err == ENODEV)
		return true;
	return t->met_stranger &&
	       (err == EBADF || err == EINVAL || err == ENOTTY);
}

static void judge(struct stress_thread *t, const struct stress_op *op,
		  struct stress_count *count, int ret)
{
	struct stress *s = t->process->stress;

	if (ret == STRESS_IDLE)
		return;
	count->ran++;
	if (!ret)
		return;
	if (-ret < STRESS_ERRNOS)
		count->failed[-ret]++;
	if (!allowed(t, op, -ret))
		stress_fail(s, "%s failed with %s (%s), which it should not",
			    op->name, strerrorname_np(-ret), strerror(-ret));
}

static unsigned int choose(struct stress_thread *t)
{
	const struct stress_config *config = t->process->stress->config;
	const struct stress_op *op;
	unsigned int total = 0, i;
	uint32_t at;

	for (i = 0; (op = stress_op(i)); i++)
		if (!(op->group & ~config->groups))
			total += op->weight;
	at = stress_random(t, total);
	for (i = 0; (op = stress_op(i)); i++) {
		if (op->group & ~config->groups)
			continue;
		if (at < op->weight)
			break;
		at -= op->weight;
	}
	return i;
}

static void one_operation(struct stress_thread *t, struct stress_lane *lane)
{
	struct stress_shared *shared = t->process->stress->shared;
	unsigned int number = choose(t);

	op_at_hand = stress_op(number);
	t->met_hot = false;
	t->met_stranger = false;
	lane->op = number;
	judge(t, op_at_hand, &shared->counts[number], op_at_hand->run(t));
	lane->done++;
}

/* False when all the operations there are to do have been given out. */
static bool take_from_budget(struct stress *s)
{
	int64_t left = atomic_fetch_sub(&s->shared->budget, 1);
	const unsigned int every = s->config->kill_every;
	const uint64_t one = 1;

	if (left <= 0)
		s->shared->stop = true;
	else if (every && left % every == 0 &&
		 write(s->tick, &one, sizeof(one)) < 0)
		stress_fail(s, "eventfd: %s", strerror(errno));
	return left > 0;
}

static bool needle_start(timer_t *needle)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR1,
	};
	const struct itimerspec often = {
		.it_interval.tv_nsec = NEEDLE_NSEC,
		.it_value.tv_nsec = NEEDLE_NSEC,
	};

	event._sigev_un._tid = gettid();
	return timer_create(CLOCK_MONOTONIC, &event, needle) == 0 &&
	       timer_settime(*needle, 0, &often, NULL) == 0;
}

static void *thread_main(void *data)
{
	struct stress_thread *t = data;
	struct stress *s = t->process->stress;
	struct stress_lane *lane =
		&s->shared->lanes[t->process->index][t->index];
	timer_t needle;

	if (!needle_start(&needle)) {
		stress_fail(s, "no timer: %s", strerror(errno));
		return NULL;
	}
	lane->tid = gettid();
	while (!s->shared->stop && take_from_budget(s))
		one_operation(t, lane);
	for (unsigned int i = 0; i < STRESS_MAPS; i++)
		stress_map_drop(&t->maps[i]);
	lane->tid = 0;
	timer_delete(needle);
	return NULL;
}

static void on_needle(int sig)
{
	(void)sig;
}

/* Memory of a buffer that is mapped must be there. */
static void on_fault(int sig)
{
	stress_fail(stress_of_process, "%s during %s",
		    sig == SIGBUS ? "SIGBUS" : "SIGSEGV",
		    op_at_hand ? op_at_hand->name : "nothing");
	_exit(1);
}

static void take_signals(void)
{
	struct sigaction needle = { .sa_handler = on_needle };
	struct sigaction fault = { .sa_handler = on_fault };

	sigaction(SIGUSR1, &needle, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
}

/* Returns what the process ends with: 0, or 1 if this one found a fault. */
int stress_worker(struct stress *s, unsigned int index,
		  unsigned int incarnation, uint64_t seed)
{
	static struct stress_process process;
	static struct stress_thread threads[STRESS_THREADS];
	struct stress_process *p = &process;
	unsigned int n;
	int before;

	stress_of_process = s;
	take_signals();
	before = count_open_fds();
	p->index = index;
	p->incarnation = incarnation;
	stress_process_init(p, s);
	for (n = 0; n < s->config->threads; n++) {
		struct stress_thread *t = &threads[n];

		t->process = p;
		t->index = n;
		t->random = first_random(seed, t);
		if (pthread_create(&t->pthread, NULL, thread_main, t)) {
			stress_fail(s, "no thread: %s", strerror(errno));
			break;
		}
	}
	while (n--)
		pthread_join(threads[n].pthread, NULL);
	stress_process_fini(p);
	if (count_open_fds() != before)
		stress_fail(s, "process %u has %d descriptors too many", index,
			    count_open_fds() - before);
	return s->shared->failed;
}
