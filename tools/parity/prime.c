// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two PRIME ioctls: HANDLE_TO_FD and FD_TO_HANDLE.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem.h"
#include "parity.h"

static long to_fd(int drm, uint32_t handle, uint32_t flags, int *fd)
{
	struct drm_prime_handle arg = { .handle = handle,
					.flags = flags,
					.fd = -7 };
	long ret = try_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);

	*fd = arg.fd;
	return ret;
}

static long to_handle(int drm, int fd, uint32_t flags, uint32_t *handle)
{
	struct drm_prime_handle arg = { .handle = 0xbad,
					.flags = flags,
					.fd = fd };
	long ret = try_ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);

	*handle = arg.handle;
	return ret;
}

static uint32_t dumb(int drm)
{
	struct vgem_bo bo = { .width = 1024, .height = 4, .bpp = 32 };

	vgem_create(drm, &bo);
	return bo.handle;
}

static const char *export_text(int drm, uint32_t handle, uint32_t flags)
{
	const char *result;
	int fd;
	long ret = to_fd(drm, handle, flags, &fd);

	if (ret)
		return text("%s, fd %d", answer(ret), fd);
	result = text("0, FD_CLOEXEC %d, F_GETFL %#o", fcntl(fd, F_GETFD),
		      fcntl(fd, F_GETFL));
	close(fd);
	return result;
}

static void say_export_flags(int drm)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} good[] = {
		{ "none", 0 },
		{ "CLOEXEC", DRM_CLOEXEC },
		{ "RDWR", DRM_RDWR },
		{ "CLOEXEC|RDWR", DRM_CLOEXEC | DRM_RDWR },
		{ "WRONLY", O_WRONLY },
	};
	struct ranges alone = {}, with = {};
	uint32_t handle;

	for (unsigned int i = 0; i < N(good); i++) {
		handle = dumb(drm);
		say(text("flags-%s", good[i].name),
		    text("a first export, flags %s", good[i].name), "%s",
		    export_text(drm, handle, good[i].flags));
		gem_close(drm, handle);
	}
	handle = dumb(drm);
	for (int bit = 0; bit < 32; bit++) {
		int fd;
		long ret = to_fd(drm, handle, 1u << bit, &fd);

		ranges_add(&alone, bit, answer(ret));
		close(ret ? -1 : fd);
		ret = to_fd(drm, handle, 1u << bit | DRM_CLOEXEC | DRM_RDWR,
			    &fd);
		ranges_add(&with, bit, answer(ret));
		close(ret ? -1 : fd);
	}
	say("bits", "each flag bit alone", "%s", ranges_end(&alone));
	say("bits-with", "each flag bit with CLOEXEC|RDWR", "%s",
	    ranges_end(&with));
	gem_close(drm, handle);
}

static void say_export_again(int drm)
{
	uint32_t handle = dumb(drm);
	int one, two;
	ino_t inode;

	to_fd(drm, handle, DRM_CLOEXEC, &one);
	say("again", "a second export, which asks for RDWR", "%s",
	    export_text(drm, handle, DRM_CLOEXEC | DRM_RDWR));
	to_fd(drm, handle, DRM_CLOEXEC, &two);
	inode = dmabuf_inode(one);
	say("again-same", "the buffer of a second export", "%s",
	    inode == dmabuf_inode(two) ? "the same" : "another");
	close(one);
	close(two);
	to_fd(drm, handle, DRM_CLOEXEC, &one);
	say("again-closed", "the buffer exported after all fds were closed",
	    "%s", inode == dmabuf_inode(one) ? "the same" : "another");
	gem_close(drm, handle);
	say("alive", "whether the buffer lives by its fd alone", "%d",
	    dmabuf_alive(dmabuf_inode(one)));
	inode = dmabuf_inode(one);
	close(one);
	say("gone", "and when that is closed", "%d", dmabuf_alive(inode));
	say("handle-closed", "the handle when it is closed", "%s",
	    export_text(drm, handle, DRM_CLOEXEC));
}

/* Root may go beyond the limit, so a child gives its rights up. */
static long export_unprivileged(int drm, uint32_t handle)
{
	int limit = open("/proc/sys/fs/file-max", O_RDWR | O_CLOEXEC);
	char before[32] = "";
	int status, fd;
	pid_t pid;

	igt_assert(read(limit, before, sizeof(before) - 1) > 0);
	igt_assert_eq(pwrite(limit, "1", 1, 0), 1);
	pid = fork();
	if (!pid) {
		igt_assert_eq(seteuid(65534), 0);
		_exit(-to_fd(drm, handle, DRM_CLOEXEC, &fd));
	}
	waitpid(pid, &status, 0);
	igt_assert(pwrite(limit, before, strlen(before), 0) > 0);
	close(limit);
	return -WEXITSTATUS(status);
}

static void say_export_bad(int drm)
{
	static const uint32_t bad[] = { 0, 0x7fffffff, 0xffffffff };
	struct rlimit old, none;
	unsigned int files = open_files();
	uint32_t handle = dumb(drm);
	long ret;
	int fd;

	for (unsigned int i = 0; i < N(bad); i++)
		say(text("handle-%x", bad[i]), text("handle %#x", bad[i]), "%s",
		    export_text(drm, bad[i], DRM_CLOEXEC));
	say("handle-0-bad-flags", "handle 0 with a bad flag", "%s",
	    export_text(drm, 0, 1));
	do_or_die(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	do_or_die(setrlimit(RLIMIT_NOFILE, &none));
	ret = to_fd(drm, handle, DRM_CLOEXEC, &fd);
	do_or_die(setrlimit(RLIMIT_NOFILE, &old));
	say("table-full", "no room in the table of descriptors", "%s, fd %d",
	    answer(ret), fd);
	say_ret("file-limit", "the system's limit of open files is reached",
		export_unprivileged(drm, handle));
	say("files", "descriptors that all these have left", "%u",
	    open_files() - files);
	gem_close(drm, handle);
}

void run_prime_export(struct buffer *b)
{
	struct drm_prime_handle good = { .flags = DRM_CLOEXEC, .fd = -1 };
	int drm = b->by->ep.fd;

	say_export_flags(drm);
	say_export_again(drm);
	say_export_bad(drm);
	good.handle = 0x7ffffff0; /* refused where the argument is read */
	say_pointers(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &good);
	say_numbers(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &good);
}

/* Two files of one device, and one handle for a buffer in each. */
static void say_import_same(struct buffer *b)
{
	int drm = b->by->ep.fd, other = drm_again(b->by), fd, back;
	uint32_t one = dumb(drm), two, three;
	long ret;

	ret = to_fd(drm, one, DRM_CLOEXEC | DRM_RDWR, &fd);
	if (ret) {
		say("same-file", "into the file that exported it", "export %s",
		    answer(ret));
		return;
	}
	ret = to_handle(drm, fd, 0, &two);
	say("same-file", "into the file that exported it", "%s, %s",
	    answer(ret), one == two ? "the same handle" : "another handle");
	ret = to_handle(other, fd, 0, &two);
	say("other-file", "into another file of the device", "%s", answer(ret));
	ret = to_handle(other, fd, 0, &three);
	say("other-file-again", "a second time", "%s, %s", answer(ret),
	    two == three ? "the same handle" : "another handle");
	ret = to_fd(other, two, DRM_CLOEXEC, &back);
	say("export-import", "exported again from there", "%s, %s", answer(ret),
	    ret					   ? "-" :
	    dmabuf_inode(back) == dmabuf_inode(fd) ? "the same buffer" :
						     "another buffer");
	close(ret ? -1 : back);
	gem_close(other, two);
	ret = to_handle(other, fd, 0, &three);
	say("import-closed", "into that file, its handle closed", "%s, %s",
	    answer(ret), two == three ? "the same number" : "another number");
	gem_close(drm, one);
	close(other);
	ret = to_handle(drm, fd, 0, &two);
	say("import-alone", "when every handle is closed", "%s", answer(ret));
	gem_close(drm, two);
	close(fd);
}

static void say_import_flags(struct buffer *b)
{
	struct ranges r = {};
	uint32_t handle;

	for (int bit = 0; bit < 32; bit++)
		ranges_add(&r, bit,
			   answer(to_handle(b->by->ep.fd, b->fd, 1u << bit,
					    &handle)));
	say("bits", "each flag bit, which nothing reads", "%s", ranges_end(&r));
}

static void say_import_kinds(struct buffer *b)
{
	int drm = b->by->ep.fd, path = path_fd(b->fd);
	uint32_t handle;
	long ret;

	for (unsigned int i = 0; i < num_kinds; i++) {
		int fd = kinds[i].open();

		ret = to_handle(drm, fd, 0, &handle);
		say(text("fd-%s", kinds[i].name),
		    text("a descriptor that is no dma-buf: %s", kinds[i].name),
		    "%s, handle %#x", answer(ret), handle);
		close(fd);
	}
	say_ret("fd-O_PATH", "an O_PATH descriptor of a dma-buf",
		to_handle(drm, path, 0, &handle));
	close(path);
}

/* What an importer lets its client do with the handle. */
static void say_handle(int drm, const char *name, uint32_t handle)
{
	struct drm_mode_map_dumb map = { .handle = handle };
	struct drm_gem_flink flink = { .handle = handle };
	struct list l = {};

	list_add(&l, "MAP_DUMB",
		 answer(try_ioctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &map)));
	list_add(&l, "GEM_FLINK",
		 answer(try_ioctl(drm, DRM_IOCTL_GEM_FLINK, &flink)));
	list_add(&l, "HANDLE_TO_FD", export_text(drm, handle, DRM_CLOEXEC));
	say(text("handle-of-%s", name),
	    text("the handle of a buffer of %s", name), "%s", l.text);
}

static void say_foreign(struct buffer *b, struct exporter *from, int mode,
			const char *mode_name)
{
	int drm = b->by->ep.fd, back;
	struct buffer foreign;
	uint32_t handle, again;
	const char *name;
	long ret;

	if (buffer_new(from, mode, &foreign))
		return;
	name = text("%s%s", from->name, mode_name);
	ret = to_handle(drm, foreign.fd, 0, &handle);
	if (ret) {
		say(text("from-%s", name), text("a buffer of %s", name),
		    "%s, handle %#x", answer(ret), handle);
		buffer_free(&foreign);
		return;
	}
	to_handle(drm, foreign.fd, 0, &again);
	ret = to_fd(drm, handle, DRM_CLOEXEC, &back);
	say(text("from-%s", name), text("a buffer of %s", name),
	    "0, again %s, exported %s",
	    handle == again ? "the same handle" : "another handle",
	    ret						   ? answer(ret) :
	    dmabuf_inode(back) == dmabuf_inode(foreign.fd) ? "the same buffer" :
							     "another buffer");
	close(ret ? -1 : back);
	say_handle(drm, name, handle);
	buffer_free(&foreign);
	ret = to_fd(drm, handle, DRM_CLOEXEC, &back);
	say(text("outlives-%s", name), "exported when its exporter is closed",
	    "%s, poll %s", answer(ret),
	    ret ? "-" : poll_now(back, POLLIN | POLLOUT));
	close(ret ? -1 : back);
	gem_close(drm, handle);
}

void run_prime_import(struct buffer *b)
{
	struct drm_prime_handle good = { .fd = b->fd };
	struct exporter all[MAX_ENDPOINTS];
	int num = exporters_open(all, MAX_ENDPOINTS);
	int drm = b->by->ep.fd;

	say_import_same(b);
	if (b->fd >= 0) {
		say_import_flags(b);
		say_import_kinds(b);
		say_pointers(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &good);
		say_numbers(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &good);
	}
	for (int i = 0; i < num; i++) {
		if (!strcmp(all[i].name, b->by->name) ||
		    !(all[i].video || all[i].ep.exports))
			continue;
		say_foreign(b, &all[i], O_RDWR, "");
		say_foreign(b, &all[i], O_RDONLY, "-rdonly");
	}
}
