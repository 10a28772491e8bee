// SPDX-License-Identifier: MIT
/*
 * What makes an operation's behaviour without memory right: an errno that it
 * may answer, nothing left behind, and the same attempt working afterwards. See
 * fault_injection.c for how allocations are made to fail.
 */

#include <errno.h>

#include "igt.h"

#include "cards.h"
#include "fault_injection.h"
#include "faults.h"

/* Only a broken kernel allocates without end. */
#define MAX_FAULTS 20000

struct tally {
	/* One allocation failed, or all from there on. */
	unsigned int injected[2], refused[2];
	struct {
		int err;
		unsigned int times;
	} by_errno[ARRAY_SIZE(((struct fault_op *)0)->errnos)];
};

static bool may_answer(const struct fault_op *op, int err)
{
	if (!op->errnos[0])
		return err == ENOMEM;
	for (unsigned int i = 0; i < ARRAY_SIZE(op->errnos); i++)
		if (op->errnos[i] == err)
			return true;
	return false;
}

static void count_refusal(struct tally *tally, int err)
{
	unsigned int i = 0;

	/* There are as many places as there are errnos that may come. */
	while (tally->by_errno[i].err && tally->by_errno[i].err != err)
		i++;
	tally->by_errno[i].err = err;
	tally->by_errno[i].times++;
}

/* tools/faults reads these lines. */
static void report(const struct tally *tally)
{
	igt_info("fault: %s@%s: one=%u/%u rest=%u/%u", igt_subtest_name(),
		 igt_dynamic_subtest_name(), tally->refused[0],
		 tally->injected[0], tally->refused[1], tally->injected[1]);
	for (unsigned int i = 0; i < ARRAY_SIZE(tally->by_errno); i++)
		if (tally->by_errno[i].times)
			igt_info(" %s=%u",
				 strerrorname_np(tally->by_errno[i].err),
				 tally->by_errno[i].times);
	igt_info("\n");
}

static void call(void (*step)(struct bench *b), struct bench *b)
{
	if (step)
		step(b);
}

/* What became of the attempt at run. */
struct outcome {
	int err;
	bool hit; /* there was an nth allocation */
};

/* A fault: the nth allocation, or all from there on. 0 fails none. */
struct fault {
	unsigned int nth;
	bool rest;
};

static void try(const struct fault_op *op, struct bench *b,
		const struct fault *fault, struct outcome *out)
{
	faults_arm(fault->nth, fault->rest);
	out->err = -op->run(b);
	/* Unarmed it reads as if it had happened. */
	out->hit = faults_disarm() && fault->nth;
	call(out->err ? op->refused : op->good, b);
}

/*
 * What a process keeps and never gives back, the room in its descriptor table
 * for one, needs a new process each time. It tries again itself.
 */
static void try_in_child(const struct fault_op *op, struct bench *b,
			 const struct fault *fault, struct outcome *out)
{
	static const struct fault none;
	struct igt_helper_process child = {};
	struct outcome *answer, again;

	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	igt_assert(answer != MAP_FAILED);
	igt_fork_helper(&child) {
		faults_open();
		op->in_child(b);
		try(op, b, fault, answer);
		if (answer->err) {
			try(op, b, &none, &again);
			igt_assert_eq(again.err, 0);
		}
	}
	igt_assert_eq(igt_wait_helper(&child), 0);
	*out = *answer;
	munmap(answer, sizeof(*answer));
}

static void attempt(const struct fault_op *op, struct bench *b,
		    const struct fault *fault, struct outcome *out)
{
	call(op->prepare, b);
	if (op->in_child)
		try_in_child(op, b, fault, out);
	else
		try(op, b, fault, out);
	call(op->finish, b);
	errno = 0;
}

static void attempt_without(const struct fault_op *op, struct bench *b)
{
	static const struct fault none;
	struct outcome out;

	attempt(op, b, &none, &out);
	igt_assert_f(!out.err, "with all allocations it answers %s\n",
		     strerrorname_np(out.err));
}

/* Returns whether there was an nth allocation, and so may be one after it. */
static bool attempt_with(const struct fault_op *op, struct bench *b,
			 const struct fault *fault,
			 const struct leftovers *before, struct tally *tally)
{
	struct outcome out;

	igt_debug("without allocation %u%s\n", fault->nth,
		  fault->rest ? " and later ones" : "");
	/* One that somebody else makes is not made that often in a row. */
	for (int tries = 0; tries < (op->slow ? 1 : 3); tries++) {
		attempt(op, b, fault, &out);
		leftovers_expect_none(before, b->devices);
		/* A child has done this already. */
		if (!op->in_child && !op->slow) {
			attempt_without(op, b);
			leftovers_expect_none(before, b->devices);
		}
		if (out.err || !out.hit)
			break;
	}
	tally->injected[fault->rest] += out.hit;
	if (!out.err)
		return out.hit;

	igt_assert_f(out.hit && may_answer(op, out.err),
		     "it answers %s, and the fault was %sseen\n",
		     strerrorname_np(out.err), out.hit ? "" : "not ");
	tally->refused[fault->rest]++;
	count_refusal(tally, out.err);
	return true;
}

static void sweep(const struct fault_op *op, struct bench *b)
{
	struct fault fault = {};
	struct tally tally = {};
	struct leftovers before;
	struct references references;

	if (op->spared)
		faults_spare(op->spared);
	faults_open();
	/* The first time fills caches, which are not what is looked for. */
	attempt_without(op, b);
	leftovers_look(&before, b->devices);
	references_count(&references);

	do {
		fault.nth = 1;
		while (attempt_with(op, b, &fault, &before, &tally))
			igt_assert_lt(++fault.nth, MAX_FAULTS);
		fault.rest = !fault.rest;
	} while (fault.rest && !op->one_only);

	attempt_without(op, b);
	leftovers_expect_none(&before, b->devices);
	if (op->spared)
		faults_spare_none();
	references_expect_no_more(&references);
	report(&tally);
	igt_assert_lte(op->least_injected, tally.injected[0]);
	igt_assert_lte(op->least_refused, tally.refused[0]);
}

void bench_make_bo(struct bench *b)
{
	endpoint_create(b->from, 1024, 4, &b->bo);
}

void bench_drop_bo(struct bench *b)
{
	endpoint_destroy(&b->bo);
}

void bench_make_dumb(struct bench *b)
{
	b->dumb = (struct vgem_bo){ .width = 1024, .height = 4, .bpp = 32 };
	vgem_create(b->from->fd, &b->dumb);
}

void bench_drop_dumb(struct bench *b)
{
	gem_close(b->from->fd, b->dumb.handle);
}

int bench_attachments(const struct bench *b)
{
	static char text[65536];
	char row[32], *at;

	snprintf(row, sizeof(row), "\t%08lu\t",
		 (unsigned long)dmabuf_inode(b->bo.dmabuf));
	igt_assert_eq(bufinfo_read(text, sizeof(text)), 0);
	at = strstr(text, row);
	igt_assert_f(at, "bufinfo does not have the buffer\n");
	at = strstr(at, "\nTotal ");
	igt_assert_f(at, "bufinfo does not count the devices\n");
	return atoi(at + strlen("\nTotal "));
}

bool fault_from_drm(const struct endpoint *ep)
{
	return ep->exports && ep->type == ENDPOINT_DRM;
}

bool fault_from_vgem(const struct endpoint *ep)
{
	return strcmp(ep->name, "vgem0") == 0;
}

struct devices {
	struct endpoint eps[MAX_ENDPOINTS];
	const struct endpoint *importers[MAX_ENDPOINTS];
	int num, num_importers;
};

static void find_devices(struct devices *d)
{
	d->num = endpoints_open(d->eps, MAX_ENDPOINTS);
	for (int i = 0; i < d->num; i++)
		for (int k = 0; k < d->num && d->eps[i].imports; k++) {
			if (k == i || !d->eps[k].exports)
				continue;
			if (endpoint_takes(&d->eps[i], &d->eps[k]))
				d->importers[d->num_importers++] = &d->eps[i];
			break;
		}
}

static void run_alone(const struct fault_test *test, struct bench *b)
{
	igt_dynamic(b->from->name)
		sweep(&test->op, b);
}

static bool same_driver(const struct endpoint *a, const struct endpoint *b)
{
	return a->type == b->type && strcmp(a->driver, b->driver) == 0;
}

/* A second device of the same driver tells nothing more. */
static bool first_of_its_driver(const struct devices *d, int num)
{
	for (int i = 0; i < num; i++)
		if (same_driver(&d->eps[i], &d->eps[num]))
			return false;
	return true;
}

/* Nor does a second importer of the same driver. */
static void run_pairs(const struct fault_test *test, struct bench *b,
		      const struct devices *d)
{
	for (int i = 0; i < d->num_importers; i++) {
		const struct endpoint *to = d->importers[i];

		if (to == b->from || (b->to && same_driver(to, b->to)))
			continue;
		b->to = to;
		igt_dynamic_f("%s-to-%s", b->from->name, b->to->name)
			sweep(&test->op, b);
	}
}

/* The first importer is there already, the last one comes. */
static void run_triple(const struct fault_test *test, struct bench *b,
		       const struct devices *d)
{
	int first = 0, last = d->num_importers - 1;

	first += first <= last && d->importers[first] == b->from;
	last -= first < last && d->importers[last] == b->from;
	if (first >= last)
		return;
	b->beside = d->importers[first];
	b->to = d->importers[last];
	igt_dynamic_f("%s-to-%s-beside-%s", b->from->name, b->to->name,
		      b->beside->name)
		sweep(&test->op, b);
}

static void run_test(const struct fault_test *test, const struct devices *d)
{
	for (int i = 0; i < d->num; i++) {
		struct bench b = { .from = &d->eps[i] };

		if (!test->from(b.from) || !first_of_its_driver(d, i))
			continue;
		if (test->devices == 3)
			run_triple(test, &b, d);
		else if (test->devices == 2)
			run_pairs(test, &b, d);
		else
			run_alone(test, &b);
	}
}

void fault_tests(const struct fault_test *tests, unsigned int num)
{
	struct devices d = {};

	igt_fixture {
		faults_require();
		cards_load();
		find_devices(&d);
	}

	for (unsigned int t = 0; t < num; t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name)
			run_test(&tests[t], &d);
	}

	igt_fixture
		endpoints_close(d.eps, d.num);
}
