/* SPDX-License-Identifier: MIT */
#ifndef JOURNEY_BUFFER_H
#define JOURNEY_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

__u64 buffer_inode(const char *where, int fd);
size_t buffer_size(const char *where, int fd);
__u32 buffer_attachments(const char *where, __u64 inode);
__s64 buffer_sg_entries(const char *where, __u64 inode, const char *importer);
void *buffer_map(const char *where, int fd, size_t size);
void buffer_sync(const char *where, int fd, __u64 flags);
bool buffer_ready(const char *where, int fd, int timeout_ms);
void buffer_wait_idle(const char *where, int fd);
int buffer_export_fence(const char *where, int fd);
bool fence_done(const char *where, int fd, int timeout_ms);

#endif
