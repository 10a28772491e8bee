// SPDX-License-Identifier: MIT
/*
 * Whom the memory of a buffer is charged to: the control group of the process that
 * has made and filled it, for as long as anybody holds it.
 */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "configured.h"
#include "endpoint.h"
#include "text_file.h"

/**
 * TEST: Memory cgroups
 * Description: Which control group pays for a shared buffer, and what happens
 *	to one that may not have so much.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: charged
 * Description: A buffer is charged to who makes it, until it is destroyed.
 *
 * SUBTEST: charged-when-moved
 * Description: A buffer whose memory had to suit a device is charged as well.
 *
 * SUBTEST: charged-while-imported
 * Description: A buffer stays charged to its maker when others have imported it,
 *	and the maker is gone.
 *
 * SUBTEST: over-the-limit
 * Description: A buffer that is more than the group may have is ENOMEM when it is
 *	imported, and is taken when there is room.
 */

IGT_TEST_DESCRIPTION("Which memory cgroup pays for a buffer.");

#define MIB  (1024 * 1024)
#define SIZE (8 * MIB)
/* Each processor charges in advance, and the processes need some themselves. */
#define SLACK MIB
#define LOW   "memcg-low"

static char root[PATH_MAX], group[PATH_MAX];
static bool mounted;

static int __file_write(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return text_file_write(path, text);
}

static uint64_t charged(void)
{
	char path[PATH_MAX + 32];
	uint64_t bytes;
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.current", group);
	file = fopen(path, "re");
	igt_assert_f(file, "%s: %m\n", path);
	igt_assert_eq(fscanf(file, "%" SCNu64, &bytes), 1);
	fclose(file);
	return bytes;
}

static void limit(const char *bytes)
{
	igt_assert_eq(__file_write(group, "memory.max", bytes), 0);
}

/* The calling process, and what it allocates from now on. */
static void enter(void)
{
	igt_assert_eq(__file_write(group, "cgroup.procs", "0"), 0);
}

static void expect_charged(uint64_t before, uint64_t size)
{
	int64_t more = charged() - before - size;

	igt_assert_f(llabs(more) <= SLACK,
		     "%" PRId64 " KiB more charged than %" PRIu64 "\n",
		     more / 1024, size / 1024);
}

/* A device may put the end of a buffer off: virtio-gpu asks its host first. */
static void expect_uncharged(uint64_t before)
{
	igt_set_timeout(60, "memory that nobody pays for any longer");
	while (charged() > before + SLACK)
		sched_yield();
	igt_reset_timeout();
}

static void create_filled(const struct endpoint *exporter,
			  struct endpoint_bo *bo)
{
	void *map;

	endpoint_create(exporter, 1024, SIZE / 4096, bo);
	map = dmabuf_mmap(bo->dmabuf, bo->size);
	pattern_fill(map, bo->size, 7);
	munmap(map, bo->size);
}

static void charge_maker(const struct endpoint *exporter)
{
	igt_fork(child, 1) {
		struct endpoint_bo bo;
		uint64_t before;

		enter();
		before = charged();
		create_filled(exporter, &bo);
		expect_charged(before, bo.size);
		endpoint_destroy(&bo);
		expect_uncharged(before);
	}
	igt_waitchildren();
}

static void charge_moved(const struct endpoint *exporter)
{
	int low;

	configured_require();
	low = configured_device(LOW, NULL, 0xffffffff);
	igt_fork(child, 1) {
		struct configured_import import;
		struct endpoint_bo bo;
		uint32_t handle;
		uint64_t before;

		enter();
		before = charged();
		create_filled(exporter, &bo);
		handle = prime_fd_to_handle(low, bo.dmabuf);
		configured_verify(low, bo.dmabuf, &import);
		igt_assert_lte_u64(import.highest, 0xffffffff);
		expect_charged(before, bo.size);
		gem_close(low, handle);
		endpoint_destroy(&bo);
		expect_uncharged(before);
	}
	igt_waitchildren();
	close(low);
	configured_remove(LOW);
}

static void charge_gone_maker(const struct endpoint *exporter,
			      const struct endpoint *importer)
{
	struct endpoint mine = *importer;
	uint64_t before;
	int sk[2], dmabuf;
	void *map;

	/* later, a skip would leave a buffer, and the group charged */
	igt_require_f(endpoint_takes(importer, exporter),
		      "%s takes no foreign dma-buf\n", importer->name);
	/* what the file holds goes with it */
	mine.fd = drm_reopen_driver(importer->fd);
	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sk));
	before = charged();
	igt_fork(child, 1) {
		struct endpoint_bo bo;

		enter();
		create_filled(exporter, &bo);
		send_fd(sk[1], bo.dmabuf);
		endpoint_destroy(&bo);
	}
	dmabuf = receive_fd(sk[0]);
	igt_waitchildren();
	endpoint_import(&mine, dmabuf);
	map = dmabuf_mmap(dmabuf, SIZE);
	pattern_check(map, SIZE, 7);
	munmap(map, SIZE);
	expect_charged(before, SIZE);
	close(dmabuf);
	expect_charged(before, SIZE);
	close(mine.fd);
	expect_uncharged(before);
	close(sk[0]);
	close(sk[1]);
}

/* Of those that want the memory when they import. */
static void refuse(const struct endpoint *exporter,
		   const struct endpoint *importer)
{
	limit("4194304");
	igt_fork(child, 1) {
		struct endpoint_bo bo;
		uint32_t handle;
		uint64_t before;
		int fds;

		enter();
		endpoint_create(exporter, 1024, SIZE / 4096, &bo);
		fds = count_open_fds();
		before = charged();
		for (int i = 0; i < 3; i++)
			igt_assert_eq(__prime_fd_to_handle(importer->fd,
							   bo.dmabuf, &handle),
				      -ENOMEM);
		igt_assert_eq(count_open_fds(), fds);
		expect_uncharged(before);
		limit("max");
		handle = prime_fd_to_handle(importer->fd, bo.dmabuf);
		expect_charged(before, bo.size);
		gem_close(importer->fd, handle);
		endpoint_destroy(&bo);
	}
	igt_waitchildren();
	limit("max");
}

/* Where a system has them mounted, or else a place of our own. */
static void find_root(void)
{
	char line[PATH_MAX * 2], path[PATH_MAX], type[64];
	FILE *mounts = fopen("/proc/mounts", "re");
	char place[] = "/tmp/prime_memcg-XXXXXX";

	igt_assert(mounts);
	while (!root[0] && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %4095s %63s", path, type) == 2 &&
		    strcmp(type, "cgroup2") == 0)
			snprintf(root, sizeof(root), "%s", path);
	fclose(mounts);
	if (root[0])
		return;
	igt_assert(mkdtemp(place));
	mounted = mount("none", place, "cgroup2", 0, NULL) == 0;
	igt_require_f(mounted, "no cgroup2: %m\n");
	snprintf(root, sizeof(root), "%s", place);
}

static void make_group(void)
{
	find_root();
	igt_require_f(__file_write(root, "cgroup.subtree_control", "+memory") ==
			      0,
		      "no memory cgroups\n");
	igt_assert_lt(snprintf(group, sizeof(group), "%s/prime_memcg-%d", root,
			       getpid()),
		      sizeof(group));
	do_or_die(mkdir(group, 0755));
	errno = 0;
}

static void remove_group(int sig)
{
	(void)sig;
	configured_remove(LOW);
	if (group[0])
		rmdir(group);
	if (!mounted)
		return;
	umount(root);
	rmdir(root);
}

/* vgem, whose buffers are nothing but memory. */
static const struct endpoint *maker(const struct endpoint *eps, int num)
{
	for (int i = 0; i < num; i++)
		if (strcmp(eps[i].driver, "vgem") == 0)
			return &eps[i];
	igt_skip("no vgem\n");
}

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		cards_load();
		igt_install_exit_handler(remove_group);
		make_group();
		num = endpoints_open_drm(eps, MAX_ENDPOINTS);
	}

	igt_describe("a buffer is charged to who makes it");
	igt_subtest_with_dynamic("charged") {
		for (int i = 0; i < num; i++)
			if (eps[i].exports)
				igt_dynamic(eps[i].name)
					charge_maker(&eps[i]);
	}

	igt_describe("a buffer in memory for a device is charged as well");
	igt_subtest("charged-when-moved")
		charge_moved(maker(eps, num));

	igt_describe("a buffer stays charged to a maker that is gone");
	igt_subtest_with_dynamic("charged-while-imported") {
		const struct endpoint *from = maker(eps, num);

		for (int i = 0; i < num; i++)
			if (&eps[i] != from && eps[i].imports)
				igt_dynamic_f("%s-to-%s", from->name,
					      eps[i].name)
					charge_gone_maker(from, &eps[i]);
	}

	igt_describe("a buffer for which the group has no room");
	igt_subtest("over-the-limit") {
		const struct endpoint *from = maker(eps, num);
		int i = 0;

		while (i < num && strcmp(eps[i].driver, "vkms"))
			i++;
		igt_require_f(i < num, "no vkms\n");
		refuse(from, &eps[i]);
	}

	igt_fixture {
		endpoints_close(eps, num);
		remove_group(0);
		group[0] = '\0';
		mounted = false;
	}
}
