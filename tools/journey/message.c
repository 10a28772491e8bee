// SPDX-License-Identifier: MIT
/*
 * Messages over a UNIX stream socket. A file descriptor travels as ancillary
 * data of the first byte of its message.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "message.h"
#include "util.h"

union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void wait_readable(int sock)
{
	struct pollfd poller = { .fd = sock, .events = POLLIN };
	int ret;

	do {
		ret = poll(&poller, 1, LONG_WAIT_MS);
	} while (ret < 0 && errno == EINTR);

	if (ret < 0)
		die_errno("socket", "poll");
	if (!ret)
		die("socket: no message for %d s", LONG_WAIT_MS / 1000);
}

static void send_all(int sock, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t done = send(sock, at, size, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && (errno == EPIPE || errno == ECONNRESET))
			die_peer();
		if (done < 0)
			die_errno("socket", "send");
		at += done;
		size -= done;
	}
}

static void recv_all(int sock, void *data, size_t size)
{
	char *at = data;

	while (size) {
		ssize_t done;

		wait_readable(sock);
		done = recv(sock, at, size, 0);
		if (done < 0 && errno == EINTR)
			continue;
		if (!done || (done < 0 && errno == ECONNRESET))
			die_peer();
		if (done < 0)
			die_errno("socket", "recv");
		at += done;
		size -= done;
	}
}

static void send_byte_with_fd(int sock, const void *byte, int fd)
{
	struct iovec vec = { .iov_base = (void *)byte, .iov_len = 1 };
	union fd_control control = { .bytes = { 0 } };
	struct msghdr header = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));

	if (sendmsg(sock, &header, MSG_NOSIGNAL) == 1)
		return;
	if (errno == EPIPE || errno == ECONNRESET)
		die_peer();
	die_errno("socket", "sendmsg with SCM_RIGHTS");
}

/* Returns the descriptor that came with the byte, or -1. */
static int recv_byte_with_fd(int sock, void *byte)
{
	struct iovec vec = { .iov_base = byte, .iov_len = 1 };
	union fd_control control = { .bytes = { 0 } };
	struct msghdr header = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;
	ssize_t done;
	int fd = -1;

	wait_readable(sock);
	done = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
	if (!done || (done < 0 && errno == ECONNRESET))
		die_peer();
	if (done < 0)
		die_errno("socket", "recvmsg");

	cmsg = CMSG_FIRSTHDR(&header);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* Sends @msg, and @fd with it unless it is -1. */
void message_send(int sock, const struct message *msg, int fd)
{
	const char *bytes = (const char *)msg;

	if (fd < 0) {
		send_all(sock, bytes, sizeof(*msg));
		return;
	}
	send_byte_with_fd(sock, bytes, fd);
	send_all(sock, bytes + 1, sizeof(*msg) - 1);
}

/* Waits for a message. Returns the descriptor that came with it, or -1. */
int message_recv_any(int sock, struct message *msg)
{
	char *bytes = (char *)msg;
	int fd = recv_byte_with_fd(sock, bytes);

	recv_all(sock, bytes + 1, sizeof(*msg) - 1);
	return fd;
}

/*
 * Waits for a message of @type, and takes no other. @fd: where the descriptor
 * that comes with it goes, NULL if none is due.
 */
void message_recv(int sock, enum message_type type, struct message *msg,
		  int *fd)
{
	int got = message_recv_any(sock, msg);
	bool with_fd = got >= 0;

	if (msg->type != type)
		die("socket: message %u came where %u was due", msg->type,
		    type);
	if (with_fd != !!fd)
		die("socket: message %u came %s a descriptor", msg->type,
		    with_fd ? "with" : "without");
	if (fd)
		*fd = got;
}
