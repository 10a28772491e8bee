/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of prime_bench.ko share.
 */
#ifndef BENCH_H
#define BENCH_H

#include <linux/types.h>

struct device;
struct file;
struct kobject;
struct page;

/**
 * struct bare - what is behind an exported buffer, or behind a file without one
 * @kobj: of a file without one, its directory in sysfs, or NULL
 * @count: pages; 0 for a buffer that nobody will map
 * @pages: the pages
 */
struct bare {
	struct kobject *kobj;
	unsigned int count;
	struct page *pages[] __counted_by(count);
};

/* bench.c */
struct bare *bare_alloc(unsigned int count);
void bare_free(struct bare *bare);

/* nothing.c */
struct kobject *nothing_in_sysfs(struct kobject *parent);
void nothing_out_of_sysfs(struct kobject *kobj);
struct file *nothing_file(struct kobject *parent);

/* floor.c */
int floor_init(void);
void floor_exit(void);

#endif
