/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_gem_storage

#if !defined(_DRM_GEM_STORAGE_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_GEM_STORAGE_TRACE_H_

#include <linux/device.h>
#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_storage.h>
#include <drm/drm_vma_manager.h>

/*
 * Which storage an object has, and why.  Objects are told apart by their address,
 * and have the offset that processes map them at, 0 as long as nobody has asked for
 * it.  What is done on behalf of a device that attaches comes before the
 * dma_buf_constrain of the dma-buf, and, unless the answer is at once that the storage
 * has to stay, after its dma_buf_move.
 */

TRACE_DEFINE_ENUM(DRM_GEM_STORAGE_NONE);
TRACE_DEFINE_ENUM(DRM_GEM_STORAGE_SHMEM);
TRACE_DEFINE_ENUM(DRM_GEM_STORAGE_MASKED);
TRACE_DEFINE_ENUM(DRM_GEM_STORAGE_CONTIGUOUS);

#define drm_gem_storage_trace_kind(kind)                       \
	__print_symbolic(kind,                                 \
			 {DRM_GEM_STORAGE_NONE, "none"},       \
			 {DRM_GEM_STORAGE_SHMEM, "shmem"},     \
			 {DRM_GEM_STORAGE_MASKED, "masked"},   \
			 {DRM_GEM_STORAGE_CONTIGUOUS, "contiguous"})

/* no kind, if none would do: ret tells */
DECLARE_EVENT_CLASS(drm_gem_storage,
	TP_PROTO(const struct drm_gem_storage *storage, int from, int to,
		 int ret),

	TP_ARGS(storage, from, to, ret),

	TP_STRUCT__entry(
		__string(dev, dev_name(storage->base.dev->dev))
		__field(const void *, object)
		__field(u64, offset)
		__field(size_t, size)
		__field(int, from)
		__field(int, to)
		__field(int, ret)
	),

	TP_fast_assign(
		__assign_str(dev);
		__entry->object = storage;
		__entry->offset =
			(u64)drm_vma_node_start(&storage->base.vma_node)
			<< PAGE_SHIFT;
		__entry->size = storage->base.size;
		__entry->from = from;
		__entry->to = to;
		__entry->ret = ret;
	),

	TP_printk("dev=%s object=%p offset=%#llx size=%zu from=%s to=%s ret=%d",
		  __get_str(dev), __entry->object, __entry->offset,
		  __entry->size,
		  drm_gem_storage_trace_kind(__entry->from),
		  drm_gem_storage_trace_kind(__entry->to), __entry->ret)
);

/* The first use has chosen a kind, 0 if there were pages of it. */
DEFINE_EVENT(drm_gem_storage, drm_gem_storage_choose,
	TP_PROTO(const struct drm_gem_storage *storage, int from, int to,
		 int ret),
	TP_ARGS(storage, from, to, ret));

/* The content had to move for what devices need, 0 if it did. */
DEFINE_EVENT(drm_gem_storage, drm_gem_storage_move,
	TP_PROTO(const struct drm_gem_storage *storage, int from, int to,
		 int ret),
	TP_ARGS(storage, from, to, ret));

/* The driver wants back what is better than needed, 0 if the content moved. */
DEFINE_EVENT(drm_gem_storage, drm_gem_storage_relax,
	TP_PROTO(const struct drm_gem_storage *storage, int from, int to,
		 int ret),
	TP_ARGS(storage, from, to, ret));

#endif /* _DRM_GEM_STORAGE_TRACE_H_ */

/* This part must be outside protection */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_gem_storage_trace
#include <trace/define_trace.h>
