// SPDX-License-Identifier: MIT
/*
 * What the threads of a process share, and the content of buffers.
 *
 * A slot for a descriptor or a handle is one atomic variable, so that threads
 * meet in the kernel and not here. Who takes a dma-buf gets a duplicate of its
 * own, and so knows what it is; who only glances at a slot has a number behind
 * which there may be another file by the time it is used, or none.
 *
 * The last page of a buffer is everybody's to write to. All others hold a
 * pattern made of the buffer's own id, which the first word tells and which is
 * written last: a buffer whose first word is 0 is not filled yet.
 */

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "stress.h"

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

/* Unlike drmIoctl() it comes back when a signal arrives. */
int stress_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static void file_init(struct stress_file *file, const struct stress_node *node)
{
	pthread_rwlock_init(&file->lock, NULL);
	file->node = node;
	file->fd = -1;
}

void stress_process_init(struct stress_process *p, struct stress *s)
{
	p->stress = s;
	file_init(&p->timeline, NULL);
	file_init(&p->epoll, NULL);
	for (unsigned int i = 0; i < s->num_nodes; i++) {
		file_init(&p->files[i], &s->nodes[i]);
		p->files[i].fd = stress_open_node(s, &s->nodes[i]);
	}
	for (unsigned int i = 0; i < STRESS_FDS; i++)
		p->fds[i] = -1;
	for (unsigned int i = 0; i < STRESS_SYNCS; i++)
		p->syncs[i] = -1;
}

static void close_slots(atomic_int *slots, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++)
		if (slots[i] >= 0)
			close(slots[i]);
}

/* By one thread, when the others are gone. */
void stress_process_fini(struct stress_process *p)
{
	for (unsigned int i = 0; i < p->stress->num_nodes; i++)
		stress_replace(&p->files[i], -1);
	stress_replace(&p->timeline, -1);
	stress_replace(&p->epoll, -1);
	close_slots(p->fds, STRESS_FDS);
	close_slots(p->syncs, STRESS_SYNCS);
}

/* The card that a directory in configfs has at the moment, or -1. */
static int open_hot(const struct stress_node *node)
{
	char path[96], card[32] = "";
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/config/vgem/stress%d/card",
		 node->hot);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, card, sizeof(card) - 1);
	close(fd);
	if (len <= 0)
		return -1;
	card[strcspn(card, "\n")] = '\0';
	snprintf(path, sizeof(path), "/dev/dri/%s", card);
	return open(path, O_RDWR | O_CLOEXEC);
}

int stress_open_node(struct stress *s, const struct stress_node *node)
{
	char path[32];

	(void)s;
	if (node->hot >= 0)
		return open_hot(node);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node->fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

static struct stress_file *use(struct stress_thread *t,
			       struct stress_file *file)
{
	pthread_rwlock_rdlock(&file->lock);
	if (file->fd < 0) {
		stress_unuse(file);
		return NULL;
	}
	if (file->node && file->node->hot >= 0)
		t->met_hot = true;
	return file;
}

/* Any device's file, or NULL; to be given back with stress_unuse(). */
struct stress_file *stress_use_file(struct stress_thread *t)
{
	struct stress_process *p = t->process;

	return use(t, &p->files[stress_random(t, p->stress->num_nodes)]);
}

/* A file that has vgem's fences, or NULL. */
struct stress_file *stress_use_fences(struct stress_thread *t)
{
	struct stress_file *file = stress_use_file(t);

	if (file && !file->node->fences) {
		stress_unuse(file);
		return NULL;
	}
	return file;
}

void stress_unuse(struct stress_file *file)
{
	pthread_rwlock_unlock(&file->lock);
}

/* Close a file and go on with another; its handles and fences go with it. */
void stress_replace(struct stress_file *file, int fd)
{
	pthread_rwlock_wrlock(&file->lock);
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	for (unsigned int i = 0; i < STRESS_HANDLES; i++)
		file->handles[i] = 0;
	for (unsigned int i = 0; i < STRESS_FENCES; i++)
		file->fences[i] = 0;
	pthread_rwlock_unlock(&file->lock);
}

static unsigned int pick(struct stress_thread *t, unsigned int num)
{
	unsigned int used = t->process->stress->slots;

	return stress_random(t, used < num ? used : num);
}

/* A handle that was there a moment ago, or 0. */
uint32_t stress_pick_handle(struct stress_thread *t, struct stress_file *file)
{
	return file->handles[pick(t, STRESS_HANDLES)];
}

/* Returns what was in the slot before, or 0. */
uint32_t stress_put_handle(struct stress_thread *t, struct stress_file *file,
			   uint32_t handle)
{
	return atomic_exchange(&file->handles[pick(t, STRESS_HANDLES)], handle);
}

static bool is_dmabuf(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == DMA_BUF_MAGIC;
}

/* A dma-buf that is the caller's to close, or -1. */
int stress_take_fd(struct stress_thread *t)
{
	int there = t->process->fds[pick(t, STRESS_FDS)];
	int fd;

	if (there < 0)
		return -1;
	fd = fcntl(there, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && !is_dmabuf(fd)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A number that was a dma-buf's a moment ago, or -1. */
int stress_glance_fd(struct stress_thread *t)
{
	t->met_stranger = true;
	return t->process->fds[pick(t, STRESS_FDS)];
}

void stress_put_fd(struct stress_thread *t, int fd)
{
	int old = atomic_exchange(&t->process->fds[pick(t, STRESS_FDS)], fd);

	if (old >= 0)
		close(old);
}

/* A sync file that is the caller's to put back or to close, or -1. */
int stress_take_sync(struct stress_thread *t)
{
	return atomic_exchange(&t->process->syncs[pick(t, STRESS_SYNCS)], -1);
}

void stress_put_sync(struct stress_thread *t, int fd)
{
	int old =
		atomic_exchange(&t->process->syncs[pick(t, STRESS_SYNCS)], fd);

	if (old >= 0)
		close(old);
}

static uint32_t pattern(uint32_t id, uint32_t at)
{
	return id * 2654435761u ^ at * 0x9e3779b9u;
}

static size_t pattern_words(size_t size)
{
	return (size - STRESS_PAGE) / sizeof(uint32_t);
}

void stress_content_fill(struct stress_thread *t, void *at, size_t size)
{
	uint32_t id = atomic_fetch_add(&t->process->stress->shared->last_id, 1);
	atomic_uint *word = at;

	for (uint32_t i = 1; i < pattern_words(size); i++)
		atomic_store_explicit(&word[i], pattern(id, i),
				      memory_order_relaxed);
	atomic_store_explicit(&word[0], id, memory_order_release);
}

/* Some words of every page: what is mixed up is so in whole pages. */
bool stress_content_check(struct stress_thread *t, struct stress_map *map)
{
	atomic_uint *word = map->at;
	uint32_t id = atomic_load_explicit(&word[0], memory_order_acquire);
	size_t words = pattern_words(map->size);
	const uint32_t per_page = STRESS_PAGE / sizeof(uint32_t);

	if (!id && !map->id)
		return true;
	if (map->id && id != map->id) {
		stress_fail(t->process->stress,
			    "a mapping of buffer %u shows buffer %u", map->id,
			    id);
		return false;
	}
	map->id = id;
	for (uint32_t i = 1; i < words; i += 1 + stress_random(t, per_page)) {
		if (word[i] == pattern(id, i))
			continue;
		stress_fail(t->process->stress,
			    "buffer %u, word %u of %zu: %08x, expected %08x",
			    id, i, words, word[i], pattern(id, i));
		return false;
	}
	return true;
}

/* An inode number is never used again, so it stands for one content. */
bool stress_content_same(struct stress_thread *t, int dmabuf,
			 const struct stress_map *map)
{
	struct stress *s = t->process->stress;
	atomic_ullong *slot;
	uint64_t known, now;
	struct stat st;

	if (!map->id || fstat(dmabuf, &st))
		return true;
	slot = &s->shared->content[st.st_ino % STRESS_INODES];
	now = (uint64_t)st.st_ino << 32 | map->id;
	known = atomic_exchange(slot, now);
	if (known >> 32 != now >> 32 || known == now)
		return true;
	stress_fail(s, "dma-buf %llu was buffer %u and is %u",
		    (unsigned long long)st.st_ino, (uint32_t)known, map->id);
	return false;
}

void stress_map_scribble(struct stress_thread *t, struct stress_map *map)
{
	atomic_uint *word = map->at;
	uint32_t at = pattern_words(map->size) +
		      stress_random(t, STRESS_PAGE / sizeof(uint32_t));

	if (map->writable)
		atomic_store(&word[at], stress_random(t, UINT32_MAX));
}

void stress_map_drop(struct stress_map *map)
{
	if (map->at)
		munmap(map->at, map->size);
	*map = (struct stress_map){};
}
