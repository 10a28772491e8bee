/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DMA_BUF_RACE_H
#define DMA_BUF_RACE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>

#include "dma_buf_mock.h"

#define RACERS_MAX 16

struct mm_struct;
struct race;
struct race_fence;
struct racer;
struct task_struct;

/**
 * struct race_part - what a thread does over and over
 * @name: for the message of a failure
 * @once: does it once; an errno it returns fails the case
 * @count: how many threads do it
 * @ends: it needs the storage, so it fails once that is revoked
 */
struct race_part {
	const char *name;
	int (*once)(struct racer *racer, unsigned int round);
	unsigned int count;
	bool ends;
};

/**
 * struct racer - one thread
 * @race: the race it takes part in
 * @part: what it does
 * @task: the thread
 * @number: its number among all racers
 * @round: where it is
 * @err: what made it stop early, or 0
 * @context: fence context
 * @seqno: of its last fence
 * @pending: that fence while it waits to be signalled
 * @done: the thread is gone
 */
struct racer {
	struct race *race;
	const struct race_part *part;
	struct task_struct *task;
	unsigned int number;
	unsigned int round;
	int err;
	u64 context;
	u64 seqno;
	struct race_fence *pending;
	struct completion done;
};

/**
 * struct race - threads that share one buffer
 */
struct race {
	/** @test: the running case */
	struct kunit *test;
	/** @kind: what the exporter promises */
	enum mock_kind kind;
	/** @buf: what they race for */
	struct mock_buffer *buf;
	/** @dev: who attaches */
	struct device *dev;
	/** @stays: a dynamic attachment that lives all through the race */
	struct dma_buf_attachment *stays;
	/** @mm: user memory of the case, which racers may borrow */
	struct mm_struct *mm;
	/** @names: strings in @mm, RACE_NAME_SIZE apart, one for each racer */
	char __user *names;
	/** @rounds: how many for each thread */
	unsigned int rounds;
	/** @called_late: a callback that needs the storage found it revoked */
	bool called_late;
	/** @go: all threads exist */
	struct completion go;
	/** @exported: throw-away buffers that are not released yet */
	atomic_t exported;
	/** @racers: the threads */
	struct racer racers[RACERS_MAX];
	/** @num: how many there are */
	unsigned int num;
};

#define RACE_NAME_SIZE 64

struct race *race_new(struct kunit *test, enum mock_kind kind);
void race_run(struct race *race, const struct race_part *parts);
void race_run_short(struct race *race, const struct race_part *parts);

static inline struct dma_buf *race_dma_buf(struct racer *racer)
{
	return racer->race->buf->dmabuf;
}

void race_mmap_prepare(struct mock_buffer *buf);

struct race_fence *race_fence_new(struct racer *racer);
int race_fence_add(struct dma_resv *resv, struct race_fence *fence,
		   enum dma_resv_usage usage);
void race_fence_end(struct racer *racer);
void race_fence_fire(struct race_fence *fence);

/* Parts. Devices: */
int race_attach_static(struct racer *racer, unsigned int round);
int race_attach_dynamic(struct racer *racer, unsigned int round);
int race_attach_cpu(struct racer *racer, unsigned int round);
int race_map(struct racer *racer, unsigned int round);
int race_pin(struct racer *racer, unsigned int round);
int race_move(struct racer *racer, unsigned int round);
int race_revoke(struct racer *racer, unsigned int round);
/* The CPU: */
int race_vmap(struct racer *racer, unsigned int round);
int race_cpu_access(struct racer *racer, unsigned int round);
int race_mmap(struct racer *racer, unsigned int round);
/* Fences: */
int race_fence(struct racer *racer, unsigned int round);
int race_poll_in(struct racer *racer, unsigned int round);
int race_poll_out(struct racer *racer, unsigned int round);
/* Files and lists: */
int race_fd(struct racer *racer, unsigned int round);
int race_rename(struct racer *racer, unsigned int round);
int race_read_names(struct racer *racer, unsigned int round);
int race_put_polled(struct racer *racer, unsigned int round);
int race_export(struct racer *racer, unsigned int round);
int race_walk(struct racer *racer, unsigned int round);

#endif
