// SPDX-License-Identifier: GPL-2.0
/*
 * Files with an inode each, behind which there is nothing: what is left of the system
 * calls on a dma-buf when there is none.
 */

#include <linux/anon_inodes.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "bench.h"
#include "prime_bench_uapi.h"

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "0\n");
}

static struct kobj_attribute one_attr = __ATTR(one, 0444, number_show, NULL);
static struct kobj_attribute two_attr = __ATTR(two, 0444, number_show, NULL);

static struct attribute *nothing_attrs[] = {
	&one_attr.attr,
	&two_attr.attr,
	NULL,
};
ATTRIBUTE_GROUPS(nothing);

static void nothing_free(struct kobject *kobj)
{
	kfree(kobj);
}

static const struct kobj_type nothing_type = {
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = nothing_groups,
	.release = nothing_free,
};

/* A directory with two files in it, as a buffer with statistics has. */
struct kobject *nothing_in_sysfs(struct kobject *parent)
{
	static atomic_long_t last;
	struct kobject *kobj;
	int ret;

	kobj = kzalloc(sizeof(*kobj), GFP_KERNEL);
	if (!kobj)
		return ERR_PTR(-ENOMEM);

	ret = kobject_init_and_add(kobj, &nothing_type, parent, "%lu",
				   atomic_long_inc_return(&last));
	if (ret) {
		kobject_put(kobj);
		return ERR_PTR(ret);
	}

	return kobj;
}

void nothing_out_of_sysfs(struct kobject *kobj)
{
	kobject_del(kobj);
	kobject_put(kobj);
}

static long nothing_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	u64 value;

	if (cmd != PRIME_BENCH_NOTHING)
		return -ENOTTY;

	return copy_from_user(&value, (void __user *)arg, sizeof(value)) ?
		       -EFAULT :
		       0;
}

/* As of a buffer: who waits would be woken, and all is ready. */
static __poll_t nothing_poll(struct file *file, poll_table *table)
{
	static DECLARE_WAIT_QUEUE_HEAD(queue);

	poll_wait(file, &queue, table);

	return EPOLLIN | EPOLLOUT;
}

/**
 * struct nothing - what is behind a file
 * @visible: what others would see of a buffer
 * @own_resv: for an exporter that brings none
 * @kobj: its directory in sysfs, or NULL
 */
struct nothing {
	struct visible visible;
	struct dma_resv own_resv;
	struct kobject *kobj;
};

static struct kmem_cache *nothing_cache;

static int nothing_release(struct inode *inode, struct file *file)
{
	struct nothing *nothing = file->private_data;

	if (nothing->kobj)
		nothing_out_of_sysfs(nothing->kobj);
	dma_resv_fini(&nothing->own_resv);
	kmem_cache_free(nothing_cache, nothing);

	return 0;
}

static const struct file_operations nothing_fops = {
	.owner = THIS_MODULE,
	.poll = nothing_poll,
	.unlocked_ioctl = nothing_ioctl,
	.release = nothing_release,
};

/* What dma_buf_export() is told, for others to see. */
void nothing_show(struct visible *visible, size_t size, struct file *file,
		  const struct floor_ops *ops, struct dma_resv *resv,
		  void *priv)
{
	visible->size = size;
	visible->file = file;
	INIT_LIST_HEAD(&visible->attachments);
	visible->ops = ops;
	visible->exp_name = KBUILD_MODNAME;
	visible->name = NULL;
	visible->owner = THIS_MODULE;
	visible->priv = priv;
	visible->resv = resv;
}

/* With a directory below @parent, if that is not NULL. */
struct file *nothing_file(struct kobject *parent)
{
	struct kobject *kobj = NULL;
	struct nothing *nothing;
	struct file *file;

	nothing = kmem_cache_alloc(nothing_cache, GFP_KERNEL);
	if (!nothing)
		return ERR_PTR(-ENOMEM);

	if (parent)
		kobj = nothing_in_sysfs(parent);
	if (IS_ERR(kobj)) {
		kmem_cache_free(nothing_cache, nothing);
		return ERR_CAST(kobj);
	}
	nothing->kobj = kobj;
	dma_resv_init(&nothing->own_resv);

	file = anon_inode_create_getfile("prime_bench", &nothing_fops, nothing,
					 O_RDWR, NULL);
	if (IS_ERR(file)) {
		if (kobj)
			nothing_out_of_sysfs(kobj);
		dma_resv_fini(&nothing->own_resv);
		kmem_cache_free(nothing_cache, nothing);
		return file;
	}
	nothing_show(&nothing->visible, PAGE_SIZE, file, NULL,
		     &nothing->own_resv, nothing);

	return file;
}

int nothing_init(void)
{
	nothing_cache = kmem_cache_create("prime_bench", sizeof(struct nothing),
					  0, SLAB_NO_MERGE, NULL);

	return nothing_cache ? 0 : -ENOMEM;
}

/* Files of this module keep it loaded, so there are none. */
void nothing_exit(void)
{
	kmem_cache_destroy(nothing_cache);
}
