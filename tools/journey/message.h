/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_MESSAGE_H
#define JOURNEY_MESSAGE_H

#include <linux/types.h>

#include "report.h"

/*
 * What the two processes say to each other, in this order:
 *
 *   compositor                          client
 *   MSG_MODE: size of the screen    ->
 *                                   <-  MSG_FRAME 1, with the dma-buf's fd
 *   MSG_SHOWN 1                     ->
 *                                   <-  MSG_STARTED 2: a fence is on the buffer
 *   MSG_QUEUED 2: seen busy, commit
 *   waits for the fence             ->
 *                                   <-  MSG_FRAME 2: the fence is signalled
 *   MSG_SHOWN 2                     ->
 *
 * Between a MSG_FRAME and its MSG_SHOWN the compositor may ask for stamps, any
 * number of times: MSG_STAMP, MSG_STAMPED, MSG_RESTORE, MSG_RESTORED.
 *
 * Each step waits for the one before, so there is nothing to sleep for.
 */
enum message_type {
	MSG_MODE = 1,
	MSG_FRAME,
	MSG_SHOWN,
	MSG_STARTED,
	MSG_QUEUED,
	MSG_STAMP,
	MSG_STAMPED,
	MSG_RESTORE,
	MSG_RESTORED,
};

struct message {
	__u32 type;
	__u32 frame;
	__u32 width;
	__u32 height;
	__u32 pitch;
	/* which stamps, see stamp.c */
	__u32 series;
	/* hash of the picture as the client meant it */
	__u64 intended;
	__s64 pid;
	struct hop hop;
};

void message_send(int sock, const struct message *msg, int fd);
int message_recv_any(int sock, struct message *msg);
void message_recv(int sock, enum message_type type, struct message *msg,
		  int *fd);

#endif
