// SPDX-License-Identifier: GPL-2.0-only
/*
 * All the other system calls that take a descriptor.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "igt.h"
#include "parity.h"

#define RET(call)                                 \
	({                                        \
		long ret__ = (call);              \
		ret__ < 0 ? -(long)errno : ret__; \
	})

void run_seek(struct buffer *b)
{
	static const struct {
		const char *name;
		int whence;
	} whences[] = {
		{ "SEEK_SET", SEEK_SET },
		{ "SEEK_CUR", SEEK_CUR },
		{ "SEEK_END", SEEK_END },
		{ "SEEK_DATA", SEEK_DATA },
		{ "SEEK_HOLE", SEEK_HOLE },
		{ "5", 5 },
		{ "-1", -1 },
		{ "1000", 1000 },
	};
	const struct {
		const char *name;
		off_t offset;
	} offsets[] = {
		{ "0:", 0 },
		{ "1:", 1 },
		{ "-1:", -1 },
		{ "page:", PAGE },
		{ "size:", b->size },
		{ "-size:", -b->size },
		{ "largest:", LLONG_MAX },
		{ "smallest:", LLONG_MIN },
	};

	for (unsigned int w = 0; w < N(whences); w++) {
		struct list l = {};

		for (unsigned int o = 0; o < N(offsets); o++) {
			long at = RET(lseek(b->fd, offsets[o].offset,
					    whences[w].whence));

			list_add(&l, offsets[o].name,
				 at > 0 ? told_by(at, b->size) : answer(at));
		}
		say(whences[w].name,
		    text("lseek(), whence %s, by offset", whences[w].name),
		    "%s", l.text);
	}
}

static void say_read_write(int fd)
{
	char bytes[16] = "parity";
	struct iovec v = { bytes, sizeof(bytes) };
	int fds[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	loff_t at = 0;

	do_or_die(pipe(fds));
	igt_assert_eq(write(fds[1], bytes, 16), 16);
	say_ret("read", "read()", RET(read(fd, bytes, 16)));
	say_ret("read-nothing", "read() of no bytes", RET(read(fd, bytes, 0)));
	say_ret("pread", "pread()", RET(pread(fd, bytes, 16, 0)));
	say_ret("readv", "readv()", RET(readv(fd, &v, 1)));
	say_ret("preadv2", "preadv2() with RWF_NOWAIT",
		RET(preadv2(fd, &v, 1, 0, RWF_NOWAIT)));
	say_ret("write", "write()", RET(write(fd, bytes, 16)));
	say_ret("write-nothing", "write() of no bytes",
		RET(write(fd, bytes, 0)));
	say_ret("pwrite", "pwrite()", RET(pwrite(fd, bytes, 16, 0)));
	say_ret("writev", "writev()", RET(writev(fd, &v, 1)));
	say_ret("splice-out", "splice() out of it into a pipe",
		RET(splice(fd, NULL, fds[1], NULL, 16, SPLICE_F_NONBLOCK)));
	say_ret("splice-out-at", "splice() out of it, with an offset",
		RET(splice(fd, &at, fds[1], NULL, 16, SPLICE_F_NONBLOCK)));
	say_ret("splice-in", "splice() into it from a pipe",
		RET(splice(fds[0], NULL, fd, NULL, 16, SPLICE_F_NONBLOCK)));
	say_ret("sendfile", "sendfile() from it",
		RET(sendfile(null, fd, NULL, 16)));
	say_ret("copy_file_range", "copy_file_range() within it",
		RET(copy_file_range(fd, &at, fd, &at, 16, 0)));
	say_ret("readahead", "readahead()", RET(readahead(fd, 0, 16)));
	say_ret("getdents", "getdents64()",
		RET(syscall(SYS_getdents64, fd, bytes, 16)));
	close(null);
	close(fds[0]);
	close(fds[1]);
}

static void say_size(struct buffer *b)
{
	struct stat st;

	say_ret("ftruncate-0", "ftruncate() to nothing",
		RET(ftruncate(b->fd, 0)));
	say_ret("ftruncate-size", "ftruncate() to its size",
		RET(ftruncate(b->fd, b->size)));
	say_ret("ftruncate-larger", "ftruncate() to twice its size",
		RET(ftruncate(b->fd, 2 * b->size)));
	say_ret("fallocate", "fallocate()",
		RET(fallocate(b->fd, 0, 0, b->size)));
	say_ret("fallocate-punch", "fallocate() to punch a hole",
		RET(fallocate(b->fd, 3, 0, PAGE)));
	do_or_die(fstat(b->fd, &st));
	say("size-after", "st_size after all these", "%s",
	    told_by(st.st_size, b->size));
	say_ret("fsync", "fsync()", RET(fsync(b->fd)));
	say_ret("fdatasync", "fdatasync()", RET(fdatasync(b->fd)));
	say_ret("syncfs", "syncfs()", RET(syncfs(b->fd)));
	say_ret("sync_file_range", "sync_file_range()",
		RET(sync_file_range(b->fd, 0, PAGE, 0)));
	say_ret("fadvise", "posix_fadvise(POSIX_FADV_DONTNEED)",
		-posix_fadvise(b->fd, 0, 0, POSIX_FADV_DONTNEED));
}

static void say_attributes(int fd)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct stat st;
	char value[64];

	say_ret("fchmod", "fchmod() to 0777", RET(fchmod(fd, 0777)));
	do_or_die(fstat(fd, &st));
	say("fchmod-after", "st_mode then", "%#o", st.st_mode);
	say_ret("fchmod-0", "fchmod() to 0", RET(fchmod(fd, 0)));
	say_ret("fchown", "fchown() to another user", RET(fchown(fd, 1, 1)));
	say_ret("futimens", "futimens()", RET(futimens(fd, times)));
	do_or_die(fstat(fd, &st));
	say("attributes-after", "st_uid, st_gid and whether st_mtime is 1",
	    "%u, %u, %s", st.st_uid, st.st_gid,
	    st.st_mtime == 1 ? "yes" : "no");
	say_ret("fgetxattr", "fgetxattr(user.x)",
		RET(fgetxattr(fd, "user.x", value, sizeof(value))));
	say_ret("fsetxattr", "fsetxattr(user.x)",
		RET(fsetxattr(fd, "user.x", "1", 1, 0)));
	say_ret("fsetxattr-trusted", "fsetxattr(trusted.x)",
		RET(fsetxattr(fd, "trusted.x", "1", 1, 0)));
	say_ret("flistxattr", "flistxattr()",
		RET(flistxattr(fd, value, sizeof(value))));
	say_ret("getflags", "FS_IOC_GETFLAGS",
		try_ioctl(fd, FS_IOC_GETFLAGS, value));
	say_ret("getfsxattr", "FS_IOC_FSGETXATTR",
		try_ioctl(fd, FS_IOC_FSGETXATTR, value));
}

static void say_setfl(int fd, const char *id, const char *name, int flag)
{
	long ret = RET(fcntl(fd, F_SETFL, flag));

	say(id, text("F_SETFL %s, and F_GETFL then", name), "%s, %#o",
	    answer(ret), fcntl(fd, F_GETFL));
}

static void say_fcntl(int fd)
{
	struct f_owner_ex owner = { F_OWNER_PID, getpid() };
	struct flock lock = { .l_type = F_WRLCK };
	struct flock read_lock = { .l_type = F_RDLCK };
	uint64_t hint = 0;

	say("getfd", "F_GETFD", "%d", fcntl(fd, F_GETFD));
	say("getfl", "F_GETFL", "%#o", fcntl(fd, F_GETFL));
	say_setfl(fd, "setfl-nonblock", "O_NONBLOCK", O_NONBLOCK);
	say_setfl(fd, "setfl-append", "O_APPEND", O_APPEND);
	say_setfl(fd, "setfl-direct", "O_DIRECT", O_DIRECT);
	say_setfl(fd, "setfl-async", "O_ASYNC", O_ASYNC);
	say_setfl(fd, "setfl-noatime", "O_NOATIME", O_NOATIME);
	say_setfl(fd, "setfl-none", "0", 0);
	say_ret("getseals", "F_GET_SEALS", RET(fcntl(fd, F_GET_SEALS)));
	say_ret("addseals", "F_ADD_SEALS",
		RET(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)));
	say_ret("setown", "F_SETOWN_EX", RET(fcntl(fd, F_SETOWN_EX, &owner)));
	say_ret("setlease", "F_SETLEASE", RET(fcntl(fd, F_SETLEASE, F_RDLCK)));
	say_ret("notify", "F_NOTIFY", RET(fcntl(fd, F_NOTIFY, DN_ACCESS)));
	say_ret("getpipe", "F_GETPIPE_SZ", RET(fcntl(fd, F_GETPIPE_SZ)));
	say_ret("hint", "F_GET_RW_HINT", RET(fcntl(fd, F_GET_RW_HINT, &hint)));
	say_ret("setlk", "F_SETLK, to write", RET(fcntl(fd, F_SETLK, &lock)));
	say_ret("setlk-read", "F_SETLK, to read",
		RET(fcntl(fd, F_SETLK, &read_lock)));
	say_ret("ofd-setlk", "F_OFD_SETLK, beside that",
		RET(fcntl(fd, F_OFD_SETLK, &lock)));
	say_ret("flock", "flock()", RET(flock(fd, LOCK_EX | LOCK_NB)));
	say_ret("flock-end", "flock() to unlock", RET(flock(fd, LOCK_UN)));
}

/* What a client does to give a buffer to the compositor. */
static void say_pass(struct buffer *b)
{
	int pair[2], got;

	do_or_die(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	send_fd(pair[0], b->fd);
	got = receive_fd(pair[1]);
	say("pass", "passed over a UNIX socket",
	    "%s, FD_CLOEXEC %d, F_GETFL %#o",
	    dmabuf_inode(got) == dmabuf_inode(b->fd) ? "the same buffer" :
						       "another buffer",
	    fcntl(got, F_GETFD), fcntl(got, F_GETFL));
	close(got);
	close(pair[0]);
	close(pair[1]);
}

void run_file(struct buffer *b)
{
	say_pass(b);
	say_read_write(b->fd);
	say_size(b);
	say_attributes(b->fd);
	say_fcntl(b->fd);
}

static long open_again(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static long execute(int fd)
{
	char name[] = "x", *argv[] = { name, NULL };
	int status;
	pid_t pid = fork();

	if (!pid) {
		fexecve(fd, argv, environ);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

void run_path(struct buffer *b)
{
	struct file_handle handle = {};
	int mount, in = inotify_init1(IN_CLOEXEC);
	char path[64], new[64];
	struct stat st;
	struct statvfs vfs;
	struct statx stx;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->fd);
	snprintf(new, sizeof(new), "/tmp/parity-link-%d", getpid());
	say_ret("open-read", "open() to read", open_again(path, O_RDONLY));
	say_ret("open-write", "open() to read and write",
		open_again(path, O_RDWR));
	say_ret("open-path", "open() with O_PATH", open_again(path, O_PATH));
	say_ret("open-truncate", "open() with O_TRUNC",
		open_again(path, O_RDWR | O_TRUNC));
	say_ret("access-read", "access() to read", RET(access(path, R_OK)));
	say_ret("access-write", "access() to write", RET(access(path, W_OK)));
	say_ret("access-execute", "access() to execute",
		RET(access(path, X_OK)));
	say_ret("stat", "stat()", RET(stat(path, &st)));
	say("stat-size", "its st_size", "%s", told_by(st.st_size, b->size));
	say_ret("statvfs", "statvfs()", RET(statvfs(path, &vfs)));
	say_ret("statx", "statx()",
		RET(statx(AT_FDCWD, path, 0, STATX_ALL, &stx)));
	say("statx-mask", "its stx_mask and stx_attributes", "%#x, %#llx",
	    stx.stx_mask, (unsigned long long)stx.stx_attributes);
	say_ret("truncate", "truncate() to nothing", RET(truncate(path, 0)));
	say_ret("chdir", "chdir()", RET(chdir(path)));
	say_ret("fchdir", "fchdir()", RET(fchdir(b->fd)));
	say_ret("link", "linkat() into /tmp",
		RET(linkat(b->fd, "", AT_FDCWD, new, AT_EMPTY_PATH)));
	say_ret("handle", "name_to_handle_at()",
		RET(name_to_handle_at(b->fd, "", &handle, &mount,
				      AT_EMPTY_PATH)));
	say_ret("inotify", "inotify_add_watch()",
		RET(inotify_add_watch(in, path, IN_ALL_EVENTS)));
	say_ret("execute", "fexecve()", execute(b->fd));
	close(in);
}
