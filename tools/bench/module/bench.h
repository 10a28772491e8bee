/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of prime_bench.ko share.
 */
#ifndef BENCH_H
#define BENCH_H

#include <linux/list.h>
#include <linux/types.h>

struct dma_resv;
struct file;
struct kobject;
struct module;
struct page;
struct sg_table;
struct attached;

/**
 * struct floor_ops - the two callbacks of an exporter that an import cannot do without
 * @map: make addresses for a device
 * @unmap: take them back
 */
struct floor_ops {
	struct sg_table *(*map)(struct attached *attach);
	void (*unmap)(struct attached *attach, struct sg_table *sgt);
};

/**
 * struct visible - the members of &struct dma_buf that code beside the core needs
 * @size: read by every importer, drm_gem_shmem_helper.c for one
 * @file: by dma-heap.c, and counts references
 * @attachments: by amdgpu_cs.c
 * @ops: by each importer that looks whether a buffer is its own
 * @exp_name: shown to user space, in fdinfo and in the directory of sysfs
 * @name: shown as well, and set by user space
 * @owner: the module behind @ops, for whom to drop the reference
 * @priv: read by every exporter
 * @resv: by every importer with fences
 *
 * A floor without them would be below what the rest of the kernel lets anybody reach.
 */
struct visible {
	size_t size;
	struct file *file;
	struct list_head attachments;
	const struct floor_ops *ops;
	const char *exp_name;
	const char *name;
	struct module *owner;
	void *priv;
	struct dma_resv *resv;
};

/**
 * struct bare - what is behind an exported buffer
 * @count: pages; 0 for a buffer that nobody will map
 * @pages: the pages
 */
struct bare {
	unsigned int count;
	struct page *pages[] __counted_by(count);
};

/* bench.c */
struct bare *bare_alloc(unsigned int count);
void bare_free(struct bare *bare);

/* nothing.c */
struct kobject *nothing_in_sysfs(struct kobject *parent);
void nothing_out_of_sysfs(struct kobject *kobj);
void nothing_show(struct visible *visible, size_t size, struct file *file,
		  const struct floor_ops *ops, struct dma_resv *resv,
		  void *priv);
struct file *nothing_file(struct kobject *parent);
int nothing_init(void);
void nothing_exit(void);

/* floor.c */
int floor_init(void);
void floor_exit(void);

#endif
