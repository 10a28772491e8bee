// SPDX-License-Identifier: MIT
/* The four ioctls of a dma-buf, and all the numbers that are none. */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "dmabuf_sync_file.h"
#include "igt.h"

#include "descriptor.h"

static void expect_errno(int fd, unsigned long request, void *arg, int err)
{
	errno = 0;
	igt_assert_f(ioctl(fd, request, arg) == -1, "ioctl %#lx succeeds\n",
		     request);
	igt_assert_eq(errno, err);
	errno = 0;
}

/* No access at all, so that even a kernel that writes first is caught. */
static void *unmapped_page(void)
{
	void *page =
		mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	igt_assert(page != MAP_FAILED);
	return page;
}

static void sync_bad_flags(struct endpoint_bo *bo)
{
	struct dma_buf_sync arg = {};

	for (int bit = 3; bit < 64; bit++) {
		arg.flags = DMA_BUF_SYNC_RW | 1ull << bit;
		expect_errno(bo->dmabuf, DMA_BUF_IOCTL_SYNC, &arg, EINVAL);
	}
	/* Neither reading nor writing: nothing to do is an error. */
	arg.flags = DMA_BUF_SYNC_START;
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_SYNC, &arg, EINVAL);
	arg.flags = DMA_BUF_SYNC_END;
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_SYNC, &arg, EINVAL);
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_SYNC, NULL, EFAULT);
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_SYNC, unmapped_page(), EFAULT);
}

static void sync_directions(struct endpoint_bo *bo)
{
	static const uint64_t ways[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE,
					 DMA_BUF_SYNC_RW };
	uint32_t *map = dmabuf_mmap(bo->dmabuf, bo->size);

	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		struct dma_buf_sync arg = { ways[i] | DMA_BUF_SYNC_START };

		do_ioctl(bo->dmabuf, DMA_BUF_IOCTL_SYNC, &arg);
		if (ways[i] & DMA_BUF_SYNC_WRITE)
			pattern_fill(map, bo->size, i);
		arg.flags = ways[i] | DMA_BUF_SYNC_END;
		do_ioctl(bo->dmabuf, DMA_BUF_IOCTL_SYNC, &arg);
		if (ways[i] & DMA_BUF_SYNC_WRITE)
			pattern_check(map, bo->size, i);
	}
	munmap(map, bo->size);
}

static void check_name(int fd, const char *name)
{
	char buf[64], path[64], link[128] = {}, expected[128];

	igt_assert(fdinfo_value(fd, "name", buf, sizeof(buf)));
	igt_assert_f(strcmp(buf, name) == 0, "fdinfo says '%s', not '%s'\n",
		     buf, name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	igt_assert(readlink(path, link, sizeof(link) - 1) > 0);
	snprintf(expected, sizeof(expected), "/dmabuf:%s", name);
	igt_assert_f(strncmp(link, expected, strlen(expected)) == 0,
		     "the link is '%s', not '%s'\n", link, expected);
}

static void set_name(struct endpoint_bo *bo)
{
	char buf[64];
	int copy;

	igt_assert_f(!fdinfo_value(bo->dmabuf, "name", buf, sizeof(buf)),
		     "a new dma-buf has the name '%s'\n", buf);
	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME, (char *)"first");
	check_name(bo->dmabuf, "first");
	/* The two numbers the ioctl has for history's sake. */
	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME_A, (char *)"second-a");
	check_name(bo->dmabuf, "second-a");
	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME_B, (char *)"third b");
	check_name(bo->dmabuf, "third b");

	/* It is the buffer's name, not the descriptor's. */
	copy = dup(bo->dmabuf);
	check_name(copy, "third b");
	do_ioctl(copy, DMA_BUF_SET_NAME, (char *)"");
	check_name(bo->dmabuf, "");
	close(copy);
}

static void set_name_too_long(struct endpoint_bo *bo)
{
	char name[DMA_BUF_NAME_LEN + 2];

	memset(name, 'n', sizeof(name));
	name[DMA_BUF_NAME_LEN - 1] = 0;
	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME, name);
	check_name(bo->dmabuf, name);

	memset(name, 'x', sizeof(name));
	name[DMA_BUF_NAME_LEN] = 0;
	expect_errno(bo->dmabuf, DMA_BUF_SET_NAME, name, EINVAL);
	name[DMA_BUF_NAME_LEN] = 'x';
	name[DMA_BUF_NAME_LEN + 1] = 0;
	expect_errno(bo->dmabuf, DMA_BUF_SET_NAME, name, EINVAL);

	/* What was refused has changed nothing. */
	memset(name, 'n', sizeof(name));
	name[DMA_BUF_NAME_LEN - 1] = 0;
	check_name(bo->dmabuf, name);
}

static void set_name_fault(struct endpoint_bo *bo)
{
	char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	igt_assert(two != MAP_FAILED);
	do_or_die(munmap(two + PAGE, PAGE));
	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME, (char *)"kept");
	expect_errno(bo->dmabuf, DMA_BUF_SET_NAME, NULL, EFAULT);
	/* A name that runs into the hole, and one that ends just before it. */
	memset(two + PAGE - 4, 'a', 4);
	expect_errno(bo->dmabuf, DMA_BUF_SET_NAME, two + PAGE - 4, EFAULT);
	check_name(bo->dmabuf, "kept");
	two[PAGE - 1] = 0;
	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME, two + PAGE - 4);
	check_name(bo->dmabuf, "aaa");
	munmap(two, PAGE);
}

static void export_sync_file_args(struct endpoint_bo *bo)
{
	struct dma_buf_export_sync_file arg = { .fd = -7 };
	int fds = count_open_fds(), fd;

	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg, EINVAL);
	for (int bit = 2; bit < 32; bit++) {
		arg.flags = DMA_BUF_SYNC_RW | 1u << bit;
		expect_errno(bo->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg,
			     EINVAL);
		arg.flags = 1u << bit;
		expect_errno(bo->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg,
			     EINVAL);
	}
	igt_assert_eq(arg.fd, -7);
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, NULL, EFAULT);
	igt_assert_eq(count_open_fds(), fds);

	for (uint32_t flags = 1; flags <= DMA_BUF_SYNC_RW; flags++) {
		fd = dmabuf_export_sync_file(bo->dmabuf, flags);
		igt_assert(!sync_file_busy(fd));
		igt_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
}

/* The answer cannot be written: the descriptor must not stay in the table. */
static void export_sync_file_answer_fault(struct endpoint_bo *bo)
{
	struct dma_buf_export_sync_file *arg;
	int fds = count_open_fds();

	arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(arg != MAP_FAILED);
	arg->flags = DMA_BUF_SYNC_RW;
	do_or_die(mprotect(arg, PAGE, PROT_READ));
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, arg, EFAULT);
	igt_assert_eq(count_open_fds(), fds);
	munmap(arg, PAGE);
}

static void export_sync_file_no_fds(struct endpoint_bo *bo)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW };
	struct rlimit old, none;
	int ret, err;

	do_or_die(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	do_or_die(setrlimit(RLIMIT_NOFILE, &none));
	ret = ioctl(bo->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);
	err = errno;
	do_or_die(setrlimit(RLIMIT_NOFILE, &old));
	igt_assert_eq(ret, -1);
	igt_assert_eq(err, EMFILE);
	close(dmabuf_export_sync_file(bo->dmabuf, DMA_BUF_SYNC_RW));
}

static void import_sync_file_args(struct endpoint_bo *bo)
{
	int fence = dmabuf_export_sync_file(bo->dmabuf, DMA_BUF_SYNC_RW);
	struct dma_buf_import_sync_file arg = { .fd = fence };
	int other = open("/dev/null", O_RDWR | O_CLOEXEC);

	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg, EINVAL);
	for (int bit = 2; bit < 32; bit++) {
		arg.flags = DMA_BUF_SYNC_WRITE | 1u << bit;
		expect_errno(bo->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg,
			     EINVAL);
	}
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, NULL, EFAULT);

	arg.flags = DMA_BUF_SYNC_WRITE;
	arg.fd = -1;
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg, EINVAL);
	arg.fd = other;
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg, EINVAL);
	arg.fd = bo->dmabuf;
	expect_errno(bo->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg, EINVAL);
	close(other);

	for (uint32_t flags = 1; flags <= DMA_BUF_SYNC_RW; flags++) {
		dmabuf_import_sync_file(bo->dmabuf, flags, fence);
		igt_assert(!dmabuf_busy(bo->dmabuf, DMA_BUF_SYNC_RW));
	}
	close(fence);
}

static void unknown_ioctl(struct endpoint_bo *bo)
{
	struct dma_buf_sync arg = { DMA_BUF_SYNC_RW };
	char big[256] = {};

	for (int nr = 4; nr < 256; nr++)
		expect_errno(bo->dmabuf, _IOWR('b', nr, struct dma_buf_sync),
			     &arg, ENOTTY);
	/* Known numbers of another size, direction or kind. */
	expect_errno(bo->dmabuf, _IOW('b', 0, uint32_t), &arg, ENOTTY);
	expect_errno(bo->dmabuf, _IOR('b', 0, struct dma_buf_sync), &arg,
		     ENOTTY);
	expect_errno(bo->dmabuf, _IOWR('b', 2, uint64_t[2]), big, ENOTTY);
	expect_errno(bo->dmabuf, _IOW('c', 0, struct dma_buf_sync), &arg,
		     ENOTTY);
	expect_errno(bo->dmabuf, _IOW('d', 0, struct dma_buf_sync), &arg,
		     ENOTTY);
}

const struct descriptor_test argument_tests[] = {
	{ "sync-bad-flags", "SYNC refuses unknown and empty flags",
	  sync_bad_flags },
	{ "sync-directions", "SYNC takes each direction, content stays",
	  sync_directions },
	{ "set-name", "SET_NAME shows in fdinfo and in the /proc link",
	  set_name },
	{ "set-name-too-long", "31 characters fit, 32 do not",
	  set_name_too_long },
	{ "set-name-fault", "a name that cannot be read is EFAULT",
	  set_name_fault },
	{ "export-sync-file-args", "EXPORT_SYNC_FILE refuses bad flags",
	  export_sync_file_args },
	{ "export-sync-file-answer-fault",
	  "a failed answer leaves no descriptor",
	  export_sync_file_answer_fault },
	{ "export-sync-file-no-fds", "EXPORT_SYNC_FILE without room is EMFILE",
	  export_sync_file_no_fds },
	{ "import-sync-file-args", "IMPORT_SYNC_FILE refuses bad flags and fds",
	  import_sync_file_args },
	{ "unknown-ioctl", "any other ioctl is ENOTTY", unknown_ioctl },
	{}
};
