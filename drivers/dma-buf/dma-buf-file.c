// SPDX-License-Identifier: GPL-2.0
/*
 * What a process can do with the descriptor of a buffer.
 */

#include <linux/compat.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <uapi/linux/dma-buf.h>

#include "dma-buf-internal.h"

/**
 * DOC: file of a buffer
 *
 * A process asks how large the buffer is (lseek), gives it a name, brackets its
 * accesses and trades fences (ioctl), waits for others (poll), maps it, and reads in
 * /proc what it is. The calls are dispatched here; mappings and brackets are
 * dma-buf-cpu-access.c's, fences and poll dma-buf-sync.c's.
 *
 * Lifetime
 * ~~~~~~~~
 *
 * The VFS holds the file during a call, and the file holds the buffer, so nothing has
 * to be looked up. A file that has no buffer yet is one whose export has failed: only
 * its release comes here.
 *
 * Locking
 * ~~~~~~~
 *
 * None but the one for the name, see dma-buf-fs.c.
 */

static int dma_buf_file_release(struct inode *inode, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;

	if (dmabuf)
		dma_buf_registry_del(to_dma_buf_object(dmabuf));

	return 0;
}

/**
 * dma_buf_file_llseek - lseek() of the file descriptor
 * @file: the buffer's file
 * @offset: 0
 * @whence: SEEK_END, which tells the size, or SEEK_SET, which goes back
 *
 * Return: The size, 0, or a negative errno:
 *
 *	   * -EINVAL: the offset is not 0, or another place is meant
 */
static loff_t dma_buf_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct dma_buf *dmabuf = file->private_data;

	if (offset)
		return -EINVAL;

	switch (whence) {
	case SEEK_SET:
		return 0;
	case SEEK_END:
		return dmabuf->size;
	default:
		return -EINVAL;
	}
}

/**
 * dma_buf_ioctl_set_name - DMA_BUF_SET_NAME
 * @dmabuf: buffer
 * @argp: string of user space
 *
 * Not inlined, for the other ioctls are done without a frame on the stack.
 *
 * Return: 0 or a negative errno:
 *
 *	   * -EFAULT: the string is not accessible
 *	   * -EINVAL: the name is longer than DMA_BUF_NAME_LEN - 1 characters
 *	   * -ENOMEM: out of memory
 */
static noinline long dma_buf_ioctl_set_name(struct dma_buf *dmabuf,
					    const char __user *argp)
{
	const char *name = strndup_user(argp, DMA_BUF_NAME_LEN);
	spinlock_t *lock = dma_buf_name_lock(dmabuf);

	if (IS_ERR(name))
		return PTR_ERR(name);

	spin_lock(lock);
	swap(dmabuf->name, name);
	spin_unlock(lock);
	kfree(name);

	return 0;
}

static long dma_buf_file_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	struct dma_buf *dmabuf = file->private_data;
	void __user *argp = (void __user *)arg;

	/* the one that comes with every frame */
	if (likely(cmd == DMA_BUF_IOCTL_SYNC))
		return dma_buf_ioctl_sync(dmabuf, argp);

	switch (cmd) {
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return dma_buf_ioctl_set_name(dmabuf, argp);
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
		return dma_buf_ioctl_export_sync_file(dmabuf, argp);
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		return dma_buf_ioctl_import_sync_file(dmabuf, argp);
	default:
		return -ENOTTY;
	}
}

static void dma_buf_file_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;
	spinlock_t *lock = dma_buf_name_lock(dmabuf);

	seq_printf(seq, "size:\t%zu\n", dmabuf->size);
	/* procfs holds one reference while it asks. */
	seq_printf(seq, "count:\t%ld\n", file_count(file) - 1);
	seq_printf(seq, "exp_name:\t%s\n", dmabuf->exp_name);

	spin_lock(lock);
	if (dmabuf->name)
		seq_printf(seq, "name:\t%s\n", dmabuf->name);
	spin_unlock(lock);

	dma_buf_need_show_fdinfo(seq, dmabuf);
}

const struct file_operations dma_buf_file_ops = {
	.llseek = dma_buf_file_llseek,
	.poll = dma_buf_file_poll,
	.unlocked_ioctl = dma_buf_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = dma_buf_file_mmap,
	.release = dma_buf_file_release,
	.show_fdinfo = dma_buf_file_show_fdinfo,
};
