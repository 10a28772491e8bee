// SPDX-License-Identifier: MIT
/*
 * Devices that need different memory, as a process sees them: what is imported
 * late, or by a device that is stricter than the others, is the same buffer with
 * the same content, whether it had to move or not.
 *
 * The strict device is an ordinary vgem of which the administrator has declared
 * that it needs buffers in one piece.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "declare.h"
#include "endpoint.h"
#include "text_file.h"

/**
 * TEST: Devices that disagree about memory
 * Description: What a device can reach is declared for it, and a buffer finds
 *	storage that all of its devices reach: late, moved while it is
 *	written, or refused while somebody holds it.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: constraints
 *
 * SUBTEST: declared-at-boot
 * Description: What the kernel's command line declares counts.
 *
 * SUBTEST: late-allocation
 * Description: Imports take no memory, the first use does once.
 *
 * SUBTEST: strict-before-first-use
 * Description: Storage is allocated for the strictest.
 *
 * SUBTEST: strict-after-first-use
 * Description: Storage moves for a stricter device.
 *
 * SUBTEST: moves-under-a-writer
 * Description: No write is lost while storage moves.
 *
 * SUBTEST: held-by-another
 * Description: What another has mapped is -EBUSY.
 *
 * SUBTEST: killed-while-it-waits
 * Description: A newcomer dies while it waits for a fence.
 */

IGT_TEST_DESCRIPTION("Devices that disagree about memory.");

#define CONFIGFS "/sys/kernel/config/vgem"
#define PAGE	 4096ull
/* 16 MiB: much more than others take or free meanwhile. */
#define WIDTH  2048
#define HEIGHT 2048
#define SEED   2011
/* What tools/check boots its guest of these tests with. */
#define BOOT_CONSTRAINTS         \
	"dma_buf.constraints=\"" \
	"boot-test.* segments=1; boot-test-2 align=65536\""

/* The first has the buffer, the last is strict. */
enum { OWNER, LOOSE, OTHER, STRICT, DEVICES };

static struct {
	int fd[DEVICES];
	struct vgem_bo bo;
	int dmabuf;
	uint8_t *map;
} t;

static void config_path(char *path, size_t size, int device, const char *attr)
{
	snprintf(path, size, CONFIGFS "/negotiation-%d%s", device, attr);
}

/* As text, "" if there is no such file. */
static void read_text(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");

	text[0] = 0;
	if (!f)
		return;
	text[fread(text, 1, size - 1, f)] = 0;
	fclose(f);
}

/* The name a DRM device's parent has in sysfs. */
static void device_name(int fd, char *name, size_t size)
{
	char path[64], target[256] = "";
	struct stat st;

	do_or_die(fstat(fd, &st));
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	igt_assert(readlink(path, target, sizeof(target) - 1) > 0);
	snprintf(name, size, "%s", basename(target));
}

static int make_device(int device)
{
	char path[96], node[32], name[64];
	int fd;

	config_path(path, sizeof(path), device, "");
	do_or_die(mkdir(path, 0755));
	config_path(path, sizeof(path), device, "/enable");
	igt_assert_eq(text_file_write(path, "1"), 0);
	config_path(path, sizeof(path), device, "/card");
	read_text(path, node, sizeof(node));
	node[strcspn(node, "\n")] = 0;
	snprintf(name, sizeof(name), "/dev/dri/%s", node);
	fd = open(name, O_RDWR | O_CLOEXEC);
	igt_assert_fd(fd);
	return fd;
}

static void remove_devices(void)
{
	char path[96];

	for (int i = 0; i < DEVICES; i++) {
		config_path(path, sizeof(path), i, "");
		rmdir(path);
	}
	errno = 0;
}

static void remove_devices_at_exit(int sig)
{
	(void)sig;
	remove_devices();
}

/* A buffer that nobody has touched yet, and its mapping. */
static void make_buffer(void)
{
	t.bo = (struct vgem_bo){ .width = WIDTH, .height = HEIGHT, .bpp = 32 };
	vgem_create(t.fd[OWNER], &t.bo);
	t.dmabuf = prime_handle_to_fd_for_mmap(t.fd[OWNER], t.bo.handle);
	t.map = dmabuf_mmap(t.dmabuf, t.bo.size);
}

static void drop_buffer(void)
{
	munmap(t.map, t.bo.size);
	close(t.dmabuf);
	gem_close(t.fd[OWNER], t.bo.handle);
}

static uint32_t import(int device)
{
	return prime_fd_to_handle(t.fd[device], t.dmabuf);
}

static void fdinfo(char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t.dmabuf);
	read_text(path, text, size);
}

static unsigned int moves(void)
{
	char text[2048], *line;

	fdinfo(text, sizeof(text));
	line = strstr(text, "\nmoves:\t");
	igt_assert_f(line, "fdinfo tells no moves:\n%s", text);
	return strtoul(line + strlen("\nmoves:\t"), NULL, 10);
}

/* Bytes of shmem that there are. */
static int64_t shmem(void)
{
	char text[4096], *line;
	unsigned long long kib;

	/* counts are kept per CPU; reading this adds them up */
	read_text("/proc/sys/vm/stat_refresh", text, sizeof(text));
	read_text("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "\nShmem:");
	igt_assert(line && sscanf(line, "\nShmem: %llu kB", &kib) == 1);
	return kib * 1024;
}

/* Made, exported, and imported by three others, a buffer takes no memory. */
static void late_allocation(void)
{
	const int64_t size = t.bo.size, before = shmem();
	int third = drm_open_driver(DRIVER_VGEM);
	uint32_t handle[] = { import(LOOSE), import(OTHER),
			      prime_fd_to_handle(third, t.dmabuf) };
	int64_t taken = shmem() - before;

	igt_assert_f(taken < size / 4, "imports allocated %lld bytes\n",
		     (long long)taken);

	pattern_fill(t.map, size, SEED);
	taken = shmem() - before;
	igt_assert_f(taken > size * 3 / 4, "%lld bytes for %lld\n",
		     (long long)taken, (long long)size);
	igt_assert_f(taken < size * 5 / 4, "%lld bytes for %lld\n",
		     (long long)taken, (long long)size);
	igt_assert_eq(moves(), 0);
	gem_close(t.fd[LOOSE], handle[0]);
	gem_close(t.fd[OTHER], handle[1]);
	close(third);
}

/* The first use finds what the strictest of three needs: no pages of shmem. */
static void strict_before_first_use(void)
{
	int64_t before = shmem();

	import(LOOSE);
	import(STRICT);
	import(OTHER);
	pattern_fill(t.map, t.bo.size, SEED);
	igt_assert_lt(shmem() - before, (int64_t)t.bo.size / 4);
	igt_assert_eq(moves(), 0);
	pattern_check(t.map, t.bo.size, SEED);
}

/* What is in use moves, with its content, and no further when the strict one goes. */
static void strict_after_first_use(void)
{
	int64_t before = shmem();
	char text[2048];
	uint32_t handle;

	import(LOOSE);
	pattern_fill(t.map, t.bo.size, SEED);
	handle = import(STRICT);
	igt_assert_eq(moves(), 1);
	pattern_check(t.map, t.bo.size, SEED);
	/* and leaves nothing where it was */
	igt_assert_lt(shmem() - before, (int64_t)t.bo.size / 4);
	fdinfo(text, sizeof(text));
	igt_assert(strstr(text, "segments=1"));

	pattern_fill(t.map, t.bo.size, SEED + 1);
	gem_close(t.fd[STRICT], handle);
	fdinfo(text, sizeof(text));
	igt_assert(!strstr(text, "segments=1"));
	import(OTHER);
	import(STRICT);
	igt_assert_eq(moves(), 1);
	pattern_check(t.map, t.bo.size, SEED + 1);
}

struct counter {
	pthread_t thread;
	atomic_uint rounds;
	atomic_bool stop;
	uint32_t count, lost;
};

/* Counts on in every page, in a word that is not the same in each. */
static void *count_in_pages(void *data)
{
	struct counter *c = data;
	volatile uint32_t *word;

	while (!c->stop) {
		for (uint64_t i = 0; i < t.bo.size / PAGE; i++) {
			word = (uint32_t *)(t.map + i * PAGE) + i % 1024;
			c->lost += *word != c->count;
			*word = c->count + 1;
		}
		c->count++;
		c->rounds++;
	}
	return NULL;
}

static void one_more_round(struct counter *c)
{
	unsigned int rounds = c->rounds;

	while (c->rounds < rounds + 2)
		sched_yield();
}

/* Words that neither the thread has written, nor nobody. */
static uint64_t wrong_words(uint32_t count)
{
	const uint32_t *words = (const uint32_t *)t.map;
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < t.bo.size / sizeof(*words); i++)
		wrong += words[i] != (i % 1024 == i / 1024 % 1024 ? count : 0);
	return wrong;
}

/* A thread that writes while its buffer moves does not lose a word. */
static void moves_under_a_writer(void)
{
	for (int i = 0; i < 5; i++) {
		struct counter c = {};
		uint32_t handle;

		do_or_die(pthread_create(&c.thread, NULL, count_in_pages, &c));
		one_more_round(&c);
		handle = import(STRICT);
		igt_assert_eq(moves(), 1);
		one_more_round(&c);
		c.stop = true;
		do_or_die(pthread_join(c.thread, NULL));
		igt_assert_eq(c.lost, 0);
		igt_assert_eq_u64(wrong_words(c.count), 0);
		gem_close(t.fd[STRICT], handle);
		drop_buffer();
		make_buffer();
	}
}

/* vkms maps what it imports for good: the strict one is refused until it goes. */
static void held_by_another(void)
{
	int vkms = card_open("vkms");
	uint32_t handle, refused;
	int err;

	pattern_fill(t.map, t.bo.size, SEED);
	handle = prime_fd_to_handle(vkms, t.dmabuf);
	for (int i = 0; i < 3; i++) {
		err = __prime_fd_to_handle(t.fd[STRICT], t.dmabuf, &refused);
		igt_assert_eq(err, -EBUSY);
	}
	igt_assert_eq(moves(), 0);
	pattern_check(t.map, t.bo.size, SEED);
	import(LOOSE);

	gem_close(vkms, handle);
	import(STRICT);
	igt_assert_eq(moves(), 1);
	pattern_check(t.map, t.bo.size, SEED);
	close(vkms);
}

/* The kernel tells what a process sleeps in: 16 is ioctl(), then its arguments. */
static void wait_until_in_ioctl(pid_t pid, int fd)
{
	char path[64], text[256], want[32];
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	length = snprintf(want, sizeof(want), "16 0x%x ", fd);
	do {
		sched_yield();
		read_text(path, text, sizeof(text));
	} while (strncmp(text, want, length));
}

/* A newcomer that is killed while it waits for a device leaves nothing behind. */
static void killed_while_it_waits(void)
{
	uint32_t fence, handle;
	int status;
	pid_t pid;

	pattern_fill(t.map, t.bo.size, SEED);
	fence = vgem_fence_attach(t.fd[OWNER], &t.bo, 0);
	pid = fork();
	igt_assert(pid >= 0);
	if (!pid) {
		__prime_fd_to_handle(t.fd[STRICT], t.dmabuf, &handle);
		_exit(0);
	}
	wait_until_in_ioctl(pid, t.fd[STRICT]);
	do_or_die(kill(pid, SIGKILL));
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	igt_assert_f(WIFSIGNALED(status), "it did not wait for the fence\n");
	igt_assert_eq(moves(), 0);
	import(LOOSE);
	pattern_check(t.map, t.bo.size, SEED);

	vgem_fence_signal(t.fd[OWNER], fence);
	import(STRICT);
	igt_assert_eq(moves(), 1);
	pattern_check(t.map, t.bo.size, SEED);
}

/* The kernel's command line declares as debugfs does, from the start. */
static void declared_at_boot(void)
{
	char text[4096];

	read_text("/proc/cmdline", text, sizeof(text));
	igt_require_f(strstr(text, BOOT_CONSTRAINTS),
		      "booted without dma_buf.constraints=\n");
	declared(text, sizeof(text));
	igt_assert_f(strstr(text, "boot-test.* segments=1\n"), "%s", text);
	igt_assert_f(strstr(text, "boot-test-2 align=65536\n"), "%s", text);
}

static const struct {
	const char *name, *describe;
	void (*run)(void);
} tests[] = {
	{ "late-allocation", "imports take no memory, the first use does once",
	  late_allocation },
	{ "strict-before-first-use", "storage is allocated for the strictest",
	  strict_before_first_use },
	{ "strict-after-first-use", "storage moves for a stricter device",
	  strict_after_first_use },
	{ "moves-under-a-writer", "no write is lost while storage moves",
	  moves_under_a_writer },
	{ "held-by-another", "what another has mapped is -EBUSY",
	  held_by_another },
	{ "killed-while-it-waits", "a newcomer dies while it waits for a fence",
	  killed_while_it_waits },
};

igt_main
{
	char strict[64];

	igt_fixture {
		drm_load_module(DRIVER_VGEM);
		declare_require();
		igt_require_f(access(CONFIGFS, W_OK) == 0,
			      "this vgem is not in configfs\n");
		igt_install_exit_handler(remove_devices_at_exit);
		remove_devices();
	}

	igt_describe("what the kernel's command line declares counts");
	igt_subtest("declared-at-boot")
		declared_at_boot();

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name) {
			remove_devices();
			for (int d = 0; d < DEVICES; d++)
				t.fd[d] = make_device(d);
			device_name(t.fd[STRICT], strict, sizeof(strict));
			declare(strict, "segments=1");
			make_buffer();
			tests[i].run();
			drop_buffer();
			declare(strict, "-");
			for (int d = 0; d < DEVICES; d++)
				close(t.fd[d]);
			remove_devices();
		}
	}

	igt_fixture
		remove_devices();
}
