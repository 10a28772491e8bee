// SPDX-License-Identifier: GPL-2.0
/*
 * The file system that the files of buffers are on.
 */

#include <linux/atomic.h>
#include <linux/dcache.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <uapi/linux/dma-buf.h>
#include <uapi/linux/magic.h>

#include "dma-buf-internal.h"

/**
 * DOC: file system of buffers
 *
 * It is mounted nowhere, and there for three things: an inode number of its own
 * for each buffer, a place for &struct dma_buf_object, which is where the inode's
 * memory is, and a line to read in /proc/PID/fd and /proc/PID/maps.
 *
 * Lifetime
 * ~~~~~~~~
 *
 * An object begins as an inode with uninitialized memory around it. It is a buffer
 * when the dentry of its file points to it with d_fsdata, which dma_buf_export() does
 * last: then the end of the dentry is the end of the buffer, and before that it is
 * the end of an inode.
 *
 * Locking
 * ~~~~~~~
 *
 * The inode's i_lock guards the name of the buffer, which changes while somebody
 * reads it here. The VFS takes that lock for what it does to the inode itself, and
 * takes nothing of ours inside.
 */

static struct kmem_cache *dma_buf_cache;
static struct vfsmount *dma_buf_mount;

static struct inode *dma_buf_inode_alloc(struct super_block *sb)
{
	struct dma_buf_object *obj;

	obj = alloc_inode_sb(sb, dma_buf_cache, GFP_KERNEL);

	return obj ? &obj->inode : NULL;
}

static void dma_buf_inode_free(struct inode *inode)
{
	kmem_cache_free(dma_buf_cache,
			container_of(inode, struct dma_buf_object, inode));
}

static void dma_buf_inode_construct(void *memory)
{
	struct dma_buf_object *obj = memory;

	inode_init_once(&obj->inode);
}

static const struct super_operations dma_buf_super_ops = {
	.alloc_inode = dma_buf_inode_alloc,
	.free_inode = dma_buf_inode_free,
	/* there is no page cache, in which the VFS would look for pages */
	.evict_inode = clear_inode,
	.statfs = simple_statfs,
};

static char *dma_buf_dentry_name(struct dentry *dentry, char *buffer, int len)
{
	struct dma_buf *dmabuf = dentry->d_fsdata;
	spinlock_t *lock = dma_buf_name_lock(dmabuf);
	char name[DMA_BUF_NAME_LEN] = "";

	spin_lock(lock);
	if (dmabuf->name)
		strscpy(name, dmabuf->name);
	spin_unlock(lock);

	return dynamic_dname(buffer, len, "/%pd:%s", dentry, name);
}

static void dma_buf_dentry_iput(struct dentry *dentry, struct inode *inode)
{
	struct dma_buf *dmabuf = dentry->d_fsdata;

	if (!dmabuf || dma_buf_object_release(to_dma_buf_object(dmabuf)))
		iput(inode);
}

static const struct dentry_operations dma_buf_dentry_ops = {
	.d_dname = dma_buf_dentry_name,
	.d_iput = dma_buf_dentry_iput,
};

static int dma_buf_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, DMA_BUF_MAGIC);

	if (!ctx)
		return -ENOMEM;

	ctx->ops = &dma_buf_super_ops;
	ctx->dops = &dma_buf_dentry_ops;

	return 0;
}

static struct file_system_type dma_buf_fs = {
	.name = "dmabuf",
	.init_fs_context = dma_buf_init_fs_context,
	.kill_sb = kill_anon_super,
};

/**
 * dma_buf_fs_object - an object that is no buffer yet
 *
 * All but its inode is as its last user left it.
 *
 * Return: the object, to be given back with iput(), or an ERR_PTR():
 *
 *	   * -ENOMEM: out of memory
 */
struct dma_buf_object *dma_buf_fs_object(void)
{
	struct inode *inode = alloc_anon_inode(dma_buf_mount->mnt_sb);

	if (IS_ERR(inode))
		return ERR_CAST(inode);

	return container_of(inode, struct dma_buf_object, inode);
}

/**
 * dma_buf_fs_file - a file with an object that is no buffer yet
 * @size: in bytes, as lseek() and stat() have it
 * @flags: access mode and O_NONBLOCK; others are left out
 *
 * Return: the file, or an ERR_PTR():
 *
 *	   * -ENOMEM: out of memory
 *	   * -ENFILE: the limit of open files is reached
 */
struct file *dma_buf_fs_file(size_t size, int flags)
{
	static atomic_long_t last_ino = ATOMIC_LONG_INIT(0);
	struct dma_buf_object *obj = dma_buf_fs_object();
	struct inode *inode;
	struct file *file;

	if (IS_ERR(obj))
		return ERR_CAST(obj);

	/* The number from the VFS may repeat; sysfs needs a unique name. */
	inode = &obj->inode;
	inode->i_ino = atomic_long_inc_return(&last_ino);
	inode->i_size = size;
	inode_set_bytes(inode, size);

	file = alloc_file_pseudo(inode, dma_buf_mount, "dmabuf",
				 flags & (O_ACCMODE | O_NONBLOCK),
				 &dma_buf_file_ops);
	if (IS_ERR(file))
		iput(inode);

	return file;
}

/**
 * dma_buf_fs_init - make the file system
 *
 * Return: 0 or a negative errno:
 *
 *	   * -ENOMEM: out of memory
 */
int __init dma_buf_fs_init(void)
{
	dma_buf_cache =
		kmem_cache_create("dma_buf", sizeof(struct dma_buf_object), 0,
				  SLAB_ACCOUNT, dma_buf_inode_construct);
	if (!dma_buf_cache)
		return -ENOMEM;

	dma_buf_mount = kern_mount(&dma_buf_fs);

	return PTR_ERR_OR_ZERO(dma_buf_mount);
}
