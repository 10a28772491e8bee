/* SPDX-License-Identifier: MIT */
/*
 * Many threads of several processes do everything that can be done to a small
 * pool of buffers, at once. What is expected is little, and holds whoever wins:
 * an operation fails only with an errno that it is documented to have, the
 * content of a buffer is its own, everything ends, and nothing is left.
 *
 *	supervisor.c	processes: start, kill, watch, count, check what is left
 *	worker.c	threads of one process: choose an operation, judge its errno
 *	pool.c		what the threads of a process share, and content
 *	ops_gem.c, ops_dmabuf.c, ops_fence.c, ops_system.c	the operations
 *
 * A thread must not assert: it would jump out of its stack. It reports with
 * stress_fail(), which ends the run.
 */
#ifndef STRESS_H
#define STRESS_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STRESS_PROCESSES 8 /* at most, as all of these */
#define STRESS_THREADS	 8
#define STRESS_OPS	 48
#define STRESS_ERRNOS	 134
#define STRESS_NODES	 8
#define STRESS_HOT	 2 /* nodes that come and go */
#define STRESS_HANDLES	 6 /* of a file */
#define STRESS_FENCES	 4 /* of a file */
#define STRESS_FDS	 10 /* of a process */
#define STRESS_SYNCS	 6
#define STRESS_NAMES	 4 /* of a node */
#define STRESS_MAPS	 3 /* of a thread */
#define STRESS_PAGE	 4096
#define STRESS_INODES	 8192

/* What an operation returns if there was nothing to do it to. */
#define STRESS_IDLE 1

enum stress_group {
	STRESS_ALWAYS = 0,
	STRESS_UNPLUG = 1, /* devices come and go */
	STRESS_PASS = 2, /* buffers go from process to process */
};

struct stress_config {
	const char *name, *describe;
	unsigned int processes, threads;
	unsigned int groups; /* operations beside STRESS_ALWAYS */
	unsigned int kill_every; /* operations, 0: nobody is killed */
	/* How many of the slots of a kind are used; 0: 1, 2, 4, 8 in turn. */
	unsigned int slots;
};

struct stress_limits {
	uint64_t seed;
	unsigned int seconds;
	uint64_t operations;
	unsigned int hang; /* seconds without an end of one operation */
};

/* A device; workers open a file of their own on it. */
struct stress_node {
	int fd; /* the test's own, -1 if hot */
	int hot; /* its directory in configfs, -1 if it stays */
	bool fences; /* has vgem's ioctls */
};

struct stress_lane {
	atomic_int tid; /* 0: no thread */
	atomic_uint op;
	atomic_ullong done;
};

struct stress_count {
	atomic_ullong ran;
	atomic_uint failed[STRESS_ERRNOS];
};

/* Memory that all processes see. */
struct stress_shared {
	atomic_bool stop;
	atomic_bool failed;
	char why[512];
	atomic_llong budget; /* operations left */
	atomic_uint last_id; /* of a buffer's content */
	atomic_ullong content[STRESS_INODES]; /* inode << 32 | id */
	atomic_uint names[STRESS_NODES][STRESS_NAMES]; /* of flink */
	atomic_int pids[STRESS_PROCESSES];
	struct stress_lane lanes[STRESS_PROCESSES][STRESS_THREADS];
	struct stress_count counts[STRESS_OPS];
};

/* What everybody has from before the processes were made. */
struct stress {
	struct stress_shared *shared;
	const struct stress_config *config;
	struct stress_node nodes[STRESS_NODES];
	unsigned int num_nodes;
	unsigned int slots; /* in this round */
	/* Both ends of a pair: whoever wants sends or receives. */
	int sockets[2];
	int tick; /* eventfd: time to kill somebody */
	int heap; /* of the system, or -1 */
	const char *debugfs;
};

/* A descriptor that is used by many and replaced now and then. */
struct stress_file {
	pthread_rwlock_t lock;
	int fd; /* or -1 */
	const struct stress_node *node; /* NULL: not a device */
	atomic_uint handles[STRESS_HANDLES];
	atomic_uint fences[STRESS_FENCES];
};

/* What the threads of a process share. */
struct stress_process {
	struct stress *stress;
	unsigned int index, incarnation;
	struct stress_file files[STRESS_NODES];
	struct stress_file timeline; /* sw_sync */
	atomic_uint seqno; /* of the timeline */
	struct stress_file epoll;
	/* dma-bufs: duplicated to be used, closed when another takes the slot */
	atomic_int fds[STRESS_FDS];
	/* sync files: taken out to be used, put back afterwards */
	atomic_int syncs[STRESS_SYNCS];
};

struct stress_map {
	void *at;
	size_t size;
	uint32_t id;
	bool writable;
};

struct stress_thread {
	struct stress_process *process;
	unsigned int index;
	uint64_t random;
	pthread_t pthread;
	struct stress_map maps[STRESS_MAPS];
	/* What the operation at hand has met, which widens what is allowed. */
	bool met_hot; /* a device that may be unplugged */
	bool met_stranger; /* a descriptor that may be another file by now */
};

struct stress_op {
	const char *name;
	int (*run)(struct stress_thread *t); /* 0, -errno, or STRESS_IDLE */
	unsigned int weight;
	enum stress_group group;
	int allowed[8]; /* errnos, ended by 0 */
};

/* What it is called, what does it, how often; then what else there is to say. */
#define STRESS_OP(name_, run_, weight_, rest...)                    \
	{                                                           \
		.name = name_, .run = run_, .weight = weight_, rest \
	}
#define STRESS_ERRS(errs...) .allowed = { errs }

/* worker.c */
int stress_worker(struct stress *s, unsigned int index,
		  unsigned int incarnation, uint64_t seed);
void stress_fail(struct stress *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
uint32_t stress_random(struct stress_thread *t, uint32_t below);
const struct stress_op *stress_op(unsigned int index);

/* supervisor.c */
void stress_run(struct stress *s, const struct stress_config *config,
		const struct stress_limits *limits);

/* pool.c */
void stress_process_init(struct stress_process *p, struct stress *s);
void stress_process_fini(struct stress_process *p);
int stress_open_node(struct stress *s, const struct stress_node *node);
struct stress_file *stress_use_file(struct stress_thread *t);
struct stress_file *stress_use_fences(struct stress_thread *t);
void stress_unuse(struct stress_file *file);
void stress_replace(struct stress_file *file, int fd);
uint32_t stress_pick_handle(struct stress_thread *t, struct stress_file *file);
uint32_t stress_put_handle(struct stress_thread *t, struct stress_file *file,
			   uint32_t handle);
int stress_take_fd(struct stress_thread *t);
int stress_glance_fd(struct stress_thread *t);
void stress_put_fd(struct stress_thread *t, int fd);
int stress_take_sync(struct stress_thread *t);
void stress_put_sync(struct stress_thread *t, int fd);
int stress_ioctl(int fd, unsigned long request, void *arg);
void stress_content_fill(struct stress_thread *t, void *at, size_t size);
bool stress_content_check(struct stress_thread *t, struct stress_map *map);
bool stress_content_same(struct stress_thread *t, int dmabuf,
			 const struct stress_map *map);
void stress_map_scribble(struct stress_thread *t, struct stress_map *map);
void stress_map_drop(struct stress_map *map);

/* ops_*.c: tables that end with an entry without a name */
extern const struct stress_op stress_ops_gem[];
extern const struct stress_op stress_ops_dmabuf[];
extern const struct stress_op stress_ops_fence[];
extern const struct stress_op stress_ops_system[];

#endif
