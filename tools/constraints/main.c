// SPDX-License-Identifier: GPL-2.0-only
/*
 * The laws of constraints, tried in user space on as many cases as one likes.
 *
 *   constraints [ROUNDS [SEED]]
 *
 * The code is the kernel's, and so are the laws; here they run under ASan and
 * UBSan, a hundred times as many as there.  The last line counts laws.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dma_buf_constraints_laws.h"

/* Two of the kernel's, whose file wants more of a kernel than this is. */
struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;

	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	memset(sgl, 0, nents * sizeof(*sgl));
	sg_mark_end(&sgl[nents - 1]);
}

/* Of lib/kstrtox.c only what needs no user space is called. */
unsigned long copy_from_user(void *to, const void *from, unsigned long n)
{
	abort();
}

static const struct {
	const char *name;
	const char *(*first_broken)(void);
} examples[] = {
	{ "examples of the algebra", law_examples_algebra },
	{ "examples of tables", law_examples_table },
	{ "examples of storage", law_examples_storage },
	{ "examples of text", law_examples_text },
};

static unsigned int passed, failed;

static void report(const char *name, const char *broken, const char *where)
{
	if (broken) {
		failed++;
		printf("not ok  %s: %s%s\n", name, broken, where);
	} else {
		passed++;
		printf("ok      %s%s\n", name, where);
	}
}

static unsigned long long argument(const char *text)
{
	unsigned long long number;
	char *end;

	number = strtoull(text, &end, 0);
	if (!*text || *end) {
		fprintf(stderr, "constraints: not a number: %s\n", text);
		exit(2);
	}

	return number;
}

int main(int argc, char **argv)
{
	unsigned long long rounds = argc > 1 ? argument(argv[1]) : 1000000;
	unsigned long long seed = argc > 2 ? argument(argv[2]) : LAW_SEED;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(examples); i++)
		report(examples[i].name, examples[i].first_broken(), "");

	for (i = 0; i < dma_buf_laws_count; i++) {
		const struct dma_buf_law *law = &dma_buf_laws[i];
		char where[80];
		const char *broken;
		u64 at = 0;

		broken = law_try(law, seed, rounds, &at);
		if (broken)
			snprintf(where, sizeof(where), " (seed %llu, case %llu)",
				 seed, (unsigned long long)at);
		else
			snprintf(where, sizeof(where), ", %llu cases",
				 (rounds + law->cost - 1) / law->cost);
		report(law->name, broken, where);
	}
	printf("%u passed, %u failed (seed %llu)\n", passed, failed, seed);

	return failed ? 1 : 0;
}
