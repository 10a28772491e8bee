/* SPDX-License-Identifier: MIT */
/* Fences that user space signals: debugfs sync/sw_sync, and sync_file queries. */
#ifndef SW_SYNC_H
#define SW_SYNC_H

#include <stdint.h>

#define SW_SYNC_FENCE_STATUS_ERROR    (-1)
#define SW_SYNC_FENCE_STATUS_ACTIVE   0
#define SW_SYNC_FENCE_STATUS_SIGNALED 1

void igt_require_sw_sync(void);
int sw_sync_timeline_create(void);
void sw_sync_timeline_inc(int timeline, uint32_t count);
int sw_sync_timeline_create_fence(int timeline, uint32_t seqno);

int sync_fence_merge(int fence1, int fence2);
int sync_fence_wait(int fence, int timeout);
int sync_fence_status(int fence);
int sync_fence_count(int fence);

#endif
