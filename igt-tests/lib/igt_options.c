// SPDX-License-Identifier: MIT
/*
 * The command line of a test: which of its blocks are to run, or only to be named.
 * A test may have options of its own beside these.
 */

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "igt_core.h"
#include "igt_priv.h"

const char *__igt_test_description __attribute__((weak));
struct igt_options igt_options;

/* One name against "a*,b-?,!a-not": the last element that matches decides. */
bool igt_option_matches(const char *name, const char *pattern)
{
	char *copy = strdup(pattern), *rest = copy, *element;
	bool matches = false;

	while ((element = strsep(&rest, ","))) {
		bool negate = *element == '!';

		if (fnmatch(element + negate, name, 0) == 0)
			matches = !negate;
	}
	free(copy);
	return matches;
}

static void usage(FILE *to, const char *help)
{
	fprintf(to, "usage: %s [options]\n", igt_options.name);
	fputs("  --list-subtests              names, one a line\n"
	      "  --describe[=PATTERN]         names with what each one checks\n"
	      "  --run-subtest PATTERN        only these (a*,b-?,!c)\n"
	      "  --dynamic-subtest PATTERN    only these dynamic subtests\n"
	      "  --device FILTERS             only these DRM devices,\n"
	      "                               drm:/dev/dri/cardN;drm:...\n"
	      "  --debug                      show debug messages\n"
	      "  --help-description           what the test is about\n"
	      "  --version\n"
	      "  --help\n",
	      to);
	if (help)
		fputs(help, to);
}

static void print_version(void)
{
	struct utsname u;

	uname(&u);
	printf("IGT-Version: 2.0-standalone (%s) (Linux: %s %s)\n", u.machine,
	       u.release, u.machine);
}

enum {
	OPT_LIST = 500,
	OPT_DESCRIBE,
	OPT_RUN,
	OPT_DYNAMIC,
	OPT_DEVICE,
	OPT_DEBUG,
	OPT_ABOUT,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option own_options[] = {
	{ "list-subtests", no_argument, NULL, OPT_LIST },
	{ "describe", optional_argument, NULL, OPT_DESCRIBE },
	{ "run-subtest", required_argument, NULL, OPT_RUN },
	{ "dynamic-subtest", required_argument, NULL, OPT_DYNAMIC },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "debug", optional_argument, NULL, OPT_DEBUG },
	{ "help-description", no_argument, NULL, OPT_ABOUT },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
};

/* Returns false if the option is not one of ours. */
static bool parse_own(int opt, const char *help)
{
	switch (opt) {
	case OPT_LIST:
		igt_options.list = true;
		return true;
	case OPT_DESCRIBE:
		igt_options.describe = true;
		if (optarg)
			igt_options.run_pattern = optarg;
		return true;
	case OPT_RUN:
		igt_options.run_pattern = optarg;
		return true;
	case OPT_DYNAMIC:
		igt_options.dynamic_pattern = optarg;
		return true;
	case OPT_DEVICE:
		igt_device_filter_set(optarg);
		return true;
	case OPT_DEBUG:
		igt_log_set_debug();
		return true;
	case OPT_ABOUT:
		puts(__igt_test_description ?: "");
		exit(IGT_EXIT_SUCCESS);
	case OPT_VERSION:
		print_version();
		exit(IGT_EXIT_SUCCESS);
	case OPT_HELP:
		usage(stdout, help);
		exit(IGT_EXIT_SUCCESS);
	}
	return false;
}

static struct option *join_options(const struct option *extra)
{
	size_t own = sizeof(own_options) / sizeof(own_options[0]), n = 0;
	struct option *all;

	while (extra && extra[n].name)
		n++;
	all = calloc(own + n + 1, sizeof(*all));
	memcpy(all, own_options, sizeof(own_options));
	if (n)
		memcpy(all + own, extra, n * sizeof(*all));
	return all;
}

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_opts,
				const struct option *long_opts,
				const char *help, igt_opt_handler_t handler,
				void *data)
{
	struct option *all = join_options(long_opts);
	char shorts[64];
	const char *slash;
	int opt, index = 0;

	slash = strrchr(argv[0], '/');
	igt_options.name = slash ? slash + 1 : argv[0];
	snprintf(shorts, sizeof(shorts), "%sh", short_opts ?: "");
	igt_log_reset();

	while ((opt = getopt_long(*argc, argv, shorts, all, &index)) != -1) {
		if (opt == 'h')
			opt = OPT_HELP;
		if (parse_own(opt, help))
			continue;
		if (opt == '?' || !handler ||
		    handler(opt, index, data) != IGT_OPT_HANDLER_SUCCESS) {
			usage(stderr, help);
			exit(IGT_EXIT_INVALID);
		}
	}
	free(all);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!igt_only_list_subtests()) {
		igt_fork_init();
		igt_kmsg(KMSG_INFO "%s: executing\n", igt_options.name);
		print_version();
	}
	return 0;
}
