/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The drivers that the guides in Documentation/driver-api quote, as their test
 * sees them. Each is whole: leave out what a file does, and a case fails.
 */
#ifndef DMA_BUF_GUIDE_H
#define DMA_BUF_GUIDE_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/workqueue.h>

struct device;
struct dma_fence;
struct page;

/* [buffer] */
/**
 * struct guide_buffer - what both exporters know of a buffer
 * @pages: the storage; an exporter that moves it does so under &dma_buf.resv
 * @count: number of @pages, 0 when they were taken away
 * @mappings: tables that importers have, guarded by &dma_buf.resv
 * @pins: who needs the storage where it is, guarded by &dma_buf.resv
 * @longest: bytes of an entry that suits all devices, guarded by &dma_buf.resv
 */
struct guide_buffer {
	struct page **pages;
	unsigned int count;
	struct list_head mappings;
	unsigned int pins;
	unsigned int longest;
};

/* [end] */

/* The exporter whose storage stays where it is: dma_buf_guide_exporter.c */
extern const struct dma_buf_ops guide_exporter_ops;
struct dma_buf *guide_export(const struct dma_buf_ops *ops, size_t size);

/* ... and what the other one shares with it. */
struct page **guide_pages_alloc(unsigned int count);
void guide_pages_free(struct page **pages, unsigned int count);
struct sg_table *guide_map_dma_buf(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir);
void guide_unmap_dma_buf(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir);
int guide_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int guide_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int guide_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
int guide_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void guide_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
void guide_release(struct dma_buf *dmabuf);

/* The exporter that moves storage, or takes it away: dma_buf_guide_mover.c */
extern const struct dma_buf_ops guide_mover_ops;
int guide_move(struct dma_buf *dmabuf);
int guide_revoke(struct dma_buf *dmabuf, long timeout);

/* ... and what the third one shares with it. */
int guide_pin(struct dma_buf_attachment *attach);
void guide_unpin(struct dma_buf_attachment *attach);
int guide_mover_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void guide_mover_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);

/* The exporter that chooses its storage for all devices: dma_buf_guide_chooser.c */
extern const struct dma_buf_ops guide_chooser_ops;

/**
 * struct guide_importer - a buffer at a device that cannot follow a move
 * @dmabuf: the buffer, with a reference
 * @attach: the device at it
 * @sgt: its addresses
 * @address: stands for a register of the device: where the buffer starts
 * @bytes: stands for another: how much of it the device was told about
 */
struct guide_importer {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	dma_addr_t address;
	size_t bytes;
};

int guide_import(struct guide_importer *imp, int fd, struct device *dev);
int guide_start(struct guide_importer *imp, struct dma_fence *done);
void guide_import_release(struct guide_importer *imp);

/* [dynamic] */
/**
 * struct guide_dynamic - a buffer at a device that follows moves
 * @dmabuf: the buffer, with a reference
 * @attach: the device at it
 * @sgt: its addresses, NULL between mappings, guarded by &dma_buf.resv
 * @moved: @sgt is of yesterday, guarded by &dma_buf.resv
 * @job: what the device did last, guarded by &dma_buf.resv
 * @let_go: gives @sgt back if no new job does
 * @address: stands for a register of the device: where the buffer starts
 */
struct guide_dynamic {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	bool moved;
	struct dma_fence *job;
	struct work_struct let_go;
	dma_addr_t address;
};

/* [end] */

int guide_dynamic_import(struct guide_dynamic *imp, int fd, struct device *dev);
int guide_dynamic_start(struct guide_dynamic *imp, struct dma_fence *done);
void guide_dynamic_release(struct guide_dynamic *imp);

/**
 * struct guide_reader - a buffer at a driver that has no device
 * @dmabuf: the buffer, with a reference
 * @attach: what shows in debugfs that we are here
 * @map: where the kernel sees it
 */
struct guide_reader {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct iosys_map map;
};

int guide_reader_import(struct guide_reader *imp, int fd);
int guide_reader_read(struct guide_reader *imp, size_t offset, void *to,
		      size_t bytes);
void guide_reader_release(struct guide_reader *imp);

#endif
