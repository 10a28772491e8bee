// SPDX-License-Identifier: MIT
/*
 * What it costs to share buffers: the time that one operation takes.
 *
 * In a guest whose clock counts instructions (tools/vm --count) the figures are
 * instructions, and the same in every run. Prints a line for each operation: its
 * name, the mean, and how far apart the cheapest and the dearest were.
 *
 * Needs vgem and vkms; for moves also vgem's directory in configfs, and for what
 * they are compared with a dma-heap of contiguous memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-heap.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#define STRICT	"/sys/kernel/config/vgem/cost"
#define KIB	1024u
#define MIB	(1024 * KIB)
#define PAGE	4096
#define WARM_UP 3
#define ROUNDS	20
#define SINGLES 1024

static struct {
	int vgem, vkms, strict, heap;
} card = { -1, -1, -1, -1 };

struct buffer {
	uint32_t handle;
	uint64_t size;
	int fd;
	char *map;
};

static void __attribute__((format(printf, 1, 2), noreturn))
die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("prime_cost: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static void create(struct buffer *b, uint64_t size)
{
	uint32_t pitch;

	b->fd = -1;
	b->map = NULL;
	if (drmModeCreateDumbBuffer(card.vgem, 1024, size / PAGE, 32, 0,
				    &b->handle, &pitch, &b->size))
		die("CREATE_DUMB");
}

static void export(struct buffer *b)
{
	if (drmPrimeHandleToFD(card.vgem, b->handle, DRM_CLOEXEC | DRM_RDWR,
			       &b->fd))
		die("PRIME_HANDLE_TO_FD");
}

static void touch(struct buffer *b)
{
	uint64_t offset;

	if (!b->map) {
		if (drmModeMapDumbBuffer(card.vgem, b->handle, &offset))
			die("MAP_DUMB");
		b->map = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      card.vgem, offset);
		if (b->map == MAP_FAILED)
			die("mmap");
	}
	for (offset = 0; offset < b->size; offset += PAGE)
		b->map[offset]++;
}

static void destroy(struct buffer *b)
{
	if (b->map && munmap(b->map, b->size))
		die("munmap");
	if (b->fd >= 0)
		close(b->fd);
	if (drmModeDestroyDumbBuffer(card.vgem, b->handle))
		die("DESTROY_DUMB");
}

static uint32_t import(int importer, const struct buffer *b)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(importer, b->fd, &handle))
		die("PRIME_FD_TO_HANDLE");
	return handle;
}

static void forget(int importer, uint32_t handle)
{
	if (drmCloseBufferHandle(importer, handle))
		die("GEM_CLOSE");
}

/*
 * The pages of a small buffer lie side by side or not, as it happens, and a table
 * has an entry for each piece. To compare kernels, see to it that they do not: what
 * is free are pages with neighbours that are not.
 */
static void scatter(bool begin)
{
	static struct buffer single[SINGLES];
	size_t i;

	for (i = 0; begin && i < SINGLES; i++) {
		create(&single[i], PAGE);
		touch(&single[i]);
	}
	for (i = begin ? 1 : 0; i < SINGLES; i += 2)
		destroy(&single[i]);
}

static uint64_t cost_export(void)
{
	uint64_t begun = now();
	struct buffer b;

	create(&b, 64 * KIB);
	export(&b);
	destroy(&b);
	return now() - begun;
}

static uint64_t cost_import(void)
{
	struct buffer b;
	uint64_t cost;

	create(&b, 64 * KIB);
	export(&b);
	touch(&b);
	cost = now();
	forget(card.vkms, import(card.vkms, &b));
	cost = now() - cost;
	destroy(&b);
	return cost;
}

static uint64_t cost_touch(void)
{
	uint64_t begun = now();
	struct buffer b;

	create(&b, 4 * MIB);
	touch(&b);
	destroy(&b);
	return now() - begun;
}

static uint64_t cost_share(void)
{
	uint64_t begun = now();
	struct buffer b;

	create(&b, 4 * MIB);
	touch(&b);
	export(&b);
	forget(card.vkms, import(card.vkms, &b));
	destroy(&b);
	return now() - begun;
}

static uint64_t measure_move(bool again)
{
	uint64_t cost, touched;
	struct buffer b;
	uint32_t handle;

	create(&b, 8 * MIB);
	export(&b);
	touch(&b);
	cost = now();
	handle = import(card.strict, &b);
	cost = now() - cost;
	touched = now();
	touch(&b);
	touched = now() - touched;
	forget(card.strict, handle);
	destroy(&b);
	return again ? touched : cost;
}

static uint64_t cost_move(void)
{
	return measure_move(false);
}

static uint64_t cost_touch_moved(void)
{
	return measure_move(true);
}

/* As the kernel does it, page by page. */
static uint64_t cost_copy(void)
{
	static char *to, *from;
	uint64_t begun;

	if (!to) {
		to = aligned_alloc(PAGE, 8 * MIB);
		from = aligned_alloc(PAGE, 8 * MIB);
		if (!to || !from)
			die("aligned_alloc");
		memset(to, 1, 8 * MIB);
		memset(from, 2, 8 * MIB);
	}
	begun = now();
	for (size_t offset = 0; offset < 8 * MIB; offset += PAGE) {
#ifdef __x86_64__
		void *d = to + offset, *s = from + offset;
		size_t n = PAGE / 8;

		asm volatile("rep movsq"
			     : "+D"(d), "+S"(s), "+c"(n)
			     :
			     : "memory");
#else
		memcpy(to + offset, from + offset, PAGE);
#endif
	}
	return now() - begun;
}

/*
 * What a move from shmem to contiguous memory is made of, on any kernel: take so
 * much of that, cleared, copy, and free a buffer of shmem that a process has mapped.
 */
static uint64_t cost_by_hand(void)
{
	struct dma_heap_allocation_data to = { .len = 8 * MIB,
					       .fd_flags = O_CLOEXEC | O_RDWR };
	uint64_t cost, copy = cost_copy();
	struct buffer from;

	create(&from, 8 * MIB);
	touch(&from);
	cost = now();
	if (ioctl(card.heap, DMA_HEAP_IOCTL_ALLOC, &to))
		die("DMA_HEAP_IOCTL_ALLOC");
	destroy(&from);
	cost = now() - cost;
	close(to.fd);
	return cost + copy;
}

static const struct cost {
	const char *name;
	uint64_t (*run)(void);
	const int *needs;
	bool scattered;
} costs[] = {
	{ "create, export, close", cost_export, &card.vgem, false },
	{ "import and close", cost_import, &card.vkms, true },
	{ "create, touch, close 4 MiB", cost_touch, &card.vgem, false },
	{ "the same, and shared", cost_share, &card.vkms, false },
	{ "import that moves 8 MiB", cost_move, &card.strict, false },
	{ "allocate, copy, free 8 MiB", cost_by_hand, &card.heap, false },
	{ "touch what has moved", cost_touch_moved, &card.strict, false },
	{ "copy 8 MiB", cost_copy, &card.vgem, false },
};

static void measure(const struct cost *cost)
{
	uint64_t sum = 0, least = UINT64_MAX, most = 0;

	if (cost->scattered)
		scatter(true);
	for (int i = -WARM_UP; i < ROUNDS; i++) {
		uint64_t one = cost->run();

		if (i < 0)
			continue;
		sum += one;
		least = one < least ? one : least;
		most = one > most ? one : most;
	}
	if (cost->scattered)
		scatter(false);
	printf("%s: %" PRIu64 " +%" PRIu64 "\n", cost->name, sum / ROUNDS,
	       most - least);
}

static bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* A vgem that takes one piece, where there is configfs and it knows such. */
static int open_strict(void)
{
	char path[32] = "/dev/dri/";
	FILE *file;
	int fd = -1;

	if (mkdir(STRICT, 0755) ||
	    !put_text(STRICT "/constraints", "segments=1") ||
	    !put_text(STRICT "/enable", "1"))
		return -1;
	file = fopen(STRICT "/card", "r");
	if (file && fscanf(file, "%22s", path + strlen(path)) == 1)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (file)
		fclose(file);
	return fd;
}

/* Of the CMA area that the kernel was booted with, by its name of then or now. */
static int open_heap(void)
{
	int fd = open("/dev/dma_heap/reserved", O_RDWR | O_CLOEXEC);

	return fd < 0 ? open("/dev/dma_heap/default_cma_region",
			     O_RDWR | O_CLOEXEC) :
			fd;
}

int main(void)
{
	card.vgem = drmOpen("vgem", NULL);
	card.vkms = drmOpen("vkms", NULL);
	if (card.vgem < 0 || card.vkms < 0)
		die("no vgem or no vkms");
	card.strict = open_strict();
	card.heap = open_heap();
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++)
		if (*costs[i].needs >= 0)
			measure(&costs[i]);
	if (card.strict >= 0)
		close(card.strict);
	rmdir(STRICT);
	return 0;
}
