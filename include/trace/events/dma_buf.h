/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dma_buf

#if !defined(_TRACE_DMA_BUF_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DMA_BUF_H

#include <linux/dma-buf.h>
#include <linux/tracepoint.h>

/**
 * DOC: tracepoints
 *
 * A picture comes late, or not at all, and four drivers and three processes have
 * had the buffer. What happened to it, in the order in which it did, is below
 * ``events/dma_buf`` in tracefs. Every line begins with the buffer's inode number,
 * by which /proc, sysfs and bufinfo name it too; ``dev`` is a device, or ``cpu`` for
 * an importer that has none.
 *
 * ====================  =======================================================
 * dma_buf_export        a buffer came into being: its size and exporter
 * dma_buf_fd            user space is about to get a file descriptor
 * dma_buf_get           a driver took a reference through a file descriptor
 * dma_buf_put           a driver let go of one; the buffer may outlive that
 * dma_buf_attach        a device has joined
 * dma_buf_detach        a device is about to leave
 * dma_buf_map           a device has got addresses: ``nents`` entries, and
 *                       ``mapped`` tables are with it now
 * dma_buf_unmap         it is about to give them back, ``mapped`` still counts it
 * dma_buf_pin           the pins of an attachment are ``pins`` now
 * dma_buf_move          the storage is about to move: ``count`` importers were told
 * dma_buf_constrain     what suits all devices changes because of ``dev``. ``ret``
 *                       is 0 if the exporter agreed, else nothing changed. A
 *                       dma_buf_move before it tells that the storage had to move.
 * dma_buf_refuse        a table was kept from a device, which cannot use it:
 *                       ``demand`` is what is not met, as in the text of
 *                       constraints, or ``copy`` where the device would have
 *                       worked on a copy, or ``length`` of a table too short
 * dma_buf_revoke        the exporter took the storage away, ``count`` mappings are
 *                       still out
 * dma_buf_mmap          a process asks for a mapping
 * dma_buf_cpu_access    the CPU asks to ``begin`` its use, or ends it
 * ====================  =======================================================
 *
 * Except for the last two, which tell what was asked for, an event is of something
 * that has happened, or cannot fail any more. Storage objects of GEM drivers have
 * three events of their own, see Documentation/gpu/drm-prime.rst.
 */

TRACE_DEFINE_ENUM(DMA_BIDIRECTIONAL);
TRACE_DEFINE_ENUM(DMA_TO_DEVICE);
TRACE_DEFINE_ENUM(DMA_FROM_DEVICE);
TRACE_DEFINE_ENUM(DMA_NONE);

#define dma_buf_trace_dir(dir)                        \
	__print_symbolic(dir,                         \
			 {DMA_BIDIRECTIONAL, "both"}, \
			 {DMA_TO_DEVICE, "to"},       \
			 {DMA_FROM_DEVICE, "from"},   \
			 {DMA_NONE, "none"})

DECLARE_EVENT_CLASS(dma_buf,
	TP_PROTO(struct dma_buf *dmabuf),

	TP_ARGS(dmabuf),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(size_t, size)
		__string(exp_name, dmabuf->exp_name)
	),

	TP_fast_assign(
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->size = dmabuf->size;
		__assign_str(exp_name);
	),

	TP_printk("ino=%lu size=%zu exporter=%s",
		  __entry->ino, __entry->size, __get_str(exp_name))
);

/* A buffer came into being. */
DEFINE_EVENT(dma_buf, dma_buf_export,
	TP_PROTO(struct dma_buf *dmabuf), TP_ARGS(dmabuf));

/* A driver let go of its reference; the buffer may outlive that. */
DEFINE_EVENT(dma_buf, dma_buf_put,
	TP_PROTO(struct dma_buf *dmabuf), TP_ARGS(dmabuf));

DECLARE_EVENT_CLASS(dma_buf_fd,
	TP_PROTO(struct dma_buf *dmabuf, int fd),

	TP_ARGS(dmabuf, fd),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(int, fd)
	),

	TP_fast_assign(
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->fd = fd;
	),

	TP_printk("ino=%lu fd=%d", __entry->ino, __entry->fd)
);

/* User space is about to get a file descriptor. */
DEFINE_EVENT(dma_buf_fd, dma_buf_fd,
	TP_PROTO(struct dma_buf *dmabuf, int fd), TP_ARGS(dmabuf, fd));

/* A driver took a reference through a file descriptor. */
DEFINE_EVENT(dma_buf_fd, dma_buf_get,
	TP_PROTO(struct dma_buf *dmabuf, int fd), TP_ARGS(dmabuf, fd));

DECLARE_EVENT_CLASS(dma_buf_attachment,
	TP_PROTO(struct dma_buf_attachment *attach),

	TP_ARGS(attach),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__string(dev, attach->dev ? dev_name(attach->dev) : "cpu")
		__field(bool, dynamic)
		__field(bool, peer2peer)
	),

	TP_fast_assign(
		__entry->ino = file_inode(attach->dmabuf->file)->i_ino;
		__assign_str(dev);
		__entry->dynamic = dma_buf_attachment_is_dynamic(attach);
		__entry->peer2peer = attach->peer2peer;
	),

	TP_printk("ino=%lu dev=%s dynamic=%d peer2peer=%d", __entry->ino,
		  __get_str(dev), __entry->dynamic, __entry->peer2peer)
);

/* A device joined. */
DEFINE_EVENT(dma_buf_attachment, dma_buf_attach,
	TP_PROTO(struct dma_buf_attachment *attach), TP_ARGS(attach));

/* A device is about to leave. */
DEFINE_EVENT(dma_buf_attachment, dma_buf_detach,
	TP_PROTO(struct dma_buf_attachment *attach), TP_ARGS(attach));

DECLARE_EVENT_CLASS(dma_buf_mapping,
	TP_PROTO(struct dma_buf_attachment *attach, struct sg_table *sgt,
		 enum dma_data_direction dir),

	TP_ARGS(attach, sgt, dir),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__string(dev, dev_name(attach->dev))
		__field(int, dir)
		__field(unsigned int, nents)
		__field(unsigned int, mapped)
	),

	TP_fast_assign(
		__entry->ino = file_inode(attach->dmabuf->file)->i_ino;
		__assign_str(dev);
		__entry->dir = dir;
		__entry->nents = sgt->nents;
		__entry->mapped = attach->map_count;
	),

	TP_printk("ino=%lu dev=%s dir=%s nents=%u mapped=%u", __entry->ino,
		  __get_str(dev), dma_buf_trace_dir(__entry->dir),
		  __entry->nents, __entry->mapped)
);

/* A device got addresses. */
DEFINE_EVENT(dma_buf_mapping, dma_buf_map,
	TP_PROTO(struct dma_buf_attachment *attach, struct sg_table *sgt,
		 enum dma_data_direction dir),
	TP_ARGS(attach, sgt, dir));

/* A device is about to give them back. */
DEFINE_EVENT(dma_buf_mapping, dma_buf_unmap,
	TP_PROTO(struct dma_buf_attachment *attach, struct sg_table *sgt,
		 enum dma_data_direction dir),
	TP_ARGS(attach, sgt, dir));

/* The number of pins of an attachment has changed. */
TRACE_EVENT(dma_buf_pin,
	TP_PROTO(struct dma_buf_attachment *attach, unsigned int pins),

	TP_ARGS(attach, pins),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__string(dev, attach->dev ? dev_name(attach->dev) : "cpu")
		__field(unsigned int, pins)
	),

	TP_fast_assign(
		__entry->ino = file_inode(attach->dmabuf->file)->i_ino;
		__assign_str(dev);
		__entry->pins = pins;
	),

	TP_printk("ino=%lu dev=%s pins=%u", __entry->ino, __get_str(dev),
		  __entry->pins)
);

/*
 * What suits all devices changes, because of this one; 0 if the exporter agreed.
 * A dma_buf_move before it tells that the storage had to move.
 */
TRACE_EVENT(dma_buf_constrain,
	TP_PROTO(struct dma_buf *dmabuf, struct device *dev,
		 const struct dma_buf_constraints *need, int ret),

	TP_ARGS(dmabuf, dev, need, ret),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__string(dev, dev_name(dev))
		__field(u64, mask)
		__field(u64, boundary)
		__field(u64, segment_size)
		__field(u64, align)
		__field(unsigned int, segments)
		__field(unsigned int, domains)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__assign_str(dev);
		__entry->mask = need->dma_mask;
		__entry->boundary = need->segment_boundary_mask;
		__entry->segment_size = need->max_segment_size;
		__entry->align = need->alignment;
		__entry->segments = need->max_segments;
		__entry->domains = need->domains;
		__entry->ret = ret;
	),

	TP_printk("ino=%lu dev=%s mask=%#llx boundary=%#llx segment-size=%llu align=%llu segments=%u domains=%#x ret=%d",
		  __entry->ino, __get_str(dev), __entry->mask,
		  __entry->boundary, __entry->segment_size, __entry->align,
		  __entry->segments, __entry->domains, __entry->ret)
);

/* The exporter has mapped what the device cannot use; it is not given out. */
TRACE_EVENT(dma_buf_refuse,
	TP_PROTO(struct dma_buf_attachment *attach,
		 const struct dma_buf_violation *violation),

	TP_ARGS(attach, violation),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__string(dev, dev_name(attach->dev))
		__string(demand, dma_buf_demand_name(violation->demand))
		__field(unsigned int, entry)
		__field(u64, address)
		__field(u64, length)
	),

	TP_fast_assign(
		__entry->ino = file_inode(attach->dmabuf->file)->i_ino;
		__assign_str(dev);
		__assign_str(demand);
		__entry->entry = violation->entry;
		__entry->address = violation->address;
		__entry->length = violation->length;
	),

	TP_printk("ino=%lu dev=%s demand=%s entry=%u address=%#llx length=%llu",
		  __entry->ino, __get_str(dev), __get_str(demand),
		  __entry->entry, __entry->address, __entry->length)
);

/* A process asks for a mapping; whether it gets one is not known yet. */
TRACE_EVENT(dma_buf_mmap,
	TP_PROTO(struct dma_buf *dmabuf, unsigned long pgoff,
		 unsigned long pages),

	TP_ARGS(dmabuf, pgoff, pages),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(unsigned long, pgoff)
		__field(unsigned long, pages)
	),

	TP_fast_assign(
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->pgoff = pgoff;
		__entry->pages = pages;
	),

	TP_printk("ino=%lu pgoff=%lu pages=%lu", __entry->ino, __entry->pgoff,
		  __entry->pages)
);

/* The CPU asks to begin its use of the storage, or ends it. */
TRACE_EVENT(dma_buf_cpu_access,
	TP_PROTO(struct dma_buf *dmabuf, enum dma_data_direction dir,
		 bool begin),

	TP_ARGS(dmabuf, dir, begin),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(int, dir)
		__field(bool, begin)
	),

	TP_fast_assign(
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->dir = dir;
		__entry->begin = begin;
	),

	TP_printk("ino=%lu %s dir=%s", __entry->ino,
		  __entry->begin ? "begin" : "end",
		  dma_buf_trace_dir(__entry->dir))
);

DECLARE_EVENT_CLASS(dma_buf_count,
	TP_PROTO(struct dma_buf *dmabuf, unsigned int count),

	TP_ARGS(dmabuf, count),

	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(unsigned int, count)
	),

	TP_fast_assign(
		__entry->ino = file_inode(dmabuf->file)->i_ino;
		__entry->count = count;
	),

	TP_printk("ino=%lu count=%u", __entry->ino, __entry->count)
);

/* The exporter is about to move the storage; so many importers were told. */
DEFINE_EVENT(dma_buf_count, dma_buf_move,
	TP_PROTO(struct dma_buf *dmabuf, unsigned int count),
	TP_ARGS(dmabuf, count));

/* The exporter took the storage away; so many mappings are still out. */
DEFINE_EVENT(dma_buf_count, dma_buf_revoke,
	TP_PROTO(struct dma_buf *dmabuf, unsigned int count),
	TP_ARGS(dmabuf, count));

#endif /* _TRACE_DMA_BUF_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
