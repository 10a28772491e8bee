// SPDX-License-Identifier: MIT
/*
 * Another process, as a compositor is: it is handed a dma-buf over a socket, asks
 * poll() when it may use it, and looks at the pixels as the kernel wants it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* A message that carries a descriptor. */
struct parcel {
	struct msghdr header;
	struct iovec data;
	char control[CMSG_SPACE(sizeof(int))];
};

static struct msghdr *parcel_of(struct parcel *parcel, struct picture *picture)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->data.iov_base = picture;
	parcel->data.iov_len = sizeof(*picture);
	parcel->header.msg_iov = &parcel->data;
	parcel->header.msg_iovlen = 1;
	parcel->header.msg_control = parcel->control;
	parcel->header.msg_controllen = sizeof(parcel->control);
	return &parcel->header;
}

static int receive(int from, struct picture *picture)
{
	struct parcel parcel;
	struct cmsghdr *control;
	int dmabuf;

	/* the renderer is gone if nothing comes */
	if (recvmsg(from, parcel_of(&parcel, picture), MSG_CMSG_CLOEXEC) <= 0)
		_exit(0);
	control = CMSG_FIRSTHDR(&parcel.header);
	check(control, "no descriptor came");
	memcpy(&dmabuf, CMSG_DATA(control), sizeof(dmabuf));
	return dmabuf;
}

static int pixels_wrong(const uint8_t *map, const struct picture *picture)
{
	int wrong = 0;

	for (uint32_t y = 0; y < HEIGHT; y++) {
		const uint32_t *row =
			(const uint32_t *)(map + y * picture->stride);
		uint32_t from = picture->flipped ? HEIGHT - 1 - y : y;

		for (uint32_t x = 0; x < WIDTH; x++)
			wrong += row[x] != pixel_of(picture->seed, x, from);
	}
	return wrong;
}

static void look(int from)
{
	struct picture picture;
	struct pollfd ready = { .events = POLLIN | POLLOUT };
	uint8_t *map;
	int wrong;

	ready.fd = receive(from, &picture);
	check(poll(&ready, 1, -1) == 1 && ready.revents == ready.events,
	      "poll() says %#x", ready.revents);
	map = mmap(NULL, picture.stride * HEIGHT, PROT_READ, MAP_SHARED,
		   ready.fd, 0);
	check(map != MAP_FAILED, "another process cannot map it: %s",
	      strerror(errno));
	sync_cpu(ready.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	wrong = pixels_wrong(map, &picture);
	sync_cpu(ready.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	check(!wrong, "poll() says it is ready, and %d pixels are others",
	      wrong);
}

void viewer_start(struct viewer *viewer)
{
	int ends[2];

	check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends),
	      "socketpair: %s", strerror(errno));
	viewer->socket = ends[0];
	viewer->process = fork();
	check(viewer->process >= 0, "fork: %s", strerror(errno));
	if (viewer->process)
		return;
	close(ends[0]);
	look(ends[1]);
	_exit(0);
}

void viewer_sees(const struct viewer *viewer, int dmabuf,
		 struct picture picture)
{
	struct parcel parcel;
	struct msghdr *message = parcel_of(&parcel, &picture);
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int status;

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(dmabuf));
	memcpy(CMSG_DATA(control), &dmabuf, sizeof(dmabuf));
	check(sendmsg(viewer->socket, message, 0) == sizeof(picture),
	      "sendmsg: %s", strerror(errno));
	check(waitpid(viewer->process, &status, 0) == viewer->process,
	      "waitpid: %s", strerror(errno));
	check(!status, "the other process does not see it");
}
