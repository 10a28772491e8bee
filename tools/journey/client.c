// SPDX-License-Identifier: MIT
/*
 * The client: draws both frames into one dumb buffer of the first vgem device
 * and hands its dma-buf to the compositor.
 */
#include <linux/dma-buf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "buffer.h"
#include "device.h"
#include "journey.h"
#include "message.h"
#include "picture.h"
#include "stamp.h"
#include "util.h"
#include "vgem_uapi.h"

struct client {
	int sock;
	struct device dev;
	struct dumb dumb;
	struct picture picture;
	int fd;
	__u64 inode;
	/* what stamps have overwritten */
	__u64 *saved;
};

/* The frame drawn into memory of our own, which no device has to do with. */
static __u64 intended_hash(const struct picture *screen, __u32 frame)
{
	struct picture picture = *screen;
	__u64 hash;

	picture.pitch = picture.width * sizeof(__u32);
	picture.pixels = xalloc(picture.height, picture.pitch);
	picture_draw(&picture, &picture_journey, frame, 0, picture.height);
	hash = picture_hash(&picture);
	free(picture.pixels);
	return hash;
}

/*
 * Bytes that our two views of the buffer, GEM's and the dma-buf's, differ in. Puts
 * stamps to find out, so nobody may be looking at it.
 */
static __u64 bytes_copied(const struct client *client)
{
	size_t size = client->dumb.size;
	void *map = buffer_map(client->dev.name, client->fd, size);
	__u64 bytes;

	buffer_wait_idle(client->dev.name, client->fd);
	/* Touch every page first: series 0 is never put. */
	stamp_bytes_missing(map, size, 0);
	stamp_put(client->dumb.map, size, 1, client->saved);
	bytes = stamp_bytes_missing(map, size, 1);
	stamp_undo(client->dumb.map, size, client->saved);
	munmap(map, size);
	return bytes;
}

/*
 * Puts stamps and takes them away until the compositor has shown the frame. Not
 * while a display reads it: poll() waits for that, and copies nothing.
 */
static void serve_stamps(const struct client *client, struct message *msg)
{
	const size_t size = client->dumb.size;
	const char *name = client->dev.name;
	bool stamped = false;

	while (message_recv_any(client->sock, msg),
	       msg->type != MSG_SHOWN || stamped) {
		buffer_wait_idle(name, client->fd);
		if (msg->type == MSG_STAMP && !stamped)
			stamp_put(client->dumb.map, size, msg->series,
				  client->saved);
		else if (msg->type == MSG_RESTORE && stamped)
			stamp_undo(client->dumb.map, size, client->saved);
		else
			die("socket: message %u came where stamps were due",
			    msg->type);
		stamped = !stamped;
		msg->type = stamped ? MSG_STAMPED : MSG_RESTORED;
		message_send(client->sock, msg, -1);
	}
}

/* All that we know of @frame once it is drawn. @copied: what bytes_copied() said */
static void describe_frame(const struct client *client, __u32 frame,
			   __u64 importers, __u64 copied, struct message *msg)
{
	const char *name = client->dev.name;

	*msg = (struct message){
		.type = MSG_FRAME,
		.frame = frame,
		.width = client->picture.width,
		.height = client->picture.height,
		.pitch = client->picture.pitch,
		.pid = getpid(),
		.hop = {
			.frame = frame,
			.process = "client",
			.does = "draws",
			.handle = client->dumb.handle,
			.fd = client->fd,
			.inode = client->inode,
			.size = buffer_size(name, client->fd),
			.attached = buffer_attachments(name, client->inode),
			.importers = importers,
			.sg_entries = NONE,
			.copied = copied,
			.hash = picture_hash(&client->picture),
		},
	};

	snprintf(msg->hop.device, sizeof(msg->hop.device), "%s", name);
}

static void send_frame(const struct client *client, struct message *msg)
{
	msg->intended = intended_hash(&client->picture, msg->frame);
	message_send(client->sock, msg, msg->frame == 1 ? client->fd : -1);
}

/* Makes a buffer of the size that the compositor asks for. */
static void open_buffer(struct client *client)
{
	struct message msg;

	message_recv(client->sock, MSG_MODE, &msg, NULL);
	device_open("vgem", 0, &client->dev);
	dumb_create(&client->dev, msg.width, msg.height, &client->dumb);
	client->picture.pixels = client->dumb.map;
	client->picture.pitch = client->dumb.pitch;
	client->picture.width = msg.width;
	client->picture.height = msg.height;
	client->fd = prime_export(&client->dev, client->dumb.handle);
	client->inode = buffer_inode(client->dev.name, client->fd);
	client->saved =
		xalloc(stamp_count(client->dumb.size), sizeof(*client->saved));
}

static void draw_first(const struct client *client)
{
	const struct picture *picture = &client->picture;

	buffer_sync(client->dev.name, client->fd,
		    DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	picture_draw(picture, &picture_journey, 1, 0, picture->height);
	buffer_sync(client->dev.name, client->fd,
		    DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

/*
 * Draws the second frame under a fence. One half of it before the compositor
 * has queued it and one after: a compositor that does not wait shows a picture
 * that is neither frame.
 *
 * The fence goes on after the start of CPU access, because that start waits
 * for every fence on the buffer and would wait for this one. vgem lets it expire
 * after 10 s, so only what has to happen under it does.
 */
static void draw_second(const struct client *client, __u64 importers,
			struct message *frame)
{
	const struct picture *picture = &client->picture;
	const char *name = client->dev.name;
	struct message msg = { .type = MSG_STARTED, .frame = 2 };
	struct vgem_attach attach = {
		.handle = client->dumb.handle,
		.flags = VGEM_WRITE,
	};
	struct vgem_signal signal = { .fence = 0 };
	__u64 copied = bytes_copied(client);

	buffer_sync(name, client->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	device_ioctl(&client->dev, "VGEM_FENCE_ATTACH", VGEM_IOCTL_ATTACH,
		     &attach);
	picture_draw(picture, &picture_journey, 2, 0, picture->height / 2);
	message_send(client->sock, &msg, -1);
	message_recv(client->sock, MSG_QUEUED, &msg, NULL);
	picture_draw(picture, &picture_journey, 2, picture->height / 2,
		     picture->height);
	buffer_sync(name, client->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);

	signal.fence = attach.fence;
	device_ioctl(&client->dev, "VGEM_FENCE_SIGNAL", VGEM_IOCTL_SIGNAL,
		     &signal);
	describe_frame(client, 2, importers, copied, frame);
}

int client_main(int sock)
{
	struct client client = { .sock = sock };
	struct message frame, msg;
	__u64 copied;

	open_buffer(&client);
	copied = bytes_copied(&client);
	draw_first(&client);
	describe_frame(&client, 1, 0, copied, &frame);
	send_frame(&client, &frame);
	serve_stamps(&client, &msg);

	draw_second(&client, msg.hop.importers, &frame);
	send_frame(&client, &frame);
	serve_stamps(&client, &msg);
	return 0;
}
