// SPDX-License-Identifier: MIT
/*
 * The log. Debug messages are not printed but the last ones are kept, and shown
 * when a subtest fails: a passing run stays short, a failing one explains itself.
 */

#include <errno.h>
#include <fcntl.h>

#include "igt_core.h"
#include "igt_priv.h"

#define KEPT_LINES  128
#define LINE_LENGTH 256

enum igt_log_level igt_log_level = IGT_LOG_INFO;

static struct {
	char line[KEPT_LINES][LINE_LENGTH];
	unsigned int written;
} kept;

static const char *const level_name[] = {
	[IGT_LOG_DEBUG] = "DEBUG",  [IGT_LOG_INFO] = "INFO",
	[IGT_LOG_WARN] = "WARNING", [IGT_LOG_CRITICAL] = "CRITICAL",
	[IGT_LOG_NONE] = "NONE",
};

void igt_log_set_debug(void)
{
	igt_log_level = IGT_LOG_DEBUG;
}

void igt_log_reset(void)
{
	const char *env = getenv("IGT_LOG_LEVEL");

	if (env && strcmp(env, "debug") == 0)
		igt_log_level = IGT_LOG_DEBUG;
	kept.written = 0;
}

void igt_log_dump(const char *name)
{
	unsigned int i = 0;

	if (kept.written > KEPT_LINES)
		i = kept.written - KEPT_LINES;
	fprintf(stderr, "%s failed.\n**** DEBUG ****\n", name);
	for (; i < kept.written; i++)
		fputs(kept.line[i % KEPT_LINES], stderr);
	fputs("****  END  ****\n", stderr);
	kept.written = 0;
}

void igt_vlog(const char *domain, enum igt_log_level level, const char *format,
	      va_list args)
{
	int saved_errno = errno;
	char *line = kept.line[kept.written++ % KEPT_LINES];
	FILE *to = level >= IGT_LOG_WARN ? stderr : stdout;
	char text[LINE_LENGTH - 64];

	vsnprintf(text, sizeof(text), format, args);
	snprintf(line, LINE_LENGTH, "(%s:%d)%s%s %s: %s", igt_test_name(),
		 getpid(), domain ? " " : "", domain ?: "", level_name[level],
		 text);
	if (level >= igt_log_level) {
		fputs(level == IGT_LOG_INFO ? text : line, to);
		fflush(to);
	}
	/* What is told next may be errno. */
	errno = saved_errno;
}

void igt_log(const char *domain, enum igt_log_level level, const char *format,
	     ...)
{
	va_list args;

	va_start(args, format);
	igt_vlog(domain, level, format, args);
	va_end(args);
}

void igt_kmsg(const char *format, ...)
{
	char text[LINE_LENGTH];
	va_list args;
	int fd, len;

	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > (int)sizeof(text) - 1)
		len = sizeof(text) - 1;
	/* One write is one record. A full log must not fail the test. */
	(void)!write(fd, text, len);
	close(fd);
}
