/* SPDX-License-Identifier: MIT */
/*
 * Failing the allocations of an operation one by one, and looking whether the
 * machine is afterwards as it was. See faults.c.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "igt_vgem.h"

#include "endpoint.h"
#include "leftovers.h"

/* More fences than a reservation object has room for at first. */
#define FENCES 6

/* Who takes part in an operation, and what an attempt has made so far. */
struct bench {
	union {
		struct {
			const struct endpoint *from, *to, *beside;
		};
		const struct endpoint *devices[LEFTOVERS_DEVICES];
	};
	struct endpoint_bo bo;
	struct vgem_bo dumb; /* a buffer that is not exported */
	int again; /* another file of from's device */
	int fd; /* what the operation makes, and its handle */
	uint32_t handle;
	uint32_t other; /* what beside imported */
	void *map;
	int zero, epoll, sync_file;
	uint32_t fence[FENCES];
	unsigned int fences;
	char text[65536];
};

/*
 * An attempt is prepare, run, then good or refused, then finish; all but run
 * may be NULL. Faults are injected into run alone, so it makes the system calls
 * in question and nothing else.
 */
struct fault_op {
	void (*prepare)(struct bench *b);
	int (*run)(struct bench *b); /* 0 or -errno */
	void (*good)(struct bench *b); /* run's result works; undoes it */
	void (*refused)(struct bench *b); /* what run has not changed */
	void (*finish)(struct bench *b); /* undoes prepare */
	void (*in_child)(struct bench *b); /* before run, in a new process */
	bool one_only; /* never all allocations: the test says why */
	bool slow; /* shown to work again by the next fault only, and the last */
	const char *spared; /* a function of the kernel that must not fail */
	unsigned int least_injected; /* fewer: the faults miss their target */
	unsigned int least_refused; /* fewer: nobody notices them */
	int errnos[3]; /* what it may answer; none: ENOMEM alone */
};

/* A subtest, to be run for each device, pair or triple that fits. */
struct fault_test {
	const char *name, *describe;
	bool (*from)(const struct endpoint *ep);
	/* 2 brings an importer, 3 another one that has imported already. */
	int devices;
	struct fault_op op;
};

/* For .from: a device of DRM, and the first vgem. */
bool fault_from_drm(const struct endpoint *ep);
bool fault_from_vgem(const struct endpoint *ep);

/* The body of a test program. */
void fault_tests(const struct fault_test *tests, unsigned int num);

/* A buffer of four pages in b->bo, and back. */
void bench_make_bo(struct bench *b);
void bench_drop_bo(struct bench *b);
/* One of the same size that is not exported, in b->dumb. */
void bench_make_dumb(struct bench *b);
void bench_drop_dumb(struct bench *b);
/* How many devices are attached to b->bo. */
int bench_attachments(const struct bench *b);

#endif
