// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two processes that render, and a buffer that both have: one draws, the other uses
 * it as a texture, then draws in it itself. Neither waits for the other's pixels but
 * through the kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gl.h"

/* The first of each pair is what the exporter draws. */
#define EXPORTER 3
#define IMPORTER 11

static void send_buffer(int sock, int dmabuf, uint32_t pitch)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = { &pitch, sizeof(pitch) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &dmabuf, sizeof(dmabuf));
	if (sendmsg(sock, &message, 0) != sizeof(pitch))
		die("sendmsg");
}

static int receive_buffer(int sock, uint32_t *pitch)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = { pitch, sizeof(*pitch) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int dmabuf;

	if (recvmsg(sock, &message, 0) != sizeof(*pitch))
		die("recvmsg");
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		die("no descriptor came");
	memcpy(&dmabuf, CMSG_DATA(header), sizeof(dmabuf));
	return dmabuf;
}

/* The importer: what it saw is told through the socket, as a number of pixels. */
static void import(int sock, const char *card)
{
	struct target shared = { .width = WIDTH, .height = HEIGHT };
	struct target own = {};
	struct renderer renderer;
	uint32_t pitch;
	int dmabuf, wrong;

	renderer_open(&renderer, card);
	dmabuf = receive_buffer(sock, &pitch);
	target_import(&renderer, &shared, dmabuf, pitch);
	target_plain(&own);
	draw_from(&own, &shared);
	wrong = wrong_pixels(&own, EXPORTER);
	draw(&shared, IMPORTER);
	glFlush();
	if (write(sock, &wrong, sizeof(wrong)) != sizeof(wrong))
		die("write");
	exit(0);
}

static void export(int sock, const char *card)
{
	struct target shared = {};
	struct renderer renderer;
	int dmabuf, wrong;

	renderer_open(&renderer, card);
	target_shared(&renderer, &shared, WIDTH, HEIGHT);
	draw(&shared, EXPORTER);
	glFlush();
	dmabuf = gbm_bo_get_fd(shared.bo);
	send_buffer(sock, dmabuf, gbm_bo_get_stride(shared.bo));
	if (read(sock, &wrong, sizeof(wrong)) != sizeof(wrong)) {
		fact("share-texture", "a texture of another process's buffer",
		     "the importer failed");
		return;
	}
	fact("share-texture", "a texture of another process's buffer", "%s",
	     judged(wrong));
	fact("share-target", "what another process rendered to ours", "%s",
	     judged(wrong_pixels(&shared, IMPORTER)));
	close(dmabuf);
	renderer_close(&renderer);
}

/* Before this process has to do with the renderer, so that a child has one of its own. */
void share_cases(const char *card)
{
	int socks[2], status;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		die("socketpair");
	child = fork();
	if (!child) {
		close(socks[0]);
		import(socks[1], card);
	}
	close(socks[1]);
	export(socks[0], card);
	close(socks[0]);
	waitpid(child, &status, 0);
	fact("share-end", "the importer's exit", "%d", status);
}
