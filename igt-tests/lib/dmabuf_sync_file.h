/* SPDX-License-Identifier: MIT */
/* The fences of a dma-buf, as poll() and as sync_file. */
#ifndef DMABUF_SYNC_FILE_H
#define DMABUF_SYNC_FILE_H

#include <linux/dma-buf.h>
#include <stdbool.h>
#include <stdint.h>

bool has_dmabuf_export_sync_file(int fd);
bool has_dmabuf_import_sync_file(int fd);
int dmabuf_export_sync_file(int dmabuf, uint32_t flags);
void dmabuf_import_sync_file(int dmabuf, uint32_t flags, int sync_fd);
bool dmabuf_busy(int dmabuf, uint32_t flags);
bool sync_file_busy(int sync_file);
bool dmabuf_sync_file_busy(int dmabuf, uint32_t flags);

#endif
