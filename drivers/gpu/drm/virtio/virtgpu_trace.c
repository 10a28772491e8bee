// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu tracepoints
 *
 * Two events tell of every command: virtio_gpu_cmd_queue when the host gets it,
 * virtio_gpu_cmd_response when its answer is taken. The seqno of both is the
 * command's number in its queue, so the time between them is the host's. A
 * command that waits for room is traced when it has got it.
 *
 * Lifetime and locking: both are traced under the lock of the queue, which
 * keeps the virtqueue there.
 */

#include "virtgpu_drv.h"

#define CREATE_TRACE_POINTS
#include "virtgpu_trace.h"
