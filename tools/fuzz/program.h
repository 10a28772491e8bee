/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an input means: a list of steps, run one after the other or two at once.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* As it lies in a file.  Any eight bytes are a step, so that any file is an input. */
struct step {
	uint8_t op;
	/* which objects and which flags: each operation says */
	uint8_t a, b, c;
	/* where the argument lies and how the ioctl's number is bent, see argument.c */
	uint8_t place;
	/* which allocation of the step fails, see runner_fault() */
	uint8_t fault;
	/* a number by way of number() */
	uint16_t value;
};

#define MAX_STEPS 64

/* In step.op: runs at the same time as the step after it. */
#define STEP_BESIDE 0x80
/* From here on step.place and step.fault say anything at all. */
#define PLACE_ODD   192
#define FAULT_FIRST 208

/* An operation returns what the kernel said: at least 0, or a negative errno. */
typedef long (*op_fn)(const struct step *step);

struct op {
	const char *name;
	op_fn run;
	/* how often the mutator picks it, compared with the others */
	unsigned int weight;
	/* stock code logs a trace when its allocation fails: so none is made to */
	bool no_faults;
};

#define NOT_DONE (-100000L) /* the operation found nothing to work on */

const struct op *op_find(uint8_t op);
uint8_t op_choose(uint32_t random);

void program_init(void);
size_t program_load(struct step *steps, const uint8_t *data, size_t size);
void program_run(const struct step *steps, size_t count);
void program_print(const struct step *steps, size_t count);

/* Each step is told before it runs, and what came of it. */
extern bool program_verbose;

/* One of the two threads that run steps. */
struct runner {
	const struct step *step;
	int fault_fd;
	timer_t alarm;
	/* four pages for arguments, see argument.c */
	uint8_t *pages;
	sigjmp_buf escape;
	volatile bool may_escape;
	/* the argument cannot be written to, so what is in it may be lost */
	bool lossy;
	bool called;
};

struct runner *me(void);
bool step_is_beside(void);
void runner_arm(bool blocks);
long runner_disarm(long result);

/*
 * The system call that a step is about.  What prepares it goes outside, where no
 * allocation is made to fail.
 */
#define CALL(expr)                           \
	({                                   \
		runner_arm(false);           \
		runner_disarm((long)(expr)); \
	})
/* The same for what may wait for ever: it is interrupted after a moment. */
#define CALL_BLOCKING(expr)                  \
	({                                   \
		runner_arm(true);            \
		runner_disarm((long)(expr)); \
	})

#endif
