// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run inputs again, without libFuzzer and without coverage: as a test, or to see
 * what an input does.
 *
 *   replay [-v] [-n TIMES] [-t SECONDS] [-c FILE] FILE ...
 *
 * -v shows each step, -n runs each input several times, -t leaves out the rest of
 * a file after so long, -c writes down what each input has reached, a line each.
 *
 * A file whose name ends in .hex has one input on each line, in hexadecimal; any
 * other file is an input.  A line may say after a # what it is: then it counts as
 * a test of that name, where all lines without are one test together.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "cover.h"
#include "program.h"

static int times = 1, tests, failures;
static bool counting; /* nothing runs, the plan is made */
static time_t end; /* 0: none */
static FILE *reached; /* NULL: nobody asks */

struct input {
	struct step steps[MAX_STEPS];
	size_t count;
	const char *name; /* or NULL */
};

static void result(const char *name, const char *why)
{
	tests++;
	if (counting)
		return;
	failures += !!why;
	printf("%sok %d - %s%s%s\n", why ? "not " : "", tests, name,
	       why ? ": " : "", why ?: "");
}

/* What is wrong with it, or NULL. */
static const char *run(const struct input *input)
{
	static char why[256];
	int i;

	if (counting)
		return NULL;
	check_clear();
	for (i = 0; i < times && !check_verdict(); i++)
		program_run(input->steps, input->count);
	if (reached)
		cover_print(reached);
	if (!check_verdict())
		return NULL;
	snprintf(why, sizeof(why), "%s", check_verdict());
	return why;
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void load(struct input *input, const uint8_t *data, size_t size)
{
	input->count = program_load(input->steps, data, size);
}

/* --- one input in a file, or one on each line ------------------------------ */

static void replay_file(const char *path, FILE *file)
{
	uint8_t data[sizeof(struct step) * MAX_STEPS];
	struct input input = { .name = path };

	load(&input, data, fread(data, 1, sizeof(data), file));
	result(path, run(&input));
}

/* -1 for a line that is none. */
static int parse(char *line, struct input *input)
{
	uint8_t data[sizeof(struct step) * MAX_STEPS];
	char *comment = strchr(line, '#');
	size_t size = 0;
	int used;

	input->name = NULL;
	if (comment) {
		*comment++ = 0;
		input->name = comment + strspn(comment, " ");
		comment[strcspn(comment, "\n")] = 0;
	}
	line += strspn(line, " \t\n");
	while (*line) {
		if (size == sizeof(data) ||
		    sscanf(line, "%2hhx%n", &data[size], &used) != 1 ||
		    used != 2)
			return -1;
		size++;
		line += used;
		line += strspn(line, " \t\n");
	}
	load(input, data, size);
	return 0;
}

static void replay_lines(const char *path, FILE *file)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	unsigned int number = 0, nameless = 0;
	char *line = NULL, *first_why = NULL, *summary;
	size_t room = 0;
	struct input input;

	while ((!end || now() < end) && getline(&line, &room, file) > 0) {
		const char *why;

		number++;
		why = parse(line, &input) ? "not hexadecimal, or too long" :
					    NULL;
		if (!why && !input.count)
			continue;
		if (!why)
			why = run(&input);
		if (input.name) {
			result(input.name, why);
			continue;
		}
		nameless++;
		if (why && !first_why &&
		    asprintf(&first_why, "line %u: %s", number, why) < 0)
			exit(1);
	}
	free(line);
	if (!nameless)
		return;
	if (asprintf(&summary, "%s: %u inputs", base, nameless) < 0)
		exit(1);
	result(summary, first_why);
	free(summary);
	free(first_why);
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcmp(text + length - tail, end);
}

/* All of a file, because what an input leaves open is closed, and this would be. */
static FILE *slurp(const char *path)
{
	FILE *file = fopen(path, "re"), *copy = NULL;
	static char text[1 << 24];
	size_t size;

	if (!file)
		return NULL;
	size = fread(text, 1, sizeof(text), file);
	if (size == sizeof(text))
		errno = EFBIG;
	else if (size)
		copy = fmemopen(text, size, "r");
	else
		errno = ENODATA;
	fclose(file);
	return copy;
}

static void replay_all(char **paths)
{
	for (; *paths; paths++) {
		FILE *file = slurp(*paths);

		if (!file) {
			result(*paths, strerror(errno));
			continue;
		}
		if (ends_in(*paths, ".hex"))
			replay_lines(*paths, file);
		else
			replay_file(*paths, file);
		fclose(file);
	}
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "vn:t:c:")) != -1) {
		if (option == 'v') {
			program_verbose = true;
		} else if (option == 'n') {
			times = atoi(optarg);
		} else if (option == 't') {
			end = now() + atoi(optarg);
		} else if (option == 'c') {
			reached = fopen(optarg, "we");
			cover_exact();
		} else {
			fprintf(stderr,
				"usage: replay [-v] [-n TIMES] [-t SECONDS] [-c FILE] FILE ...\n");
			return 2;
		}
	}
	check_init();
	program_init();
	/* the plan comes first, so that a guest that dies has results missing */
	counting = true;
	replay_all(argv + optind);
	printf("1..%d\n", tests);
	counting = false;
	tests = 0;
	replay_all(argv + optind);
	if (reached && fclose(reached))
		result("what was reached", strerror(errno));
	return failures || !tests;
}
