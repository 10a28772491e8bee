// SPDX-License-Identifier: MIT
/*
 * vgem in configfs: devices that are made and taken away at run time, each with
 * what it can reach, and what is left to those who use one when it goes.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"

#include "endpoint.h"
#include "text_file.h"

/**
 * TEST: Devices of vgem that come and go
 * Description: vgem devices made and removed through configfs, and what is
 *	left to those who use one when it goes.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: mock device
 *
 * SUBTEST: defaults
 * Description: A new directory is no device and reaches all memory.
 *
 * SUBTEST: enable
 * Description: A device comes and goes with what enable says.
 *
 * SUBTEST: bad-values
 * Description: What makes no sense is EINVAL and changes nothing.
 *
 * SUBTEST: mask-is-kept
 * Description: A device does not change while there is one.
 *
 * SUBTEST: coherence-is-kept
 * Description: Nor does what the CPU sees of it.
 *
 * SUBTEST: removed-in-use
 * Description: Memory and fences outlive the device.
 *
 * SUBTEST: module-stays
 * Description: A directory keeps the module.
 *
 * SUBTEST: many-devices
 * Description: There can be more than 64.
 */

IGT_TEST_DESCRIPTION("vgem devices that come and go through configfs.");

#define ROOT "/sys/kernel/config/vgem"
#define DIR  ROOT "/igt"

/*
 * DRM has 64 minors of the classic kind for each kind of node, and 64 more can be
 * opened, which have to do for the other devices as well.
 */
#define MANY 72

/* One value into an attribute: 0 or -errno, as write() says. */
static int put(const char *dir, const char *attr, const char *value)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/%s", dir, attr);
	err = text_file_write(path, value);
	errno = 0;
	return err;
}

/* The attribute without its newline, or "" and -errno. */
static int get(const char *dir, const char *attr, char *buf, int size)
{
	char path[128];
	int fd, len;

	snprintf(path, sizeof(path), "%s/%s", dir, attr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	igt_assert_fd(fd);
	len = read(fd, buf, size - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = 0;
	buf[strcspn(buf, "\n")] = 0;
	len = len < 0 ? -errno : 0;
	errno = 0;
	return len;
}

static void expect(const char *dir, const char *attr, const char *value)
{
	char buf[64];

	igt_assert_eq(get(dir, attr, buf, sizeof(buf)), 0);
	igt_assert_f(strcmp(buf, value) == 0, "%s is '%s', not '%s'\n", attr,
		     buf, value);
}

static void expect_no_nodes(const char *dir)
{
	char buf[64];

	igt_assert_eq(get(dir, "card", buf, sizeof(buf)), -ENODEV);
	igt_assert_eq(get(dir, "render", buf, sizeof(buf)), -ENODEV);
	expect(dir, "enable", "0");
}

/* Opens the node that @attr names and checks whose it is. */
static int open_node(const char *dir, const char *attr, char *path, int size)
{
	char name[32];
	drmVersionPtr v;
	int fd;

	igt_assert_eq(get(dir, attr, name, sizeof(name)), 0);
	snprintf(path, size, "/dev/dri/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	igt_assert_f(fd >= 0, "%s cannot be opened\n", path);
	v = drmGetVersion(fd);
	igt_assert(v);
	igt_assert_eq(strcmp(v->name, "vgem"), 0);
	drmFreeVersion(v);
	return fd;
}

static void make_bo(int fd, struct vgem_bo *bo)
{
	*bo = (struct vgem_bo){ .width = 64, .height = 64, .bpp = 32 };
	vgem_create(fd, bo);
}

static void defaults(void)
{
	do_or_die(mkdir(DIR, 0755));
	expect(DIR, "dma_mask", "0xffffffffffffffff");
	expect(DIR, "noncoherent", "0");
	expect_no_nodes(DIR);
}

static void enable_disable(void)
{
	char card[64], render[64], again[64];
	struct vgem_bo bo = { .width = 64, .height = 64, .bpp = 32 };
	int fd, rfd;

	do_or_die(mkdir(DIR, 0755));
	for (int round = 0; round < 2; round++) {
		igt_assert_eq(put(DIR, "enable", "1"), 0);
		expect(DIR, "enable", "1");
		fd = open_node(DIR, "card", card, sizeof(card));
		rfd = open_node(DIR, "render", render, sizeof(render));
		igt_assert_neq(strcmp(card, render), 0);

		/* What it is already changes nothing. */
		igt_assert_eq(put(DIR, "enable", "y\n"), 0);
		close(open_node(DIR, "card", again, sizeof(again)));
		igt_assert_eq(strcmp(card, again), 0);
		vgem_create(fd, &bo);

		igt_assert_eq(put(DIR, "enable", "0"), 0);
		igt_assert_eq(put(DIR, "enable", "0"), 0);
		expect_no_nodes(DIR);
		igt_assert_eq(access(card, F_OK), -1);
		igt_assert_eq(access(render, F_OK), -1);
		igt_assert_eq(__vgem_create(fd, &bo), -ENODEV);
		close(rfd);
		close(fd);
	}
}

static void bad_values(void)
{
	static const char *const masks[] = {
		"x",	    "-1",	  "0",		"0xffff",
		"0x7fffff", "0xfffffffe", "0xff0fffff", "0x8000000000000000",
	};

	do_or_die(mkdir(DIR, 0755));
	igt_assert_eq(put(DIR, "dma_mask", "0xffffff"), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(masks); i++)
		igt_assert_f(put(DIR, "dma_mask", masks[i]) == -EINVAL,
			     "the mask %s is not refused\n", masks[i]);
	igt_assert_eq(put(DIR, "dma_mask", "0x1ffffffffffffffff"), -ERANGE);
	expect(DIR, "dma_mask", "0xffffff");

	igt_assert_eq(put(DIR, "enable", "maybe"), -EINVAL);
	igt_assert_eq(put(DIR, "enable", "2"), -EINVAL);
	igt_assert_eq(put(DIR, "noncoherent", "maybe"), -EINVAL);
	expect(DIR, "noncoherent", "0");
	expect_no_nodes(DIR);
}

/* What a device is does not change while there is one. */
static void mask_is_kept(void)
{
	do_or_die(mkdir(DIR, 0755));
	igt_assert_eq(put(DIR, "dma_mask", "0xffffffff"), 0);
	expect(DIR, "dma_mask", "0xffffffff");
	igt_assert_eq(put(DIR, "enable", "1"), 0);
	igt_assert_eq(put(DIR, "dma_mask", "0xffffffffffffffff"), -EBUSY);
	expect(DIR, "dma_mask", "0xffffffff");
	igt_assert_eq(put(DIR, "enable", "0"), 0);
	igt_assert_eq(put(DIR, "dma_mask", "0xffffffffff"), 0);
	expect(DIR, "dma_mask", "0xffffffffff");
}

static void coherence_is_kept(void)
{
	do_or_die(mkdir(DIR, 0755));
	igt_assert_eq(put(DIR, "noncoherent", "1"), 0);
	expect(DIR, "noncoherent", "1");
	igt_assert_eq(put(DIR, "enable", "1"), 0);
	igt_assert_eq(put(DIR, "noncoherent", "0"), -EBUSY);
	igt_assert_eq(put(DIR, "noncoherent", "1"), -EBUSY);
	expect(DIR, "noncoherent", "1");
	igt_assert_eq(put(DIR, "enable", "0"), 0);
	igt_assert_eq(put(DIR, "noncoherent", "0"), 0);
	expect(DIR, "noncoherent", "0");
}

/* The directory goes, and with it the device, but not what is in use of it. */
static void removed_in_use(void)
{
	int other = drm_open_driver(DRIVER_VGEM), fd, dmabuf;
	struct vgem_bo bo;
	uint32_t handle;
	char path[64];
	void *map;

	do_or_die(mkdir(DIR, 0755));
	igt_assert_eq(put(DIR, "enable", "1"), 0);
	fd = open_node(DIR, "card", path, sizeof(path));
	make_bo(fd, &bo);
	map = vgem_mmap(fd, &bo, PROT_READ | PROT_WRITE);
	dmabuf = prime_handle_to_fd_for_mmap(fd, bo.handle);
	pattern_fill(map, bo.size, 21);
	vgem_fence_attach(fd, &bo, VGEM_FENCE_WRITE);

	do_or_die(rmdir(DIR));
	igt_assert_eq(access(path, F_OK), -1);
	igt_assert_eq(__vgem_create(fd, &bo), -ENODEV);
	pattern_check(map, bo.size, 21);
	munmap(map, bo.size);

	handle = prime_fd_to_handle(other, dmabuf);
	map = dmabuf_mmap(dmabuf, bo.size);
	pattern_check(map, bo.size, 21);
	munmap(map, bo.size);
	igt_assert(dmabuf_busy(dmabuf, DMA_BUF_SYNC_READ));
	close(fd);
	igt_assert(!dmabuf_busy(dmabuf, DMA_BUF_SYNC_RW));
	gem_close(other, handle);
	close(dmabuf);
	close(other);
}

/* A directory is in use even if it has no device. */
static void module_stays(void)
{
	do_or_die(mkdir(DIR, 0755));
	igt_require_f(access("/sys/module/vgem/refcnt", F_OK) == 0,
		      "vgem is built in\n");
	igt_assert_eq(syscall(SYS_delete_module, "vgem", O_NONBLOCK), -1);
	igt_assert_eq(errno, EWOULDBLOCK);
	errno = 0;
}

static void many_dir(char *dir, int size, int i)
{
	snprintf(dir, size, DIR "-%d", i);
}

/* More than DRM has minors of the classic kind, and all of them can be opened. */
static void many_devices(void)
{
	char dir[64], card[MANY][64], render[64];
	struct vgem_bo bo;
	int fd[MANY];

	for (int i = 0; i < MANY; i++) {
		many_dir(dir, sizeof(dir), i);
		do_or_die(mkdir(dir, 0755));
		igt_assert_eq(put(dir, "enable", "1"), 0);
		fd[i] = open_node(dir, "card", card[i], sizeof(card[i]));
		close(open_node(dir, "render", render, sizeof(render)));
		for (int other = 0; other < i; other++)
			igt_assert_neq(strcmp(card[i], card[other]), 0);
	}
	for (int i = 0; i < MANY; i++) {
		make_bo(fd[i], &bo);
		close(fd[i]);
	}
}

/* What a subtest has left, however it ended. */
static void clean_up(void)
{
	char dir[64];

	rmdir(DIR);
	for (int i = 0; i < MANY; i++) {
		many_dir(dir, sizeof(dir), i);
		rmdir(dir);
	}
	errno = 0;
}

static void clean_up_at_exit(int sig)
{
	(void)sig;
	clean_up();
}

static const struct {
	const char *name, *describe;
	void (*run)(void);
} tests[] = {
	{ "defaults", "a new directory is no device and reaches all memory",
	  defaults },
	{ "enable", "a device comes and goes with what enable says",
	  enable_disable },
	{ "bad-values", "what makes no sense is EINVAL and changes nothing",
	  bad_values },
	{ "mask-is-kept", "a device does not change while there is one",
	  mask_is_kept },
	{ "coherence-is-kept", "nor does what the CPU sees of it",
	  coherence_is_kept },
	{ "removed-in-use", "memory and fences outlive the device",
	  removed_in_use },
	{ "module-stays", "a directory keeps the module", module_stays },
	{ "many-devices", "there can be more than 64", many_devices },
};

igt_main
{
	igt_fixture {
		drm_load_module(DRIVER_VGEM);
		igt_require_f(access(ROOT, W_OK) == 0,
			      "this vgem is not in configfs\n");
		igt_install_exit_handler(clean_up_at_exit);
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest(tests[t].name) {
			clean_up();
			tests[t].run();
		}
	}

	igt_fixture
		clean_up();
}
