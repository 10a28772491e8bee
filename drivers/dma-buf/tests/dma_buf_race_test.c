// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: race tests
 *
 * Which threads race in which case. A case about one kind of race finds it
 * sooner than a crowd in which everything happens, and the crowd finds what
 * nobody thought of; both are here.
 *
 * Every case also ends with what the mock exporter checks of each buffer: the
 * buffer is released, and nothing that was made is left.
 */

#include "dma_buf_race.h"

static const enum mock_kind race_kinds[] = {
	MOCK_STATIC,
	MOCK_CACHED,
	MOCK_DYNAMIC,
};

static void race_kind_name(const enum mock_kind *kind, char *name)
{
	static const char *const names[] = {
		[MOCK_STATIC] = "static",
		[MOCK_CACHED] = "cached",
		[MOCK_DYNAMIC] = "dynamic",
	};

	strscpy(name, names[*kind], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(race_kind, race_kinds, race_kind_name);

static struct race *race_of_kind(struct kunit *test)
{
	const enum mock_kind *kind = test->param_value;

	return race_new(test, *kind);
}

/*
 * Succeeds if devices come, map and go while the storage moves and is pinned,
 * and every table covers the buffer.
 */
static void devices_against_moves(struct kunit *test)
{
	static const struct race_part parts[] = {
		{ "static attach", race_attach_static, 1 },
		{ "dynamic attach", race_attach_dynamic, 2 },
		{ "map", race_map, 2 },
		{ "pin", race_pin, 1 },
		{ "move", race_move, 1 },
		{}
	};

	race_run(race_of_kind(test), parts);
}

/* Succeeds if all users of a kernel mapping see one, and the last ends it. */
static void vmap_against_vunmap(struct kunit *test)
{
	static const struct race_part parts[] = { { "vmap", race_vmap, 3 },
						  { "cpu access",
						    race_cpu_access, 1 },
						  { "move", race_move, 1 },
						  {} };

	race_run(race_of_kind(test), parts);
}

/*
 * Succeeds if a sleeper in poll is woken for every fence, wherever that
 * signals, and however many others sleep.
 */
static void poll_against_signal(struct kunit *test)
{
	static const struct race_part parts[] = {
		{ "fence", race_fence, 2 },
		{ "poll for reading", race_poll_in, 2 },
		{ "poll for writing", race_poll_out, 2 },
		{}
	};

	race_run(race_new(test, MOCK_STATIC), parts);
}

/* Succeeds if a buffer may be let go of at the moment its poll is answered. */
static void poll_against_put(struct kunit *test)
{
	static const struct race_part parts[] = { { "put while polled",
						    race_put_polled, 2 },
						  { "walk", race_walk, 1 },
						  {} };

	race_run(race_new(test, MOCK_STATIC), parts);
}

/* Succeeds if the registry shows no buffer that is not complete, or is gone. */
static void walk_against_export_and_put(struct kunit *test)
{
	static const struct race_part parts[] = {
		{ "export and put", race_export, 2 },
		{ "walk", race_walk, 2 },
		{ "file descriptor", race_fd, 1 },
		{}
	};

	race_run(race_new(test, MOCK_STATIC), parts);
}

/* Succeeds if whoever reads a name reads one that was given, and whole. */
static void names_against_readers(struct kunit *test)
{
	static const struct race_part parts[] = { { "rename", race_rename, 2 },
						  { "read the name",
						    race_read_names, 2 },
						  { "walk", race_walk, 1 },
						  {} };

	race_run(race_new(test, MOCK_STATIC), parts);
}

/*
 * Succeeds if from the moment the storage is revoked nobody gets at it, and
 * whoever had it mapped gives it back.
 */
static void revoke_against_users(struct kunit *test)
{
	static const struct race_part parts[] = {
		{ "static attach", race_attach_static, 1, .ends = true },
		{ "dynamic attach", race_attach_dynamic, 1, .ends = true },
		{ "attach without a device", race_attach_cpu, 1, .ends = true },
		{ "map", race_map, 1, .ends = true },
		{ "pin", race_pin, 1, .ends = true },
		{ "vmap", race_vmap, 1, .ends = true },
		{ "cpu access", race_cpu_access, 1, .ends = true },
		{ "mmap", race_mmap, 2, .ends = true },
		{ "file descriptor", race_fd, 1 },
		{ "fence", race_fence, 1 },
		{ "poll for writing", race_poll_out, 1 },
		{ "revoke", race_revoke, 2 },
		{}
	};

	race_run_short(race_of_kind(test), parts);
}

/* Succeeds if all of that goes well at once. */
static void everything_at_once(struct kunit *test)
{
	static const struct race_part parts[] = {
		{ "static attach", race_attach_static, 1 },
		{ "dynamic attach", race_attach_dynamic, 1 },
		{ "map", race_map, 1 },
		{ "pin", race_pin, 1 },
		{ "move", race_move, 1 },
		{ "vmap", race_vmap, 1 },
		{ "cpu access", race_cpu_access, 1 },
		{ "fence", race_fence, 1 },
		{ "poll for reading", race_poll_in, 1 },
		{ "poll for writing", race_poll_out, 1 },
		{ "put while polled", race_put_polled, 1 },
		{ "file descriptor", race_fd, 1 },
		{ "rename", race_rename, 1 },
		{ "read the name", race_read_names, 1 },
		{ "export and put", race_export, 1 },
		{ "walk", race_walk, 1 },
		{}
	};

	race_run(race_of_kind(test), parts);
}

static struct kunit_case dma_buf_race_cases[] = {
	KUNIT_CASE_PARAM(devices_against_moves, race_kind_gen_params),
	KUNIT_CASE_PARAM(vmap_against_vunmap, race_kind_gen_params),
	KUNIT_CASE(poll_against_signal),
	KUNIT_CASE(poll_against_put),
	KUNIT_CASE(walk_against_export_and_put),
	KUNIT_CASE(names_against_readers),
	KUNIT_CASE_PARAM(revoke_against_users, race_kind_gen_params),
	KUNIT_CASE_PARAM(everything_at_once, race_kind_gen_params),
	{}
};

static struct kunit_suite dma_buf_race_suite = {
	.name = "dma_buf_race",
	.test_cases = dma_buf_race_cases,
};

kunit_test_suite(dma_buf_race_suite);
