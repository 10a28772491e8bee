// SPDX-License-Identifier: MIT
/*
 * Out of memory is the one error that every operation can meet, at every
 * allocation it makes, and the one that never happens while somebody looks. The
 * kernel can make it happen: a number n in /proc/self/fail-nth fails the nth
 * allocation of this thread. So each operation is attempted with n = 1, 2, 3
 * and so on until it makes fewer than n allocations; then every path out of it
 * was taken once.
 *
 * Some allocations are nobody's: the slab allocator wants a page now and then,
 * a debugging aid room for its notes, and both do without. Where the kernel can
 * filter by stack trace, those are passed over.
 *
 * Where the second try succeeds, what follows two failures is never seen. So
 * all is done once more with the nth allocation and all later ones failing:
 * when fail-nth has counted down, the kernel asks make-it-fail.
 */

#include <fcntl.h>
#include <sys/mman.h>

#include "igt.h"

#include "fault_injection.h"

/* In this order, and back in the opposite one: nobody else may be hit. */
static struct knob {
	const char *file, *value;
	char before[32];
	bool changed;
} knobs[] = {
	/* Those that may sleep, which is nearly all of them, too. */
	{ "failslab/ignore-gfp-wait", "N", "", false },
	{ "failslab/cache-filter", "N", "", false },
	{ "fail_page_alloc/ignore-gfp-wait", "N", "", false },
	{ "fail_page_alloc/ignore-gfp-highmem", "N", "", false },
	{ "fail_page_alloc/min-order", "0", "", false },
	/* A line in the log for each would look like a crash. */
	{ "failslab/verbose", "0", "", false },
	{ "fail_page_alloc/verbose", "0", "", false },
	/* All of those of a task that has make-it-fail. */
	{ "failslab/task-filter", "Y", "", false },
	{ "failslab/interval", "1", "", false },
	{ "failslab/times", "-1", "", false },
	{ "failslab/space", "0", "", false },
	{ "failslab/probability", "100", "", false },
	{ "fail_page_alloc/task-filter", "Y", "", false },
	{ "fail_page_alloc/interval", "1", "", false },
	{ "fail_page_alloc/times", "-1", "", false },
	{ "fail_page_alloc/space", "0", "", false },
	{ "fail_page_alloc/probability", "100", "", false },
};

/* Allocations below these functions are passed over, if the kernel can. */
static struct filter {
	struct knob start, end;
	const char *functions[8]; /* of one file, next to each other */
} filters[] = {
	{ { "failslab/reject-start", NULL, "", false },
	  { "failslab/reject-end", NULL, "", false },
	  /* kmemleak */
	  { "__alloc_object", "mem_pool_alloc" } },
	{ { "fail_page_alloc/reject-start", NULL, "", false },
	  { "fail_page_alloc/reject-end", NULL, "", false },
	  /* the slab allocator, and KASAN on its behalf */
	  { "allocate_slab", "new_slab", "___slab_alloc", "kfree",
	    "kmem_cache_alloc_noprof", "__kmalloc_noprof",
	    "kmem_cache_free" } },
};

static int open_knob(const struct knob *knob, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", igt_debugfs_mount(), knob->file);
	return open(path, flags | O_CLOEXEC);
}

static bool write_knob(const struct knob *knob, const char *value)
{
	int fd = open_knob(knob, O_WRONLY);
	ssize_t len = strlen(value);
	bool written = fd >= 0 && write(fd, value, len) == len;

	if (fd >= 0)
		close(fd);
	return written;
}

static bool read_knob(struct knob *knob)
{
	int fd = open_knob(knob, O_RDONLY);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, knob->before, sizeof(knob->before) - 1);
		close(fd);
	}
	knob->before[len > 0 ? len : 0] = 0;
	return len > 0;
}

static void set_knob(struct knob *knob, const char *value)
{
	knob->changed = true;
	igt_assert_f(write_knob(knob, value), "%s does not take '%s'\n",
		     knob->file, value);
}

static void restore(struct knob *knob)
{
	if (knob->changed)
		write_knob(knob, knob->before);
	knob->changed = false;
}

static void restore_all(int sig __maybe_unused)
{
	for (int i = ARRAY_SIZE(knobs) - 1; i >= 0; i--)
		restore(&knobs[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(filters); i++) {
		restore(&filters[i].start);
		restore(&filters[i].end);
	}
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/*
 * From the first of the functions to the end of the last; 0 if there is none.
 * The lines are "address type name", in the order of addresses, so a function
 * ends where the next begins.
 */
static void find_functions(const char *const *names, char *start, char *end,
			   int size)
{
	unsigned long from = 0, to = 0;
	bool inside = false;
	char line[512], *name;
	FILE *f = fopen("/proc/kallsyms", "re");

	igt_assert(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\t\n")] = 0;
		name = strrchr(line, ' ');
		if (!name)
			continue;
		if (inside)
			to = strtoul(line, NULL, 16);
		inside = is_one_of(name + 1, names);
		if (inside && !from)
			from = strtoul(line, NULL, 16);
	}
	fclose(f);
	snprintf(start, size, "%#lx", from);
	snprintf(end, size, "%#lx", to);
}

static bool has_filter(struct filter *filter)
{
	return read_knob(&filter->start) && read_knob(&filter->end);
}

static void set_filter(struct filter *filter, const char *const *functions)
{
	char start[32], end[32];

	find_functions(functions, start, end, sizeof(start));
	set_knob(&filter->start, start);
	set_knob(&filter->end, end);
}

void faults_require(void)
{
	igt_require_f(access("/proc/self/fail-nth", W_OK) == 0,
		      "no fail-nth (CONFIG_FAULT_INJECTION, root)\n");
	igt_require_f(igt_debugfs_mount(), "no debugfs\n");
	/* Of CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_DEBUG_FS. */
	for (unsigned int i = 0; i < ARRAY_SIZE(knobs); i++)
		igt_require_f(read_knob(&knobs[i]), "no %s in debugfs\n",
			      knobs[i].file);
	igt_install_exit_handler(restore_all);
	for (unsigned int i = 0; i < ARRAY_SIZE(knobs); i++)
		set_knob(&knobs[i], knobs[i].value);
	for (unsigned int i = 0; i < ARRAY_SIZE(filters); i++)
		if (has_filter(&filters[i]))
			set_filter(&filters[i], filters[i].functions);
}

/* In the place of kmemleak, whose allocations then fail, and do no harm. */
void faults_spare(const char *function)
{
	const char *const functions[] = { function, NULL };

	/* Of CONFIG_FAULT_INJECTION_STACKTRACE_FILTER. */
	igt_require_f(has_filter(&filters[0]), "%s cannot be spared\n",
		      function);
	set_filter(&filters[0], functions);
}

void faults_spare_none(void)
{
	set_filter(&filters[0], filters[0].functions);
}

/* The files are the process's own: a child needs others. */
static struct {
	pid_t owner;
	int nth, rest;
} self;

void faults_open(void)
{
	if (self.owner == getpid())
		return;
	if (self.owner) {
		close(self.nth);
		close(self.rest);
	}
	self.nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	igt_assert_fd(self.nth);
	self.rest = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC);
	igt_assert_fd(self.rest);
	self.owner = getpid();
	/*
	 * A fault of a page of the program would be repeated until it works,
	 * with all allocations failing for ever. And 9p, where a guest has its
	 * programs, does not survive one that fails.
	 */
	do_or_die(mlockall(MCL_CURRENT));
}

static void write_number(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	igt_assert_eq(pwrite(fd, text, len, 0), len);
}

/* Neither file makes the kernel allocate when it is written or read. */
void faults_arm(unsigned int nth, bool rest)
{
	write_number(self.nth, nth);
	if (nth && rest)
		write_number(self.rest, 1);
}

/* Whether there was an nth allocation. From now on none fails. */
bool faults_disarm(void)
{
	char text[16] = "";

	write_number(self.rest, 0);
	/* Counted down: 0 once it has happened. */
	igt_assert_lt(0, pread(self.nth, text, sizeof(text) - 1, 0));
	write_number(self.nth, 0);
	return atoi(text) == 0;
}
