/* SPDX-License-Identifier: MIT */
/*
 * The control flow of an IGT test: subtests, fixtures, assertions, skips,
 * child processes, log. Names and behaviour are those of igt-gpu-tools, so that
 * a test compiles against either library; the code is ours.
 */
#ifndef IGT_CORE_H
#define IGT_CORE_H

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define IGT_EXIT_SUCCESS 0
#define IGT_EXIT_SKIP	 77
#define IGT_EXIT_INVALID 79
#define IGT_EXIT_FAILURE 98
#define IGT_EXIT_ABORT	 112

#ifndef IGT_LOG_DOMAIN
#define IGT_LOG_DOMAIN (NULL)
#endif

#ifndef __noreturn
#define __noreturn __attribute__((noreturn))
#endif
#define __maybe_unused		__attribute__((unused))
#define __igt_printf(fmt, args) __attribute__((format(printf, fmt, args)))

#define __igt_tokencat2(x, y) x##y
#define igt_tokencat(x, y)    __igt_tokencat2(x, y)
#define igt_unique(prefix)    igt_tokencat(__igt_##prefix##_at_, __LINE__)

/* What --help-description prints. */
extern const char *__igt_test_description __attribute__((weak));
#define IGT_TEST_DESCRIPTION(text) const char *__igt_test_description = text

/*
 * Where igt_skip(), igt_fail() and igt_success() jump to: out of the fixture or
 * subtest that runs, and out of the dynamic subtest within it.
 */
extern sigjmp_buf igt_subtest_jmpbuf;
extern sigjmp_buf igt_dynamic_jmpbuf;

typedef int (*igt_opt_handler_t)(int opt, int opt_index, void *data);
#define IGT_OPT_HANDLER_SUCCESS 0
#define IGT_OPT_HANDLER_ERROR	-2

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_opts,
				const struct option *long_opts,
				const char *help, igt_opt_handler_t handler,
				void *data);
__noreturn void igt_exit(void);

#define igt_main_args(short_opts, long_opts, help, handler, data)            \
	static void igt_unique(body)(void);                                  \
	int main(int argc, char **argv)                                      \
	{                                                                    \
		igt_subtest_init_parse_opts(&argc, argv, short_opts,         \
					    long_opts, help, handler, data); \
		igt_unique(body)();                                          \
		igt_exit();                                                  \
	}                                                                    \
	static void igt_unique(body)(void)
#define igt_main igt_main_args(NULL, NULL, NULL, NULL, NULL)

/* Set-up code; not run when subtests are only listed. */
bool __igt_fixture(void);
void __igt_fixture_complete(void);
#define igt_fixture                                                            \
	for (bool igt_unique(enter) =                                          \
		     __igt_fixture() && sigsetjmp(igt_subtest_jmpbuf, 1) == 0; \
	     igt_unique(enter);                                                \
	     igt_unique(enter) = false, __igt_fixture_complete())

/* A skip or failure in a fixture of the group takes only the group with it. */
void __igt_subtest_group_save(int *save, int *desc);
void __igt_subtest_group_restore(int save, int desc);
#define igt_subtest_group                                                     \
	for (int igt_unique(once) = 1, igt_unique(save), igt_unique(desc);    \
	     igt_unique(once) &&                                              \
	     (__igt_subtest_group_save(&igt_unique(save), &igt_unique(desc)), \
	      true);                                                          \
	     igt_unique(once) = 0,                                            \
		 __igt_subtest_group_restore(igt_unique(save),                \
					     igt_unique(desc)))

bool __igt_run_subtest(const char *name, const char *file, const int line);
bool __igt_enter_dynamic_container(void);
bool __igt_run_dynamic_subtest(const char *name);
void igt_success(void);
const char *__igt_format_name(const char *fmt, ...) __igt_printf(1, 2);

#define igt_subtest(name)                                  \
	if (__igt_run_subtest(name, __FILE__, __LINE__) && \
	    sigsetjmp(igt_subtest_jmpbuf, 1) == 0)         \
		for (;; igt_success())
#define igt_subtest_f(f...) igt_subtest(__igt_format_name(f))

#define igt_subtest_with_dynamic(name)                     \
	if (__igt_run_subtest(name, __FILE__, __LINE__) && \
	    __igt_enter_dynamic_container() &&             \
	    sigsetjmp(igt_subtest_jmpbuf, 1) == 0)         \
		for (;; igt_success())
#define igt_subtest_with_dynamic_f(f...) \
	igt_subtest_with_dynamic(__igt_format_name(f))

#define igt_dynamic(name)                          \
	if (__igt_run_dynamic_subtest(name) &&     \
	    sigsetjmp(igt_dynamic_jmpbuf, 1) == 0) \
		for (;; igt_success())
#define igt_dynamic_f(f...) igt_dynamic(__igt_format_name(f))

const char *igt_test_name(void);
const char *igt_subtest_name(void);
const char *igt_dynamic_subtest_name(void);
bool igt_only_list_subtests(void);

/* The text --describe shows for the subtest that follows. */
void igt_describe_f(const char *fmt, ...) __igt_printf(1, 2);
#define igt_describe(text) igt_describe_f("%s", text)

__noreturn void igt_skip(const char *f, ...) __igt_printf(1, 2);
__noreturn void __igt_skip_check(const char *file, const int line,
				 const char *func, const char *check,
				 const char *format, ...) __igt_printf(5, 6);
__noreturn void igt_fail(int exitcode);
__noreturn void __igt_fail_assert(const char *domain, const char *file,
				  const int line, const char *func,
				  const char *assertion, const char *format,
				  ...) __igt_printf(6, 7);
bool igt_can_fail(void);

#define __igt_fail_here(text, f...) \
	__igt_fail_assert(IGT_LOG_DOMAIN, __FILE__, __LINE__, __func__, text, f)
#define igt_assert(expr)	  ((expr) ? (void)0 : __igt_fail_here(#expr, NULL))
#define igt_assert_f(expr, f...)  ((expr) ? (void)0 : __igt_fail_here(#expr, f))
#define igt_fail_on(expr)	  igt_assert(!(expr))
#define igt_fail_on_f(expr, f...) igt_assert_f(!(expr), f)

/* Both sides are evaluated once and shown when they do not compare. */
#define __igt_assert_op(type, fmt, a, op, b, text)                             \
	do {                                                                   \
		type left__ = (a), right__ = (b);                              \
		if (!(left__ op right__))                                      \
			__igt_fail_here(text, "left " fmt ", right " fmt "\n", \
					left__, right__);                      \
	} while (0)
#define igt_assert_cmpint(a, op, nop, b) \
	__igt_assert_op(int, "%d", a, op, b, #a " " #op " " #b)
#define igt_assert_eq(a, b)  __igt_assert_op(int, "%d", a, ==, b, #a " == " #b)
#define igt_assert_neq(a, b) __igt_assert_op(int, "%d", a, !=, b, #a " != " #b)
#define igt_assert_lt(a, b)  __igt_assert_op(int, "%d", a, <, b, #a " < " #b)
#define igt_assert_lte(a, b) __igt_assert_op(int, "%d", a, <=, b, #a " <= " #b)
#define igt_assert_eq_u32(a, b) \
	__igt_assert_op(unsigned int, "%#x", a, ==, b, #a " == " #b)
#define igt_assert_neq_u32(a, b) \
	__igt_assert_op(unsigned int, "%#x", a, !=, b, #a " != " #b)
#define igt_assert_eq_u64(a, b) \
	__igt_assert_op(unsigned long long, "%#llx", a, ==, b, #a " == " #b)
#define igt_assert_neq_u64(a, b) \
	__igt_assert_op(unsigned long long, "%#llx", a, !=, b, #a " != " #b)
#define igt_assert_lte_u64(a, b) \
	__igt_assert_op(unsigned long long, "%#llx", a, <=, b, #a " <= " #b)
#define igt_assert_eq_s64(a, b) \
	__igt_assert_op(long long, "%lld", a, ==, b, #a " == " #b)
#define igt_assert_fd(fd) \
	igt_assert_f((fd) >= 0, "no file descriptor in " #fd "\n")

#define __igt_skip_here(text, f...) \
	__igt_skip_check(__FILE__, __LINE__, __func__, text, f)
#define igt_require(expr)	  ((expr) ? (void)0 : __igt_skip_here(#expr, NULL))
#define igt_require_f(expr, f...) ((expr) ? (void)0 : __igt_skip_here(#expr, f))
#define igt_skip_on(expr) \
	((expr) ? __igt_skip_here("!(" #expr ")", NULL) : (void)0)
#define igt_skip_on_f(expr, f...) \
	((expr) ? __igt_skip_here("!(" #expr ")", f) : (void)0)
#define igt_require_fd(fd) \
	igt_require_f((fd) >= 0, "no file descriptor in " #fd "\n")

/*
 * Children whose failure is the test's: igt_fork(i, n) { ... } then
 * igt_waitchildren(). A child must not skip, nor fork again; one of
 * igt_multi_fork() may.
 */
bool __igt_fork(void);
bool __igt_multi_fork(void);
int __igt_waitchildren(void);
void igt_waitchildren(void);
void igt_kill_children(int signal);
#define igt_fork(child, num_children)                        \
	for (int child = 0; child < (num_children); child++) \
		for (; __igt_fork(); exit(IGT_EXIT_SUCCESS))
#define igt_multi_fork(child, num_children)                  \
	for (int child = 0; child < (num_children); child++) \
		for (; __igt_multi_fork(); exit(IGT_EXIT_SUCCESS))

/* A helper process: its exit status is the caller's business. */
struct igt_helper_process {
	pid_t pid; /* while running */
	bool running;
	bool use_SIGKILL; /* how igt_stop_helper() stops it; else SIGTERM */
};

bool __igt_fork_helper(struct igt_helper_process *proc);
int igt_wait_helper(struct igt_helper_process *proc);
void igt_stop_helper(struct igt_helper_process *proc);
#define igt_fork_helper(proc) \
	for (; __igt_fork_helper(proc); exit(IGT_EXIT_SUCCESS))

typedef void (*igt_exit_handler_t)(int sig);
void igt_install_exit_handler(igt_exit_handler_t fn);

/* Fails the subtest from SIGALRM when it takes longer; 0 seconds disarms. */
void igt_set_timeout(unsigned int seconds, const char *op);
void igt_reset_timeout(void);
uint64_t igt_nsec_elapsed(struct timespec *start);

enum igt_log_level {
	IGT_LOG_DEBUG, /* kept, and shown when the subtest fails */
	IGT_LOG_INFO, /* as it is, to stdout */
	IGT_LOG_WARN, /* from here on to stderr */
	IGT_LOG_CRITICAL, /* a failed assertion */
	IGT_LOG_NONE,
};

extern enum igt_log_level igt_log_level;

void igt_log(const char *domain, enum igt_log_level level, const char *format,
	     ...) __igt_printf(3, 4);
void igt_vlog(const char *domain, enum igt_log_level level, const char *format,
	      va_list args) __igt_printf(3, 0);
#define igt_debug(f...)	   igt_log(IGT_LOG_DOMAIN, IGT_LOG_DEBUG, f)
#define igt_info(f...)	   igt_log(IGT_LOG_DOMAIN, IGT_LOG_INFO, f)
#define igt_warn(f...)	   igt_log(IGT_LOG_DOMAIN, IGT_LOG_WARN, f)
#define igt_critical(f...) igt_log(IGT_LOG_DOMAIN, IGT_LOG_CRITICAL, f)

/* Into the kernel log, so that a splat can be told to belong to a subtest. */
void igt_kmsg(const char *format, ...) __igt_printf(1, 2);
#define KMSG_ERR     "<3>[IGT] "
#define KMSG_WARNING "<4>[IGT] "
#define KMSG_INFO    "<6>[IGT] "
#define KMSG_DEBUG   "<7>[IGT] "

#endif
