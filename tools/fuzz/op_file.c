// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every file has: descriptors, seeking, reading, its place in procfs.
 *
 * a: which file   b: flags   value: a length or an offset
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "argument.h"
#include "count.h"
#include "objects.h"
#include "operations.h"

/* What most of the operations here are about, unless the selector says otherwise. */
static struct file any_file(const struct step *step)
{
	return file_find(step->c & 1 ? KIND_ANY : KIND_DMABUF, step->a);
}

/* Any file: what there is none of is made, and closed at once */
long op_close(const struct step *step)
{
	struct file file = file_find(KIND_ANY, step->a);

	if (file.fd < 0)
		return NOT_DONE;
	if (file.kind == KIND_TIMELINE) {
		/* the other thread could add a fence in between */
		if (step_is_beside())
			return NOT_DONE;
		timeline_end(file.fd);
	}
	file_forget(file.fd);
	return CALL(close(file.fd));
}

/* b: over another file */
long op_dup(const struct step *step)
{
	struct file file = any_file(step);
	struct file other;

	if (!(step->b & 1))
		return file_add_twin(CALL(fcntl(file.fd, F_DUPFD_CLOEXEC, 0)),
				     &file);
	other = file_find(KIND_ANY, step->b >> 1);
	if (other.fd < 0 || file.fd < 0 || other.fd == file.fd ||
	    other.kind == KIND_TIMELINE)
		return NOT_DONE;
	file_forget(other.fd);
	return file_add_twin(CALL(dup3(file.fd, other.fd, O_CLOEXEC)), &file);
}

/* Through a socket, and received if b is odd; else it is in flight when that closes. */
long op_send(const struct step *step)
{
	struct file file = any_file(step);
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec byte = { control, 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int pair[2];
	long result;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return NOT_DONE;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file.fd, sizeof(int));

	result = CALL(sendmsg(pair[0], &message, MSG_DONTWAIT));
	if (result >= 0 && step->b & 1) {
		result = recvmsg(pair[1], &message,
				 MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (result >= 0 && message.msg_controllen) {
			int received;

			memcpy(&received, CMSG_DATA(header), sizeof(received));
			file_add_twin(received, &file);
		}
	}
	close(pair[0]);
	close(pair[1]);
	return result;
}

long op_read(const struct step *step)
{
	struct file file =
		file_find(step->c & 1 ? KIND_ANY : KIND_DMABUF, step->a);
	char bytes[256];
	size_t size = number(step->value) % sizeof(bytes);

	if (step->b & 1)
		return CALL_BLOCKING(pread(file.fd, argument_place(bytes, size),
					   size, number(step->value)));
	return CALL_BLOCKING(read(file.fd, argument_place(bytes, size), size));
}

long op_write(const struct step *step)
{
	struct file file =
		file_find(step->c & 1 ? KIND_ANY : KIND_DMABUF, step->a);
	char bytes[256] = "";
	size_t size = number(step->value) % sizeof(bytes);

	if (step->b & 1)
		return CALL_BLOCKING(pwrite(file.fd,
					    argument_place(bytes, size), size,
					    number(step->value)));
	return CALL_BLOCKING(write(file.fd, argument_place(bytes, size), size));
}

/* b: from where, which has five good values */
long op_seek(const struct step *step)
{
	int fd = any_file(step).fd;
	off_t offset = step->c & 2 ? number(step->value) : 0;

	return CALL(lseek(fd, offset, step->b % 7));
}

long op_stat(const struct step *step)
{
	struct file file = any_file(step);
	struct statfs system;
	struct stat status;

	if (step->b & 1)
		return CALL(fstatfs(file.fd, &system));
	return CALL(fstat(file.fd, &status));
}

long op_fcntl(const struct step *step)
{
	/* none that has a signal sent, to whoever that may be */
	static const int commands[] = { F_GETFL,      F_SETFL,	   F_GETFD,
					F_SETFD,      F_GETLK,	   F_SETLK,
					F_GET_SEALS,  F_ADD_SEALS, F_OFD_SETLK,
					F_SET_RW_HINT };
	struct flock range = { .l_type = step->c % 3,
			       .l_len = number(step->value) };
	int command = commands[step->b % COUNT_OF(commands)];
	int fd = any_file(step).fd;
	uint64_t arg = number(step->value) & ~(uint64_t)O_ASYNC;

	if (command == F_GETLK || command == F_SETLK || command == F_OFD_SETLK)
		arg = (uintptr_t)argument_place(&range, sizeof(range));
	return CALL(fcntl(fd, command, arg));
}

/* b: by which call */
long op_resize(const struct step *step)
{
	int fd = any_file(step).fd;
	off_t size = number(step->value);

	/* a memfd grows in earnest */
	if (step->c & 1 && (size < 0 || size > (off_t)SIZE_LIMIT))
		size = SIZE_LIMIT;
	if (step->b & 1)
		return CALL(fallocate(fd, step->b >> 1 & 3, 0, size));
	return CALL(ftruncate(fd, size));
}

/* Through procfs: an open of the same inode, or a path to it. */
long op_reopen(const struct step *step)
{
	struct file file = any_file(step);
	int flags = CHOOSE_BITS(step, step->b & 0x1f, O_RDWR, O_PATH,
				O_NONBLOCK, O_TRUNC, O_NOFOLLOW);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file.fd);
	return new_fd(CALL(open(path, flags | O_CLOEXEC)),
		      flags & O_PATH ? KIND_ANY : file.kind);
}

long op_fdinfo(const struct step *step)
{
	char path[32], text[1024];
	long result;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", any_file(step).fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NOT_DONE;
	result = CALL(read(fd, text, step->b ? step->b : sizeof(text)));
	close(fd);
	return result;
}

long op_link_name(const struct step *step)
{
	char path[32], text[128];
	size_t room = step->b ? step->b % sizeof(text) + 1 : sizeof(text);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", any_file(step).fd);
	return CALL(readlink(path, text, room));
}

/* Few files more, or none, until the input ends. */
long op_fd_limit(const struct step *step)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return NOT_DONE;
	limit.rlim_cur = fd_frontier() + step->a % 4;
	return CALL(setrlimit(RLIMIT_NOFILE, &limit));
}
