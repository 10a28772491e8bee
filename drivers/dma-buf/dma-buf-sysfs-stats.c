// SPDX-License-Identifier: GPL-2.0
/*
 * One directory per buffer in sysfs.
 */

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/uidgid.h>

#include "dma-buf-internal.h"

/**
 * DOC: statistics
 *
 * A phone in the field has no debugfs, and /proc/PID/fdinfo shows a buffer only
 * while a process holds it, not one that sits in a driver. To account for every
 * byte, each buffer has a directory named after its inode number::
 *
 *	/sys/kernel/dmabuf/buffers/INODE/exporter_name
 *	/sys/kernel/dmabuf/buffers/INODE/size
 *
 * See Documentation/ABI/testing/sysfs-kernel-dmabuf-buffers. A directory costs
 * far more than the buffer it describes, hence the option
 * CONFIG_DMABUF_SYSFS_STATS, which is off unless asked for.
 *
 * Nearly all that an export costs then is that directory, and of that a good part
 * was for what it does not need: a kobject, whose name is formatted twice over, whose
 * attributes are looked up one by one to be removed, and which has a count of its own.
 * So the three nodes are made directly, and go in one call.
 *
 * Lifetime
 * ~~~~~~~~
 *
 * The directory appears as the last step of dma_buf_export() that can fail. It
 * goes before the exporter's &dma_buf_ops.release, and kernfs_remove() waits for
 * readers of its files, so they always find a live buffer. Meanwhile i_private of the
 * inode, which is for the file system to use, points to it.
 *
 * No lock of ours is involved.
 */

static struct kobject *buffers_kobj;

static struct dma_buf *buffer_of_file(struct seq_file *seq)
{
	struct kernfs_open_file *file = seq->private;

	return file->kn->priv;
}

static int exporter_name_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%s\n", buffer_of_file(seq)->exp_name);

	return 0;
}

static int size_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%zu\n", buffer_of_file(seq)->size);

	return 0;
}

static const struct kernfs_ops exporter_name_ops = {
	.seq_show = exporter_name_show,
};

static const struct kernfs_ops size_ops = {
	.seq_show = size_show,
};

static int add_file(struct kernfs_node *dir, const char *name,
		    const struct kernfs_ops *ops, struct dma_buf *dmabuf)
{
	static struct lock_class_key key;
	struct kernfs_node *node;

	/* as long as sysfs says that any attribute is */
	node = __kernfs_create_file(dir, name, 0444, GLOBAL_ROOT_UID,
				    GLOBAL_ROOT_GID, PAGE_SIZE, ops, dmabuf,
				    NULL, &key);

	return PTR_ERR_OR_ZERO(node);
}

/**
 * dma_buf_stats_add - make the directory of a buffer
 * @obj: buffer that is otherwise complete
 *
 * Return: 0, -EINVAL if the exporter has no name, or -ENOMEM.
 */
int dma_buf_stats_add(struct dma_buf_object *obj)
{
	struct kernfs_node *dir;
	char name[24];
	int ret;

	if (!obj->base.exp_name) {
		pr_err("dma-buf: per-buffer statistics need the exporter's name\n");
		return -EINVAL;
	}

	snprintf(name, sizeof(name), "%lu", obj->inode.i_ino);
	dir = kernfs_create_dir_ns(buffers_kobj->sd, name, 0755,
				   GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, NULL,
				   NULL);
	if (IS_ERR(dir))
		return PTR_ERR(dir);

	ret = add_file(dir, "exporter_name", &exporter_name_ops, &obj->base);
	if (!ret)
		ret = add_file(dir, "size", &size_ops, &obj->base);
	if (ret) {
		kernfs_remove(dir);
		return ret;
	}
	obj->inode.i_private = dir;

	return 0;
}

/**
 * dma_buf_stats_del - remove the directory of a buffer
 * @obj: buffer that is still intact
 */
void dma_buf_stats_del(struct dma_buf_object *obj)
{
	kernfs_remove(obj->inode.i_private);
}

/**
 * dma_buf_stats_init - make the directory of directories
 *
 * Return: 0 or -ENOMEM.
 */
int __init dma_buf_stats_init(void)
{
	struct kobject *dmabuf_kobj;

	dmabuf_kobj = kobject_create_and_add("dmabuf", kernel_kobj);
	if (!dmabuf_kobj)
		return -ENOMEM;

	buffers_kobj = kobject_create_and_add("buffers", dmabuf_kobj);
	if (!buffers_kobj) {
		kobject_put(dmabuf_kobj);
		return -ENOMEM;
	}

	return 0;
}
