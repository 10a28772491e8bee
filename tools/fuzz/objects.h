/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the steps of one input have made so far: files, GEM handles, mappings.
 */
#ifndef FUZZ_OBJECTS_H
#define FUZZ_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
	KIND_ANY,
	KIND_DRM,
	KIND_DMABUF,
	KIND_SYNC,
	KIND_TIMELINE,
	KIND_MEMFD,
	KIND_VIDEO,
	KIND_EPOLL,
	KIND_PIPE,
};

/* Which node a DRM file is of. */
enum node {
	NODE_VGEM_A,
	NODE_VGEM_B,
	NODE_VKMS,
	NODE_RENDER_A,
	NODE_RENDER_B,
	NODE_COUNT,
	NODE_EXTRA, /* made through configfs */
	/* behind the others, whose numbers are in the corpus */
	NODE_VIRTGPU,
	NODE_VIRTGPU_RENDER,
	NODE_END,
};

struct file {
	int fd;
	enum kind kind;
	enum node node;
	/* equal for what dup() made, because handles belong to the open file */
	unsigned int identity;
};

struct area {
	uint8_t *start;
	size_t size;
};

#define AREA_ROOM (1UL << 22)
/* An importer allocates all of a buffer: the guest must hold many of the largest. */
#define SIZE_LIMIT (1UL << 24)

void objects_init(void);
void objects_reset(void);

int open_node(enum node node, int flags);
bool node_is_there(enum node node);
struct file file_find(enum kind kind, uint8_t selector);
struct file file_find_node(enum node node, uint8_t selector);
int file_add(int fd, enum kind kind);
int file_add_node(int fd, enum node node);
int file_add_twin(int fd, const struct file *original);
void file_forget(int fd);
int new_fd(long fd, enum kind kind);

uint32_t handle_find(const struct file *file, uint8_t selector);
void handle_add(const struct file *file, uint32_t handle);
void handle_forget(const struct file *file, uint32_t handle);

struct area area_find(uint8_t selector);
uint8_t *area_slot(uint8_t selector);
void area_set(uint8_t selector, uint8_t *start, size_t size);

/* Numbers that one step hears from the kernel and another passes back. */
enum memo { MEMO_OFFSET, MEMO_NAME, MEMO_FENCE, MEMO_FB, MEMO_COUNT };

void memo_set(enum memo memo, uint64_t value);
uint64_t memo_get(enum memo memo, uint8_t selector);

/* The lowest file descriptor that is free. */
int fd_frontier(void);

#endif
