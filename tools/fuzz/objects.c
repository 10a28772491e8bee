// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files, handles and mappings of the input that runs.
 *
 * Everything below the file descriptor FIRST_FD belongs to the fuzzer itself and
 * everything from there on to the input, so that one close_range() ends what an
 * input has left.  Mappings all lie in one range of addresses for the same
 * reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <drm.h>

#include "check.h"
#include "objects.h"
#include "operations.h"

#define FIRST_FD    64
#define FD_LIMIT    192
#define MAX_FILES   32
#define MAX_HANDLES 32
#define MAX_AREAS   8
#define MEMOS	    4
/* From here on a selector asks for something that does not fit. */
#define ODD_SELECTOR 0xf0

struct handle {
	unsigned int identity;
	uint32_t value;
};

static struct file files[MAX_FILES];
static unsigned int file_count;
static struct handle handles[MAX_HANDLES];
static unsigned int handle_count;
static struct area areas[MAX_AREAS];
static uint64_t memos[MEMO_COUNT][MEMOS];
static unsigned int memo_count[MEMO_COUNT];
static unsigned int last_identity;
static uint8_t *arena;

/* The two threads share all of the above; never held over a call under test. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static char node_paths[NODE_END][32];

/* --- device nodes --------------------------------------------------------- */

static bool driver_is(int fd, const char *name)
{
	char got[16] = "";
	struct drm_version version = { .name = got,
				       .name_len = sizeof(got) - 1 };

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(got, name);
}

/* The numbers depend on the order in which modules were loaded. */
static void find_nodes(const char *pattern, int first, const enum node *vgem,
		       enum node virtgpu)
{
	char path[32];
	int fd, i, seen = 0;

	for (i = first; i < first + 8; i++) {
		snprintf(path, sizeof(path), pattern, i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (driver_is(fd, "vgem") && seen < 2)
			strcpy(node_paths[vgem[seen++]], path);
		else if (driver_is(fd, "vkms"))
			strcpy(node_paths[NODE_VKMS], path);
		else if (driver_is(fd, "virtio_gpu"))
			strcpy(node_paths[virtgpu], path);
		close(fd);
	}
}

bool node_is_there(enum node node)
{
	return node_paths[node][0];
}

int open_node(enum node node, int flags)
{
	return open(node_paths[node], flags | O_CLOEXEC);
}

/* --- files ---------------------------------------------------------------- */

static int file_put(int fd, enum kind kind, enum node node,
		    unsigned int identity)
{
	bool full;

	pthread_mutex_lock(&lock);
	full = file_count == MAX_FILES;
	if (!identity)
		identity = ++last_identity;
	if (!full)
		files[file_count++] = (struct file){ fd, kind, node, identity };
	pthread_mutex_unlock(&lock);
	if (full)
		close(fd);
	return full ? -EMFILE : fd;
}

int file_add(int fd, enum kind kind)
{
	return fd < 0 ? fd : file_put(fd, kind, NODE_COUNT, 0);
}

int file_add_node(int fd, enum node node)
{
	return fd < 0 ? fd : file_put(fd, KIND_DRM, node, 0);
}

int file_add_twin(int fd, const struct file *original)
{
	return fd < 0 ? fd :
			file_put(fd, original->kind, original->node,
				 original->identity);
}

/* For the results of calls: note a descriptor, pass on all else. */
int new_fd(long fd, enum kind kind)
{
	return fd < FIRST_FD ? fd : file_add(fd, kind);
}

void file_forget(int fd)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < file_count; i++) {
		if (files[i].fd == fd) {
			memmove(&files[i], &files[i + 1],
				(file_count - i - 1) * sizeof(files[0]));
			file_count--;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

static bool file_among(enum kind kind, uint8_t selector, struct file *found)
{
	unsigned int i, matches = 0;

	pthread_mutex_lock(&lock);
	for (i = 0; i < file_count; i++)
		matches += kind == KIND_ANY || files[i].kind == kind;
	if (matches) {
		selector %= matches;
		for (i = 0; i < file_count; i++) {
			if ((kind == KIND_ANY || files[i].kind == kind) &&
			    !selector--)
				*found = files[i];
		}
	}
	pthread_mutex_unlock(&lock);
	return matches;
}

static void make_dmabuf(void)
{
	struct file drm = file_find(KIND_DRM, 0);
	struct drm_prime_handle prime = { .flags = DRM_RDWR | DRM_CLOEXEC };

	prime.handle = handle_find(&drm, 0);
	if (!ioctl(drm.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime))
		file_add(prime.fd, KIND_DMABUF);
}

static void file_make(enum kind kind)
{
	switch (kind) {
	case KIND_ANY:
	case KIND_DMABUF:
		make_dmabuf();
		break;
	case KIND_DRM:
		file_add_node(open_node(NODE_VGEM_A, O_RDWR), NODE_VGEM_A);
		break;
	case KIND_SYNC:
	case KIND_TIMELINE:
		timeline_make(kind == KIND_SYNC);
		break;
	case KIND_MEMFD:
		file_add(memfd_make(), kind);
		break;
	case KIND_VIDEO:
		file_add(open("/dev/video0", O_RDWR | O_NONBLOCK | O_CLOEXEC),
			 kind);
		break;
	case KIND_EPOLL:
		file_add(epoll_create1(EPOLL_CLOEXEC), kind);
		break;
	case KIND_PIPE:
		pipe_make();
		break;
	}
}

/*
 * A file of the kind, made if there is none.  A selector beyond ODD_SELECTOR
 * asks for any file at all, and the last of them for none.
 */
struct file file_find(enum kind kind, uint8_t selector)
{
	struct file found = { .fd = -1 };

	if (selector == 0xff)
		return found;
	if (selector >= ODD_SELECTOR && file_among(KIND_ANY, selector, &found))
		return found;
	if (!file_among(kind, selector, &found)) {
		file_make(kind);
		file_among(kind, 0, &found);
	}
	return found;
}

static bool file_among_nodes(enum node node, uint8_t selector,
			     struct file *found)
{
	unsigned int i, matches = 0;

	pthread_mutex_lock(&lock);
	for (i = 0; i < file_count; i++)
		matches += files[i].node == node;
	if (matches) {
		selector %= matches;
		for (i = 0; i < file_count; i++)
			if (files[i].node == node && !selector--)
				*found = files[i];
	}
	pthread_mutex_unlock(&lock);
	return matches;
}

/* The same for a file of one node. */
struct file file_find_node(enum node node, uint8_t selector)
{
	struct file found = { .fd = -1 };

	if (selector >= ODD_SELECTOR)
		return file_find(KIND_DRM, selector);
	if (!file_among_nodes(node, selector, &found)) {
		file_add_node(open_node(node, O_RDWR), node);
		file_among_nodes(node, 0, &found);
	}
	return found;
}

int fd_frontier(void)
{
	int fd = fcntl(FIRST_FD - 1, F_DUPFD_CLOEXEC, FIRST_FD);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* --- GEM handles ---------------------------------------------------------- */

void handle_add(const struct file *file, uint32_t handle)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < handle_count; i++)
		if (handles[i].identity == file->identity &&
		    handles[i].value == handle)
			break;
	if (i == handle_count && handle_count < MAX_HANDLES)
		handles[handle_count++] =
			(struct handle){ file->identity, handle };
	pthread_mutex_unlock(&lock);
}

void handle_forget(const struct file *file, uint32_t handle)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < handle_count; i++) {
		if (handles[i].identity == file->identity &&
		    handles[i].value == handle) {
			handles[i] = handles[--handle_count];
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

static bool handle_among(const struct file *file, uint8_t selector,
			 uint32_t *found)
{
	unsigned int i, matches = 0;

	pthread_mutex_lock(&lock);
	for (i = 0; i < handle_count; i++)
		matches += handles[i].identity == file->identity;
	if (matches) {
		selector %= matches;
		for (i = 0; i < handle_count; i++)
			if (handles[i].identity == file->identity &&
			    !selector--)
				*found = handles[i].value;
	}
	pthread_mutex_unlock(&lock);
	return matches;
}

static void make_handle(const struct file *file)
{
	struct drm_mode_create_dumb dumb = { .width = 1024,
					     .height = 2,
					     .bpp = 32 };

	if (!ioctl(file->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		handle_add(file, dumb.handle);
}

/* A handle of the file, or a number that may be one by chance. */
uint32_t handle_find(const struct file *file, uint8_t selector)
{
	uint32_t found = 0;

	if (selector >= ODD_SELECTOR)
		return selector == 0xff ? UINT32_MAX :
					  (uint32_t)selector - ODD_SELECTOR;
	if (!handle_among(file, selector, &found)) {
		make_handle(file);
		handle_among(file, 0, &found);
	}
	return found;
}

/* --- memory --------------------------------------------------------------- */

uint8_t *area_slot(uint8_t selector)
{
	return arena + selector % MAX_AREAS * AREA_ROOM;
}

void area_set(uint8_t selector, uint8_t *start, size_t size)
{
	pthread_mutex_lock(&lock);
	areas[selector % MAX_AREAS] = (struct area){ start, size };
	pthread_mutex_unlock(&lock);
}

/* One that is in use, if there is any. */
struct area area_find(uint8_t selector)
{
	struct area found = { NULL, 0 };
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < MAX_AREAS && !found.size; i++)
		found = areas[(selector + i) % MAX_AREAS];
	pthread_mutex_unlock(&lock);
	return found;
}

static void arena_clear(void)
{
	void *at = mmap(arena, MAX_AREAS * AREA_ROOM, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				(arena ? MAP_FIXED : 0),
			-1, 0);

	if (at == MAP_FAILED) {
		perror("the range for mappings");
		exit(1);
	}
	arena = at;
}

/* --- numbers -------------------------------------------------------------- */

void memo_set(enum memo memo, uint64_t value)
{
	pthread_mutex_lock(&lock);
	memos[memo][memo_count[memo]++ % MEMOS] = value;
	pthread_mutex_unlock(&lock);
}

uint64_t memo_get(enum memo memo, uint8_t selector)
{
	uint64_t value;

	pthread_mutex_lock(&lock);
	value = memos[memo][selector % MEMOS];
	if (!value)
		value = memos[memo][0];
	pthread_mutex_unlock(&lock);
	return value;
}

/* --- from the first input to the last ------------------------------------- */

static void allow_files(rlim_t count)
{
	struct rlimit limit = { count, FD_LIMIT };

	setrlimit(RLIMIT_NOFILE, &limit);
}

void objects_init(void)
{
	static const enum node cards[] = { NODE_VGEM_A, NODE_VGEM_B };
	static const enum node renders[] = { NODE_RENDER_A, NODE_RENDER_B };
	int null;

	find_nodes("/dev/dri/renderD%d", 128, renders, NODE_VIRTGPU_RENDER);
	find_nodes("/dev/dri/card%d", 0, cards, NODE_VIRTGPU);
	if (!node_paths[NODE_VGEM_B][0] || !node_paths[NODE_VKMS][0]) {
		fprintf(stderr, "fuzz: load 'vgem devices=2' and vkms first\n");
		exit(1);
	}
	allow_files(FD_LIMIT);
	do
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (null < FIRST_FD - 1);
	if (null >= FIRST_FD)
		close(null);
	arena_clear();
}

/* What every input starts with, and each is cleaned up to. */
void objects_reset(void)
{
	unsigned int i;

	allow_files(FD_LIMIT);
	for (i = 0; i < file_count; i++)
		if (files[i].kind == KIND_TIMELINE)
			timeline_end(files[i].fd);
	close_range(FIRST_FD, ~0U, 0);
	arena_clear();
	file_count = 0;
	handle_count = 0;
	last_identity = 0;
	memset(areas, 0, sizeof(areas));
	memset(memos, 0, sizeof(memos));
	memset(memo_count, 0, sizeof(memo_count));
}
