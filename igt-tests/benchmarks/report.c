// SPDX-License-Identifier: MIT
/*
 * Runs rows and prints what they cost: name, median of the samples, and how far
 * apart the cheapest and the dearest were, with tabs between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define WARM_UP 3
#define SAMPLES 15

void report(const char *name, double value, double spread)
{
	printf("%s\t%.2f\t%.2f\n", name, value, spread);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double sample(const struct row *row)
{
	uint64_t cost = 0;

	if (row->part) {
		for (unsigned int i = 0; i < row->batch; i++)
			cost += row->part();
	} else {
		cost = now();
		for (unsigned int i = 0; i < row->batch; i++)
			row->op();
		cost = now() - cost;
	}
	return (double)cost / row->batch;
}

static void measure_row(const struct row *row, const char *suffix)
{
	double samples[SAMPLES];
	char name[80];

	if (row->begin && !row->begin())
		return;
	for (int i = -WARM_UP; i < SAMPLES; i++) {
		double one = sample(row);

		if (i >= 0)
			samples[i] = one;
	}
	if (row->end)
		row->end();
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	snprintf(name, sizeof(name), "%s%s", row->name, suffix);
	report(name, samples[SAMPLES / 2], samples[SAMPLES - 1] - samples[0]);
}

void measure(const struct row *rows, const char *suffix, enum which which)
{
	for (; rows->name; rows++)
		if (which == ALL_ROWS || (which == FLAT_ROWS && rows->flat) ||
		    (which == FLOOR_ROWS && rows->floor))
			measure_row(rows, suffix);
}

/* For ever, if the row is among these: for who looks where the time goes. */
void repeat(const struct row *rows, const char *name)
{
	for (; rows->name; rows++) {
		if (strcmp(rows->name, name) || (rows->begin && !rows->begin()))
			continue;
		puts("begun");
		fflush(stdout);
		for (;;)
			sample(rows);
	}
}
