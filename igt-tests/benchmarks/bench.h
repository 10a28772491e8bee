/* SPDX-License-Identifier: MIT */
/*
 * What the files of prime_bench share.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIB  1024u
#define MIB  (1024 * KIB)
#define PAGE 4096u

/*
 * One thing that is measured. @op is run @batch times between two looks at the
 * clock, so that these do not count. An operation of which only a part is of
 * interest measures that itself, and has @part in place of @op.
 */
struct row {
	const char *name; /* what tools/bench knows it by */
	unsigned int batch;
	bool (*begin)(void); /* false if this machine has not what it takes */
	void (*op)(void);
	void (*end)(void);
	uint64_t (*part)(void);
	bool flat; /* ought to cost the same however many buffers there are */
	bool floor; /* what one that is flat cannot go below, flat or not */
};

/* Each ends with a row without a name. */
extern const struct row prime_rows[];
extern const struct row file_rows[];
extern const struct row import_rows[];
extern const struct row move_rows[];
extern const struct row list_rows[];

/* client.c: devices, -1 if there is none, and buffers of vgem */
struct cards {
	int vgem, vkms, bare, udmabuf, strict, heap, floor, floor_importer;
};

extern struct cards card;

struct buffer {
	int device;
	uint32_t handle;
	uint64_t size;
	int fd;
	char *map;
};

void cards_open(void);
bool strict_open(void);
void strict_close(void);
int card_again(const char *driver);
void die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
uint64_t now(void);
void scatter_memory(void);

void buffer_create(struct buffer *b, uint64_t size);
void buffer_create_on(int device, struct buffer *b, uint64_t size);
void buffer_export(struct buffer *b);
void buffer_touch(struct buffer *b);
void buffer_unmap(struct buffer *b);
void buffer_destroy(struct buffer *b);
int buffer_reexport(const struct buffer *b);
int bare_export(uint32_t pages);
int udmabuf_create(uint64_t size);
uint32_t import(int importer, int fd);
void forget(int importer, uint32_t handle);

/* file_rows.c */
int file_create(uint32_t in_sysfs);

/* report.c */
enum which { ALL_ROWS, FLAT_ROWS, FLOOR_ROWS };
void measure(const struct row *rows, const char *suffix, enum which which);
void repeat(const struct row *rows, const char *name);
void report(const char *name, double value, double spread);

/* crowd.c, contention.c */
void crowd(unsigned int buffers);
void reader_against_allocator(unsigned int buffers);
void two_threads(bool imports);

#endif
