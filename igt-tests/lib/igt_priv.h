/* SPDX-License-Identifier: MIT */
/* What the files of the library share and no test may use. */
#ifndef IGT_PRIV_H
#define IGT_PRIV_H

#include <stdbool.h>

/* igt_options.c */
extern struct igt_options {
	const char *name; /* of the binary */
	const char *run_pattern, *dynamic_pattern;
	bool list, describe;
} igt_options;
bool igt_option_matches(const char *name, const char *pattern);

/* igt_log.c */
void igt_log_reset(void);
void igt_log_dump(const char *name);
void igt_log_set_debug(void);

/* igt_fork.c */
extern bool igt_in_child;
void igt_fork_init(void);
void igt_fork_reap(void);
void igt_run_exit_handlers(int sig);

/* drmtest.c */
void igt_device_filter_set(const char *filters);

#endif
