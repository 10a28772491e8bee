// SPDX-License-Identifier: MIT
/*
 * Subtests and their results.
 *
 * A test binary is a list of blocks: fixtures that set up, subtests that judge.
 * The same list must serve three callers: one that wants the names, one that
 * wants a single subtest, one that wants them all. So each block asks here
 * whether it is to run, and leaves by a jump: a failed assertion deep in a
 * helper ends its subtest, not the binary.
 *
 * A result belongs to the innermost block that runs (dynamic subtest, subtest,
 * fixture). A fixture that fails or skips decides for all subtests after it, up
 * to the end of its igt_subtest_group.
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "igt_core.h"
#include "igt_priv.h"

enum verdict {
	V_PASS,
	V_SKIP,
	V_FAIL,
};

static const char *const verdict_name[] = {
	[V_PASS] = "SUCCESS",
	[V_SKIP] = "SKIP",
	[V_FAIL] = "FAIL",
};

sigjmp_buf igt_subtest_jmpbuf;
sigjmp_buf igt_dynamic_jmpbuf;

static struct {
	bool in_fixture;
	char *subtest, *dynamic; /* names of the blocks that run, or NULL */
	struct timespec subtest_start, dynamic_start;
	enum verdict henceforth; /* other than V_PASS: a fixture decided */
	char *description, *group_description;

	bool container; /* the subtest is made of dynamic ones */
	unsigned int dynamic_done, dynamic_failed;

	unsigned int matched, passed, skipped, failed;
	int exitcode; /* of the first failure */
} state;

const char *igt_test_name(void)
{
	return igt_options.name;
}

const char *igt_subtest_name(void)
{
	return state.subtest;
}

const char *igt_dynamic_subtest_name(void)
{
	return state.dynamic;
}

bool igt_only_list_subtests(void)
{
	return igt_options.list || igt_options.describe;
}

bool igt_can_fail(void)
{
	return !igt_only_list_subtests() && (state.subtest || state.in_fixture);
}

/* A block that starts in the wrong place is a bug of the test. */
static void block_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", igt_options.name, what);
	abort();
}

bool __igt_fixture(void)
{
	block_must(!state.in_fixture && !state.subtest,
		   "fixture inside a block");
	if (igt_only_list_subtests() || state.henceforth != V_PASS)
		return false;
	state.in_fixture = true;
	return true;
}

void __igt_fixture_complete(void)
{
	state.in_fixture = false;
}

void __igt_subtest_group_save(int *save, int *desc)
{
	block_must(!state.in_fixture && !state.subtest, "group inside a block");
	*save = state.henceforth;
	*desc = 0;
	free(state.group_description);
	state.group_description = state.description;
	state.description = NULL;
}

void __igt_subtest_group_restore(int save, int desc)
{
	(void)desc;
	state.henceforth = save;
	free(state.group_description);
	state.group_description = NULL;
}

void igt_describe_f(const char *fmt, ...)
{
	va_list args;

	free(state.description);
	va_start(args, fmt);
	if (vasprintf(&state.description, fmt, args) < 0)
		state.description = NULL;
	va_end(args);
}

const char *__igt_format_name(const char *fmt, ...)
{
	static char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	return name;
}

static bool name_ok(const char *name)
{
	const char *c = name;

	while (isalnum((unsigned char)*c) || *c == '-' || *c == '_')
		c++;
	return c != name && !*c;
}

static void say_starting(const char *kind, const char *name)
{
	fflush(stderr);
	printf("Starting %s: %s\n", kind, name);
	fprintf(stderr, "Starting %s: %s\n", kind, name);
	igt_kmsg(KMSG_INFO "%s: starting %s %s\n", igt_options.name, kind,
		 name);
	igt_log_reset();
}

static void say_result(const char *kind, const char *name, enum verdict v,
		       struct timespec *start)
{
	double s = igt_nsec_elapsed(start) / 1e9;
	char c = kind[0] - 'a' + 'A';

	printf("%c%s %s: %s (%.3fs)\n", c, kind + 1, name, verdict_name[v], s);
	fflush(stdout);
	fprintf(stderr, "%c%s %s: %s (%.3fs)\n", c, kind + 1, name,
		verdict_name[v], s);
	igt_kmsg(KMSG_INFO "%s: finished %s %s, %s\n", igt_options.name, kind,
		 name, verdict_name[v]);
}

static void count(enum verdict v)
{
	if (v == V_PASS)
		state.passed++;
	else if (v == V_SKIP)
		state.skipped++;
	else
		state.failed++;
}

/* A fixture has decided for this subtest. */
static void say_decided(const char *name)
{
	struct timespec start = {};

	igt_nsec_elapsed(&start);
	say_result("subtest", name, state.henceforth, &start);
	count(state.henceforth);
}

static void say_description(const char *name, const char *file, int line,
			    const char *description)
{
	if (!description)
		description = state.group_description;
	if (!description)
		description = "NO DOCUMENTATION!";
	printf("SUB %s %s:%d:\n  %s\n\n", name, file, line, description);
}

bool __igt_run_subtest(const char *name, const char *file, const int line)
{
	char *description = state.description;

	block_must(!state.in_fixture && !state.subtest,
		   "subtest inside a block");
	block_must(name_ok(name),
		   "a subtest's name may hold only [a-zA-Z0-9_-]");
	state.description = NULL;

	if (igt_options.run_pattern &&
	    !igt_option_matches(name, igt_options.run_pattern)) {
		free(description);
		return false;
	}
	state.matched++;
	if (igt_options.list)
		puts(name);
	else if (igt_options.describe)
		say_description(name, file, line, description);
	free(description);
	if (igt_only_list_subtests())
		return false;
	if (state.henceforth != V_PASS) {
		say_decided(name);
		return false;
	}

	state.subtest = strdup(name);
	state.container = false;
	state.subtest_start = (struct timespec){};
	igt_nsec_elapsed(&state.subtest_start);
	say_starting("subtest", name);
	return true;
}

bool __igt_enter_dynamic_container(void)
{
	state.container = true;
	state.dynamic_done = 0;
	state.dynamic_failed = 0;
	return true;
}

bool __igt_run_dynamic_subtest(const char *name)
{
	block_must(state.container && !state.dynamic,
		   "dynamic subtest outside of its container");
	block_must(name_ok(name),
		   "a subtest's name may hold only [a-zA-Z0-9_-]");
	if (igt_options.dynamic_pattern &&
	    !igt_option_matches(name, igt_options.dynamic_pattern))
		return false;

	state.dynamic = strdup(name);
	state.dynamic_start = (struct timespec){};
	igt_nsec_elapsed(&state.dynamic_start);
	say_starting("dynamic subtest", name);
	return true;
}

static __noreturn void leave_dynamic(enum verdict v)
{
	igt_fork_reap();
	say_result("dynamic subtest", state.dynamic, v, &state.dynamic_start);
	free(state.dynamic);
	state.dynamic = NULL;
	if (v != V_SKIP)
		state.dynamic_done++;
	if (v == V_FAIL)
		state.dynamic_failed++;
	siglongjmp(igt_dynamic_jmpbuf, 1);
}

static __noreturn void leave_subtest(enum verdict v)
{
	igt_fork_reap();
	igt_reset_timeout();
	say_result("subtest", state.subtest, v, &state.subtest_start);
	count(v);
	free(state.subtest);
	state.subtest = NULL;
	siglongjmp(igt_subtest_jmpbuf, 1);
}

static __noreturn void leave_fixture(enum verdict v)
{
	igt_fork_reap();
	state.in_fixture = false;
	state.henceforth = v;
	siglongjmp(igt_subtest_jmpbuf, 1);
}

/* Nothing that has been entered is left: the test itself ends. */
static __noreturn void leave(enum verdict v)
{
	if (state.dynamic)
		leave_dynamic(v);
	if (state.subtest)
		leave_subtest(v);
	if (state.in_fixture)
		leave_fixture(v);
	count(v);
	igt_exit();
}

void igt_success(void)
{
	if (state.container && !state.dynamic) {
		if (state.dynamic_failed) {
			if (!state.exitcode)
				state.exitcode = IGT_EXIT_FAILURE;
			leave(V_FAIL);
		}
		if (!state.dynamic_done) {
			igt_info("No dynamic tests executed.\n");
			leave(V_SKIP);
		}
	}
	leave(V_PASS);
}

/* The text of a condition that does not hold, and errno if that may be why. */
static void say_condition(const char *what, const char *condition,
			  const char *domain, enum igt_log_level level)
{
	int err = errno;

	igt_log(domain, level, "%s: %s\n", what, condition);
	if (err)
		igt_log(domain, level, "Last errno: %i, %s\n", err,
			strerror(err));
}

static __noreturn void skip(void)
{
	if (igt_in_child) {
		igt_critical("A child process must not skip.\n");
		igt_log_dump(igt_options.name);
		_exit(IGT_EXIT_FAILURE);
	}
	leave(V_SKIP);
}

void igt_skip(const char *f, ...)
{
	va_list args;

	va_start(args, f);
	igt_vlog(IGT_LOG_DOMAIN, IGT_LOG_INFO, f, args);
	va_end(args);
	skip();
}

void __igt_skip_check(const char *file, const int line, const char *func,
		      const char *check, const char *format, ...)
{
	va_list args;

	igt_info("Test requirement not met in function %s, file %s:%i:\n", func,
		 file, line);
	say_condition("Test requirement", check, NULL, IGT_LOG_INFO);
	if (format) {
		va_start(args, format);
		igt_vlog(IGT_LOG_DOMAIN, IGT_LOG_INFO, format, args);
		va_end(args);
	}
	skip();
}

void igt_fail(int exitcode)
{
	igt_log_dump(state.dynamic ?: state.subtest ?: igt_options.name);
	if (igt_in_child) {
		fflush(NULL);
		_exit(exitcode ?: IGT_EXIT_FAILURE);
	}
	if (!state.exitcode)
		state.exitcode = exitcode ?: IGT_EXIT_FAILURE;
	leave(V_FAIL);
}

void __igt_fail_assert(const char *domain, const char *file, const int line,
		       const char *func, const char *assertion,
		       const char *format, ...)
{
	const enum igt_log_level level = IGT_LOG_CRITICAL;
	va_list args;

	igt_log(domain, level,
		"Test assertion failure function %s, file %s:%i:\n", func, file,
		line);
	say_condition("Failed assertion", assertion, domain, level);
	if (format) {
		va_start(args, format);
		igt_vlog(domain, level, format, args);
		va_end(args);
	}
	igt_fail(IGT_EXIT_FAILURE);
}

static int exit_status(void)
{
	if (igt_options.run_pattern && !state.matched) {
		fprintf(stderr, "Unknown subtest: %s\n",
			igt_options.run_pattern);
		return IGT_EXIT_INVALID;
	}
	if (igt_only_list_subtests())
		return IGT_EXIT_SUCCESS;
	if (state.failed || state.henceforth == V_FAIL)
		return state.exitcode ?: IGT_EXIT_FAILURE;
	if (state.passed || !state.skipped)
		return IGT_EXIT_SUCCESS;
	return IGT_EXIT_SKIP;
}

void igt_exit(void)
{
	int status = exit_status();

	if (!igt_only_list_subtests())
		igt_kmsg(KMSG_INFO "%s: exiting, ret=%d\n", igt_options.name,
			 status);
	exit(status);
}
