// SPDX-License-Identifier: MIT
/* What tests may be allowed, and what they give up. */
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "drmtest.h"
#include "igt_aux.h"

/* Who has no files on any system. */
#define NOBODY 2

bool igt_allow_unlimited_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void igt_drop_root(void)
{
	igt_assert_eq(getuid(), 0);
	do_or_die(setgroups(0, NULL));
	do_or_die(setgid(NOBODY));
	do_or_die(setuid(NOBODY));
	igt_assert_eq(getuid(), NOBODY);
	igt_assert_eq(geteuid(), NOBODY);
}
