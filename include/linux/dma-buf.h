/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers shared between devices, drivers and processes.
 *
 * An exporter wraps its storage in a struct dma_buf, user space carries it
 * around as a file descriptor, and importers attach devices to it.  See
 * drivers/dma-buf/dma-buf.c for the object and drivers/dma-buf/dma-buf-attach.c
 * for devices.
 */
#ifndef __DMA_BUF_H__
#define __DMA_BUF_H__

#include <linux/dma-buf-constraints.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct dma_resv;

/**
 * struct dma_buf_ops - what an exporter does for its buffers
 *
 * Each callback says whether the core holds &dma_buf.resv around it.  "Locked"
 * callbacks must not take that lock, "unlocked" ones may.  All of them may
 * sleep.
 */
struct dma_buf_ops {
	/**
	 * @cache_sgt_mapping: Keep the first mapping of each attachment until
	 * that attachment is detached, and answer later requests from it.  For
	 * exporters whose storage never moves: excludes @pin and @unpin.
	 */
	bool cache_sgt_mapping;

	/**
	 * @map_pins: What @map_dma_buf returns for an importer that cannot follow a
	 * move, see dma_buf_attachment_is_dynamic(), stays where it is until
	 * @unmap_dma_buf, and is as ready as after @pin, which the core then spares
	 * itself. dma_buf_pin() calls @pin all the same. For exporters with
	 * @constrain.
	 */
	bool map_pins;

	/**
	 * @attach: A device joins.  Unlocked, optional.
	 *
	 * The place to refuse a device that cannot reach the storage, and to
	 * clear &dma_buf_attachment.peer2peer where no such path exists, see
	 * dma_buf_attach_check_peer().  The exporter may keep per-device data
	 * in &dma_buf_attachment.priv. Not called for dma_buf_attach_cpu().
	 *
	 * Return: 0 or a negative errno, which dma_buf_dynamic_attach() hands
	 * on. -EBUSY says that storage exists already, cannot move, and does
	 * not suit the device; -EREMOTEIO that the storage is a device's own
	 * and the newcomer has no way to it.
	 */
	int (*attach)(struct dma_buf *dmabuf,
		      struct dma_buf_attachment *attach);

	/**
	 * @detach: A device leaves; undoes @attach.  Unlocked, optional.
	 *
	 * Also called when dma_buf_dynamic_attach() fails after @attach.
	 */
	void (*detach)(struct dma_buf *dmabuf,
		       struct dma_buf_attachment *attach);

	/**
	 * @pin: From now on the storage stays where it is.  Locked; having it
	 * makes the exporter dynamic, see dma_buf_is_dynamic().
	 *
	 * Called by dma_buf_pin(), and by the core itself on behalf of
	 * importers that cannot follow a move, unless @map_pins.  When it
	 * returns, the memory must be ready for such an importer: moves and
	 * clears are finished, not only queued.
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*pin)(struct dma_buf_attachment *attach);

	/**
	 * @unpin: Undoes one @pin.  Locked; present exactly if @pin is.
	 */
	void (*unpin)(struct dma_buf_attachment *attach);

	/**
	 * @constrain: Bring the storage to where all devices can use it.
	 * Locked, optional; having it takes @pin and @unpin. See the DOC
	 * section of drivers/dma-buf/dma-buf-negotiate.c.
	 *
	 * Without @move it is a question: does the storage meet @c as it is, or
	 * will it when it is allocated? An exporter that says so keeps a copy
	 * of @c and allocates for that, until it is asked again; @c may then
	 * also be looser. Nothing is moved or allocated here.
	 *
	 * With @move the storage has to go, now. Dynamic importers were told,
	 * all fences of &dma_buf.resv have signaled, no importer has pinned or
	 * vmapped the buffer. The exporter allocates, takes page table entries
	 * of processes back, copies, and keeps @c.
	 *
	 * @c is about addresses of memory. What an IOMMU does for a device is
	 * taken into account.
	 *
	 * Return: 0, or a negative errno, with the storage as it was:
	 *
	 *	* -EAGAIN: it takes a move; not with @move
	 *	* -EBUSY: it takes a move, and the exporter itself cannot have one
	 *	* -EINVAL: never, with this exporter
	 *	* -ENOMEM or another: it could not be done now
	 */
	int (*constrain)(struct dma_buf *dmabuf,
			 const struct dma_buf_constraints *c, bool move);

	/**
	 * @domains: What memory the storage can ever be,
	 * %DMA_BUF_DOMAIN_SYSTEM or others; 0 for any.  Optional, for who has
	 * @constrain: needs that differ in other kinds are nothing to ask about.
	 */
	unsigned int domains;

	/**
	 * @map_dma_buf: Make the storage reachable for one device.  Locked,
	 * mandatory.
	 *
	 * May allocate the storage, or move it to where all
	 * &dma_buf.attachments can use it.  The table is new at every call and
	 * belongs to the caller until @unmap_dma_buf; importers use only its
	 * DMA addresses and lengths, which are multiples of the page size.
	 *
	 * An exporter without @pin returns only when the memory holds nothing
	 * of an earlier owner.  A dynamic one may queue the clearing and leave
	 * a %DMA_RESV_USAGE_KERNEL fence in &dma_buf.resv.
	 *
	 * Return: A table mapped for &dma_buf_attachment.dev, or an ERR_PTR();
	 * -EINTR or -ERESTARTSYS if a signal cut a wait short.
	 */
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);

	/**
	 * @unmap_dma_buf: Take a table of @map_dma_buf back, and with it the pin
	 * that it is if @map_pins.  Locked, mandatory.
	 */
	void (*unmap_dma_buf)(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir);

	/**
	 * @release: The last reference is gone; free &dma_buf.priv and what it
	 * stands for.  Unlocked, mandatory.
	 *
	 * Not called for a buffer whose dma_buf_export() failed.
	 */
	void (*release)(struct dma_buf *dmabuf);

	/**
	 * @begin_cpu_access: The CPU is about to use the storage: make it
	 * coherent for @dir, e.g. invalidate caches.  Unlocked, optional.
	 *
	 * Fences are waited for by the core afterwards, so an exporter need not.
	 *
	 * Return: 0 or a negative errno; -EINTR or -ERESTARTSYS after a signal.
	 */
	int (*begin_cpu_access)(struct dma_buf *dmabuf,
				enum dma_data_direction dir);

	/**
	 * @end_cpu_access: The CPU is done, e.g. write caches back.  Unlocked,
	 * optional.
	 *
	 * Return: 0 or a negative errno; -EINTR or -ERESTARTSYS after a signal.
	 */
	int (*end_cpu_access)(struct dma_buf *dmabuf,
			      enum dma_data_direction dir);

	/**
	 * @mmap: Map the storage into a process.  Unlocked, optional.
	 *
	 * The core has checked that the range lies within the buffer.  An
	 * exporter that takes page table entries back later fills them in from
	 * its fault handler. It finds them in the mapping of &dma_buf.file, or
	 * in that of a file of its own if it sets &vm_area_struct.vm_file with
	 * vma_set_file(). See dma_buf_revoke() for what the handler has to
	 * check.
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma);

	/**
	 * @vmap: Map the storage into the kernel.  Locked, optional.
	 *
	 * Called for the first user only, the core counts the others.
	 *
	 * Return: 0 with @map set, or a negative errno.
	 */
	int (*vmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/**
	 * @vunmap: Undo @vmap after the last user.  Locked, optional.
	 */
	void (*vunmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/**
	 * @storage_kind: What the storage is at the moment, for people who look
	 * into debugfs or fdinfo.  Locked, optional.
	 *
	 * Not asked when the buffer was revoked.
	 *
	 * Return: A word or a few, which outlive the buffer, such as
	 * "contiguous"; "none" of storage that does not exist yet.
	 */
	const char *(*storage_kind)(struct dma_buf *dmabuf);
};

/**
 * struct dma_buf - a buffer that can be shared
 *
 * Made by dma_buf_export().  It lives as long as its file: get_dma_buf() and
 * dma_buf_put() count references, and so do file descriptors and mappings.
 *
 * Lock order, outermost first::
 *
 *	mmap_lock
 *	  dma_buf.resv			(a ww_mutex: drivers may hold several)
 *	    inode.i_lock of @file	(innermost, guards @name)
 *	    the core's poll queue lock	(innermost, also taken in fence callbacks)
 *
 * An exporter may share one reservation object between buffers, so the core
 * never holds two of them and takes none inside another.
 */
struct dma_buf {
	/** @size: In bytes, never changes. */
	size_t size;

	/** @file: Counts references; valid while the caller holds one. */
	struct file *file;

	/**
	 * @attachments: The devices attached, linked by
	 * &dma_buf_attachment.node. Guarded by @resv. Importers without a
	 * device are not among them.
	 */
	struct list_head attachments;

	/** @ops: The exporter's operations. */
	const struct dma_buf_ops *ops;

	/** @exp_name: The exporter's name, for people who debug. */
	const char *exp_name;

	/**
	 * @name: What user space calls the buffer, or NULL. At most
	 * DMA_BUF_NAME_LEN - 1 characters. For the core only: any holder of
	 * the file may replace it while it is printed.
	 */
	const char *name;

	/** @owner: The exporter's module, kept loaded by the buffer. */
	struct module *owner;

	/** @priv: The exporter's data. */
	void *priv;

	/**
	 * @resv: The fences of the buffer, and the lock of its state.
	 *
	 * A device's work on the buffer leaves a fence here: one of usage
	 * %DMA_RESV_USAGE_READ if it only reads, of usage
	 * %DMA_RESV_USAGE_WRITE if it writes or if the driver cannot tell.
	 * Whoever comes next waits for the fences that dma_resv_usage_rw()
	 * selects for its own kind of access. A driver whose work is over
	 * before its system call returns (V4L2, say) needs no fence.
	 *
	 * A dynamic importer also waits for fences of usage
	 * %DMA_RESV_USAGE_KERNEL before its device touches the storage, and
	 * adds a fence for any access that it cannot stop at once in
	 * &dma_buf_attach_ops.move_notify.
	 */
	struct dma_resv *resv;
};

/**
 * struct dma_buf_attach_ops - what a dynamic importer does for the exporter
 */
struct dma_buf_attach_ops {
	/**
	 * @allow_peer2peer: The importer can use addresses of another device,
	 * behind which there is no struct page.
	 */
	bool allow_peer2peer;

	/**
	 * @move_notify: The storage is about to move. Mandatory, unless there is
	 * @invalidate_mappings.
	 *
	 * Called with &dma_buf.resv locked. Existing mappings stay usable until
	 * the fences in the reservation object have signaled; the importer
	 * drops them and maps again, under the lock, before its next use.
	 */
	void (*move_notify)(struct dma_buf_attachment *attach);

	/**
	 * @invalidate_mappings: The name of kernels from 7.0 on; called in place
	 * of @move_notify, in the same way.
	 *
	 * Who uses it promises more: mappings and pins are given back in bounded
	 * time, even if no new mapping can be had, see
	 * dma_buf_attach_revocable().
	 */
	void (*invalidate_mappings)(struct dma_buf_attachment *attach);
};

/**
 * struct dma_buf_needs - what a device needs
 *
 * Made when it attaches.
 */
struct dma_buf_needs {
	/** @constraints: What a table for it has to be like, from all sources. */
	struct dma_buf_constraints constraints;

	/**
	 * @declared: The part of @constraints that was declared for dma-bufs,
	 * and not only to the DMA API. For the core only.
	 */
	struct dma_buf_constraints declared;

	/**
	 * @of_storage: What @constraints leave to memory, behind the IOMMU or
	 * the bus that the device had when they were negotiated. For the core
	 * only.
	 */
	struct dma_buf_constraints of_storage;
};

/**
 * struct dma_buf_attachment - one device at one buffer
 *
 * Made by dma_buf_attach(), dma_buf_dynamic_attach(), dma_buf_attach_map() or
 * dma_buf_attach_cpu(), freed by dma_buf_detach() or dma_buf_unmap_detach().
 */
struct dma_buf_attachment {
	/** @dmabuf: The buffer. */
	struct dma_buf *dmabuf;

	/**
	 * @dev: The device that wants to reach it, NULL if only the CPU does.
	 */
	struct device *dev;

	/**
	 * @node: In &dma_buf.attachments, or, without a device, in a list of the
	 * core. Guarded by &dma_buf.resv.
	 */
	struct list_head node;

	/**
	 * @sgt: The mapping that is kept until detach, or NULL. For the core
	 * only, guarded by &dma_buf.resv.
	 */
	struct sg_table *sgt;

	/** @dir: The direction @sgt was mapped for. For the core only. */
	enum dma_data_direction dir;

	/**
	 * @map_count: Mappings the importer has not given back. For the core
	 * only, guarded by &dma_buf.resv.
	 */
	unsigned int map_count;

	/**
	 * @pin_count: Pins the importer has not undone. For the core only,
	 * guarded by &dma_buf.resv.
	 */
	unsigned int pin_count;

	/**
	 * @core_pin_count: Pins on behalf of an importer that cannot follow moves,
	 * by the core or, see &dma_buf_ops.map_pins, by the mapping itself. For
	 * the core only, guarded by &dma_buf.resv.
	 */
	unsigned int core_pin_count;

	/**
	 * @peer2peer: The importer can use peer addresses; the exporter's
	 * &dma_buf_ops.attach may clear it.
	 */
	bool peer2peer;

	/**
	 * @undemanding: @dev can use any table, and any memory behind it.  For
	 * the core only, guarded by &dma_buf.resv.
	 */
	bool undemanding;

	/**
	 * @leaving: The importer detaches in the same hold of the lock: an
	 * exporter that would keep its table for the next time need not.
	 * Guarded by &dma_buf.resv until &dma_buf_ops.detach.
	 */
	bool leaving;

	/**
	 * @complete: dma_buf_dynamic_attach() has nothing left to do that may
	 * fail. For the core only, guarded by &dma_buf.resv.
	 */
	bool complete;

	/**
	 * @entries: How many the table had that was handed out last. For the
	 * core only, guarded by &dma_buf.resv.
	 */
	unsigned int entries;

	/** @importer_ops: Set if the importer is dynamic. */
	const struct dma_buf_attach_ops *importer_ops;

	/** @importer_priv: The importer's data. */
	void *importer_priv;

	/** @priv: The exporter's data. */
	void *priv;

	/**
	 * @needs: What @dev needs; those that need nothing have one in common.
	 * Replaced, and freed, by dma_buf_attachment_constrain(), so to be read
	 * under &dma_buf.resv.
	 */
	const struct dma_buf_needs *needs;
};

/**
 * struct dma_buf_export_info - the arguments of dma_buf_export()
 * @exp_name:	exporter's name, a string that outlives the buffer
 * @owner:	exporter's module
 * @ops:	exporter's operations
 * @size:	size in bytes
 * @flags:	access mode and O_NONBLOCK of the file; other flags are ignored
 * @resv:	reservation object of the storage, or NULL to get one of its own
 * @priv:	exporter's data, not NULL
 */
struct dma_buf_export_info {
	const char *exp_name;
	struct module *owner;
	const struct dma_buf_ops *ops;
	size_t size;
	int flags;
	struct dma_resv *resv;
	void *priv;
};

/**
 * DEFINE_DMA_BUF_EXPORT_INFO - declare the arguments of dma_buf_export()
 * @name: name of the variable
 *
 * The exporter's name and module are filled in, everything else is zero.
 */
#define DEFINE_DMA_BUF_EXPORT_INFO(name)    \
	struct dma_buf_export_info name = { \
		.owner = THIS_MODULE,       \
		.exp_name = KBUILD_MODNAME, \
	}

/**
 * get_dma_buf - take one more reference
 * @dmabuf: buffer the caller already holds a reference to
 */
static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

/**
 * dma_buf_is_dynamic - can the exporter move the storage while it is mapped?
 * @dmabuf: buffer
 *
 * Return: true if the exporter pins on request and otherwise may move.
 */
static inline bool dma_buf_is_dynamic(struct dma_buf *dmabuf)
{
	return dmabuf->ops->pin;
}

/**
 * dma_buf_attachment_is_dynamic - can the importer follow a move?
 * @attach: attachment
 *
 * Return: true if the importer attached with &struct dma_buf_attach_ops.
 */
static inline bool
dma_buf_attachment_is_dynamic(struct dma_buf_attachment *attach)
{
	return attach->importer_ops;
}

/**
 * dma_buf_can_constrain - does the exporter take part in negotiations?
 * @dmabuf: buffer
 *
 * Return: true if the exporter has &dma_buf_ops.constrain.
 */
static inline bool dma_buf_can_constrain(struct dma_buf *dmabuf)
{
	return dmabuf->ops->constrain;
}

/* The object: dma-buf.c */
struct dma_buf *dma_buf_export(const struct dma_buf_export_info *exp_info);
int dma_buf_fd(struct dma_buf *dmabuf, int flags);
void dma_buf_fd_install(struct dma_buf *dmabuf, int fd);
struct dma_buf *dma_buf_get(int fd);
struct dma_buf *dma_buf_of_file(const struct file *file);
void dma_buf_put(struct dma_buf *dmabuf);

/* Devices: dma-buf-attach.c */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev);
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *importer_ops,
		       void *importer_priv);
struct dma_buf_attachment *
dma_buf_attach_constrained(struct dma_buf *dmabuf, struct device *dev,
			   const struct dma_buf_attach_ops *importer_ops,
			   void *importer_priv,
			   const struct dma_buf_constraints *c);
struct dma_buf_attachment *
dma_buf_attach_cpu(struct dma_buf *dmabuf,
		   const struct dma_buf_attach_ops *importer_ops,
		   void *importer_priv);
int dma_buf_attach_check_peer(struct dma_buf_attachment *attach,
			      struct device *provider);
bool dma_buf_attach_revocable(struct dma_buf_attachment *attach);

/* Their end: dma-buf-detach.c */
void dma_buf_detach_device(struct dma_buf_attachment *attach);
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);

/* What devices need: dma-buf-negotiate.c, dma-buf-declare.c */
int dma_buf_attachment_constrain(struct dma_buf_attachment *attach,
				 const struct dma_buf_constraints *c);
bool dma_buf_device_is_undemanding(struct device *dev);
void dma_buf_declared_for(struct device *dev, struct dma_buf_constraints *c);
int devm_dma_buf_declare_constraints(struct device *dev,
				     const struct dma_buf_constraints *c);

/* What a device sees: dma-buf-map.c */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
struct sg_table *
dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
				enum dma_data_direction dir);
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction dir);
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach,
				       struct sg_table *sgt,
				       enum dma_data_direction dir);
struct dma_buf_attachment *dma_buf_attach_map(struct dma_buf *dmabuf,
					      struct device *dev,
					      enum dma_data_direction dir,
					      struct sg_table **sgt);
void dma_buf_unmap_detach(struct dma_buf_attachment *attach,
			  struct sg_table *sgt, enum dma_data_direction dir);

/* Storage that moves: dma-buf-migrate.c */
int dma_buf_pin(struct dma_buf_attachment *attach);
void dma_buf_unpin(struct dma_buf_attachment *attach);
void dma_buf_move_notify(struct dma_buf *dmabuf);
void dma_buf_invalidate_mappings(struct dma_buf *dmabuf);

/* Storage that goes away: dma-buf-revoke.c */
unsigned int dma_buf_revoke(struct dma_buf *dmabuf);
long dma_buf_revoke_wait(struct dma_buf *dmabuf, long timeout);
bool dma_buf_is_revoked(struct dma_buf *dmabuf);

/* The CPU: dma-buf-cpu-access.c */
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf,
			     enum dma_data_direction dir);
int dma_buf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir);
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff);
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);

#endif /* __DMA_BUF_H__ */
