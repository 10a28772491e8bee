/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GEM objects whose memory suits the devices that use it.
 *
 * See the DOC section of drivers/gpu/drm/drm_gem_storage.c.
 */
#ifndef __DRM_GEM_STORAGE_H__
#define __DRM_GEM_STORAGE_H__

#include <linux/container_of.h>
#include <linux/dma-buf-constraints.h>
#include <linux/types.h>

#include <drm/drm_gem.h>

struct dma_buf;
struct dma_buf_attachment;
struct drm_device;
struct drm_file;
struct drm_gem_storage_backing;
struct drm_mode_create_dumb;
struct iosys_map;
struct sg_table;

/**
 * enum drm_gem_storage_kind - where the content of an object is
 * @DRM_GEM_STORAGE_NONE: nowhere, nobody has used it yet
 * @DRM_GEM_STORAGE_SHMEM: in pages of a shmem file, swapped out when not in use
 * @DRM_GEM_STORAGE_MASKED: in pages below a device's highest address
 * @DRM_GEM_STORAGE_CONTIGUOUS: in one piece
 * @DRM_GEM_STORAGE_KINDS: how many there are
 *
 * The easier to get, the earlier in the list.
 */
enum drm_gem_storage_kind {
	DRM_GEM_STORAGE_NONE,
	DRM_GEM_STORAGE_SHMEM,
	DRM_GEM_STORAGE_MASKED,
	DRM_GEM_STORAGE_CONTIGUOUS,
	DRM_GEM_STORAGE_KINDS,
};

/**
 * struct drm_gem_storage - a GEM object with storage that can move
 *
 * What is not said to be set up by the driver is guarded by the reservation
 * lock of @base, and changes by the functions of this header only.
 */
struct drm_gem_storage {
	/** @base: the GEM object */
	struct drm_gem_object base;

	/**
	 * @map_wc: the CPU's mappings are write-combined. Set by
	 * &drm_driver.gem_create_object, never changed afterwards.
	 */
	bool map_wc;

	/** @asked: @needs and @constraints are known */
	bool asked;

	/** @kind: where the content is; never back to NONE */
	enum drm_gem_storage_kind kind;

	/**
	 * @backing: the pages. NULL if there are none, or if they belong to the
	 * shmem file alone because nobody has used them for a while.
	 */
	struct drm_gem_storage_backing *backing;

	/**
	 * @needs: what the object's own device can use, which nobody attaches.
	 * Physical addresses, set when something depends on them.
	 */
	struct dma_buf_constraints needs;

	/**
	 * @constraints: what the pages meet, or will; physical addresses. At
	 * least as strict as @needs.
	 */
	struct dma_buf_constraints constraints;

	/** @pin_count: users that need the pages to stay where they are */
	unsigned int pin_count;

	/** @vmap_count: users of @vaddr, who need the same */
	unsigned int vmap_count;

	/**
	 * @vma_count: mappings into processes, which follow a move. Atomic, for
	 * who makes or ends one has the mmap lock, and must not wait for the
	 * reservation lock: a thread of the same process may let a fence signal
	 * that the holder waits for.
	 */
	atomic_t vma_count;

	/**
	 * @failed_faults: how often in a row a fault found no memory; guarded
	 * by the reservation lock
	 */
	unsigned int failed_faults;

	/** @vaddr: the kernel's mapping, valid while @vmap_count */
	void *vaddr;

	/**
	 * @sgt: of an imported object, what the exporter gave; NULL if the
	 * exporter takes part, see drm_gem_storage_prime_import()
	 */
	struct sg_table *sgt;

	/** @kept_tables: those that no importer has; drm_gem_storage_table.c */
	struct hlist_head kept_tables;

	/** @generation: how often what a table says has changed */
	unsigned int generation;

	/** @moves: how often the content has moved */
	u64 moves;

	/** @moved_bytes: how much was copied for that */
	u64 moved_bytes;
};

#define to_drm_gem_storage(obj) container_of(obj, struct drm_gem_storage, base)

/* Nothing uses the storage any more, no need to wait for fences. */
#define DRM_GEM_STORAGE_IDLE BIT(0)
/* Not now: say -EAGAIN where it takes a move. */
#define DRM_GEM_STORAGE_STAY BIT(1)

/* Objects: drm_gem_storage.c */
struct drm_gem_storage *drm_gem_storage_create(struct drm_device *drm,
					       size_t size);
void drm_gem_storage_free(struct drm_gem_object *obj);
int drm_gem_storage_pin(struct drm_gem_object *obj);
void drm_gem_storage_unpin(struct drm_gem_object *obj);
void drm_gem_storage_print_info(struct drm_printer *p, unsigned int indent,
				const struct drm_gem_object *obj);
int drm_gem_storage_dumb_create(struct drm_file *file, struct drm_device *drm,
				struct drm_mode_create_dumb *args);

/* Which memory suits: drm_gem_storage_kind.c */
int drm_gem_storage_choose(const struct dma_buf_constraints *c, u64 size,
			   u64 last_address);
const char *drm_gem_storage_kind_name(enum drm_gem_storage_kind kind);

/* Pages: drm_gem_storage_pages.c */
long drm_gem_storage_pages(enum drm_gem_storage_kind kind);

/* Moves: drm_gem_storage_move.c */
int drm_gem_storage_constrain(struct drm_gem_object *obj,
			      const struct dma_buf_constraints *c,
			      unsigned int flags);
int drm_gem_storage_relax(struct drm_gem_object *obj, unsigned int flags);

/* The CPU: drm_gem_storage_cpu.c */
int drm_gem_storage_vmap(struct drm_gem_object *obj, struct iosys_map *map);
void drm_gem_storage_vunmap(struct drm_gem_object *obj, struct iosys_map *map);
int drm_gem_storage_mmap(struct drm_gem_object *obj,
			 struct vm_area_struct *vma);
extern const struct vm_operations_struct drm_gem_storage_vm_ops;

/* Tables for them: drm_gem_storage_table.c */
struct sg_table *drm_gem_storage_get_sg_table(struct drm_gem_object *obj);
struct sg_table *drm_gem_storage_map_dma_buf(struct dma_buf_attachment *attach,
					     enum dma_data_direction dir);
void drm_gem_storage_unmap_dma_buf(struct dma_buf_attachment *attach,
				   struct sg_table *sgt,
				   enum dma_data_direction dir);
void drm_gem_storage_dmabuf_detach(struct dma_buf *dmabuf,
				   struct dma_buf_attachment *attach);

/* Other devices: drm_gem_storage_prime.c */
int drm_gem_storage_dmabuf_pin(struct dma_buf_attachment *attach);
void drm_gem_storage_dmabuf_unpin(struct dma_buf_attachment *attach);
int drm_gem_storage_dmabuf_constrain(struct dma_buf *dmabuf,
				     const struct dma_buf_constraints *c,
				     bool move);
const char *drm_gem_storage_dmabuf_kind(struct dma_buf *dmabuf);
struct dma_buf *drm_gem_storage_prime_export_ops(struct drm_gem_object *obj,
						 int flags,
						 const struct dma_buf_ops *ops);
struct dma_buf *drm_gem_storage_prime_export(struct drm_gem_object *obj,
					     int flags);
struct drm_gem_object *drm_gem_storage_prime_import(struct drm_device *drm,
						    struct dma_buf *dmabuf);
struct drm_gem_object *
drm_gem_storage_prime_import_sg_table(struct drm_device *drm,
				      struct dma_buf_attachment *attach,
				      struct sg_table *sgt);

/**
 * DRM_GEM_STORAGE_DRIVER_OPS - what &struct drm_driver needs for these objects
 */
#define DRM_GEM_STORAGE_DRIVER_OPS                                          \
	.gem_prime_import = drm_gem_storage_prime_import,                   \
	.gem_prime_import_sg_table = drm_gem_storage_prime_import_sg_table, \
	.dumb_create = drm_gem_storage_dumb_create

#endif /* __DRM_GEM_STORAGE_H__ */
