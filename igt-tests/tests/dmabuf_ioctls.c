// SPDX-License-Identifier: MIT
/*
 * What user space can do to a dma-buf descriptor: the four ioctls, lseek(),
 * mmap(), read(), fstat(), and the places where the kernel tells about it. All
 * of it is the same whoever exports, so it is run for every exporter there is.
 */

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"

#include "endpoint.h"

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

#define PAGE  4096
#define PAGES 4

IGT_TEST_DESCRIPTION("System calls on a dma-buf descriptor, right and wrong.");

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

/* Into buf, the value of a key of /proc/self/fdinfo; false if it is not there. */
static bool fdinfo(int fd, const char *key, char *buf, int size)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	igt_assert(f);
	while (!found && fgets(line, sizeof(line), f)) {
		size_t len = strlen(key);

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		found = true;
		line[strcspn(line, "\n")] = 0;
		snprintf(buf, size, "%s",
			 line + len + 1 + (line[len + 1] == '\t'));
	}
	fclose(f);
	return found;
}

static void check_name(int fd, const char *name)
{
	char buf[64], path[64], link[128] = {}, expected[128];

	igt_assert(fdinfo(fd, "name", buf, sizeof(buf)));
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

	igt_assert_f(!fdinfo(bo->dmabuf, "name", buf, sizeof(buf)),
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

static void expect_seek(int fd, off_t offset, int whence, off_t expected)
{
	errno = 0;
	igt_assert_eq_s64(lseek(fd, offset, whence), expected);
	igt_assert_eq(errno, expected < 0 ? EINVAL : 0);
	errno = 0;
}

static void seek(struct endpoint_bo *bo)
{
	expect_seek(bo->dmabuf, 0, SEEK_END, bo->size);
	expect_seek(bo->dmabuf, 0, SEEK_SET, 0);
	expect_seek(bo->dmabuf, 0, SEEK_CUR, -1);
	expect_seek(bo->dmabuf, 1, SEEK_SET, -1);
	expect_seek(bo->dmabuf, PAGE, SEEK_SET, -1);
	expect_seek(bo->dmabuf, -1, SEEK_END, -1);
	expect_seek(bo->dmabuf, 1, SEEK_END, -1);
	expect_seek(bo->dmabuf, INT64_MAX, SEEK_END, -1);
	expect_seek(bo->dmabuf, 0, SEEK_DATA, -1);
	expect_seek(bo->dmabuf, 0, SEEK_HOLE, -1);
	expect_seek(bo->dmabuf, 0, SEEK_END, bo->size);
}

static void read_write(struct endpoint_bo *bo)
{
	char byte = 1;

	igt_assert_eq(read(bo->dmabuf, &byte, 1), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq(write(bo->dmabuf, &byte, 1), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq(ftruncate(bo->dmabuf, 0), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq_s64(prime_get_size(bo->dmabuf), bo->size);
	errno = 0;
}

static void expect_no_map(int fd, size_t len, off_t offset)
{
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);

	igt_assert_f(map == MAP_FAILED, "%#zx bytes at %#llx can be mapped\n",
		     len, (unsigned long long)offset);
	/* What no file can hold is refused before the dma-buf is asked. */
	igt_assert(errno == EINVAL || (errno == EOVERFLOW && offset < 0));
	errno = 0;
}

static void mmap_bounds(struct endpoint_bo *bo)
{
	off_t last = (off_t)(~0ull << 12);

	expect_no_map(bo->dmabuf, PAGE, bo->size);
	expect_no_map(bo->dmabuf, PAGE, bo->size + PAGE);
	expect_no_map(bo->dmabuf, bo->size, PAGE);
	expect_no_map(bo->dmabuf, bo->size + PAGE, 0);
	expect_no_map(bo->dmabuf, 2 * PAGE, bo->size - PAGE);
	expect_no_map(bo->dmabuf, PAGE, 1ll << 40);
	expect_no_map(bo->dmabuf, PAGE, INT64_MAX & ~(PAGE - 1));
	/* Offset plus length wraps round to somewhere inside. */
	expect_no_map(bo->dmabuf, PAGE, last);
	expect_no_map(bo->dmabuf, 2 * PAGE, last);
	expect_no_map(bo->dmabuf, bo->size, last - PAGE);
}

/* A mapping that grows, if it may at all, shows nothing behind the buffer. */
static void mmap_grow(struct endpoint_bo *bo)
{
	char *map = dmabuf_mmap(bo->dmabuf, bo->size), *more;
	int pipe_fd[2];

	do_or_die(pipe2(pipe_fd, O_CLOEXEC));
	more = mremap(map, bo->size, 2 * bo->size, MREMAP_MAYMOVE);
	if (more == MAP_FAILED) {
		igt_assert(errno == EFAULT || errno == EINVAL);
		more = map;
	} else {
		/* The kernel reads for us, so that no signal is raised. */
		for (uint64_t at = bo->size; at < 2 * bo->size; at += PAGE) {
			igt_assert_eq(write(pipe_fd[1], more + at, 1), -1);
			igt_assert_eq(errno, EFAULT);
		}
		munmap(more + bo->size, bo->size);
	}
	errno = 0;
	igt_assert_eq(write(pipe_fd[1], more + bo->size - 1, 1), 1);
	munmap(more, bo->size);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* A part of the buffer must be that part. */
static void mmap_offset(struct endpoint_bo *bo)
{
	char *map = dmabuf_mmap(bo->dmabuf, bo->size), *part;

	pattern_fill(map, bo->size, 5);
	for (uint64_t at = 0; at < bo->size; at += PAGE) {
		uint64_t rest = bo->size - at;

		part = mmap(NULL, rest, PROT_READ, MAP_SHARED, bo->dmabuf, at);
		igt_assert(part != MAP_FAILED);
		igt_assert_f(memcmp(part, map + at, rest) == 0,
			     "mapped from page %u on, other content is seen\n",
			     (unsigned int)(at / PAGE));
		munmap(part, rest);
	}
	munmap(map, bo->size);
}

/* A read-only descriptor must give no way to write, not even later. */
static void mmap_read_only(struct endpoint_bo *bo)
{
	struct vgem_bo dumb = { .width = 64, .height = 64, .bpp = 32 };
	uint32_t *map;
	void *denied;
	int fd;

	igt_require_f(bo->ep->type == ENDPOINT_DRM,
		      "%s makes no read-only descriptors\n", bo->ep->name);
	/* Another one: the first export decides, and bo was exported. */
	vgem_create(bo->ep->fd, &dumb);
	fd = prime_handle_to_fd(bo->ep->fd, dumb.handle);
	denied = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	igt_assert(denied == MAP_FAILED);
	igt_assert_eq(errno, EACCES);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	igt_assert(map != MAP_FAILED);
	igt_assert_eq_u32(map[0], 0);
	igt_assert_eq(mprotect(map, PAGE, PROT_READ | PROT_WRITE), -1);
	igt_assert_eq(errno, EACCES);
	errno = 0;
	munmap(map, PAGE);
	close(fd);
	gem_close(bo->ep->fd, dumb.handle);
}

/* A mapping keeps the memory when everything else is closed. */
static void mmap_alone(struct endpoint_bo *bo)
{
	struct endpoint_bo mine;
	ino_t inode;
	void *map;

	endpoint_create(bo->ep, PAGE / 4, PAGES, &mine);
	map = dmabuf_mmap(mine.dmabuf, mine.size);
	pattern_fill(map, mine.size, 9);
	inode = dmabuf_inode(mine.dmabuf);
	endpoint_destroy(&mine);
	pattern_check(map, mine.size, 9);
	pattern_fill(map, mine.size, 10);
	pattern_check(map, mine.size, 10);
	munmap(map, mine.size);
	igt_assert_neq(dmabuf_alive(inode), 1);
}

static void stat_identity(struct endpoint_bo *bo)
{
	struct endpoint_bo other;
	struct stat st, st2;
	struct statfs fs;
	int copy = dup(bo->dmabuf);
	ino_t old;

	do_or_die(fstat(bo->dmabuf, &st));
	igt_assert_eq_u64(st.st_size, bo->size);
	igt_assert_eq_u64(st.st_blocks, bo->size / 512);
	do_or_die(fstat(copy, &st2));
	igt_assert_eq_u64(st.st_ino, st2.st_ino);
	igt_assert_eq_u64(st.st_dev, st2.st_dev);
	close(copy);
	do_or_die(fstatfs(bo->dmabuf, &fs));
	igt_assert_eq_u64(fs.f_type, DMA_BUF_MAGIC);

	/* Numbers are not given out twice, not even after a close. */
	old = st.st_ino;
	for (int i = 0; i < 3; i++) {
		endpoint_create(bo->ep, PAGE / 4, 1, &other);
		do_or_die(fstat(other.dmabuf, &st2));
		igt_assert(st2.st_ino > old);
		igt_assert_eq_u64(st2.st_size, other.size);
		old = st2.st_ino;
		endpoint_destroy(&other);
	}
}

static void fdinfo_contents(struct endpoint_bo *bo)
{
	char buf[64];
	long count;
	int copy;

	igt_assert(fdinfo(bo->dmabuf, "size", buf, sizeof(buf)));
	igt_assert_eq_u64(strtoull(buf, NULL, 10), bo->size);
	igt_assert(fdinfo(bo->dmabuf, "exp_name", buf, sizeof(buf)));
	igt_assert(buf[0]);
	/* Who leaves the export to the bridge is listed under its name. */
	if (strcmp(bo->ep->driver, "vgem") == 0)
		igt_assert_eq(strcmp(buf, "drm"), 0);
	igt_assert(fdinfo(bo->dmabuf, "count", buf, sizeof(buf)));
	count = strtol(buf, NULL, 10);
	copy = dup(bo->dmabuf);
	igt_assert(fdinfo(bo->dmabuf, "count", buf, sizeof(buf)));
	igt_assert_eq(strtol(buf, NULL, 10), count + 1);
	close(copy);
	igt_assert(fdinfo(bo->dmabuf, "count", buf, sizeof(buf)));
	igt_assert_eq(strtol(buf, NULL, 10), count);
}

struct bufinfo {
	bool found;
	unsigned long size, count;
	char exp_name[32], name[40];
	int attached;
	int total_objects; /* what the last line says */
	int listed; /* lines there were */
};

/* The line of debugfs dma_buf/bufinfo with this inode, and what follows it. */
static void read_bufinfo(ino_t inode, struct bufinfo *info)
{
	char path[128], line[512];
	bool inside = false;
	FILE *f;

	memset(info, 0, sizeof(*info));
	info->total_objects = -1;
	igt_require_f(igt_debugfs_mount(), "no debugfs\n");
	snprintf(path, sizeof(path), "%s/dma_buf/bufinfo", igt_debugfs_mount());
	f = fopen(path, "re");
	igt_require_f(f, "no bufinfo\n");
	while (fgets(line, sizeof(line), f)) {
		unsigned long size, count, ino;
		char exp_name[32], name[40] = "";

		if (sscanf(line, "%lu\t%*x\t%*x\t%lu\t%31s\t%lu\t%39[^\n]",
			   &size, &count, exp_name, &ino, name) >= 4) {
			info->listed++;
			inside = ino == inode;
			if (!inside)
				continue;
			info->found = true;
			info->size = size;
			info->count = count;
			strcpy(info->exp_name, exp_name);
			strcpy(info->name, name);
		}
		if (strncmp(line, "Total ", 6))
			continue;
		if (strstr(line, " objects, "))
			info->total_objects = atoi(line + 6);
		else if (inside)
			info->attached = atoi(line + 6);
	}
	fclose(f);
}

static void bufinfo_lists(struct endpoint_bo *bo)
{
	ino_t inode = dmabuf_inode(bo->dmabuf), other;
	struct endpoint_bo mine;
	struct bufinfo info;
	char buf[64];

	do_ioctl(bo->dmabuf, DMA_BUF_SET_NAME, (char *)"in-bufinfo");
	read_bufinfo(inode, &info);
	igt_assert(info.found);
	igt_assert_eq_u64(info.size, bo->size);
	igt_assert(info.count > 0);
	igt_assert_eq(strcmp(info.name, "in-bufinfo"), 0);
	igt_assert(fdinfo(bo->dmabuf, "exp_name", buf, sizeof(buf)));
	igt_assert_eq(strcmp(info.exp_name, buf), 0);
	igt_assert_eq(info.total_objects, info.listed);

	endpoint_create(bo->ep, PAGE / 4, 1, &mine);
	other = dmabuf_inode(mine.dmabuf);
	read_bufinfo(other, &info);
	igt_assert(info.found);
	/* Without a name the column is not empty. */
	igt_assert_eq(strcmp(info.name, "<none>"), 0);
	endpoint_destroy(&mine);
	read_bufinfo(other, &info);
	igt_assert(!info.found);
}

/* Each importer is an attachment, for as long as it has the handle. */
static void bufinfo_attachments(struct endpoint_bo *bo)
{
	struct endpoint eps[MAX_ENDPOINTS];
	uint32_t handle[MAX_ENDPOINTS] = {};
	int num = endpoints_open_drm(eps, MAX_ENDPOINTS);
	ino_t inode = dmabuf_inode(bo->dmabuf);
	struct bufinfo info;
	int before, imported = 0;

	read_bufinfo(inode, &info);
	before = info.attached;
	igt_assert_eq(before, 0);
	for (int i = 0; i < num; i++) {
		if (!eps[i].imports || strcmp(eps[i].name, bo->ep->name) == 0)
			continue;
		if (__prime_fd_to_handle(eps[i].fd, bo->dmabuf, &handle[i]))
			continue;
		read_bufinfo(inode, &info);
		igt_assert_eq(info.attached, ++imported);
	}
	for (int i = 0; i < num; i++) {
		if (!handle[i])
			continue;
		gem_close(eps[i].fd, handle[i]);
		read_bufinfo(inode, &info);
		igt_assert_eq(info.attached, --imported);
	}
	endpoints_close(eps, num);
}

static void read_stat(ino_t inode, const char *file, char *buf, int size)
{
	char path[128];
	int fd, len;

	snprintf(path, sizeof(path), "/sys/kernel/dmabuf/buffers/%lu/%s",
		 (unsigned long)inode, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	igt_assert_fd(fd);
	len = read(fd, buf, size - 1);
	igt_assert_lt(0, len);
	buf[len] = 0;
	buf[strcspn(buf, "\n")] = 0;
	close(fd);
}

static void sysfs_stats(struct endpoint_bo *bo)
{
	ino_t inode = dmabuf_inode(bo->dmabuf);
	struct endpoint_bo other;
	char buf[64], name[64];

	igt_require_f(dmabuf_alive(inode) >= 0,
		      "no CONFIG_DMABUF_SYSFS_STATS\n");
	igt_assert_eq(dmabuf_alive(inode), 1);
	read_stat(inode, "size", buf, sizeof(buf));
	igt_assert_eq_u64(strtoull(buf, NULL, 10), bo->size);
	read_stat(inode, "exporter_name", buf, sizeof(buf));
	igt_assert(fdinfo(bo->dmabuf, "exp_name", name, sizeof(name)));
	igt_assert_eq(strcmp(buf, name), 0);

	endpoint_create(bo->ep, PAGE / 4, 1, &other);
	inode = dmabuf_inode(other.dmabuf);
	igt_assert_eq(dmabuf_alive(inode), 1);
	endpoint_destroy(&other);
	igt_assert_eq(dmabuf_alive(inode), 0);
}

static void poll_idle(struct endpoint_bo *bo)
{
	struct pollfd p = { .fd = bo->dmabuf, .events = POLLIN | POLLOUT };

	igt_assert_eq(poll(&p, 1, 0), 1);
	igt_assert_eq(p.revents, POLLIN | POLLOUT);
	p.events = POLLIN;
	igt_assert_eq(poll(&p, 1, 0), 1);
	igt_assert_eq(p.revents, POLLIN);
	p.events = POLLOUT;
	igt_assert_eq(poll(&p, 1, 0), 1);
	igt_assert_eq(p.revents, POLLOUT);
	/* Nothing asked, nothing told. */
	p.events = POLLPRI;
	igt_assert_eq(poll(&p, 1, 0), 0);
}

static const struct {
	const char *name, *describe;
	void (*run)(struct endpoint_bo *bo);
} tests[] = {
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
	{ "seek", "lseek tells the size, and nothing else", seek },
	{ "read-write", "read, write and ftruncate are refused", read_write },
	{ "mmap-bounds", "no mapping beyond the end, nor by overflow",
	  mmap_bounds },
	{ "mmap-grow", "no mapping grows beyond the end", mmap_grow },
	{ "mmap-offset", "a mapping of a part shows that part", mmap_offset },
	{ "mmap-read-only", "a read-only descriptor cannot be mapped writable",
	  mmap_read_only },
	{ "mmap-alone", "a mapping alone keeps the memory", mmap_alone },
	{ "stat", "fstat gives the size and a number that is never reused",
	  stat_identity },
	{ "fdinfo", "fdinfo has size, count and exporter", fdinfo_contents },
	{ "bufinfo", "bufinfo lists a buffer from export to release",
	  bufinfo_lists },
	{ "bufinfo-attachments", "bufinfo counts the importers",
	  bufinfo_attachments },
	{ "sysfs-stats", "the statistics directory lives as long as the buffer",
	  sysfs_stats },
	{ "poll-idle", "without fences poll is ready for what it was asked",
	  poll_idle },
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		drm_load_module(DRIVER_VGEM | DRIVER_VKMS);
		num = endpoints_open(eps, MAX_ENDPOINTS);
		igt_require_f(num, "nothing exports dma-bufs\n");
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name) {
					struct endpoint_bo bo;

					endpoint_create(&eps[i], PAGE / 4,
							PAGES, &bo);
					tests[t].run(&bo);
					endpoint_destroy(&bo);
				}
			}
		}
	}

	igt_fixture
		endpoints_close(eps, num);
}
