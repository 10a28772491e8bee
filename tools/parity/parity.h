/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One behaviour of the kernel, one line of output: what was done and what came
 * of it.  The same program runs on two kernels and the lines are compared, so
 * nothing may be printed that differs between two runs on one kernel.
 */
#ifndef PARITY_H
#define PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "endpoint.h"

#define PAGE	 4096
#define N(array) (sizeof(array) / sizeof((array)[0]))

/*
 * --- saying it: say.c ---
 *
 * An id is a short name, unique within its group; the expectations name it.
 */
void say(const char *id, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void say_ret(const char *id, const char *what, long ret);

/* What a call answered: a number, or the name of the errno. */
const char *answer(long ret);
/* Formatted text that stays valid for a while. */
const char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A byte count, told by the size of the buffer it belongs to. */
const char *told_by(uint64_t value, uint64_t size);

/* Results of many like things as ranges: "0-3: EINVAL, 4-63: 0". */
struct ranges {
	char *text;
	size_t len;
	long first, last;
	char result[128];
};

void ranges_add(struct ranges *r, long at, const char *result);
/* The whole text; the ranges start anew. */
const char *ranges_end(struct ranges *r);

/* Results side by side: "read EINVAL, write EINVAL". */
struct list {
	char text[2048];
};

void list_add(struct list *l, const char *name, const char *result);

/*
 * --- buffers of every exporter: exporter.c, video.c ---
 */
struct exporter {
	char name[40];
	struct endpoint ep; /* DRM, heap, udmabuf; ep.fd is the device's */
	bool video; /* ep.fd is a V4L2 device's, and nothing else of ep is set */
	uint32_t type; /* of the V4L2 queue */
	unsigned int used; /* V4L2 buffers exported so far */
};

struct buffer {
	struct exporter *by;
	int fd; /* the dma-buf */
	uint64_t size;
	uint32_t handle; /* DRM only, else 0 */
	int memfd; /* udmabuf only, else -1 */
};

/* All that this machine has; each is opened anew. */
int exporters_open(struct exporter *all, int max);
int video_open(struct exporter *all, int num, int max);
int video_export(struct exporter *by, int flags);

/* mode: O_RDWR, O_RDONLY, O_WRONLY. -1 if the exporter makes no such fd. */
int buffer_new(struct exporter *by, int mode, struct buffer *b);
void buffer_free(struct buffer *b);
/* Gives up what the exporter's client holds; the dma-buf's fd stays. */
void buffer_forget(struct buffer *b);

/* Opens DRM nodes of a driver again: the primary one or the render node. */
int drm_again(const struct exporter *drm);
int drm_render(const struct exporter *drm);

/*
 * --- fences and signals: fence.c ---
 */
struct timeline {
	int fd;
	unsigned int last; /* the youngest fence, first is 1 */
};

void timeline_new(struct timeline *t);
/* A sync file with a fence that is pending until timeline_signal(). */
int timeline_fence(struct timeline *t);
void timeline_signal(struct timeline *t);
/* Puts a new fence into a buffer: DMA_BUF_SYNC_READ or _WRITE. */
void timeline_busy(struct timeline *t, int dmabuf, uint32_t usage);

/* What poll() says at once. */
const char *poll_now(int fd, short events);
const char *events_text(unsigned int events);

/*
 * From start to stop a signal arrives again and again, so that a call that
 * waits ends with EINTR, whenever it is made.  Where it restarts, the handler
 * signals the timeline instead, so that the call ends well.
 */
void signals_start(void);
void signals_start_restart(struct timeline *t);
void signals_stop(void);

/*
 * --- ioctl arguments: argument.c ---
 */
long try_ioctl(int fd, unsigned long request, void *arg);
/* The ioctl with a good argument in each kind of bad memory. */
void say_pointers(int fd, unsigned long request, const void *arg);
/* The same number with other sizes and directions. */
void say_numbers(int fd, unsigned long request, const void *arg);
/* A page, or two, of which the second is a hole. */
void *page_new(int prot);
void *page_before_hole(void);

/*
 * --- files that are no dma-buf: kinds.c ---
 */
struct kind {
	const char *name;
	int (*open)(void);
};

/* Left out: what a busy machine answers otherwise, see TIMED in tools/parity/run. */
extern bool leave_out_timed;

extern const struct kind kinds[];
extern const unsigned int num_kinds;

int path_fd(int fd); /* O_PATH of the same file */
int closed_fd(void);
unsigned int open_files(void);

/*
 * --- the groups ---
 */
enum scope {
	ONCE, /* no buffer */
	EXPORTERS, /* for a buffer of each exporter */
	DRM, /* for each DRM device, with a dumb buffer */
	VGEM, /* for vgem only, with a dumb buffer */
	VIRTIO, /* for virtio-gpu only, likewise */
};

struct group {
	const char *name;
	const char *title;
	enum scope scope;
	void (*run)(struct buffer *b);
};

void run_sync(struct buffer *b);
void run_sync_wait(struct buffer *b);
void run_modes(struct buffer *b);
void run_name(struct buffer *b);
void run_export_sync_file(struct buffer *b);
void run_import_sync_file(struct buffer *b);
void run_numbers(struct buffer *b);
void run_kinds(struct buffer *b);
void run_poll(struct buffer *b);
void run_epoll(struct buffer *b);
void run_seek(struct buffer *b);
void run_file(struct buffer *b);
void run_path(struct buffer *b);
void run_mmap(struct buffer *b);
void run_mapping(struct buffer *b);
void run_stat(struct buffer *b);
void run_proc(struct buffer *b);
void run_bufinfo(struct buffer *b);
void run_sysfs(struct buffer *b);
void run_prime_export(struct buffer *b);
void run_prime_import(struct buffer *b);
void run_prime_nodes(struct buffer *b);
void run_device(struct buffer *b);
void run_dumb(struct buffer *b);
void run_video_import(struct buffer *b);
void run_vgem(struct buffer *b);
void run_vgem_expiry(struct buffer *b);
void run_virtgpu(struct buffer *b);

#endif
