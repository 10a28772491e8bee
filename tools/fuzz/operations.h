/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a step can do.  Each operation says at its definition what a, b, c and
 * value mean to it.
 */
#ifndef FUZZ_OPERATIONS_H
#define FUZZ_OPERATIONS_H

#include "program.h"

/* op_drm.c */
long op_open_node(const struct step *step);
long op_dumb_create(const struct step *step);
long op_dumb_map(const struct step *step);
long op_dumb_destroy(const struct step *step);
long op_gem_close(const struct step *step);
long op_gem_flink(const struct step *step);
long op_gem_open(const struct step *step);
long op_prime_export(const struct step *step);
long op_prime_import(const struct step *step);
long op_fence_attach(const struct step *step);
long op_fence_signal(const struct step *step);
long op_drm_ioctl(const struct step *step);

/* op_kms.c */
long op_kms_add_fb(const struct step *step);
long op_kms_remove_fb(const struct step *step);
long op_kms_get_fb(const struct step *step);
long op_kms_show(const struct step *step);
void kms_init(void);

/* op_dmabuf.c */
long op_dmabuf_sync(const struct step *step);
long op_dmabuf_name(const struct step *step);
long op_dmabuf_export_sync(const struct step *step);
long op_dmabuf_import_sync(const struct step *step);
long op_dmabuf_ioctl(const struct step *step);
long op_bufinfo(const struct step *step);

/* op_sync.c */
long op_timeline_open(const struct step *step);
long op_timeline_fence(const struct step *step);
long op_timeline_inc(const struct step *step);
long op_sync_merge(const struct step *step);
long op_sync_info(const struct step *step);
long op_sync_deadline(const struct step *step);
void timeline_make(bool with_fence);
void timeline_end(int timeline);

/* op_file.c */
long op_close(const struct step *step);
long op_dup(const struct step *step);
long op_send(const struct step *step);
long op_read(const struct step *step);
long op_write(const struct step *step);
long op_seek(const struct step *step);
long op_stat(const struct step *step);
long op_fcntl(const struct step *step);
long op_resize(const struct step *step);
long op_reopen(const struct step *step);
long op_fdinfo(const struct step *step);
long op_link_name(const struct step *step);
long op_fd_limit(const struct step *step);

/* op_poll.c */
long op_poll(const struct step *step);
long op_epoll_add(const struct step *step);
long op_epoll_change(const struct step *step);
long op_epoll_wait(const struct step *step);

/* op_memory.c */
long op_mmap(const struct step *step);
long op_munmap(const struct step *step);
long op_mremap(const struct step *step);
long op_mprotect(const struct step *step);
long op_touch(const struct step *step);
long op_madvise(const struct step *step);
long op_msync(const struct step *step);
long op_mlock(const struct step *step);
long op_fork(const struct step *step);
long op_splice(const struct step *step);
void pipe_make(void);

/* op_exporters.c */
int memfd_make(void);
long op_memfd(const struct step *step);
long op_udmabuf(const struct step *step);
long op_udmabuf_list(const struct step *step);
long op_heap(const struct step *step);
long op_video_open(const struct step *step);
long op_video_buffers(const struct step *step);
long op_video_queue(const struct step *step);
long op_video_dequeue(const struct step *step);
long op_video_export(const struct step *step);
long op_video_stream(const struct step *step);

/* op_virtgpu.c */
long op_virtgpu_open(const struct step *step);
long op_virtgpu_create(const struct step *step);
long op_virtgpu_blob(const struct step *step);
long op_virtgpu_object(const struct step *step);
long op_virtgpu_transfer(const struct step *step);
long op_virtgpu_execute(const struct step *step);
long op_virtgpu_ask(const struct step *step);
long op_virtgpu_context(const struct step *step);

/* op_device.c */
long op_device_make(const struct step *step);
long op_device_set(const struct step *step);
long op_device_show(const struct step *step);
long op_device_remove(const struct step *step);
long op_device_open(const struct step *step);
long op_debugfs(const struct step *step);
void device_reset(void);

#endif
