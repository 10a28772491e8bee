/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the dma-buf core share.
 */
#ifndef _DMA_BUF_INTERNAL_H
#define _DMA_BUF_INTERNAL_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/kconfig.h>
#include <linux/poll.h>
#include <linux/slab.h>

struct dentry;
struct dma_buf_sync;
struct seq_file;

/**
 * struct dma_buf_poll_slot - a poll event the buffer waits for
 * @cb:		callback on the fence that delays the event
 * @dmabuf:	buffer; @cb holds a reference to its file while @events is set
 * @fence:	what @cb is or was on, with a reference; changed by who has claimed
 *		the slot, and while that is free under the same lock as @events
 * @events:	event to report when the fence signals, 0 if the slot is free;
 *		guarded by the lock of &dma_buf_object.poll_queue
 *
 * One slot per event and buffer is enough: all waiters sleep on one queue, look
 * again when woken, and one of them then claims the slot for the next fence.
 */
struct dma_buf_poll_slot {
	struct dma_fence_cb cb;
	struct dma_buf *dmabuf;
	struct dma_fence *fence;
	__poll_t events;
};

/**
 * struct dma_buf_poll_slots - those of a buffer
 * @read:	EPOLLIN, i.e. no writer is left
 * @write:	EPOLLOUT, i.e. nobody is left
 *
 * Most buffers are never polled while a device is at work, and have none.
 */
struct dma_buf_poll_slots {
	struct dma_buf_poll_slot read;
	struct dma_buf_poll_slot write;
};

/**
 * enum dma_buf_state - whose the storage is
 * @DMA_BUF_LIVE: whoever attaches may use it
 * @DMA_BUF_REVOKING: the exporter is about to take it away
 * @DMA_BUF_REVOKED: everybody was told, but mappings or pins are out
 * @DMA_BUF_RECLAIMED: nobody has it mapped any more
 */
enum dma_buf_state {
	DMA_BUF_LIVE,
	DMA_BUF_REVOKING,
	DMA_BUF_REVOKED,
	DMA_BUF_RECLAIMED,
};

/**
 * struct dma_buf_terms - what devices need, and the exporter has agreed to
 * @constraints:	what suits all that are attached, about memory; its domains
 *			are as they were, see dma_buf_common_domains_locked()
 * @moves:		how often the core had the storage moved
 *
 * Guarded by &dma_buf.resv.
 */
struct dma_buf_terms {
	struct dma_buf_constraints constraints;
	unsigned int moves;
};

/**
 * struct dma_buf_object - a buffer as the core sees it
 *
 * One allocation holds everything a buffer needs, the inode of its file
 * included.  See the DOC section of dma-buf.c for the lifetime.
 */
struct dma_buf_object {
	/**
	 * @inode: Inode of the file.  Its count keeps this structure, and the
	 * dentry holds the reference, until the buffer is released.  The memory is
	 * freed an RCU grace period after that.
	 */
	struct inode inode;

	/** @base: The part that drivers see. */
	struct dma_buf base;

	/** @own_resv: &dma_buf.resv of an exporter that brought none. */
	struct dma_resv own_resv;

	union {
		/**
		 * @vmap_addr: Where it is mapped while @vmap_count is not 0,
		 * guarded by &dma_buf.resv.
		 */
		void *vmap_addr;

		/** @vmap_addr_iomem: The same if it is device memory. */
		void __iomem *vmap_addr_iomem;
	};

	/** @vmap_count: Users of @vmap_addr, guarded by &dma_buf.resv. */
	unsigned int vmap_count;

	/**
	 * @lost_count: Mappings whose importer detached without giving them
	 * back.  Guarded by &dma_buf.resv.
	 */
	unsigned int lost_count;

	/**
	 * @domains: The kinds of memory that suit all &dma_buf.attachments, as
	 * last agreed with an exporter that takes part; of others it stays
	 * %DMA_BUF_DOMAIN_ALL.  For one that has system memory and no other
	 * kind, only that bit is kept right.  Guarded by &dma_buf.resv.
	 */
	unsigned int domains;

	/**
	 * @state: An &enum dma_buf_state, which only ever moves on.  Written
	 * under &dma_buf.resv.
	 */
	u8 state;

	/** @vmap_is_iomem: Which of the two addresses it is, guarded likewise. */
	bool vmap_is_iomem;

	/**
	 * @terms: What else was agreed; made when the exporter is first asked
	 * for anything, as it is for few buffers.  Guarded by &dma_buf.resv.
	 */
	struct dma_buf_terms *terms;

	/**
	 * @spare: Memory of an attachment that has ended, for the next one, or NULL.
	 * Without a lock: it is taken, and given back, by an exchange.
	 */
	struct dma_buf_attachment *spare;

	/** @cpu_attachments: Those without a device, guarded by &dma_buf.resv. */
	struct list_head cpu_attachments;

	/**
	 * @poll_queue: Who polls the file, and dma_buf_revoke_wait().  Its lock
	 * also guards the slots; it is taken inside fence locks, hence with
	 * interrupts off.
	 */
	wait_queue_head_t poll_queue;

	/**
	 * @poll: Made by the first who has to wait, and there from then on.
	 * Pollers have no lock in common then: the first to store its own wins.
	 */
	struct dma_buf_poll_slots *poll;

#if IS_ENABLED(CONFIG_DEBUG_FS)
	/** @registry_node: In the registry; changed under the lock of its list. */
	struct list_head registry_node;

	/** @registry_cpu: Where it was exported, which tells the list it is on. */
	unsigned int registry_cpu;

	/**
	 * @live_file: &dma_buf.file, until the final fput() begins.  For
	 * get_file_active(), which needs no lock.
	 */
	struct file *live_file;
#endif
};

static inline struct dma_buf_object *to_dma_buf_object(struct dma_buf *dmabuf)
{
	return container_of(dmabuf, struct dma_buf_object, base);
}

/**
 * dma_buf_name_lock - what guards &dma_buf.name
 * @dmabuf: buffer
 *
 * Held for a few instructions, in process context only.
 *
 * Return: the lock.
 */
static inline spinlock_t *dma_buf_name_lock(struct dma_buf *dmabuf)
{
	return &to_dma_buf_object(dmabuf)->inode.i_lock;
}

/**
 * dma_buf_never_busy - was there never a fence to wait for?
 * @dmabuf: buffer
 *
 * As of most buffers that only the CPU uses, whose every poll and every bracket
 * around an access would go through an iterator to find nothing.
 *
 * Return: true if no device has said yet that it is at work on the buffer.
 */
static inline bool dma_buf_never_busy(const struct dma_buf *dmabuf)
{
	return !rcu_access_pointer(dmabuf->resv->fences);
}

/**
 * dma_buf_revoke_check - may the storage still be used?
 * @dmabuf: buffer
 *
 * Return: 0, or -ENODEV after dma_buf_revoke().
 */
static inline int dma_buf_revoke_check(struct dma_buf *dmabuf)
{
	return READ_ONCE(to_dma_buf_object(dmabuf)->state) == DMA_BUF_LIVE ?
		       0 :
		       -ENODEV;
}

/* dma-buf-migrate.c */
int dma_buf_pin_locked(struct dma_buf_attachment *attach, unsigned int *count);
void dma_buf_unpin_locked(struct dma_buf_attachment *attach,
			  unsigned int *count);

/* dma-buf-map.c */
int dma_buf_map_keep_locked(struct dma_buf_attachment *attach);
void dma_buf_map_drop_locked(struct dma_buf_attachment *attach);

/* dma-buf-negotiate.c */
int dma_buf_negotiate_join_locked(struct dma_buf_attachment *attach);
void dma_buf_negotiate_leave_locked(const struct dma_buf_attachment *attach);
void dma_buf_negotiate_terms_locked(const struct dma_buf_object *obj,
				    struct dma_buf_terms *terms);

/**
 * dma_buf_negotiate_lock - take the reservation lock, unless a signal comes
 * @dmabuf: buffer
 *
 * A process that has handlers for signals must not see an errno that it never
 * saw: the system call begins again, if the handler lets it.
 *
 * Return: 0, or -ERESTARTSYS.
 */
static inline int dma_buf_negotiate_lock(struct dma_buf *dmabuf)
{
	int ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);

	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/* dma-buf-need.c */
extern const struct dma_buf_needs dma_buf_needs_nothing;
bool dma_buf_need_is_undemanding(const struct dma_buf_attachment *attach,
				 const struct dma_buf_needs *needs);
int dma_buf_need_collect(struct dma_buf_attachment *attach,
			 const struct dma_buf_constraints *said);
void dma_buf_need_agree_locked(struct dma_buf_attachment *attach,
			       const struct dma_buf_constraints *of_storage);
void dma_buf_need_of_storage(const struct dma_buf_attachment *attach,
			     const struct dma_buf_constraints *need,
			     struct dma_buf_constraints *c);
int dma_buf_need_check(struct dma_buf_attachment *attach,
		       const struct sg_table *sgt);
void dma_buf_need_show(struct seq_file *seq, const char *before,
		       const struct dma_buf_constraints *c);
void dma_buf_need_show_kind(struct seq_file *seq, const char *before,
			    struct dma_buf *dmabuf);
void dma_buf_need_show_fdinfo(struct seq_file *seq, struct dma_buf *dmabuf);

/**
 * dma_buf_need_free - give back what an attachment has of its own
 * @needs: the needs of an attachment, its own or those in common
 */
static inline void dma_buf_need_free(const struct dma_buf_needs *needs)
{
	if (needs != &dma_buf_needs_nothing)
		kfree(needs);
}

/**
 * dma_buf_need_nothing - will any table do?
 * @c: constraints
 *
 * As it will for most devices, which are spared the rest for it.
 *
 * Return: true if @c is %DMA_BUF_CONSTRAINTS_ANY.
 */
static inline bool dma_buf_need_nothing(const struct dma_buf_constraints *c)
{
	return c->dma_mask == U64_MAX && c->segment_boundary_mask == U64_MAX &&
	       c->max_segment_size == U64_MAX && c->alignment == 1 &&
	       c->max_segments == UINT_MAX && c->domains == DMA_BUF_DOMAIN_ALL;
}

/* dma-buf-attach.c, and dma-buf-detach.c */
/**
 * dma_buf_attachment_alloc - memory for an attachment, as its last user left it
 * @dmabuf: buffer
 *
 * Attachments come and go with the frames of who imports each anew, one at a time as a
 * rule. So a buffer keeps the memory of one.
 *
 * Return: the memory, or NULL if there is none.
 */
static inline struct dma_buf_attachment *
dma_buf_attachment_alloc(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	attach = xchg(&to_dma_buf_object(dmabuf)->spare, NULL);

	return attach ?: kmalloc(sizeof(*attach), GFP_KERNEL);
}

/**
 * dma_buf_attachment_free - the end of an attachment that nobody knows any more
 * @attach: attachment
 *
 * With CONFIG_KASAN, or CONFIG_DMABUF_DEBUG for whatever else looks, the memory is
 * freed, so that who still uses it is seen.
 */
static inline void dma_buf_attachment_free(struct dma_buf_attachment *attach)
{
	struct dma_buf_object *obj = to_dma_buf_object(attach->dmabuf);

	dma_buf_need_free(attach->needs);
	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_DMABUF_DEBUG) ||
	    cmpxchg(&obj->spare, NULL, attach))
		kfree(attach);
}

/* dma-buf-declare.c */
void dma_buf_declare_init(void);
void dma_buf_declare_debugfs(struct dentry *dir);

/* dma-buf-revoke.c */
void dma_buf_revoke_look_locked(struct dma_buf_object *obj);

/**
 * dma_buf_revoke_progress_locked - somebody has let go of the storage
 * @dmabuf: buffer, with its reservation lock held
 *
 * To be called when a mapping or a pin was given back.
 */
static inline void dma_buf_revoke_progress_locked(struct dma_buf *dmabuf)
{
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);

	if (obj->state == DMA_BUF_REVOKED)
		dma_buf_revoke_look_locked(obj);
}

/* dma-buf-debug.c */
#if IS_ENABLED(CONFIG_DMABUF_DEBUG)
struct sg_table *dma_buf_debug_wrap(struct sg_table *sgt);
struct sg_table *dma_buf_debug_unwrap(struct sg_table *sgt);
#else
static inline struct sg_table *dma_buf_debug_wrap(struct sg_table *sgt)
{
	return sgt;
}

static inline struct sg_table *dma_buf_debug_unwrap(struct sg_table *sgt)
{
	return sgt;
}
#endif

/* dma-buf.c */
bool dma_buf_object_release(struct dma_buf_object *obj);

/* dma-buf-fs.c */
struct dma_buf_object *dma_buf_fs_object(void);
struct file *dma_buf_fs_file(size_t size, int flags);
int dma_buf_fs_init(void);

/* dma-buf-file.c */
extern const struct file_operations dma_buf_file_ops;

/* dma-buf-cpu-access.c */
int dma_buf_file_mmap(struct file *file, struct vm_area_struct *vma);
long dma_buf_ioctl_sync(struct dma_buf *dmabuf,
			const struct dma_buf_sync __user *argp);

/* dma-buf-sync.c */
void dma_buf_poll_init(struct dma_buf_object *obj);
void dma_buf_poll_fini(struct dma_buf_object *obj);
bool dma_buf_poll_busy(struct dma_buf_object *obj);
__poll_t dma_buf_file_poll(struct file *file, poll_table *table);
long dma_buf_ioctl_export_sync_file(struct dma_buf *dmabuf, void __user *argp);
long dma_buf_ioctl_import_sync_file(struct dma_buf *dmabuf,
				    const void __user *argp);

/* dma-buf-registry.c */
#if IS_ENABLED(CONFIG_DEBUG_FS)
void dma_buf_registry_add(struct dma_buf_object *obj);
void dma_buf_registry_del(struct dma_buf_object *obj);
struct dma_buf_object *dma_buf_registry_next(struct dma_buf_object *prev);
void dma_buf_registry_init(void);
#else
static inline void dma_buf_registry_add(struct dma_buf_object *obj)
{
}

static inline void dma_buf_registry_del(struct dma_buf_object *obj)
{
}

static inline void dma_buf_registry_init(void)
{
}
#endif

/* dma-buf-sysfs-stats.c */
#if IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS)
int dma_buf_stats_add(struct dma_buf_object *obj);
void dma_buf_stats_del(struct dma_buf_object *obj);
int dma_buf_stats_init(void);
#else
static inline int dma_buf_stats_add(struct dma_buf_object *obj)
{
	return 0;
}

static inline void dma_buf_stats_del(struct dma_buf_object *obj)
{
}

static inline int dma_buf_stats_init(void)
{
	return 0;
}
#endif

#endif /* _DMA_BUF_INTERNAL_H */
