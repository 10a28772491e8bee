// SPDX-License-Identifier: MIT
/*
 * The devices that prime_bench has to do with, and buffers of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
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

#include "bench.h"
#include "prime_bench_uapi.h"

#define STRICT "/sys/kernel/config/vgem/bench"
#define HOLES  (64 * MIB)

struct cards card = { -1, -1, -1, -1, -1, -1, -1, -1 };

void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("prime_bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(1);
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/*
 * How many pieces a buffer lies in is luck, and each costs. To compare kernels, see
 * to it that no two pages adjoin: what is free are pages with neighbours that are not.
 */
void scatter_memory(void)
{
	char *memory = mmap(NULL, HOLES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	for (size_t at = 0; at < HOLES; at += 2 * PAGE)
		if (madvise(memory + at, PAGE, MADV_DONTNEED))
			die("madvise");
}

static bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/*
 * A vgem that takes one piece, where there is configfs and it knows such. Only while it
 * is measured: what it has declared is looked at for each device that attaches.
 */
bool strict_open(void)
{
	char path[32] = "/dev/dri/";
	FILE *file;

	if (mkdir(STRICT, 0755) ||
	    !put_text(STRICT "/constraints", "segments=1") ||
	    !put_text(STRICT "/enable", "1"))
		return false;
	file = fopen(STRICT "/card", "r");
	if (file && fscanf(file, "%22s", path + strlen(path)) == 1)
		card.strict = open(path, O_RDWR | O_CLOEXEC);
	if (file)
		fclose(file);
	return card.strict >= 0;
}

void strict_close(void)
{
	close(card.strict);
	card.strict = -1;
	if (rmdir(STRICT))
		die("rmdir " STRICT);
}

/* Of the CMA area that the kernel was booted with, by its name of then or now. */
static int open_heap(void)
{
	int fd = open("/dev/dma_heap/reserved", O_RDWR | O_CLOEXEC);

	return fd < 0 ? open("/dev/dma_heap/default_cma_region",
			     O_RDWR | O_CLOEXEC) :
			fd;
}

int card_again(const char *driver)
{
	int fd = drmOpen(driver, NULL);

	if (fd < 0)
		die("no %s", driver);
	return fd;
}

void cards_open(void)
{
	card.vgem = card_again("vgem");
	card.vkms = card_again("vkms");
	card.floor = card_again(PRIME_BENCH_FLOOR);
	/* Who was never master pays for that in each ioctl, and the others' importer was. */
	if (drmDropMaster(card.floor))
		die("DROP_MASTER");
	card.floor_importer = card_again(PRIME_BENCH_FLOOR);
	card.bare = open("/dev/" PRIME_BENCH_DEVICE, O_RDWR | O_CLOEXEC);
	if (card.bare < 0)
		die("/dev/" PRIME_BENCH_DEVICE);
	card.udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	card.strict = -1;
	card.heap = open_heap();
}

void buffer_create_on(int device, struct buffer *b, uint64_t size)
{
	uint32_t pitch;

	b->device = device;
	b->fd = -1;
	b->map = NULL;
	if (drmModeCreateDumbBuffer(device, 1024, size / PAGE, 32, 0,
				    &b->handle, &pitch, &b->size))
		die("CREATE_DUMB");
}

void buffer_create(struct buffer *b, uint64_t size)
{
	buffer_create_on(card.vgem, b, size);
}

int buffer_reexport(const struct buffer *b)
{
	int fd;

	if (drmPrimeHandleToFD(b->device, b->handle, DRM_CLOEXEC | DRM_RDWR,
			       &fd))
		die("PRIME_HANDLE_TO_FD");
	return fd;
}

void buffer_export(struct buffer *b)
{
	b->fd = buffer_reexport(b);
}

void buffer_touch(struct buffer *b)
{
	uint64_t offset;

	if (!b->map) {
		if (drmModeMapDumbBuffer(b->device, b->handle, &offset))
			die("MAP_DUMB");
		b->map = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      b->device, offset);
		if (b->map == MAP_FAILED)
			die("mmap");
	}
	for (offset = 0; offset < b->size; offset += PAGE)
		b->map[offset]++;
}

void buffer_unmap(struct buffer *b)
{
	if (b->map && munmap(b->map, b->size))
		die("munmap");
	b->map = NULL;
}

void buffer_destroy(struct buffer *b)
{
	buffer_unmap(b);
	if (b->fd >= 0)
		close(b->fd);
	if (drmModeDestroyDumbBuffer(b->device, b->handle))
		die("DESTROY_DUMB");
}

int bare_export(uint32_t pages)
{
	struct prime_bench_export arg = { .pages = pages };

	if (ioctl(card.bare, PRIME_BENCH_EXPORT, &arg))
		die("PRIME_BENCH_EXPORT");
	return arg.fd;
}

int udmabuf_create(uint64_t size)
{
	struct udmabuf_create arg = { .flags = UDMABUF_FLAGS_CLOEXEC,
				      .size = size };
	int memfd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int fd;

	if (memfd < 0 || ftruncate(memfd, size) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		die("memfd");
	arg.memfd = memfd;
	fd = ioctl(card.udmabuf, UDMABUF_CREATE, &arg);
	if (fd < 0)
		die("UDMABUF_CREATE");
	close(memfd);
	return fd;
}

uint32_t import(int importer, int fd)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(importer, fd, &handle))
		die("PRIME_FD_TO_HANDLE");
	return handle;
}

void forget(int importer, uint32_t handle)
{
	if (drmCloseBufferHandle(importer, handle))
		die("GEM_CLOSE");
}
