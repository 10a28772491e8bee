// SPDX-License-Identifier: GPL-2.0
/*
 * The shared buffer as an object: made, passed on as a file, released.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#define CREATE_TRACE_POINTS
#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: buffer object
 *
 * A camera fills a buffer, a GPU draws on it, a display shows it: three drivers
 * and two or three processes need the same memory, none of them trusts the
 * others, and each may be the last to let go.
 *
 * The kernel has one thing that processes pass to each other and that counts
 * its users over all of them: an open file. So a buffer is a file on a file
 * system of its own, never mounted, with a unique inode number to tell buffers
 * apart, see dma-buf-fs.c. Drivers hold references to that file as well. The
 * exporter's &dma_buf_ops.release runs after the last of them.
 *
 * Lifetime
 * ~~~~~~~~
 *
 * &struct dma_buf lives inside the inode's memory, so that a buffer is one
 * allocation beside the VFS's own. What happens at the end, in this order:
 *
 * 1. The last reference to the file goes. dma_buf_file_release() takes the
 *    buffer out of the registry; from then on nobody finds it.
 * 2. The last reference to the dentry goes. That is usually the file's, but
 *    someone reading the link in /proc/PID/fd or holding the file with O_PATH
 *    may be later. dma_buf_object_release() calls the exporter.
 * 3. The inode goes, and an RCU grace period later the memory, which is what
 *    lets the registry be walked without a lock.
 *
 * Creation goes the other way around and publishes last: sysfs, which may fail,
 * then the registry, then the file descriptor. A buffer that fails before that
 * has no d_fsdata, by which its file's end knows not to call the exporter.
 *
 * Locking
 * ~~~~~~~
 *
 * &dma_buf.resv guards all that changes while a buffer is in use, except its
 * name. The order of locks stands at &struct dma_buf. In detail:
 *
 * Importers hold the reservation lock when they call dma_buf_pin(),
 * dma_buf_unpin(), dma_buf_map_attachment(), dma_buf_unmap_attachment(),
 * dma_buf_vmap() and dma_buf_vunmap(). They must not hold it when they call any
 * other function, in particular those whose names end in _unlocked.
 *
 * Exporters hold it when they call dma_buf_move_notify(). The core holds it
 * around &dma_buf_ops.pin, unpin, constrain, storage_kind, map_dma_buf,
 * unmap_dma_buf, vmap and vunmap, and not around attach, detach, release,
 * begin_cpu_access, end_cpu_access and mmap.
 */

static int dma_buf_check_export(const struct dma_buf_export_info *info)
{
	const struct dma_buf_ops *ops = info->ops;

	if (WARN_ON_ONCE(!info->priv || !ops))
		return -EINVAL;

	if (WARN_ON_ONCE(!ops->map_dma_buf || !ops->unmap_dma_buf ||
			 !ops->release))
		return -EINVAL;

	if (WARN_ON_ONCE(!ops->pin != !ops->unpin))
		return -EINVAL;

	/* Who is asked to move must know who forbids it. */
	if (WARN_ON_ONCE(ops->constrain && !ops->pin))
		return -EINVAL;

	/* Of others the core may pin for longer than a mapping. */
	if (WARN_ON_ONCE(ops->map_pins && !ops->constrain))
		return -EINVAL;

	/* What is kept mapped until detach cannot move in between. */
	if (WARN_ON_ONCE(ops->cache_sgt_mapping && ops->pin))
		return -EINVAL;

	/* The size is the inode's as well, and what llseek() returns. */
	if (WARN_ON_ONCE(overflows_type(info->size, loff_t)))
		return -EINVAL;

	return 0;
}

/*
 * The memory comes from a cache and is as its last user left it. Members that are
 * not here are set before they are read, see there.
 */
static void dma_buf_object_init(struct dma_buf_object *obj)
{
	INIT_LIST_HEAD(&obj->base.attachments);
	obj->base.name = NULL;
	obj->vmap_count = 0;
	obj->lost_count = 0;
	obj->domains = DMA_BUF_DOMAIN_ALL;
	obj->state = DMA_BUF_LIVE;
	obj->terms = NULL;
	obj->spare = NULL;
	INIT_LIST_HEAD(&obj->cpu_attachments);
	dma_buf_poll_init(obj);
}

static void dma_buf_object_fill(struct dma_buf_object *obj,
				const struct dma_buf_export_info *info,
				struct file *file)
{
	struct dma_buf *dmabuf = &obj->base;

	dmabuf->size = info->size;
	dmabuf->file = file;
	dmabuf->ops = info->ops;
	dmabuf->exp_name = info->exp_name;
	dmabuf->owner = info->owner;
	dmabuf->priv = info->priv;
	dmabuf->resv = info->resv;
	if (!dmabuf->resv) {
		dma_resv_init(&obj->own_resv);
		dmabuf->resv = &obj->own_resv;
	}
}

/**
 * dma_buf_object_release - end a buffer whose file is gone
 * @obj: buffer without references
 *
 * Return: false if its memory must not be freed either.
 */
bool dma_buf_object_release(struct dma_buf_object *obj)
{
	struct dma_buf *dmabuf = &obj->base;

	/*
	 * A pending callback holds a reference, so somebody has put one too
	 * many. Losing the buffer is better than a fence that writes to it
	 * after it was freed.
	 */
	if (obj->poll) {
		if (WARN_ON_ONCE(dma_buf_poll_busy(obj)))
			return false;
		dma_buf_poll_fini(obj);
	}
	WARN_ON_ONCE(obj->vmap_count);
	dma_buf_stats_del(obj);

	dmabuf->ops->release(dmabuf);

	WARN_ON_ONCE(!list_empty(&dmabuf->attachments) ||
		     !list_empty(&obj->cpu_attachments));
	if (dmabuf->resv == &obj->own_resv)
		dma_resv_fini(&obj->own_resv);

	module_put(dmabuf->owner);
	kfree(dmabuf->name);
	kfree(obj->terms);
	kfree(obj->spare);

	return true;
}

/**
 * dma_buf_export - make a buffer that can be shared
 * @exp_info: what the exporter says about it
 *
 * The caller owns the one reference to the new buffer and passes it to
 * dma_buf_fd() or dma_buf_put(). When this function fails,
 * &dma_buf_ops.release is not called: @exp_info's data is still the caller's.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock.
 * Return: The buffer, or an ERR_PTR():
 *
 *	   * -EINVAL: @exp_info lacks &dma_buf_export_info.priv or a mandatory
 *	     operation, has only one of &dma_buf_ops.pin and &dma_buf_ops.unpin,
 *	     or &dma_buf_ops.constrain without them, or &dma_buf_ops.map_pins
 *	     without that, combines them with &dma_buf_ops.cache_sgt_mapping,
 *	     gives a size beyond what a file can have, or, with per-buffer
 *	     statistics configured, has no name
 *	   * -ENOENT: the exporter's module is being unloaded
 *	   * -ENOMEM: out of memory
 *	   * -ENFILE: the limit of open files is reached
 */
struct dma_buf *dma_buf_export(const struct dma_buf_export_info *exp_info)
{
	struct dma_buf_object *obj;
	struct dma_buf *dmabuf;
	struct file *file;
	int ret;

	ret = dma_buf_check_export(exp_info);
	if (ret)
		return ERR_PTR(ret);

	if (!try_module_get(exp_info->owner))
		return ERR_PTR(-ENOENT);

	file = dma_buf_fs_file(exp_info->size, exp_info->flags);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_module;
	}

	obj = container_of(file_inode(file), struct dma_buf_object, inode);
	dmabuf = &obj->base;
	dma_buf_object_init(obj);
	dma_buf_object_fill(obj, exp_info, file);

	ret = dma_buf_stats_add(obj);
	if (ret)
		goto err_file;

	/* Complete: from here on the last reference releases the buffer. */
	file->private_data = dmabuf;
	file->f_path.dentry->d_fsdata = dmabuf;
	dma_buf_registry_add(obj);
	trace_dma_buf_export(dmabuf);

	return dmabuf;

err_file:
	if (dmabuf->resv == &obj->own_resv)
		dma_resv_fini(&obj->own_resv);
	fput(file);
err_module:
	module_put(exp_info->owner);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_export, DMA_BUF);

/**
 * dma_buf_fd - give user space a file descriptor of a buffer
 * @dmabuf: buffer
 * @flags: O_CLOEXEC or 0
 *
 * On success the caller's reference belongs to the file descriptor. Another
 * thread may have closed that already when the function returns, so a caller
 * that goes on using @dmabuf takes a reference of its own first.
 *
 * Context: Process context, may sleep.
 * Return: The file descriptor, or a negative errno:
 *
 *	   * -EINVAL: @dmabuf is NULL
 *	   * -EMFILE: the process has no file descriptor left
 *	   * -ENOMEM: out of memory
 */
int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	int fd;

	if (!dmabuf || !dmabuf->file)
		return -EINVAL;

	fd = get_unused_fd_flags(flags);
	if (fd >= 0)
		dma_buf_fd_install(dmabuf, fd);

	return fd;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_fd, DMA_BUF);

/**
 * dma_buf_fd_install - give user space a file descriptor that was reserved
 * @dmabuf: buffer
 * @fd: number from get_unused_fd_flags()
 *
 * dma_buf_fd() in two steps, for an ioctl that has to tell user space the
 * number first and may fail at that: reserve, copy to user space, install.
 * Afterwards the caller's reference belongs to the file descriptor, and there
 * is no way back. If it fails before, it calls put_unused_fd().
 *
 * Context: Process context.
 */
void dma_buf_fd_install(struct dma_buf *dmabuf, int fd)
{
	trace_dma_buf_fd(dmabuf, fd);
	fd_install(fd, dmabuf->file);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_fd_install, DMA_BUF);

/**
 * dma_buf_of_file - find the buffer behind a file
 * @file: any file, to which the caller holds a reference
 *
 * Context: Any.
 * Return: The buffer, without a reference of its own, or an ERR_PTR():
 *
 *	   * -EINVAL: @file is some other file
 */
struct dma_buf *dma_buf_of_file(const struct file *file)
{
	if (file->f_op != &dma_buf_file_ops)
		return ERR_PTR(-EINVAL);

	return file->private_data;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_of_file, DMA_BUF);

/**
 * dma_buf_get - find the buffer behind a file descriptor
 * @fd: file descriptor of the calling process
 *
 * Context: Process context.
 * Return: The buffer with one more reference, to be given back with
 *	   dma_buf_put(), or an ERR_PTR():
 *
 *	   * -EBADF: @fd is not open
 *	   * -EINVAL: @fd is some other file
 */
struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = fget(fd);
	struct dma_buf *dmabuf;

	if (!file)
		return ERR_PTR(-EBADF);

	dmabuf = dma_buf_of_file(file);
	if (IS_ERR(dmabuf))
		fput(file);
	else
		trace_dma_buf_get(dmabuf, fd);

	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_get, DMA_BUF);

/**
 * dma_buf_put - drop a reference to a buffer
 * @dmabuf: buffer, not to be used afterwards
 *
 * The exporter's &dma_buf_ops.release may run later than this function: when
 * the calling task returns to user space, or from a workqueue if the caller is
 * a kernel thread or an interrupt.
 *
 * Context: Any. The caller should not hold the reservation lock.
 */
void dma_buf_put(struct dma_buf *dmabuf)
{
	if (WARN_ON_ONCE(!dmabuf || !dmabuf->file))
		return;

	trace_dma_buf_put(dmabuf);
	fput(dmabuf->file);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_put, DMA_BUF);

/*
 * Show lockdep the order that stands at struct dma_buf, so that the first
 * driver to break it is told so, and not the first machine to deadlock.
 */
static void __init dma_buf_prime_lockdep(void)
{
	struct dma_buf_object *obj;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	/* A lesson missed is no reason to fail, with everything in place. */
	obj = dma_buf_fs_object();
	if (IS_ERR(obj))
		return;

	dma_buf_object_init(obj);
	dma_resv_init(&obj->own_resv);

	dma_resv_lock(&obj->own_resv, NULL);
	spin_lock(&obj->inode.i_lock);
	spin_unlock(&obj->inode.i_lock);
	spin_lock_irq(&obj->poll_queue.lock);
	spin_unlock_irq(&obj->poll_queue.lock);
	dma_resv_unlock(&obj->own_resv);

	dma_resv_fini(&obj->own_resv);
	iput(&obj->inode);
}

static int __init dma_buf_init(void)
{
	int ret;

	ret = dma_buf_stats_init();
	if (ret)
		return ret;

	ret = dma_buf_fs_init();
	if (ret)
		return ret;

	dma_buf_declare_init();
	dma_buf_registry_init();
	dma_buf_prime_lockdep();

	return 0;
}
subsys_initcall(dma_buf_init);
