// SPDX-License-Identifier: GPL-2.0
/*
 * One directory per buffer in sysfs.
 */

#include <linux/dma-buf.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/printk.h>
#include <linux/sysfs.h>

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
 * Lifetime
 * ~~~~~~~~
 *
 * The directory appears as the last step of dma_buf_export() that can fail. It
 * goes before the exporter's &dma_buf_ops.release, and kobject_del() waits for
 * readers of its files, so they always find a live buffer. The kobject is part
 * of &struct dma_buf_object. Its own count may fall later than the buffer's, so
 * it holds a reference to the inode.
 *
 * No lock of ours is involved.
 */

static struct kobject *buffers_kobj;

static struct dma_buf_object *kobj_to_object(struct kobject *kobj)
{
	return container_of(kobj, struct dma_buf_object, kobj);
}

static ssize_t exporter_name_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kobj_to_object(kobj)->base.exp_name);
}

static ssize_t size_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%zu\n", kobj_to_object(kobj)->base.size);
}

static struct kobj_attribute exporter_name_attr = __ATTR_RO(exporter_name);
static struct kobj_attribute size_attr = __ATTR_RO(size);

static struct attribute *dma_buf_stats_attrs[] = {
	&exporter_name_attr.attr,
	&size_attr.attr,
	NULL,
};
ATTRIBUTE_GROUPS(dma_buf_stats);

static void dma_buf_stats_release(struct kobject *kobj)
{
	iput(&kobj_to_object(kobj)->inode);
}

static const struct kobj_type dma_buf_stats_type = {
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = dma_buf_stats_groups,
	.release = dma_buf_stats_release,
};

/**
 * dma_buf_stats_add - make the directory of a buffer
 * @obj: buffer that is otherwise complete
 *
 * Return: 0, -EINVAL if the exporter has no name, or -ENOMEM.
 */
int dma_buf_stats_add(struct dma_buf_object *obj)
{
	int ret;

	if (!obj->base.exp_name) {
		pr_err("dma-buf: per-buffer statistics need the exporter's name\n");
		return -EINVAL;
	}

	ihold(&obj->inode);
	ret = kobject_init_and_add(&obj->kobj, &dma_buf_stats_type,
				   buffers_kobj, "%lu", obj->inode.i_ino);
	if (ret)
		kobject_put(&obj->kobj);

	return ret;
}

/**
 * dma_buf_stats_del - remove the directory of a buffer
 * @obj: buffer that is still intact
 */
void dma_buf_stats_del(struct dma_buf_object *obj)
{
	kobject_del(&obj->kobj);
	kobject_put(&obj->kobj);
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
