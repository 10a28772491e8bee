// SPDX-License-Identifier: MIT
/*
 * Devices, out of memory: each allocation that is made for a client who opens
 * one, describes a new vgem device in configfs, makes it, or has it import what
 * must move for it, fails once. See faults.c for how.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "igt.h"

#include "configured.h"
#include "faults.h"
#include "text_file.h"

#define CONFIG "/sys/kernel/config/vgem/faults"

/**
 * TEST: Opening and making devices out of memory
 * Description: Opening a device, describing and making one of vgem in
 *	configfs, and an import that moves a buffer, while each allocation of
 *	the system call fails in turn.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: out of memory
 * Test requirement: CONFIG_FAULT_INJECTION_DEBUG_FS, CONFIG_FAILSLAB,
 *	CONFIG_FAIL_PAGE_ALLOC
 *
 * SUBTEST: open
 * Description: open() of a device node.
 *
 * SUBTEST: config-make
 * Description: Mkdir below /sys/kernel/config/vgem.
 *
 * SUBTEST: config-enable
 * Description: Making the device that a directory describes.
 *
 * SUBTEST: import-moves
 * Description: FD_TO_HANDLE of a written buffer on a device that takes one
 *	piece.
 */

IGT_TEST_DESCRIPTION("Opening and making devices out of memory.");

/* open() of a device: the DRM core's file, PRIME's part of it and vgem's. */

static void find_path(struct bench *b)
{
	char *path = drmGetDeviceNameFromFd2(b->from->fd);

	igt_assert(path);
	snprintf(b->text, sizeof(b->text), "%s", path);
	free(path);
}

static int run_open(struct bench *b)
{
	b->fd = open(b->text, O_RDWR | O_CLOEXEC);
	return b->fd < 0 ? -errno : 0;
}

static void good_open(struct bench *b)
{
	char name[16] = "";

	igt_assert_eq(__get_drm_device_name(b->fd, name, sizeof(name) - 1), 0);
	drm_close_driver(b->fd);
}

/* mkdir in configfs describes a device, 1 in its attribute makes it. */

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	igt_assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Nodes and devices: what a new device adds to. */
static int nodes(void)
{
	return entries("/dev/dri") + entries("/sys/bus/platform/devices") +
	       entries("/sys/class/drm");
}

static int write_config(const char *value)
{
	return text_file_write(CONFIG "/enable", value);
}

static void read_config(const char *name, char *value, int size)
{
	char path[96];
	int fd, len;

	snprintf(path, sizeof(path), CONFIG "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	igt_assert_fd(fd);
	len = read(fd, value, size - 1);
	igt_assert_lt(0, len);
	close(fd);
	value[len] = 0;
	value[strcspn(value, "\n")] = 0;
}

static void require_config(struct bench *b __maybe_unused)
{
	igt_require_f(access("/sys/kernel/config/vgem", F_OK) == 0,
		      "vgem has no configfs\n");
}

static int run_mkdir(struct bench *b __maybe_unused)
{
	return mkdir(CONFIG, 0755) ? -errno : 0;
}

static void good_mkdir(struct bench *b __maybe_unused)
{
	char value[8];

	read_config("enable", value, sizeof(value));
	igt_assert_eq(strcmp(value, "0"), 0);
	do_or_die(rmdir(CONFIG));
}

static void refused_mkdir(struct bench *b __maybe_unused)
{
	igt_assert_eq(access(CONFIG, F_OK), -1);
	igt_assert_eq(errno, ENOENT);
}

static void make_description(struct bench *b)
{
	require_config(b);
	b->fd = nodes();
	do_or_die(mkdir(CONFIG, 0755));
}

static int run_enable(struct bench *b __maybe_unused)
{
	return write_config("1");
}

/* What the device is called on its bus tells which place among all it got. */
static void expect_same_place(struct bench *b, const char *card)
{
	char path[64], target[256], *name;
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/class/drm/%s/device", card);
	len = readlink(path, target, sizeof(target) - 1);
	igt_assert_lt(0, len);
	target[len] = 0;
	name = strrchr(target, '/') + 1;
	if (!b->text[0])
		snprintf(b->text, sizeof(b->text), "%s", name);
	igt_assert_f(strcmp(name, b->text) == 0,
		     "the device is %s now, its place %s is lost\n", name,
		     b->text);
}

/* Without memory the driver core does without the node in /dev. */
static void good_enable(struct bench *b)
{
	char value[32];

	read_config("card", value, sizeof(value));
	expect_same_place(b, value);
	igt_assert_eq(write_config("0"), 0);
	igt_assert_eq(nodes(), b->fd);
}

static void refused_enable(struct bench *b)
{
	char value[8];

	read_config("enable", value, sizeof(value));
	igt_assert_eq(strcmp(value, "0"), 0);
	igt_assert_eq(nodes(), b->fd);
}

static void drop_description(struct bench *b __maybe_unused)
{
	do_or_die(rmdir(CONFIG));
}

/*
 * Importing for a device that takes one piece only, which moves what has been
 * written. The storage it moves out of is shmem's, as the owner is told nothing.
 */

#define MOVE_SEED 8
#define STRICT	  "faults-strict"

static void make_scattered(struct bench *b)
{
	configured_require_constraints();
	b->again = configured_device(STRICT, "segments=1", 0);
	bench_make_bo(b);
	b->map = dmabuf_mmap(b->bo.dmabuf, b->bo.size);
	pattern_fill(b->map, b->bo.size, MOVE_SEED);
}

static int run_import_moves(struct bench *b)
{
	return __prime_fd_to_handle(b->again, b->bo.dmabuf, &b->handle);
}

static void good_import_moves(struct bench *b)
{
	struct configured_import import;

	configured_verify(b->again, b->bo.dmabuf, &import);
	igt_assert_eq(strcmp(import.verdict, "ok"), 0);
	igt_assert_eq(import.entries, 1);
	pattern_check(b->map, b->bo.size, MOVE_SEED);
	gem_close(b->again, b->handle);
}

static void refused_import_moves(struct bench *b)
{
	igt_assert_eq(bench_attachments(b), 0);
	pattern_check(b->map, b->bo.size, MOVE_SEED);
}

static void drop_scattered(struct bench *b)
{
	munmap(b->map, b->bo.size);
	bench_drop_bo(b);
	close(b->again);
	configured_remove(STRICT);
}

static const struct fault_test tests[] = {
	{
		.name = "open",
		.describe = "open() of a device node",
		.from = fault_from_drm,
		.op = { find_path, run_open, good_open, .least_refused = 3 },
	},
	{
		.name = "config-make",
		.describe = "mkdir below /sys/kernel/config/vgem",
		.from = fault_from_vgem,
		.op = { require_config, run_mkdir, good_mkdir, refused_mkdir,
			.least_refused = 3 },
	},
	{
		.name = "config-enable",
		.describe = "making the device that a directory describes",
		.from = fault_from_vgem,
		.op = { make_description, run_enable, good_enable,
			refused_enable, drop_description, .slow = true,
			.least_refused = 10,
			/* devtmpfs needs memory to take a node away */
			.one_only = true,
			/* stock's drm_minor_alloc_release() puts an ERR_PTR */
			.spared = "drm_sysfs_minor_alloc",
			/* the driver core's word for a name it lost */
			.errnos = { ENOMEM, EINVAL } },
	},
	{
		.name = "import-moves",
		.describe =
			"FD_TO_HANDLE of a written buffer on a device that takes one piece",
		.from = fault_from_vgem,
		.op = { make_scattered, run_import_moves, good_import_moves,
			refused_import_moves, drop_scattered, .slow = true,
			.least_refused = 5 },
	},
};

igt_main
{
	fault_tests(tests, ARRAY_SIZE(tests));
}
