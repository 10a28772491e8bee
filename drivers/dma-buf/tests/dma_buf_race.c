// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: racers
 *
 * A race is found by chance, so its test is a crowd: threads that each do one
 * thing over and over, on one buffer, all at once, as fast as they can. None
 * sleeps to let another in; a sanitizer of the kernel does that in better
 * places. What a thread meets is checked where it is known whoever wins: an
 * address, a count, that a sleeper is woken, that nothing fails.
 *
 * The number of rounds bounds a race. A thread that hangs is named, with its
 * stack, and then waited for, since nothing can be freed under it.
 */

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/debug.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

#include "dma_buf_race.h"

/* Only a broken core lets a thread run so long. */
#define RACE_HANG (120 * HZ)

#define SHORT_ROUNDS 10

static unsigned int race_rounds = 200;
module_param(race_rounds, uint, 0644);
MODULE_PARM_DESC(race_rounds, "How often each thread of a race does its part");

/* Once the storage is revoked, who needs it is refused, and nobody else is. */
static int racer_once(struct racer *racer, unsigned int round)
{
	struct dma_buf *dmabuf = race_dma_buf(racer);
	bool over = racer->part->ends && dma_buf_is_revoked(dmabuf);
	int ret = racer->part->once(racer, round);

	if (ret == -ENODEV && racer->part->ends && dma_buf_is_revoked(dmabuf))
		return 0;

	return ret ?: over ? -EKEYREVOKED : 0;
}

static int racer_main(void *data)
{
	struct racer *racer = data;
	unsigned int i;

	wait_for_completion(&racer->race->go);
	for (i = 0; i < racer->race->rounds && !racer->err; i++) {
		racer->round = i;
		racer->err = racer_once(racer, i);
		cond_resched();
	}
	race_fence_end(racer);

	/* The module may be unloaded the moment this is seen. */
	kthread_complete_and_exit(&racer->done, 0);
}

static void race_wait(struct racer *racer)
{
	struct kunit *test = racer->race->test;

	if (!wait_for_completion_timeout(&racer->done, RACE_HANG)) {
		KUNIT_FAIL(test, "racer %u hangs: %s", racer->number,
			   racer->part->name);
		sched_show_task(racer->task);
		wait_for_completion(&racer->done);
	}

	if (racer->err)
		KUNIT_FAIL(test, "racer %u, round %u: %s: error %d",
			   racer->number, racer->round, racer->part->name,
			   racer->err);
	put_task_struct(racer->task);
}

static struct racer *race_add(struct race *race, const struct race_part *part)
{
	struct racer *racer = &race->racers[race->num];
	struct task_struct *task;

	*racer = (struct racer){ .race = race, .part = part };
	racer->number = race->num;
	racer->context = dma_fence_context_alloc(1);
	init_completion(&racer->done);

	task = kthread_create(racer_main, racer, "racer/%u", race->num);
	if (IS_ERR(task))
		return ERR_CAST(task);

	racer->task = get_task_struct(task);
	race->num++;
	wake_up_process(task);

	return racer;
}

/**
 * race_run - start the threads, and wait for them
 * @race: the race
 * @parts: what they do, up to an entry without a name
 */
void race_run(struct race *race, const struct race_part *parts)
{
	struct kunit *test = race->test;
	struct racer *racer = NULL;
	unsigned int i;

	for (; parts->name && !IS_ERR(racer); parts++) {
		for (i = 0; i < parts->count && !IS_ERR(racer); i++)
			racer = race->num < RACERS_MAX ? race_add(race, parts) :
							 ERR_PTR(-ENOSPC);
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(racer), 0);

	complete_all(&race->go);
	for (i = 0; i < race->num; i++)
		race_wait(&race->racers[i]);

	/* What racers dropped last is released by a worker. */
	wait_var_event_timeout(&race->exported, !atomic_read(&race->exported),
			       RACE_HANG);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->exported), 0);
	KUNIT_EXPECT_FALSE(test, race->called_late);
}

/* The core holds the lock under which the mark is set. */
static void race_hook(struct mock_buffer *buf, const struct mock_call *call)
{
	struct race *race = buf->hook_data;

	if (call->op != MOCK_PIN && call->op != MOCK_MAP &&
	    call->op != MOCK_VMAP)
		return;

	if (dma_buf_is_revoked(buf->dmabuf))
		WRITE_ONCE(race->called_late, true);
}

static void race_set_buffer(struct race *race)
{
	race->num = 0;
	init_completion(&race->go);
	race->buf = mock_buffer_new(race->test, race->kind);
	race->buf->hook = race_hook;
	race->buf->hook_data = race;
	race_mmap_prepare(race->buf);
	mock_export(race->buf);
	race->stays = mock_attach(race->buf, race->dev, &mock_importer);
}

static void race_set_names(struct race *race)
{
	char name[RACE_NAME_SIZE];
	unsigned int i;

	race->names = mock_user_page(race->test);
	race->mm = current->mm;
	for (i = 0; i < RACERS_MAX; i++) {
		snprintf(name, sizeof(name), "%0*u", (int)i + 1, i % 10);
		KUNIT_ASSERT_EQ(race->test,
				copy_to_user(race->names + i * RACE_NAME_SIZE,
					     name, sizeof(name)),
				0);
	}
}

/**
 * race_new - a buffer to race for
 * @test: the running case
 * @kind: what its exporter promises
 *
 * Return: the race, freed when the case ends.
 */
struct race *race_new(struct kunit *test, enum mock_kind kind)
{
	struct race *race;

	race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race);
	race->test = test;
	race->kind = kind;
	race->rounds = race_rounds;
	race_set_names(race);

	race->dev = mock_device(test, "racing");
	race_set_buffer(race);

	return race;
}

/**
 * race_run_short - many races of few rounds
 * @race: a new race
 * @parts: as for race_run(); what some of them do can happen once to a buffer
 *
 * In all as many rounds as race_run() takes, with a new buffer for each race.
 */
void race_run_short(struct race *race, const struct race_part *parts)
{
	unsigned int left;

	race->rounds = SHORT_ROUNDS;
	for (left = race_rounds; left > SHORT_ROUNDS; left -= SHORT_ROUNDS) {
		race_run(race, parts);
		mock_detach(race->buf, race->stays);
		mock_buffer_drop(race->buf);
		race_set_buffer(race);
	}
	race_run(race, parts);
}
