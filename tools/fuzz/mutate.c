// SPDX-License-Identifier: GPL-2.0-only
/*
 * New inputs from old ones, for libFuzzer.
 *
 * Its own mutations know bytes only: to take one out makes another operation of
 * every step behind it.  These here put in, take out, double, swap and change
 * whole steps, and join the beginning of one input with the end of another.
 */
#include <stdint.h>
#include <string.h>

#include "mutate.h"
#include "program.h"

struct random {
	uint64_t state;
};

static uint32_t next(struct random *random)
{
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return mixed >> 32;
}

static bool once_in(struct random *random, uint32_t times)
{
	return next(random) % times == 0;
}

/* Objects are found by small numbers; large ones ask for the odd cases. */
static uint8_t selector(struct random *random)
{
	return once_in(random, 4) ? next(random) : next(random) % 4;
}

static uint8_t odd(struct random *random, uint8_t from)
{
	return once_in(random, 8) ? from + next(random) % (256 - from) : 0;
}

static uint16_t any_value(struct random *random)
{
	return once_in(random, 2) ? next(random) : next(random) % 16;
}

static struct step any_step(struct random *random)
{
	return (struct step){
		.op = op_choose(next(random)) |
		      (once_in(random, 16) ? STEP_BESIDE : 0),
		.a = selector(random),
		.b = selector(random),
		.c = selector(random),
		.place = odd(random, PLACE_ODD),
		.fault = odd(random, FAULT_FIRST),
		.value = any_value(random),
	};
}

static void change(struct random *random, struct step *step)
{
	switch (next(random) % 9) {
	case 0:
		step->op = op_choose(next(random)) | (step->op & STEP_BESIDE);
		break;
	case 1:
		step->op ^= STEP_BESIDE;
		break;
	case 2:
		step->a = selector(random);
		break;
	case 3:
		step->b = selector(random);
		break;
	case 4:
		step->c = selector(random);
		break;
	case 5:
		step->place =
			once_in(random, 2) ?
				0 :
				PLACE_ODD + next(random) % (256 - PLACE_ODD);
		break;
	case 6:
		/* near the last one: the next allocation of the same call */
		step->fault = step->fault < FAULT_FIRST ?
				      FAULT_FIRST + next(random) % 8 :
				      step->fault + next(random) % 5 - 2;
		break;
	case 7:
		step->value = any_value(random);
		break;
	case 8:
		((uint8_t *)step)[1 + next(random) % 3] ^= 1
							   << next(random) % 8;
		break;
	}
}

static size_t insert(struct step *steps, size_t count, size_t at,
		     struct step step)
{
	memmove(&steps[at + 1], &steps[at], (count - at) * sizeof(*steps));
	steps[at] = step;
	return count + 1;
}

static size_t take_out(struct step *steps, size_t count, size_t at)
{
	memmove(&steps[at], &steps[at + 1], (count - at - 1) * sizeof(*steps));
	return count - 1;
}

static size_t mutate_once(struct random *random, struct step *steps,
			  size_t count, size_t most)
{
	size_t at = count ? next(random) % count : 0;
	size_t other = count ? next(random) % count : 0;
	struct step step;

	switch (count ? next(random) % 8 : 0) {
	case 0:
	case 1:
		return count < most ?
			       insert(steps, count, at, any_step(random)) :
			       count;
	case 2:
		/* at the end, where all that came before is there */
		return count < most ?
			       insert(steps, count, count, any_step(random)) :
			       count;
	case 3:
		return count > 1 ? take_out(steps, count, at) : count;
	case 4:
		return count < most ? insert(steps, count, other, steps[at]) :
				      count;
	case 5:
		step = steps[at];
		steps[at] = steps[other];
		steps[other] = step;
		return count;
	default:
		change(random, &steps[at]);
		return count;
	}
}

/* Changes @count steps in place, to at most @most; how many there are then. */
size_t mutate(struct step *steps, size_t count, size_t most, uint64_t seed)
{
	struct random random = { seed };

	if (!most)
		return 0;
	do
		count = mutate_once(&random, steps, count, most);
	while (once_in(&random, 2));
	return count;
}

/* The beginning of one and the end of the other. */
size_t mutate_join(const struct step *first, size_t first_count,
		   const struct step *second, size_t second_count,
		   struct step *out, size_t most, uint64_t seed)
{
	struct random random = { seed };
	size_t head = first_count ? next(&random) % (first_count + 1) : 0;
	size_t tail = second_count ? next(&random) % (second_count + 1) : 0;

	if (head > most)
		head = most;
	if (tail > most - head)
		tail = most - head;
	if (head)
		memcpy(out, first, head * sizeof(*out));
	if (tail)
		memcpy(out + head, second + second_count - tail,
		       tail * sizeof(*out));
	return head + tail;
}
